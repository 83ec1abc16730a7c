package network

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network/space"
)

// Change is a pair of classes between which other packets pass than before.
type Change struct {
	From, To       int
	Opened, Closed space.Set // protocols and ports that certainly pass now and did not, and the other way
	Doubtful       bool      // what is not certain is another set than before
}

// ReadNSG reads a network security group from its document, as [FromEstate]
// does, with what Azure would refuse of it.
func ReadNSG(r arm.Resource) (NSG, []Problem) {
	e, _ := arm.NewEstate()
	b := &builder{t: &Topology{state: newState(e)}, e: e}
	g := b.nsg(r)
	return g, b.t.Problems
}

// Update takes a changed network security group in place of the one with its id,
// and says what that opens and closes. Only pairs of which one has the group are
// looked at again. A rule that names a new prefix may divide classes; those that
// it makes are at the end of Classes.
func (m *Matrix) Update(g NSG) []Change {
	m.s.b.symbol = netip.Addr{} // of spaces that were asked
	m.divide(g)
	touched := m.regroup(g)
	passing := m.passing(g)
	var out []Change
	look := func(i, j int) {
		was := m.cells[i][j]
		now := m.cell(i, j)
		if now == was {
			return
		}
		m.cells[i][j] = now
		before, after := m.s.verdicts(was), m.s.verdicts(now)
		out = append(out, Change{From: i, To: j, Opened: after.Passes.Minus(before.Passes), Closed: before.Passes.Minus(after.Passes),
			Doubtful: !before.Unknown.Equal(after.Unknown)})
	}
	for i := range touched {
		for j := range m.Classes {
			look(i, j)
			if !touched[j] {
				look(j, i)
			}
		}
	}
	for _, pair := range passing {
		if !touched[pair[0]] && !touched[pair[1]] {
			look(pair[0], pair[1])
		}
	}
	slices.SortFunc(out, func(a, b Change) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	return out
}

// passing are the pairs whose packets may pass a group between them: those whose
// leg does, which is worked out again, and those of which no leg is known.
func (m *Matrix) passing(g NSG) [][2]int {
	out := slices.Collect(maps.Keys(m.winding))
	stale := m.passed[g.ID.Key()]
	if len(stale) == 0 {
		return out
	}
	for i := range m.Classes {
		for j := range m.Classes {
			if stale[[2]int{m.Classes[i].route, m.Classes[j].route}] {
				out = append(out, [2]int{i, j})
			}
		}
	}
	for pair := range stale {
		m.legs[pair[0]][pair[1]] = nil
	}
	return out
}

// regroup gives the classes that have a group its new rules.
func (m *Matrix) regroup(g NSG) map[int]bool {
	t := m.s.t
	i, ok := t.nsgAt[g.ID.Key()]
	if !ok {
		return nil
	}
	t.NSGs[i] = g
	for _, key := range m.seen[g.ID.Key()] {
		matches := t.matchesOf(g, arm.ID(key.subnet), key.direction)
		t.seen[key] = func() []Match { return matches }
	}
	touched := map[int]bool{}
	for _, i := range m.grouped[g.ID.Key()] {
		touched[i] = true
		m.sides(&m.Classes[i])
	}
	return touched
}

// divide splits classes of which a prefix of the rules holds only a part. Those
// that the group named before have divided them already.
func (m *Matrix) divide(g NSG) {
	old, _ := m.s.t.NSG(g.ID)
	known := prefixesOf(old)
	for _, p := range prefixesOf(g) {
		if slices.Contains(known, p) {
			continue
		}
		for i := range len(m.Classes) {
			members := m.Classes[i].Members
			inside := 0
			for _, x := range members {
				if p.Contains(x.Addr) {
					inside++
				}
			}
			if inside > 0 && inside < len(members) {
				m.split(i, slices.DeleteFunc(slices.Clone(members), func(x Member) bool { return !p.Contains(x.Addr) }))
			}
		}
	}
}

func prefixesOf(g NSG) []netip.Prefix {
	var out []netip.Prefix
	for _, r := range g.Rules {
		for _, s := range slices.Concat(r.Sources, r.Destinations) {
			if p, err := parseTerm(s); err == nil {
				out = append(out, p)
			}
		}
	}
	slices.SortFunc(out, comparePrefix)
	return slices.Compact(out)
}

// split makes a class of its own of some members.
func (m *Matrix) split(i int, leaving []Member) {
	old := &m.Classes[i]
	old.Members = slices.DeleteFunc(slices.Clone(old.Members), func(x Member) bool { return slices.Contains(leaving, x) })
	old.nic = m.s.t.nicAt[old.Members[0].NIC.Key()]
	m.sides(old)
	c := Class{Members: leaving, nic: m.s.t.nicAt[leaving[0].NIC.Key()], route: old.route}
	m.sides(&c)
	j := len(m.Classes)
	m.Classes = append(m.Classes, c)
	m.group(j)
	for _, x := range leaving {
		m.at[x] = j
	}
	for k := range m.cells {
		m.cells[k] = append(m.cells[k], m.cells[k][i])
	}
	m.cells = append(m.cells, slices.Clone(m.cells[i]))
	m.cells[i][i], m.cells[j][j] = m.cell(i, i), m.cell(j, j) // of one member: itself
}
