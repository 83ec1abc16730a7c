package network_test

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	nt "github.com/cloister-ml/cloister/network/networktest"
	"github.com/cloister-ml/cloister/verdict"
)

// egress6: a NAT gateway of the second kind, an address of the machine's own, or a
// load balancer's outbound rule; the first and the last for TCP and UDP.
func (o oracle) egress6(n network.NIC, p network.Protocol) (netip.Addr, verdict.Value) {
	if n.ID.Equal(nt.FirewallID) {
		return netip.Addr{}, verdict.No
	}
	ported := yes(p != network.ICMP)
	nat, has := o.e.Get(arm.Ref(o.doc(n.Subnet).Properties, "natGateway.id"))
	second := has && arm.String(nat.SKU, "name") == "StandardV2"
	if second && len(arm.Objects(nat.Properties, "publicIpAddressesV6")) > 0 {
		return o.top.PublicIP(nt.PublicIPID("pip-nat6")), ported
	}
	for _, r := range o.publicIPs(n) {
		if a := o.top.PublicIP(r.ID); a.Is6() {
			return a, verdict.Yes
		}
	}
	member, may := o.inPool(n, nt.PublicSixID, true), false
	for _, r := range arm.Objects(o.doc(nt.PublicSixID).Properties, "outboundRules") {
		if member && o.lendsTo(r, p) {
			if second { // it disrupts them
				return netip.Addr{}, verdict.Unknown
			}
			return netip.MustParseAddr(nt.BalancerPublic6), verdict.Yes
		}
	}
	for _, r := range arm.Objects(o.doc(nt.PublicSixID).Properties, "loadBalancingRules") {
		may = may || member && !arm.Bool(r, "properties.disableOutboundSnat", false) && o.lendsTo(r, p)
	}
	if may {
		return netip.Addr{}, verdict.Unknown
	}
	return netip.Addr{}, verdict.No
}

// lendsTo: a rule lends its address to the protocol that it is for, and none to ICMP.
func (o oracle) lendsTo(rule arm.Object, p network.Protocol) bool {
	is := arm.String(rule, "properties.protocol")
	return p != network.ICMP && (is == "All" || strings.EqualFold(is, string(p)))
}

// inPool: an address of one version of IP is in the pool of a load balancer.
func (o oracle) inPool(n network.NIC, lb arm.ID, six bool) bool {
	nics, addrs := o.members("loadBalancerBackendAddressPools", lb.Child("backendAddressPools", "pool"))
	for i, m := range nics {
		if n.ID != "" && m.ID.Equal(n.ID) && addrs[i].Is6() == six {
			return true
		}
	}
	return false
}

// lent is the way out that load balancers give their machines, if they decide.
func (o oracle) lent(n network.NIC, p network.Protocol) (netip.Addr, verdict.Value, bool) {
	outer := o.inPool(n, nt.PublicLBID, false)
	lends := slices.ContainsFunc(arm.Objects(o.doc(nt.PublicLBID).Properties, "outboundRules"), func(r arm.Object) bool { return o.lendsTo(r, p) })
	for _, r := range arm.Objects(o.doc(nt.PublicLBID).Properties, "loadBalancingRules") {
		lends = lends || !arm.Bool(r, "properties.disableOutboundSnat", false) && o.lendsTo(r, p)
	}
	switch {
	case outer && lends:
		return netip.MustParseAddr(nt.BalancerPublic), verdict.Yes, true
	case outer, o.inPool(n, nt.InternalID, false) && arm.String(o.doc(nt.InternalID).SKU, "name") == "Standard":
		return netip.Addr{}, verdict.No, true
	}
	return netip.Addr{}, verdict.No, false
}

// egress is the public source address, if there is a way out. Neither a NAT gateway
// nor default outbound access takes ICMP.
func (o oracle) egress(n network.NIC, p network.Protocol) (netip.Addr, verdict.Value) {
	subnet := o.doc(n.Subnet).Properties
	if arm.Ref(subnet, "natGateway.id") != "" {
		return o.top.PublicIP(nt.PublicIPID("pip-nat")), yes(p != network.ICMP)
	}
	if n.ID.Equal(nt.FirewallID) {
		return netip.MustParseAddr(nt.FirewallPublic), verdict.Yes
	}
	for _, r := range o.publicIPs(n) {
		if a := o.top.PublicIP(r.ID); a.Is4() {
			return a, verdict.Yes
		}
	}
	if a, v, ok := o.lent(n, p); ok {
		return a, v
	}
	a, _ := o.top.EgressAddr(n.ID)
	if !a.IsValid() { // nobody's address: as another machine of its network
		for _, m := range o.top.NICs {
			if m.Subnet.Parent().Equal(n.Subnet.Parent()) {
				a = netip.MustParseAddr("203.0.113.250")
			}
		}
	}
	return a, yes(p != network.ICMP && arm.Bool(subnet, "defaultOutboundAccess", true))
}
