package fabric

import (
	"net/netip"
	"slices"
	"strings"
)

// merge makes one table of those of a router where they do not contradict each
// other, as in a network without route tables of its own. The kernel looks each
// packet up twice and asks rule by rule as soon as there is any policy rule, which
// costs an eighth of the throughput.
//
// Packets from peers and from the internet see the table too: the filter lets them
// go to the network's own machines only.
func (v *vnetPlan) merge(routes []Route, rules []Rule, endpoints int) ([]Route, []Rule) {
	all := newLookupTables(routes)
	if len(rules) == 0 || !slices.ContainsFunc(rules, func(r Rule) bool { return r.Table != endpoints }) {
		return routes, rules
	}
	// No machine has a way to the routers' own addresses towards each other: in IPv4
	// nobody needs one, in IPv6 they are of the cable and go no further.
	one := slices.DeleteFunc(slices.Clone(all.lists[mainTable]), func(r Route) bool {
		return outward(r.Dev) && !r.Via.IsValid() && r.Dst.Addr().Is4()
	})
	have := map[netip.Prefix]bool{}
	for _, r := range one {
		have[r.Dst] = true
	}
	for _, r := range routes {
		if r.Metric != 0 || r.Table != mainTable && r.Type == Unicast && !outward(r.Dev) {
			return routes, rules
		}
		if r.Table != mainTable && r.Table != endpoints && r.Type != Throw && !have[r.Dst] {
			have[r.Dst] = true
			r.Table = mainTable
			one = append(one, r)
		}
	}
	merged := newLookupTables(one)
	for _, a := range edges(routes, v.anywhere()) {
		got := merged.find(mainTable, a)
		if linkLocal.Contains(a) {
			continue
		}
		for _, r := range rules {
			want := all.find(r.Table, a)
			if want == got || r.Table == endpoints && want.Type != Unicast { // endpoints only answer
				continue
			}
			return routes, rules
		}
	}
	return one, nil
}

// outward reports whether a router's interface leads away from its own machines.
func outward(dev string) bool { return dev == internetLink || strings.HasPrefix(dev, peeringPrefix) }

// edges are the addresses at which what routes say may change: the first of each
// prefix, and that after its last.
func edges(routes []Route, whole netip.Prefix) []netip.Addr {
	out := []netip.Addr{whole.Addr()}
	for _, r := range routes {
		out = append(out, r.Dst.Addr())
		if next := lastOf(r.Dst).Next(); next.IsValid() {
			out = append(out, next)
		}
	}
	slices.SortFunc(out, netip.Addr.Compare)
	return slices.Compact(out)
}

// lookupTables are routing tables as the kernel reads them.
type lookupTables struct {
	lists   map[int][]Route
	entries map[lookupKey]Route
	lengths map[int][]int // of the prefixes of each table, the longest first
}

type lookupKey struct {
	table int
	dst   netip.Prefix
}

func newLookupTables(routes []Route) lookupTables {
	t := lookupTables{map[int][]Route{}, map[lookupKey]Route{}, map[int][]int{}}
	for _, r := range routes {
		key := lookupKey{r.Table, r.Dst.Masked()}
		if _, twice := t.entries[key]; twice {
			continue // the first has it, as in the kernel
		}
		t.entries[key], t.lists[r.Table] = r, append(t.lists[r.Table], r)
		if n := r.Dst.Bits(); !slices.Contains(t.lengths[r.Table], n) {
			t.lengths[r.Table] = append(t.lengths[r.Table], n)
		}
	}
	for _, list := range t.lengths {
		slices.SortFunc(list, func(a, b int) int { return b - a })
	}
	return t
}

// wayOn is what becomes of a packet.
type wayOn struct {
	Type RouteType
	Dev  string
	Via  netip.Addr
}

// find is the way of a packet that is looked up in one table, and in the main one
// where that does not decide.
func (t lookupTables) find(table int, a netip.Addr) wayOn {
	for _, n := range t.lengths[table] {
		p, err := a.Prefix(n)
		if err != nil {
			continue
		}
		if r, ok := t.entries[lookupKey{table, p}]; ok && r.Type != Throw {
			return wayOn{r.Type, r.Dev, r.Via}
		} else if ok {
			break
		}
	}
	if table != mainTable {
		return t.find(mainTable, a)
	}
	return wayOn{Type: Unreachable} // no route is as good as one that says so
}
