package fabric

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/internal/fabric/nft"
	"github.com/cloister-ml/cloister/network"
	sets "github.com/cloister-ml/cloister/network/space"
)

// terms are what a rule compares. Of what cannot be known of a rule the closed
// side is taken: it allows only what it surely allows, and denies whatever it
// may deny.
type terms struct {
	allow, sure           bool
	protocol              string
	from, to              []network.PortRange
	sources, destinations []netip.Prefix
	six                   bool // of packets of IPv6
}

func (f *filter) termsOf(m network.Match) terms {
	r := m.Rule
	t := terms{r.Allow, true, r.Protocol, r.SourcePorts, r.DestinationPorts, m.Sources, m.Destinations, f.six}
	if len(m.Unresolved)+len(r.Doubts) == 0 {
		return t
	}
	doubts := slices.Concat(r.Doubts, m.Doubts)
	if slices.ContainsFunc(doubts, func(d network.Doubt) bool { return d.About == "access" }) {
		t.allow = false
	}
	if len(doubts) == 0 && !t.allow {
		t.sources, t.destinations = everywhere(), everywhere()
	}
	for _, d := range doubts {
		switch d.About {
		case "source":
			t.sources = widen(t.sources, d, !t.allow)
			continue
		case "destination":
			t.destinations = widen(t.destinations, d, !t.allow)
			continue
		case "source port":
			t.from = nil
		case "port":
			t.to = nil
		case "protocol":
			t.protocol = "*"
		}
		t.sure = false
	}
	return t
}

// doubtful says once of a rule that it is not built as written.
func (f *filter) doubtful(one network.Filter, m network.Match) {
	if len(m.Unresolved)+len(m.Rule.Doubts) > 0 {
		f.note("%s: rule %s is not fully known (%s): it allows only what it surely allows, and denies all that it may", one.At, m.Rule.Name, strings.Join(m.Unresolved, ", "))
	}
}

// rule compiles one match as rules of a list, for the few that concern the
// platform.
func (f *filter) rule(one network.Filter, m network.Match) []nft.Rule {
	t := f.termsOf(m)
	f.doubtful(one, m)
	if t.allow && !t.sure {
		return nil
	}
	do := drop
	if t.allow {
		do = nft.Action{Verb: nft.Return}
	}
	var out []nft.Rule
	for _, match := range f.matching(t) {
		out = append(out, nft.Rule{Match: match, Count: true, Do: do, Comment: m.Rule.Name})
	}
	return out
}

// matching are the ways to match terms, none where nothing does.
func (f *filter) matching(t terms) [][]nft.Match {
	sources, destinations := spansOf(t.sources, t.six), spansOf(t.destinations, t.six)
	if len(sources) == 0 || len(destinations) == 0 {
		return nil
	}
	addresses := slices.Concat(f.spans(nft.Source, sources), f.spans(nft.Destination, destinations))
	var out [][]nft.Match
	for _, s := range t.services() {
		match := slices.Concat(f.numbers("proto-", nft.Protocol, s.protocols), f.numbers("port-", nft.SourcePort, s.from), f.numbers("port-", nft.DestinationPort, s.to))
		out = append(out, append(match, addresses...))
	}
	return out
}

// Every address of a version.
var (
	all4 = netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	all6 = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
)

func everywhere() []netip.Prefix {
	return []netip.Prefix{all4, all6}
}

// widen adds to one side of a rule what a doubt may add, where the rule denies.
func widen(list []netip.Prefix, d network.Doubt, deny bool) []netip.Prefix {
	switch {
	case !deny:
		return list
	case len(d.Within) == 0:
		return everywhere()
	}
	return slices.Concat(list, d.Within)
}

// protocols by the names that security rules give them.
var protocols = map[string]uint32{"tcp": protoTCP, "udp": protoUDP, "icmp": protoICMP, "esp": protoESP, "ah": protoAH}

// protocolOf is the number of the protocol that a rule names. For packets of IPv6
// it is that of ICMPv6, which security groups are said not to support: whether
// they match it is not known, and the closed side is taken.
//
// Source: Microsoft Learn, "What is IPv6 for Azure Virtual Network?" (limitations).
func (t terms) protocolOf() (n uint16, named, surely bool) {
	p, named := protocols[strings.ToLower(t.protocol)]
	if t.six && p == protoICMP {
		return protoICMP6, true, false
	}
	return uint16(p), named, true
}

// whole reports whether merged ranges are every port.
func whole(merged []network.PortRange) bool {
	return len(merged) == 0 || merged[0].First <= 1 && merged[0].Last == 65535
}

// anyClient reports whether merged ranges hold every port that a client chooses.
func anyClient(merged []network.PortRange) bool {
	return len(merged) == 0 || slices.ContainsFunc(merged, func(r network.PortRange) bool { return r.First <= 1024 && r.Last == 65535 })
}

// span is a range of addresses, both ends included.
type span struct{ first, last netip.Addr }

// spansOf are the addresses of one version of prefixes as the fewest ranges, in order.
func spansOf(list []netip.Prefix, six bool) []span {
	var all []span
	for _, p := range list {
		if p.Addr().Is6() == six {
			all = append(all, span{p.Masked().Addr(), lastOf(p)})
		}
	}
	slices.SortFunc(all, func(a, b span) int { return a.first.Compare(b.first) })
	var out []span
	for _, s := range all {
		if n := len(out); n > 0 {
			next := out[n-1].last.Next()
			if !next.IsValid() || s.first.Compare(next) <= 0 {
				if out[n-1].last.Less(s.last) {
					out[n-1].last = s.last
				}
				continue
			}
		}
		out = append(out, s)
	}
	return out
}

// lastOf is the highest address of a prefix.
func lastOf(p netip.Prefix) netip.Addr {
	b := p.Masked().Addr().AsSlice()
	for i := p.Bits(); i < 8*len(b); i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// addresses match one side against prefixes; no match for every address.
func (f *filter) addresses(field nft.Field, list []netip.Prefix) []nft.Match {
	return f.spans(field, spansOf(list, f.six))
}

func (f *filter) spans(field nft.Field, spans []span) []nft.Match {
	if len(spans) == 1 {
		s := spans[0]
		if s.first.IsUnspecified() && !s.last.Next().IsValid() {
			return nil
		}
		return []nft.Match{nft.Between(field, nft.Address(s.first), nft.Address(s.last))}
	}
	set := nft.Set{Key: []nft.Type{nft.Addr}, Interval: true}
	for _, s := range spans {
		set.Elems = append(set.Elems, nft.Elem{Key: []nft.Value{nft.Address(s.first)}, To: []nft.Value{nft.Address(s.last)}})
	}
	return []nft.Match{nft.In(f.share("addr-", set), field)}
}

// numbers match protocols or ports; no match for every one.
func (f *filter) numbers(prefix string, field nft.Field, list []sets.Interval) []nft.Match {
	num := func(v sets.Value) nft.Value { return nft.Num(uint32(v.Number())) }
	if slices.Equal(list, wholes[byProtocol]) || slices.Equal(list, wholes[byPort]) {
		return nil
	}
	if len(list) == 1 {
		return []nft.Match{nft.Between(field, num(list[0].First), num(list[0].Last))}
	}
	typ := nft.Port
	if field == nft.Protocol {
		typ = nft.Proto
	}
	set := nft.Set{Key: []nft.Type{typ}, Interval: true}
	for _, i := range list {
		set.Elems = append(set.Elems, nft.Elem{Key: []nft.Value{num(i.First)}, To: []nft.Value{num(i.Last)}})
	}
	return []nft.Match{nft.In(f.share(prefix, set), field)}
}

func mergePorts(list []network.PortRange) []network.PortRange {
	sorted := slices.Clone(list)
	slices.SortFunc(sorted, func(a, b network.PortRange) int { return int(a.First) - int(b.First) })
	var out []network.PortRange
	for _, p := range sorted {
		if n := len(out); n > 0 && int(p.First) <= int(out[n-1].Last)+1 {
			out[n-1].Last = max(out[n-1].Last, p.Last)
			continue
		}
		out = append(out, p)
	}
	return out
}

// share declares a set once under a name that follows from its elements.
func (f *filter) share(prefix string, s nft.Set) string {
	s.Name = prefix + digest(fmt.Sprint(s.Elems), 12)
	if !f.sets[s.Name] {
		f.sets[s.Name] = true
		f.set(s)
	}
	return s.Name
}
