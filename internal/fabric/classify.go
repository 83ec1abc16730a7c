package fabric

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"

	sets "github.com/cloister-ml/cloister/network/space"
)

// The dimensions of a packet, in the order in which classes are made.
const (
	bySource = iota
	byDestination
	byProtocol
	byPort
	bySourcePort
	dimensions
)

// fieldOf is the field of a dimension.
var fieldOf = [dimensions]sets.Field{sets.Source, sets.Destination, sets.Protocol, sets.Port, sets.SourcePort}

// box is a part of a rule: what is in all of its intervals.
type box struct {
	rule  uint32 // the number of the rule
	six   bool   // of packets of IPv6
	in    [dimensions][]sets.Interval
	whole [dimensions]bool // every value is in
}

func newBox(rule uint32, six bool, in [dimensions][]sets.Interval) box {
	b := box{rule: rule, six: six, in: in}
	for d, list := range in {
		b.whole[d] = slices.Equal(list, wholeOf(d, six))
	}
	return b
}

// wholeOf is every value of a dimension.
func wholeOf(d int, six bool) []sets.Interval {
	if six && (d == bySource || d == byDestination) {
		return every6
	}
	return wholes[d]
}

var wholes = func() (out [dimensions][]sets.Interval) {
	for d := range out {
		out[d] = sets.Whole(fieldOf[d])
	}
	out[bySource], out[byDestination] = every4, every4
	return out
}()

// has reports whether a packet is in the box.
func (b box) has(p [dimensions]sets.Value) bool {
	for d, list := range b.in {
		if !b.whole[d] && !slices.ContainsFunc(list, func(i sets.Interval) bool { return !p[d].Less(i.First) && !i.Last.Less(p[d]) }) {
			return false
		}
	}
	return true
}

// decide is the first of the boxes that has a packet: the meaning that classes
// only make faster.
func decide(boxes []box, p [dimensions]sets.Value) (rule uint32, ok bool) {
	for _, b := range boxes {
		if b.has(p) {
			return b.rule, true
		}
	}
	return 0, false
}

// classes are a list of boxes, of which the first that has a packet decides, as
// three lookups: the source gives a state, that and the destination another, and
// that with protocol and ports the rule. What is not found is in no box.
type classes struct {
	sources      []step
	destinations []step
	services     []verdictStep
	sourcePorts  bool // services look at the source port
	six          bool
}

// step leads from a state, which is 0 at the beginning, by an address to another.
type step struct {
	state uint32
	on    sets.Interval
	next  uint32
}

// verdictStep leads from a state by protocol, port and source port to a rule.
type verdictStep struct {
	state uint32
	on    [3]sets.Interval
	rule  uint32
}

func (c classes) size() int { return len(c.sources) + len(c.destinations) + len(c.services) }

// classify makes classes of boxes. Where rules cross each other so that the
// classes would be too many, it divides the list: the parts are asked in turn.
func classify(boxes []box) []classes {
	if len(boxes) == 0 {
		return nil
	}
	c := newClassifier(boxes, 16*len(boxes)+4096)
	c.build()
	if !c.full || len(boxes) == 1 {
		return []classes{c.out}
	}
	half := len(boxes) / 2
	return append(classify(boxes[:half]), classify(boxes[half:])...)
}

// classifier makes the classes of one list.
type classifier struct {
	boxes  []box
	limit  int
	full   bool // beyond the limit
	out    classes
	states [2]map[string]uint32 // by the boxes that are left, for each step
	taken  map[uint32]bool
}

func newClassifier(boxes []box, limit int) *classifier {
	c := &classifier{boxes: boxes, limit: limit, taken: map[uint32]bool{0: true}}
	for i := range c.states {
		c.states[i] = map[string]uint32{}
	}
	for _, b := range boxes {
		c.out.six = b.six
		c.out.sourcePorts = c.out.sourcePorts || !b.whole[bySourcePort]
	}
	return c
}

func (c *classifier) build() {
	all := make([]int, len(c.boxes))
	for i := range all {
		all[i] = i
	}
	c.sweep(bySource, all, func(on sets.Interval, left []int) {
		c.out.sources = addStep(c.out.sources, step{0, on, c.destinations(left)})
	})
}

// destinations is the state of what is left after the source.
func (c *classifier) destinations(left []int) uint32 {
	state, known := c.state(0, left)
	if known || c.full {
		return state
	}
	c.sweep(byDestination, left, func(on sets.Interval, left []int) {
		c.out.destinations = addStep(c.out.destinations, step{state, on, c.services(left)})
	})
	return state
}

// services is the state of what is left after the destination.
func (c *classifier) services(left []int) uint32 {
	state, known := c.state(1, left)
	if known || c.full {
		return state
	}
	for _, v := range c.verdicts(byProtocol, left) {
		v.state = state
		c.out.services = append(c.out.services, v)
	}
	c.full = c.full || c.out.size() > c.limit
	return state
}

// state is the number of the boxes that are left. It follows from the rules'
// numbers, so that it stays while other rules come and go.
func (c *classifier) state(level int, left []int) (n uint32, known bool) {
	key := make([]byte, 1, 1+8*len(left))
	key[0] = byte(level)
	for _, i := range left {
		key = binary.BigEndian.AppendUint32(key, c.boxes[i].rule)
		key = append(key, c.nth(i))
	}
	if n, ok := c.states[level][string(key)]; ok {
		return n, true
	}
	sum := sha256.Sum256(key)
	n = stateNumber | binary.BigEndian.Uint32(sum[:4])
	for c.taken[n] {
		n = stateNumber | (n + 1)
	}
	c.taken[n], c.states[level][string(key)] = true, n
	return n, false
}

// nth tells the boxes of one rule apart.
func (c *classifier) nth(i int) byte {
	n := byte(0)
	for i > 0 && c.boxes[i-1].rule == c.boxes[i].rule {
		n, i = n+1, i-1
	}
	return n
}

func addStep(list []step, s step) []step {
	if n := len(list) - 1; n >= 0 && list[n].state == s.state && list[n].next == s.next && list[n].on.Last.Next() == s.on.First {
		list[n].on.Last = s.on.Last
		return list
	}
	return append(list, s)
}

// verdicts are the boxes that decide for each protocol and port, for source ports
// only where one looks at them.
func (c *classifier) verdicts(d int, left []int) []verdictStep {
	left = c.prune(d, left)
	if len(left) == 0 || c.full {
		return nil
	}
	v := verdictStep{on: [3]sets.Interval{wholes[byProtocol][0], wholes[byPort][0], wholes[bySourcePort][0]}, rule: c.boxes[left[0]].rule}
	if c.covers(d, left[0]) {
		return []verdictStep{v}
	}
	var out, last []verdictStep
	var end sets.Value
	c.sweep(d, left, func(on sets.Interval, left []int) {
		inner := c.verdicts(d+1, left)
		if last != nil && end.Next() == on.First && slices.Equal(inner, last) {
			for i := range inner {
				out[len(out)-len(inner)+i].on[d-byProtocol].Last = on.Last
			}
			end = on.Last
			return
		}
		last, end = inner, on.Last
		for _, v := range inner {
			v.on[d-byProtocol] = on
			out = append(out, v)
		}
		c.full = c.full || len(out) > c.limit
	})
	return out
}

// covers reports whether a box has every value from a dimension on.
func (c *classifier) covers(d, box int) bool {
	for ; d < dimensions; d++ {
		if !c.boxes[box].whole[d] {
			return false
		}
	}
	return true
}

// prune leaves out what comes after a box that has all that is left.
func (c *classifier) prune(d int, left []int) []int {
	for i, b := range left {
		if c.covers(d, b) {
			return left[:i+1]
		}
	}
	return left
}

// change is where a box begins or ends.
type change struct {
	at    sets.Value
	index int
	begin bool
}

// sweep gives each run of values of a dimension with the boxes that have it, in
// their order; runs that none has are left out.
func (c *classifier) sweep(d int, left []int, give func(sets.Interval, []int)) {
	top := wholeOf(d, c.out.six)[0].Last
	changes := c.changes(d, left, top)
	var active []int // where in left, in order
	for i := 0; i < len(changes) && !c.full; {
		first := changes[i].at
		for ; i < len(changes) && changes[i].at == first; i++ {
			x := changes[i]
			at, _ := slices.BinarySearch(active, x.index)
			if x.begin {
				active = slices.Insert(active, at, x.index)
			} else {
				active = slices.Delete(active, at, at+1)
			}
		}
		last := top
		if i < len(changes) {
			last = changes[i].at.Previous()
		}
		if len(active) == 0 {
			continue
		}
		here := make([]int, len(active))
		for j, at := range active {
			here[j] = left[at]
		}
		give(sets.Interval{First: first, Last: last}, c.prune(d+1, here))
		c.full = c.full || c.out.size() > c.limit
	}
}

// changes are where boxes begin and end, in order; an end before a beginning.
func (c *classifier) changes(d int, left []int, top sets.Value) []change {
	var out []change
	for i, b := range left {
		for _, v := range c.boxes[b].in[d] {
			out = append(out, change{v.First, i, true})
			if v.Last != top {
				out = append(out, change{v.Last.Next(), i, false})
			}
		}
	}
	slices.SortFunc(out, func(a, b change) int {
		switch {
		case a.at.Less(b.at):
			return -1
		case b.at.Less(a.at):
			return 1
		case a.begin == b.begin:
			return 0
		case b.begin:
			return -1
		}
		return 1
	})
	return out
}
