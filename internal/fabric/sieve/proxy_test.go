package sieve

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"testing"
)

func TestDecide(t *testing.T) {
	t.Parallel()
	all := []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}
	rules := []Rule{
		{Allow: false, Sources: all, Port: 443, Hosts: []string{"bad.example.com"}},
		{Allow: true, Sources: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}, Port: 443, Scheme: "Https", Hosts: []string{"*.example.com"}},
		{Allow: true, Sources: all, Port: 80, Scheme: "Http", Hosts: []string{"*"}},
		{Allow: false, Sources: all, Port: 8080, All: true},
	}
	for _, c := range []struct {
		name, source string
		port         uint16
		scheme, host string
		want         int
	}{
		{"below the name", "10.1.0.4", 443, "Https", "a.example.com", 1},
		{"the name itself is not below it", "10.1.0.4", 443, "Https", "example.com", -1},
		{"denied before", "10.1.0.4", 443, "Https", "bad.example.com", 0},
		{"denied whatever it speaks", "10.1.0.4", 443, "Http", "bad.example.com", 0},
		{"another source", "10.2.0.4", 443, "Https", "a.example.com", -1},
		{"another scheme", "10.1.0.4", 443, "Http", "a.example.com", -1},
		{"no name", "10.1.0.4", 443, "Https", "", -1},
		{"every name", "10.9.0.4", 80, "Http", "", 2},
		{"not known for which", "10.9.0.4", 8080, "Http", "x", 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := asked{netip.MustParseAddr(c.source), netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), c.port), c.scheme, c.host}
			if got := decide(rules, a); got != c.want {
				t.Errorf("decide = %d, want %d", got, c.want)
			}
		})
	}
}

// say writes to a connection that is read.
func say(t testing.TB, write func(net.Conn)) (opening, error) {
	t.Helper()
	near, far := net.Pipe()
	go func() { write(near); near.Close() }()
	defer far.Close()
	return read(far)
}

func TestNameOfTLS(t *testing.T) {
	t.Parallel()
	o, err := say(t, func(c net.Conn) {
		_ = tls.Client(c, &tls.Config{ServerName: "St.Example.COM", MinVersion: tls.VersionTLS12}).Handshake()
	})
	if err != nil || o.scheme != "Https" || o.host != "st.example.com" || len(o.said) == 0 {
		t.Errorf("read = %q %q, %d bytes, %v", o.scheme, o.host, len(o.said), err)
	}
}

func TestNameOfHTTP(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"GET / HTTP/1.1\r\nHost: A.example:8080\r\n\r\n":                "a.example",
		"GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n":     "a.example",
		"CONNECT b.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n": "",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n":                              "",
		"SSH-2.0-x\r\n":                                                 "",
	} {
		o, err := say(t, func(c net.Conn) { fmt.Fprint(c, text) })
		if o.host != want || (err == nil) != (want != "") {
			t.Errorf("%q: host %q, %v; want %q", text, o.host, err, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
	f.Add([]byte{0x16, 3, 1, 0, 5, 1, 0, 0, 1, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := say(t, func(c net.Conn) { _, _ = c.Write(b) })
		if err == nil && o.scheme == "" {
			t.Error("something was read that speaks nothing")
		}
	})
}
