package check

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	nt "github.com/cloister-ml/cloister/network/networktest"
	"pgregory.net/rapid"
)

// A rule is shadowed by what other rules decide together, and not where a packet of
// it is left, however few.
func TestShadowed(t *testing.T) {
	for _, c := range []struct {
		name  string
		rules []string
		want  string // of the last rule: the names of those that decide it
	}{
		{"by halves of its ports", []string{"100 Inbound Deny Tcp *:* -> *:0-1023", "110 Inbound Allow Tcp *:* -> *:1024-65535", "200 Inbound Allow Tcp 10.0.0.0/8:* -> *:*"}, "r0 r1"},
		{"one port is left", []string{"100 Inbound Deny Tcp *:* -> *:0-1022", "110 Inbound Allow Tcp *:* -> *:1024-65535", "200 Inbound Allow Tcp 10.0.0.0/8:* -> *:*"}, ""},
		{"by halves of its addresses", []string{"100 Inbound Deny * 10.0.0.0/9:* -> *:*", "110 Inbound Deny * 10.128.0.0/9:* -> *:*", "200 Inbound Allow Tcp 10.0.0.0/8:* -> *:443"}, "r0 r1"},
		{"one address is left", []string{"100 Inbound Deny * 10.0.0.0/9:* -> *:*", "110 Inbound Deny * 10.128.0.0/10+10.192.0.0/10:* -> 10.0.0.0/31:*", "200 Inbound Allow Tcp 10.0.0.0/8:* -> 10.0.0.0/30:443"}, ""},
		{"a hole in the middle", []string{"100 Inbound Deny * 10.0.0.0/10:* -> *:*", "110 Inbound Deny * 10.128.0.0/9:* -> *:*", "200 Inbound Allow Tcp 10.0.0.0/8:* -> *:443"}, ""},
		{"by what one decides and another the rest", []string{"100 Inbound Allow Tcp 10.0.0.0/16:* -> *:443", "110 Inbound Deny Tcp 10.0.0.0/8:* -> *:*", "200 Inbound Allow Tcp 10.0.0.0/8:* -> *:443"}, "r1"},
		{"crosswise", []string{"100 Inbound Deny Tcp 10.0.0.0/9:* -> *:22", "110 Inbound Deny Tcp *:* -> *:80", "120 Inbound Deny Tcp 10.128.0.0/9:* -> *:*", "200 Inbound Allow Tcp 10.0.0.0/8:* -> *:22,80"}, "r0 r1 r2"},
		{"every protocol is more than three", []string{"100 Inbound Deny Tcp *:* -> *:*", "110 Inbound Deny Udp *:* -> *:*", "120 Inbound Deny Icmp *:* -> *:*", "200 Inbound Allow * 10.0.0.0/8:* -> *:*"}, ""},
		{"every port is more than all ports in parts, for ICMP", []string{"100 Inbound Deny * *:* -> *:0-1023", "110 Inbound Deny * *:* -> *:1024-65535", "200 Inbound Allow * 10.0.0.0/8:* -> *:*"}, ""},
		{"a rule for ports is not for ICMP", []string{"100 Inbound Deny Tcp *:* -> *:443", "110 Inbound Deny Udp *:* -> *:443", "200 Inbound Allow * 10.0.0.0/8:* -> *:443"}, "r0 r1"},
		{"IPv4 is not everything", []string{"100 Inbound Deny * 0.0.0.0/0:* -> *:*", "200 Inbound Allow Tcp *:* -> *:443"}, ""},
		{"IPv4 and IPv6 are", []string{"100 Inbound Deny * 0.0.0.0/0:* -> *:*", "110 Inbound Deny * ::/0:* -> *:*", "200 Inbound Allow Tcp *:* -> *:443"}, "r0 r1"},
		{"a tag by itself", []string{"100 Outbound Deny * *:* -> Storage:*", "110 Outbound Deny * *:* -> 10.0.0.0/8:*", "200 Outbound Allow Tcp *:* -> Storage.WestEurope+10.1.0.0/16:443"}, "r0 r1"},
		{"nobody knows what a tag holds", []string{"100 Outbound Deny * *:* -> AzureCloud:*", "110 Outbound Deny * *:* -> Internet:0-442", "200 Outbound Allow Tcp *:* -> Storage:443"}, ""},
		{"a tag within its own network", []string{"100 Inbound Deny * VirtualNetwork:* -> *:*", "200 Inbound Allow Tcp 10.1.3.0/24:* -> *:443"}, "r0"},
		{"more than its own network", []string{"100 Inbound Deny * VirtualNetwork:* -> *:*", "200 Inbound Allow Tcp 10.1.3.0/24+10.9.0.0/24:* -> *:443"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var rules []arm.Object
			for i, line := range c.rules {
				rules = append(rules, nt.Rule(fmt.Sprint("r", i), line))
			}
			e, err := nt.Estate(nt.NSG("g", rules...), nt.VNet("v", "10.1.0.0/16"), nt.Subnet("v", "s", "10.1.0.0/24", nt.UseNSG("g")))
			if err != nil {
				t.Fatal(err)
			}
			w := newWorld(e)
			list := oneDirection(w.net.NSGs[0], len(c.rules))
			last := len(list) - 1
			var names []string
			for _, place := range w.shadowed(w.net.NSGs[0], list)[last] {
				names = append(names, list[place].Name)
			}
			if got := strings.Join(names, " "); got != c.want {
				t.Errorf("it is decided by %q, not by %q", got, c.want)
			}
		})
	}
}

// oneDirection are the rules of a user, which are of one direction.
func oneDirection(g network.NSG, n int) []network.Rule {
	var out []network.Rule
	for _, r := range g.Rules {
		if !r.Default {
			out = append(out, r)
		}
	}
	return out[:n]
}

// Packet by packet, a rule is shadowed exactly if each that it matches is matched by
// one before it: in a world of four addresses, four ports and three protocols.
func TestShadowedAgreesWithPackets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sides := []string{"10.0.0.0/30", "10.0.0.0/31", "10.0.0.2/31", "10.0.0.0/32", "10.0.0.1/32", "10.0.0.2/32", "10.0.0.3/32"}
		ports := []string{"1-4", "1-2", "3-4", "2-3", "1", "2", "3", "4", "1,4"}
		var rules []arm.Object
		n := rapid.IntRange(2, 9).Draw(t, "rules")
		for i := range n {
			pick := func(what string, from []string) string { return rapid.SampledFrom(from).Draw(t, what) }
			rules = append(rules, nt.Rule(fmt.Sprint("r", i), fmt.Sprintf("%d Inbound %s %s %s:* -> %s:%s", 100+i, pick("access", []string{"Allow", "Deny"}),
				pick("protocol", []string{"Tcp", "Tcp", "Udp", "*"}), pick("from", sides), pick("to", sides), pick("ports", ports))))
		}
		e, err := nt.Estate(nt.NSG("g", rules...))
		if err != nil {
			t.Fatal(err)
		}
		w := newWorld(e)
		list := oneDirection(w.net.NSGs[0], n)
		got := w.shadowed(w.net.NSGs[0], list)
		for i := range list {
			left, deciders := leftOf(list, i)
			if by, is := got[i]; is == left || is && len(by) > 1 && !slices.Equal(by, deciders) {
				t.Fatalf("%s is decided by %v; packet by packet something is left: %v, and decided it is by %v\n%v", list[i].Name, by, left, deciders, rules)
			}
		}
	})
}

// leftOf says whether a packet comes to a rule, and which rules take the others.
func leftOf(list []network.Rule, i int) (left bool, deciders []int) {
	in := func(r network.Rule, protocol string, from, to netip.Addr, port uint16) bool {
		return (r.Protocol == "*" || r.Protocol == protocol) && netip.MustParsePrefix(r.Sources[0]).Contains(from) && netip.MustParsePrefix(r.Destinations[0]).Contains(to) &&
			slices.ContainsFunc(r.DestinationPorts, func(p network.PortRange) bool { return p.First <= port && port <= p.Last })
	}
	took := map[int]bool{}
	for _, protocol := range []string{"Tcp", "Udp"} {
		for packet := range 64 {
			from, to := netip.AddrFrom4([4]byte{10, 0, 0, byte(packet & 3)}), netip.AddrFrom4([4]byte{10, 0, 0, byte(packet >> 2 & 3)})
			port := uint16(packet>>4) + 1
			if !in(list[i], protocol, from, to, port) {
				continue
			}
			first := slices.IndexFunc(list, func(r network.Rule) bool { return in(r, protocol, from, to, port) })
			left = left || first == i
			took[first] = true
		}
	}
	for j := range i {
		if took[j] {
			deciders = append(deciders, j)
		}
	}
	return left, deciders
}

// BenchmarkShadowed asks for the rules that never decide of a thousand groups of two
// hundred rules that overlap.
func BenchmarkShadowed(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	var docs []any
	for g := range 1000 {
		var rules []arm.Object
		for i := range 200 {
			low := r.IntN(60000)
			rules = append(rules, nt.Rule(fmt.Sprint("r", i), fmt.Sprintf("%d %s %s Tcp 10.%d.%d.0/%d:* -> 10.%d.0.0/%d:%d-%d", 100+i, []string{"Inbound", "Outbound"}[i%2], []string{"Allow", "Deny"}[r.IntN(2)],
				r.IntN(32), r.IntN(256), 12+r.IntN(13), r.IntN(32), 8+r.IntN(9), low, low+r.IntN(5000))))
		}
		docs = append(docs, nt.NSG(fmt.Sprint("g", g), rules...))
	}
	e, err := nt.Estate(docs...)
	if err != nil {
		b.Fatal(err)
	}
	w := newWorld(e)
	b.ResetTimer()
	for b.Loop() {
		w.shadows = map[string]map[int][]int{}
		rulesReached(w)
	}
}
