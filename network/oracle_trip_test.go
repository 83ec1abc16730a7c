package network_test

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	nt "github.com/cloister-ml/cloister/network/networktest"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

// trip is one packet on its way.
type trip struct {
	f     network.Flow // with its addresses as they are now
	vnet  arm.ID       // where its source address is at home; "" outside
	self  arm.ID       // who sent it
	kind  string       // network, site or internet
	state []arm.ID     // machines that keep state of it, since it has this source
	hops  int
}

const maxHops = 40

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
		if v, ok := o.fromSubnet(f); ok {
			return v
		}
		return o.fromOutside(f)
	}
	for _, v := range answers {
		if v != answers[0] {
			return verdict.Unknown
		}
	}
	return answers[0]
}

// fromSubnet: an address of a subnet that nobody has is taken as a machine.
func (o oracle) fromSubnet(f network.Flow) (verdict.Value, bool) {
	for _, s := range o.e.OfType("Microsoft.Network/virtualNetworks/subnets") {
		prefixes := append(arm.Strings(s.Properties, "addressPrefixes"), arm.Strings(s.Properties, "addressPrefix")...)
		if anyContains(prefixes, f.Source) {
			return o.from(network.NIC{Subnet: s.ID, Addrs: []netip.Addr{f.Source}, Kind: network.KindVM, Via: network.ViaDefault}, f), true
		}
	}
	return verdict.No, false
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
	t := trip{f: f, vnet: n.Subnet.Parent(), self: n.ID, kind: "network"}
	return verdict.And(o.groups(n, network.Outbound, f), o.route(n, t))
}

func (o oracle) fromOutside(f network.Flow) verdict.Value {
	t := trip{f: f, kind: "internet"}
	gw, ok := o.e.Get(nt.GatewayID)
	if ok && (mustPrefix("192.168.0.0/16").Contains(f.Source) || mustPrefix("172.30.0.0/24").Contains(f.Source)) {
		t.kind, t.vnet = "site", nt.VNetID("a")
		return o.route(network.NIC{ID: gw.ID, Subnet: nt.SubnetID("a", "GatewaySubnet")}, t)
	}
	if from := nt.VNetID("b"); mustPrefix(nt.ElsewhereSpace).Contains(f.Source) {
		if far, peered := o.elsewhere(from); peered { // that it sends is not known; what lets it in is
			if !anyContains(o.space(from), f.Destination) {
				return verdict.Unknown
			}
			t.kind, t.vnet = "network", far
			return verdict.And(verdict.Unknown, o.inside(from, t))
		}
	}
	if (ok && arm.Bool(gw.Properties, "enableBgp", false) || o.learns(nt.VNetID("b"))) && !o.public(f.Source) && !o.inAnyNetwork(f.Source) {
		return verdict.Unknown
	}
	if !o.public(f.Source) || !o.public(f.Destination) {
		return verdict.No
	}
	return o.internet(t)
}

// route takes a packet on from a machine along the route of its subnet.
func (o oracle) route(at network.NIC, t trip) verdict.Value {
	if t.hops++; t.hops > maxHops {
		return verdict.No
	}
	h := o.hop(at.Subnet, t.f.Destination)
	learns := o.mayLearn(at.Subnet, t.f.Destination)
	if learns && h.kind != "gateway" && !o.inAnyNetwork(t.f.Destination) {
		return verdict.Unknown
	}
	switch h.kind {
	case "inside":
		return verdict.And(o.crosses(at.Subnet.Parent(), h.vnet, t.f.Source, t.kind), o.inside(h.vnet, t))
	case "service":
		if !o.public(t.f.Destination) || t.kind == "site" {
			return verdict.No
		}
		if !slices.Contains(at.Addrs, t.f.Source) {
			return verdict.Unknown
		}
		return verdict.Yes
	case "internet":
		if t.kind != "site" && !o.public(t.f.Destination) && learns {
			return verdict.Unknown
		}
		if t.kind == "site" || !o.public(t.f.Destination) {
			return verdict.No
		}
		if !slices.Contains(at.Addrs, t.f.Source) {
			return verdict.Unknown
		}
		source, v := o.egress(at, t.f.Protocol)
		if t.f.Destination.Is6() {
			source, v = o.egress6(at, t.f.Protocol)
			if v == verdict.Unknown && o.isOurs(t.f.Destination) {
				return v // and so is what the groups there say of its source
			}
		}
		if v == verdict.No {
			return v
		}
		t.f.Source, t.kind, t.state = source, "internet", nil
		return verdict.And(v, o.internet(t))
	case "appliance":
		if home, ok := o.holder(at.Subnet.Parent(), h.next); ok && h.next == t.f.Destination {
			return verdict.And(o.crosses(at.Subnet.Parent(), home, t.f.Source, t.kind), o.inside(home, t))
		}
		return o.appliance(at, h.next, t)
	case "gateway":
		if other, ok := o.joined(at.Subnet.Parent()); ok && anyContains(o.space(other), t.f.Destination) {
			if t.kind == "site" { // not passed on, unless BGP says otherwise
				return map[bool]verdict.Value{true: verdict.Unknown, false: verdict.No}[o.learns(at.Subnet.Parent())]
			}
			return o.route(network.NIC{ID: nt.OtherGatewayID, Subnet: nt.SubnetID(other.Name(), "GatewaySubnet")}, t)
		}
		if other, ok := o.byHub(at.Subnet.Parent(), t.f.Destination); ok && t.kind != "site" {
			return o.inside(other, t)
		}
		return o.gateway(at.Subnet.Parent(), t.f.Destination)
	}
	if learns && h.kind == "none" {
		return verdict.Unknown
	}
	return verdict.No
}

// crosses: packets that did not start in the network before.
func (o oracle) crosses(from, to arm.ID, src netip.Addr, kind string) verdict.Value {
	if _, ours := o.e.Get(to); !ours {
		return verdict.Yes // its half is not in the estate
	}
	if from.Equal(to) || anyContains(o.space(from), src) || kind == "site" && from.Equal(nt.VNetID("a")) {
		return verdict.Yes
	}
	if half, ok := o.half(to, from); ok && arm.Bool(half.Properties, "allowForwardedTraffic", false) {
		return verdict.Yes
	}
	return verdict.Unknown
}

// inside is the last network of a packet.
func (o oracle) inside(vnet arm.ID, t trip) verdict.Value {
	if _, ours := o.e.Get(vnet); !ours {
		return verdict.Unknown
	}
	if o.isFirewall(vnet, t.f.Destination) {
		return o.nat(t)
	}
	if lb, ok := o.balancerAt(vnet, t.f.Destination); ok {
		return o.balance(lb, t, false)
	}
	for _, to := range o.top.NICs {
		if slices.Contains(to.Addrs, t.f.Destination) && to.Subnet.Parent().Equal(vnet) {
			return o.into(to, t)
		}
	}
	if o.inGatewaySubnet(t.f.Destination) {
		return verdict.Unknown
	}
	return verdict.No
}

func (o oracle) into(to network.NIC, t trip) verdict.Value {
	in := o.groups(to, network.Inbound, t.f)
	if to.Kind == network.KindPrivateEndpoint {
		if !strings.Contains(string(mustJSON(o.doc(to.ID))), `"Approved"`) {
			return verdict.No
		}
		return in
	}
	return verdict.And(in, o.back(to, t))
}

// back follows the reply to the packet's source.
func (o oracle) back(from network.NIC, t trip) verdict.Value {
	source, subnet := t.f.Source, from.Subnet
	if t.kind == "internet" {
		if h := o.hop(subnet, source); h.kind == "internet" || h.kind == "service" {
			return verdict.Yes
		}
		return verdict.No
	}
	value := verdict.Yes
	var seen []arm.ID
	for range maxHops {
		vnet := subnet.Parent()
		h := o.hop(subnet, source)
		if home, ok := o.holder(vnet, h.next); ok && h.kind == "appliance" && h.next == source {
			h = hop{kind: "inside", vnet: home}
		}
		if o.mayLearn(subnet, source) && h.kind != "gateway" && !o.inAnyNetwork(source) {
			return verdict.And(value, verdict.Unknown)
		}
		switch h.kind {
		case "inside":
			if t.kind == "site" || !h.vnet.Equal(t.vnet) {
				return verdict.No
			}
			value = verdict.And(value, o.crosses(vnet, h.vnet, t.f.Destination, t.kind))
			return verdict.And(value, o.sameState(seen, t))
		case "gateway":
			if other, ok := o.joined(vnet); ok && t.kind != "site" && anyContains(o.space(other), source) {
				subnet = nt.SubnetID(other.Name(), "GatewaySubnet")
				continue
			}
			if other, ok := o.byHub(vnet, source); ok && t.kind != "site" {
				if !other.Equal(t.vnet) {
					return verdict.No
				}
				return verdict.And(value, o.sameState(seen, t))
			}
			if t.kind == "site" && o.usesGateway(vnet) {
				return verdict.And(value, o.sameState(seen, t))
			}
			return verdict.And(value, verdict.Unknown)
		case "appliance":
			home, ok := o.holder(vnet, h.next)
			next, known := o.relay(home, h.next)
			if !ok || known != verdict.Yes {
				if ok && known == verdict.No {
					return verdict.No
				}
				return verdict.And(value, verdict.Unknown)
			}
			value = verdict.And(value, o.crosses(vnet, home, t.f.Destination, t.kind))
			seen = append(seen, next.ID)
			subnet = next.Subnet
		case "none", "internet": // the system's own, where a gateway knows no better
			if o.mayLearn(subnet, source) && !h.user {
				return verdict.And(value, verdict.Unknown)
			}
			return verdict.No
		default:
			return verdict.No
		}
	}
	return verdict.No
}

// relay is the machine at an address that takes packets on, if it is known to.
func (o oracle) relay(home arm.ID, a netip.Addr) (network.NIC, verdict.Value) {
	if o.isFirewall(home, a) {
		return o.fwNIC(), verdict.Yes
	}
	for _, n := range o.top.NICs {
		if slices.Contains(n.Addrs, a) && n.Subnet.Parent().Equal(home) && arm.Bool(o.doc(n.ID).Properties, "enableIPForwarding", false) {
			return n, map[network.Assumption]verdict.Value{network.Open: verdict.Unknown, network.IsSo: verdict.Yes, network.NotSo: verdict.No}[o.forwards]
		}
	}
	return network.NIC{}, verdict.Unknown
}

// sameState: what keeps state sees both directions, or the firewall drops the
// connection, and of another it is not known.
func (o oracle) sameState(seen []arm.ID, t trip) verdict.Value {
	missing := func(list, from []arm.ID) (out []arm.ID) {
		for _, id := range list {
			if !slices.Contains(from, id) {
				out = append(out, id)
			}
		}
		return out
	}
	half := append(missing(seen, t.state), missing(t.state, seen)...)
	switch {
	case len(half) == 0:
		return verdict.Yes
	case slices.Contains(half, nt.FirewallID) && t.f.Protocol == network.TCP:
		return verdict.No
	}
	return verdict.Unknown
}

// holder is the network, of one and its peers, that has an address.
func (o oracle) holder(vnet arm.ID, a netip.Addr) (arm.ID, bool) {
	if anyContains(o.space(vnet), a) {
		return vnet, true
	}
	for _, v := range o.e.OfType(service.TypeVirtualNetwork) {
		if o.connected(vnet, v.ID) && anyContains(o.space(v.ID), a) {
			return v.ID, true
		}
	}
	if far, ok := o.elsewhere(vnet); ok && mustPrefix(nt.ElsewhereSpace).Contains(a) {
		return far, true
	}
	return "", false
}

func (o oracle) appliance(at network.NIC, next netip.Addr, t trip) verdict.Value {
	vnet := at.Subnet.Parent()
	home, ok := o.holder(vnet, next)
	if !ok {
		return verdict.Unknown
	}
	crossed := o.crosses(vnet, home, t.f.Source, t.kind)
	if _, ours := o.e.Get(home); !ours {
		return verdict.And(crossed, verdict.Unknown)
	}
	if o.isFirewall(home, next) {
		return verdict.And(crossed, o.firewall(t))
	}
	if lb, ok := o.balancerAt(home, next); ok {
		return verdict.And(crossed, o.balance(lb, t, true))
	}
	for _, n := range o.top.NICs {
		if slices.Contains(n.Addrs, next) && n.Subnet.Parent().Equal(home) {
			return verdict.And(crossed, o.machine(n, t))
		}
	}
	if o.inGatewaySubnet(next) {
		return verdict.Unknown
	}
	return verdict.No
}

// machine: what it forwards is its own affair, if packets get that far.
func (o oracle) machine(n network.NIC, t trip) verdict.Value {
	if forwards := arm.Bool(o.doc(n.ID).Properties, "enableIPForwarding", false); forwards && slices.Contains(n.Addrs, t.f.Destination) {
		return o.into(n, t)
	}
	if !arm.Bool(o.doc(n.ID).Properties, "enableIPForwarding", false) {
		return verdict.No
	}
	if n.ID.Equal(t.self) && t.kind == "network" || slices.Contains(t.state, n.ID) {
		return verdict.No
	}
	in := o.groups(n, network.Inbound, t.f)
	switch o.forwards {
	case network.IsSo:
		t.state = append(slices.Clone(t.state), n.ID)
		return verdict.And(verdict.And(in, o.groups(n, network.Outbound, t.f)), o.route(n, t))
	case network.NotSo:
		return verdict.No
	}
	return verdict.And(in, verdict.Unknown)
}

// isOurs reports whether a machine has a public address.
func (o oracle) isOurs(a netip.Addr) bool {
	return slices.ContainsFunc(o.e.OfType("Microsoft.Network/publicIPAddresses"), func(r arm.Resource) bool { return o.top.PublicIP(r.ID) == a })
}

// internet is the second half of a path to a public address.
func (o oracle) internet(t trip) verdict.Value {
	for _, n := range o.top.NICs {
		for i, r := range o.publicIPs(n) {
			if o.top.PublicIP(r.ID) == t.f.Destination {
				t.f.Destination = n.Addrs[i]
				return o.into(n, t)
			}
		}
	}
	if _, ok := o.e.Get(nt.FirewallID); ok && t.f.Destination.String() == nt.FirewallPublic {
		return o.nat(t)
	}
	for lb, a := range map[arm.ID]string{nt.PublicLBID: nt.BalancerPublic, nt.PublicSixID: nt.BalancerPublic6} {
		if _, ok := o.e.Get(lb); ok && t.f.Destination == netip.MustParseAddr(a) {
			return o.balance(lb, t, false)
		}
	}
	if service.Customer.Contains(t.f.Destination) || mustPrefix("2001:db8:0:c::/64").Contains(t.f.Destination) {
		return verdict.No
	}
	return verdict.Yes
}
