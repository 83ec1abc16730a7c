package sieve

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"strings"
)

// most is how much of a connection is read to find the name.
const most = 32 << 10

// errNamed ends a handshake when the name is known.
var errNamed = errors.New("the name is known")

// opening is what a client has said so far.
type opening struct {
	scheme  string
	host    string
	said    []byte        // of TLS: to be said to the server
	request *http.Request // of HTTP
}

// read finds the name that a client asks for.
func read(c net.Conn) (opening, error) {
	in := bufio.NewReaderSize(io.LimitReader(c, most), most)
	first, err := in.Peek(1)
	if err != nil {
		return opening{}, err
	}
	const handshake = 0x16 // RFC 8446, section 5.1: the type of a record
	if first[0] == handshake {
		return readTLS(c, in)
	}
	return readHTTP(c, in)
}

// readTLS reads the server name of a ClientHello (RFC 6066, section 3).
func readTLS(c net.Conn, in *bufio.Reader) (opening, error) {
	o := opening{scheme: "Https"}
	var said bytes.Buffer
	named := false
	server := tls.Server(silent{c, io.TeeReader(in, &said)}, &tls.Config{GetConfigForClient: func(h *tls.ClientHelloInfo) (*tls.Config, error) {
		o.host, named = strings.ToLower(strings.TrimSuffix(h.ServerName, ".")), true
		return nil, errNamed
	}})
	err := server.Handshake()
	if !named {
		return o, fmt.Errorf("reading the ClientHello: %w", err)
	}
	rest, err := in.Peek(in.Buffered())
	o.said = append(said.Bytes(), rest...)
	return o, err
}

// readHTTP reads the host of a request (RFC 9112, section 3.2).
func readHTTP(c net.Conn, in *bufio.Reader) (opening, error) {
	head := &io.LimitedReader{R: io.MultiReader(in, c), N: most}
	r, err := http.ReadRequest(bufio.NewReader(head))
	head.N = math.MaxInt64 // what follows is passed on as it comes
	if err != nil {
		return opening{}, fmt.Errorf("reading the request: %w", err)
	}
	if r.Method == http.MethodConnect || r.ProtoMajor != 1 || r.URL.Host != "" && !strings.EqualFold(r.URL.Host, r.Host) {
		return opening{}, fmt.Errorf("%s %s is no request for a host", r.Method, r.Proto)
	}
	if len(r.Header["User-Agent"]) == 0 {
		r.Header["User-Agent"] = []string{""} // none is added
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return opening{scheme: "Http", host: strings.ToLower(strings.TrimSuffix(host, ".")), request: r}, nil
}

// silent is a connection that is read through a reader, and to which nothing is said.
type silent struct {
	net.Conn
	in io.Reader
}

func (s silent) Read(b []byte) (int, error)  { return s.in.Read(b) }
func (s silent) Write(b []byte) (int, error) { return len(b), nil }
