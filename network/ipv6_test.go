package network_test

import (
	"net/netip"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	nt "github.com/cloister-ml/cloister/network/networktest"
	"github.com/cloister-ml/cloister/verdict"
)

// Both versions go the whole way between networks: spaces, subnets, addresses,
// peerings, rules and routes.
func TestDualStack(t *testing.T) {
	six := nt.Set{Path: "privateIPAddressVersion", Value: "IPv6"}
	vm := func(name, vnet string) []arm.Resource {
		docs := nt.VM(name, vnet, "s", "")
		docs[0] = nt.With(docs[0], nt.Set{Path: "ipConfigurations", Value: []arm.Object{nt.Config(vnet, "s", ""), nt.Config(vnet, "s", "", six)}})
		return docs
	}
	subnet := func(vnet, prefix4, prefix6 string, sets ...nt.Set) arm.Resource {
		return nt.Document(nt.SubnetID(vnet, "s"), append(sets, nt.Set{Path: "addressPrefixes", Value: []string{prefix4, prefix6}})...)
	}
	top := topology(t, nt.VNet("a", "10.1.0.0/16", "fd00:1::/48"), nt.VNet("b", "10.2.0.0/16", "fd00:2::/48"), nt.VNet("c", "10.3.0.0/16", "fd00:3::/48"), nt.Peer("a", "b"),
		subnet("a", "10.1.0.0/24", "fd00:1::/64", nt.UseTable("rt")), subnet("b", "10.2.0.0/24", "fd00:2::/64", nt.UseNSG("ssh")), subnet("c", "10.3.0.0/24", "fd00:3::/64"),
		nt.RouteTable("rt", nt.Route("drop", "fd00:2:0:0:0:0:0:8/128", "None")),
		nt.NSG("ssh", nt.Rule("four", "100 Inbound Deny Tcp 10.1.0.0/16:* -> *:22"), nt.Rule("six", "110 Inbound Deny Tcp fd00:1::/64:* -> *:23")),
		vm("one", "a"), vm("two", "b"), vm("three", "c"))
	noProblems(t, top)
	ask(t, top,
		question{"10.1.0.4 -> 10.2.0.4 tcp 22", "no", "rule four"},
		question{"fd00:1::4 -> fd00:2::4 tcp 22", "yes", ""},
		question{"fd00:1::4 -> fd00:2::4 tcp 23", "no", "rule six"},
		question{"10.1.0.4 -> 10.2.0.4 tcp 23", "yes", ""},
		question{"fd00:1::4 -> fd00:2::8 tcp 22", "no", "drops the packets"},
		question{"fd00:1::4 -> fd00:3::4 tcp 22", "no", "not peered"},
		question{"fd00:1::4 -> 2001:db8::1 tcp 443", "no", "no default outbound access"})
	s := top.Spaces("")
	from := netip.MustParseAddr("fd00:1::4")
	v := s.From(from)
	for _, q := range []string{"fd00:1::4 -> fd00:2::4 tcp 22", "fd00:1::4 -> fd00:2::4 tcp 23", "fd00:1::4 -> fd00:3::4 tcp 22", "fd00:1::4 -> 2001:db8::1 tcp 443"} {
		f := flow(t, q)
		f.SourcePort = 50000
		if got, err := in(v, packet(f)); err != nil || got != top.Reach(f).Value {
			t.Errorf("%s: the sets say %v (%v), the engine %v", q, got, err, top.Reach(f).Value)
		}
	}
	if v.Passes.IsEmpty() || top.Reach(flow(t, "fd00:1::4 -> fd00:1::4 icmp")).Value != verdict.Yes {
		t.Error("it does not reach itself")
	}
}
