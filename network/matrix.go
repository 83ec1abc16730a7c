package network

import (
	"maps"
	"net/netip"
	"slices"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network/space"
)

// Matrix holds what passes from every network interface to every other, by
// classes. It is not safe for concurrent use.
//
// A path between two classes is their security groups and what lies between
// them. That is the same for all classes whose subnets have the same routes, and
// is walked once for each pair of those; the rest is two look-ups in the diagrams
// of the groups, and a conjunction that is remembered.
type Matrix struct {
	Classes []Class

	s     *Spaces
	cells [][]spaceNode
	at    map[Member]int
	legs  map[[2]routeKey]leg
	// winding are the pairs of which the whole path is walked: the groups of others
	// may be on it.
	winding map[[2]int]bool
}

// leg is what lies between the security groups of two classes.
type leg struct {
	value   spaceNode // of all that is the same for every protocol and port
	reached bool      // the destination's groups are asked
	simple  bool      // nothing in between looks at protocols or ports
}

// Matrix is worked out for all pairs. The host is as in [Topology.Spaces].
func (t *Topology) Matrix(host string) *Matrix {
	b := newSpaceBuilder()
	b.host = host
	own := *t // whose groups may change
	own.NSGs, own.seen = slices.Clone(t.NSGs), maps.Clone(t.seen)
	t = &own
	m := &Matrix{s: &Spaces{t: t, b: b, algebra: space.NewAlgebra(&b.Store)}, at: map[Member]int{}, legs: map[[2]routeKey]leg{}, winding: map[[2]int]bool{}}
	m.Classes = t.grouping().classes()
	for i := range m.Classes {
		c := &m.Classes[i]
		for _, member := range c.Members {
			m.at[member] = i
		}
		m.sides(c)
	}
	m.cells = make([][]spaceNode, len(m.Classes))
	for i := range m.Classes {
		m.cells[i] = make([]spaceNode, len(m.Classes))
		for j := range m.Classes {
			m.cells[i][j] = m.cell(i, j)
		}
	}
	return m
}

// sides prepares the security groups of a class: outbound for its source
// address, inbound for its destination address.
func (m *Matrix) sides(c *Class) {
	a := space.Address(c.Members[0].Addr)
	p := m.s.t.place(m.s.t.NICs[c.nic])
	c.out, c.in = m.side(p, Outbound), m.side(p, Inbound)
	for i, n := range c.out.filters {
		c.out.filters[i] = m.s.b.At(n, space.Source, a)
	}
	for i, n := range c.in.filters {
		c.in.filters[i] = m.s.b.Fix(n, space.Destination, a)
	}
	if c.out.admin != 0 {
		c.out.admin = m.s.b.At(c.out.admin, space.Source, a)
	}
	if c.in.admin != 0 {
		c.in.admin = m.s.b.Fix(c.in.admin, space.Destination, a)
	}
}

func (m *Matrix) side(p place, d Direction) side {
	var s side
	for _, f := range m.s.t.filters(p.nic, d) {
		s.filters = append(s.filters, m.s.b.filter(f))
	}
	if admin := m.s.t.adminFilter(p, d); admin != nil {
		s.admin = m.s.b.admin(admin)
	}
	return s
}

// passes is what a side lets pass for one address at its open end.
func (m *Matrix) passes(s side, f space.Field, a space.Value) spaceNode {
	b := m.s.b
	n := spaceNode(isYes)
	for _, filter := range s.filters {
		n = b.and(n, b.At(filter, f, a))
	}
	if s.admin != 0 {
		n = b.Apply(b.opAdmin, b.At(s.admin, f, a), n)
	}
	return n
}

// ends are two members of two classes: different ones, where there are.
func (m *Matrix) ends(i, j int) (from, to Member) {
	from, to = m.Classes[i].Members[0], m.Classes[j].Members[0]
	if i == j && len(m.Classes[j].Members) > 1 {
		to = m.Classes[j].Members[1]
	}
	return from, to
}

func (m *Matrix) cell(i, j int) spaceNode {
	from, to := &m.Classes[i], &m.Classes[j]
	key := [2]routeKey{from.route, to.route}
	l, ok := m.legs[key]
	if !ok || i == j {
		l = m.leg(i, j)
		m.legs[key] = l
	}
	if !l.simple {
		m.winding[[2]int{i, j}] = true
		a, b := m.ends(i, j)
		return m.s.between(a.Addr, b.Addr)
	}
	n := m.s.b.and(m.passes(from.out, space.Destination, space.Address(to.Members[0].Addr)), l.value)
	if l.reached && n != isNo {
		n = m.s.b.and(n, m.passes(to.in, space.Source, space.Address(from.Members[0].Addr)))
	}
	return n
}

// leg walks the path between two classes for all that take the same.
func (m *Matrix) leg(i, j int) leg {
	a, b := m.ends(i, j)
	origins := m.s.t.places(a.Addr)
	if len(origins) != 1 || a == b || m.sameInterface(a, b) {
		return leg{}
	}
	w := m.s.t.walkFrom(origins[0], a.Addr, b.Addr)
	l := leg{value: isYes, reached: w.reached != "", simple: w.reached == "" || w.reached.Equal(b.NIC)}
	for _, p := range w.parts {
		switch p := p.(type) {
		case fixed, halfSeen, exit:
			l.value = m.s.b.and(l.value, p.space(m.s.b))
		case groups:
			own := p.nic.Equal(a.NIC) && p.direction == Outbound || p.nic.Equal(b.NIC) && p.direction == Inbound && l.reached
			l.simple = l.simple && own
		default:
			l.simple = false
		}
	}
	return l
}

// sameInterface reports whether the interface of a has the address of b too.
func (m *Matrix) sameInterface(a, b Member) bool {
	n, _ := m.s.t.NIC(a.NIC)
	return slices.Contains(n.Addrs, b.Addr)
}

// Class is the class of an address of a network interface.
func (m *Matrix) Class(nic arm.ID, a netip.Addr) (int, bool) {
	i, ok := m.at[Member{NIC: nic, Addr: a}]
	return i, ok
}

// At says which protocols and ports pass from the members of one class to those
// of another, or to other members of the same. The sets do not look at addresses.
func (m *Matrix) At(from, to int) Verdicts { return m.s.verdicts(m.cells[from][to]) }

// Algebra makes sets that can be combined with those of the answers.
func (m *Matrix) Algebra() space.Algebra { return m.s.algebra }
