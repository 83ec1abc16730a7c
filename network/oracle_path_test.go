package network_test

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

// hop is where the oracle's route leads: local, peer:{vnet}, endpoint, internet,
// none, appliance.
type hop struct {
	kind string
	vnet arm.ID
	next netip.Addr
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
			consider(userHop(r, vnet), bits, rank)
		}
	}
	consider(hop{kind: "internet"}, 0, 10)
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

// reach answers for a flow; with one address in two networks it answers for
// each that may be the source.
func (o oracle) reach(f network.Flow) verdict.Value {
	var answers []verdict.Value
	for _, n := range o.top.NICs {
		if slices.Contains(n.Addrs, f.Source) {
			answers = append(answers, o.from(n, f))
		}
	}
	if len(answers) == 0 {
		return o.fromInternet(f.Source, f)
	}
	for _, v := range answers {
		if v != answers[0] {
			return verdict.Unknown
		}
	}
	return answers[0]
}

func (o oracle) from(n network.NIC, f network.Flow) verdict.Value {
	if n.Kind == network.KindPrivateEndpoint {
		return verdict.No
	}
	if f.Destination == service.WireServer || f.Destination == service.Metadata {
		return o.platform(n, f)
	}
	if slices.Contains(n.Addrs, f.Destination) {
		return verdict.Yes
	}
	out := o.groups(n, network.Outbound, f)
	h := o.hop(n.Subnet, f.Destination)
	switch h.kind {
	case "inside":
		return verdict.And(out, o.inside(n, h.vnet, f))
	case "internet":
		if !o.public(f.Destination) {
			return verdict.No
		}
		source, ok := o.egress(n)
		if !ok {
			return verdict.No
		}
		f.Source = source
		return verdict.And(out, o.fromInternet(source, f))
	case "service":
		return out
	case "appliance":
		return verdict.And(out, o.appliance(n, h.next))
	}
	return verdict.No
}

func (o oracle) inside(from network.NIC, vnet arm.ID, f network.Flow) verdict.Value {
	for _, to := range o.top.NICs {
		if !slices.Contains(to.Addrs, f.Destination) || !to.Subnet.Parent().Equal(vnet) {
			continue
		}
		in := o.groups(to, network.Inbound, f)
		if to.Kind == network.KindPrivateEndpoint {
			if !strings.Contains(string(mustJSON(o.doc(to.ID))), `"Approved"`) {
				return verdict.No
			}
			return in
		}
		back := o.hop(to.Subnet, f.Source)
		switch {
		case back.kind == "inside" && back.vnet.Equal(from.Subnet.Parent()):
			return in
		case back.kind == "appliance":
			return verdict.And(in, verdict.Unknown)
		}
		return verdict.No
	}
	return verdict.No
}

func (o oracle) appliance(from network.NIC, next netip.Addr) verdict.Value {
	vnet := from.Subnet.Parent()
	if !anyContains(o.space(vnet), next) {
		peer := arm.ID("")
		for _, v := range o.e.OfType(service.TypeVirtualNetwork) {
			if o.connected(vnet, v.ID) && anyContains(o.space(v.ID), next) {
				peer = v.ID
			}
		}
		if peer == "" {
			return verdict.Unknown
		}
		vnet = peer
	}
	for _, n := range o.top.NICs {
		if slices.Contains(n.Addrs, next) && n.Subnet.Parent().Equal(vnet) && arm.Bool(o.doc(n.ID).Properties, "enableIPForwarding", false) {
			return verdict.Unknown
		}
	}
	return verdict.No
}

// egress is the public source address, if there is a way out.
func (o oracle) egress(n network.NIC) (netip.Addr, bool) {
	subnet := o.doc(n.Subnet).Properties
	if arm.Ref(subnet, "natGateway.id") != "" {
		return o.top.PublicIP(o.e.OfType("Microsoft.Network/natGateways")[0].ID.Parent() + "/providers/Microsoft.Network/publicIPAddresses/pip-nat"), true
	}
	if r, _, ok := o.publicIP(n); ok {
		return o.top.PublicIP(r.ID), true
	}
	a, _ := o.top.EgressAddr(n.ID)
	return a, arm.Bool(subnet, "defaultOutboundAccess", true)
}

// fromInternet is the second half of a path to a public address.
func (o oracle) fromInternet(source netip.Addr, f network.Flow) verdict.Value {
	if !o.public(f.Destination) {
		return verdict.No
	}
	for _, n := range o.top.NICs {
		r, private, ok := o.publicIP(n)
		if !ok || o.top.PublicIP(r.ID) != f.Destination {
			continue
		}
		f.Source, f.Destination = source, private
		in := o.groups(n, network.Inbound, f)
		if back := o.hop(n.Subnet, source); back.kind != "internet" && back.kind != "service" {
			return verdict.No
		}
		return in
	}
	if service.Customer.Contains(f.Destination) {
		return verdict.No
	}
	return verdict.Yes
}
