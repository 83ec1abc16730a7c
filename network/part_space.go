package network

import (
	"net/netip"

	"github.com/cloister-ml/cloister/network/space"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

// What each part of a path lets pass, as a diagram of verdicts over protocol and
// ports, and over the destination where that is left open.

func leafOf(v verdict.Value) spaceNode {
	switch v {
	case verdict.Yes:
		return isYes
	case verdict.No:
		return isNo
	}
	return isUnknown
}

// path is what a whole path lets pass.
func (b *spaceBuilder) path(parts []part) spaceNode {
	n := spaceNode(isYes)
	for _, p := range parts {
		if n = b.and(n, p.space(b)); n == isNo {
			return n
		}
	}
	return n
}

func (s fixed) space(*spaceBuilder) spaceNode { return leafOf(s.Value) }

func (g groups) space(b *spaceBuilder) spaceNode {
	n := spaceNode(isYes)
	for _, f := range g.filters {
		n = b.and(n, b.at(b.filter(f), g.from, g.to))
	}
	if g.admin == nil {
		return n
	}
	return b.Apply(b.opAdmin, b.at(b.admin(g.admin), g.from, g.to), n)
}

// groups is the diagram of groups over all addresses.
func (b *spaceBuilder) groups(g groups) spaceNode {
	n := spaceNode(isYes)
	for _, f := range g.filters {
		n = b.and(n, b.filter(f))
	}
	if g.admin == nil {
		return n
	}
	return b.Apply(b.opAdmin, b.admin(g.admin), n)
}

// admin is the diagram of the ends of security admin rules.
func (b *spaceBuilder) admin(a *adminFilter) spaceNode {
	var rules []space.Rule
	for _, m := range a.matches {
		ends := m.of()
		if a.absent != "" {
			ends |= adminGoesOn
		}
		rules = append(rules, b.rules(m.Match, ends, m.certain())...)
	}
	return b.Decide(rules, uint8(adminGoesOn))
}

func (k fork) space(b *spaceBuilder) spaceNode {
	out := spaceNode(isNo)
	for _, br := range k.branches {
		out = b.or(out, b.and(br.space(b), b.turned(b.path(br.parts), br.port)))
	}
	return out
}

// turned is what passes where the destination port is another from there on.
func (b *spaceBuilder) turned(beyond spaceNode, port uint16) spaceNode {
	if port == 0 {
		return beyond
	}
	return b.Fix(beyond, space.Port, space.Number(port))
}

func (s spread) space(b *spaceBuilder) spaceNode {
	out := spaceNode(0)
	for i, way := range s.ways {
		n := b.path(way)
		if i == 0 {
			out = n
			continue
		}
		out = b.Apply(b.opAlike, out, n)
	}
	return out
}

func (h halfSeen) space(b *spaceBuilder) spaceNode {
	return b.In(space.Protocol, []space.Interval{space.Numbers(6, 6)}, isNo, isUnknown)
}

func (p firewallPart) space(b *spaceBuilder) spaceNode {
	ends := b.at(b.firewall(p.fw), p.from, p.to)
	return b.beyond(ends, b.path(p.network), b.path(p.application))
}

// beyond joins the ends of a firewall's rules with what passes beyond it.
func (b *spaceBuilder) beyond(ends, network, application spaceNode) spaceNode {
	return b.Apply(b.opFirewall, b.Apply(b.opPair, ends, network), application)
}

// firewall is the diagram of the ends of a firewall's rules.
func (b *spaceBuilder) firewall(fw *Firewall) spaceNode {
	if n, ok := b.firewalls[fw]; ok {
		return n
	}
	var rules []space.Rule
	for _, r := range fw.rules {
		host := r.testHost(b.host)
		if host == verdict.No {
			continue
		}
		for _, one := range b.rules(r.Match, r.of(), r.certain()) {
			if host == verdict.Unknown {
				one.Possible[space.Protocol] = append(one.Possible[space.Protocol], one.Sure[space.Protocol]...)
				one.Sure[space.Protocol] = nil
			}
			rules = append(rules, one)
		}
	}
	n := b.Decide(rules, uint8(fwDenies))
	b.firewalls[fw] = n
	return n
}

// spaceAt is what a rule that translates takes between two addresses.
func (r natRule) spaceAt(from, to netip.Addr) portSpace {
	return func(b *spaceBuilder) spaceNode {
		ends := outcome(isYes)
		if !r.certain() {
			ends = isUnknown
		}
		return b.at(b.Decide(b.rules(r.Match, ends, true), isNo), from, to)
	}
}

// space is what a rule of a load balancer takes.
func (r balancingRule) space(b *spaceBuilder) spaceNode {
	n := spaceNode(isYes)
	switch {
	case r.protocol != "*":
		n = b.ports(Protocol(r.protocol), r.ports...)
	case len(r.ports) > 0:
		n = b.In(space.Protocol, withPorts, b.In(space.Port, portIntervals(r.ports), isYes, isNo), isNo)
	}
	if len(r.doubts) > 0 {
		n = b.and(n, isUnknown)
	}
	return n
}

func (m managedPart) space(b *spaceBuilder) spaceNode {
	out := spaceNode(isNo)
	for tag, ports := range map[string]PortRange{"AzureMachineLearning": {44224, 44224}, "BatchNodeManagement": {29876, 29877}} {
		if prefixes, _ := service.Tag(tag); contains(prefixes, m.from) {
			out = b.or(out, b.ports(TCP, ports))
		}
	}
	return out
}

func (p platformPart) space(b *spaceBuilder) spaceNode {
	out := spaceNode(isNo)
	for _, s := range PlatformServices() {
		if s.Addr == p.to {
			out = b.or(out, b.ports(s.Protocol, PortRange{s.Port, s.Port}))
		}
	}
	for _, f := range p.t.filters(p.at.nic, Outbound) {
		f.Matches = append(f.Platform(p.to), exempt)
		out = b.and(out, b.at(b.decided(f), p.from, p.to))
	}
	return out
}
