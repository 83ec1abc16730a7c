package check

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/network/space"
)

// coveredBy are the rules of a list that decide all that another matches, by their
// places: one that covers it, or those that do so together. There are none where
// something that it matches may be left.
//
// Addresses, protocols and ports are compared exactly. A service tag and an
// application security group stand for addresses that are not known: a rule covers
// them if it names them, or every address.
func coveredBy(f *form, before []form) []int {
	blocks := f.blocks()
	if len(blocks) == 0 {
		return nil
	}
	for i := range before {
		if before[i].covers(blocks) {
			return []int{i}
		}
	}
	together := map[int]bool{}
	for _, b := range blocks {
		by := b.deciders(before)
		if len(by) == 0 {
			return nil
		}
		for _, i := range by {
			together[i] = true
		}
	}
	return slices.Sorted(maps.Keys(together))
}

// block is a product of values, part of what a rule matches: its addresses, or one
// tag or group on a side.
type block struct {
	names  [2]string // "" where the values are addresses
	values [5][]space.Interval
	ported bool
}

func (f *form) blocks() []block {
	var out []block
	for _, s := range f.ends[0].parts() {
		for _, d := range f.ends[1].parts() {
			b := block{names: [2]string{s.name, d.name}}
			b.values[space.Source], b.values[space.Destination] = s.values, d.values
			if len(f.ported) > 0 {
				p := b
				p.ported = true
				copy(p.values[space.Protocol:], f.ported)
				out = append(out, p)
			}
			if len(f.others) > 0 {
				b.values[space.Protocol], b.values[space.SourcePort], b.values[space.Port] = f.others, space.Whole(space.SourcePort), space.Whole(space.Port)
				out = append(out, b)
			}
		}
	}
	return out
}

// within is what of a rule is for the kind of packets of a block, with the values of its
// own fields; false where the rule has none.
func (f *form) within(b *block) (block, bool) {
	out := block{names: b.names, ported: b.ported}
	for side := range f.ends {
		values := f.ends[side].known
		if b.names[side] != "" {
			if !f.ends[side].has(b.names[side]) {
				return out, false
			}
			values = space.Whole(space.Source)
		}
		out.values[side] = values
	}
	switch {
	case b.ported && len(f.ported) > 0:
		copy(out.values[space.Protocol:], f.ported)
	case !b.ported && len(f.others) > 0:
		out.values[space.Protocol], out.values[space.SourcePort], out.values[space.Port] = f.others, b.values[space.SourcePort], b.values[space.Port]
	default:
		return out, false
	}
	return out, true
}

// deciders are the rules that decide all of a block together, in order; none where
// some of it is left.
func (b block) deciders(before []form) []int {
	var places []int
	var blocks []block
	first, last := false, false
	for i := range before {
		f := &before[i]
		c, ok := f.within(&b)
		if !ok || !f.certain || !c.meets(b) {
			continue
		}
		if c.contains(b) {
			places, blocks = append(places, i), append(blocks, c)
			first, last = true, true
			break
		}
		first, last = first || c.has(b, false), last || c.has(b, true)
		places, blocks = append(places, i), append(blocks, c)
	}
	if !first || !last { // a corner is left: there is no need for sets
		return nil
	}
	a := space.NewAlgebra(&space.Store{})
	rest := b.set(a)
	var out []int
	for k, c := range blocks {
		taken := c.set(a)
		if left := rest.Minus(taken); !left.Equal(rest) {
			rest, out = left, append(out, places[k])
		}
		if rest.IsEmpty() {
			return out
		}
	}
	return nil
}

func (b block) set(a space.Algebra) space.Set {
	out := a.All()
	for f, list := range b.values {
		out = out.And(a.Where(space.Field(f), list...))
	}
	return out
}

// meets reports whether two blocks have values in common in every field.
func (b block) meets(c block) bool {
	for f := range b.values {
		if !slices.ContainsFunc(b.values[f], func(x space.Interval) bool {
			return slices.ContainsFunc(c.values[f], func(y space.Interval) bool { return !x.Last.Less(y.First) && !y.Last.Less(x.First) })
		}) {
			return false
		}
	}
	return true
}

// contains reports whether all of another block is in this one.
func (b block) contains(c block) bool {
	for f := range b.values {
		if !holdsAll(b.values[f], c.values[f]) {
			return false
		}
	}
	return true
}

func holdsAll(outer, inner []space.Interval) bool {
	for _, x := range inner {
		if !slices.ContainsFunc(outer, func(y space.Interval) bool { return !x.First.Less(y.First) && !y.Last.Less(x.Last) }) {
			return false
		}
	}
	return true
}

// has reports whether the lowest packet of another block, or the highest, is in this
// one.
func (b block) has(c block, highest bool) bool {
	for f, list := range c.values {
		v := list[0].First
		if highest {
			v = list[len(list)-1].Last
		}
		if !holdsAll(b.values[f], []space.Interval{{First: v, Last: v}}) {
			return false
		}
	}
	return true
}

// shadowed are the rules of one direction of a security group that never decide, by
// their places: each with the places of those that do.
func (w *world) shadowed(g network.NSG, list []network.Rule) map[int][]int {
	key := g.ID.Key() + " " + string(list[0].Direction)
	if out, ok := w.shadows[key]; ok {
		return out
	}
	out := map[int][]int{}
	own := w.networkOf(g.ID)
	forms := make([]form, len(list))
	for i, r := range list {
		forms[i] = formOf(r, own)
		if !r.Default && len(r.Doubts) == 0 {
			if by := coveredBy(&forms[i], forms[:i]); len(by) > 0 {
				out[i] = by
			}
		}
	}
	w.shadows[key] = out
	return out
}

// networkOf is the space of the network that a group guards, where it is one.
func (w *world) networkOf(group arm.ID) []netip.Prefix {
	list := w.guarding[group.Key()]
	if len(list) != 1 {
		return nil
	}
	v, _ := w.net.VNet(list[0])
	return v.AddressSpace
}

// overshadowed says which rules decide instead of one that is never reached.
func overshadowed(r network.Rule, by []network.Rule) string {
	names := make([]string, len(by))
	for i, b := range by {
		names[i] = fmt.Sprintf("%s (priority %d) %s", b.Name, b.Priority, verbs(b))
	}
	what := names[0] + " all that it matches"
	if last := len(names) - 1; last > 0 {
		what = fmt.Sprintf("%s a part of what it matches, and %s the rest", strings.Join(names[:last], " and "), names[last])
	}
	return fmt.Sprintf("%s %s (priority %d) is never reached: %s", verb(r), r.Name, r.Priority, what)
}
