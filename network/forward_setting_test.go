package network_test

import (
	"testing"

	"github.com/cloister-ml/cloister/network"
	nt "github.com/cloister-ml/cloister/network/networktest"
)

// Replies that a route gives to a virtual appliance are lost where appliances are
// taken to forward nothing, as connections are that it is to forward.
func TestRepliesThroughAppliancesThatForwardNothing(t *testing.T) {
	relay := nt.VM("relay", "a", "s", "10.1.0.4", nt.Set{Path: "enableIPForwarding", Value: true})
	e, err := nt.Estate(nt.VNet("a", "10.1.0.0/16"), nt.VNet("b", "10.2.0.0/16"), nt.Peer("a", "b"),
		nt.RouteTable("back", nt.Route("to-b", "10.2.0.0/16", "10.1.0.4")), nt.Subnet("a", "s", "10.1.0.0/24"),
		nt.Subnet("a", "t", "10.1.1.0/24", nt.UseTable("back")), nt.Subnet("b", "s", "10.2.0.0/24"),
		relay, nt.VM("to", "a", "t", "10.1.1.4"), nt.VM("from", "b", "s", "10.2.0.4"))
	if err != nil {
		t.Fatal(err)
	}
	for setting, want := range map[network.Assumption]question{
		network.Open:  {"10.2.0.4 -> 10.1.1.4 tcp 443", "unknown", "sees only half"},
		network.NotSo: {"10.2.0.4 -> 10.1.1.4 tcp 443", "no", "forward nothing"},
		network.IsSo:  {"10.2.0.4 -> 10.1.1.4 tcp 443", "unknown", "sees only half"},
	} {
		ask(t, network.Settings{AppliancesForward: setting}.FromEstate(e), want)
	}
}
