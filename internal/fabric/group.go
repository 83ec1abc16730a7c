package fabric

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/fabric/nft"
	"github.com/cloister-ml/cloister/network"
	sets "github.com/cloister-ml/cloister/network/space"
)

// group is a security group as it is seen from one subnet in one direction.
type group struct {
	NSG       arm.ID
	At        string
	Direction network.Direction
	Chain     string
	six       bool
	boxes     []box
	rules     map[uint32]groupRule // by number
	order     []uint32
	sum       []byte // of what it does
}

// groupRule is what a rule of a group is called and what it does.
type groupRule struct {
	name    string
	allow   bool
	builtin bool // one of Azure's own
	always  bool // of a security admin rule: whatever the groups say
}

// allows says what the group does with a packet that begins a connection.
func (g *group) allows(p [dimensions]sets.Value) bool {
	n, ok := decide(g.boxes, p)
	return ok && g.rules[n].allow
}

// chainName begins the names of a group's chains and sets in a direction.
func chainName(nsg arm.ID, d network.Direction) string {
	if d == network.Outbound {
		return "nsg-out-" + digest(nsg.Key(), 12)
	}
	return "nsg-in-" + digest(nsg.Key(), 12)
}

// sighted are rules that several interfaces share: a topology gives each the
// same ones.
type sighted struct {
	first     *network.Match
	n         int
	at        string
	direction network.Direction
}

// group compiles one security group. One is made for all interfaces for which
// the group's tags mean the same.
func (f *filter) group(one network.Filter, d network.Direction) *group {
	key := sighted{n: len(one.Matches), at: one.NSG.Key(), direction: d}
	if key.n > 0 {
		key.first = &one.Matches[0]
	}
	g, ok := f.seen[key]
	if !ok {
		g = f.compile(one, d)
		f.seen[key] = g
	}
	return g
}

func (f *filter) compile(one network.Filter, d network.Direction) *group {
	g := f.boxes(one, d)
	name := chainName(one.NSG, d)
	if one.NSG == "" {
		name = chainName(arm.ID(one.At), d)
	}
	g.sum = g.digest()
	key := name + string(g.sum)
	if same, ok := f.groups[key]; ok {
		return same
	}
	f.groups[key] = g
	f.variants[name]++
	g.Chain = name
	if i := f.variants[name]; i > 1 {
		g.Chain = fmt.Sprintf("%s-%d", name, i)
	}
	f.load(g)
	return g
}

// boxes reads the rules of a group. Each has a number that follows from its
// name, so that it stays while others come and go.
func (f *filter) boxes(one network.Filter, d network.Direction) *group {
	g := &group{NSG: one.NSG, At: one.At, Direction: d, six: f.six, rules: map[uint32]groupRule{}}
	for _, m := range one.Matches {
		t := f.termsOf(m)
		f.doubtful(one, m)
		n := number(m.Rule.Name, func(n uint32) bool { _, taken := g.rules[n]; return taken })
		g.rules[n] = groupRule{name: m.Rule.Name, allow: t.allow, builtin: m.Rule.Default}
		g.order = append(g.order, n)
		if !t.allow || t.sure {
			g.boxes = append(g.boxes, t.boxes(n)...)
		}
	}
	return g
}

// A mark is the number of a routing table, of a rule or of a state between
// lookups: these bits tell them apart.
const (
	ruleNumber  = 1 << 30
	stateNumber = 1 << 31
)

// number is a rule's for its name, and not one that is taken.
func number(name string, taken func(uint32) bool) uint32 {
	sum := sha256.Sum256([]byte(name))
	n := ruleNumber | binary.BigEndian.Uint32(sum[:4])&^stateNumber
	for taken(n) {
		n = ruleNumber | (n+1)&^stateNumber
	}
	return n
}

// digest is equal for groups that do the same.
func (g *group) digest() []byte {
	h := sha256.New()
	var line []byte
	for _, b := range g.boxes {
		r := g.rules[b.rule]
		line = binary.BigEndian.AppendUint32(line[:0], b.rule)
		line = strconv.AppendBool(strconv.AppendBool(strconv.AppendQuote(line, r.name), r.allow), r.always)
		for _, list := range b.in {
			line = binary.BigEndian.AppendUint32(line, uint32(len(list)))
			for _, i := range list {
				line = i.Last.AppendTo(i.First.AppendTo(line))
			}
		}
		h.Write(line)
	}
	h.Write([]byte("order"))
	for _, n := range g.order {
		h.Write(binary.BigEndian.AppendUint32(line[:0], n))
	}
	return h.Sum(nil)
}

// load adds a group's chain with its sets. It returns for what the group allows
// and drops the rest.
func (f *filter) load(g *group) {
	f.lookups(g, drop, func(r groupRule) nft.Action {
		if r.allow {
			return nft.Action{Verb: nft.Return}
		}
		return drop
	})
}

// Every address of a version, as intervals. Packets of IPv6 have no addresses that
// stand for IPv4's.
var (
	every4 = sets.Prefixes([]netip.Prefix{all4})
	every6 = sets.Whole(sets.Source)
)

// boxes are what a rule matches, as products of intervals.
func (t terms) boxes(rule uint32) []box {
	var in [dimensions][]sets.Interval
	in[bySource], in[byDestination] = intervalsOf(t.sources, t.six), intervalsOf(t.destinations, t.six)
	if len(in[bySource]) == 0 || len(in[byDestination]) == 0 {
		return nil
	}
	var out []box
	for _, s := range t.services() {
		in[byProtocol], in[byPort], in[bySourcePort] = s.protocols, s.to, s.from
		out = append(out, newBox(rule, t.six, in))
	}
	return out
}

// portion is a part of what a rule is for: protocols with ports.
type portion struct{ protocols, from, to []sets.Interval }

// services are at most two: the protocols with ports, and the others, for which
// only a rule for every destination port is. Whether a rule for some source ports
// is for them cannot be said: the closed side is taken.
func (t terms) services() []portion {
	from, to := mergePorts(t.from), mergePorts(t.to)
	s := portion{wholes[byProtocol], portIntervals(from), portIntervals(to)}
	other := portion{wholes[byProtocol], wholes[bySourcePort], wholes[byPort]}
	portless := whole(to) && (anyClient(from) || !t.allow)
	n, named, surely := t.protocolOf()
	one := []sets.Interval{sets.Numbers(n, n)}
	switch {
	case t.allow && !surely:
		return nil
	case named && (n == protoTCP || n == protoUDP):
		s.protocols = one
		return []portion{s}
	case named && portless:
		other.protocols = one
		return []portion{other}
	case t.protocol != "*":
		return nil
	case whole(from) && whole(to):
		return []portion{other}
	}
	s.protocols = []sets.Interval{sets.Numbers(protoTCP, protoTCP), sets.Numbers(protoUDP, protoUDP)}
	if !portless {
		return []portion{s}
	}
	other.protocols = []sets.Interval{sets.Numbers(0, protoTCP-1), sets.Numbers(protoTCP+1, protoUDP-1), sets.Numbers(protoUDP+1, 255)}
	return []portion{s, other}
}

func portIntervals(merged []network.PortRange) []sets.Interval {
	if whole(merged) {
		return wholes[byPort]
	}
	out := make([]sets.Interval, len(merged))
	for i, r := range merged {
		out[i] = sets.Numbers(r.First, r.Last)
	}
	return out
}

// intervalsOf are the addresses of one version of prefixes.
func intervalsOf(list []netip.Prefix, six bool) []sets.Interval {
	of := slices.DeleteFunc(slices.Clone(list), func(p netip.Prefix) bool { return p.Addr().Is6() != six })
	if slices.Contains(of, all6) {
		return every6
	}
	return sets.Union(sets.Prefixes(of))
}
