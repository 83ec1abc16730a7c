package space

import (
	"encoding/binary"
	"slices"
)

// Rule is one of a list of which the first that matches decides. It matches a
// packet for certain if every field is among the sure values, perhaps if every
// field is among the sure or the possible ones.
type Rule struct {
	Sure     [fields][]Interval
	Possible [fields][]Interval
	// Outcome is a set of ends, of which one is that of the rule.
	Outcome uint8
	// Certain: where it matches, no later rule decides.
	Certain bool
}

// Decide is the diagram of a list of rules. Its leaves are the sets of ends that
// are possible; otherwise is the end where no rule matches.
func (s *Store) Decide(rules []Rule, otherwise uint8) Node {
	d := decider{s: s, rules: rules, otherwise: otherwise, memo: map[string]Node{}}
	for f := range fields {
		d.full[f] = make([]bool, len(rules))
		for i, r := range rules {
			d.full[f][i] = isWhole(r.Sure[f], f)
		}
	}
	active := make([]activeRule, len(rules))
	for i := range rules {
		active[i] = activeRule{int32(i), true}
	}
	return d.at(0, active)
}

func isWhole(list []Interval, f Field) bool {
	u := list
	if len(u) != 1 {
		u = Union(list)
	}
	return len(u) == 1 && u[0].First == Value{} && u[0].Last == highest(f)
}

type decider struct {
	s         *Store
	rules     []Rule
	otherwise uint8
	full      [fields][]bool
	memo      map[string]Node
}

// activeRule is a rule that may match still; sure as long as it is certain to.
type activeRule struct {
	rule int32
	sure bool
}

// prune leaves out what comes after a rule that matches whatever follows.
func (d *decider) prune(f Field, active []activeRule) []activeRule {
	for i, a := range active {
		if !a.sure || !d.rules[a.rule].Certain {
			continue
		}
		all := true
		for g := f; g < fields && all; g++ {
			all = d.full[g][a.rule]
		}
		if all {
			return active[:i+1]
		}
	}
	return active
}

func (d *decider) at(f Field, active []activeRule) Node {
	active = d.prune(f, active)
	if f == fields || len(active) == 0 {
		return d.leaf(active)
	}
	skip := true
	for _, a := range active {
		skip = skip && d.full[f][a.rule]
	}
	if skip {
		return d.at(f+1, active)
	}
	key := d.key(f, active)
	if n, ok := d.memo[key]; ok {
		return n
	}
	n := d.split(f, active)
	d.memo[key] = n
	return n
}

func (d *decider) key(f Field, active []activeRule) string {
	b := make([]byte, 1, 1+3*len(active))
	b[0] = byte(f)
	for _, a := range active {
		x := uint32(a.rule) << 1
		if a.sure {
			x |= 1
		}
		b = binary.AppendUvarint(b, uint64(x))
	}
	return string(b)
}

// event is where an active rule begins or ends to match.
type event struct {
	at    Value // the first value for which it holds
	index int32
	sure  bool
	by    int8
}

// split sweeps over the values of a field.
func (d *decider) split(f Field, active []activeRule) Node {
	var events []event
	top := highest(f)
	add := func(i int, list []Interval, sure bool) {
		for _, v := range list {
			events = append(events, event{v.First, int32(i), sure, 1})
			if v.Last != top {
				events = append(events, event{v.Last.Next(), int32(i), sure, -1})
			}
		}
	}
	for i, a := range active {
		if a.sure {
			add(i, d.rules[a.rule].Sure[f], true)
			add(i, d.rules[a.rule].Possible[f], false)
			continue
		}
		add(i, d.rules[a.rule].Sure[f], false)
		add(i, d.rules[a.rule].Possible[f], false)
	}
	slices.SortFunc(events, func(a, b event) int {
		switch {
		case a.at.Less(b.at):
			return -1
		case b.at.Less(a.at):
			return 1
		}
		return 0
	})
	counts := make([][2]int16, len(active))
	var edges []edge
	start := Value{}
	next := make([]activeRule, 0, len(active))
	for i := 0; ; {
		for ; i < len(events) && events[i].at == start; i++ {
			k := 0
			if events[i].sure {
				k = 1
			}
			counts[events[i].index][k] += int16(events[i].by)
		}
		next = next[:0]
		for j, a := range active {
			if counts[j][1] > 0 || counts[j][0] > 0 {
				next = append(next, activeRule{a.rule, counts[j][1] > 0})
			}
		}
		last := top
		if i < len(events) {
			last = events[i].at.Previous()
		}
		edges = append(edges, edge{last, d.at(f+1, slices.Clone(next))})
		if i >= len(events) {
			return d.s.make(f, edges)
		}
		start = events[i].at
	}
}

func (d *decider) leaf(active []activeRule) Node {
	var ends uint8
	for _, a := range active {
		r := d.rules[a.rule]
		ends |= r.Outcome
		if a.sure && r.Certain {
			return Node(ends)
		}
	}
	return Node(ends | d.otherwise)
}
