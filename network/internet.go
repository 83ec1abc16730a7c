package network

import (
	"fmt"
	"net/netip"

	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

// toInternet takes a flow out to a public address.
func (t *Topology) toInternet(a *Answer, from place, route Route, step verdict.Step, f Flow) {
	if !isPublic(f.Destination) {
		step.Value = verdict.No
		step.Reason = fmt.Sprintf("%s leads to the internet, which has no route to the private address %s", route, f.Destination)
		a.Add(t.apart(from, step, f.Destination))
		return
	}
	a.Add(step)
	if route.NextHop == HopService {
		a.Add(verdict.Step{At: "service endpoint " + route.Name, Resource: from.subnet.ID, Value: verdict.Yes, Reason: fmt.Sprintf(
			"the service sees the private address %s of subnet %s", f.Source, from.subnet.Name)})
		a.Add(t.publicHost(f.Destination))
		return
	}
	egress, way := t.egressFor(from.nic, f.Destination)
	a.Add(way)
	if way.Value == verdict.No {
		return
	}
	f.Source = egress
	t.toPublic(a, f)
}

// egressFor is the way out to one address: the plan has no IPv6 addresses, as
// Azure has no default outbound access for it.
func (t *Topology) egressFor(n NIC, to netip.Addr) (netip.Addr, verdict.Step) {
	if to.Is6() {
		return netip.Addr{}, verdict.Step{At: "way out of " + n.Name, Resource: n.ID, Value: verdict.Unknown,
			Reason: "outbound IPv6 needs an IPv6 public address or load balancer, which are not modelled"}
	}
	return t.egress(n)
}

// toPublic ends a flow at a public address; its source, where it is known, is
// public by now.
func (t *Topology) toPublic(a *Answer, f Flow) {
	use, ours := t.publicUse[f.Destination]
	if !ours {
		a.Add(t.publicHost(f.Destination))
		return
	}
	if i, ok := t.byPublic[f.Destination]; ok {
		t.inward(a, t.place(t.NICs[i]), f)
		return
	}
	if node, ok := t.nodeBehind(use); ok {
		t.toNodes(a, use, node, f)
		return
	}
	step := verdict.Step{At: use.what, Resource: use.id, Value: verdict.No,
		Reason: fmt.Sprintf("%s accepts nothing from outside: no network interface has it", f.Destination)}
	a.Add(t.unlessAttached(use, step))
}

// unlessAttached makes a No unknown where a resource that is not modelled, as a
// load balancer, has the public address, or a NIC whose address is not known may.
func (t *Topology) unlessAttached(use publicUse, step verdict.Step) verdict.Step {
	for _, e := range t.estate.ReferencesTo(use.id) {
		r, ok := t.estate.Get(e.From)
		if ok && use.key == use.id.Key() && !r.IsType(typeNATGateway) && !r.IsType(service.TypeNetworkInterface) {
			step.Value = verdict.Unknown
			step.Reason = fmt.Sprintf("%s (%s) has this address, and what it does with traffic is not modelled", r.ID.Name(), r.Type)
		}
	}
	for _, n := range t.NICs {
		if d, unknown := firstDoubt(n.Doubts, aboutPublic, aboutConfigs); unknown && n.Kind == KindVM && use.key == use.id.Key() {
			step.Value = verdict.Unknown
			step.Reason += fmt.Sprintf(", as far as is known: %s: %s", n.Name, d.Reason)
			break
		}
	}
	return step
}

// inward takes a flow from the internet to the NIC behind a public address.
// Groups see the private address: translation comes first.
func (t *Topology) inward(a *Answer, to place, f Flow) {
	public := f.Destination
	private := to.nic.PublicTo
	if !private.IsValid() {
		a.Add(verdict.Step{At: "NIC " + to.nic.Name, Resource: to.nic.ID, Value: verdict.Unknown,
			Reason: fmt.Sprintf("the private address behind %s is not known before deployment", public)})
		return
	}
	a.Add(verdict.Step{At: "public IP address " + public.String(), Resource: t.publicUse[public].id, Value: verdict.Yes,
		Reason: fmt.Sprintf("it is translated to %s, network interface %s of %s", private, to.nic.ID.Name(), to.nic.Name)})
	f.Destination = private
	if !f.Source.IsValid() {
		a.Add(verdict.Step{At: "NIC " + to.nic.Name, Resource: to.nic.ID, Value: verdict.Unknown, Reason: "the public address of the source is not known before deployment"})
		return
	}
	if !t.pass(a, to, Inbound, f) {
		return
	}
	if back, needed := t.wayBackOut(to, f.Source); needed {
		a.Add(back)
	}
}

// wayBackOut: replies to the internet must leave the way the connection came in,
// or they arrive from another address and are lost.
func (t *Topology) wayBackOut(to place, source netip.Addr) (verdict.Step, bool) {
	route, doubts := t.lookup(to.subnet.ID, source)
	step := verdict.Step{At: "way back from subnet " + to.subnet.Name, Resource: route.Table, Value: verdict.No}
	switch {
	case len(doubts) > 0:
		step.Resource, step.Value = to.subnet.RouteTable, verdict.Unknown
		step.Reason = fmt.Sprintf("the route of the replies to %s is not certain: %s", source, doubts[0].Reason)
	case route.NextHop == HopInternet || route.NextHop == HopService:
		return step, false
	default:
		step.Reason = fmt.Sprintf("replies to %s take %s instead of the public address, and are lost; add a route for the source to Internet", source, route)
	}
	return step, true
}

// nodeBehind is a node of the cluster whose public address it is.
func (t *Topology) nodeBehind(use publicUse) (place, bool) {
	for _, n := range t.NICs {
		if n.Kind == KindCompute && n.Via == ViaCluster && n.Owner.Key() == use.key && len(n.Addrs) > 0 {
			return t.place(n), true
		}
	}
	return place{}, false
}

// toNodes: the address of a cluster's nodes is the load balancer that Azure
// Machine Learning puts before them, with a group of its own.
func (t *Topology) toNodes(a *Answer, use publicUse, to place, f Flow) {
	step := verdict.Step{At: use.what + " (managed network security group)", Resource: use.id, Value: verdict.No,
		Reason: fmt.Sprintf("Azure Machine Learning lets in TCP 44224 from AzureMachineLearning and TCP 29876-29877 from BatchNodeManagement, not %s from %s", f.service(), describe(f.Source, nil))}
	if managed(f) {
		step.Value, step.Reason = verdict.Yes, fmt.Sprintf("Azure Machine Learning lets in %s from %s to manage the nodes", f.service(), f.Source)
	}
	a.Add(step)
	if a.Value == verdict.No {
		return
	}
	f.Destination = to.nic.Addrs[0]
	if !t.pass(a, to, Inbound, f) {
		return
	}
	if back, needed := t.wayBackOut(to, f.Source); needed {
		a.Add(back)
	}
}

func managed(f Flow) bool {
	from := func(tag string) bool {
		prefixes, _ := service.Tag(tag)
		return contains(prefixes, f.Source)
	}
	return f.Protocol == TCP && (f.Port == 44224 && from("AzureMachineLearning") || f.Port >= 29876 && f.Port <= 29877 && from("BatchNodeManagement"))
}

// publicHost is the end of a path on the internet.
func (t *Topology) publicHost(to netip.Addr) verdict.Step {
	step := verdict.Step{At: "internet", Value: verdict.Yes, Reason: to.String() + " is an address of the internet"}
	if cloud, _ := service.Tag("AzureCloud"); contains(cloud, to) {
		step.Reason = to.String() + " is a public address of an Azure service, whose own firewall decides next"
	}
	if service.Customer.Contains(to) {
		step.Value, step.Reason = verdict.No, fmt.Sprintf("no resource of the estate has the public address %s", to)
	}
	return step
}

// reachFromOutside follows a flow that starts in no network of the estate.
func (t *Topology) reachFromOutside(f Flow) Answer {
	var a Answer
	switch {
	case f.Source == service.WireServer:
		t.fromPlatform(&a, f)
	case !isPublic(f.Source):
		a.Add(t.unlessHidden(verdict.Step{At: "source " + f.Source.String(), Value: verdict.No,
			Reason: fmt.Sprintf("no network of the estate has the private address %s", f.Source)}, f.Source))
	case t.inSpace(f.Destination) || !isPublic(f.Destination):
		a.Add(verdict.Step{At: "internet", Value: verdict.No,
			Reason: fmt.Sprintf("%s is a private address: the internet has no route to it", f.Destination)})
	default:
		t.toPublic(&a, f)
	}
	return a
}

// fromPlatform is a health probe, which groups do filter.
func (t *Topology) fromPlatform(a *Answer, f Flow) {
	if i := t.byAddr[f.Destination]; len(i) > 0 {
		t.pass(a, t.place(t.NICs[i[0]]), Inbound, f)
		return
	}
	a.Add(t.unlessHidden(verdict.Step{At: "destination " + f.Destination.String(), Value: verdict.No,
		Reason: "no network interface of the estate has the address " + f.Destination.String()}, f.Destination))
}

// inSpace reports whether an address belongs to a network's own space, even if
// it is one of the internet's.
func (t *Topology) inSpace(a netip.Addr) bool {
	for _, v := range t.VNets {
		if contains(v.AddressSpace, a) {
			return true
		}
	}
	return false
}
