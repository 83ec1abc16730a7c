package check

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/network/space"
)

// Protocol numbers (IANA, "Protocol Numbers").
const (
	numberICMP = 1
	numberTCP  = 6
	numberUDP  = 17
)

// Traffic is a set of protocols and destination ports.
type Traffic struct {
	TCP   []network.PortRange `json:"tcp,omitempty"`
	UDP   []network.PortRange `json:"udp,omitempty"`
	ICMP  bool                `json:"icmp,omitempty"`
	Other bool                `json:"other,omitempty"` // protocols that are none of these
}

// String is the traffic in words: "TCP 443, 8443", "everything".
func (t Traffic) String() string {
	tcp, udp := portText(t.TCP), portText(t.UDP)
	both := len(t.TCP) > 0 && len(t.UDP) > 0 && tcp == udp
	switch {
	case isWhole(t.TCP) && isWhole(t.UDP) && t.ICMP && t.Other:
		return "everything"
	case both && t.ICMP && t.Other:
		return "TCP and UDP " + tcp + ", other protocols"
	}
	var words []string
	switch {
	case both:
		words = append(words, "TCP and UDP "+tcp)
	default:
		if len(t.TCP) > 0 {
			words = append(words, "TCP "+tcp)
		}
		if len(t.UDP) > 0 {
			words = append(words, "UDP "+udp)
		}
	}
	if t.ICMP {
		words = append(words, "ICMP")
	}
	if t.Other {
		words = append(words, "other protocols")
	}
	return strings.Join(words, "; ")
}

func isWhole(list []network.PortRange) bool {
	return len(list) == 1 && list[0].First <= 1 && list[0].Last == 65535
}

// flow is one flow of the traffic to an address, for its reason.
func (t Traffic) flow(from, to netip.Addr) (network.Flow, bool) {
	f := network.Flow{Source: from, Destination: to}
	switch {
	case len(t.TCP) > 0:
		f.Protocol, f.Port = network.TCP, common(t.TCP)
	case len(t.UDP) > 0:
		f.Protocol, f.Port = network.UDP, common(t.UDP)
	case t.ICMP:
		f.Protocol = network.ICMP
	default:
		return f, false
	}
	return f, true
}

// common is a port of a list: HTTPS, where it is among them.
func common(list []network.PortRange) uint16 {
	for _, r := range list {
		if r.First <= httpsPort && httpsPort <= r.Last {
			return httpsPort
		}
	}
	return max(list[0].First, min(1, list[0].Last))
}

// bundle is a set of destinations and the traffic that goes to each of them.
type bundle struct {
	to      []space.Interval
	traffic Traffic
}

// bundles takes a set apart by destination: those with the same traffic together.
func bundles(s space.Set) []bundle {
	type piece struct{ protocol, port space.Interval }
	var starts []space.Interval
	at := map[space.Interval][]piece{}
	s.Boxes(func(b space.Box) bool {
		to := b[space.Destination]
		if _, ok := at[to]; !ok {
			starts = append(starts, to)
		}
		at[to] = append(at[to], piece{b[space.Protocol], b[space.Port]})
		return true
	})
	var out []bundle
	index := map[string]int{}
	for _, to := range starts {
		var t Traffic
		for _, p := range at[to] {
			t.add(p.protocol, p.port)
		}
		t.TCP, t.UDP = joined(t.TCP), joined(t.UDP)
		key := t.String()
		i, ok := index[key]
		if !ok {
			i = len(out)
			index[key] = i
			out = append(out, bundle{traffic: t})
		}
		out[i].to = append(out[i].to, to)
	}
	for i := range out {
		out[i].to = space.Union(out[i].to)
	}
	return out
}

func (t *Traffic) add(protocol, port space.Interval) {
	first, last := protocol.First.Number(), min(protocol.Last.Number(), 255)
	ports := network.PortRange{First: port.First.Number(), Last: port.Last.Number()}
	has := func(n uint16) bool { return first <= n && n <= last }
	if has(numberTCP) {
		t.TCP = append(t.TCP, ports)
	}
	if has(numberUDP) {
		t.UDP = append(t.UDP, ports)
	}
	t.ICMP = t.ICMP || has(numberICMP)
	for n := first; n <= last && !t.Other; n++ {
		t.Other = n != numberICMP && n != numberTCP && n != numberUDP
	}
}

// joined are port ranges in order, with those that touch made one.
func joined(list []network.PortRange) []network.PortRange {
	slices.SortFunc(list, func(a, b network.PortRange) int { return int(a.First) - int(b.First) })
	var out []network.PortRange
	for _, r := range list {
		if n := len(out); n > 0 && int(r.First) <= int(out[n-1].Last)+1 {
			out[n-1].Last = max(out[n-1].Last, r.Last)
			continue
		}
		out = append(out, r)
	}
	return out
}

// rangeText is an interval of addresses as a prefix, where it is one.
func rangeText(i space.Interval) string {
	a, b := i.First.Addr(), i.Last.Addr()
	if a == b {
		return a.String()
	}
	for bits := range a.BitLen() {
		if p, err := a.Prefix(bits); err == nil && p.Addr() == a && space.Prefixes([]netip.Prefix{p})[0] == i {
			return p.String()
		}
	}
	return fmt.Sprintf("%s-%s", a, b)
}
