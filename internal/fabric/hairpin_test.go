package fabric

import (
	"net/netip"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/network/networktest"
)

// A machine behind a NAT gateway asks for a public address of its own network.
// What the security group of that machine says is what happens, and where its
// replies take another way than the public address they are lost, even where a
// machine forwards them to who has asked.
func TestPublicAddressFromBehindNAT(t *testing.T) {
	t.Parallel()
	has := networktest.Set{Path: "publicIPAddress.id", Value: networktest.PublicIPID("pip")}
	forwards := networktest.Set{Path: "enableIPForwarding", Value: true}
	for _, c := range []struct {
		name  string
		rule  string
		table []arm.Object
	}{
		{"admitted", "100 Inbound Allow * Internet:* -> *:443", nil},
		{"refused", "100 Inbound Deny * *:* -> *:*", nil},
		{"replies go to the sender, which forwards", "100 Inbound Allow * *:* -> *:*", []arm.Object{networktest.Route("all", "0.0.0.0/0", "10.1.0.4")}},
		{"replies go to another machine, which forwards", "100 Inbound Allow * *:* -> *:*", []arm.Object{networktest.Route("all", "0.0.0.0/0", "10.1.0.5")}},
		{"replies go nowhere", "100 Inbound Allow * *:* -> *:*", []arm.Object{networktest.Route("all", "0.0.0.0/0", "None")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			asked := networktest.VM("asked", "a", "s1", "10.1.1.4", networktest.UseNSG("nsg"))
			asked[0] = networktest.With(asked[0], networktest.Set{Path: "ipConfigurations", Value: []arm.Object{networktest.Config("a", "s1", "10.1.1.4", has)}})
			e, err := networktest.Estate(
				networktest.VNet("a", "10.1.0.0/16"), networktest.Subnet("a", "s0", "10.1.0.0/24", networktest.UseNAT("nat")), networktest.Subnet("a", "s1", "10.1.1.0/24", networktest.UseTable("rt")),
				networktest.RouteTable("rt", c.table...), networktest.NSG("nsg", networktest.Rule("rule", c.rule)),
				networktest.Document(networktest.NATID("nat"), networktest.Set{Path: "publicIpAddresses", Value: []arm.Object{{"id": string(networktest.PublicIPID("pip-nat"))}}}),
				networktest.PublicIP("pip", "Standard"), networktest.PublicIP("pip-nat", "Standard"),
				networktest.VM("asks", "a", "s0", "10.1.0.4", forwards), networktest.VM("other", "a", "s0", "10.1.0.5", forwards), asked)
			if err != nil {
				t.Fatal(err)
			}
			x := experiment{estate: e, top: network.FromEstate(e)}
			public := x.top.PublicIP(networktest.PublicIPID("pip"))
			for _, p := range []network.Protocol{network.UDP, network.TCP, network.ICMP} {
				x.flows = append(x.flows, network.Flow{Source: netip.MustParseAddr("10.1.0.4"), Destination: public, Protocol: p, Port: 443},
					network.Flow{Source: netip.MustParseAddr("10.1.0.5"), Destination: public, Protocol: p, Port: 443})
			}
			if tried, _, _ := x.run(t); tried != len(x.flows) {
				t.Errorf("%d of %d flows tried", tried, len(x.flows))
			}
		})
	}
}
