package fabric

import (
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
)

// heard collects events as lines.
type heard struct {
	mu   sync.Mutex
	list []string
	sent map[string]FlowEvent
}

func (h *heard) add(e FlowEvent) {
	h.mu.Lock()
	defer h.mu.Unlock()
	line := fmt.Sprintf("%s %s %s %q %s %d", e.NIC.Name(), e.Direction, e.NSG.Name(), e.Rule, e.State, e.Destination.Port())
	if !slices.Contains(h.list, line) {
		h.list = append(h.list, line)
	}
	h.sent[line] = e
}

func (h *heard) event(line string) (FlowEvent, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	e, ok := h.sent[line]
	return e, ok
}

func TestWatchConnections(t *testing.T) {
	t.Parallel()
	plan := twoNetworks()
	plan.filter(nicID("jump"), network.Outbound, "nsg-jump", rule("out", true, "*", anywhere, anywhere))
	plan.filter(nicID("worker"), network.Inbound, "nsg-worker", rule("web", true, "Tcp", anywhere, anywhere, port(443)), rule("no-ssh", false, "Tcp", anywhere, anywhere, port(22)))
	f := build(t, plan.plan())
	jump, worker := namespaceOf(t, f, nicID("jump")), namespaceOf(t, f, nicID("worker"))
	got := &heard{sent: map[string]FlowEvent{}}
	if err := f.WatchConnections(t.Context(), func(arm.ID) bool { return true }, got.add); err != nil {
		t.Fatal(err)
	}
	l, err := f.Listen(t.Context(), worker, "tcp4", "10.2.0.4:443")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = io.Copy(c, c)
			}()
		}
	}()
	c, err := f.Dial(t.Context(), jump, "tcp4", "10.2.0.4:443")
	if err != nil {
		t.Fatal(err)
	}
	if !exchange(c, make([]byte, 5000), 5*time.Second) {
		t.Fatal("no echo")
	}
	_ = c.(*net.TCPConn).CloseWrite()
	_, _ = io.Copy(io.Discard, c)
	c.Close()
	want := []string{
		`jump Outbound nsg-jump "out" begins 443`, `worker Inbound nsg-worker "web" begins 443`,
		`jump Outbound nsg-jump "out" ends 443`, `worker Inbound nsg-worker "web" ends 443`,
		`jump Outbound nsg-jump "out" begins 22`, `worker Inbound nsg-worker "no-ssh" denied 22`,
	}
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		if connectWithin(f, patience/4, jump, "10.2.0.4:22") != silent {
			t.Fatal("what is denied has passed")
		}
		if !slices.ContainsFunc(want, func(line string) bool { _, ok := got.event(line); return !ok }) {
			break
		}
	}
	for _, line := range want {
		if _, ok := got.event(line); !ok {
			t.Errorf("not reported: %s; reported: %q", line, got.list)
		}
	}
	for _, line := range want[2:4] {
		if e, _ := got.event(line); e.Sent.Bytes < 5000 || e.Received.Bytes < 5000 || e.Sent.Packets < 4 || e.Received.Packets < 3 || e.Sent.Bytes > 10000 {
			t.Errorf("%s: sent %+v, received %+v", line, e.Sent, e.Received)
		}
	}
}

func FuzzParseEntry(f *testing.F) {
	f.Add([]byte{2, 0, 0, 0, 52, 0, 1, 128, 20, 0, 1, 128, 8, 0, 1, 0, 10, 0, 0, 1, 8, 0, 2, 0, 10, 0, 0, 2})
	f.Fuzz(func(t *testing.T, b []byte) {
		if e, ok := parseEntry(b); ok && (!e.forth.from.Addr().IsValid() || !e.back.to.Addr().IsValid()) {
			t.Errorf("%x: %+v", b, e)
		}
	})
}
