package network_test

import (
	"testing"

	"github.com/cloister-ml/cloister/arm"
	nt "github.com/cloister-ml/cloister/network/networktest"
)

// Whether a NAT gateway takes IPv6 out is never guessed: the subnet's may not be
// known, and one with addresses of IPv6 goes before the machine's own address.
func TestWayOutByIPv6BesideNATGateways(t *testing.T) {
	six := nt.Set{Path: "privateIPAddressVersion", Value: "IPv6"}
	docs := nt.VM("one", "a", "s", "")
	docs[0] = nt.With(docs[0], nt.Set{Path: "ipConfigurations", Value: []arm.Object{nt.Config("a", "s", ""),
		nt.Config("a", "s", "", six, nt.Set{Path: "publicIPAddress.id", Value: nt.PublicIPID("own")})}})
	own := nt.With(nt.PublicIP("own", "Standard"), nt.Set{Path: "publicIPAddressVersion", Value: "IPv6"})
	for name, c := range map[string]struct {
		nat  nt.Set
		list string
		sku  string
		want []question
	}{
		"not known": {nt.Set{Path: "natGateway.id", Value: arm.Unknown{Expression: "var.nat"}}, "publicIpAddresses", "Standard",
			[]question{{"fd00:1::4 -> 2001:db8::1 tcp 443", "unknown", "var.nat"}}},
		"Standard": {nt.UseNAT("nat"), "publicIpAddresses", "Standard", []question{{"fd00:1::4 -> 2001:db8::1 tcp 443", "yes", ""},
			{"10.1.0.4 -> 198.18.0.9 udp 53", "yes", ""}, {"10.1.0.4 -> 198.18.0.9 icmp", "no", "takes out TCP and UDP only"}}},
		"of IPv6 too, which Azure refuses": {nt.UseNAT("nat"), "publicIpAddressesV6", "Standard", []question{{"fd00:1::4 -> 2001:db8::1 tcp 443", "unknown", "only the SKU StandardV2"}}},
		"StandardV2": {nt.UseNAT("nat"), "publicIpAddressesV6", "StandardV2", []question{{"fd00:1::4 -> 2001:db8::1 tcp 443", "yes", ""},
			{"fd00:1::4 -> 2001:db8::1 icmp", "no", "takes out TCP and UDP only"}}},
	} {
		t.Run(name, func(t *testing.T) {
			subnet := nt.Document(nt.SubnetID("a", "s"), c.nat, nt.Set{Path: "addressPrefixes", Value: []string{"10.1.0.0/24", "fd00:1::/64"}})
			nat := nt.Document(nt.NATID("nat"), nt.Set{Path: c.list, Value: []arm.Object{{"id": string(nt.PublicIPID("pip"))}}})
			nat.SKU = arm.Object{"name": c.sku}
			pip := nt.PublicIP("pip", c.sku)
			if c.list == "publicIpAddressesV6" {
				pip = nt.With(pip, nt.Set{Path: "publicIPAddressVersion", Value: "IPv6"})
			}
			ask(t, topology(t, nt.VNet("a", "10.1.0.0/16", "fd00:1::/48"), subnet, nat, pip, own, docs), c.want...)
		})
	}
}
