package network_test

import (
	"testing"

	"github.com/cloister-ml/cloister/arm"
	nt "github.com/cloister-ml/cloister/network/networktest"
)

// A connection that may lead to another network of the estate may bring a route that is
// longer than a user-defined one. (Found by
// TestUnknownInTheMiddleIsNeverADefault, in one estate of a thousand.)
func TestRoutesOfConnectionsThatAreNotKnown(t *testing.T) {
	id := func(name string) arm.ID { return nt.ID("Microsoft.Network/virtualNetworkGateways", "gw-"+name) }
	side := func(vnet, two string) []any {
		return []any{nt.VNet(vnet, two+".0.0/16"), nt.Subnet(vnet, "GatewaySubnet", two+".9.0/27"), nt.Subnet(vnet, "s", two+".0.0/24", nt.UseTable("rt-"+vnet)), nt.VM("vm-"+vnet, vnet, "s", ""),
			nt.Document(id(vnet), nt.Set{Path: "gatewayType", Value: "Vpn"}, nt.Set{Path: "ipConfigurations", Value: []arm.Object{nt.Config(vnet, "GatewaySubnet", "")}})}
	}
	connect := func(from, to string, first any) arm.Resource {
		return nt.Document(nt.ID("Microsoft.Network/connections", from+"-to-"+to), nt.Set{Path: "connectionType", Value: "Vnet2Vnet"},
			nt.Set{Path: "virtualNetworkGateway1.id", Value: first}, nt.Set{Path: "virtualNetworkGateway2.id", Value: id(to)})
	}
	docs := append(append([]any{nt.RouteTable("rt-a"), nt.RouteTable("rt-b", nt.Route("none", "10.0.0.0/8", "None")), connect("a", "b", id("a"))}, side("a", "10.1")...), side("b", "10.2")...)
	for first, want := range map[any]string{id("b"): "yes", arm.Unknown{Expression: "var.gateway"}: "unknown"} {
		ask(t, topology(t, append(docs[:len(docs):len(docs)], connect("b", "a", first))...), question{"10.2.0.4 -> 10.1.0.4 tcp 443", want, ""})
	}
}

// What a user-defined route hands to a gateway may be for a network whose space is not
// known, and whether the gateway sends that back is not documented. (Found by the same.)
func TestGatewaysBesideNetworksWhoseSpaceIsNotKnown(t *testing.T) {
	gateway := nt.Document(nt.OtherGatewayID, nt.Set{Path: "gatewayType", Value: "Vpn"}, nt.Set{Path: "ipConfigurations", Value: []arm.Object{nt.Config("b", "GatewaySubnet", "")}})
	docs := []any{nt.VNet("b", "10.2.0.0/16"), nt.Subnet("b", "GatewaySubnet", "10.2.9.0/27"), nt.Subnet("b", "s", "10.2.0.0/24", nt.UseTable("rt")), nt.VM("one", "b", "s", ""), gateway,
		nt.RouteTable("rt", nt.Route("all", "0.0.0.0/0", "VirtualNetworkGateway"))}
	hidden := nt.Document(nt.VNetID("a"), nt.Set{Path: "addressSpace.addressPrefixes", Value: arm.Unknown{Expression: "var.space"}})
	const flow = "10.2.0.4 -> 10.1.250.4 tcp 22"
	ask(t, topology(t, docs...), question{flow, "no", "none of the connections"})
	ask(t, topology(t, append(docs, nt.VNet("a", "10.1.0.0/16"))...), question{flow, "unknown", "not documented"})
	ask(t, topology(t, append(docs, hidden)...), question{flow, "unknown", "var.space"})
}
