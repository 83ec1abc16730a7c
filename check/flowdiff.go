package check

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/network/space"
)

// address is one of a network interface, or the internet.
type address struct {
	name string
	key  string // the same in both estates
	addr netip.Addr
}

// addresses are those of every network interface, by what they are.
func (w *world) addresses() []address {
	out := []address{{name: internetName, key: internetName, addr: outsider().Addr}}
	for _, n := range w.net.NICs {
		for i, a := range n.Addrs {
			name := n.Name
			if len(n.Addrs) > 1 && i < len(n.Members) && n.Members[i] != "" {
				name += " " + n.Members[i]
			}
			out = append(out, address{name: name, key: n.ID.Key() + " " + strconv.Itoa(i), addr: a})
		}
	}
	return out
}

// versus is one of two estates that are compared.
type versus struct {
	w      *world
	spaces *network.Spaces
	at     map[string]netip.Addr
	public map[string]netip.Addr // network interfaces' public addresses
}

func newVersus(e *arm.Estate) *versus {
	w := newWorld(e)
	v := &versus{w: w, spaces: w.net.Spaces(""), at: map[string]netip.Addr{}, public: map[string]netip.Addr{}}
	for _, a := range w.addresses() {
		v.at[a.key] = a.addr
	}
	for _, n := range w.net.NICs {
		v.public[n.ID.Key()+" 0"] = n.PublicAddr
	}
	return v
}

// between is what passes from one thing to another; ok is false where one of them
// is not in this estate.
func (v *versus) between(from, to string) (network.Verdicts, bool) {
	a, b := v.at[from], v.at[to]
	if from == internetName {
		b = v.public[to]
	}
	if !a.IsValid() || !b.IsValid() {
		empty := v.spaces.Algebra().Empty()
		return network.Verdicts{Passes: empty, Refused: v.spaces.Algebra().All(), Unknown: empty}, false
	}
	return v.spaces.Between(a, b), true
}

// flows compares what passes.
func (d *Difference) flows(before, after *arm.Estate) {
	old, now := newVersus(before), newVersus(after)
	a := now.spaces.Algebra()
	g := flowGroups{algebra: a}
	list := now.w.addresses()
	for _, a := range old.w.addresses() {
		if _, still := now.at[a.key]; !still {
			list = append(list, a)
		}
	}
	for _, from := range list {
		for _, to := range list {
			if from.key == to.key || to.key == internetName {
				continue
			}
			x, inOld := old.between(from.key, to.key)
			y, inNow := now.between(from.key, to.key)
			if inOld || inNow {
				g.compare(from.name, to.name, a.All(), pass(x, a), pass(y, a))
			}
		}
		if from.key != internetName {
			old.outwards(now, from, &g)
		}
	}
	d.Flows = append(d.Flows, g.merged()...)
}

// outwards compares what leaves the estates from one address.
func (v *versus) outwards(now *versus, from address, g *flowGroups) {
	a := now.spaces.Algebra()
	x, y := v.reached(from, a), now.reached(from, a)
	for _, r := range now.w.outside(a) {
		g.compare(from.name, r.name, r.set, x.within(r.set), y.within(r.set))
	}
}

// reached is what passes from one address, in another algebra.
func (v *versus) reached(from address, a space.Algebra) passing {
	addr := v.at[from.key]
	if !addr.IsValid() {
		return passing{a.Empty(), a.Empty()}
	}
	return pass(v.spaces.From(addr), a)
}

// passing are the packets that pass, and those of which it cannot be said.
type passing struct{ sure, perhaps space.Set }

func pass(v network.Verdicts, a space.Algebra) passing {
	return passing{carried(v.Passes, a), carried(v.Unknown, a)}
}

func (p passing) within(s space.Set) passing { return passing{p.sure.And(s), p.perhaps.And(s)} }

// carried is a set in another algebra.
func carried(s space.Set, a space.Algebra) space.Set {
	out := a.Empty()
	s.Boxes(func(b space.Box) bool {
		box := a.All()
		for f := space.Source; f <= space.Port; f++ {
			if whole := space.Whole(f); b[f] != whole[0] {
				box = box.And(a.Where(f, b[f]))
			}
		}
		out = out.Or(box)
		return true
	})
	return out
}

// flowGroups gathers flow changes, those of the same traffic together.
type flowGroups struct {
	algebra space.Algebra
	list    []FlowChange
}

// compare adds what passes for certain on one side alone. Whole is every packet
// that goes to what is named.
func (g *flowGroups) compare(from, to string, whole space.Set, before, after passing) {
	opened, closed := after.sure.Minus(before.sure), before.sure.Minus(after.sure)
	g.add(from, to, whole, opened.Minus(before.perhaps), FlowChange{Opened: true})
	g.add(from, to, whole, opened.And(before.perhaps), FlowChange{Opened: true, Doubtful: true})
	g.add(from, to, whole, closed.Minus(after.perhaps), FlowChange{})
	g.add(from, to, whole, closed.And(after.perhaps), FlowChange{Doubtful: true})
}

func (g *flowGroups) add(from, to string, whole, set space.Set, as FlowChange) {
	for _, b := range bundles(set) {
		as.Traffic, as.From, as.To = b.traffic, []string{from}, []string{g.named(to, b, whole)}
		g.list = append(g.list, as)
	}
}

// named is a destination, with its addresses where they are not all there are.
func (g *flowGroups) named(to string, b bundle, whole space.Set) string {
	all := space.Whole(space.Destination)
	if len(b.to) == 1 && b.to[0] == all[0] {
		return to
	}
	if whole.Within(g.algebra.Where(space.Destination, b.to...)) {
		return to
	}
	const most = 4
	var words []string
	for _, i := range b.to[:min(len(b.to), most)] {
		words = append(words, rangeText(i))
	}
	if n := len(b.to) - most; n > 0 {
		words = append(words, strconv.Itoa(n)+" more")
	}
	return to + " (" + strings.Join(words, ", ") + ")"
}

// merged are the changes with the sources of one destination, and then the
// destinations of the same sources, in one.
func (g *flowGroups) merged() []FlowChange {
	byTo := merge(g.list, func(f FlowChange) []string { return f.To }, func(to *FlowChange, f FlowChange) { to.From = append(to.From, f.From...) })
	out := merge(byTo, func(f FlowChange) []string { return f.From }, func(to *FlowChange, f FlowChange) { to.To = append(to.To, f.To...) })
	slices.SortStableFunc(out, func(a, b FlowChange) int {
		switch {
		case a.Opened == b.Opened:
			return 0
		case a.Opened:
			return -1
		}
		return 1
	})
	return out
}

// merge joins changes of the same kind and traffic that agree in one end.
func merge(list []FlowChange, by func(FlowChange) []string, join func(to *FlowChange, f FlowChange)) []FlowChange {
	at := map[string]int{}
	var out []FlowChange
	for _, f := range list {
		key := fmt.Sprintf("%v %v %s %q", f.Opened, f.Doubtful, f.Traffic, by(f))
		if i, ok := at[key]; ok {
			join(&out[i], f)
			continue
		}
		at[key] = len(out)
		out = append(out, f)
	}
	return out
}
