package network_test

import (
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	nt "github.com/cloister-ml/cloister/network/networktest"
)

// three networks in a row, a machine in each; the peerings are up to the test.
func threeNetworks(more ...any) []any {
	return append([]any{
		nt.VNet("spoke1", "10.1.0.0/16"), nt.Subnet("spoke1", "s", "10.1.0.0/24", nt.UseNSG("nsg")), nt.VM("one", "spoke1", "s", "10.1.0.4"),
		nt.VNet("hub", "10.2.0.0/16"), nt.Subnet("hub", "s", "10.2.0.0/24"), nt.VM("mid", "hub", "s", "10.2.0.4"),
		nt.VNet("spoke2", "10.3.0.0/16"), nt.Subnet("spoke2", "s", "10.3.0.0/24"), nt.VM("two", "spoke2", "s", "10.3.0.4"),
		nt.NSG("nsg"),
	}, more...)
}

func TestPeering(t *testing.T) {
	t.Run("both halves", func(t *testing.T) {
		ask(t, topology(t, threeNetworks(nt.Peer("spoke1", "hub"))...),
			question{"10.2.0.4 -> 10.1.0.4 tcp 22", "yes", "AllowVnetInBound"})
	})
	t.Run("one half", func(t *testing.T) {
		ask(t, topology(t, threeNetworks(nt.Peering("hub", "spoke1"))...),
			question{"10.2.0.4 -> 10.1.0.4 tcp 22", "no", "hub is peered to spoke1 but not back; add the peering from spoke1 to hub"},
			question{"10.1.0.4 -> 10.2.0.4 tcp 22", "no", ""})
	})
	t.Run("it is not transitive", func(t *testing.T) {
		ask(t, topology(t, threeNetworks(nt.Peer("spoke1", "hub"), nt.Peer("hub", "spoke2"))...),
			question{"10.2.0.4 -> 10.3.0.4 tcp 22", "yes", ""},
			question{"10.3.0.4 -> 10.1.0.4 tcp 22", "no", "spoke2 and spoke1 are not peered, and peering is not transitive"})
	})
	t.Run("without access the peer leaves the tag, not the routes", func(t *testing.T) {
		closed := nt.Set{Path: "allowVirtualNetworkAccess", Value: false}
		top := topology(t, threeNetworks(nt.Peering("spoke1", "hub", closed), nt.Peering("hub", "spoke1"))...)
		ask(t, top,
			question{"10.2.0.4 -> 10.1.0.4 tcp 22", "no", "default rule DenyAllInBound"},
			question{"10.1.0.4 -> 10.2.0.4 tcp 22", "no", "default rule DenyAllOutBound"})
	})
	t.Run("overlapping spaces", func(t *testing.T) {
		top := topology(t, threeNetworks(nt.VNet("clash", "10.1.128.0/17"), nt.Peer("clash", "spoke1"))...)
		hasProblem(t, top.Problems, "10.1.0.0/16 of spoke1 overlaps 10.1.128.0/17 of clash")
		if v, _ := top.VNet(nt.VNetID("spoke1")); v.Peerings[0].Connected {
			t.Error("a refused peering is connected")
		}
	})
	t.Run("a peer outside the estate", func(t *testing.T) {
		out := nt.Peering("spoke1", "elsewhere")
		ask(t, topology(t, threeNetworks(out)...),
			question{"10.1.0.4 -> 10.77.0.4 tcp 443", "unknown", "the remote network elsewhere of peering to-elsewhere is not in the estate"},
			question{"10.1.0.4 -> 192.0.2.10 tcp 443", "yes", ""})
	})
	t.Run("an unknown peer", func(t *testing.T) {
		half := nt.Peering("spoke1", "x", nt.Set{Path: "remoteVirtualNetwork.id", Value: arm.Unknown{Expression: "data.hub.id"}})
		ask(t, topology(t, threeNetworks(half)...),
			question{"10.1.0.4 -> 10.2.0.4 tcp 443", "unknown", "data.hub.id"})
	})
}

func TestRoutes(t *testing.T) {
	peered := func(routes ...arm.Object) []any {
		return []any{
			nt.VNet("a", "10.1.0.0/16"), nt.Subnet("a", "s", "10.1.0.0/24", nt.UseTable("rt")), nt.Subnet("a", "t", "10.1.1.0/24"),
			nt.VM("one", "a", "s", "10.1.0.4"), nt.VM("fw", "a", "t", "10.1.1.4", nt.Set{Path: "enableIPForwarding", Value: true}), nt.VM("plain", "a", "t", "10.1.1.5"),
			nt.VNet("b", "10.2.0.0/16"), nt.Subnet("b", "s", "10.2.0.0/24"), nt.VM("two", "b", "s", "10.2.0.4"),
			nt.Peer("a", "b"), nt.RouteTable("rt", routes...),
		}
	}
	for _, c := range []struct {
		name   string
		routes []arm.Object
		question
	}{
		{"system routes", nil, question{"10.1.0.4 -> 10.2.0.4 tcp 443", "yes", ""}},
		{"nowhere", nil, question{"10.1.0.4 -> 10.9.0.4 tcp 443", "no", "a has no route to 10.9.0.4 (10.0.0.0/8 -> None (system route))"}},
		{"to None", []arm.Object{nt.Route("drop", "10.2.0.0/16", "None")}, question{"10.1.0.4 -> 10.2.0.4 tcp 443", "no", "10.2.0.0/16 -> None (user-defined route drop) drops the packets"}},
		{"the longest prefix wins", []arm.Object{nt.Route("drop", "10.0.0.0/8", "None")}, question{"10.1.0.4 -> 10.2.0.4 tcp 443", "yes", ""}},
		{"to None for everything", []arm.Object{nt.Route("drop", "0.0.0.0/0", "None")}, question{"10.1.0.4 -> 192.0.2.10 tcp 443", "no", "0.0.0.0/0 -> None"}},
		{"replies to None", []arm.Object{nt.Route("drop", "10.2.0.0/16", "None")}, question{"10.2.0.4 -> 10.1.0.4 tcp 443", "no", "way back from subnet s: replies to 10.2.0.4 take 10.2.0.0/16 -> None (user-defined route drop) and are lost"}},
		{"through an appliance", []arm.Object{nt.Route("fw", "0.0.0.0/0", "10.1.1.4")}, question{"10.1.0.4 -> 192.0.2.10 tcp 443", "unknown", "what fw forwards is decided by its own configuration"}},
		{"0/0 to an appliance removes the system routes to None", []arm.Object{nt.Route("fw", "0.0.0.0/0", "10.1.1.4")}, question{"10.1.0.4 -> 10.9.0.4 tcp 443", "unknown", "what fw forwards"}},
		{"an appliance that does not forward", []arm.Object{nt.Route("fw", "0.0.0.0/0", "10.1.1.5")}, question{"10.1.0.4 -> 192.0.2.10 tcp 443", "no", "enable IP forwarding"}},
		{"an appliance that is not there", []arm.Object{nt.Route("fw", "0.0.0.0/0", "10.1.1.77")}, question{"10.1.0.4 -> 192.0.2.10 tcp 443", "no", "which nothing in a has"}},
		{"an appliance out of reach", []arm.Object{nt.Route("fw", "0.0.0.0/0", "10.9.1.4")}, question{"10.1.0.4 -> 192.0.2.10 tcp 443", "unknown", "name one that is directly reachable"}},
		{"replies through an appliance", []arm.Object{nt.Route("fw", "10.2.0.0/16", "10.1.1.4")}, question{"10.2.0.4 -> 10.1.0.4 tcp 443", "unknown", "the appliance sees only half of the connection"}},
		{"a service tag past the firewall", []arm.Object{nt.Route("fw", "0.0.0.0/0", "10.1.1.4"), nt.Route("aml", "AzureMachineLearning", "Internet")}, question{"10.1.0.4 -> 198.51.100.70 tcp 443", "yes", ""}},
		{"an unlisted tag", []arm.Object{nt.Route("x", "AzureUnlisted", "None")}, question{"10.1.0.4 -> 198.51.100.70 tcp 443", "unknown", "the addresses of service tag AzureUnlisted are not known"}},
		{"a private address by way of the internet", []arm.Object{nt.Route("x", "10.2.0.0/16", "Internet")}, question{"10.1.0.4 -> 10.2.0.4 tcp 443", "no", "which has no route to the private address 10.2.0.4"}},
		{"a gateway that is not there", []arm.Object{nt.Route("x", "10.8.0.0/16", "VirtualNetworkGateway")}, question{"10.1.0.4 -> 10.8.0.4 tcp 443", "no", "has no virtual network gateway"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ask(t, topology(t, peered(c.routes...)...), c.question)
		})
	}
	t.Run("of equal prefixes the explicit wins, then the regional tag", func(t *testing.T) {
		explicit, regional, global := nt.Route("z", "198.51.100.96/27", "Internet"), nt.Route("y", "Storage.WestEurope", "Internet"), nt.Route("a", "Storage", "None")
		for _, routes := range [][]arm.Object{{global, explicit}, {global, regional}} {
			ask(t, topology(t, peered(routes...)...), question{"10.1.0.4 -> 198.51.100.100 tcp 443", "yes", ""})
		}
	})
	t.Run("a table that is not known", func(t *testing.T) {
		ask(t, topology(t, nt.VNet("a", "10.1.0.0/16"), nt.VM("one", "a", "s", "10.1.0.4"),
			nt.Subnet("a", "s", "10.1.0.0/24", nt.Set{Path: "routeTable.id", Value: arm.Unknown{Expression: "var.rt"}})),
			question{"10.1.0.4 -> 192.0.2.10 tcp 443", "unknown", "routeTable.id is known only after deployment (var.rt)"})
	})
}

func TestEffectiveRoutes(t *testing.T) {
	top := topology(t,
		nt.VNet("a", "10.1.0.0/16"), nt.VNet("b", "10.2.0.0/16"), nt.Peer("a", "b"), nt.VNet("c", "10.3.0.0/16"),
		nt.Subnet("a", "s", "10.1.0.0/24", nt.UseTable("rt"), nt.Set{Path: "serviceEndpoints", Value: []arm.Object{{"service": "Microsoft.Storage"}}}),
		nt.Subnet("b", "pe", "10.2.0.0/24"), nt.Storage("st"), nt.Endpoint("pe-st", "b", "pe", nt.StorageID("st"), "blob"),
		nt.RouteTable("rt", nt.Route("all", "0.0.0.0/0", "10.1.0.9"), nt.Route("st-tag", "Storage", "None"), nt.Route("aml", "AzureMachineLearning", "Internet")))
	noProblems(t, top)
	var lines []string
	for _, r := range top.EffectiveRoutes(nt.SubnetID("a", "s")) {
		lines = append(lines, r.String())
	}
	want := `10.2.0.4/32 -> InterfaceEndpoint pe-st in b (system route)
198.51.100.64/27 -> Internet (user-defined route aml)
198.51.100.96/27 -> None (user-defined route st-tag)
198.18.24.0/21 -> None (user-defined route st-tag)
10.1.0.0/16 -> VnetLocal (system route)
10.2.0.0/16 -> VNetPeering to b (system route)
0.0.0.0/0 -> VirtualAppliance 10.1.0.9 (user-defined route all)`
	if got := strings.Join(lines, "\n"); got != want {
		t.Errorf("effective routes are\n%s\nwant\n%s", got, want)
	}
}
