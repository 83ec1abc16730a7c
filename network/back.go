package network

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/verdict"
)

// halfSeen is a connection of which a stateful firewall sees one direction only.
// It drops TCP that does not begin with a handshake; of other protocols a reply
// that does not pass it may arrive.
type halfSeen struct {
	step verdict.Step
}

func (h halfSeen) follow(a *Answer, f Flow) {
	step := h.step
	if f.Protocol != TCP {
		step.Value = verdict.Unknown
	}
	a.Add(step)
}

// back looks at the routes of the replies: they need no rule, but a way, and it
// must lead through the machines that have seen the connection begin. Those of a
// private endpoint do not follow its subnet's routes.
func (w *walk) back(to place) { w.backFrom(to, w.to) }

func (w *walk) backFrom(to place, replying netip.Addr) {
	if w.outside {
		if step, needed := w.t.wayBackOut(to, w.from); needed {
			w.add(step)
		}
		return
	}
	at := to
	var seen []place
	for range mostHops {
		route, doubts := w.t.lookup(at.subnet.ID, w.from)
		step := verdict.Step{At: "way back from subnet " + at.subnet.Name, Resource: route.Table, Part: route.Part, Value: verdict.No}
		if len(doubts) > 0 {
			step.Resource, step.Value = at.subnet.RouteTable, verdict.Unknown
			step.Reason = fmt.Sprintf("the route of the replies to %s is not certain: %s", w.from, doubts[0].Reason)
			w.add(step)
			return
		}
		switch route.NextHop {
		case HopVNetLocal, HopPeering:
			home := at.vnet.ID
			if route.Peer != "" {
				home = route.Peer
			}
			w.backHome(at, home, replying, seen, step, route)
			return
		case HopGateway:
			next, ok := w.backAcross(at, replying, seen, step, route)
			if !ok {
				return
			}
			if next.nic.Kind != KindGateway { // a hub's firewall, or a machine that a hub's route names
				seen = append(seen, next)
			}
			at = next
		case HopAppliance:
			if home, ok := w.t.directly(at.vnet, route.Address); ok && route.Address == w.from {
				w.backHome(at, home, replying, seen, step, route)
				return
			}
			next, ok := w.backThrough(at, route, replying, step)
			if !ok {
				return
			}
			seen, at = append(seen, next), next
		default:
			step.Reason = fmt.Sprintf("replies to %s take %s and are lost", w.from, route)
			if d, may := w.t.mayLearn(at.subnet, at.vnet, w.from); may && route.Source == sourceDefault {
				step.Value = verdict.Unknown
				step.Reason += "; but the gateway may have learnt another: " + d.Reason
			}
			w.add(step)
			return
		}
	}
	w.add(verdict.Step{At: "way back from subnet " + to.subnet.Name, Resource: to.subnet.RouteTable, Value: verdict.No,
		Reason: fmt.Sprintf("replies to %s go in a circle", w.from)})
}

// backHome is where a private route takes the replies.
func (w *walk) backHome(at place, home arm.ID, replying netip.Addr, seen []place, step verdict.Step, route Route) {
	if w.site != nil || !home.Equal(w.origin.vnet.ID) {
		step.Reason = fmt.Sprintf("replies to %s take %s and are lost", w.from, route)
		w.add(step)
		return
	}
	if w.cross(at.vnet, home, replying) {
		w.sameWay(seen, step)
	}
}

func (w *walk) backByGateway(at place, seen []place, step verdict.Step, route Route) {
	if w.site != nil && slices.ContainsFunc(w.t.gatewaysOf(at.vnet), func(g *Gateway) bool { return g.ID.Equal(w.site.Gateway) }) {
		w.sameWay(seen, step)
		return
	}
	step.Value = verdict.Unknown
	step.Reason = fmt.Sprintf("replies take %s, and where the gateway sends them is not known", route)
	w.add(step)
}

// backThrough is the machine that forwards the replies.
func (w *walk) backThrough(at place, route Route, replying netip.Addr, step verdict.Step) (place, bool) {
	home, _ := w.t.directly(at.vnet, route.Address)
	next, ok := w.backRelayed(home, route, step)
	return next, ok && w.cross(at.vnet, next.vnet.ID, replying)
}

// backRelayed is the machine in a network, or in none that is reached, to which a
// route leads the replies.
func (w *walk) backRelayed(home arm.ID, route Route, step verdict.Step) (place, bool) {
	next, ok := w.t.forwarder(home, route.Address)
	switch {
	case ok:
		return next, true
	case next.nic.IPForwarding && w.t.settings.AppliancesForward == NotSo:
		step.Reason = fmt.Sprintf("replies take %s, which is taken to forward nothing (a setting)", route)
	default:
		step.Value = verdict.Unknown
		step.Reason = fmt.Sprintf("replies take %s: the appliance sees only half of the connection, and may drop it", route)
	}
	w.add(step)
	return next, false
}

// forwarder is the machine at the address of a virtual appliance in a network, if
// what it does is known: an Azure Firewall, or a machine that is taken to forward.
func (t *Topology) forwarder(home arm.ID, a netip.Addr) (p place, ok bool) {
	if home == "" {
		return place{}, false
	}
	if fw, ok := t.firewallIn(home, a); ok {
		return t.firewallPlace(fw), true
	}
	p, ok = t.occupant(home, a)
	return p, ok && p.nic.IPForwarding && t.forwards(p)
}

// sameWay: a machine that keeps state must see both directions.
func (w *walk) sameWay(seen []place, step verdict.Step) {
	want := slices.Clone(w.through)
	slices.Reverse(want)
	same := func(p, q place) bool { return p.nic.ID.Equal(q.nic.ID) }
	if slices.EqualFunc(seen, want, same) {
		return
	}
	half, firewall := "", false
	for _, pair := range [][2][]place{{want, seen}, {seen, want}} {
		for _, p := range pair[0] {
			if slices.ContainsFunc(pair[1], func(q place) bool { return same(p, q) }) {
				continue
			}
			isFirewall := w.t.firewallAt[p.nic.ID.Key()] != nil
			if half == "" || isFirewall && !firewall {
				half, firewall = p.nic.Name, isFirewall
			}
		}
	}
	if half == "" {
		return // the same machines in another order
	}
	if !firewall {
		step.Value = verdict.Unknown
		step.Reason = fmt.Sprintf("%s sees only half of the connection, and may drop it", half)
		w.add(step)
		return
	}
	step.Reason = fmt.Sprintf("%s sees only half of the connection, and drops it: the replies to %s must take the same way; give both subnets routes through it", half, w.from)
	w.parts = append(w.parts, halfSeen{step})
}
