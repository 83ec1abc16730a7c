package network_test

import (
	"net/netip"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	nt "github.com/cloister-ml/cloister/network/networktest"
	"github.com/cloister-ml/cloister/network/space"
)

// What a virtual hub or a route server teaches a network is not known; what its own
// routes and rules decide is.
func TestRoutesThatHubsTeach(t *testing.T) {
	hub := nt.ID("Microsoft.Network/virtualHubs", "hub")
	base := []any{nt.VNet("a", "10.1.0.0/16"), nt.Subnet("a", "s", "10.1.0.0/24"), nt.Subnet("a", "t", "10.1.1.0/24", nt.UseTable("rt")), nt.VM("one", "a", "s", ""), nt.VM("two", "a", "t", ""),
		nt.RouteTable("rt", nt.Route("out", "0.0.0.0/0", "Internet"), nt.Route("none", "10.8.0.0/16", "None")), nt.Document(hub)}
	connection := func(sets ...nt.Set) arm.Resource {
		return nt.Document(hub.Child("hubVirtualNetworkConnections", "a"), append([]nt.Set{{Path: "remoteVirtualNetwork.id", Value: nt.VNetID("a")}, {Path: "enableInternetSecurity", Value: false}}, sets...)...)
	}
	secure := nt.Set{Path: "enableInternetSecurity", Value: true}
	server := []any{nt.Subnet("a", "RouteServerSubnet", "10.1.2.0/27"), nt.Document(hub.Child("ipConfigurations", "c"), nt.Set{Path: "subnet.id", Value: nt.SubnetID("a", "RouteServerSubnet")})}
	peer := nt.Document(hub.Child("bgpConnections", "nva"))
	for _, c := range []struct {
		name string
		docs []any
		asks []question
	}{
		{"no connection", nil, []question{{"10.1.0.4 -> 10.9.0.4 tcp 443", "no", ""}, {"10.1.0.4 -> 192.0.2.10 tcp 443", "yes", ""}}},
		{"a connection", []any{connection()}, []question{
			{"10.1.0.4 -> 10.9.0.4 tcp 443", "unknown", "virtual hub hub hands it routes"}, {"10.1.0.4 -> 192.0.2.10 tcp 443", "yes", ""}, {"10.1.0.4 -> 10.1.1.4 tcp 443", "yes", ""}}},
		{"a connection with internet security", []any{connection(secure)}, []question{
			{"10.1.0.4 -> 192.0.2.10 tcp 443", "unknown", "a default route perhaps among them"}, {"10.1.1.4 -> 192.0.2.10 tcp 443", "yes", ""}}},
		{"a connection of a network that is not known", []any{connection(nt.Set{Path: "remoteVirtualNetwork", Value: arm.Unknown{Expression: "var.network"}})}, []question{
			{"10.1.0.4 -> 10.9.0.4 tcp 443", "unknown", "var.network"}, {"10.1.0.4 -> 10.1.1.4 tcp 443", "yes", ""}}},
		{"a route server without peers", server, []question{{"10.1.0.4 -> 10.9.0.4 tcp 443", "no", ""}, {"10.1.0.4 -> 192.0.2.10 tcp 443", "yes", ""}}},
		{"a route server", append([]any{peer}, server...), []question{
			{"10.1.0.4 -> 10.9.0.4 tcp 443", "unknown", "learns routes by BGP"}, {"10.1.0.4 -> 192.0.2.10 tcp 443", "unknown", "a default route perhaps"}, {"10.1.1.4 -> 192.0.2.10 tcp 443", "yes", ""}}},
	} {
		t.Run(c.name, func(t *testing.T) { ask(t, topology(t, append(base[:len(base):len(base)], c.docs...)...), c.asks...) })
	}
}

// Networks that gateways join reach each other where connections lead both ways,
// and what is further away only where it is not documented that they do not.
func TestNetworksThatGatewaysJoin(t *testing.T) {
	id := func(name string) arm.ID { return nt.ID("Microsoft.Network/virtualNetworkGateways", "gw-"+name) }
	side := func(vnet, two string, sets ...nt.Set) []any {
		return []any{nt.VNet(vnet, two+".0.0/16"), nt.Subnet(vnet, "GatewaySubnet", two+".9.0/27"), nt.Subnet(vnet, "s", two+".0.0/24", nt.UseNSG("nsg")), nt.VM("vm-"+vnet, vnet, "s", ""),
			nt.Document(id(vnet), append([]nt.Set{{Path: "gatewayType", Value: "Vpn"}, {Path: "ipConfigurations", Value: []arm.Object{nt.Config(vnet, "GatewaySubnet", "")}}}, sets...)...)}
	}
	connect := func(from, to string, sets ...nt.Set) arm.Resource {
		return nt.Document(nt.ID("Microsoft.Network/connections", from+"-to-"+to), append([]nt.Set{{Path: "connectionType", Value: "Vnet2Vnet"},
			{Path: "virtualNetworkGateway1.id", Value: id(from)}, {Path: "virtualNetworkGateway2.id", Value: id(to)}}, sets...)...)
	}
	pair := func(a, b string) []any { return []any{connect(a, b), connect(b, a)} }
	docs := append(append([]any{nt.NSG("nsg", nt.Rule("no", "100 Inbound Deny Tcp *:* -> *:22"))}, side("a", "10.1")...), side("b", "10.2")...)
	lends, uses := nt.Set{Path: "allowGatewayTransit", Value: true}, nt.Set{Path: "useRemoteGateways", Value: true}
	spoke := []any{nt.VNet("spoke", "10.4.0.0/16"), nt.Subnet("spoke", "s", "10.4.0.0/24"), nt.VM("vm-spoke", "spoke", "s", ""), nt.Peering("a", "spoke", lends), nt.Peering("spoke", "a", uses)}
	site := []any{nt.Document(nt.SiteID, nt.Set{Path: "localNetworkAddressSpace.addressPrefixes", Value: []string{"192.168.0.0/16"}}),
		nt.Document(nt.ID("Microsoft.Network/connections", "a-to-site"), nt.Set{Path: "virtualNetworkGateway1.id", Value: id("a")}, nt.Set{Path: "localNetworkGateway2.id", Value: nt.SiteID})}
	for _, c := range []struct {
		name string
		docs []any
		asks []question
	}{
		{"no connection", nil, []question{{"10.1.0.4 -> 10.2.0.4 tcp 443", "no", ""}}},
		{"both directions", pair("a", "b"), []question{
			{"10.1.0.4 -> 10.2.0.4 tcp 443", "yes", ""}, {"10.2.0.4 -> 10.1.0.4 tcp 443", "yes", ""}, {"10.1.0.4 -> 10.2.0.4 tcp 22", "no", "rule no"},
			{"10.1.0.4 -> 10.2.0.9 tcp 443", "no", "nothing in b has"}, {"10.1.0.4 -> 10.1.0.5 tcp 443", "no", ""}}},
		{"whether one leads back is not known", []any{connect("a", "b"), connect("b", "a", nt.Set{Path: "virtualNetworkGateway2", Value: arm.Unknown{Expression: "var.far"}})}, []question{
			{"10.1.0.4 -> 10.2.0.4 tcp 443", "unknown", "var.far"}, {"10.2.0.4 -> 10.1.0.4 tcp 443", "unknown", "connection b-to-a leads to"}}},
		{"one direction", []any{connect("a", "b")}, []question{{"10.1.0.4 -> 10.2.0.4 tcp 443", "no", ""}}},
		{"a gateway that is not in the estate", []any{connect("a", "elsewhere")}, []question{{"10.1.0.4 -> 10.2.0.4 tcp 443", "unknown", "gw-elsewhere, which is not in the estate"}}},
		{"it is not transitive", append(append(side("c", "10.3"), pair("a", "b")...), pair("b", "c")...), []question{
			{"10.1.0.4 -> 10.2.0.4 tcp 443", "yes", ""}, {"10.2.0.4 -> 10.3.0.4 tcp 443", "yes", ""}, {"10.1.0.4 -> 10.3.0.4 tcp 443", "no", ""}}},
		{"a spoke that uses the gateway", append(pair("a", "b"), spoke...), []question{
			{"10.1.0.4 -> 10.2.0.4 tcp 443", "yes", ""}, {"10.4.0.4 -> 10.2.0.4 tcp 443", "unknown", "to-a leads to the networks that use gateway gw-a"}}},
		{"a peer's gateway beside its own", []any{nt.Peering("a", "b", lends), nt.Peering("b", "a", uses), site[0], site[1],
			nt.Subnet("b", "t", "10.2.1.0/24", nt.UseTable("rt")), nt.VM("vm-t", "b", "t", ""), nt.RouteTable("rt", nt.Route("site", "192.168.0.0/16", "VirtualNetworkGateway"))}, []question{
			{"10.1.0.4 -> 192.168.0.9 tcp 443", "yes", ""}, {"10.2.1.4 -> 192.168.0.9 tcp 443", "no", "none of the connections of gw-b"}}},
		{"from the premises", append(pair("a", "b"), site...), []question{
			{"192.168.0.9 -> 10.1.0.4 tcp 443", "yes", ""}, {"192.168.0.9 -> 10.2.0.4 tcp 443", "no", "that takes BGP"}, {"10.2.0.4 -> 192.168.0.9 tcp 443", "no", ""}}},
		{"with BGP", []any{connect("a", "b", nt.Set{Path: "enableBgp", Value: true}), connect("b", "a", nt.Set{Path: "enableBgp", Value: true})}, []question{
			{"10.1.0.4 -> 10.2.0.4 tcp 443", "yes", ""}, {"10.1.0.4 -> 10.77.0.4 tcp 443", "unknown", "BGP"}}},
	} {
		t.Run(c.name, func(t *testing.T) { ask(t, topology(t, append(docs[:len(docs):len(docs)], c.docs...)...), c.asks...) })
	}
}

// Networks that are connected to the hubs of one Virtual WAN reach each other, where
// nothing but the default route tables decides.
func TestNetworksOfVirtualHub(t *testing.T) {
	wan := nt.Document(nt.ID("Microsoft.Network/virtualWans", "wan"), nt.Set{Path: "type", Value: "Standard"})
	hub := func(name string) arm.ID { return nt.ID("Microsoft.Network/virtualHubs", name) }
	hubDoc := func(name string, sets ...nt.Set) arm.Resource {
		return nt.Document(hub(name), append([]nt.Set{{Path: "virtualWan.id", Value: wan.ID}}, sets...)...)
	}
	connect := func(to, vnet string, sets ...nt.Set) arm.Resource {
		return nt.Document(hub(to).Child("hubVirtualNetworkConnections", vnet), append([]nt.Set{{Path: "remoteVirtualNetwork.id", Value: nt.VNetID(vnet)}}, sets...)...)
	}
	docs := []any{nt.NSG("nsg", nt.Rule("no", "100 Inbound Deny Tcp *:* -> *:22"))}
	for vnet, two := range map[string]string{"a": "10.1", "b": "10.2", "c": "10.3"} {
		docs = append(docs, nt.VNet(vnet, two+".0.0/16"), nt.Subnet(vnet, "s", two+".0.0/24", nt.UseNSG("nsg")), nt.VM("vm-"+vnet, vnet, "s", ""))
	}
	both := []any{wan, hubDoc("hub"), connect("hub", "a"), connect("hub", "b")}
	table := nt.Set{Path: "routingConfiguration", Value: arm.Object{"associatedRouteTable": arm.Object{"id": string(hub("hub").Child("hubRouteTables", "own"))}}}
	vpn := []any{nt.Document(nt.ID("Microsoft.Network/vpnGateways", "vpn"), nt.Set{Path: "virtualHub.id", Value: hub("hub")}),
		nt.Document(nt.ID("Microsoft.Network/vpnGateways", "vpn").Child("vpnConnections", "site"))}
	reached := "10.1.0.4 -> 10.2.0.4 tcp 443"
	for _, c := range []struct {
		name string
		docs []any
		asks []question
	}{
		{"two networks of a hub", both, []question{
			{reached, "yes", ""}, {"10.2.0.4 -> 10.1.0.4 tcp 443", "yes", ""}, {"10.1.0.4 -> 10.2.0.4 tcp 22", "no", "rule no"}, {"10.1.0.4 -> 10.3.0.4 tcp 443", "no", ""},
			{"10.1.0.4 -> 192.0.2.10 tcp 443", "yes", ""}, {"10.1.0.4 -> 10.77.0.4 tcp 443", "no", ""}}},
		{"hubs of one Virtual WAN", []any{wan, hubDoc("hub"), hubDoc("far"), connect("hub", "a"), connect("far", "b")}, []question{{reached, "yes", ""}}},
		{"a Virtual WAN of the type Basic", append([]any{nt.With(wan, nt.Set{Path: "type", Value: "Basic"})}, both[1:]...), []question{{reached, "no", ""}}},
		{"routing intent without policies", append(both[:4:4], nt.Document(hub("hub").Child("routingIntent", "intent"))), []question{{reached, "yes", ""}, {"10.1.0.4 -> 192.0.2.10 tcp 443", "yes", ""}}},
		{"routing intent that leads to what is not known", append(both[:4:4], nt.Document(hub("hub").Child("routingIntent", "intent"), policies("PrivateTraffic", hub("hub").Child("x", "nva")))), []question{{reached, "unknown", "no Azure Firewall of hub"}}},
		{"a gateway in the hub without connections", append(both[:4:4], vpn[0]), []question{{reached, "yes", ""}, {"10.1.0.4 -> 10.77.0.4 tcp 443", "no", ""}}},
		{"a gateway in the hub", append(both[:4:4], vpn...), []question{
			{reached, "yes", ""}, {"10.1.0.4 -> 10.1.0.9 tcp 443", "no", ""}, {"10.1.0.4 -> 10.77.0.4 tcp 443", "unknown", "routes to branches"}, {"10.1.0.4 -> 192.0.2.10 tcp 443", "unknown", "a default route perhaps"}}},
		{"a table that is not there", []any{wan, hubDoc("hub"), connect("hub", "a", table), connect("hub", "b")}, []question{{reached, "unknown", "not in the estate"}}},
		{"a network appliance in the hub", append(both[:4:4], nt.Document(nt.ID("Microsoft.Network/networkVirtualAppliances", "nva"), nt.Set{Path: "virtualHub.id", Value: hub("hub")})), []question{{reached, "unknown", "nva"}}},
		{"a network that is not in the estate", []any{wan, hubDoc("hub"), connect("hub", "a"), connect("hub", "elsewhere")}, []question{{"10.1.0.4 -> 10.77.0.4 tcp 443", "unknown", "elsewhere, which is connected to hub hub as well"}}},
	} {
		t.Run(c.name, func(t *testing.T) { ask(t, topology(t, append(docs[:len(docs):len(docs)], c.docs...)...), c.asks...) })
	}
}

// A private endpoint of a private link service leads to the machines behind its
// load balancer, whose groups see an address of the service's own subnet.
func TestPrivateLinkService(t *testing.T) {
	pls, front := nt.ID("Microsoft.Network/privateLinkServices", "pls"), nt.InternalID.Child("frontendIPConfigurations", "front")
	pool := nt.InternalID.Child("backendAddressPools", "pool")
	lb := nt.Document(nt.InternalID, nt.Set{Path: "frontendIPConfigurations", Value: []arm.Object{{"name": "front", "properties": nt.Config("b", "s", "10.2.0.100")["properties"]}}},
		nt.Set{Path: "backendAddressPools", Value: []arm.Object{{"name": "pool"}}},
		nt.Set{Path: "loadBalancingRules", Value: []arm.Object{{"name": "web", "properties": arm.Object{"protocol": "Tcp", "frontendPort": 443.0, "backendPort": 8443.0,
			"frontendIPConfiguration": arm.Object{"id": string(front)}, "backendAddressPool": arm.Object{"id": string(pool)}}}}})
	backend := nt.VM("web", "b", "s", "", nt.UseNSG("nsg"))
	backend[0] = nt.With(backend[0], nt.Set{Path: "ipConfigurations", Value: []arm.Object{nt.Config("b", "s", "", nt.Set{Path: "loadBalancerBackendAddressPools", Value: []arm.Object{{"id": string(pool)}}})}})
	estateOf := func(rule string) []any {
		return []any{nt.VNet("a", "10.1.0.0/16"), nt.Subnet("a", "s", "10.1.0.0/24"), nt.VM("one", "a", "s", "10.1.0.9"),
			nt.VNet("b", "10.2.0.0/16"), nt.Subnet("b", "s", "10.2.0.0/24"), nt.Subnet("b", "nat", "10.2.1.0/24"), nt.NSG("nsg", nt.Rule("r", rule)), backend, lb,
			nt.Document(pls, nt.Set{Path: "ipConfigurations", Value: []arm.Object{nt.Config("b", "nat", "")}}, nt.Set{Path: "loadBalancerFrontendIpConfigurations", Value: []arm.Object{{"id": string(front)}}}),
			nt.Endpoint("pe", "a", "s", pls, "")}
	}
	ask(t, topology(t, estateOf("100 Inbound Deny Tcp 10.1.0.0/16:* -> *:*")...), // the client is not seen
		question{"10.1.0.9 -> 10.1.0.4 tcp 443", "yes", ""}, question{"10.1.0.9 -> 10.1.0.4 tcp 22", "no", "no rule of frontend"}, question{"10.1.0.9 -> 10.2.0.4 tcp 8443", "no", ""})
	ask(t, topology(t, estateOf("100 Inbound Deny Tcp 10.2.1.0/24:* -> *:8443")...), question{"10.1.0.9 -> 10.1.0.4 tcp 443", "no", "rule r"})
}

// Application security groups have private endpoints for members, where the subnet
// applies groups to them.
func TestApplicationSecurityGroupsOfEndpoints(t *testing.T) {
	rule := nt.Rule("asg", "100 Inbound Deny Tcp *:* -> *:443")
	p := rule["properties"].(arm.Object)
	delete(p, "destinationAddressPrefixes")
	p["destinationApplicationSecurityGroups"] = []any{arm.Object{"id": string(nt.ASGID("endpoints"))}}
	member := nt.Set{Path: "applicationSecurityGroups", Value: []arm.Object{{"id": string(nt.ASGID("endpoints"))}}}
	for policy, want := range map[string]string{"Enabled": "no", "NetworkSecurityGroupEnabled": "no", "RouteTableEnabled": "yes", "Disabled": "yes"} {
		top := topology(t, nt.VNet("a", "10.1.0.0/16"), nt.Subnet("a", "s", "10.1.0.0/24"), nt.Subnet("a", "pe", "10.1.1.0/24", nt.UseNSG("nsg"), nt.Set{Path: "privateEndpointNetworkPolicies", Value: policy}),
			nt.NSG("nsg", rule), nt.VM("one", "a", "s", ""), nt.Storage("st"), nt.Storage("other"),
			nt.Endpoint("pe-1", "a", "pe", nt.StorageID("st"), "blob", member), nt.Endpoint("pe-2", "a", "pe", nt.StorageID("other"), "blob"))
		ask(t, top, question{"10.1.0.4 -> 10.1.1.4 tcp 443", want, ""}, question{"10.1.0.4 -> 10.1.1.5 tcp 443", "yes", ""})
	}
}

// What passes from some sources to some destinations is within both, and all that
// Reach lets pass there.
func TestPassing(t *testing.T) {
	top := topology(t, nt.VNet("a", "10.1.0.0/16"), nt.Subnet("a", "s", "10.1.0.0/24"), nt.Subnet("a", "t", "10.1.1.0/24", nt.UseNSG("nsg")),
		nt.NSG("nsg", nt.Rule("web", "100 Inbound Allow Tcp 10.1.0.4:* -> *:443"), nt.Rule("none", "200 Inbound Deny * *:* -> *:*")),
		nt.VM("one", "a", "s", ""), nt.VM("two", "a", "s", ""), nt.VM("three", "a", "t", ""))
	from, to := []netip.Prefix{netip.MustParsePrefix("10.1.0.0/24")}, []netip.Prefix{netip.MustParsePrefix("10.1.1.0/24")}
	v := top.Spaces("").Passing(from, to)
	for _, q := range []string{"10.1.0.4 -> 10.1.1.4 tcp 443", "10.1.0.5 -> 10.1.1.4 tcp 443", "10.1.0.4 -> 10.1.1.4 tcp 22", "10.1.0.4 -> 10.1.1.9 tcp 443"} {
		f := flow(t, q)
		f.SourcePort = 50000
		if got, err := in(v, packet(f)); err != nil || got != top.Reach(f).Value {
			t.Errorf("%s: %v (%v), the engine %v", q, got, err, top.Reach(f).Value)
		}
	}
	for _, q := range []string{"10.1.1.4 -> 10.1.0.4 tcp 443", "10.1.0.4 -> 10.1.0.5 tcp 443", "10.1.2.4 -> 10.1.1.4 tcp 443"} {
		p := packet(flow(t, q))
		for name, s := range map[string]space.Set{"passes": v.Passes, "is refused": v.Refused, "is unknown": v.Unknown} {
			if s.Has(p) {
				t.Errorf("%s %s, outside of what is asked for", q, name)
			}
		}
	}
}
