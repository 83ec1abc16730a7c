package network_test

import (
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	nt "github.com/cloister-ml/cloister/network/networktest"
)

// hub is a hub with a firewall, and two spokes whose routes to everything lead
// through it. The spokes are not peered with each other.
func hub(rules []arm.Object, more ...any) []any {
	forwarded := nt.Set{Path: "allowForwardedTraffic", Value: true}
	docs := []any{
		nt.VNet("hub", "10.0.0.0/16"), nt.Subnet("hub", "AzureFirewallSubnet", "10.0.1.0/26"),
		nt.Document(nt.FirewallID, nt.Set{Path: "firewallPolicy.id", Value: nt.PolicyID},
			nt.Set{Path: "ipConfigurations", Value: []arm.Object{nt.Config("hub", "AzureFirewallSubnet", "", nt.Set{Path: "publicIPAddress.id", Value: nt.PublicIPID("pip-fw")})}}),
		nt.PublicIP("pip-fw", "Standard"), nt.Document(nt.PolicyID, nt.Set{Path: "dnsSettings.enableProxy", Value: true}),
		nt.Document(nt.PolicyID.Child("ruleCollectionGroups", "group"), nt.Set{Path: "priority", Value: 100}, nt.Set{Path: "ruleCollections", Value: []arm.Object{
			{"name": "c", "priority": 100.0, "action": arm.Object{"type": "Allow"}, "rules": list(rules)}}}),
		nt.RouteTable("rt", nt.Route("all", "0.0.0.0/0", "10.0.1.4")),
	}
	for _, s := range []struct{ name, n string }{{"one", "1"}, {"two", "2"}} {
		docs = append(docs, nt.VNet(s.name, "10."+s.n+".0.0/16"), nt.Subnet(s.name, "s", "10."+s.n+".0.0/24", nt.UseTable("rt")), nt.VM(s.name, s.name, "s", ""),
			nt.Peering("hub", s.name), nt.Peering(s.name, "hub", forwarded))
	}
	return append(docs, more...)
}

func list(objects []arm.Object) []any {
	var out []any
	for _, o := range objects {
		out = append(out, o)
	}
	return out
}

func networkRule(protocol, from, to, port string) arm.Object {
	return arm.Object{"ruleType": "NetworkRule", "name": "net", "ipProtocols": []any{protocol}, "sourceAddresses": []any{from}, "destinationAddresses": []any{to}, "destinationPorts": []any{port}}
}

func applicationRule(host string) arm.Object {
	return arm.Object{"ruleType": "ApplicationRule", "name": "app", "sourceAddresses": []any{"*"}, "targetFqdns": []any{host},
		"protocols": []any{arm.Object{"protocolType": "Https", "port": 443.0}}}
}

func TestSpokeToSpokeThroughAFirewall(t *testing.T) {
	rules := []arm.Object{networkRule("TCP", "10.1.0.0/16", "10.2.0.0/16", "22"), applicationRule("*.example")}
	ask(t, topology(t, hub(rules)...),
		question{"10.1.0.4 -> 10.2.0.4 tcp 22", "yes", ""},
		question{"10.1.0.4 -> 10.2.0.4 tcp 80", "no", "no rule allows TCP 80"},
		question{"10.2.0.4 -> 10.1.0.4 tcp 22", "no", "no rule allows TCP 22"},
		question{"10.1.0.4 -> 192.0.2.10 tcp 443", "unknown", "the flow names no host"},
		question{"10.1.0.4 -> 192.0.2.10 tcp 22", "no", "no rule allows"},
		question{"10.1.0.4 -> 10.0.1.4 udp 53", "yes", "is a DNS proxy"})

	straight := nt.Subnet("two", "s", "10.2.0.0/24") // without the route, its replies go nowhere
	docs := hub(rules)
	for i, d := range docs {
		if r, ok := d.(arm.Resource); ok && r.ID.Equal(straight.ID) {
			docs[i] = straight
		}
	}
	ask(t, topology(t, docs...), question{"10.1.0.4 -> 10.2.0.4 tcp 22", "no", "are lost"})
	ask(t, topology(t, append(docs, nt.Peer("one", "two"))...), question{"10.1.0.4 -> 10.2.0.4 tcp 22", "yes", ""})
}

// The answers of a firewall that is a DNS proxy take the routes of its own subnet.
func TestAnswersOfADNSProxyNeedAWay(t *testing.T) {
	for _, c := range []struct{ name, hop, value, reason string }{
		{"to nowhere", "None", "no", "are lost"},
		{"to the firewall itself", "10.0.1.4", "no", "go in a circle"},
		{"to the peer", "", "yes", "is a DNS proxy"},
	} {
		t.Run(c.name, func(t *testing.T) {
			table := nt.RouteTable("of-firewall")
			if c.hop != "" {
				table = nt.RouteTable("of-firewall", nt.Route("one", "10.1.0.0/16", c.hop))
			}
			docs := hub(nil, table)
			docs[1] = nt.Subnet("hub", "AzureFirewallSubnet", "10.0.1.0/26", nt.UseTable("of-firewall"))
			ask(t, topology(t, docs...), question{"10.1.0.4 -> 10.0.1.4 udp 53", c.value, c.reason})
		})
	}
}

// The way there leads through the firewall, the way back does not.
func TestHalfOfAConnectionIsDropped(t *testing.T) {
	docs := hub([]arm.Object{networkRule("Any", "*", "*", "*")}, nt.Peer("one", "two"),
		nt.RouteTable("detour", nt.Route("two", "10.2.0.0/16", "10.0.1.4")), nt.Subnet("one", "detour", "10.1.1.0/24", nt.UseTable("detour")), nt.VM("three", "one", "detour", "10.1.1.4"))
	ask(t, topology(t, docs...),
		question{"10.1.1.4 -> 10.2.0.4 tcp 22", "no", "sees only half of the connection"},
		question{"10.1.1.4 -> 10.2.0.4 udp 53", "unknown", "sees only half of the connection"})
}

func TestHostsDecideAtApplicationRules(t *testing.T) {
	top := topology(t, hub([]arm.Object{applicationRule("*.example")})...)
	for host, want := range map[string]string{"a.example": "yes", "A.EXAMPLE.": "yes", "example": "no", "other.test": "no", "": "unknown"} {
		f := flow(t, "10.1.0.4 -> 192.0.2.10 tcp 443")
		f.Host = host
		if got := top.Reach(f); got.Value.String() != want {
			t.Errorf("%q: %v, want %s: %s", host, got.Value, want, got.Decisive().Reason)
		}
	}
	f := flow(t, "10.1.0.4 -> 192.0.2.10 tcp 443")
	f.Host = "a.example"
	seen, _ := top.Seen(f)
	if len(seen) != 1 || seen[0].Addr != top.PublicIP(nt.PublicIPID("pip-fw")) {
		t.Errorf("the destination sees %v", seen)
	}
}

// The next hop is written as the address that the firewall will have.
func TestNextHopByTheFirewallsName(t *testing.T) {
	docs := hub([]arm.Object{networkRule("Any", "*", "*", "*")})
	for i, d := range docs {
		r, ok := d.(arm.Resource)
		switch {
		case ok && r.ID.Equal(nt.TableID("rt")):
			route := nt.Route("all", "0.0.0.0/0", "VirtualAppliance")
			route["properties"].(arm.Object)["nextHopIpAddress"] = arm.Unknown{Expression: "azurerm_firewall.hub.ip_configuration[0].private_ip_address"}
			docs[i] = nt.RouteTable("rt", route)
		case ok && r.ID.Equal(nt.FirewallID):
			r.Source.Address = "azurerm_firewall.hub"
			docs[i] = r
		}
	}
	ask(t, topology(t, docs...), question{"10.1.0.4 -> 10.2.0.4 tcp 22", "yes", ""})
}

func TestGateways(t *testing.T) {
	vpn := []any{
		nt.VNet("hub", "10.0.0.0/16"), nt.Subnet("hub", "GatewaySubnet", "10.0.1.0/27"),
		nt.Document(nt.GatewayID, nt.Set{Path: "gatewayType", Value: "Vpn"}, nt.Set{Path: "ipConfigurations", Value: []arm.Object{nt.Config("hub", "GatewaySubnet", "")}},
			nt.Set{Path: "vpnClientConfiguration.vpnClientAddressPool.addressPrefixes", Value: []string{"172.30.0.0/24"}}),
		nt.Document(nt.SiteID, nt.Set{Path: "localNetworkAddressSpace.addressPrefixes", Value: []string{"192.168.0.0/16"}}),
		nt.Document(nt.ID("Microsoft.Network/connections", "c"), nt.Set{Path: "virtualNetworkGateway1.id", Value: nt.GatewayID}, nt.Set{Path: "localNetworkGateway2.id", Value: nt.SiteID}),
		nt.VNet("spoke", "10.1.0.0/16"), nt.Subnet("spoke", "s", "10.1.0.0/24"), nt.VM("one", "spoke", "s", ""),
	}
	transit := nt.Peering("hub", "spoke", nt.Set{Path: "allowGatewayTransit", Value: true})
	ask(t, topology(t, append(vpn, transit, nt.Peering("spoke", "hub", nt.Set{Path: "useRemoteGateways", Value: true}))...),
		question{"10.1.0.4 -> 192.168.1.1 tcp 443", "yes", "leads to site"},
		question{"10.1.0.4 -> 172.30.0.5 tcp 443", "yes", "point-to-site clients"},
		question{"172.30.0.5 -> 10.1.0.4 tcp 22", "yes", ""},
		question{"10.1.0.4 -> 192.169.1.1 tcp 443", "yes", "an address of the internet"},
		question{"10.1.0.4 -> 172.16.0.1 tcp 443", "no", "no route"})
	ask(t, topology(t, append(vpn, transit, nt.Peering("spoke", "hub"))...),
		question{"10.1.0.4 -> 192.168.1.1 tcp 443", "no", "no route to 192.168.1.1"},
		question{"172.30.0.5 -> 10.1.0.4 tcp 22", "no", "are lost"})
}

func TestSettingsDecideWhatIsOpen(t *testing.T) {
	docs := []any{nt.VNet("a", "10.1.0.0/16"), nt.VNet("b", "10.2.0.0/16"), nt.VNet("nva", "10.3.0.0/16"),
		nt.Subnet("a", "s", "10.1.0.0/24", nt.UseTable("rt"), nt.UseNSG("open")), nt.Subnet("b", "s", "10.2.0.0/24", nt.UseTable("rt")), nt.Subnet("nva", "s", "10.3.0.0/24"),
		nt.NSG("open"), nt.VM("one", "a", "s", ""), nt.VM("two", "b", "s", ""), nt.VM("nva", "nva", "s", "", nt.Set{Path: "enableIPForwarding", Value: true}),
		nt.RouteTable("rt", nt.Route("all", "10.0.0.0/8", "10.3.0.4")), nt.Peering("nva", "a"), nt.Peering("nva", "b"),
		nt.Peering("a", "nva", nt.Set{Path: "allowForwardedTraffic", Value: true}), nt.Peering("b", "nva"),
	}
	e := estate(t, docs...)
	for _, c := range []struct {
		s    network.Settings
		want string
	}{
		{network.Settings{}, "unknown"},
		{network.Settings{AppliancesForward: network.NotSo}, "no"},
		{network.Settings{AppliancesForward: network.IsSo, RoutesInTag: network.IsSo}, "unknown"},
		{network.Settings{AppliancesForward: network.IsSo, RoutesInTag: network.IsSo, DroppedIfNotForwarded: network.NotSo}, "yes"},
		{network.Settings{AppliancesForward: network.IsSo, RoutesInTag: network.IsSo, DroppedIfNotForwarded: network.IsSo}, "no"},
		{network.Settings{AppliancesForward: network.IsSo, RoutesInTag: network.NotSo, DroppedIfNotForwarded: network.NotSo}, "no"},
	} {
		if got := c.s.FromEstate(e).Reach(flow(t, "10.1.0.4 -> 10.2.0.4 tcp 22")); got.Value.String() != c.want {
			t.Errorf("%+v: %v, want %s\n%s", c.s, got.Value, c.want, story(got))
		}
	}
}
