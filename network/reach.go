package network

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/cloister-ml/cloister/arm"
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
		var a Answer
		along(&a, t.walkFromOutside(f.Source, f.Destination).parts, f)
		return a
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
	along(&a, t.walkFrom(from, f.Source, f.Destination).parts, f)
	return a
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
	if _, ok := t.VNet(vnet); !ok {
		step.Value, step.Reason = verdict.Unknown, fmt.Sprintf("what has the address %s in %s is not known: %s", a, vnet.Name(), notInEstate(vnet))
		return step
	}
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
