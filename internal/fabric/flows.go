package fabric

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/fabric/nft"
	"github.com/cloister-ml/cloister/network"
)

// flowGroup is the kernel's log group of what begins a connection.
const flowGroup = 7

// logged tells whoever listens of a packet that begins a connection. Without a
// listener the kernel drops the message before it is made.
func logged() nft.Rule {
	return nft.Rule{Match: []nft.Match{nft.State(nft.New)}, Steps: []nft.Action{{Verb: nft.Log, Group: flowGroup}}, Do: nft.Action{Verb: nft.Continue}}
}

// Flow is what a security group decided about a packet that begins a connection.
type Flow struct {
	Time                time.Time
	VNet, NIC           arm.ID
	NSG                 arm.ID // "" of security admin rules
	Direction           network.Direction
	Rule                string // "" where none is for it
	Default             bool   // the rule is one of Azure's own
	Allow               bool
	Protocol            uint8
	Source, Destination netip.AddrPort // before the source is translated, after the destination was
}

// Flows hands over what security groups decide until ctx ends, one decision at a
// time.
func (f *Fabric) Flows(ctx context.Context, each func(Flow)) error {
	if !slices.ContainsFunc(f.Plan().Spaces, func(s Space) bool { return s.Role == RoleRouter && len(s.gates) > 0 }) {
		return errors.New("no network of this cloud has a security group")
	}
	ctx, cancel := context.WithCancel(ctx)
	flows := make(chan Flow)
	leave, err := f.beginnings.join(f, func(s Space, p packet) {
		for _, flow := range s.decisions(p) {
			select {
			case flows <- flow:
			case <-ctx.Done():
				return
			}
		}
	})
	defer leave()
	defer cancel()
	if err != nil {
		return err
	}
	for {
		select {
		case flow := <-flows:
			each(flow)
		case <-ctx.Done():
			return nil
		}
	}
}

// beginnings hands packets that begin connections to whoever wants to know. The
// kernel gives them to one listener: there is one while anybody wants to know.
type beginnings struct {
	mu   sync.Mutex // held while listeners come and go
	stop context.CancelFunc
	hear atomic.Pointer[[]*func(Space, packet)]
}

func (b *beginnings) listeners() []*func(Space, packet) {
	if list := b.hear.Load(); list != nil {
		return *list
	}
	return nil
}

// join calls report, from several goroutines, for each packet until leave is
// called, which must be also after an error.
func (b *beginnings) join(f *Fabric, report func(Space, packet)) (leave func(), err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := append(slices.Clone(b.listeners()), &report)
	b.hear.Store(&list)
	if b.stop == nil {
		var ctx context.Context
		ctx, b.stop = context.WithCancel(context.Background())
		err = f.attend(&daemon{
			name: "flows", ctx: ctx, running: map[instance]func(){},
			wants: func(s Space) bool { return s.Role == RoleRouter && len(s.gates) > 0 },
			start: func(s Space, full string) (func(), error) { return b.listen(f, s.Name, full) },
		})
	}
	return func() { b.leave(f, &report) }, err
}

func (b *beginnings) leave(f *Fabric, report *func(Space, packet)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := slices.DeleteFunc(slices.Clone(b.listeners()), func(other *func(Space, packet)) bool { return other == report })
	b.hear.Store(&list)
	if len(list) > 0 {
		return
	}
	b.stop()
	b.stop = nil
	f.change.Lock() // the next listener must find the kernel's log free
	defer f.change.Unlock()
	_ = f.serve()
}

func (b *beginnings) listen(f *Fabric, name, full string) (func(), error) {
	conn, err := listenLog(full, flowGroup)
	if err != nil {
		return nil, err
	}
	go func() {
		for {
			messages, err := conn.Receive()
			if errors.Is(err, unix.ENOBUFS) {
				continue // more came than was read: the rest is lost
			}
			if err != nil {
				return // it is closed
			}
			s, ok := f.space(name)
			for _, m := range messages {
				p, whole := beginning(m.Data)
				if !ok || !whole {
					continue
				}
				for _, report := range b.listeners() {
					(*report)(s, p)
				}
			}
		}
	}()
	return func() { conn.Close() }, nil
}

// space is a namespace of the plan that was applied last.
func (f *Fabric) space(name string) (Space, bool) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	for _, s := range f.plan.Spaces {
		if s.Name == name {
			return s, true
		}
	}
	return Space{}, false
}

// beginning reads the packet in a message of the log.
func beginning(b []byte) (p packet, ok bool) {
	if len(b) < genericHeader {
		return p, false
	}
	attributes, err := netlink.UnmarshalAttributes(b[genericHeader:])
	if err != nil {
		return p, false
	}
	for _, a := range attributes {
		var e GuardEvent
		if a.Type == logPayload && e.packet(a.Data) {
			return packet{from: e.From.Addr(), to: e.To.Addr(), protocol: e.Protocol, sourcePort: e.From.Port(), destPort: e.To.Port()}, true
		}
	}
	return p, false
}

// decisions are those of a router's gates about a packet, up to the first that
// drops it.
func (s Space) decisions(p packet) []Flow {
	var out []Flow
	for _, m := range s.meetings(p) {
		out = append(out, m.decisions...)
	}
	return out
}

// meeting is what a packet meets at one interface in one direction.
type meeting struct {
	gate      gate
	decisions []Flow // none where nothing guards the interface
}

// allowed reports whether the packet goes on.
func (m meeting) allowed() bool {
	return len(m.decisions) == 0 || m.decisions[len(m.decisions)-1].Allow
}

// meetings are those of a packet, up to the first that drops it.
func (s Space) meetings(p packet) []meeting {
	var out []meeting
	now := time.Now()
	for _, d := range []network.Direction{network.Outbound, network.Inbound} {
		for _, g := range slices.Concat(s.gates, s.gates6) {
			if g.direction != d || !g.guards(p) {
				continue
			}
			m := meeting{g, g.decisions(p)}
			for i := range m.decisions {
				one := &m.decisions[i]
				one.Time, one.VNet, one.NIC, one.Direction, one.Protocol = now, s.VNet, g.guest.ID, d, p.protocol
				one.Source, one.Destination = p.source(), p.destination()
			}
			if out = append(out, m); !m.allowed() {
				return out
			}
		}
	}
	return out
}
