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
	"github.com/cloister-ml/cloister/privatedns"
	"github.com/cloister-ml/cloister/verdict"
)

// address is one of a network interface, or the internet.
type address struct {
	name string
	key  string // the same in both estates
	nic  arm.ID
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
			out = append(out, address{name: name, key: n.ID.Key() + " " + strconv.Itoa(i), nic: n.ID, addr: a})
		}
	}
	return out
}

// versus is one of two estates that are compared.
type versus struct {
	w        *world
	matrix   *network.Matrix
	spaces   *network.Spaces
	away     []space.Interval // outside either estate
	ports    []uint16         // that a client may call from
	at       map[string]network.Member
	public   map[string]netip.Addr // network interfaces' public addresses
	ways     map[int]network.Verdicts
	answers  map[asking]*privatedns.Answer
	admitted map[knocking]verdict.Value
}

// versusOf are the two sides of a comparison.
func versusOf(before, after *world) (was, now *versus) {
	away := space.Union(slices.Concat(before.away(), after.away()))
	return newVersus(before, away), newVersus(after, away)
}

func newVersus(w *world, away []space.Interval) *versus {
	matrix := w.net.Matrix("")
	v := &versus{w: w, matrix: matrix, spaces: matrix.Spaces(), away: away, ports: w.net.ClientPorts(),
		at: map[string]network.Member{}, public: map[string]netip.Addr{}, ways: map[int]network.Verdicts{},
		answers: map[asking]*privatedns.Answer{}, admitted: map[knocking]verdict.Value{}}
	for _, a := range w.addresses() {
		v.at[a.key] = network.Member{NIC: a.nic, Addr: a.addr}
	}
	for _, n := range w.net.NICs {
		v.public[n.ID.Key()+" 0"] = n.PublicAddr
		if i := slices.Index(n.Addrs, n.PublicTo6); i >= 0 && n.PublicAddr6.IsValid() {
			v.public[n.ID.Key()+" "+strconv.Itoa(i)] = n.PublicAddr6
		}
	}
	return v
}

// toward is what passes from an address to what is outside either estate: the same
// for all of its kind.
func (v *versus) toward(m network.Member) network.Verdicts {
	kind, known := v.w.alike().Kind(m.NIC, m.Addr)
	if !known {
		return v.spaces.Toward(m.Addr, v.away)
	}
	out, ok := v.ways[kind]
	if !ok {
		out = v.spaces.Toward(m.Addr, v.away)
		v.ways[kind] = out
	}
	return out
}

// kinds are the class of an address within networks, and its kind on the way out
// of them: -1 where it is not in this estate.
func (v *versus) kinds(key string) (class, kind int) {
	m, ok := v.at[key]
	if !ok || !m.Addr.IsValid() {
		return -1, -1
	}
	class, ok = v.matrix.Class(m.NIC, m.Addr)
	if !ok {
		return -1, -1
	}
	kind, _ = v.w.alike().Kind(m.NIC, m.Addr)
	return class, kind
}

// alikes are addresses that are treated alike in both estates.
type alikes struct {
	was, now int // classes, -1 where they are not in that estate
	list     []address
}

// flows compares what passes: once for each pair of groups of addresses that are
// treated alike, before and after.
func (d *Difference) flows(old, now *versus) {
	c := comparison{old: old, now: now, g: flowGroups{algebra: now.spaces.Algebra()}, carriedFrom: map[space.Set]space.Set{}, known: map[[2]int]bool{}}
	inside, outwards := c.grouped()
	for _, from := range inside {
		for _, to := range inside {
			c.within(from, to)
		}
	}
	for _, to := range c.all {
		c.inwards(to)
	}
	regions := now.w.outside(c.g.algebra)
	for _, from := range outwards {
		c.outwards(from, regions)
	}
	d.Flows = append(d.Flows, c.g.merged()...)
}

// comparison is of two estates.
type comparison struct {
	old, now    *versus
	all         []address
	g           flowGroups
	carriedFrom map[space.Set]space.Set // sets of other algebras in that of g
	known       map[[2]int]bool         // pairs of cells, and whether they differ
}

// grouped are the addresses of both estates, those together that are alike within
// networks, and those that are alike on the way out.
func (c *comparison) grouped() (inside, outwards []alikes) {
	c.all = slices.Clone(c.now.w.addresses())
	for _, a := range c.old.w.addresses() {
		if _, still := c.now.at[a.key]; !still {
			c.all = append(c.all, a)
		}
	}
	c.all = slices.DeleteFunc(c.all, func(a address) bool { return a.key == internetName })
	at := map[[3]int]int{}
	put := func(list *[]alikes, which, was, now int, a address) {
		key := [3]int{which, was, now}
		i, ok := at[key]
		if !ok {
			i = len(*list)
			at[key] = i
			*list = append(*list, alikes{was: was, now: now})
		}
		(*list)[i].list = append((*list)[i].list, a)
	}
	for _, a := range c.all {
		wasClass, wasKind := c.old.kinds(a.key)
		class, kind := c.now.kinds(a.key)
		put(&inside, 0, wasClass, class, a)
		put(&outwards, 1, wasKind, kind, a)
	}
	return inside, outwards
}

// within compares what passes between two groups.
func (c *comparison) within(from, to alikes) {
	if from.was == to.was && from.now == to.now && len(from.list) == 1 {
		return // one address
	}
	inOld, inNow := from.was >= 0 && to.was >= 0, from.now >= 0 && to.now >= 0
	cells := [2]int{-1, -1}
	if inOld {
		cells[0] = c.old.matrix.Cell(from.was, to.was)
	}
	if inNow {
		cells[1] = c.now.matrix.Cell(from.now, to.now)
	}
	if differ, known := c.known[cells]; !inOld && !inNow || known && !differ {
		return
	}
	x, y := c.nothing(), c.nothing()
	if inOld {
		x = c.pass(c.old.matrix.At(from.was, to.was))
	}
	if inNow {
		y = c.pass(c.now.matrix.At(from.now, to.now))
	}
	c.known[cells] = x != y
	c.g.compare(nameAll(from.list), nameAll(to.list), c.g.algebra.All(), x, y)
}

func nameAll(list []address) []string {
	out := make([]string, len(list))
	for i, a := range list {
		out[i] = a.name
	}
	return out
}

// inwards compares what passes from the internet to a public address.
func (c *comparison) inwards(to address) {
	x, y := c.old.fromInternet(c, to.key), c.now.fromInternet(c, to.key)
	if x != y {
		c.g.compare([]string{internetName}, []string{to.name}, c.g.algebra.All(), x, y)
	}
}

func (v *versus) fromInternet(c *comparison, key string) passing {
	if a := v.public[key]; a.IsValid() {
		return c.pass(v.spaces.Between(outsiderFor(a), a))
	}
	return c.nothing()
}

// outwards compares what leaves the estates from addresses that are alike.
func (c *comparison) outwards(from alikes, regions []region) {
	x, y := c.old.reached(c, from.list[0]), c.now.reached(c, from.list[0])
	if x == y {
		return
	}
	for _, r := range regions {
		c.g.compare(nameAll(from.list), []string{r.name}, r.set, x.within(r.set), y.within(r.set))
	}
}

// reached is what passes from one address to what is outside either estate.
func (v *versus) reached(c *comparison, from address) passing {
	m := v.at[from.key]
	if !m.Addr.IsValid() {
		return c.nothing()
	}
	return c.pass(v.toward(m))
}

func (c *comparison) nothing() passing { return passing{c.g.algebra.Empty(), c.g.algebra.Empty()} }

func (c *comparison) pass(v network.Verdicts) passing {
	return passing{c.carried(v.Passes), c.carried(v.Unknown)}
}

// carried is a set in the algebra of the comparison.
func (c *comparison) carried(s space.Set) space.Set {
	out, ok := c.carriedFrom[s]
	if !ok {
		out = carried(s, c.g.algebra)
		c.carriedFrom[s] = out
	}
	return out
}

// passing are the packets that pass, and those of which it cannot be said.
type passing struct{ sure, perhaps space.Set }

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
func (g *flowGroups) compare(from, to []string, whole space.Set, before, after passing) {
	opened, closed := after.sure.Minus(before.sure), before.sure.Minus(after.sure)
	g.add(from, to, whole, opened.Minus(before.perhaps), FlowChange{Opened: true})
	g.add(from, to, whole, opened.And(before.perhaps), FlowChange{Opened: true, Doubtful: true})
	g.add(from, to, whole, closed.Minus(after.perhaps), FlowChange{})
	g.add(from, to, whole, closed.And(after.perhaps), FlowChange{Doubtful: true})
}

func (g *flowGroups) add(from, to []string, whole, set space.Set, as FlowChange) {
	for _, b := range bundles(set) {
		as.Traffic, as.From, as.To = b.traffic, slices.Clone(from), to
		if len(to) == 1 {
			as.To = []string{g.named(to[0], b, whole)}
		}
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
