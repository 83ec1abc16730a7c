package fabric

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"net/netip"
	"slices"

	"github.com/cloister-ml/cloister/internal/fabric/nft"
	sets "github.com/cloister-ml/cloister/network/space"
)

// lookups adds the chain that finds the rule for a packet; each counts in the map
// of verdicts. otherwise is for what no rule is for.
func (f *filter) lookups(g *group, otherwise nft.Action, does func(groupRule) nft.Action) {
	c := f.memory.recall(fmt.Sprint(g.Chain, " ", otherwise, " ", f.six, " ", string(g.sum)), func() compiled { return g.lookups(otherwise, does) })
	f.table.Sets = append(f.table.Sets, c.sets...)
	f.chain(c.chain)
}

func (g *group) lookups(otherwise nft.Action, does func(groupRule) nft.Action) compiled {
	var all []nft.Set
	chain := nft.Chain{Name: g.Chain}
	verdicts := nft.Set{Name: g.Chain + rulesSuffix, Key: []nft.Type{nft.Mark}, Data: nft.VerdictType, Count: true}
	for _, n := range g.order {
		verdicts.Elems = append(verdicts.Elems, nft.Elem{Key: []nft.Value{nft.Num(n)}, Verdict: does(g.rules[n]), Comment: g.rules[n].name})
	}
	for i, c := range classify(g.boxes) {
		part := g.Chain
		if i > 0 {
			part = fmt.Sprintf("%s.%d", g.Chain, i+1)
		}
		for _, l := range c.lookups(part) {
			all = append(all, l.in)
			chain.Rules = append(chain.Rules, nft.Rule{
				Steps: []nft.Action{{Verb: nft.SetMark, Fields: l.by, Map: l.in.Name}},
				Do:    nft.Action{Verb: nft.Continue},
			})
		}
		chain.Rules = append(chain.Rules, nft.Rule{Do: nft.Action{Verb: nft.Dispatch, Fields: []nft.Field{nft.PacketMark}, Map: verdicts.Name}})
	}
	chain.Rules = append(chain.Rules, nft.Rule{Do: otherwise})
	return compiled{append(all, verdicts), chain}
}

// rulesSuffix ends the names of the maps that hold what rules do, and count.
const rulesSuffix = "-rules"

// lookup sets the mark to what a map has for some fields, the mark often among
// them; where the map has nothing, the mark stays. As no two states have the same
// number, a mark that has come further is in none of the maps before.
type lookup struct {
	by []nft.Field
	in nft.Set
}

// few is up to how many values a range is written out, to be found by hashing.
const few = 16

// A set of ranges over several fields is searched in time that grows with its
// elements, and copied whole when one changes; a set of single values is neither.
// So what most of a state's packets come to is found by the state alone, what is
// for one address or one port by hashing, and only the rest among ranges.

// lookups are the steps of the classes as maps, those without elements left out.
func (c classes) lookups(part string) []lookup {
	from := c.from(part)
	to := newStage(part+"-to", []nft.Field{nft.PacketMark, nft.Destination})
	ways := map[uint32]uint32{} // where a state leads whose destinations all lead there
	for _, s := range states(c.destinations, func(s step) uint32 { return s.state }) {
		to.destinations(s, c.six, ways)
	}
	what := newStage(part+"-what", []nft.Field{nft.PacketMark, nft.Protocol, nft.DestinationPort})
	bare := newStage(part+"-protocol", []nft.Field{nft.PacketMark, nft.Protocol})
	if c.sourcePorts {
		what.ranges.by = append(what.ranges.by, nft.SourcePort)
	}
	for _, s := range states(c.services, func(s verdictStep) uint32 { return s.state }) {
		what.services(s, &bare, c.sourcePorts, ways)
	}
	follow := func(l *lookup) {
		for i, e := range l.in.Elems {
			for next, ok := ways[e.Value.Num]; ok; next, ok = ways[e.Value.Num] {
				e.Value = nft.Num(next)
			}
			l.in.Elems[i] = e
		}
	}
	// Only that of ports looks beyond the IP header. Where a packet has none, no
	// rule for ports is for it either.
	var out []lookup
	for _, l := range []lookup{from, to.single, to.ranges, to.other, what.single, what.ranges, bare.single, bare.ranges, what.other} {
		if len(l.in.Elems) == 0 {
			continue
		}
		follow(&l)
		l.in.Key, l.in.Data = nil, nft.Mark
		for _, f := range l.by {
			l.in.Key = append(l.in.Key, f.Type())
		}
		out = append(out, l)
	}
	return out
}

// from is the first lookup. Every source is in it, so that nothing is left of the
// mark that a packet came with.
func (c classes) from(part string) lookup {
	l := lookup{[]nft.Field{nft.Source}, nft.Set{Name: part + "-from", Interval: true}}
	add := func(on sets.Interval, next uint32) {
		l.in.Elems = append(l.in.Elems, nft.Elem{Key: []nft.Value{c.address(on.First)}, To: []nft.Value{c.address(on.Last)}, Value: nft.Num(next)})
	}
	whole := wholeOf(bySource, c.six)[0]
	at, top := whole.First, whole.Last
	for _, s := range c.sources {
		if at.Less(s.on.First) {
			add(sets.Interval{First: at, Last: s.on.First.Previous()}, nowhere)
		}
		add(s.on, s.next)
		if s.on.Last == top {
			return l
		}
		at = s.on.Last.Next()
	}
	add(sets.Interval{First: at, Last: top}, nowhere)
	return l
}

// address is a value as an address of the classes' version.
func (c classes) address(v sets.Value) nft.Value { return addressOf(v, c.six) }

// addressOf is a value as an address, also where IPv6 has one that stands for one
// of IPv4: it is the end of a range then.
func addressOf(v sets.Value, six bool) nft.Value {
	if six {
		return nft.Address(netip.AddrFrom16(v.Addr().As16()))
	}
	return nft.Address(v.Addr())
}

// nowhere is a mark from which nothing leads on.
const nowhere = 0

// stage is one step for all states: what is found by hashing, what among ranges,
// and what a state has for all else.
type stage struct{ single, ranges, other lookup }

func newStage(name string, by []nft.Field) stage {
	return stage{
		single: lookup{by, nft.Set{Name: name}},
		ranges: lookup{slices.Clone(by), nft.Set{Name: name + "-range", Interval: true}},
		other:  lookup{by[:1], nft.Set{Name: name + "-else"}},
	}
}

func (l *lookup) add(next uint32, first, last []nft.Value) {
	e := nft.Elem{Key: first, Value: nft.Num(next)}
	if l.in.Interval {
		e.To = last
	}
	l.in.Elems = append(l.in.Elems, e)
}

// otherwise takes what most steps of a state lead to, if together they are
// everything, as what the state has for all else. A state of nothing else is only
// a way to it.
func (s *stage) otherwise(state uint32, nexts []uint32, everything bool, ways map[uint32]uint32) (most uint32, ok bool) {
	if !everything {
		return 0, false
	}
	count := map[uint32]int{}
	for _, n := range nexts {
		count[n]++
	}
	for n := range count {
		if !ok || cmp.Or(cmp.Compare(count[n], count[most]), cmp.Compare(most, n)) > 0 {
			most, ok = n, true
		}
	}
	if len(count) == 1 {
		ways[state] = most
	} else {
		s.other.add(most, []nft.Value{nft.Num(state)}, nil)
	}
	return most, true
}

func (s *stage) destinations(steps []step, six bool, ways map[uint32]uint32) {
	var nexts []uint32
	whole := wholeOf(byDestination, six)[0]
	gapless := steps[0].on.First == whole.First && steps[len(steps)-1].on.Last == whole.Last
	for i, one := range steps {
		nexts = append(nexts, one.next)
		gapless = gapless && (i == 0 || steps[i-1].on.Last.Next() == one.on.First)
	}
	state := nft.Num(steps[0].state)
	most, found := s.otherwise(steps[0].state, nexts, gapless, ways)
	for _, one := range steps {
		switch {
		case found && one.next == most:
		case addresses(one.on) <= few:
			for a := one.on.First; ; a = a.Next() {
				s.single.add(one.next, []nft.Value{state, addressOf(a, six)}, nil)
				if a == one.on.Last {
					break
				}
			}
		default:
			s.ranges.add(one.next, []nft.Value{state, addressOf(one.on.First, six)}, []nft.Value{state, addressOf(one.on.Last, six)})
		}
	}
}

func (s *stage) services(steps []verdictStep, bare *stage, sourcePorts bool, ways map[uint32]uint32) {
	var all uint64
	var nexts []uint32
	for _, one := range steps {
		all, nexts = all+size(one.on[0])*size(one.on[1])*size(one.on[2]), append(nexts, one.rule)
	}
	state := nft.Num(steps[0].state)
	most, found := s.otherwise(steps[0].state, nexts, all == 1<<(8+16+16), ways)
	for _, one := range steps {
		if found && one.rule == most {
			continue
		}
		anySource, anyPort := one.on[2] == wholes[bySourcePort][0], one.on[1] == wholes[byPort][0]
		protocols, ports := numbers(one.on[0]), numbers(one.on[1])
		switch {
		case anySource && anyPort && len(protocols) <= few:
			for _, p := range protocols {
				bare.single.add(one.rule, []nft.Value{state, p}, nil)
			}
		case anySource && anyPort:
			bare.ranges.add(one.rule, []nft.Value{state, protocols[0]}, []nft.Value{state, protocols[len(protocols)-1]})
		case anySource && len(protocols)*len(ports) <= few:
			for _, p := range protocols {
				for _, n := range ports {
					s.single.add(one.rule, []nft.Value{state, p, n}, nil)
				}
			}
		default:
			s.ranges.add(one.rule, one.ends(sourcePorts, func(i sets.Interval) sets.Value { return i.First }), one.ends(sourcePorts, func(i sets.Interval) sets.Value { return i.Last }))
		}
	}
}

// ends are the first or last values of a step's ranges, the state before them.
func (s verdictStep) ends(sourcePorts bool, of func(sets.Interval) sets.Value) []nft.Value {
	out := []nft.Value{nft.Num(s.state)}
	for _, on := range s.on {
		out = append(out, nft.Num(uint32(of(on).Number())))
	}
	if !sourcePorts {
		return out[:len(out)-1]
	}
	return out
}

// addresses is how many an interval of addresses has, as far as that can be counted.
func addresses(on sets.Interval) uint64 {
	first, last := on.First.Addr().As16(), on.Last.Addr().As16()
	n := binary.BigEndian.Uint64(last[8:]) - binary.BigEndian.Uint64(first[8:])
	if n == math.MaxUint64 || [8]byte(first[:]) != [8]byte(last[:]) {
		return math.MaxUint64
	}
	return n + 1
}

// size is how many values an interval of numbers has.
func size(on sets.Interval) uint64 { return uint64(on.Last.Number()) - uint64(on.First.Number()) + 1 }

// numbers are the values of an interval of numbers; of a long one the ends.
func numbers(on sets.Interval) []nft.Value {
	first, last := uint32(on.First.Number()), uint32(on.Last.Number())
	var out []nft.Value
	for n := first; n <= last && n-first <= few; n++ {
		out = append(out, nft.Num(n))
	}
	if last-first > few {
		out = append(out, nft.Num(last))
	}
	return out
}

// states divides steps, which are in the order of their states, by these.
func states[S any](steps []S, state func(S) uint32) [][]S {
	var out [][]S
	for i := 0; i < len(steps); {
		j := i + 1
		for j < len(steps) && state(steps[j]) == state(steps[i]) {
			j++
		}
		out, i = append(out, steps[i:j]), j
	}
	return out
}
