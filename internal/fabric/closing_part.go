package fabric

import (
	"slices"

	sets "github.com/cloister-ml/cloister/network/space"
)

// differing are the boxes in which groups and those that take their places differ:
// of a packet that is in none of them both say the same. Groups differ in few of
// their many rules as a rule.
func differing(before, after []*group) (out []box, ok bool) {
	if len(before) != len(after) {
		return nil, false
	}
	for i, a := range before {
		b := after[i]
		alike := func(x, y box) bool {
			return a.rules[x.rule].allow == b.rules[y.rule].allow && a.rules[x.rule].always == b.rules[y.rule].always && x.equal(y)
		}
		was, is := a.boxes, b.boxes
		for len(was) > 0 && len(is) > 0 && alike(was[0], is[0]) {
			was, is = was[1:], is[1:]
		}
		for len(was) > 0 && len(is) > 0 && alike(was[len(was)-1], is[len(is)-1]) {
			was, is = was[:len(was)-1], is[:len(is)-1]
		}
		out = append(append(out, was...), is...)
	}
	return out, true
}

// equal reports whether two boxes have the same packets, whatever their rules.
func (b box) equal(other box) bool {
	for d := range b.in {
		if b.six != other.six || !slices.Equal(b.in[d], other.in[d]) {
			return false
		}
	}
	return true
}

// meets reports whether some packet may be in both boxes.
func (b box) meets(other box) bool {
	for d := range b.in {
		if !b.whole[d] && !other.whole[d] && !overlap(b.in[d], other.in[d]) {
			return false
		}
	}
	return true
}

// overlap reports whether two lists of intervals, both in order, have a value in
// common.
func overlap(a, b []sets.Interval) bool {
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0].Last.Less(b[0].First):
			a = a[1:]
		case b[0].Last.Less(a[0].First):
			b = b[1:]
		default:
			return true
		}
	}
	return false
}

// around is the gate with those rules only that decide about what is in some of
// the boxes.
func (g gate) around(boxes []box) gate {
	groups := make([]*group, len(g.groups))
	for i, one := range g.groups {
		part := *one
		part.boxes = nil
		for _, b := range one.boxes {
			if slices.ContainsFunc(boxes, b.meets) {
				part.boxes = append(part.boxes, b)
			}
		}
		groups[i] = &part
	}
	g.groups = groups
	return g
}

// packetsOf are those of some boxes.
func packetsOf(s *sets.Store, a sets.Algebra, boxes []box) sets.Set {
	rules := make([]sets.Rule, len(boxes))
	for i, b := range boxes {
		rules[i] = sets.Rule{Outcome: passes, Certain: true}
		for d, list := range b.in {
			rules[i].Sure[fieldOf[d]] = list
		}
	}
	return a.Of(s.Leaf(s.Decide(rules, stays), passes))
}
