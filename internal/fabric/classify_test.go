package fabric

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/cloister-ml/cloister/internal/fabric/nft"
	"github.com/cloister-ml/cloister/network"
	sets "github.com/cloister-ml/cloister/network/space"
)

// look is what the kernel does with the lookups: each sets the mark if it finds
// something, and the next part is tried where the mark is no rule's in the end.
func look(parts []classes, p [dimensions]sets.Value) (rule uint32, ok bool) {
	mark := nft.Num(0x12345) // a subnet's
	for _, c := range parts {
		for _, l := range c.lookups("part") {
			if e, ok := find(l, mark, p); ok {
				mark = e.Value
			}
		}
		if mark.Num&(stateNumber|ruleNumber) == ruleNumber {
			return mark.Num, true
		}
	}
	return 0, false
}

// find is the kernel's search in one set: the first element that has the packet.
func find(l lookup, mark nft.Value, p [dimensions]sets.Value) (nft.Elem, bool) {
	field := func(f nft.Field) nft.Value {
		switch f {
		case nft.PacketMark:
			return mark
		case nft.Source:
			return nft.Address(p[bySource].Addr())
		case nft.Destination:
			return nft.Address(p[byDestination].Addr())
		}
		d := map[nft.Field]int{nft.Protocol: byProtocol, nft.DestinationPort: byPort, nft.SourcePort: bySourcePort}[f]
		return nft.Num(uint32(p[d].Number()))
	}
	i := slices.IndexFunc(l.in.Elems, func(e nft.Elem) bool {
		for i, f := range l.by {
			v, first := field(f), e.Key[i]
			last := first
			if l.in.Interval {
				last = e.To[i]
			}
			if v.Num < first.Num || v.Num > last.Num || v.Addr.Less(first.Addr) || last.Addr.Less(v.Addr) {
				return false
			}
		}
		return true
	})
	if i < 0 {
		return nft.Elem{}, false
	}
	return l.in.Elems[i], true
}

// randomTerms are few values, so that rules meet.
func randomTerms(t *rapid.T) terms {
	side := func(what string) (out []netip.Prefix) {
		for range rapid.IntRange(1, 3).Draw(t, what) {
			out = append(out, prefix(rapid.SampledFrom([]string{anywhere, "10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "10.1.2.3/32", "10.2.0.0/15", "255.0.0.0/8", "0.0.0.0/32"}).Draw(t, what)))
		}
		return out
	}
	ports := func(what string) (out []network.PortRange) {
		for range rapid.IntRange(0, 2).Draw(t, what) {
			a, b := rapid.SampledFrom([]uint16{0, 1, 22, 443, 1024, 65535}).Draw(t, what), rapid.SampledFrom([]uint16{0, 1, 22, 443, 1024, 65535}).Draw(t, what)
			out = append(out, network.PortRange{First: min(a, b), Last: max(a, b)})
		}
		return out
	}
	out := terms{allow: rapid.Bool().Draw(t, "allow"), sure: true, protocol: rapid.SampledFrom([]string{"*", "Tcp", "Udp", "Icmp", "Esp"}).Draw(t, "protocol"),
		to: ports("to port"), sources: side("source"), destinations: side("destination")}
	if rapid.IntRange(0, 4).Draw(t, "source ports") == 0 {
		out.from = ports("from port")
	}
	return out
}

func randomPacket(t *rapid.T) [dimensions]sets.Value {
	addr := rapid.SampledFrom([]string{"0.0.0.0", "0.0.0.1", "9.255.255.255", "10.0.0.0", "10.1.2.3", "10.1.2.4", "10.1.9.9", "10.2.0.0", "10.3.255.255", "254.1.1.1", "255.255.255.255"})
	port := rapid.SampledFrom([]uint16{0, 1, 2, 21, 22, 443, 444, 1023, 1024, 65534, 65535})
	return packet{
		from: netip.MustParseAddr(addr.Draw(t, "from")), to: netip.MustParseAddr(addr.Draw(t, "to")),
		protocol:   rapid.SampledFrom([]uint8{0, 1, 6, 17, 50, 255}).Draw(t, "protocol"),
		sourcePort: port.Draw(t, "source port"), destPort: port.Draw(t, "port"),
	}.values()
}

// The lookups find the rule that is the first in the list to match.
func TestClassesMeanTheList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var boxes []box
		for i := range rapid.IntRange(0, 12).Draw(t, "rules") {
			boxes = append(boxes, randomTerms(t).boxes(ruleNumber|uint32(i+1))...)
		}
		parts := classify(boxes)
		if rapid.Bool().Draw(t, "divided") && len(boxes) > 1 {
			n := rapid.IntRange(1, len(boxes)-1).Draw(t, "at")
			parts = append(classify(boxes[:n]), classify(boxes[n:])...)
		}
		for range 40 {
			p := randomPacket(t)
			want, decided := decide(boxes, p)
			if got, ok := look(parts, p); got != want || ok != decided {
				t.Fatalf("%v: the list says %d %v, the classes %d %v", p, want, decided, got, ok)
			}
		}
	})
}

// Ranges of one lookup must not overlap: the kernel refuses them.
func TestClassesAreDisjoint(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var boxes []box
		for i := range rapid.IntRange(1, 12).Draw(t, "rules") {
			boxes = append(boxes, randomTerms(t).boxes(ruleNumber|uint32(i+1))...)
		}
		for _, c := range classify(boxes) {
			for i, a := range c.destinations {
				for _, b := range c.destinations[:i] {
					if a.state == b.state && !a.on.Last.Less(b.on.First) && !b.on.Last.Less(a.on.First) {
						t.Fatalf("%v and %v", a, b)
					}
				}
			}
			for i, a := range c.services {
				for _, b := range c.services[:i] {
					apart := a.state != b.state
					for d := range a.on {
						apart = apart || a.on[d].Last.Less(b.on[d].First) || b.on[d].Last.Less(a.on[d].First)
					}
					if !apart {
						t.Fatalf("%v and %v", a, b)
					}
				}
			}
		}
	})
}

// However rules cross, the classes stay few: the list is divided instead.
func TestClassesStayFew(t *testing.T) {
	crossing := func(n int) (out []box) {
		for i := range n {
			one := terms{sure: true, protocol: "Tcp", to: []network.PortRange{port(uint16(i))}, sources: everywhere(), destinations: everywhere()}
			narrow := []netip.Prefix{prefix(fmt.Sprintf("10.%d.%d.0/24", i>>8, i&255))}
			if one.sources = narrow; i%2 == 0 {
				one.sources, one.destinations = everywhere(), narrow
			}
			out = append(out, one.boxes(ruleNumber|uint32(i+1))...)
		}
		return out
	}
	boxes, size := crossing(2000), 0
	parts := classify(boxes)
	for _, c := range parts {
		size += c.size()
	}
	if len(parts) < 2 || size > 80*len(boxes) {
		t.Errorf("%d classes in %d parts for %d boxes", size, len(parts), len(boxes))
	}
}

// Another rule elsewhere leaves the states of the others as they are.
func TestStatesStay(t *testing.T) {
	list := func(ports ...uint16) (out []box) {
		for i, p := range ports {
			one := terms{sure: true, protocol: "Tcp", to: []network.PortRange{port(p)}, sources: []netip.Prefix{prefix(fmt.Sprintf("10.%d.0.0/16", i))}, destinations: everywhere()}
			out = append(out, one.boxes(ruleNumber|uint32(i+1))...)
		}
		return out
	}
	before, after := classify(list(1, 2, 3))[0], classify(list(1, 99, 3))[0]
	changed := 0
	for i, s := range before.services {
		if s != after.services[i] {
			changed++
		}
	}
	if fmt.Sprint(before.sources, before.destinations) != fmt.Sprint(after.sources, after.destinations) || changed != 1 {
		t.Errorf("before %v\nafter %v", before, after)
	}
}
