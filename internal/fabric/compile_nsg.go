package fabric

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/cloister-ml/cloister/internal/fabric/nft"
	"github.com/cloister-ml/cloister/network"
)

// rules are one security group's, in its order. A packet that none matches is
// dropped: the group's own last rule says so too.
func (f *filter) rules(one network.Filter) []nft.Rule {
	var out []nft.Rule
	for _, m := range one.Matches {
		if r, ok := f.rule(one, m); ok {
			out = append(out, r)
		}
	}
	return append(out, nft.Rule{Do: drop})
}

// rule compiles one match. What cannot be known of it is taken on the closed
// side: it allows only what it surely allows, and denies whatever it may deny.
func (f *filter) rule(one network.Filter, m network.Match) (nft.Rule, bool) {
	allow, sure := m.Rule.Allow, true
	sources, destinations := m.Sources, m.Destinations
	protocol, from, to := m.Rule.Protocol, m.Rule.SourcePorts, m.Rule.DestinationPorts
	if len(m.Unresolved) > 0 || len(m.Rule.Doubts) > 0 {
		for _, d := range slices.Concat(m.Rule.Doubts, m.Doubts) {
			switch d.About {
			case "source":
				sources = widen(sources, d, !allow)
			case "destination":
				destinations = widen(destinations, d, !allow)
			case "source port":
				sure, from = false, nil
			case "port":
				sure, to = false, nil
			case "protocol":
				sure, protocol = false, "*"
			default:
				sure = false
			}
			if d.About == "access" {
				allow = false
			}
		}
		if len(m.Doubts)+len(m.Rule.Doubts) == 0 && !allow {
			sources, destinations = everywhere(), everywhere()
		}
		f.note("%s: of rule %s %v is not known; it allows nothing by it and denies all that it may", one.At, m.Rule.Name, m.Unresolved)
	}
	if allow && !sure {
		return nft.Rule{}, false
	}
	r := nft.Rule{Count: true, Comment: m.Rule.Name, Do: drop}
	if allow {
		r.Do = nft.Action{Verb: nft.Return}
	}
	ports, ok := f.protocol(&r, protocol, len(from)+len(to) > 0)
	if !ok {
		return nft.Rule{}, false
	}
	for _, side := range []struct {
		field nft.Field
		list  []netip.Prefix
	}{{nft.Source, sources}, {nft.Destination, destinations}} {
		spans := spansOf(side.list)
		if len(spans) == 0 {
			return nft.Rule{}, false
		}
		r.Match = append(r.Match, f.spans(side.field, spans)...)
	}
	if ports {
		r.Match = append(r.Match, f.ports(nft.SourcePort, from)...)
		r.Match = append(r.Match, f.ports(nft.DestinationPort, to)...)
	}
	return r, true
}

func everywhere() []netip.Prefix {
	return []netip.Prefix{netip.PrefixFrom(netip.IPv4Unspecified(), 0)}
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

// protocol adds the match on the protocol, and says whether ports can be looked
// at behind it; ok is false for a protocol that does not exist.
func (f *filter) protocol(r *nft.Rule, name string, hasPorts bool) (ports, ok bool) {
	number := map[string]uint32{"Tcp": protoTCP, "Udp": protoUDP, "Icmp": protoICMP, "Esp": protoESP, "Ah": protoAH}
	if n, ok := number[name]; ok {
		r.Match = append(r.Match, nft.Equals(nft.Protocol, nft.Num(n)))
		return n == protoTCP || n == protoUDP, true
	}
	if name != "*" {
		return false, false
	}
	if hasPorts {
		const set = "tcp-udp"
		if !f.sets[set] {
			f.sets[set] = true
			f.set(nft.Set{Name: set, Key: []nft.Type{nft.Proto}, Elems: []nft.Elem{
				{Key: []nft.Value{nft.Num(protoTCP)}}, {Key: []nft.Value{nft.Num(protoUDP)}},
			}})
		}
		r.Match = append(r.Match, nft.In(set, nft.Protocol))
	}
	return hasPorts, true
}

// span is a range of addresses, both ends included.
type span struct{ first, last netip.Addr }

// spansOf are the IPv4 addresses of prefixes as the fewest ranges, in order.
func spansOf(list []netip.Prefix) []span {
	var all []span
	for _, p := range list {
		if p.Addr().Is4() {
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

// lastOf is the highest address of an IPv4 prefix.
func lastOf(p netip.Prefix) netip.Addr {
	b := p.Masked().Addr().As4()
	for i := p.Bits(); i < 32; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	return netip.AddrFrom4(b)
}

// addresses match one side against prefixes; no match for every address.
func (f *filter) addresses(field nft.Field, list []netip.Prefix) []nft.Match {
	return f.spans(field, spansOf(list))
}

func (f *filter) spans(field nft.Field, spans []span) []nft.Match {
	if len(spans) == 1 {
		s := spans[0]
		if s.first == netip.IPv4Unspecified() && !s.last.Next().IsValid() {
			return nil
		}
		return []nft.Match{nft.Between(field, nft.Address(s.first), nft.Address(s.last))}
	}
	set := nft.Set{Key: []nft.Type{nft.Addr}, Interval: true}
	for _, s := range spans {
		set.Elems = append(set.Elems, nft.Elem{Key: []nft.Value{nft.Address(s.first)}, To: nft.Address(s.last)})
	}
	return []nft.Match{nft.In(f.share("addr-", set), field)}
}

// ports match one side against port ranges; no match for every port.
func (f *filter) ports(field nft.Field, list []network.PortRange) []nft.Match {
	merged := mergePorts(list)
	switch {
	case len(merged) == 0 || merged[0] == network.PortRange{First: 0, Last: 65535}:
		return nil
	case len(merged) == 1:
		return []nft.Match{nft.Between(field, nft.Num(uint32(merged[0].First)), nft.Num(uint32(merged[0].Last)))}
	}
	set := nft.Set{Key: []nft.Type{nft.Port}, Interval: true}
	for _, p := range merged {
		set.Elems = append(set.Elems, nft.Elem{Key: []nft.Value{nft.Num(uint32(p.First))}, To: nft.Num(uint32(p.Last))})
	}
	return []nft.Match{nft.In(f.share("port-", set), field)}
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
