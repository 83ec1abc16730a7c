package network

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/verdict"
)

// mostHops bounds how many machines may forward a packet: beyond it goes in a circle.
const mostHops = 16

// forward takes packets to the virtual appliance that a route names: an Azure
// Firewall, a load balancer before appliances, or a machine that forwards.
func (w *walk) forward(at place, r Route) {
	home, ok := w.t.directly(at.vnet, r.Address)
	if !ok {
		w.end(verdict.Step{At: "virtual appliance " + r.Address.String(), Resource: r.Table, Part: r.Part, Value: verdict.Unknown,
			Reason: fmt.Sprintf("neither %s nor a network peered with it holds %s: Azure takes no notice of such a next hop; name one that is directly reachable", at.vnet.Name, r.Address)})
		return
	}
	if w.cross(at.vnet, home, w.from) {
		w.relay(home, r)
	}
}

// relay takes packets through what has the next hop's address in a network.
func (w *walk) relay(home arm.ID, r Route) {
	if fw, ok := w.t.firewallIn(home, r.Address); ok {
		w.throughFirewall(fw)
		return
	}
	if fe, ok := w.t.frontendIn(home, r.Address); ok {
		w.throughBalancer(fe)
		return
	}
	if _, ok := w.t.VNet(home); !ok {
		w.end(verdict.Step{At: "virtual appliance " + r.Address.String(), Resource: r.Table, Value: verdict.Unknown,
			Reason: fmt.Sprintf("what %s forwards is not known: %s", r.Address, notInEstate(home))})
		return
	}
	to, ok := w.t.occupant(home, r.Address)
	if !ok {
		w.end(w.t.unlessHidden(verdict.Step{At: "virtual appliance " + r.Address.String(), Resource: r.Table, Part: r.Part, Value: verdict.No,
			Reason: fmt.Sprintf("route %s sends the packets to %s, which nothing in %s has", r.Name, r.Address, home.Name())}, r.Address))
		return
	}
	w.throughMachine(to, r.Address)
}

// circles ends a path that comes to a machine twice.
func (w *walk) circles(p place) bool {
	again := p.nic.ID != "" && p.nic.ID.Equal(w.origin.nic.ID) && w.site == nil && !w.outside
	for _, q := range w.through {
		again = again || q.nic.ID.Equal(p.nic.ID)
	}
	if again || len(w.through) > mostHops {
		w.end(verdict.Step{At: p.nic.Name, Resource: p.nic.ID, Value: verdict.No,
			Reason: fmt.Sprintf("the packets come to %s again: the routes lead in a circle", p.nic.Name)})
		return true
	}
	return false
}

// throughMachine: what a machine forwards is decided on it and not in the
// documents; whether its network interface lets it is.
func (w *walk) throughMachine(p place, a netip.Addr) {
	step := verdict.Step{At: "virtual appliance " + a.String(), Resource: p.nic.ID, Value: verdict.Unknown}
	forwarding, unknown := p.nic.Doubts.About(aboutForward)
	switch {
	case unknown:
		step.Reason = forwarding.Reason
		w.end(step)
		return
	case !p.nic.IPForwarding:
		step.Value = verdict.No
		step.Reason = fmt.Sprintf("network interface %s of %s drops what is not for itself: enable IP forwarding on it", p.nic.ID.Name(), p.nic.Name)
		w.end(step)
		return
	}
	if slices.Contains(p.nic.Addrs, w.to) { // another address of its own: they are there
		w.into(p)
		return
	}
	if w.circles(p) || !w.pass(p, Inbound) {
		return
	}
	if !w.t.forwards(p) {
		step.Reason = fmt.Sprintf("what %s forwards is decided by its own configuration, which no document holds", p.nic.Name)
		if w.t.settings.AppliancesForward == NotSo {
			step.Value, step.Reason = verdict.No, fmt.Sprintf("%s is taken to forward nothing (a setting)", p.nic.Name)
		}
		w.end(step)
		return
	}
	step.Value, step.Reason = verdict.Yes, fmt.Sprintf("%s is taken to forward what reaches it (a setting)", p.nic.Name)
	if !w.add(step) {
		return
	}
	w.through = append(w.through, p)
	if w.pass(p, Outbound) {
		w.follow(p)
	}
}

// forwards reports whether a machine is taken to forward: one with several
// network interfaces chooses among them by routes of its own.
func (t *Topology) forwards(p place) bool {
	return t.settings.AppliancesForward == IsSo && t.interfaces[p.nic.Owner.Key()] < 2
}

// throughFirewall takes packets through the rules of an Azure Firewall, and on
// from its subnet. An application rule is a proxy: packets go on from the
// firewall itself.
func (w *walk) throughFirewall(fw *Firewall) {
	p := w.t.firewallPlace(fw)
	if step, unusable := fw.unusable(); unusable {
		w.end(step)
		return
	}
	if w.circles(p) {
		return
	}
	network, application := w.allowed(p, fw.translates(w.to)), w.branch()
	if fw.Learns && fw.translates(w.to) {
		network = []part{spread{ways: [][]part{network, w.allowed(p, false)}, step: verdict.Step{At: p.nic.Name, Resource: fw.ID, Value: verdict.Yes,
			Reason: fmt.Sprintf("whether it translates the source towards %s hangs on what it has learned from the route server", w.to)}}}
	}
	if fw.hasApplicationRules() {
		application.become(p)
		if !application.over {
			application.follow(p)
		}
	}
	w.parts = append(w.parts, firewallPart{fw: fw, from: w.from, to: w.to, network: network, application: application.parts})
	w.over = true
}

// allowed is the way of packets that network rules of a firewall allow: with its own
// address as their source, or with the one that they have.
func (w *walk) allowed(p place, translated bool) []part {
	on := w.branch()
	if translated {
		on.become(p)
	} else {
		on.through = append(on.through, p)
	}
	if !on.over {
		on.follow(p)
	}
	return on.parts
}

// become makes a machine the source of the packets: it translates their address.
// The replies must find the way back to the old source from there.
func (w *walk) become(p place) {
	if reason := w.t.unsure(w.t.firewallAt[p.nic.ID.Key()]); reason != "" {
		w.end(verdict.Step{At: p.nic.Name, Resource: p.nic.ID, Value: verdict.Unknown, Reason: reason})
		return
	}
	w.backFrom(p, p.nic.Addrs[0])
	w.through, w.origin, w.site, w.outside = nil, p, nil, false
	w.from = p.nic.Addrs[0]
	w.parts = append(w.parts, exit{addr: w.from})
}

// toFirewall ends at the firewall's own address, where it answers names if it
// is a DNS proxy and has rules that translate destinations.
func (w *walk) toFirewall(fw *Firewall) {
	w.translated(fw, verdict.Step{At: "Azure Firewall " + fw.Name, Resource: fw.ID})
}

// translated forks on the rules that translate destinations. What they take is let
// through: network rules, those that deny too, are not asked. Microsoft's pages until
// 2020 said that a network rule that denies overrides them; the newest say the contrary.
//
// Source: Microsoft Learn, "Azure Firewall rule processing logic" (DNAT rules and
// network rules), of 23 March 2026.
func (w *walk) translated(fw *Firewall, step verdict.Step) {
	if s, unusable := fw.unusable(); unusable {
		w.end(s)
		return
	}
	p := w.t.firewallPlace(fw)
	var k fork
	private := w.to == fw.Private
	if private && fw.DNSProxy {
		answers := dnsBranch(fw, step)
		inner := w.branch()
		inner.back(p)
		answers.parts = inner.parts
		k.branches = append(k.branches, answers)
	}
	from, to := w.from, w.to
	for _, r := range fw.nat {
		b := branch{when: r.whenAt(from, to), space: r.spaceAt(from, to), port: r.port, step: step, addressed: true}
		b.step.Value, b.step.Reason = verdict.Yes, fmt.Sprintf("%s translates the destination to %s", r.title(), r.address)
		inner := w.branch()
		inner.to = r.address
		inner.become(p)
		if !inner.over {
			inner.follow(p)
		}
		b.parts = inner.parts
		k.branches = append(k.branches, b)
	}
	k.branches = firstOnly(k.branches)
	k.none = func(f Flow) verdict.Step {
		s := step
		s.Value, s.Reason = verdict.No, fmt.Sprintf("no rule of %s translates %s to %s, and the firewall itself does not answer it", fw.Name, f.service(), to)
		return s
	}
	w.parts = append(w.parts, k)
	w.over = true
}

func dnsBranch(fw *Firewall, step verdict.Step) branch {
	step.Value, step.Reason = verdict.Yes, fw.Name+" is a DNS proxy"
	return branch{
		when: func(f Flow) verdict.Value { return holds(f.Port == 53 && f.Protocol != ICMP) },
		space: func(b *spaceBuilder) spaceNode {
			return b.or(b.ports(TCP, PortRange{53, 53}), b.ports(UDP, PortRange{53, 53}))
		},
		step: step,
	}
}

// firstOnly leaves to each branch what no earlier one takes.
func firstOnly(list []branch) []branch {
	out := make([]branch, len(list))
	for i, b := range list {
		earlier := list[:i]
		out[i] = b
		out[i].when = func(f Flow) verdict.Value {
			v := b.when(f)
			for _, e := range earlier {
				v = verdict.And(v, verdict.Not(e.when(f)))
			}
			return v
		}
		out[i].space = func(s *spaceBuilder) spaceNode {
			n := b.space(s)
			for _, e := range earlier {
				n = s.and(n, s.not(e.space(s)))
			}
			return n
		}
	}
	return out
}
