package network_test

import (
	"testing"

	nt "github.com/cloister-ml/cloister/network/networktest"
)

// What the peers of a route server advertise is in no document. It reaches peered
// networks that use the remote network's gateway, and never goes before the routes of
// peerings, of the network itself and of the user: those that are as long.
//
// Sources: Microsoft Learn, "Azure Route Server frequently asked questions", "Virtual
// network traffic routing".
func TestRouteServer(t *testing.T) {
	server := nt.ID("Microsoft.Network/virtualHubs", "server")
	uses, lends := nt.Set{Path: "useRemoteGateways", Value: true}, nt.Set{Path: "allowGatewayTransit", Value: true}
	docs := []any{
		nt.VNet("hub", "10.1.0.0/16"), nt.Subnet("hub", "s", "10.1.0.0/24"), nt.VM("one", "hub", "s", ""),
		nt.Subnet("hub", "RouteServerSubnet", "10.1.2.0/27"),
		nt.Document(server, nt.Set{Path: "allowBranchToBranchTraffic", Value: true}),
		nt.Document(server.Child("ipConfigurations", "c"), nt.Set{Path: "subnet.id", Value: nt.SubnetID("hub", "RouteServerSubnet")}),
		nt.Document(server.Child("bgpConnections", "nva"), nt.Set{Path: "peerIp", Value: "10.1.0.9"}),
		nt.RouteTable("own", nt.Route("out", "0.0.0.0/0", "Internet"), nt.Route("drop", "10.8.0.4/32", "None")),
	}
	for vnet, two := range map[string]string{"guest": "10.2", "neighbour": "10.3"} {
		docs = append(docs, nt.VNet(vnet, two+".0.0/16"), nt.Subnet(vnet, "s", two+".0.0/24"), nt.VM("vm-"+vnet, vnet, "s", ""))
	}
	docs = append(docs, nt.Peering("guest", "hub", uses), nt.Peering("hub", "guest", lends), nt.Peering("neighbour", "hub"), nt.Peering("hub", "neighbour", lends),
		nt.Subnet("guest", "t", "10.2.1.0/24", nt.UseTable("own")), nt.VM("ruled", "guest", "t", ""),
		nt.Subnet("guest", "u", "10.2.2.0/24", nt.UseTable("shut")), nt.VM("shut", "guest", "u", ""),
		nt.With(nt.RouteTable("shut"), nt.Set{Path: "disableBgpRoutePropagation", Value: true}))
	ask(t, topology(t, docs...),
		question{"10.1.0.4 -> 10.8.0.4 tcp 443", "unknown", "learns routes by BGP"},
		question{"10.1.0.4 -> 192.0.2.10 tcp 443", "unknown", "a default route perhaps"},
		question{"10.1.0.4 -> 10.2.0.4 tcp 443", "yes", ""}, // peering goes before BGP, however long its prefixes
		question{"10.2.0.4 -> 10.1.0.4 tcp 443", "yes", ""},
		question{"10.2.0.4 -> 10.2.1.4 tcp 443", "yes", ""},
		question{"10.2.0.4 -> 10.8.0.4 tcp 443", "unknown", "learns routes by BGP"}, // it uses the remote gateway
		question{"10.2.0.4 -> 192.0.2.10 tcp 443", "unknown", "a default route perhaps"},
		question{"10.3.0.4 -> 10.8.0.4 tcp 443", "no", ""}, // it does not
		question{"10.3.0.4 -> 192.0.2.10 tcp 443", "yes", ""},
		question{"10.2.1.4 -> 192.0.2.10 tcp 443", "yes", ""}, // a user-defined route of the same prefix goes before
		question{"10.2.1.4 -> 10.8.0.4 tcp 443", "no", "drop"},
		question{"10.2.1.4 -> 10.8.0.5 tcp 443", "unknown", "learns routes by BGP"}, // what is longer goes before it
		question{"10.2.2.4 -> 10.8.0.4 tcp 443", "no", ""},                          // its table takes no routes of gateways
		question{"10.2.2.4 -> 192.0.2.10 tcp 443", "yes", ""},
	)
}
