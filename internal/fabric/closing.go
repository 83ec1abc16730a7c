package fabric

import (
	"github.com/cloister-ml/cloister/network"
	sets "github.com/cloister-ml/cloister/network/space"
)

// mostExact is up to how many boxes it is worked out whether new groups close
// anything; beyond that they are taken to.
const mostExact = 400

// closing are the gates that may drop what the gates before let pass.
func closing(before, after []gate) []gate {
	type door struct {
		link      string
		direction network.Direction
	}
	old := map[door]gate{}
	for _, g := range before {
		old[door{g.guest.link, g.direction}] = g
	}
	alike := map[[2]string]bool{} // by what the groups do: whether nothing is closed
	var out []gate
	for _, g := range after {
		was, known := old[door{g.guest.link, g.direction}]
		pair := [2]string{was.meaning(), g.meaning()}
		if known && pair[0] == pair[1] {
			continue
		}
		opens, done := alike[pair]
		if !done {
			opens = known && !g.closed && opensOnly(was, g)
			alike[pair] = opens
		}
		if !opens {
			out = append(out, g)
		}
	}
	return out
}

// meaning is equal for gates that do the same.
func (g gate) meaning() string {
	out := "open"
	if g.closed {
		out = "closed"
	}
	if g.admin != nil {
		out += "admin" + string(g.admin.sum)
	}
	for _, one := range g.groups {
		out += string(one.sum)
	}
	return out
}

// opensOnly reports whether all that passes before passes afterwards too.
func opensOnly(before, after gate) bool {
	if before.admin != nil || after.admin != nil {
		return false // it is rare that they change
	}
	if before.closed {
		return true
	}
	var s sets.Store
	a := sets.NewAlgebra(&s)
	changed, few := differing(before.groups, after.groups)
	if few = few && len(changed) <= mostExact; few {
		before, after = before.around(changed), after.around(changed)
	}
	if before.boxes()+after.boxes() > mostExact {
		return false
	}
	was := before.passes(&s, a)
	if few {
		was = was.And(packetsOf(&s, a, changed))
	}
	return was.Within(after.passes(&s, a))
}

// boxes is how many the gate's groups have.
func (g gate) boxes() int {
	n := 0
	for _, one := range g.groups {
		n += len(one.boxes)
	}
	return n
}

// What becomes of a packet at a group, as leaves of a diagram.
const (
	passes = 1
	stays  = 2
)

func (g gate) passes(s *sets.Store, a sets.Algebra) sets.Set {
	all := a.All()
	for _, one := range g.groups {
		var rules []sets.Rule
		for _, b := range one.boxes {
			r := sets.Rule{Outcome: stays, Certain: true}
			if one.rules[b.rule].allow {
				r.Outcome = passes
			}
			for d, list := range b.in {
				r.Sure[fieldOf[d]] = list
			}
			rules = append(rules, r)
		}
		all = all.And(a.Of(s.Leaf(s.Decide(rules, stays), passes)))
	}
	return all
}
