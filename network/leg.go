package network

import (
	"net/netip"
	"slices"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network/space"
)

// leg is the path between two classes, worked out once for all pairs that take
// the same: the addresses and the security groups of a pair are put into it.
type leg struct {
	known  bool // otherwise the whole path is walked for each pair
	pieces []piece
	passed []string // keys of the security groups of others that are on the way
}

// piece is what one part of a path lets pass between two classes.
type piece func(from, to *Class) spaceNode

// leg finds the path between two classes for all that take the same.
func (m *Matrix) leg(i, j int) leg {
	a, b := m.ends(i, j)
	origins := m.s.t.places(a.Addr)
	if len(origins) != 1 || a == b || m.sameInterface(a, b) {
		return leg{}
	}
	l := leg{known: true}
	f := folder{m: m, a: a, b: b, l: &l}
	l.pieces = f.fold(m.s.t.walkFrom(origins[0], a.Addr, b.Addr).parts)
	return l
}

// across is what pieces in a row let pass.
func (m *Matrix) across(pieces []piece, from, to *Class) spaceNode {
	n := spaceNode(isYes)
	for _, p := range pieces {
		if n = m.s.b.and(n, p(from, to)); n == isNo {
			return n
		}
	}
	return n
}

// folder makes pieces of the parts of a path from one member to another.
type folder struct {
	m    *Matrix
	a, b Member
	l    *leg
}

// fold makes pieces of parts. What is the same for every pair becomes one piece.
func (f folder) fold(parts []part) []piece {
	constant := spaceNode(isYes)
	var out []piece
	for _, p := range parts {
		switch p := p.(type) {
		case fixed, halfSeen, exit:
			constant = f.m.s.b.and(constant, p.space(f.m.s.b))
		case groups:
			out = append(out, f.groups(p))
		case firewallPart:
			out = append(out, f.firewall(p))
		case fork:
			out = append(out, f.fork(p))
		case spread:
			out = append(out, f.spread(p))
		default:
			f.l.known = false
		}
	}
	if constant != isYes {
		out = append([]piece{func(_, _ *Class) spaceNode { return constant }}, out...)
	}
	return out
}

// between gives a diagram the addresses that packets have at some place: those of
// the pair, or those of a machine that translates them.
func (f folder) between(from, to netip.Addr, n func() spaceNode) piece {
	b := f.m.s.b
	ownFrom, ownTo := from == f.a.Addr, to == f.b.Addr
	return func(x, y *Class) spaceNode {
		from, to := from, to
		if ownFrom {
			from = x.Members[0].Addr
		}
		if ownTo {
			to = y.Members[0].Addr
		}
		return b.at(n(), from, to)
	}
}

// groups are those of the pair itself, or of a machine on the way.
func (f folder) groups(g groups) piece {
	switch {
	case g.nic.Equal(f.a.NIC) && g.direction == Outbound && g.from == f.a.Addr:
		to, own := g.to, g.to == f.b.Addr
		return func(x, y *Class) spaceNode {
			if own {
				return f.m.passes(x.out, space.Destination, space.Address(y.Members[0].Addr))
			}
			return f.m.passes(x.out, space.Destination, space.Address(to))
		}
	case g.nic.Equal(f.b.NIC) && g.direction == Inbound && g.to == f.b.Addr:
		from, own := g.from, g.from == f.a.Addr
		return func(x, y *Class) spaceNode {
			if own {
				return f.m.passes(y.in, space.Source, space.Address(x.Members[0].Addr))
			}
			return f.m.passes(y.in, space.Source, space.Address(from))
		}
	case g.nic.Equal(f.a.NIC), g.nic.Equal(f.b.NIC):
		f.l.known = false
	}
	f.pass(g.nic)
	n := f.m.s.b.groups(g)
	return f.between(g.from, g.to, func() spaceNode { return n })
}

// pass notes the groups of a machine on the way.
func (f folder) pass(nic arm.ID) {
	n, ok := f.m.s.t.NIC(nic)
	s, _ := f.m.s.t.Subnet(n.Subnet)
	if !ok {
		f.l.known = false // a firewall's or a balancer's place has none
	}
	for _, id := range []arm.ID{n.NSG, s.NSG} {
		if id != "" && !slices.Contains(f.l.passed, id.Key()) {
			f.l.passed = append(f.l.passed, id.Key())
		}
	}
}

func (f folder) firewall(p firewallPart) piece {
	b := f.m.s.b
	rules := b.firewall(p.fw)
	ends := f.between(p.from, p.to, func() spaceNode { return rules })
	network, application := f.fold(p.network), f.fold(p.application)
	return func(x, y *Class) spaceNode {
		n := ends(x, y)
		if n == spaceNode(fwDenies) {
			return isNo
		}
		return b.beyond(n, f.m.across(network, x, y), f.m.across(application, x, y))
	}
}

func (f folder) fork(k fork) piece {
	type way struct {
		takes  spaceNode
		port   uint16
		pieces []piece
	}
	b := f.m.s.b
	ways := make([]way, len(k.branches))
	for i, br := range k.branches {
		if br.addressed {
			f.l.known = false
			return nil
		}
		ways[i] = way{br.space(b), br.port, f.fold(br.parts)}
	}
	return func(x, y *Class) spaceNode {
		out := spaceNode(isNo)
		for _, w := range ways {
			out = b.or(out, b.and(w.takes, b.turned(f.m.across(w.pieces, x, y), w.port)))
		}
		return out
	}
}

func (f folder) spread(s spread) piece {
	ways := make([][]piece, len(s.ways))
	for i, w := range s.ways {
		ways[i] = f.fold(w)
	}
	return func(x, y *Class) spaceNode {
		out := spaceNode(0)
		for i, w := range ways {
			n := f.m.across(w, x, y)
			if i == 0 {
				out = n
				continue
			}
			out = f.m.s.b.Apply(f.m.s.b.opAlike, out, n)
		}
		return out
	}
}

// sameInterface reports whether the interface of a has the address of b too.
func (m *Matrix) sameInterface(a, b Member) bool {
	n, _ := m.s.t.NIC(a.NIC)
	return slices.Contains(n.Addrs, b.Addr)
}
