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

// Networks that gateways join are not modelled, and that is said.
func TestNetworksThatGatewaysJoin(t *testing.T) {
	gateway := func(name, vnet string) []any {
		return []any{nt.VNet(vnet, map[string]string{"a": "10.1.0.0/16", "b": "10.2.0.0/16"}[vnet]), nt.Subnet(vnet, "GatewaySubnet", map[string]string{"a": "10.1.9.0/27", "b": "10.2.9.0/27"}[vnet]),
			nt.Subnet(vnet, "s", map[string]string{"a": "10.1.0.0/24", "b": "10.2.0.0/24"}[vnet]), nt.VM("vm-"+vnet, vnet, "s", ""),
			nt.Document(nt.ID("Microsoft.Network/virtualNetworkGateways", name), nt.Set{Path: "gatewayType", Value: "Vpn"}, nt.Set{Path: "ipConfigurations", Value: []arm.Object{nt.Config(vnet, "GatewaySubnet", "")}})}
	}
	joined := nt.Document(nt.ID("Microsoft.Network/connections", "a-to-b"), nt.Set{Path: "connectionType", Value: "Vnet2Vnet"},
		nt.Set{Path: "virtualNetworkGateway1.id", Value: nt.ID("Microsoft.Network/virtualNetworkGateways", "gw-a")}, nt.Set{Path: "virtualNetworkGateway2.id", Value: nt.ID("Microsoft.Network/virtualNetworkGateways", "gw-b")})
	docs := append(gateway("gw-a", "a"), gateway("gw-b", "b")...)
	ask(t, topology(t, docs...), question{"10.1.0.4 -> 10.2.0.4 tcp 443", "no", ""})
	ask(t, topology(t, append(docs, joined)...), question{"10.1.0.4 -> 10.2.0.4 tcp 443", "unknown", "joins it to gateway gw-b"}, question{"10.1.0.4 -> 10.1.0.5 tcp 443", "no", ""})
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
