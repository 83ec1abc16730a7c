//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cloister-ml/cloister/check"
	"github.com/cloister-ml/cloister/internal/fabric"
	"github.com/cloister-ml/cloister/internal/probe"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

// watch is a loop of tries in the namespaces of a cloud, of which the cloud's
// processes know nothing: it goes on while they are dead. A namespace that is not
// there refuses what is tried in it.
type watch struct {
	cloud   cloud
	fabric  *fabric.Fabric // of the cloud's name, to enter its namespaces; it builds nothing
	stop    context.CancelFunc
	wait    sync.WaitGroup
	places  []*watched
	tried   atomic.Int64 // flows and calls that the proof refuses
	reached atomic.Int64 // calls that it allows, and that got there
}

// watched is a place that tries.
type watched struct {
	name, space, resolver string
	flows                 []network.Flow // that the proof refuses
	cells                 []check.Cell
	rounds                atomic.Int64
}

// tryTime is how long a refused connection is waited for: on this machine an answer
// takes far less.
const tryTime = 250 * time.Millisecond

// knocked are ports that something listens on somewhere, and one that nothing does.
var knocked = []uint16{22, 53, 80, 443, 8080}

// watchRefused starts the loop with what the proof says of the estate as it is.
func watchRefused(t *testing.T, c cloud) *watch {
	t.Helper()
	f, err := fabric.New(fabric.Options{Name: c.name})
	if err != nil {
		t.Fatal(err)
	}
	e := c.estate(t)
	top := network.FromEstate(e)
	cells := check.Matrix(e)
	w := &watch{cloud: c, fabric: f}
	for _, s := range fabric.Compile(top, func(network.NIC) bool { return true }).Spaces {
		p := &watched{name: s.Name, space: f.SpaceNamespace(s), resolver: service.WireServer.String()}
		switch {
		case s.Role == fabric.RoleOutsider:
			p.resolver, p.flows = "192.0.2.53", refused(top, service.Outsider)
		case s.Role == fabric.RoleMachine && len(s.Guests) > 0:
			p.flows = refused(top, s.Guests[0].Addrs[0])
		default:
			continue
		}
		for _, cell := range cells {
			internet := cell.From.Kind == check.KindInternet
			if internet == (s.Role == fabric.RoleOutsider) && (internet || cell.From.NIC.Equal(s.Guests[0].ID)) {
				p.cells = append(p.cells, cell)
			}
		}
		w.places = append(w.places, p)
	}
	ctx, stop := context.WithCancel(context.Background())
	w.stop = stop
	t.Cleanup(func() { stop(); w.wait.Wait() })
	for _, p := range w.places {
		w.wait.Go(func() {
			for ctx.Err() == nil {
				if _, err := os.Stat(fabric.NamespacePath(p.space)); err == nil {
					w.knock(ctx, t, p)
					w.call(ctx, t, p)
				}
				p.rounds.Add(1)
				time.Sleep(tryTime)
			}
		})
	}
	return w
}

// refused are the flows from an address to every interface that the proof is certain
// do not pass.
func refused(top *network.Topology, from netip.Addr) []network.Flow {
	var out []network.Flow
	for _, n := range top.NICs {
		for _, to := range n.Addrs {
			for _, port := range knocked {
				flow := network.Flow{Source: from, Destination: to, Port: port, Protocol: network.TCP}
				if to != from && to.Is4() == from.Is4() && top.Reach(flow).Value == verdict.No {
					out = append(out, flow)
				}
			}
		}
	}
	return out
}

// knock tries every refused flow once: an answer of either kind is a breach.
func (w *watch) knock(ctx context.Context, t *testing.T, p *watched) {
	room := make(chan struct{}, 128)
	var wait sync.WaitGroup
	for _, flow := range p.flows {
		wait.Go(func() {
			room <- struct{}{}
			defer func() { <-room }()
			to := netip.AddrPortFrom(flow.Destination, flow.Port).String()
			within, cancel := context.WithTimeout(ctx, tryTime)
			defer cancel()
			c, err := w.fabric.Dial(within, p.space, "tcp", to)
			w.tried.Add(1)
			if err == nil {
				c.Close()
			}
			if err == nil || errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("%s: %s was answered at %s (%v), which the proof refuses", p.name, to, time.Now().Format(time.StampMilli), err)
			}
		})
	}
	wait.Wait()
}

// call tries what the proof says of every service: nobody gets further than that.
func (w *watch) call(ctx context.Context, t *testing.T, p *watched) {
	if len(p.cells) == 0 {
		return
	}
	var tries []probe.Try
	for _, c := range p.cells {
		tries = append(tries, probe.TryOf(c))
	}
	input, err := json.Marshal(tries)
	if err != nil {
		t.Error(err)
		return
	}
	cmd := exec.CommandContext(ctx, "nsenter", "--net="+fabric.NamespacePath(p.space), "../bin/cloister", "probe", "try", "--resolver", p.resolver, "--patience", "1s")
	cmd.Stdin = bytes.NewReader(input)
	cmd.Env = append(os.Environ(), "SSL_CERT_FILE="+filepath.Join(w.cloud.dir, "trusted.pem"))
	out, err := cmd.Output()
	if err != nil {
		return // the namespace has just gone
	}
	var seen []probe.Seen
	if err := json.Unmarshal(out, &seen); err != nil || len(seen) != len(tries) {
		t.Errorf("%s: the tries gave %q: %v", p.name, out, err)
		return
	}
	for i, c := range p.cells {
		proof := c.Outcome()
		switch {
		case proof == check.MeetUnknown:
		case depth(proof) < depth(check.MeetAdmitted):
			w.tried.Add(1)
			if depth(seen[i].Met) > depth(proof) {
				t.Errorf("%s: %s was %s at %s (%s), and the proof says %s", p.name, c.To.Host, seen[i].Met, time.Now().Format(time.StampMilli), seen[i].Detail, proof)
			}
		case seen[i].Met == proof:
			w.reached.Add(1)
		}
	}
}

// depth is how far a call got, by what it met.
func depth(m check.Meeting) int {
	switch m {
	case check.MeetNoName, check.MeetUnreachable:
		return 0
	case check.MeetRefused, "": // connected, and not served
		return 1
	case check.MeetForbidden:
		return 2
	}
	return 3
}

// rounds waits until every place has tried everything so many times more.
func (w *watch) rounds(t *testing.T, n int64) {
	t.Helper()
	for _, p := range w.places {
		until := p.rounds.Load() + n + 1 // the one that runs had begun before
		for deadline := time.Now().Add(time.Minute); p.rounds.Load() < until; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s does not come to an end with its tries", p.name)
			}
		}
	}
}

// end stops the loop, which must have tried something, and reached what it may.
func (w *watch) end(t *testing.T) {
	w.stop()
	w.wait.Wait()
	said := fmt.Sprintf("%d tries of what the proof refuses from %d places, %d calls got where it allows", w.tried.Load(), len(w.places), w.reached.Load())
	t.Log(said)
	if w.tried.Load() == 0 || w.reached.Load() == 0 {
		t.Errorf("nothing was tried: %s", said)
	}
}
