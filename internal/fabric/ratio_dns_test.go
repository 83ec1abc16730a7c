package fabric

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/cloister-ml/cloister/privatedns"
)

// ratioDNS asks CoreDNS with a file zone and the fabric's server for the same
// thousand names, over the same cables.
func ratioDNS(t *testing.T) {
	program := os.Getenv("CLOISTER_COREDNS")
	if program == "" {
		t.Skip("bench/coredns.sh says where CoreDNS is: CLOISTER_COREDNS")
	}
	f := build(t, bare())
	const names = 1000
	zone, known := "$ORIGIN zone.test.\n@ 10 IN SOA ns.zone.test. host.zone.test. 1 3600 300 2419200 10\n@ 10 IN NS ns.zone.test.\nns 10 IN A 10.2.0.4\n", map[string]privatedns.Answer{}
	for i := range names {
		a := netip.AddrFrom4([4]byte{10, 9, byte(i >> 8), byte(i)})
		zone += fmt.Sprintf("n%d 10 IN A %s\n", i, a)
		name := fmt.Sprintf("n%d.zone.test", i)
		known[name] = privatedns.Answer{Name: name, Code: "NOERROR", Addrs: []netip.Addr{a}}
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"zone": zone, "Corefile": "zone.test:1053 {\n  bind 10.2.0.4\n  file " + dir + "/zone\n}\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	other := exec.CommandContext(t.Context(), program, "-conf", filepath.Join(dir, "Corefile"))
	if err := f.Within(f.full("b"), other.Start); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = other.Process.Kill()
		_ = other.Wait()
	}()
	stop, err := f.startDNS(t.Context(), f.full("b"), netip.MustParseAddrPort("10.2.0.4:53"), &answers{version: func() any { return 1 }},
		func(_ netip.Addr, name string) privatedns.Answer { return known[name] })
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	for try := 0; queries(t, f, "10.2.0.4:1053", names, 50*time.Millisecond) == 0; try++ {
		if try == 100 {
			t.Fatal("CoreDNS does not answer")
		}
	}
	compare(t, "k/s ",
		side{"queries a second of CoreDNS with a file zone", func(t *testing.T) float64 { return queries(t, f, "10.2.0.4:1053", names, measured) }},
		side{"queries a second of the networks' own server", func(t *testing.T) float64 { return queries(t, f, "10.2.0.4:53", names, measured) }})
}

// queries asks from eight sockets, 16 at a time from each: thousands of answers a
// second.
func queries(t *testing.T, f *Fabric, server string, names int, length time.Duration) float64 {
	t.Helper()
	var packed [][]byte
	for i := range names {
		q := new(dns.Msg)
		q.SetQuestion(fmt.Sprintf("n%d.zone.test.", i), dns.TypeA)
		b, err := q.Pack()
		if err != nil {
			t.Fatal(err)
		}
		packed = append(packed, b)
	}
	var got atomic.Int64
	var wait sync.WaitGroup
	start := time.Now()
	for i := range 8 {
		c, err := f.Dial(t.Context(), f.full("a"), "udp4", server)
		if err != nil {
			t.Fatal(err)
		}
		wait.Go(func() {
			defer c.Close()
			answered, b := int64(0), make([]byte, 512)
			for n := i * 100; time.Since(start) < length; {
				for range 16 {
					_, _ = c.Write(packed[n%names])
					n++
				}
				_ = c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
				for range 16 {
					k, err := c.Read(b)
					if err != nil {
						break
					}
					if k > 12 && b[3]&15 == 0 && b[7] == 1 { // no error, one answer
						answered++
					}
				}
			}
			got.Add(answered)
		})
	}
	wait.Wait()
	return float64(got.Load()) / time.Since(start).Seconds() / 1000
}
