package fabric

import (
	"github.com/cloister-ml/cloister/internal/fabric/nft"
	"github.com/cloister-ml/cloister/network"
)

// administer puts security admin rules before the way through the groups of an
// interface: what they deny is dropped, what they always allow does not come to
// the groups, all else does. What cannot be known of a rule is taken for the
// closed side: it denies, and allows nothing.
func (f *filter) administer(door *gate, rules []network.AdminMatch, groups nft.Action, grouped bool) (nft.Action, bool) {
	if len(rules) == 0 {
		return groups, grouped
	}
	on := nft.Action{Verb: nft.Return}
	if grouped {
		on = nft.Action{Verb: nft.Goto, Chain: groups.Chain}
	}
	g := f.adminBoxes(rules, door.direction)
	g.Chain = "admin-" + digest(string(g.sum)+on.Chain, 12)
	if same, ok := f.groups[g.Chain]; ok {
		g = same
	} else {
		f.groups[g.Chain] = g
		f.lookups(g, on, func(r groupRule) nft.Action {
			switch {
			case r.always:
				return nft.Action{Verb: nft.Return}
			case r.allow:
				return on
			}
			return drop
		})
	}
	door.admin = g
	return nft.Action{Verb: nft.Jump, Chain: g.Chain}, true
}

// adminBoxes reads security admin rules as those of a group.
func (f *filter) adminBoxes(rules []network.AdminMatch, d network.Direction) *group {
	g := &group{At: "security admin rules", Direction: d, rules: map[uint32]groupRule{}}
	for _, m := range rules {
		t := f.termsOf(m.Match)
		f.doubtful(network.Filter{At: g.At}, m.Match)
		if t.allow && (!t.sure || !m.InForce) {
			continue
		}
		n := number(m.Rule.Name, func(n uint32) bool { _, taken := g.rules[n]; return taken })
		g.rules[n] = groupRule{name: m.Rule.Name, allow: t.allow, always: t.allow && m.Always}
		g.order = append(g.order, n)
		g.boxes = append(g.boxes, t.boxes(n)...)
	}
	g.sum = g.digest()
	return g
}
