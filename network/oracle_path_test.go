package network_test

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	nt "github.com/cloister-ml/cloister/network/networktest"
	"github.com/cloister-ml/cloister/service"
)

// hop is where the oracle's route leads: local, peer:{vnet}, endpoint, internet,
// none, appliance.
type hop struct {
	kind string
	vnet arm.ID
	next netip.Addr
	user bool // a user-defined route says so
}

// hop tries every route there is for one address, and keeps the best.
func (o oracle) hop(subnet arm.ID, a netip.Addr) hop {
	best, bestBits, bestClass := hop{kind: "none"}, -1, 0
	// class: user-defined 0 and their ranks, system after all
	consider := func(h hop, bits, class int) {
		if bits > bestBits || bits == bestBits && class < bestClass {
			best, bestBits, bestClass = h, bits, class
		}
	}
	vnet := subnet.Parent()
	byDefault := false
	for _, r := range o.routes(subnet) {
		dest := arm.String(r, "properties.addressPrefix")
		byDefault = byDefault || dest == "0.0.0.0/0"
		if bits, rank, ok := destinationContains(dest, a); ok {
			h := userHop(r, vnet)
			h.user = true
			consider(h, bits, rank)
		}
	}
	if a.Is4() || slices.ContainsFunc(o.space(vnet), func(p string) bool { return strings.Contains(p, ":") }) {
		consider(hop{kind: "internet"}, 0, 10)
	}
	for _, p := range []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"} {
		if !byDefault && mustPrefix(p).Contains(a) {
			consider(hop{kind: "none"}, mustPrefix(p).Bits(), 11)
		}
	}
	for _, v := range o.e.OfType(service.TypeVirtualNetwork) {
		for _, p := range o.space(v.ID) {
			if !mustPrefix(p).Contains(a) {
				continue
			}
			if v.ID.Equal(vnet) {
				consider(hop{kind: "inside", vnet: vnet}, mustPrefix(p).Bits(), 10)
			} else if o.connected(vnet, v.ID) {
				consider(hop{kind: "inside", vnet: v.ID}, mustPrefix(p).Bits(), 10)
			}
		}
	}
	if far, ok := o.elsewhere(vnet); ok && mustPrefix(nt.ElsewhereSpace).Contains(a) {
		consider(hop{kind: "inside", vnet: far}, 16, 10)
	}
	o.gatewayRoutes(subnet, a, consider)
	if len(arm.Objects(o.doc(subnet).Properties, "serviceEndpoints")) > 0 {
		if bits, _, ok := destinationContains("Storage", a); ok {
			consider(hop{kind: "service"}, bits, 10)
		}
	}
	for _, n := range o.top.NICs {
		if n.Kind == network.KindPrivateEndpoint && n.Addrs[0] == a && o.endpointRoute(subnet, n) {
			consider(hop{kind: "inside", vnet: n.Subnet.Parent()}, 32, 10)
		}
	}
	return best
}

func userHop(r arm.Object, vnet arm.ID) hop {
	switch arm.String(r, "properties.nextHopType") {
	case "Internet":
		return hop{kind: "internet"}
	case "VnetLocal":
		return hop{kind: "inside", vnet: vnet}
	case "VirtualAppliance":
		return hop{kind: "appliance", next: netip.MustParseAddr(arm.String(r, "properties.nextHopIpAddress"))}
	case "VirtualNetworkGateway":
		return hop{kind: "gateway"}
	}
	return hop{kind: "drop"}
}

// endpointRoute reports whether a subnet has the /32 of an endpoint.
func (o oracle) endpointRoute(subnet arm.ID, n network.NIC) bool {
	home := n.Subnet.Parent()
	if !home.Equal(subnet.Parent()) && !o.connected(subnet.Parent(), home) {
		return false
	}
	policy := arm.String(o.doc(n.Subnet).Properties, "privateEndpointNetworkPolicies")
	if policy != "Enabled" && policy != "RouteTableEnabled" {
		return true
	}
	for _, r := range o.routes(subnet) {
		bits, _, ok := destinationContains(arm.String(r, "properties.addressPrefix"), n.Addrs[0])
		for _, p := range o.space(home) {
			if ok && bits >= mustPrefix(p).Bits() {
				return false
			}
		}
	}
	return true
}
