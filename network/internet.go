package network

import (
	"fmt"
	"net/netip"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

// toInternet takes packets out to a public address.
func (w *walk) toInternet(at place, route Route, step verdict.Step) {
	if w.site != nil {
		step.Value, step.Reason = verdict.No, fmt.Sprintf("%s, but a gateway takes nothing from the premises to the internet", step.Reason)
		w.end(step)
		return
	}
	if !isPublic(w.to) {
		step.Value = verdict.No
		step.Reason = fmt.Sprintf("%s leads to the internet, which has no route to the private address %s", route, w.to)
		w.end(w.t.apart(at, step, w.to))
		return
	}
	if !contains(at.nic.prefixes(), w.from) {
		w.add(step)
		w.end(verdict.Step{At: "way out of " + at.nic.Name, Resource: at.nic.ID, Value: verdict.Unknown, Reason: fmt.Sprintf(
			"Azure translates only addresses of %s itself, and whether it translates %s is decided by its own configuration", at.nic.Name, w.from)})
		return
	}
	if route.NextHop == HopService {
		w.add(step)
		w.add(verdict.Step{At: "service endpoint " + route.Name, Resource: at.subnet.ID, Value: verdict.Yes, Reason: fmt.Sprintf(
			"the service sees the private address %s of subnet %s", w.from, at.subnet.Name)})
		w.parts = append(w.parts, exit{addr: w.from, subnet: at.subnet.ID})
		w.end(w.t.publicHost(w.to))
		return
	}
	w.out(at.nic, step)
}

// prefixes are a NIC's own addresses.
func (n NIC) prefixes() []netip.Prefix {
	out := make([]netip.Prefix, len(n.Addrs))
	for i, a := range n.Addrs {
		out[i] = single(a)
	}
	return out
}

// toPublic ends a path at a public address; its source, where it is known, is
// public by now.
func (w *walk) toPublic() {
	t := w.t
	use, ours := t.publicUse[w.to]
	if !ours {
		w.end(t.publicHost(w.to))
		return
	}
	if i, ok := t.byPublic[w.to]; ok {
		w.inward(t.place(t.NICs[i]))
		return
	}
	if fw, ok := t.firewallWith(use.id); ok && use.key == use.id.Key() {
		if w.fromKnown(fw.Name, fw.ID) {
			w.translated(fw, verdict.Step{At: use.what + " of Azure Firewall " + fw.Name, Resource: fw.ID})
		}
		return
	}
	if fe, ok := t.frontendWith(use.id); ok && use.key == use.id.Key() {
		if w.fromKnown(fe.balancer.Name, fe.balancer.ID) {
			w.toBalancer(fe)
		}
		return
	}
	if node, ok := t.nodeBehind(use); ok {
		w.toNodes(use, node)
		return
	}
	step := verdict.Step{At: use.what, Resource: use.id, Value: verdict.No,
		Reason: fmt.Sprintf("%s accepts nothing from outside: no network interface has it", w.to)}
	w.end(t.unlessAttached(use, step))
}

// unlessAttached makes a No unknown where a resource that is not modelled has the
// public address, or a NIC whose address is not known may.
func (t *Topology) unlessAttached(use publicUse, step verdict.Step) verdict.Step {
	for _, e := range t.estate.ReferencesTo(use.id) {
		r, ok := t.estate.Get(e.From)
		if ok && use.key == use.id.Key() && !r.IsType(typeNATGateway) && !r.IsType(service.TypeNetworkInterface) {
			step.Value = verdict.Unknown
			step.Reason = fmt.Sprintf("%s (%s) has this address, and what it does with traffic is not modelled", r.ID.Name(), r.Type)
		}
	}
	for _, fw := range t.Firewalls {
		if len(fw.Doubts) > 0 {
			step.Value = verdict.Unknown
			step.Reason += ", as far as is known: " + fw.Doubts[0].Reason
			return step
		}
	}
	for _, lb := range t.Balancers {
		if len(lb.Doubts) > 0 {
			step.Value = verdict.Unknown
			step.Reason += ", as far as is known: " + lb.Doubts[0].Reason
			return step
		}
	}
	if len(t.publicDoubts) > 0 && use.key == use.id.Key() {
		step.Value = verdict.Unknown
		step.Reason += ", as far as is known: " + t.publicDoubts[0].Reason
	}
	return step
}

// inward takes packets from the internet to the NIC behind a public address.
// Groups see the private address: translation comes first.
func (w *walk) inward(to place) {
	public := w.to
	_, private := to.nic.public(public)
	if !private.IsValid() {
		w.end(verdict.Step{At: "NIC " + to.nic.Name, Resource: to.nic.ID, Value: verdict.Unknown,
			Reason: fmt.Sprintf("the private address behind %s is not known before deployment", public)})
		return
	}
	w.add(verdict.Step{At: "public IP address " + public.String(), Resource: w.t.publicUse[public].id, Value: verdict.Yes,
		Reason: fmt.Sprintf("it is translated to %s, network interface %s of %s", private, to.nic.ID.Name(), to.nic.Name)})
	w.to = private
	if w.fromKnown(to.nic.Name, to.nic.ID) && w.pass(to, Inbound) {
		w.back(to)
	}
}

// fromKnown ends a path whose source address is not known, where that matters.
func (w *walk) fromKnown(name string, id arm.ID) bool {
	if w.from.IsValid() {
		return true
	}
	w.end(verdict.Step{At: "NIC " + name, Resource: id, Value: verdict.Unknown, Reason: "the public address of the source is not known before deployment"})
	return false
}

// wayBackOut: replies to the internet must leave the way the connection came in,
// or they arrive from another address and are lost.
func (t *Topology) wayBackOut(to place, source netip.Addr) (verdict.Step, bool) {
	route, doubts := t.lookup(to.subnet.ID, source)
	step := verdict.Step{At: "way back from subnet " + to.subnet.Name, Resource: route.Table, Part: route.Part, Value: verdict.No}
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
	if i, ok := t.nodes[use.key]; ok {
		return t.place(t.NICs[i]), true
	}
	return place{}, false
}

// toNodes: the address of a cluster's nodes is the load balancer that Azure
// Machine Learning puts before them, with a group of its own.
func (w *walk) toNodes(use publicUse, to place) {
	w.parts = append(w.parts, managedPart{use: use, from: w.from})
	w.to = to.nic.Addrs[0]
	if w.fromKnown(to.nic.Name, to.nic.ID) && w.pass(to, Inbound) {
		w.back(to)
	}
}

// managedPart is the security group that Azure Machine Learning keeps itself.
type managedPart struct {
	use  publicUse
	from netip.Addr
}

func (m managedPart) follow(a *Answer, f Flow) {
	f.Source = m.from
	step := verdict.Step{At: m.use.what + " (managed network security group)", Resource: m.use.id, Value: verdict.No,
		Reason: fmt.Sprintf("Azure Machine Learning lets in TCP 44224 from AzureMachineLearning and TCP 29876-29877 from BatchNodeManagement, not %s from %s", f.service(), describe(f.Source, nil))}
	if managed(f) {
		step.Value, step.Reason = verdict.Yes, fmt.Sprintf("Azure Machine Learning lets in %s from %s to manage the nodes", f.service(), f.Source)
	}
	a.Add(step)
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
	if service.Customer.Contains(to) || service.Customer6.Contains(to) {
		step.Value, step.Reason = verdict.No, fmt.Sprintf("no resource of the estate has the public address %s", to)
	}
	return step
}

// walkFromOutside is the path of packets that start in no network of the estate.
func (t *Topology) walkFromOutside(src, dst netip.Addr) *walk {
	w := &walk{t: t, from: src, to: dst, outside: true}
	if site, ok := t.siteWith(src); ok {
		w.fromSite(site)
		return w
	}
	if peers := t.elsewhere(src); len(peers) > 0 {
		w.fromElsewhere(peers)
		return w
	}
	switch {
	case src == service.WireServer:
		w.fromPlatform()
	case !isPublic(src):
		w.end(t.unlessLearnt(verdict.Step{At: "source " + src.String(), Value: verdict.No,
			Reason: fmt.Sprintf("no network of the estate has the private address %s", src)}, src))
	case t.inSpace(dst) || !isPublic(dst):
		w.end(verdict.Step{At: "internet", Value: verdict.No,
			Reason: fmt.Sprintf("%s is a private address: the internet has no route to it", dst)})
	default:
		w.toPublic()
	}
	return w
}

// fromPlatform is a health probe, which groups do filter.
func (w *walk) fromPlatform() {
	if i := w.t.byAddr[w.to]; len(i) > 0 {
		w.pass(w.t.place(w.t.NICs[i[0]]), Inbound)
		return
	}
	w.end(w.t.unlessHidden(verdict.Step{At: "destination " + w.to.String(), Value: verdict.No,
		Reason: "no network interface of the estate has the address " + w.to.String()}, w.to))
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
