package fabric

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/cloister-ml/cloister/arm"
)

// FlowState is how far a connection is at an interface that it passes.
type FlowState string

// States.
const (
	FlowBegins FlowState = "begins"
	FlowGoesOn FlowState = "goes on"
	FlowEnds   FlowState = "ends"
	FlowDenied FlowState = "denied"
)

// FlowEvent is one of a connection at a network interface. The group and the rule
// are those that decided last; both are "" where none guards the interface.
type FlowEvent struct {
	Flow
	Subnet arm.ID
	State  FlowState
	// Sent is what went from the connection's source to its destination since the
	// event before, Received what came back. Both are 0 where it begins or is denied.
	Sent, Received Volume
}

const (
	// maxConnections is how many connections of a network are followed at a time;
	// those beyond it are not reported.
	maxConnections = 1 << 16
	// goesOn is how often a connection that goes on is reported. Source: Microsoft
	// Learn, "Virtual network flow logs": statistics at five-minute intervals.
	goesOn = 5 * time.Minute
	// settles is how long after its last handshake a connection's end is reported: the
	// kernel keeps its entry for minutes.
	settles = 5 * time.Second
)

// WatchConnections reports the connections at the interfaces of the networks that
// wants is true for, those of private endpoints aside, until ctx ends. wants is
// asked again at each [Fabric.Apply]. report is called from several goroutines.
func (f *Fabric) WatchConnections(ctx context.Context, wants func(vnet arm.ID) bool, report func(FlowEvent)) error {
	return f.attend(&daemon{
		name: "connections", ctx: ctx, running: map[instance]func(){},
		wants: func(s Space) bool { return s.Role == RoleRouter && wants(s.VNet) },
		start: func(s Space, full string) (func(), error) {
			w := &watch{fabric: f, space: s.Name, full: full, report: report, open: map[way]*connection{}}
			return w.start()
		},
	})
}

// watch follows the connections of one network.
type watch struct {
	fabric *Fabric
	space  string
	full   string
	report func(FlowEvent)

	mu     sync.Mutex
	open   map[way]*connection
	closed int // of open
}

// connection is one that goes on: at which interfaces, and what was reported of it.
type connection struct {
	at             []FlowEvent
	sent, received Volume
	closed         bool // both sides have closed it
}

func (w *watch) start() (stop func(), err error) {
	ns, err := openNamespace(w.full)
	if err != nil {
		return nil, err
	}
	defer unix.Close(ns)
	if err := count(ns, true); err != nil {
		return nil, fmt.Errorf("having the kernel count what connections carry: %w", err)
	}
	events, err := trackEvents(ns)
	if err != nil {
		return nil, err
	}
	present, err := connections(ns)
	if err != nil {
		return nil, errors.Join(err, events.Close())
	}
	for _, e := range present {
		w.begin(e, false)
	}
	ctx, cancel := context.WithCancel(context.Background())
	go w.follow(events)
	go w.repeat(ctx)
	// A daemon is started while the plan is changed, and joining changes it as well.
	go func() {
		leave, err := w.fabric.beginnings.join(w.fabric, w.denied)
		defer leave()
		if err != nil {
			w.fabric.log.Error("what is denied is not in the flow logs", "network", w.space, "error", err)
		}
		<-ctx.Done()
	}()
	return func() {
		cancel()
		events.Close()
		if ns, err := openNamespace(w.full); err == nil {
			defer unix.Close(ns)
			_ = count(ns, false) // the namespace may be about to go
		}
	}, nil
}

// count switches the counting of packets and bytes of new connections.
func count(ns int, on bool) error {
	value := map[bool]string{true: "1", false: "0"}[on]
	return within(ns, func() error {
		return os.WriteFile("/proc/sys/net/netfilter/nf_conntrack_acct", []byte(value), 0)
	})
}

func (w *watch) follow(events *netlink.Conn) {
	for {
		messages, err := events.Receive()
		if errors.Is(err, unix.ENOBUFS) {
			continue // the next look at the table says what has ended
		}
		if err != nil {
			return // it is closed
		}
		for _, m := range messages {
			e, ok := parseEntry(m.Data)
			switch {
			case !ok:
			case m.Header.Type == trackNew && m.Header.Flags&netlink.Create != 0:
				w.begin(e, true)
			case m.Header.Type == trackNew && e.closed:
				w.close(e)
			case m.Header.Type == trackDelete:
				w.end(e)
			}
		}
	}
}

// begin takes note of a connection that has been let begin.
func (w *watch) begin(e entry, fresh bool) {
	s, ok := w.fabric.space(w.space)
	p := e.packet()
	if !ok || slices.Contains(s.Loopback, p.to) { // the router's own services are behind no interface
		return
	}
	c := &connection{sent: e.sent, received: e.received}
	for _, m := range s.meetings(p) {
		if !m.allowed() {
			break // the rules have changed since
		}
		if event, ok := s.event(m, p); ok {
			event.State = FlowBegins
			c.at = append(c.at, event)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, known := w.open[e.forth]; known || len(c.at) == 0 || len(w.open) >= maxConnections {
		return
	}
	w.open[e.forth] = c
	if fresh {
		for _, event := range c.at {
			w.report(event)
		}
	}
}

// event is one of a packet at an interface; what private endpoints meet is seen
// where it comes from only.
func (s Space) event(m meeting, p packet) (FlowEvent, bool) {
	if m.gate.guest.endpoint() {
		return FlowEvent{}, false
	}
	event := FlowEvent{Subnet: m.gate.guest.Subnet}
	if n := len(m.decisions); n > 0 {
		event.Flow = m.decisions[n-1]
		return event, true
	}
	event.Flow = Flow{
		Time: time.Now(), VNet: s.VNet, NIC: m.gate.guest.ID, Direction: m.gate.direction, Allow: true, Protocol: p.protocol,
		Source: p.source(), Destination: p.destination(),
	}
	return event, true
}

func (w *watch) close(e entry) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c, ok := w.open[e.forth]; ok && !c.closed {
		c.closed = true
		w.closed++
	}
}

func (w *watch) end(e entry) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c, ok := w.open[e.forth]; ok {
		w.forget(e.forth, c)
		w.tell(c, e, FlowEnds)
	}
}

// forget is called with mu held.
func (w *watch) forget(k way, c *connection) {
	delete(w.open, k)
	if c.closed {
		w.closed--
	}
}

// tell reports what a connection has carried since it was last told of.
func (w *watch) tell(c *connection, e entry, state FlowState) {
	now, sent, received := time.Now(), e.sent.since(c.sent), e.received.since(c.received)
	for _, event := range c.at {
		event.Time, event.State, event.Sent, event.Received = now, state, sent, received
		w.report(event)
	}
	c.sent, c.received = e.sent, e.received
}

// repeat looks at the table from time to time.
func (w *watch) repeat(ctx context.Context) {
	tick := time.NewTicker(settles)
	defer tick.Stop()
	next := time.Now().Add(goesOn)
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			all := now.After(next)
			if all {
				next = next.Add(goesOn)
			}
			if err := w.look(all); err != nil {
				w.fabric.log.Error("reading the connections for the flow logs", "network", w.space, "error", err)
			}
		}
	}
}

// look reports the end of the connections that were closed; of all also those that
// go on, and the end of those whose end was missed.
func (w *watch) look(all bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !all && w.closed == 0 {
		return nil // the kernel looks through a table of all namespaces: not for nothing
	}
	ns, err := openNamespace(w.full)
	if err != nil {
		return err
	}
	defer unix.Close(ns)
	present, err := connections(ns)
	if err != nil {
		return err
	}
	there := make(map[way]entry, len(present))
	for _, e := range present {
		there[e.forth] = e
	}
	for k, c := range w.open {
		e, ok := there[k]
		if !ok {
			e = entry{sent: c.sent, received: c.received}
		}
		switch {
		case c.closed || !ok && all:
			w.forget(k, c)
			w.tell(c, e, FlowEnds)
		case all:
			w.tell(c, e, FlowGoesOn)
		}
	}
	return nil
}

// denied reports a packet that a group drops, and the interfaces that let it pass
// before.
func (w *watch) denied(s Space, p packet) {
	if s.Name != w.space {
		return
	}
	list := s.meetings(p)
	if len(list) == 0 || list[len(list)-1].allowed() {
		return // it becomes a connection
	}
	for _, m := range list {
		event, ok := s.event(m, p)
		if !ok {
			continue
		}
		event.State = FlowBegins
		if !m.allowed() {
			event.State = FlowDenied
		}
		w.report(event)
	}
}
