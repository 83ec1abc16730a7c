package network_test

import (
	"net/netip"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	nt "github.com/cloister-ml/cloister/network/networktest"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

func (o oracle) isFirewall(vnet arm.ID, a netip.Addr) bool {
	_, ok := o.e.Get(nt.FirewallID)
	return ok && a.String() == nt.FirewallAddr && vnet.Equal(nt.VNetID("a"))
}

// balancerAt is the load balancer that listens at a private address.
func (o oracle) balancerAt(vnet arm.ID, a netip.Addr) (arm.ID, bool) {
	for id, at := range map[arm.ID]string{nt.InternalID: nt.BalancerAddr, nt.SixID: nt.BalancerAddr6} {
		if _, ok := o.e.Get(id); ok && a == netip.MustParseAddr(at) && vnet.Equal(nt.VNetID("b")) {
			return id, true
		}
	}
	return "", false
}

func (o oracle) inGatewaySubnet(a netip.Addr) bool {
	_, ok := o.e.Get(nt.GatewayID)
	_, other := o.e.Get(nt.OtherGatewayID)
	return ok && mustPrefix("10.1.251.0/27").Contains(a) || other && mustPrefix("10.2.251.0/27").Contains(a)
}

// hasOther: network b may have a gateway of its own.
func (o oracle) hasOther(vnet arm.ID) bool {
	_, ok := o.e.Get(nt.OtherGatewayID)
	return ok && vnet.Equal(nt.VNetID("b"))
}

// usesGateway: network a has it, others by peering.
func (o oracle) usesGateway(vnet arm.ID) bool {
	hub := nt.VNetID("a")
	if _, ok := o.e.Get(nt.GatewayID); !ok || vnet.Equal(hub) {
		return ok
	}
	if o.hasOther(vnet) {
		return false // a network with a gateway uses no other
	}
	mine, ok1 := o.half(vnet, hub)
	its, ok2 := o.half(hub, vnet)
	return ok1 && ok2 && o.connected(vnet, hub) && arm.Bool(mine.Properties, "useRemoteGateways", false) && arm.Bool(its.Properties, "allowGatewayTransit", false)
}

// half is the first address of a prefix's second half.
func half(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	b[p.Bits()/8] |= 0x80 >> (p.Bits() % 8)
	a, _ := netip.AddrFromSlice(b)
	return a
}

// joined is the network to which connections of the gateways of a network lead:
// there and back, between spaces that are apart.
func (o oracle) joined(vnet arm.ID) (arm.ID, bool) {
	_, there := o.e.Get(nt.ID("Microsoft.Network/connections", "vpn-to-other"))
	_, back := o.e.Get(nt.ID("Microsoft.Network/connections", "other-to-vpn"))
	a, b := nt.VNetID("a"), nt.VNetID("b")
	for _, p := range o.space(a) {
		for _, q := range o.space(b) {
			if mustPrefix(p).Overlaps(mustPrefix(q)) {
				return "", false
			}
		}
	}
	switch {
	case !there || !back:
	case vnet.Equal(b):
		return a, true
	case o.usesGateway(vnet):
		return b, true
	}
	return "", false
}

// learns: the gateway that a network uses learns what no document holds, or leads
// to a gateway that others use too.
func (o oracle) learns(vnet arm.ID) bool {
	if _, ok := o.joined(vnet); ok && vnet.Equal(nt.VNetID("b")) {
		for _, p := range o.e.Children(nt.VNetID("a"), "Microsoft.Network/virtualNetworks/virtualNetworkPeerings") {
			if arm.Bool(p.Properties, "allowGatewayTransit", false) {
				return true
			}
		}
	}
	return o.bgp(vnet)
}

// bgp: the gateway of network a, if a network uses it, learns by BGP.
func (o oracle) bgp(vnet arm.ID) bool {
	return o.usesGateway(vnet) && arm.Bool(o.doc(nt.GatewayID).Properties, "enableBgp", false)
}

// mayLearn: ... and a route to an address may be among it.
func (o oracle) mayLearn(subnet arm.ID, a netip.Addr) bool {
	table := o.doc(arm.Ref(o.doc(subnet).Properties, "routeTable.id"))
	if !o.learns(subnet.Parent()) || o.public(a) || arm.Bool(table.Properties, "disableBgpRoutePropagation", false) && subnet.Name() != "GatewaySubnet" {
		return false
	}
	_, known := o.holder(subnet.Parent(), a)
	return !known
}

func (o oracle) inAnyNetwork(a netip.Addr) bool {
	return slices.ContainsFunc(o.e.OfType(service.TypeVirtualNetwork), func(v arm.Resource) bool { return anyContains(o.space(v.ID), a) })
}

// gatewayRoutes are those to the site and to its clients.
func (o oracle) gatewayRoutes(subnet arm.ID, a netip.Addr, consider func(hop, int, int)) {
	vnet := subnet.Parent()
	table := o.doc(arm.Ref(o.doc(subnet).Properties, "routeTable.id"))
	if arm.Bool(table.Properties, "disableBgpRoutePropagation", false) && subnet.Name() != "GatewaySubnet" {
		return
	}
	if other, ok := o.joined(vnet); ok {
		for _, p := range o.space(other) {
			_, first := o.holder(vnet, mustPrefix(p).Addr())
			_, middle := o.holder(vnet, half(mustPrefix(p)))
			if (!first || !middle) && mustPrefix(p).Contains(a) { // a route within what is known is not taken
				consider(hop{kind: "gateway"}, mustPrefix(p).Bits(), 9)
			}
		}
	}
	for _, v := range o.hubPeers(vnet) {
		for _, p := range o.space(v) {
			_, first := o.holder(vnet, mustPrefix(p).Addr())
			_, middle := o.holder(vnet, half(mustPrefix(p)))
			if (!first || !middle) && mustPrefix(p).Contains(a) {
				consider(hop{kind: "gateway"}, mustPrefix(p).Bits(), 9)
			}
		}
	}
	if !o.usesGateway(vnet) {
		return
	}
	for _, p := range []string{"192.168.0.0/16", "172.30.0.0/24"} {
		if mustPrefix(p).Contains(a) {
			consider(hop{kind: "gateway"}, mustPrefix(p).Bits(), 9)
		}
	}
}

func (o oracle) gateway(vnet arm.ID, a netip.Addr) verdict.Value {
	other, joined := o.joined(vnet)
	switch {
	case o.hasOther(vnet):
		if o.learns(vnet) || o.inAnyNetwork(a) && (!joined || !anyContains(o.space(other), a)) {
			return verdict.Unknown
		}
		return verdict.No
	case !o.usesGateway(vnet):
		if o.inHub(vnet) && o.inAnyNetwork(a) {
			return verdict.Unknown
		}
		return verdict.No
	case mustPrefix("192.168.0.0/16").Contains(a), mustPrefix("172.30.0.0/24").Contains(a):
		return verdict.Yes
	case o.learns(vnet), o.inAnyNetwork(a):
		return verdict.Unknown
	}
	return verdict.No
}

// firewall takes a packet through the rules, and on from the firewall's subnet.
func (o oracle) firewall(t trip) verdict.Value {
	if slices.Contains(t.state, nt.FirewallID) || t.self.Equal(nt.FirewallID) && t.kind == "network" {
		return verdict.No
	}
	values := map[verdict.Value]bool{}
	for end := range o.firewallEnds(t.f) {
		switch end {
		case "deny":
			values[verdict.No] = true
		case "network":
			translated := o.translates(t.f.Destination)
			values[o.beyond(t, translated)] = true
			if translated && o.mayKeep() {
				values[o.beyond(t, false)] = true
			}
		case "application":
			values[o.beyond(t, true)] = true
		}
	}
	if len(values) == 1 {
		for v := range values {
			return v
		}
	}
	return verdict.Unknown
}

func (o oracle) fwNIC() network.NIC {
	return network.NIC{ID: nt.FirewallID, Subnet: nt.SubnetID("a", "AzureFirewallSubnet"), Addrs: []netip.Addr{netip.MustParseAddr(nt.FirewallAddr)}}
}

func (o oracle) beyond(t trip, translated bool) verdict.Value {
	fw := o.fwNIC()
	if !translated {
		t.state = append(slices.Clone(t.state), nt.FirewallID)
		return o.route(fw, t)
	}
	back := t
	back.f.Destination = fw.Addrs[0]
	returns := o.back(fw, back)
	t.f.Source, t.vnet, t.self, t.kind, t.state = fw.Addrs[0], nt.VNetID("a"), nt.FirewallID, "network", nil
	return verdict.And(returns, o.route(fw, t))
}

func (o oracle) policies() []arm.Resource {
	var out []arm.Resource
	policy, ok := o.e.Get(arm.Ref(o.doc(nt.FirewallID).Properties, "firewallPolicy.id"))
	if !ok {
		return nil
	}
	if base := arm.Ref(policy.Properties, "basePolicy.id"); base != "" {
		out = append(out, o.doc(base))
	}
	return append(out, policy)
}

// mayKeep: the firewall learns ranges from a route server in its network.
func (o oracle) mayKeep() bool {
	learns := false
	for _, p := range o.policies() {
		if mode := arm.String(p.Properties, "snat.autoLearnPrivateRanges"); mode != "" {
			learns = mode == "Enabled"
		}
	}
	_, beside := o.e.Get(nt.SubnetID("a", "RouteServerSubnet"))
	return learns && beside
}

func (o oracle) translates(a netip.Addr) bool {
	kept := []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"}
	for _, p := range o.policies() {
		if list := arm.Strings(p.Properties, "snat.privateRanges"); len(list) > 0 && list[0] != "IANAPrivateRanges" {
			kept = list
		}
	}
	return !anyContains(kept, a)
}

// oracleRule is a rule of the firewall with its collection's action.
type oracleRule struct {
	kind   string
	allow  bool
	object arm.Object
}

// firewallRules are all rules: of parents first, then groups, then collections
// by priority.
func (o oracle) firewallRules() []oracleRule {
	var out []oracleRule
	add := func(kind string, collection arm.Object) {
		for _, r := range arm.Objects(collection, "rules") {
			k := kind
			if k == "" {
				k = arm.String(r, "ruleType")
			}
			out = append(out, oracleRule{k, arm.String(collection, "action.type") == "Allow", r})
		}
	}
	byPriority := func(list []arm.Object, path string) []arm.Object {
		list = slices.Clone(list)
		sort.SliceStable(list, func(i, j int) bool { return arm.Int(list[i], path, 0) < arm.Int(list[j], path, 0) })
		return list
	}
	fw := o.doc(nt.FirewallID).Properties
	for list, kind := range map[string]string{"networkRuleCollections": "NetworkRule", "applicationRuleCollections": "ApplicationRule"} {
		for _, c := range byPriority(arm.Objects(fw, list), "properties.priority") {
			add(kind, c["properties"].(arm.Object))
		}
	}
	for _, p := range o.policies() {
		groups := slices.Clone(o.e.Children(p.ID, "Microsoft.Network/firewallPolicies/ruleCollectionGroups"))
		sort.SliceStable(groups, func(i, j int) bool {
			return arm.Int(groups[i].Properties, "priority", 0) < arm.Int(groups[j].Properties, "priority", 0)
		})
		for _, g := range groups {
			for _, c := range byPriority(arm.Objects(g.Properties, "ruleCollections"), "priority") {
				add("", c)
			}
		}
	}
	return out
}

// firewallEnds are what may become of a packet at the rules.
func (o oracle) firewallEnds(f network.Flow) map[string]bool {
	ends := map[string]bool{}
	for _, kind := range []string{"NetworkRule", "ApplicationRule"} {
		for _, r := range o.firewallRules() {
			if r.kind != kind {
				continue
			}
			end := "deny"
			if r.allow {
				end = map[string]string{"NetworkRule": "network", "ApplicationRule": "application"}[kind]
			}
			match := o.matchNetwork(r.object, f)
			if kind == "ApplicationRule" {
				match = o.matchApplication(r.object, f)
			}
			if match != verdict.No {
				ends[end] = true
			}
			if match == verdict.Yes {
				return ends
			}
		}
	}
	ends["deny"] = true
	return ends
}

func (o oracle) fwSide(r arm.Object, side string, a netip.Addr) verdict.Value {
	terms := arm.Strings(r, side+"Addresses")
	if len(arm.Strings(r, side+"IpGroups")) > 0 {
		terms = append(terms, arm.Strings(o.doc(nt.IPGroupID).Properties, "ipAddresses")...)
	}
	out := verdict.No
	for _, s := range terms {
		low, high, isRange := strings.Cut(s, "-")
		switch {
		case s == "AzureUnlisted":
			if o.public(a) {
				out = or(out, verdict.Unknown)
			}
		case s == "Storage":
			p, _ := service.Tag(s)
			out = or(out, yes(slices.ContainsFunc(p, func(p netip.Prefix) bool { return p.Contains(a) })))
		case isRange:
			out = or(out, yes(netip.MustParseAddr(low).Compare(a) <= 0 && a.Compare(netip.MustParseAddr(high)) <= 0))
		default:
			out = or(out, yes(s == "*" || mustPrefix(s).Contains(a)))
		}
	}
	return out
}

func yes(b bool) verdict.Value {
	if b {
		return verdict.Yes
	}
	return verdict.No
}

func (o oracle) matchNetwork(r arm.Object, f network.Flow) verdict.Value {
	protocols := append(arm.Strings(r, "protocols"), arm.Strings(r, "ipProtocols")...)
	protocol := slices.ContainsFunc(protocols, func(p string) bool { return p == "Any" || strings.EqualFold(p, string(f.Protocol)) })
	to := o.fwSide(r, "destination", f.Destination)
	if len(arm.Strings(r, "destinationFqdns")) > 0 {
		to = yes(f.Host == "st.example")
		if f.Host == "" {
			to = verdict.Unknown
		}
	}
	return verdict.And(verdict.And(yes(protocol), yes(portIn(arm.Strings(r, "destinationPorts"), f))), verdict.And(o.fwSide(r, "source", f.Source), to))
}

func portIn(list []string, f network.Flow) bool {
	for _, s := range list {
		low, high, isRange := strings.Cut(s, "-")
		if !isRange {
			high = low
		}
		first, _ := strconv.Atoi(low)
		last, _ := strconv.Atoi(high)
		if s == "*" || f.Protocol != network.ICMP && first <= int(f.Port) && int(f.Port) <= last {
			return true
		}
	}
	return false
}

func (o oracle) matchApplication(r arm.Object, f network.Flow) verdict.Value {
	port := slices.ContainsFunc(arm.Objects(r, "protocols"), func(p arm.Object) bool { return arm.Int(p, "port", 0) == int(f.Port) })
	host := verdict.No
	for _, h := range arm.Strings(r, "targetFqdns") {
		switch {
		case h == "*", h == f.Host, strings.HasPrefix(h, "*") && f.Host != "" && strings.HasSuffix(f.Host, h[1:]):
			host = verdict.Yes
		case f.Host == "":
			host = or(host, verdict.Unknown)
		}
	}
	return verdict.And(verdict.And(yes(f.Protocol == network.TCP), yes(port)), verdict.And(o.fwSide(r, "source", f.Source), host))
}

// nat is where a packet is for the firewall itself.
func (o oracle) nat(t trip) verdict.Value {
	proxy := false
	for _, p := range o.policies() {
		proxy = arm.Bool(p.Properties, "dnsSettings.enableProxy", proxy)
	}
	if t.f.Destination.String() == nt.FirewallAddr && proxy && t.f.Port == 53 && t.f.Protocol != network.ICMP {
		return o.back(o.fwNIC(), t)
	}
	for _, r := range o.firewallRules() {
		if r.kind != "NatRule" || o.matchNetwork(r.object, t.f) != verdict.Yes {
			continue
		}
		fw := o.fwNIC()
		port, _ := strconv.Atoi(arm.String(r.object, "translatedPort"))
		back := t
		back.f.Destination = fw.Addrs[0]
		returns := o.back(fw, back)
		t.f.Destination, t.f.Port = netip.MustParseAddr(arm.String(r.object, "translatedAddress")), uint16(port)
		t.f.Source, t.vnet, t.self, t.kind, t.state = fw.Addrs[0], nt.VNetID("a"), nt.FirewallID, "network", nil
		return verdict.And(returns, o.route(fw, t))
	}
	return verdict.No
}

// members are the addresses in a pool, or behind a NAT rule.
func (o oracle) members(list string, id arm.ID) (nics []network.NIC, addrs []netip.Addr) {
	for _, n := range o.top.NICs {
		for i, c := range arm.Objects(o.doc(n.ID).Properties, "ipConfigurations") {
			for _, m := range arm.Objects(c, "properties."+list) {
				if arm.ID(arm.String(m, "id")).Equal(id) && n.Kind == network.KindVM {
					nics, addrs = append(nics, n), append(addrs, n.Addrs[i])
				}
			}
		}
	}
	return nics, addrs
}

// balance hands a packet to the machines that a rule leads to: they must answer alike.
func (o oracle) balance(lb arm.ID, t trip, transit bool) verdict.Value {
	for _, list := range []string{"loadBalancingRules", "inboundNatRules"} {
		for _, r := range arm.Objects(o.doc(lb).Properties, list) {
			protocol, front := arm.String(r, "properties.protocol"), arm.Int(r, "properties.frontendPort", 0)
			if protocol != "All" && !strings.EqualFold(protocol, string(t.f.Protocol)) || front != 0 && front != int(t.f.Port) {
				continue
			}
			nics, addrs := o.members("loadBalancerBackendAddressPools", arm.Ref(r, "properties.backendAddressPool.id"))
			if list == "inboundNatRules" {
				nics, addrs = o.members("loadBalancerInboundNatRules", lb.Child(list, arm.String(r, "name")))
			}
			if pool := arm.Ref(r, "properties.backendAddressPool.id"); pool.Name() == "listed" {
				nics, addrs = o.listed(lb)
			}
			return o.balanceTo(o.probed(lb, arm.Ref(r, "properties.probe.id")), nics, addrs, uint16(arm.Int(r, "properties.backendPort", 0)), t, transit)
		}
	}
	return verdict.No
}

// listed are the machines of network b whose addresses a pool lists.
func (o oracle) listed(lb arm.ID) (nics []network.NIC, addrs []netip.Addr) {
	for _, pool := range arm.Objects(o.doc(lb).Properties, "backendAddressPools") {
		for _, l := range arm.Objects(pool, "properties.loadBalancerBackendAddresses") {
			a := netip.MustParseAddr(arm.String(l, "properties.ipAddress"))
			for _, n := range o.top.NICs {
				if n.Kind == network.KindVM && n.Subnet.Parent().Equal(nt.VNetID("b")) && slices.Contains(n.Addrs, a) {
					nics, addrs = append(nics, n), append(addrs, a)
				}
			}
		}
	}
	return nics, addrs
}

// probed is whether a machine can be healthy, by a probe or by none.
func (o oracle) probed(lb, probe arm.ID) func(network.NIC, netip.Addr) verdict.Value {
	return func(n network.NIC, a netip.Addr) verdict.Value {
		for _, p := range arm.Objects(o.doc(lb).Properties, "probes") {
			if probe != "" && probe.Name() == arm.String(p, "name") {
				return o.groups(n, network.Inbound, network.Flow{Source: service.WireServer, Destination: a, Protocol: network.TCP, Port: uint16(arm.Int(p, "properties.port", 0))})
			}
		}
		return verdict.Yes
	}
}

func (o oracle) balanceTo(probed func(network.NIC, netip.Addr) verdict.Value, nics []network.NIC, addrs []netip.Addr, port uint16, t trip, transit bool) verdict.Value {
	var answers []verdict.Value
	sure := false
	for i, n := range nics {
		one := t
		healthy := probed(n, addrs[i])
		if healthy == verdict.No {
			continue
		}
		sure = sure || healthy == verdict.Yes
		if port != 0 {
			one.f.Port = port
		}
		switch {
		case transit:
			answers = append(answers, o.machine(n, one))
		case n.ID.Equal(t.self) && t.kind == "network":
			answers = append(answers, verdict.No)
		default:
			one.f.Destination = addrs[i]
			answers = append(answers, o.into(n, one))
		}
	}
	if !sure {
		answers = append(answers, verdict.No) // none may be healthy
	}
	for _, v := range answers {
		if v != answers[0] {
			return verdict.Unknown
		}
	}
	return answers[0]
}
