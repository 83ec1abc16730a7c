package fabric

import (
	"context"
	"testing"
	"time"

	"github.com/cloister-ml/cloister/network"
)

func TestFlows(t *testing.T) {
	t.Parallel()
	h := twoNetworks()
	h.filter(nicID("jump"), network.Outbound, "nsg-jump", rule("out", true, "*", anywhere, anywhere))
	h.filter(nicID("worker"), network.Inbound, "nsg-worker", rule("web", true, "Tcp", anywhere, anywhere, port(443)), rule("no-ssh", false, "Tcp", anywhere, anywhere, port(22)))
	f := build(t, h.plan())
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	type seen struct {
		rule  string
		allow bool
		to    string
	}
	got, done := map[seen]int{}, make(chan error, 1)
	want := []seen{
		{"out", true, "10.2.0.4:443"}, {"web", true, "10.2.0.4:443"},
		{"out", true, "10.2.0.4:22"}, {"no-ssh", false, "10.2.0.4:22"},
		{"out", true, "10.2.0.4:80"}, {"", false, "10.2.0.4:80"},
	}
	listening := make(chan struct{}, 1)
	go func() {
		done <- f.Flows(ctx, func(flow Flow) {
			if flow.Source.Addr() != addr("10.1.0.4") || flow.Protocol != protoTCP {
				return
			}
			got[seen{flow.Rule, flow.Allow, flow.Destination.String()}]++
			select {
			case listening <- struct{}{}:
			default:
			}
			for _, w := range want {
				if got[w] == 0 {
					return
				}
			}
			cancel()
		})
	}()
	jump := namespaceOf(t, f, nicID("jump"))
	for first := true; ctx.Err() == nil; {
		for _, to := range []string{"10.2.0.4:443", "10.2.0.4:22", "10.2.0.4:80"} {
			connectWithin(f, patience/4, jump, to)
		}
		select {
		case <-listening:
			if first {
				other, end := context.WithCancel(ctx)
				heard := false
				go func() { // somebody has to send what is heard
					for other.Err() == nil {
						connectWithin(f, patience/4, jump, "10.2.0.4:443")
					}
				}()
				if err := f.Flows(other, func(Flow) { heard = true; end() }); err != nil || !heard && ctx.Err() == nil {
					t.Errorf("a second listener: %v, heard: %v", err, heard)
				}
				end()
			}
			first = false
		default:
		}
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	for _, w := range want {
		if got[w] == 0 {
			t.Errorf("not seen: %+v; seen: %v", w, got)
		}
	}
}

func FuzzLoggedPacket(f *testing.F) {
	f.Add([]byte{0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 4, 10, 0, 0, 5, 0x9c, 0x40, 1, 187})
	f.Fuzz(func(t *testing.T, b []byte) {
		var e GuardEvent
		if e.packet(b) && (!e.From.Addr().Is4() || !e.To.Addr().Is4()) {
			t.Errorf("%x: %v", b, e)
		}
	})
}
