package node

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// resolver answers names as a table says, on UDP.
func resolver(t *testing.T, table map[string]string) netip.AddrPort {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &dns.Server{PacketConn: pc, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		addr, ok := table[strings.ToLower(q.Question[0].Name)]
		switch {
		case !ok:
			m.Rcode = dns.RcodeNameError
		case q.Question[0].Qtype == dns.TypeA:
			m.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET}, A: net.ParseIP(addr)}}
		}
		_ = w.WriteMsg(m)
	})}
	go func() { _ = server.ActivateAndServe() }()
	t.Cleanup(func() { _ = server.Shutdown() })
	return netip.MustParseAddrPort(pc.LocalAddr().String())
}

// imds hands out tokens and counts them.
func imds(t *testing.T, expires func() int64) (url string, asked *atomic.Int32) {
	t.Helper()
	asked = new(atomic.Int32)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Metadata") != "true" {
			http.Error(w, "{}", http.StatusBadRequest)
			return
		}
		n := asked.Add(1)
		_ = json.NewEncoder(w).Encode(map[string]string{"access_token": fmt.Sprint("token", n, " for ", r.URL.Query().Get("resource")), "expires_on": fmt.Sprint(expires())})
	}))
	t.Cleanup(s.Close)
	return s.URL, asked
}

func TestNamesAreResolvedByTheNodesResolverOnly(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Host) }))
	t.Cleanup(server.Close)
	roots := filepath.Join(t.TempDir(), "roots.pem")
	if err := os.WriteFile(roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	// The test certificate is for example.com; localhost is in every hosts file.
	link, err := NewLink(LinkConfig{Resolver: resolver(t, map[string]string{"example.com.": "127.0.0.1"}), Roots: roots})
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	resp, err := link.Client().Get("https://example.com:" + port)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	resp, err = link.Client().Get("https://nothing.blob.core.windows.net:" + port)
	if err == nil {
		resp.Body.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "resolving nothing.blob.core.windows.net") {
		t.Errorf("a name that is not there: %v", err)
	}
	if _, err := NewLink(LinkConfig{Roots: os.DevNull}); err == nil {
		t.Error("a node that trusts nobody is started")
	}
}

func TestTokensAreKeptWhileTheyLast(t *testing.T) {
	life := time.Hour
	url, asked := imds(t, func() int64 { return time.Now().Add(life).Unix() })
	link := &Link{metadata: http.DefaultClient, imds: url, tokens: map[string]token{}}
	get := func(resource string) string {
		t.Helper()
		text, err := link.Token(t.Context(), resource)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	for _, tt := range [][2]string{{"a", "token1 for a"}, {"a", "token1 for a"}, {"b", "token2 for b"}} {
		if got := get(tt[0]); got != tt[1] {
			t.Errorf("the token for %s is %q, want %q", tt[0], got, tt[1])
		}
	}
	if asked.Load() != 2 {
		t.Errorf("asked %d times", asked.Load())
	}
	life = time.Minute // ends too soon to be kept
	get("c")
	get("c")
	if asked.Load() != 4 {
		t.Errorf("a token that is about to end is used again")
	}
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":"invalid_request","error_description":"Identity not found"}`)
	}))
	t.Cleanup(broken.Close)
	link.imds = broken.URL
	if _, err := link.Token(t.Context(), "d"); err == nil || !strings.Contains(err.Error(), "Identity not found") {
		t.Errorf("%v", err)
	}
}

// keeper is a workspace's end of a log.
type keeper struct {
	mu   sync.Mutex
	kept bytes.Buffer
	fail int // so many pieces are refused first
	lost bool
}

func (k *keeper) take(_ context.Context, offset int64, piece []byte) (int64, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.lost {
		return 0, errLeaseLost
	}
	if k.fail > 0 {
		k.fail--
		return 0, errors.New("unreachable")
	}
	if have := int64(k.kept.Len()); offset < have {
		piece = piece[min(have-offset, int64(len(piece))):]
	}
	k.kept.Write(piece)
	return int64(k.kept.Len()), nil
}

func (k *keeper) String() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.kept.String()
}

func TestLogArrivesWhileTheTaskRunsAndWholeAtItsEnd(t *testing.T) {
	k := &keeper{fail: 2}
	s, err := newShipper(filepath.Join(t.TempDir(), "log"), k.take)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { s.run(ctx) })
	want := ""
	for i := range 5 {
		line := fmt.Sprintln("line", i)
		want += line
		fmt.Fprint(s, line)
		time.Sleep(shipEvery)
	}
	if got := k.String(); !strings.HasPrefix(got, "line 0\n") {
		t.Errorf("while it runs the workspace has %q", got)
	}
	big := strings.Repeat("x", 3<<20) + "\n"
	fmt.Fprint(s, big)
	cancel()
	wg.Wait()
	if err := s.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := k.String(); got != want+big {
		t.Errorf("at the end the workspace has %d bytes of %d", len(got), len(want+big))
	}
	k.lost = true
	fmt.Fprintln(s, "more")
	if err := s.flush(t.Context()); !errors.Is(err, errLeaseLost) {
		t.Errorf("after the lease was lost: %v", err)
	}
}
