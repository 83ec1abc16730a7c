package network_test

import (
	"testing"

	"github.com/cloister-ml/cloister/arm"
	nt "github.com/cloister-ml/cloister/network/networktest"
)

// A half of a peering of which it is not known where it leads may lead to the
// network that has a gateway: a route of the gateway may then go before a
// user-defined one. (Found by TestUnknownInTheMiddleIsNeverADefault.)
func TestPeeringThatMayLeadToAGateway(t *testing.T) {
	gateway := nt.Document(nt.GatewayID, nt.Set{Path: "gatewayType", Value: "Vpn"},
		nt.Set{Path: "ipConfigurations", Value: []arm.Object{nt.Config("hub", "GatewaySubnet", "")}},
		nt.Set{Path: "vpnClientConfiguration.vpnClientAddressPool.addressPrefixes", Value: []string{"172.30.0.0/24"}})
	lends, uses := nt.Set{Path: "allowGatewayTransit", Value: true}, nt.Set{Path: "useRemoteGateways", Value: true}
	hidden := nt.Set{Path: "remoteVirtualNetwork", Value: arm.Unknown{Expression: "var.peer"}}
	for _, c := range []struct {
		name          string
		mine, its     []nt.Set
		want, because string
	}{
		{"both are known", []nt.Set{uses}, []nt.Set{lends}, "yes", "point-to-site clients of vpn"},
		{"its own is not", []nt.Set{uses, hidden}, []nt.Set{lends}, "unknown", "var.peer"},
		{"the hub's is not", []nt.Set{uses}, []nt.Set{lends, hidden}, "unknown", "var.peer"},
		{"neither is", []nt.Set{uses, hidden}, []nt.Set{lends, hidden}, "unknown", "var.peer"},
		{"its own is not, and it uses no gateway of a peer", []nt.Set{hidden}, []nt.Set{lends}, "unknown", "peer"},
		{"the hub lends nothing", []nt.Set{uses}, nil, "no", "drops the packets"},
	} {
		t.Run(c.name, func(t *testing.T) {
			top := topology(t, nt.VNet("hub", "10.0.0.0/16"), nt.Subnet("hub", "GatewaySubnet", "10.0.0.0/27"), gateway,
				nt.VNet("spoke", "10.1.0.0/16"), nt.Subnet("spoke", "s", "10.1.0.0/24", nt.UseTable("rt")), nt.RouteTable("rt", nt.Route("none", "0.0.0.0/0", "None")),
				nt.VM("one", "spoke", "s", ""), nt.Peering("spoke", "hub", c.mine...), nt.Peering("hub", "spoke", c.its...))
			ask(t, top, question{"10.1.0.4 -> 172.30.0.9 tcp 443", c.want, c.because})
		})
	}
}

// An address of which it is not known whose it is may be the sender's own: then
// neither groups nor routes are asked. (Found by TestUnknownIsNeverADefault.)
func TestSecondAddressThatIsNotKnown(t *testing.T) {
	machine := func(second nt.Set) []arm.Resource {
		docs := nt.VM("one", "a", "s", "")
		docs[0] = nt.With(docs[0], nt.Set{Path: "ipConfigurations", Value: []arm.Object{nt.Config("a", "s", "10.1.0.5"), nt.Config("a", "s", "", second)}})
		return docs
	}
	for _, c := range []struct {
		second any
		want   string
	}{{"10.1.0.4", "yes"}, {"10.1.0.9", "no"}, {arm.Unknown{Expression: "var.second"}, "unknown"}} {
		top := topology(t, nt.VNet("a", "10.1.0.0/16"), nt.Subnet("a", "s", "10.1.0.0/24", nt.UseTable("rt")), nt.RouteTable("rt", nt.Route("none", "10.1.0.0/16", "None")),
			machine(nt.Set{Path: "privateIPAddress", Value: c.second}))
		ask(t, top, question{"10.1.0.5 -> 10.1.0.4 tcp 22", c.want, ""})
	}
}
