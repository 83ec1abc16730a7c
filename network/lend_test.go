package network_test

import (
	"testing"

	"github.com/cloister-ml/cloister/arm"
	nt "github.com/cloister-ml/cloister/network/networktest"
)

// A load balancer lends its address to the protocols of its rules, never to ICMP; by
// IPv6 for certain by an outbound rule alone, which a NAT gateway of the SKU
// StandardV2 disrupts.
func TestWaysOutThatLoadBalancersLend(t *testing.T) {
	id := nt.PublicLBID
	member := nt.Set{Path: "loadBalancerBackendAddressPools", Value: []arm.Object{{"id": string(id.Child("backendAddressPools", "pool"))}}}
	docs := nt.VM("one", "a", "s", "")
	docs[0] = nt.With(docs[0], nt.Set{Path: "ipConfigurations", Value: []arm.Object{nt.Config("a", "s", "", member),
		nt.Config("a", "s", "", nt.Set{Path: "privateIPAddressVersion", Value: "IPv6"}, member)}})
	front := func(name string) arm.Object {
		return arm.Object{"name": name, "properties": arm.Object{"publicIPAddress": arm.Object{"id": string(nt.PublicIPID("pip-" + name))}}}
	}
	end := func(name string) arm.Object {
		return arm.Object{"id": string(id.Child("frontendIPConfigurations", name))}
	}
	pool := arm.Object{"id": string(id.Child("backendAddressPools", "pool"))}
	outbound := func(front string, protocol any) nt.Set {
		return nt.Set{Path: "outboundRules", Value: []arm.Object{{"name": "out", "properties": arm.Object{
			"protocol": protocol, "backendAddressPool": pool, "frontendIPConfigurations": []any{end(front)}}}}}
	}
	rule := func(front string) nt.Set {
		return nt.Set{Path: "loadBalancingRules", Value: []arm.Object{{"name": "web", "properties": arm.Object{
			"protocol": "Tcp", "frontendPort": 443.0, "backendPort": 443.0, "backendAddressPool": pool, "frontendIPConfiguration": end(front)}}}}
	}
	const four, six = "10.1.0.4 -> 198.18.0.9 ", "fd00:1::4 -> 2001:db8::1 "
	for name, c := range map[string]struct {
		set  nt.Set
		nat  string
		want []question
	}{
		"a rule for TCP": {rule("four"), "", []question{{four + "tcp 443", "yes", ""}, {four + "udp 53", "no", "no address for UDP"},
			{four + "icmp", "no", "no address for ICMP"}, {six + "tcp 443", "no", "no outbound rule"}}},
		"an outbound rule for UDP": {outbound("four", "Udp"), "", []question{{four + "tcp 443", "no", "for TCP"}, {four + "udp 53", "yes", ""}}},
		"an outbound rule for all": {outbound("four", "All"), "", []question{{four + "tcp 443", "yes", ""}, {four + "udp 53", "yes", ""}, {four + "icmp", "no", "for ICMP"}}},
		"an outbound rule for what is not known": {outbound("four", arm.Unknown{Expression: "var.protocol"}), "",
			[]question{{four + "tcp 443", "unknown", "var.protocol"}, {four + "icmp", "no", "for ICMP"}}},
		"a rule of IPv6": {rule("six"), "", []question{{six + "tcp 443", "unknown", "not documented"}, {six + "udp 53", "no", "no outbound rule"}, {four + "tcp 443", "no", "for TCP"}}},
		"an outbound rule of IPv6": {outbound("six", "All"), "", []question{{six + "tcp 443", "yes", ""}, {six + "udp 53", "yes", ""},
			{six + "icmp", "no", "for ICMP"}, {four + "tcp 443", "no", "for TCP"}}},
		"... beside a NAT gateway":        {outbound("six", "All"), "Standard", []question{{six + "tcp 443", "yes", ""}, {four + "tcp 443", "yes", ""}}},
		"... beside one of the next kind": {outbound("six", "All"), "StandardV2", []question{{six + "tcp 443", "unknown", "disrupts"}, {four + "tcp 443", "yes", ""}}},
	} {
		t.Run(name, func(t *testing.T) {
			lb := nt.With(nt.Document(id, nt.Set{Path: "frontendIPConfigurations", Value: []arm.Object{front("four"), front("six")}}), c.set)
			lb.SKU = arm.Object{"name": "Standard"}
			subnet := nt.Document(nt.SubnetID("a", "s"), nt.Set{Path: "addressPrefixes", Value: []string{"10.1.0.0/24", "fd00:1::/64"}})
			nat := nt.Document(nt.NATID("nat"), nt.Set{Path: "publicIpAddresses", Value: []arm.Object{{"id": string(nt.PublicIPID("pip-nat"))}}})
			if nat.SKU = (arm.Object{"name": c.nat}); c.nat != "" {
				subnet = nt.With(subnet, nt.UseNAT("nat"))
			}
			ask(t, topology(t, nt.VNet("a", "10.1.0.0/16", "fd00:1::/48"), subnet, nat, lb, nt.PublicIP("pip-nat", "Standard"), nt.PublicIP("pip-four", "Standard"),
				nt.With(nt.PublicIP("pip-six", "Standard"), nt.Set{Path: "publicIPAddressVersion", Value: "IPv6"}), docs), c.want...)
		})
	}
}

// Default outbound access takes out no ICMP; a public address of one's own does.
func TestWaysOutForICMP(t *testing.T) {
	own := nt.VM("own", "a", "s", "10.1.0.5")
	own[0] = nt.With(own[0], nt.Set{Path: "ipConfigurations", Value: []arm.Object{nt.Config("a", "s", "10.1.0.5", nt.Set{Path: "publicIPAddress.id", Value: nt.PublicIPID("own")})}})
	ask(t, topology(t, nt.VNet("a", "10.1.0.0/16"), nt.Subnet("a", "s", "10.1.0.0/24"), nt.VM("one", "a", "s", "10.1.0.4"), own, nt.PublicIP("own", "Standard")),
		question{"10.1.0.4 -> 198.18.0.9 tcp 443", "yes", ""}, question{"10.1.0.4 -> 198.18.0.9 icmp", "no", "default outbound access only"},
		question{"10.1.0.5 -> 198.18.0.9 icmp", "yes", ""})
}

// A firewall that learns ranges from a route server may keep the source where it would
// translate it: what hangs on that is unknown, and nothing is where there is none to
// learn from.
func TestRangesThatFirewallsLearn(t *testing.T) {
	for name, c := range map[string]struct {
		mode any
		docs []any
		want string
	}{
		"nothing is learned":             {"Disabled", []any{nt.Subnet("a", "RouteServerSubnet", "10.1.252.0/27")}, "yes"},
		"there is no route server":       {"Enabled", nil, "yes"},
		"there is one":                   {"Enabled", []any{nt.Subnet("a", "RouteServerSubnet", "10.1.252.0/27")}, "unknown"},
		"there is one, and a doubt":      {arm.Unknown{Expression: "var.learn"}, []any{nt.Subnet("a", "RouteServerSubnet", "10.1.252.0/27")}, "unknown"},
		"there is none, whatever is set": {arm.Unknown{Expression: "var.learn"}, nil, "yes"},
	} {
		t.Run(name, func(t *testing.T) {
			allow := arm.Object{"name": "c", "priority": 100.0, "action": arm.Object{"type": "Allow"}, "rules": []any{arm.Object{"name": "r", "ruleType": "NetworkRule",
				"ipProtocols": []any{"TCP"}, "sourceAddresses": []any{"*"}, "destinationAddresses": []any{"*"}, "destinationPorts": []any{"443"}}}}
			fw := nt.Document(nt.FirewallID, nt.Set{Path: "firewallPolicy.id", Value: nt.PolicyID}, nt.Set{Path: "ipConfigurations", Value: []arm.Object{
				nt.Config("a", "AzureFirewallSubnet", nt.FirewallAddr, nt.Set{Path: "publicIPAddress.id", Value: nt.PublicIPID("pip-fw")})}})
			docs := []any{nt.VNet("a", "10.1.0.0/16"), nt.Subnet("a", "AzureFirewallSubnet", "10.1.250.0/26"), nt.Subnet("a", "s", "10.1.0.0/24", nt.UseTable("rt")),
				nt.RouteTable("rt", nt.Route("all", "0.0.0.0/0", nt.FirewallAddr)), nt.PublicIP("pip-fw", "Standard"), fw,
				nt.Document(nt.PolicyID, nt.Set{Path: "snat.autoLearnPrivateRanges", Value: c.mode}),
				nt.Document(nt.PolicyID.Child("ruleCollectionGroups", "g"), nt.Set{Path: "priority", Value: 100}, nt.Set{Path: "ruleCollections", Value: []arm.Object{allow}}),
				nt.VM("one", "a", "s", "10.1.0.4")}
			ask(t, topology(t, append(docs, c.docs...)...), question{"10.1.0.4 -> 198.18.0.9 tcp 443", c.want, ""})
		})
	}
}
