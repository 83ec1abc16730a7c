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
// them, firewalls and appliances with their rules too. That is the same for all
// classes whose subnets have the same routes, and is walked once for each pair of
// those; the rest is a look-up in the diagram of each group and firewall that is
// passed, and conjunctions that are remembered.
type Matrix struct {
	Classes []Class

	s     *Spaces
	cells [][]spaceNode
	at    map[Member]int
	legs  [][]*leg // by the numbers of the routeKeys of both ends, once they are known
	// By the keys of security groups: the legs on which one of another is, the classes
	// that have one of their own, and where each is seen from.
	passed  map[string]map[[2]int]bool
	grouped map[string][]int
	seen    map[string][]sighting
	// winding are the pairs of which the whole path is walked: the groups of others
	// may be on it.
	winding map[[2]int]bool
}

// Matrix is worked out for all pairs. The host is as in [Topology.Spaces].
func (t *Topology) Matrix(host string) *Matrix {
	b := newSpaceBuilder()
	b.host = host
	own := *t // whose groups may change
	own.NSGs, own.seen = slices.Clone(t.NSGs), maps.Clone(t.seen)
	t = &own
	m := &Matrix{s: &Spaces{t: t, b: b, algebra: space.NewAlgebra(&b.Store)}, at: map[Member]int{}, winding: map[[2]int]bool{},
		passed: map[string]map[[2]int]bool{}, grouped: map[string][]int{}, seen: map[string][]sighting{}}
	for key := range t.seen {
		m.seen[key.nsg] = append(m.seen[key.nsg], key)
	}
	g := t.grouping()
	m.Classes = g.classes()
	m.legs = make([][]*leg, len(g.numbers))
	for i := range m.legs {
		m.legs[i] = make([]*leg, len(g.numbers))
	}
	for i := range m.Classes {
		c := &m.Classes[i]
		for _, member := range c.Members {
			m.at[member] = i
		}
		m.sides(c)
		m.group(i)
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

// group notes which security groups a class has.
func (m *Matrix) group(i int) {
	n := &m.s.t.NICs[m.Classes[i].nic]
	s, _ := m.s.t.Subnet(n.Subnet)
	m.grouped[n.NSG.Key()] = append(m.grouped[n.NSG.Key()], i)
	if !s.NSG.Equal(n.NSG) {
		m.grouped[s.NSG.Key()] = append(m.grouped[s.NSG.Key()], i)
	}
}

// Spaces are the sets of packets of the topology as it is now, in the algebra of the
// matrix: what has been worked out of its groups and firewalls is not again.
func (m *Matrix) Spaces() *Spaces { return m.s.t.spaces(m.s.b, m.s.algebra) }

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
	s.near = make([]int, len(s.filters))
	return s
}

// passes is what a side lets pass for one address at its open end.
func (m *Matrix) passes(s side, f space.Field, a space.Value) spaceNode {
	b := m.s.b
	n := spaceNode(isYes)
	for i, filter := range s.filters {
		n = b.and(n, b.AtNear(filter, f, a, &s.near[i]))
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
	l := m.legBetween(i, j)
	if !l.known {
		m.winding[[2]int{i, j}] = true
		a, b := m.ends(i, j)
		return m.s.between(a.Addr, b.Addr)
	}
	return m.across(l.pieces, from, to)
}

// legBetween is the leg of a pair. That of a class with itself is its own: it may
// have one member.
func (m *Matrix) legBetween(i, j int) leg {
	if i == j {
		return m.leg(i, j)
	}
	from, to := m.Classes[i].route, m.Classes[j].route
	if m.legs[from][to] == nil {
		l := m.leg(i, j)
		m.legs[from][to] = &l
		for _, group := range l.passed {
			if m.passed[group] == nil {
				m.passed[group] = map[[2]int]bool{}
			}
			m.passed[group][[2]int{from, to}] = true
		}
	}
	return *m.legs[from][to]
}

// Class is the class of an address of a network interface.
func (m *Matrix) Class(nic arm.ID, a netip.Addr) (int, bool) {
	i, ok := m.at[Member{NIC: nic, Addr: a}]
	return i, ok
}

// At says which protocols and ports pass from the members of one class to those
// of another, or to other members of the same. The sets do not look at addresses.
func (m *Matrix) At(from, to int) Verdicts { return m.s.verdicts(m.cells[from][to]) }

// Cell numbers what passes between two classes: pairs with the same number have
// the same answer from [Matrix.At].
func (m *Matrix) Cell(from, to int) int { return int(m.cells[from][to]) }

// Algebra makes sets that can be combined with those of the answers.
func (m *Matrix) Algebra() space.Algebra { return m.s.algebra }
