package check

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/network/space"
	"github.com/cloister-ml/cloister/privatedns"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

// calls compares what places meet at services: once for all places that are alike
// before and after.
func (d *Difference) calls(before, after *versus) {
	was := map[string]Place{}
	old := map[string]int{}
	for i, group := range before.w.alikePlaces() {
		for _, p := range group {
			was[callerKey(p)], old[callerKey(p)] = p, i
		}
	}
	shared := sharedEndpoints(before.w, after.w)
	for _, group := range after.w.alikePlaces() {
		changes := map[int][]CallChange{}
		for _, p := range group {
			i, ok := old[callerKey(p)]
			if !ok {
				continue
			}
			if _, known := changes[i]; !known {
				changes[i] = callChanges(before, after, was[callerKey(p)], p, shared)
			}
			for _, c := range changes[i] {
				c.From = p.Name
				d.Calls = append(d.Calls, c)
			}
		}
	}
}

func callerKey(p Place) string { return p.NIC.Key() + p.Name }

// sharedEndpoint is a service of both estates.
type sharedEndpoint struct{ was, now service.Endpoint }

func sharedEndpoints(before, after *world) []sharedEndpoint {
	had := map[string]service.Endpoint{}
	for _, ep := range before.endpoints {
		had[strings.ToLower(ep.Host)] = ep
	}
	var out []sharedEndpoint
	for _, ep := range after.endpoints {
		if was, ok := had[strings.ToLower(ep.Host)]; ok {
			out = append(out, sharedEndpoint{was, ep})
		}
	}
	return out
}

func callChanges(before, after *versus, was, now Place, shared []sharedEndpoint) []CallChange {
	out := []CallChange{}
	x, y := before.caller(was), after.caller(now)
	for i := range shared {
		ep := &shared[i]
		a, b := x.meets(&ep.was), y.meets(&ep.now)
		if a != b {
			out = append(out, CallChange{To: endpointSlug(ep.now), Before: a, After: b,
				Reason: said(after.w.follow(now, ep.now).Decisive()), Opened: b.depth() > max(a.depth(), outside)})
		}
	}
	return out
}

// caller is a place that meets services, in one of the estates.
type caller struct {
	v       *versus
	p       Place
	class   int
	classed bool
	out     *network.Verdicts // towards what is outside, once it is asked for
}

func (v *versus) caller(p Place) *caller {
	c := &caller{v: v, p: p}
	c.class, c.classed = v.matrix.Class(p.NIC, p.Addr)
	return c
}

// meets is what a place meets at a service. What it is by is known for many at a
// time: the answer to a name for its network, whether packets arrive for its class,
// and who is let in for all that look alike to the service.
func (c *caller) meets(ep *service.Endpoint) Meeting {
	w := c.v.w
	if !c.classed {
		return w.follow(c.p, *ep).Outcome()
	}
	resolved := c.v.resolved(c.p, ep.Host)
	cell := Cell{Resolve: *resolved}
	if len(resolved.Addrs) == 0 {
		cell.Connect.Value, cell.Admit.Value = resolved.Verdict.Value, resolved.Verdict.Value
	} else {
		to := resolved.Addrs[0]
		cell.Connect.Value, cell.Admit.Value = c.arrives(to, ep.Host), c.v.admits(c.p, ep, to)
	}
	cell.Authorize, cell.Called = w.authorizeCall(c.p, *ep)
	return cell.Outcome()
}

// arrives is whether packets do: as the class of a network interface of the estate
// says, or what passes to all that is outside its networks. Elsewhere they are
// followed, and where it hangs on the port that the client chooses or the name that it asks for.
func (c *caller) arrives(to netip.Addr, host string) verdict.Value {
	v := c.v
	nic, inside := v.w.net.NICByAddr(to)
	class, classed := v.matrix.Class(nic.ID, to)
	packet := space.Packet{Source: c.p.Addr, Destination: to, Protocol: numberTCP, Port: httpsPort}
	switch {
	case inside && classed && !c.p.NIC.Equal(nic.ID):
		if value, same := v.decided(v.matrix.At(c.class, class), packet); same && v.firm(value) {
			return value
		}
	case !inside && intervalsHold(v.away, to):
		if c.out == nil {
			out := v.toward(network.Member{NIC: c.p.NIC, Addr: c.p.Addr})
			c.out = &out
		}
		if value, same := v.decided(*c.out, packet); same && v.firm(value) {
			return value
		}
	}
	return v.w.connectTo(c.p, to, httpsPort, host).Value
}

// firm reports whether the name that a client asks for cannot settle a verdict that
// was reached without it: an Azure Firewall may know it by its application rules.
func (v *versus) firm(value verdict.Value) bool {
	return value != verdict.Unknown || len(v.w.net.Firewalls) == 0
}

// decided is the verdict on a packet, where it is the same from whichever port the
// client chooses.
func (v *versus) decided(all network.Verdicts, packet space.Packet) (value verdict.Value, same bool) {
	for i, port := range v.ports {
		packet.SourcePort = port
		now := verdict.Unknown
		switch {
		case all.Passes.Has(packet):
			now = verdict.Yes
		case all.Refused.Has(packet):
			now = verdict.No
		}
		if i > 0 && now != value {
			return verdict.Unknown, false
		}
		value = now
	}
	return value, true
}

// intervalsHold reports whether an address is in one of some intervals, which are in order.
func intervalsHold(list []space.Interval, a netip.Addr) bool {
	v := space.Address(a)
	i, _ := slices.BinarySearchFunc(list, v, func(i space.Interval, v space.Value) int {
		if i.Last.Less(v) {
			return -1
		}
		return 1
	})
	return i < len(list) && !v.Less(list[i].First)
}

// asking is a name that is asked for in a network.
type asking struct {
	network arm.ID
	host    string
}

// resolved is the answer to a name: the same for all that have the DNS servers of
// their network.
func (v *versus) resolved(p Place, host string) *privatedns.Answer {
	if p.VNet == "" || v.w.names.HasOwnServers(p.NIC) {
		a := v.w.resolve(p, host)
		return &a
	}
	key := asking{p.VNet, host}
	a, ok := v.answers[key]
	if !ok {
		answer := v.w.resolve(p, host)
		a = &answer
		v.answers[key] = a
	}
	return a
}

// knocking is somebody at the door of a service.
type knocking struct {
	at arm.ID
	as network.Source
}

// admits is whether a service's own firewall lets a call in: the same for all that
// look alike to it. Of what comes through a private endpoint the address is not
// looked at.
func (v *versus) admits(p Place, ep *service.Endpoint, to netip.Addr) verdict.Value {
	doc, ok := v.w.estate.Get(ep.Resource)
	if !ok {
		return verdict.Yes // open to everyone
	}
	list, why := v.w.sourcesSeen(p, *ep, to)
	if why.Value != verdict.Yes {
		return why.Value
	}
	out := v.admitsSource(ep, doc, list[0])
	for _, src := range list[1:] {
		if v.admitsSource(ep, doc, src) != out {
			return verdict.Unknown
		}
	}
	return out
}

// admitsSource is admits for one that the service may see.
func (v *versus) admitsSource(ep *service.Endpoint, doc arm.Resource, src network.Source) verdict.Value {
	key := knocking{ep.Resource, src}
	if src.Endpoint != "" {
		key.as.Addr = netip.Addr{}
	}
	admitted, known := v.admitted[key]
	if !known {
		admitted = network.Admit(v.w.estate, doc, src).Value
		v.admitted[key] = admitted
	}
	return admitted
}

// outside is the depth of a client that the service does not let in.
const outside = 1

// depth is how far a client gets: what is past the service's firewall is further
// than what is not.
func (m Meeting) depth() int {
	switch m {
	case MeetAllowed, MeetAdmitted:
		return 3
	case MeetForbidden:
		return 2
	}
	return outside
}
