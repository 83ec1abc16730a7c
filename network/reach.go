package network

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

// Reach says whether the packets of a flow arrive, step by step: the source's
// network security groups, the route, the way out to the internet, the
// destination's groups, and the way back. What the service at the destination
// then makes of the caller is [Admit]'s to say.
func (t *Topology) Reach(f Flow) Answer {
	f.Source, f.Destination = f.Source.Unmap(), f.Destination.Unmap()
	for _, end := range []struct {
		what string
		addr netip.Addr
	}{{"source", f.Source}, {"destination", f.Destination}} {
		if !end.addr.IsValid() {
			return answer(verdict.Step{At: end.what, Value: verdict.Unknown, Reason: "the flow has no " + end.what + " address: none is known before deployment"})
		}
	}
	origins := t.places(f.Source)
	if len(origins) == 0 {
		return t.reachFromOutside(f)
	}
	first := t.reachFrom(origins[0], f)
	for _, o := range origins[1:] {
		if other := t.reachFrom(o, f); other.Value != first.Value {
			return answer(verdict.Step{At: "source " + f.Source.String(), Value: verdict.Unknown, Reason: fmt.Sprintf(
				"both %s (%s) and %s (%s) have the address %s, and the answer differs; renumber one of their networks",
				origins[0].nic.Name, origins[0].vnet.Name, o.nic.Name, o.vnet.Name, f.Source)})
		}
	}
	return first
}

// place is where an address is: a NIC in a subnet of a network.
type place struct {
	nic    NIC
	subnet Subnet
	vnet   VNet
	free   bool // no NIC of the estate has the address
}

func (t *Topology) place(n NIC) place {
	s, _ := t.Subnet(n.Subnet)
	v, _ := t.VNet(s.VNet)
	return place{nic: n, subnet: s, vnet: v}
}

// places are all places that have an address. An address of a subnet that no NIC
// of the estate has is a place too: a bastion host or a gateway may be there.
func (t *Topology) places(a netip.Addr) []place {
	var out []place
	for _, i := range t.byAddr[a] {
		out = append(out, t.place(t.NICs[i]))
	}
	if len(out) > 0 {
		return out
	}
	for _, s := range t.Subnets {
		if contains(s.Prefixes, a) {
			p := t.place(NIC{Name: a.String(), Kind: KindVM, Subnet: s.ID, Addrs: []netip.Addr{a}, Via: ViaDefault})
			p.free = true
			out = append(out, p)
		}
	}
	return out
}

// reachFrom follows a flow that starts inside a network.
func (t *Topology) reachFrom(from place, f Flow) Answer {
	var a Answer
	if !t.leave(&a, from, f) {
		return a
	}
	if f.Destination == service.WireServer || f.Destination == service.Metadata {
		t.platform(&a, from, f)
		return a
	}
	if slices.Contains(from.nic.Addrs, f.Destination) {
		a.Add(verdict.Step{At: "NIC " + from.nic.Name, Resource: from.nic.ID, Value: verdict.Yes, Reason: f.Destination.String() + " is its own address"})
		return a
	}
	if t.pass(&a, from, Outbound, f) {
		t.follow(&a, from, f)
	}
	return a
}

// pass takes a flow through the groups of a place. It reports whether the flow
// may go on: a path ends where packets are certain to be dropped.
func (t *Topology) pass(a *Answer, p place, d Direction, f Flow) bool {
	if step, nowhere := homeless(p); nowhere {
		a.Add(step)
		return false
	}
	filters := t.filters(p.nic, d)
	for _, filter := range filters {
		a.Add(filter.Decide(f))
		if a.Value == verdict.No {
			return false
		}
	}
	if len(filters) == 0 {
		a.Add(unfiltered(p, d))
	}
	return true
}

// leave adds what keeps a place from starting a connection at all.
func (t *Topology) leave(a *Answer, from place, f Flow) bool {
	homeless, nowhere := homeless(from)
	switch {
	case nowhere:
		a.Add(homeless)
	case from.nic.Kind == KindPrivateEndpoint:
		a.Add(verdict.Step{At: "private endpoint " + from.nic.Name, Resource: from.nic.ID, Value: verdict.No, Reason: "a private endpoint accepts connections and starts none"})
	case from.free && slices.ContainsFunc(t.unplaced, func(d Doubt) bool { return d.concerns(f.Source) }):
		step := verdict.Step{At: "source " + f.Source.String(), Resource: from.subnet.ID, Value: verdict.No, Reason: "no network interface has this address"}
		a.Add(t.unlessHidden(step, f.Source))
	case from.free:
		a.Add(verdict.Step{At: "source " + f.Source.String(), Resource: from.subnet.ID, Value: verdict.Yes, Reason: fmt.Sprintf(
			"no network interface of the estate has this address; taken as a machine in subnet %s of %s", from.subnet.Name, from.vnet.Name)})
		return true
	default:
		return true
	}
	return false
}

// homeless is the step at a NIC of which it is not known in which network it is.
func homeless(p place) (verdict.Step, bool) {
	step := verdict.Step{At: "NIC " + p.nic.Name, Resource: p.nic.ID, Value: verdict.Unknown}
	switch d, unknown := p.nic.Doubts.About(aboutSubnet); {
	case p.subnet.ID == "" && unknown:
		step.Reason = d.Reason
	case p.subnet.ID == "":
		step.Reason = p.nic.Name + " is in no subnet of the estate"
	case p.vnet.ID == "":
		step.Reason = fmt.Sprintf("the virtual network of subnet %s is not in the estate", p.subnet.Name)
	default:
		return step, false
	}
	return step, true
}

// unfiltered is the step that says that no group stands in the way.
func unfiltered(p place, d Direction) verdict.Step {
	step := verdict.Step{At: fmt.Sprintf("%s (%s)", p.nic.Name, lower(d)), Resource: p.nic.ID, Value: verdict.Yes}
	step.Reason = fmt.Sprintf("neither its network interface nor subnet %s has a network security group: everything passes", p.subnet.Name)
	if p.nic.Kind == KindPrivateEndpoint {
		step.Reason = fmt.Sprintf("network security groups do not filter private endpoints in subnet %s (privateEndpointNetworkPolicies)", p.subnet.Name)
		if p.subnet.NSG == "" {
			step.Reason = fmt.Sprintf("subnet %s has no network security group: everything passes", p.subnet.Name)
		}
	}
	return step
}

// follow takes a flow along the route that its subnet has for it.
func (t *Topology) follow(a *Answer, from place, f Flow) {
	route, doubts := t.lookup(from.subnet.ID, f.Destination)
	step := verdict.Step{At: "route " + route.Prefix.String(), Resource: route.Table, Value: verdict.Yes,
		Reason: fmt.Sprintf("subnet %s has %s for %s", from.subnet.Name, route, f.Destination)}
	if len(doubts) > 0 {
		a.Add(verdict.Step{At: "routes of subnet " + from.subnet.Name, Resource: from.subnet.RouteTable, Value: verdict.Unknown,
			Reason: fmt.Sprintf("the route to %s is not certain: %s", f.Destination, doubts[0].Reason)})
		return
	}
	switch route.NextHop {
	case HopVNetLocal, HopPeering, HopEndpoint:
		t.deliver(a, from, route, step, f)
	case HopInternet, HopService:
		t.toInternet(a, from, route, step, f)
	case HopAppliance:
		a.Add(step)
		a.Add(t.appliance(from, route))
	case HopGateway:
		a.Add(step)
		a.Add(t.gateway(from))
	default:
		a.Add(t.nowhere(from, route, step, f.Destination))
	}
}

// deliver ends a path at the NIC that a private route leads to.
func (t *Topology) deliver(a *Answer, from place, route Route, step verdict.Step, f Flow) {
	home := from.vnet.ID
	if route.Peer != "" {
		home = route.Peer
		if p, ok := from.vnet.link(home); ok {
			step.Resource = p.ID
		}
	}
	a.Add(step)
	to, ok := t.occupant(home, f.Destination)
	if !ok {
		a.Add(t.vacant(home, f.Destination))
		return
	}
	if !t.pass(a, to, Inbound, f) {
		return
	}
	if to.nic.Kind == KindPrivateEndpoint {
		a.Add(t.approval(to.nic))
		return
	}
	if back, needed := t.wayBack(from, to, f); needed {
		a.Add(back)
	}
}

// occupant is the NIC that has an address in a network.
func (t *Topology) occupant(vnet arm.ID, a netip.Addr) (place, bool) {
	for _, i := range t.byAddr[a] {
		if p := t.place(t.NICs[i]); p.vnet.ID.Equal(vnet) {
			return p, true
		}
	}
	return place{}, false
}

// vacant is the end of a path at an address that no NIC is known to have.
func (t *Topology) vacant(vnet arm.ID, a netip.Addr) verdict.Step {
	step := verdict.Step{At: "destination " + a.String(), Resource: vnet, Value: verdict.No,
		Reason: fmt.Sprintf("nothing in %s has the address %s", vnet.Name(), a)}
	return t.unlessHidden(step, a)
}

// unlessHidden makes a No unknown where the address may belong to something
// whose address is not known.
func (t *Topology) unlessHidden(step verdict.Step, a netip.Addr) verdict.Step {
	for _, d := range slices.Concat(t.unplaced, t.modelless) {
		if d.concerns(a) {
			step.Value = verdict.Unknown
			step.Reason += ", as far as is known: " + d.Reason
			break
		}
	}
	return step
}

// approval: only an approved connection carries traffic.
func (t *Topology) approval(n NIC) verdict.Step {
	step := verdict.Step{At: "private endpoint " + n.Name, Resource: n.ID, Value: verdict.Yes}
	if d, unknown := firstDoubt(n.Doubts, aboutApproval, aboutTarget); unknown {
		step.Value, step.Reason = verdict.Unknown, d.Reason
		return step
	}
	if !n.Approved {
		step.Value = verdict.No
		step.Reason = fmt.Sprintf("its connection to %s is not approved, and only an approved connection carries traffic; let the owner of %s approve it", n.Target.Name(), n.Target.Name())
		return step
	}
	step.Reason = fmt.Sprintf("its connection to %s (%s) is approved", n.Target.Name(), n.Group)
	return step
}

// wayBack looks at the destination's routes: replies need no rule, but a route.
// Those of a private endpoint do not follow its subnet's routes.
func (t *Topology) wayBack(from, to place, f Flow) (verdict.Step, bool) {
	route, doubts := t.lookup(to.subnet.ID, f.Source)
	step := verdict.Step{At: "way back from subnet " + to.subnet.Name, Resource: route.Table, Value: verdict.No}
	switch {
	case len(doubts) > 0:
		step.Resource, step.Value = to.subnet.RouteTable, verdict.Unknown
		step.Reason = fmt.Sprintf("the route of the replies to %s is not certain: %s", f.Source, doubts[0].Reason)
	case route.NextHop == HopVNetLocal && to.vnet.ID.Equal(from.vnet.ID), route.NextHop == HopPeering && route.Peer.Equal(from.vnet.ID):
		return step, false
	case route.NextHop == HopAppliance:
		step.Value = verdict.Unknown
		step.Reason = fmt.Sprintf("replies take %s: the appliance sees only half of the connection, and may drop it", route)
	case route.NextHop == HopGateway:
		step.Value = verdict.Unknown
		step.Reason = fmt.Sprintf("replies take %s, and where the gateway sends them is not known", route)
	default:
		step.Reason = fmt.Sprintf("replies to %s take %s and are lost", f.Source, route)
	}
	return step, true
}
