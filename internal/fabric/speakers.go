package fabric

import (
	"context"
	"net/netip"
	"sync"

	"github.com/cloister-ml/cloister/internal/bgp"
)

// Speakers are the BGP speakers of gateways, edges and sites, each a process of its
// own in its namespace. What they have learned decides which routes are built: see
// [Choices]. The zero Speakers are ready, and have heard nothing until they are served.
type Speakers struct {
	mu      sync.Mutex
	running map[string]*bgp.Process // by namespace, without the cloud's prefix
}

// ServeBGP keeps the plan's speakers running as s until ctx ends, with the command that
// runs one. changed is called when one has learned or lost something: the next plan
// may then be another. Calls never overlap, and several changes may share one.
func (f *Fabric) ServeBGP(ctx context.Context, s *Speakers, command []string, changed func()) error {
	wake := make(chan struct{}, 1)
	notify := func() {
		select {
		case wake <- struct{}{}:
		default:
		}
	}
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-wake:
				changed()
			}
		}
	}()
	return f.attend(&daemon{
		name: "BGP", ctx: ctx, running: map[instance]func(){},
		wants: func(p Space) bool { return p.Speaker != nil },
		start: func(p Space, full string) (func(), error) {
			process := bgp.Start(ctx, *p.Speaker, bgp.Options{
				Args: command, Within: func(fn func() error) error { return f.Within(full, fn) }, Changed: notify, Log: f.log,
			})
			s.set(p.Name, process)
			return func() {
				s.drop(p.Name, process)
				process.Stop()
			}, nil
		},
		keep: func(p Space) {
			if process, ok := s.process(p.Name); ok {
				process.Be(*p.Speaker)
			}
		},
	})
}

func (s *Speakers) set(space string, p *bgp.Process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running == nil {
		s.running = map[string]*bgp.Process{}
	}
	s.running[space] = p
}

func (s *Speakers) drop(space string, p *bgp.Process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running[space] == p {
		delete(s.running, space)
	}
}

func (s *Speakers) process(space string) (*bgp.Process, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.running[space]
	return p, ok
}

// State is what the speaker of a namespace knows, by its name in the plan.
func (s *Speakers) State(space string) bgp.State {
	p, ok := s.process(space)
	if !ok {
		return bgp.State{}
	}
	return p.State()
}

// PID is the process of a namespace's speaker, 0 for none.
func (s *Speakers) PID(space string) int {
	if p, ok := s.process(space); ok {
		return p.PID()
	}
	return 0
}

// Heard is the choice of [Choices]: what the speaker of a namespace has learned.
func (s *Speakers) Heard(space string) map[netip.Prefix]netip.Addr {
	out := map[netip.Prefix]netip.Addr{}
	for _, r := range s.State(space).Hears() {
		out[r.Prefix] = r.Peer
	}
	return out
}

// Settled reports whether every speaker of a plan has all its sessions, and has
// heard all that the plan's other speakers advertise to it.
func (s *Speakers) Settled(p Plan) bool {
	for _, space := range p.Spaces {
		if space.Speaker == nil {
			continue
		}
		state := s.State(space.Name)
		if !state.Up() || space.Role != RoleEdge && len(state.Hears()) == 0 {
			return false
		}
	}
	return true
}
