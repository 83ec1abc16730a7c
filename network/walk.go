package network

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

// walk is a path in the making.
type walk struct {
	t        *Topology
	from, to netip.Addr // of the packet as it is now
	origin   place      // where its source address is at home
	site     *Site      // ... unless that is on the premises
	outside  bool       // ... or on the internet
	// through are the machines that keep state of the connection, since it has
	// its source address.
	through []place
	parts   []part
	over    bool
	joins   int    // how often gateways have taken the packets to another network
	reached arm.ID // whose groups were asked last
}

// add appends a step, and reports whether the path goes on.
func (w *walk) add(s verdict.Step) bool {
	if w.over {
		return false
	}
	w.parts = append(w.parts, fixed(s))
	w.over = s.Value == verdict.No
	return !w.over
}

// end appends the last step.
func (w *walk) end(s verdict.Step) {
	w.add(s)
	w.over = true
}

// branch is the same walk, whose parts are its own from here on.
func (w *walk) branch() *walk {
	c := *w
	c.parts, c.through = nil, slices.Clone(w.through)
	return &c
}

// walkFrom is the path of packets that start inside a network.
func (t *Topology) walkFrom(from place, src, dst netip.Addr) *walk {
	w := &walk{t: t, from: src, to: dst, origin: from}
	if !w.leave() {
		return w
	}
	if dst == service.WireServer || dst == service.Metadata {
		w.parts = append(w.parts, platformPart{t, from, src, dst})
		return w
	}
	if slices.Contains(from.nic.Addrs, dst) {
		w.end(verdict.Step{At: "NIC " + from.nic.Name, Resource: from.nic.ID, Value: verdict.Yes, Reason: dst.String() + " is its own address"})
		return w
	}
	if d, hidden := firstDoubt(from.nic.Doubts, aboutAddr, aboutConfigs); hidden && contains(from.subnet.Prefixes, dst) {
		if _, taken := t.occupant(from.vnet.ID, dst); !taken {
			w.end(verdict.Step{At: "NIC " + from.nic.Name, Resource: from.nic.ID, Value: verdict.Unknown,
				Reason: fmt.Sprintf("whether %s is its own address is not certain: %s", dst, d.Reason)})
			return w
		}
	}
	if w.pass(from, Outbound) {
		w.follow(from)
	}
	return w
}

// leave adds what keeps a place from starting a connection at all.
func (w *walk) leave() bool {
	from := w.origin
	homeless, nowhere := homeless(from)
	switch {
	case nowhere:
		w.end(homeless)
	case from.nic.Kind == KindPrivateEndpoint:
		w.end(verdict.Step{At: "private endpoint " + from.nic.Name, Resource: from.nic.ID, Value: verdict.No, Reason: "a private endpoint accepts connections and starts none"})
	case from.free && slices.ContainsFunc(w.t.unplaced, func(d Doubt) bool { return d.concerns(w.from) }):
		step := verdict.Step{At: "source " + w.from.String(), Resource: from.subnet.ID, Value: verdict.No, Reason: "no network interface has this address"}
		w.end(w.t.unlessHidden(step, w.from))
	case from.free:
		return w.add(verdict.Step{At: "source " + w.from.String(), Resource: from.subnet.ID, Value: verdict.Yes, Reason: fmt.Sprintf(
			"no network interface of the estate has this address; taken as a machine in subnet %s of %s", from.subnet.Name, from.vnet.Name)})
	}
	return !w.over
}

// pass takes packets through the groups of a place.
func (w *walk) pass(p place, d Direction) bool {
	if step, nowhere := homeless(p); nowhere {
		w.end(step)
		return false
	}
	filters := w.t.filters(p.nic, d)
	admin := w.t.adminFilter(p, d)
	g := groups{admin: admin, filters: filters, from: w.from, to: w.to, nic: p.nic.ID, direction: d}
	if len(filters) == 0 && admin == nil {
		g.open = unfiltered(p, d)
	}
	w.parts = append(w.parts, g)
	return true
}

// follow takes packets along the route that a subnet has for them.
func (w *walk) follow(at place) {
	route, doubts := w.t.lookup(at.subnet.ID, w.to)
	step := verdict.Step{At: "route " + route.Prefix.String(), Resource: route.Table, Part: route.Part, Value: verdict.Yes,
		Reason: fmt.Sprintf("subnet %s has %s for %s", at.subnet.Name, route, w.to)}
	if len(doubts) > 0 {
		w.end(verdict.Step{At: "routes of subnet " + at.subnet.Name, Resource: at.subnet.RouteTable, Value: verdict.Unknown,
			Reason: fmt.Sprintf("the route to %s is not certain: %s", w.to, doubts[0].Reason)})
		return
	}
	switch route.NextHop {
	case HopVNetLocal, HopPeering, HopEndpoint:
		w.deliver(at, route, step)
	case HopInternet, HopService:
		w.toInternet(at, route, step)
	case HopAppliance:
		w.add(step)
		if home, ok := w.t.directly(at.vnet, route.Address); ok && route.Address == w.to {
			if w.cross(at.vnet, home, w.from) { // the next hop is where they go
				w.arrive(home)
			}
			return
		}
		w.forward(at, route)
	case HopGateway:
		w.add(step)
		w.toGateway(at)
	default:
		w.end(w.t.nowhere(at, route, step, w.to))
	}
}

// deliver ends a path at what a private route leads to.
func (w *walk) deliver(at place, route Route, step verdict.Step) {
	home := at.vnet.ID
	if route.Peer != "" {
		home = route.Peer
		if p, ok := at.vnet.link(home); ok {
			step.Resource, step.Part = p.ID, ""
		}
	}
	w.add(step)
	if w.cross(at.vnet, home, w.from) {
		w.arrive(home)
	}
}

// arrive is at what has the destination address in a network.
func (w *walk) arrive(home arm.ID) {
	if fw, ok := w.t.firewallIn(home, w.to); ok {
		w.toFirewall(fw)
		return
	}
	if fe, ok := w.t.frontendIn(home, w.to); ok {
		w.toBalancer(fe)
		return
	}
	to, ok := w.t.occupant(home, w.to)
	if !ok {
		w.end(w.t.vacant(home, w.to))
		return
	}
	w.into(to)
}

// into is the last part of a path within networks.
func (w *walk) into(to place) {
	if !w.pass(to, Inbound) {
		return
	}
	w.reached = to.nic.ID
	if to.nic.Kind == KindPrivateEndpoint {
		w.throughEndpoint(to)
		return
	}
	w.back(to)
}

// cross notes what may drop packets on a peering: those that did not start in
// the network from which they come.
func (w *walk) cross(from VNet, home arm.ID, src netip.Addr) bool {
	if home.Equal(from.ID) || contains(from.AddressSpace, src) || w.site != nil && w.site.serves(from.ID) {
		return true
	}
	remote, _ := w.t.VNet(home)
	link, ok := remote.link(from.ID)
	if !ok {
		return true // the other half is in another estate
	}
	step := verdict.Step{At: "peering " + link.ID.Name() + " of " + remote.Name, Resource: link.ID, Value: verdict.Unknown}
	if d, unknown := link.Doubts.About(aboutForwarded); unknown {
		step.Reason = d.Reason
		return w.add(step)
	}
	if link.AllowForwarded {
		return true
	}
	step.Reason = fmt.Sprintf("packets from %s did not start in %s, and allowForwardedTraffic is false in %s: Azure does not guarantee that they arrive", src, from.Name, remote.Name)
	step.Value = w.t.settings.DroppedIfNotForwarded.not()
	return w.add(step)
}
