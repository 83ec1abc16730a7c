package fabric

import (
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/cloister-ml/cloister/internal/fabric/nft"
	"github.com/cloister-ml/cloister/network"
)

func spaceOf(t *testing.T, p Plan, role Role, part string) Space {
	t.Helper()
	for _, s := range p.Spaces {
		if s.Role == role && strings.Contains(s.Name, part) {
			return s
		}
	}
	t.Fatalf("the plan has no %s %s", role, part)
	return Space{}
}

func TestPlanIsTheSameEveryTime(t *testing.T) {
	first := exampleLike().plan()
	for range 5 {
		if again := exampleLike().plan(); !reflect.DeepEqual(first, again) {
			t.Fatal("two plans of one topology differ")
		}
	}
}

func TestPlanHasASpaceForEach(t *testing.T) {
	var got []string
	for _, s := range twoNetworks().plan().Spaces {
		got = append(got, s.Name)
	}
	want := []string{
		"internet", "outsider", "vnet-hub-72df39ca", "vnet-spoke-92975d6a", "vnet-far-3df57542",
		"vm-jump-d672ed16", "vm-agent-fd99a265", "pe-pe-blob-818a8b9b", "vm-worker-b4cfca15", "vm-remote-e951cb66",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestInterfaceNamesFit(t *testing.T) {
	seen := map[[2]string]bool{}
	for _, l := range exampleLike().plan().Links {
		for _, e := range []End{l.A, l.B} {
			if len(e.Name) > 15 {
				t.Errorf("the kernel refuses the interface name %q", e.Name)
			}
			if at := [2]string{e.Space, e.Name}; seen[at] {
				t.Errorf("%s has two interfaces %s", e.Space, e.Name)
			} else {
				seen[at] = true
			}
		}
	}
}

func TestOnlyRunningNodesAreBuilt(t *testing.T) {
	h := twoNetworks()
	h.nics[1].Kind = network.KindCompute
	off := func(n network.NIC) bool { return false }
	p := compile(h.vnets, h.subnets, h.nics, h, middle{}, Choices{Running: off})
	for _, s := range p.Spaces {
		if strings.Contains(s.Name, "agent") {
			t.Errorf("%s is built and does not run", s.Name)
		}
	}
	spaceOf(t, p, RoleMachine, "jump") // virtual machines always run
}

// Where it is not known which address a public one belongs to, none is taken.
func TestPublicAddressOfNobodyKnown(t *testing.T) {
	h := twoNetworks()
	h.nics[0].PublicAddr = addr("203.0.113.5")
	p := h.plan()
	for _, s := range spaceOf(t, p, RoleRouter, "hub").Filter.Sets {
		if s.Name == "publics" && len(s.Elems) > 0 {
			t.Errorf("translated to %v", s.Elems)
		}
	}
	if len(p.Notes) != 1 || !strings.Contains(p.Notes[0], "not reached at its public address 203.0.113.5") {
		t.Errorf("notes: %q", p.Notes)
	}
}

func TestRoutes(t *testing.T) {
	h := twoNetworks()
	hub := h.subnets[0].ID
	h.nics[1].IPForwarding = true
	h.routes[hub] = []network.Route{
		{Prefix: prefix("10.9.0.0/16"), NextHop: network.HopNone},
		{Prefix: prefix("10.8.0.0/16"), NextHop: network.HopAppliance, Address: addr("10.1.0.5")},
		{Prefix: prefix("10.7.0.0/16"), NextHop: network.HopAppliance, Address: addr("10.1.0.4")},
		{Prefix: prefix("10.6.0.0/16"), NextHop: network.HopGateway},
		{Prefix: prefix("10.5.0.0/16"), NextHop: network.HopPeering, Peer: id("virtualNetworks", "nowhere")},
		{Prefix: prefix("10.4.0.0/16"), NextHop: network.HopInternet, Doubts: network.Doubts{{Reason: "the route table is not known"}}},
		{Prefix: prefix("10.2.0.9/32"), NextHop: network.HopEndpoint, Peer: h.vnets[1].ID},
		{Prefix: prefix("10.1.0.10/32"), NextHop: network.HopEndpoint},
	}
	p := h.plan()
	got := map[string]string{}
	for _, r := range spaceOf(t, p, RoleRouter, "hub").Routes {
		if r.Table != mainTable && r.Type != Throw || r.Dst.Bits() == 32 {
			got[r.Dst.String()] = strings.TrimRight(string(r.Type)+" "+r.Dev, " ")
		}
	}
	for dst, want := range map[string]string{
		"10.9.0.0/16":  "unreachable",
		"10.8.0.0/16":  "unicast " + linkName(guestPrefix, nicID("agent")),
		"10.7.0.0/16":  "unreachable", // no IP forwarding there
		"10.6.0.0/16":  "unreachable",
		"10.5.0.0/16":  "unreachable",
		"10.4.0.0/16":  "unreachable",
		"10.2.0.9/32":  "unicast " + linkName(peeringPrefix, h.vnets[1].ID),
		"10.1.0.10/32": "throw",
		"10.2.0.0/16":  "unicast " + linkName(peeringPrefix, h.vnets[1].ID),
	} {
		if got[dst] != want {
			t.Errorf("%s: %q, want %q", dst, got[dst], want)
		}
	}
	if len(p.Notes) != 3 {
		t.Errorf("notes: %q", p.Notes)
	}
}

// TestRules is what one security rule becomes, in nft's words.
func TestRules(t *testing.T) {
	ports := func(list ...network.PortRange) []network.PortRange { return list }
	list := func(s string) (out []netip.Prefix) {
		for p := range strings.FieldsSeq(s) {
			out = append(out, prefix(p))
		}
		return out
	}
	unknown := func(about string, within string) network.Doubts {
		return network.Doubts{{About: about, Reason: "not known", Within: list(within)}}
	}
	for _, c := range []struct {
		name string
		m    network.Match
		want string
	}{
		{"all", network.Match{Rule: network.Rule{Allow: true, Protocol: "*"}, Sources: list(anywhere), Destinations: list(anywhere)},
			"counter return"},
		{"deny", network.Match{Rule: network.Rule{Protocol: "*"}, Sources: list(anywhere), Destinations: list(anywhere)},
			"counter drop"},
		{"a prefix and a port", network.Match{Rule: network.Rule{Allow: true, Protocol: "Tcp", DestinationPorts: ports(port(22))}, Sources: list("10.1.0.0/24"), Destinations: list(anywhere)},
			"meta l4proto 6 th dport 22 ip saddr 10.1.0.0-10.1.0.255 counter return"},
		{"neighbouring prefixes are one range", network.Match{Rule: network.Rule{Allow: true, Protocol: "Udp"}, Sources: list("10.1.1.0/24 10.1.0.0/24 10.1.0.7/32"), Destinations: list(anywhere)},
			"meta l4proto 17 ip saddr 10.1.0.0-10.1.1.255 counter return"},
		{"several are a set", network.Match{Rule: network.Rule{Allow: true, Protocol: "Icmp"}, Sources: list("10.1.0.0/24 10.3.0.0/24"), Destinations: list(anywhere)},
			"meta l4proto 1 ip saddr @addr-X counter return"},
		{"ports of any protocol", network.Match{Rule: network.Rule{Allow: true, Protocol: "*", DestinationPorts: ports(port(443), port(80))}, Sources: list(anywhere), Destinations: list(anywhere)},
			"meta l4proto @proto-X th dport @port-X counter return"},
		{"every port by its numbers", network.Match{Rule: network.Rule{Allow: true, Protocol: "*", DestinationPorts: ports(network.PortRange{First: 1, Last: 65535})}, Sources: list(anywhere), Destinations: list(anywhere)},
			"counter return"},
		{"ICMP has no port 443", network.Match{Rule: network.Rule{Allow: true, Protocol: "Icmp", DestinationPorts: ports(port(443))}, Sources: list(anywhere), Destinations: list(anywhere)},
			""},
		{"source ports deny what has none", network.Match{Rule: network.Rule{Protocol: "*", SourcePorts: ports(port(53))}, Sources: list(anywhere), Destinations: list(anywhere)},
			"meta l4proto @proto-X th sport 53 counter drop; meta l4proto @proto-X counter drop"},
		{"source ports do not allow what has none", network.Match{Rule: network.Rule{Allow: true, Protocol: "*", SourcePorts: ports(port(53))}, Sources: list(anywhere), Destinations: list(anywhere)},
			"meta l4proto @proto-X th sport 53 counter return"},
		{"nobody", network.Match{Rule: network.Rule{Allow: true, Protocol: "*"}, Destinations: list(anywhere)},
			""},
		{"only IPv6", network.Match{Rule: network.Rule{Allow: true, Protocol: "*"}, Sources: list("fd00::/8"), Destinations: list(anywhere)},
			""},
		{"an unknown tag allows only what is known", network.Match{Rule: network.Rule{Allow: true, Protocol: "*"}, Sources: list("10.1.0.0/24"), Destinations: list(anywhere), Unresolved: []string{"AzureSomething"}, Doubts: unknown("source", "")},
			"ip saddr 10.1.0.0-10.1.0.255 counter return"},
		{"and denies all that it may be", network.Match{Rule: network.Rule{Protocol: "*"}, Sources: list("10.1.0.0/24"), Destinations: list(anywhere), Unresolved: []string{"AzureSomething"}, Doubts: unknown("source", "198.51.0.0/16")},
			"ip saddr @addr-X counter drop"},
		{"or everything", network.Match{Rule: network.Rule{Protocol: "*"}, Sources: list("10.1.0.0/24"), Destinations: list(anywhere), Unresolved: []string{"var.x"}, Doubts: unknown("source", "")},
			"counter drop"},
		{"a tag without a doubt is taken whole", network.Match{Rule: network.Rule{Protocol: "*"}, Destinations: list(anywhere), Unresolved: []string{"AzureSomething"}},
			"counter drop"},
		{"an unknown port allows nothing", network.Match{Rule: network.Rule{Allow: true, Protocol: "Tcp", Doubts: unknown("port", "")}, Sources: list(anywhere), Destinations: list(anywhere)},
			""},
		{"and denies every port", network.Match{Rule: network.Rule{Protocol: "Tcp", DestinationPorts: ports(port(1)), Doubts: unknown("port", "")}, Sources: list(anywhere), Destinations: list(anywhere)},
			"meta l4proto 6 counter drop"},
		{"an unknown verb denies", network.Match{Rule: network.Rule{Allow: true, Protocol: "Tcp", Doubts: unknown("access", "")}, Sources: list(anywhere), Destinations: list(anywhere)},
			"meta l4proto 6 counter drop"},
		{"an unknown protocol denies all", network.Match{Rule: network.Rule{Doubts: unknown("protocol", "")}, Sources: list(anywhere), Destinations: list(anywhere)},
			"counter drop"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &filter{table: &nft.Table{}, sets: map[string]bool{}, note: func(string, ...any) {}}
			var got []string
			for _, r := range f.rule(network.Filter{}, c.m) {
				words := strings.Fields(r.String())
				for i, w := range words {
					if name, _, ok := strings.Cut(w, "-"); ok && strings.HasPrefix(w, "@") {
						words[i] = name + "-X"
					}
				}
				got = append(got, strings.Join(words, " "))
			}
			if joined := strings.Join(got, "; "); joined != c.want {
				t.Errorf("got  %s\nwant %s", joined, c.want)
			}
		})
	}
}

func TestSpansHoldWhatPrefixesHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		address := rapid.Custom(func(t *rapid.T) netip.Addr {
			// Few high bytes and all low ones, so that prefixes meet.
			return netip.AddrFrom4([4]byte{rapid.SampledFrom([]byte{0, 10, 255}).Draw(t, "a"), rapid.SampledFrom([]byte{0, 1, 255}).Draw(t, "b"), rapid.Byte().Draw(t, "c"), rapid.Byte().Draw(t, "d")})
		})
		var list []netip.Prefix
		for range rapid.IntRange(0, 8).Draw(t, "n") {
			list = append(list, netip.PrefixFrom(address.Draw(t, "addr"), rapid.IntRange(0, 32).Draw(t, "bits")).Masked())
		}
		spans := spansOf(list, false)
		for i := 1; i < len(spans); i++ {
			if next := spans[i-1].last.Next(); !next.IsValid() || !next.Less(spans[i].first) {
				t.Fatalf("%v and %v touch", spans[i-1], spans[i])
			}
		}
		for range 30 {
			a := address.Draw(t, "probe")
			var want, got bool
			for _, p := range list {
				want = want || p.Contains(a)
			}
			for _, s := range spans {
				got = got || s.first.Compare(a) <= 0 && a.Compare(s.last) <= 0
			}
			if got != want {
				t.Fatalf("%s in %v: %v, in %v: %v", a, list, want, spans, got)
			}
		}
	})
}

func TestMergedPortsHoldWhatRangesHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var list []network.PortRange
		for range rapid.IntRange(0, 6).Draw(t, "n") {
			a, b := rapid.Uint16().Draw(t, "a"), rapid.Uint16().Draw(t, "b")
			list = append(list, network.PortRange{First: min(a, b), Last: max(a, b)})
		}
		merged := mergePorts(list)
		for range 20 {
			p := rapid.Uint16().Draw(t, "probe")
			holds := func(list []network.PortRange) (found bool) {
				for _, r := range list {
					found = found || r.First <= p && p <= r.Last
				}
				return found
			}
			if holds(list) != holds(merged) {
				t.Fatalf("%d: %v and %v differ", p, list, merged)
			}
		}
	})
}

func TestPoolsNeverGiveOneTwice(t *testing.T) {
	p, n := pool{}, tables{}
	addrs, numbers := map[netip.Addr]bool{}, map[int]bool{}
	for i := range 3000 {
		who := id("things", strings.Repeat("x", i%7)+string(rune('a'+i%26))+strings.Repeat("y", i/26))
		a, t0 := p.address(who.Key()), n.number(who)
		if addrs[a] || numbers[t0] || !prefix("169.254.0.0/16").Contains(a) {
			t.Fatalf("%s got %s and %d", who, a, t0)
		}
		if p.address(who.Key()) != a || n.number(who) != t0 {
			t.Fatalf("%s got another the second time", who)
		}
		addrs[a], numbers[t0] = true, true
	}
}
