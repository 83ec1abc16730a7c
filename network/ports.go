package network

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/network/space"
	"github.com/cloister-ml/cloister/verdict"
)

// Leaves of diagrams of verdicts. They are the ends that are possible, so that
// unknown is both.
const (
	isNo      = 1
	isYes     = 2
	isUnknown = isNo | isYes
)

var numbers = map[string]uint16{"icmp": 1, "tcp": 6, "udp": 17, "esp": 50, "ah": 51}

// spaceNode is a diagram of verdicts or of ends.
type spaceNode = space.Node

// portSpace is what takes a branch, as a diagram of verdicts.
type portSpace func(*spaceBuilder) spaceNode

// spaceBuilder makes the diagrams of paths. It keeps those of security groups.
type spaceBuilder struct {
	space.Store
	opAnd, opOr, opNot, opAlike, opPair, opAdmin, opFirewall space.Op

	filters   map[filterKey]spaceNode
	firewalls map[*Firewall]spaceNode
	unions    map[listKey][]space.Interval
	// symbol is the destination that stands for all that are treated alike:
	// what is asked about it is left open.
	symbol netip.Addr
	host   string
}

// filterKey names a filter by its rules, which a topology makes once for each
// group and subnet.
type filterKey struct {
	first   *Match
	n       int
	open    bool
	nothing string
}

func newSpaceBuilder() *spaceBuilder {
	b := &spaceBuilder{filters: map[filterKey]spaceNode{}, firewalls: map[*Firewall]spaceNode{}, unions: map[listKey][]space.Interval{}}
	b.opAnd, b.opOr = b.Op(func(x, y uint8) uint8 { return kleene(x, y, isNo, isYes) }), b.Op(func(x, y uint8) uint8 { return kleene(x, y, isYes, isNo) })
	b.opNot = b.Op(func(x, _ uint8) uint8 {
		if x == isUnknown {
			return x
		}
		return x ^ isUnknown
	})
	b.opAlike = b.Op(func(x, y uint8) uint8 {
		if x == y {
			return x
		}
		return isUnknown
	})
	b.opPair = b.Op(func(ends, value uint8) uint8 { return ends | value<<3 })
	b.opAdmin = b.Op(adminLeaf)
	b.opFirewall = b.Op(firewallLeaf)
	return b
}

// kleene: one decides if either is it; the other needs both.
func kleene(x, y, decides, other uint8) uint8 {
	switch {
	case x == decides || y == decides:
		return decides
	case x == other && y == other:
		return other
	}
	return isUnknown
}

// alike is the value that all of several have, if they have one.
func alike(values ...uint8) uint8 {
	out := uint8(0)
	for _, v := range values {
		switch {
		case v == 0 || v == out:
		case out == 0:
			out = v
		default:
			return isUnknown
		}
	}
	return out
}

func when(condition bool, v uint8) uint8 {
	if condition {
		return v
	}
	return 0
}

// adminLeaf joins the ends of security admin rules with what the groups say.
func adminLeaf(ends, groups uint8) uint8 {
	o := outcome(ends)
	return alike(when(o&adminDenies != 0, isNo), when(o&adminAllows != 0, isYes), when(o&adminGoesOn != 0, groups))
}

// firewallLeaf joins the ends of a firewall, and the value beyond its network
// rules, with the value beyond its application rules.
func firewallLeaf(pair, application uint8) uint8 {
	o, network := outcome(pair&7), pair>>3
	return alike(when(o&fwDenies != 0, isNo), when(o&fwNetwork != 0, network), when(o&fwApplication != 0, application))
}

func (b *spaceBuilder) and(x, y spaceNode) spaceNode { return b.both(b.opAnd, x, y, isNo, isYes) }
func (b *spaceBuilder) or(x, y spaceNode) spaceNode  { return b.both(b.opOr, x, y, isYes, isNo) }
func (b *spaceBuilder) not(x spaceNode) spaceNode    { return b.Apply(b.opNot, x, x) }

// both is an operation in which the order does not matter, one leaf decides and
// another leaves all to the other side. A diagram without leaves has no verdict.
func (b *spaceBuilder) both(op space.Op, x, y, decides, leaves spaceNode) spaceNode {
	switch {
	case x == decides || y == decides:
		return decides
	case x == leaves && y != 0:
		return y
	case y == leaves && x != 0:
		return x
	}
	return b.Apply(op, min(x, y), max(x, y))
}

// ports is yes for one protocol and some destination ports.
func (b *spaceBuilder) ports(p Protocol, list ...PortRange) spaceNode {
	inner := spaceNode(isYes)
	if len(list) > 0 {
		inner = b.In(space.Port, portIntervals(list), isYes, isNo)
	}
	n := numbers[strings.ToLower(string(p))]
	return b.In(space.Protocol, []space.Interval{space.Numbers(n, n)}, inner, isNo)
}

func portIntervals(list []PortRange) []space.Interval {
	out := make([]space.Interval, len(list))
	for i, r := range list {
		first := r.First
		if r.whole() {
			first = 0
		}
		out[i] = space.Numbers(first, r.Last)
	}
	return out
}

// at is a diagram for the addresses that packets have at some place.
func (b *spaceBuilder) at(n spaceNode, from, to netip.Addr) spaceNode {
	n = b.At(n, space.Source, space.Address(from))
	if to == b.symbol {
		return n
	}
	return b.At(n, space.Destination, space.Address(to))
}

// withPorts are the protocols that have ports, withoutPorts the others.
var (
	withPorts    = []space.Interval{space.Numbers(6, 6), space.Numbers(17, 17)}
	withoutPorts = []space.Interval{space.Numbers(0, 5), space.Numbers(7, 16), space.Numbers(18, 255)}
)

// rules are a match as rules of a diagram: one for protocols with ports and one
// for the others, which only a rule for every port is for.
func (b *spaceBuilder) rules(m Match, ends outcome, certain bool) []space.Rule {
	r := space.Rule{Outcome: uint8(ends), Certain: certain}
	r.Sure[space.Source], r.Possible[space.Source] = b.sideIntervals(m, aboutSource, m.Sources)
	r.Sure[space.Destination], r.Possible[space.Destination] = b.sideIntervals(m, aboutDestination, m.Destinations)
	_, ports := m.Doubts.About(aboutPort)
	_, source := m.Doubts.About(aboutSourcePort)

	with := r
	m.protocols(&with, withPorts)
	values(&with, space.Port, portsOr(m.Rule.DestinationPorts, space.Port), ports)
	values(&with, space.SourcePort, portsOr(m.Rule.SourcePorts, space.SourcePort), source)
	out := []space.Rule{with}
	if ports || len(m.Rule.DestinationPorts) == 0 || slices.ContainsFunc(m.Rule.DestinationPorts, PortRange.whole) {
		without := r
		m.protocols(&without, withoutPorts)
		values(&without, space.Port, space.Whole(space.Port), ports)
		values(&without, space.SourcePort, space.Whole(space.SourcePort), m.testSourcePort(Flow{Protocol: ICMP}) == verdict.Unknown)
		out = append(out, m.versions(without)...)
	}
	return out
}

// versions divide a rule for Icmp: of IPv6 it may match and may not.
func (m Match) versions(r space.Rule) []space.Rule {
	if !strings.EqualFold(m.Rule.Protocol, string(ICMP)) {
		return []space.Rule{r}
	}
	four, six := r, r
	for _, list := range []func(*space.Rule) *[]space.Interval{
		func(r *space.Rule) *[]space.Interval { return &r.Sure[space.Source] },
		func(r *space.Rule) *[]space.Interval { return &r.Possible[space.Source] },
	} {
		*list(&four), *list(&six) = space.ByVersion(*list(&r))
	}
	six.Possible[space.Protocol] = slices.Concat(six.Possible[space.Protocol], six.Sure[space.Protocol])
	six.Sure[space.Protocol] = nil
	return []space.Rule{four, six}
}

// values gives a rule those of a field: certain ones, or any at all that may be.
func values(r *space.Rule, f space.Field, list []space.Interval, doubt bool) {
	if doubt {
		r.Possible[f] = space.Whole(f)
		return
	}
	r.Sure[f] = list
}

func portsOr(list []PortRange, f space.Field) []space.Interval {
	if len(list) == 0 {
		return space.Whole(f)
	}
	return portIntervals(list)
}

// protocols gives a rule those of its own that are among some.
func (m Match) protocols(r *space.Rule, among []space.Interval) {
	_, direction := m.Doubts.About(aboutDirection)
	_, protocol := m.Doubts.About(aboutProtocol)
	list := among
	if n, named := numbers[strings.ToLower(m.Rule.Protocol)]; named && !direction && !protocol {
		list = nil
		for _, i := range among {
			if v := space.Number(n); !v.Less(i.First) && !i.Last.Less(v) {
				list = []space.Interval{space.Numbers(n, n)}
			}
		}
	}
	if direction || protocol {
		r.Possible[space.Protocol] = list
		return
	}
	r.Sure[space.Protocol] = list
}

// union are the intervals of a list of prefixes. Rules share their lists, those of
// VirtualNetwork above all, and each is looked at once.
func (b *spaceBuilder) union(list []netip.Prefix) []space.Interval {
	if len(list) < 2 {
		return space.Prefixes(list)
	}
	key := listKey{&list[0], len(list)}
	out, ok := b.unions[key]
	if !ok {
		out = space.Union(space.Prefixes(list))
		b.unions[key] = out
	}
	return out
}

// listKey is a list of prefixes that is not changed any more.
type listKey struct {
	first *netip.Prefix
	n     int
}

// sideIntervals are the addresses of one side, for certain and perhaps.
func (b *spaceBuilder) sideIntervals(m Match, about string, list []netip.Prefix) (sure, possible []space.Interval) {
	sure = b.union(list)
	for _, d := range m.Doubts {
		switch {
		case d.About != about:
		case len(d.Within) == 0:
			return sure, space.Whole(space.Source)
		default:
			possible = append(possible, b.union(d.Within)...)
		}
	}
	return sure, possible
}

// filter is the diagram of verdicts of a filter.
func (b *spaceBuilder) filter(f Filter) spaceNode {
	key := filterKey{n: len(f.Matches), open: len(f.Doubts) > 0, nothing: f.At}
	if key.n > 0 {
		key.first, key.nothing = &f.Matches[0], ""
	}
	if n, ok := b.filters[key]; ok {
		return n
	}
	n := b.decided(f)
	b.filters[key] = n
	return n
}

// decided is the diagram of a filter that is not kept.
func (b *spaceBuilder) decided(f Filter) spaceNode {
	var rules []space.Rule
	for _, m := range f.Matches {
		ends := outcome(isNo)
		switch {
		case !m.certainVerb(), !m.Rule.Allow && len(f.Doubts) > 0:
			ends = isUnknown
		case m.Rule.Allow:
			ends = isYes
		}
		rules = append(rules, b.rules(m, ends, m.certain())...)
	}
	return b.Decide(rules, isNo)
}
