package network

import (
	"net/netip"
	"slices"

	"github.com/cloister-ml/cloister/network/space"
	"github.com/cloister-ml/cloister/verdict"
)

// wayOut is how packets of some protocols leave for the internet.
type wayOut struct {
	protocols []Protocol // ICMP stands for all without ports
	addr      netip.Addr // that they leave as
	step      verdict.Step
}

// waysOut are the ways out of a NIC to an address: one, or several where protocols
// differ. What translates addresses does so for TCP and UDP.
func (t *Topology) waysOut(n NIC, to netip.Addr) []wayOut {
	var out []wayOut
	for _, p := range []Protocol{TCP, UDP, ICMP} {
		a, step := t.egressFor(n, to.Is6(), p)
		i := slices.IndexFunc(out, func(w wayOut) bool { return w.addr == a && w.step == step })
		if i < 0 {
			out = append(out, wayOut{addr: a, step: step})
			i = len(out) - 1
		}
		out[i].protocols = append(out[i].protocols, p)
	}
	return out
}

func (t *Topology) egressFor(n NIC, six bool, p Protocol) (netip.Addr, verdict.Step) {
	if six {
		return t.egress6(n, p)
	}
	return t.egress(n, p)
}

// out takes packets to the internet by the way that their protocol has.
func (w *walk) out(n NIC, route verdict.Step) {
	ways := w.t.waysOut(n, w.to)
	if len(ways) == 1 {
		w.add(route)
		w.leaveBy(ways[0])
		return
	}
	var k fork
	for _, way := range ways {
		inner := w.branch()
		inner.leaveBy(way)
		k.branches = append(k.branches, branch{when: way.when, space: way.space, step: route, parts: inner.parts})
	}
	k.none = func(Flow) verdict.Step { return route }
	w.parts = append(w.parts, k)
	w.over = true
}

func (w *walk) leaveBy(way wayOut) {
	if !w.add(way.step) {
		return
	}
	w.parts = append(w.parts, exit{addr: way.addr, translated: true})
	w.from, w.outside, w.through = way.addr, true, nil
	w.toPublic()
}

func (o wayOut) when(f Flow) verdict.Value { return holds(slices.Contains(o.protocols, f.Protocol)) }

func (o wayOut) space(b *spaceBuilder) spaceNode {
	n := spaceNode(isNo)
	for _, p := range o.protocols {
		if p == ICMP {
			n = b.or(n, b.In(space.Protocol, withoutPorts, isYes, isNo))
			continue
		}
		n = b.or(n, b.ports(p))
	}
	return n
}

// Carries reports whether packets of a protocol leave a NIC for the internet by IPv4,
// or by IPv6, under the address that [Topology.EgressAddr] or [Topology.EgressAddr6]
// gives.
func (t *Topology) Carries(n NIC, six bool, p Protocol) bool {
	a, _ := t.egressFor(n, six, TCP)
	b, step := t.egressFor(n, six, p)
	return step.Value == verdict.Yes && a == b
}
