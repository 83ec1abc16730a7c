package networktest

import (
	"fmt"
	"net/netip"

	"pgregory.net/rapid"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/service"
)

// Addresses of what stands in the middle of random estates.
const (
	FirewallAddr    = "10.1.250.4"
	FirewallPublic  = "203.0.113.77"
	BalancerAddr    = "10.2.0.100"
	BalancerAddr6   = "fd00:2::100"        // with Fronted6
	BalancerPublic6 = "2001:db8:0:c::ff78" // with Fronted6
	BalancerPublic  = "203.0.113.78"
	SiteAddr        = "192.168.7.7"
	ClientAddr      = "172.30.0.9"
	ElsewhereSpace  = "10.7.0.0/16"
	ElsewhereAddr   = "10.7.0.9"
)

// Ids of what stands in the middle.
var (
	FirewallID  = ID("Microsoft.Network/azureFirewalls", "fw")
	PolicyID    = ID("Microsoft.Network/firewallPolicies", "policy")
	ParentID    = ID("Microsoft.Network/firewallPolicies", "parent")
	IPGroupID   = ID("Microsoft.Network/ipGroups", "ips")
	InternalID  = ID("Microsoft.Network/loadBalancers", "internal")
	SixID       = ID("Microsoft.Network/loadBalancers", "six")
	PublicSixID = ID("Microsoft.Network/loadBalancers", "public-six")
	PublicLBID  = ID("Microsoft.Network/loadBalancers", "public")
	GatewayID   = ID("Microsoft.Network/virtualNetworkGateways", "vpn")
	// OtherGatewayID is a gateway in network b that is joined to the one in network a.
	OtherGatewayID = ID("Microsoft.Network/virtualNetworkGateways", "other")
	SiteID         = ID("Microsoft.Network/localNetworkGateways", "site")
	ManagerID      = ID("Microsoft.Network/networkManagers", "manager")
)

// HubID is the id of a virtual hub.
func HubID(name string) arm.ID { return ID("Microsoft.Network/virtualHubs", name) }

// middle adds what stands between networks.
func (g *generator) middle() {
	if g.shape.Firewall {
		g.firewall()
	}
	if g.shape.Fronted6 {
		g.fronted6()
	}
	if g.shape.Balancers {
		g.balancers()
	}
	if g.shape.Gateway && g.chance(60, "gateway") {
		g.gateway()
	}
	if g.shape.Admin && g.chance(60, "admin rules") {
		g.adminRules()
	}
}

func (g *generator) halfPeering(from string) []Set {
	var sets []Set
	if g.shape.Forwarded {
		sets = append(sets, Set{"allowForwardedTraffic", g.chance(60, "forwarded")})
	}
	if g.shape.Gateway {
		what := "useRemoteGateways"
		if from == "a" {
			what = "allowGatewayTransit"
		}
		sets = append(sets, Set{what, g.chance(60, "transit")})
	}
	return sets
}

func public(name, address string) arm.Resource {
	return With(PublicIP(name, "Standard"), Set{"ipAddress", address})
}

func (g *generator) firewall() {
	var sets []Set
	if len(g.routes) > 0 && g.chance(20, "firewall table") {
		sets = append(sets, UseTable(pick(g, "table", g.routes...)))
	}
	config := Config("a", "AzureFirewallSubnet", FirewallAddr, Set{"publicIPAddress.id", PublicIPID("pip-fw")})
	fw := Document(FirewallID, Set{"ipConfigurations", []arm.Object{config}})
	g.add(Subnet("a", "AzureFirewallSubnet", "10.1.250.0/26", sets...), public("pip-fw", FirewallPublic),
		Document(IPGroupID, Set{"ipAddresses", []string{"10.1.0.0/24", "10.2.0.4-10.2.0.6"}}))
	if g.chance(40, "classic") {
		g.add(With(fw, Set{"networkRuleCollections", g.classic("network", false)}, Set{"applicationRuleCollections", g.classic("application", true)}))
		return
	}
	g.add(With(fw, Set{"firewallPolicy.id", PolicyID}))
	policy := Document(PolicyID, Set{"dnsSettings.enableProxy", g.chance(30, "proxy")})
	if g.chance(30, "kept sources") {
		policy = With(policy, Set{"snat.privateRanges", pick(g, "ranges", []string{"IANAPrivateRanges"}, []string{"10.1.0.0/16"}, []string{"255.255.255.255/32"})})
	}
	if g.shape.Learned && g.chance(30, "learned ranges") {
		policy = With(policy, Set{"snat.autoLearnPrivateRanges", pick(g, "auto-learn", "Enabled", "Enabled", "Disabled")})
		if g.chance(70, "route server") {
			g.add(Subnet("a", "RouteServerSubnet", "10.1.252.0/27"))
		}
	}
	if g.chance(40, "parent") {
		policy = With(policy, Set{"basePolicy.id", ParentID})
		g.add(Document(ParentID), g.ruleGroup(ParentID, "base", 500))
	}
	g.add(policy, g.ruleGroup(PolicyID, "first", 200))
	if g.chance(30, "second group") {
		g.add(g.ruleGroup(PolicyID, "second", 100))
	}
}

func (g *generator) classic(name string, application bool) []arm.Object {
	var out []arm.Object
	for i := range rapid.IntRange(0, 2).Draw(g.t, name+" collections") {
		out = append(out, arm.Object{"name": fmt.Sprint(name, i), "properties": arm.Object{
			"priority": float64(200 - 50*i), "action": arm.Object{"type": pick(g, "action", "Allow", "Allow", "Deny")},
			"rules": plain(g.firewallRules(application, false)),
		}})
	}
	return out
}

func (g *generator) ruleGroup(policy arm.ID, name string, priority int) arm.Resource {
	var list []arm.Object
	for i := range rapid.IntRange(1, 3).Draw(g.t, "collections") {
		kind := pick(g, "kind", "NetworkRule", "NetworkRule", "ApplicationRule", "NatRule")
		c := arm.Object{"name": fmt.Sprint("c", i), "priority": float64(300 - 50*i), "action": arm.Object{"type": pick(g, "action", "Allow", "Allow", "Deny")},
			"ruleCollectionType": "FirewallPolicyFilterRuleCollection"}
		var rules []arm.Object
		switch kind {
		case "NatRule":
			c["action"], c["ruleCollectionType"] = arm.Object{"type": "DNAT"}, "FirewallPolicyNatRuleCollection"
			rules = g.natRules()
		default:
			rules = g.firewallRules(kind == "ApplicationRule", true)
		}
		for _, r := range rules {
			r["ruleType"] = kind
		}
		c["rules"] = plain(rules)
		list = append(list, c)
	}
	return Document(policy.Child("ruleCollectionGroups", name), Set{"priority", priority}, Set{"ruleCollections", list})
}

var firewallSides = []string{"*", "10.1.0.0/16", "10.2.0.0/24", "10.1.0.4", "10.1.0.4-10.1.0.6", "0.0.0.0/0", "172.30.0.0/24"}

func (g *generator) firewallRules(application, policy bool) []arm.Object {
	var out []arm.Object
	for i := range rapid.IntRange(1, 3).Draw(g.t, "rules") {
		r := arm.Object{"name": fmt.Sprint("r", i), "sourceAddresses": []any{pick(g, "source", firewallSides...)}}
		if g.chance(15, "source group") {
			r["sourceAddresses"], r["sourceIpGroups"] = []any{}, []any{string(IPGroupID)}
		}
		if application {
			r["targetFqdns"] = []any{pick(g, "host", "*", "st.example", "*.example", "other.test")}
			r["protocols"] = []any{arm.Object{"protocolType": "Https", "port": 443.0}}
			if g.chance(30, "http") {
				r["protocols"] = append(r["protocols"].([]any), arm.Object{"protocolType": "Http", "port": 8080.0})
			}
			out = append(out, r)
			continue
		}
		r["destinationPorts"] = []any{pick(g, "ports", "*", "443", "22", "80-443")}
		r["destinationAddresses"] = []any{pick(g, "destination", append([]string{"Storage", "AzureUnlisted"}, firewallSides...)...)}
		if g.chance(10, "by name") {
			r["destinationAddresses"], r["destinationFqdns"] = []any{}, []any{"st.example"}
		}
		list := []any{pick(g, "protocol", "TCP", "UDP", "ICMP", "Any")}
		if g.chance(30, "two protocols") {
			list = []any{"TCP", "UDP"}
		}
		r["protocols"] = list
		if policy {
			delete(r, "protocols")
			r["ipProtocols"] = list
		}
		out = append(out, r)
	}
	return out
}

func (g *generator) natRules() []arm.Object {
	var out []arm.Object
	for i := range rapid.IntRange(1, 2).Draw(g.t, "nat rules") {
		out = append(out, arm.Object{"name": fmt.Sprint("n", i),
			"sourceAddresses": []any{pick(g, "source", "*", "192.0.2.0/24", "10.0.0.0/8")}, "destinationAddresses": []any{pick(g, "nat to", FirewallPublic, FirewallAddr)},
			"destinationPorts": []any{pick(g, "nat port", "443", "22", "8080")}, "ipProtocols": []any{pick(g, "protocol", "TCP", "UDP")},
			"translatedAddress": pick(g, "translated", "10.1.0.4", "10.2.0.4", "10.9.9.9"), "translatedPort": pick(g, "translated port", "443", "22")})
	}
	return out
}

func (g *generator) memberships(vnet string) []Set {
	var sets []Set
	if !g.shape.Balancers || g.shape.Pooled && vnet != "b" {
		return nil
	}
	var pools, rules []arm.Object
	for _, lb := range []arm.ID{InternalID, PublicLBID} {
		if g.chance(20, "member") {
			pools = append(pools, arm.Object{"id": string(lb.Child("backendAddressPools", "pool"))})
		}
	}
	if g.chance(10, "nat rule") {
		rules = append(rules, arm.Object{"id": string(PublicLBID.Child("inboundNatRules", "ssh"))})
	}
	if len(pools) > 0 {
		sets = append(sets, Set{"loadBalancerBackendAddressPools", pools})
	}
	if len(rules) > 0 {
		sets = append(sets, Set{"loadBalancerInboundNatRules", rules})
	}
	return sets
}

func (g *generator) balancers() {
	internal := Document(InternalID, Set{"frontendIPConfigurations", []arm.Object{{"name": "front", "properties": arm.Object{
		"subnet": arm.Object{"id": string(SubnetID("b", "s0"))}, "privateIPAddress": BalancerAddr}}}},
		Set{"loadBalancingRules", g.balancingRules(InternalID)}, Set{"probes", probes}, Set{"backendAddressPools", g.listed()})
	outside := Document(PublicLBID, Set{"frontendIPConfigurations", []arm.Object{{"name": "front", "properties": arm.Object{
		"publicIPAddress": arm.Object{"id": string(PublicIPID("pip-lb"))}}}}},
		Set{"loadBalancingRules", g.balancingRules(PublicLBID)}, Set{"probes", probes},
		Set{"inboundNatRules", []arm.Object{{"name": "ssh", "properties": arm.Object{"protocol": "Tcp", "frontendPort": 22.0, "backendPort": 22.0,
			"frontendIPConfiguration": arm.Object{"id": string(PublicLBID.Child("frontendIPConfigurations", "front"))}}}}})
	if g.chance(30, "outbound rule") {
		outside = With(outside, Set{"outboundRules", []arm.Object{{"name": "out", "properties": arm.Object{
			"protocol":                 pick(g, "outbound protocol", "All", "Tcp", "Udp"),
			"backendAddressPool":       arm.Object{"id": string(PublicLBID.Child("backendAddressPools", "pool"))},
			"frontendIPConfigurations": []any{arm.Object{"id": string(PublicLBID.Child("frontendIPConfigurations", "front"))}}}}}})
	}
	internal.SKU, outside.SKU = arm.Object{"name": pick(g, "balancer sku", "Standard", "Basic")}, arm.Object{"name": "Standard"}
	g.add(internal, outside, public("pip-lb", BalancerPublic))
}

// fronted6 is a load balancer that listens at two addresses of IPv6, one of the
// network's and one of the internet's.
func (g *generator) fronted6() {
	add := func(id arm.ID, front arm.Object) {
		rule := func(name string, front, back float64) arm.Object {
			return arm.Object{"name": name, "properties": arm.Object{
				"protocol": "Tcp", "frontendPort": front, "backendPort": back, "disableOutboundSnat": true,
				"frontendIPConfiguration": arm.Object{"id": string(id.Child("frontendIPConfigurations", "front"))},
				"backendAddressPool":      arm.Object{"id": string(id.Child("backendAddressPools", "pool"))}}}
		}
		rules := []arm.Object{rule("web", 443, 443), rule("alt", 80, 8080)}
		lb := Document(id, Set{"frontendIPConfigurations", []arm.Object{{"name": "front", "properties": front}}},
			Set{"loadBalancingRules", rules}, Set{"backendAddressPools", []arm.Object{{"name": "pool"}}})
		if id == PublicSixID && g.shape.Lent6 {
			lb = g.lends6(lb, rules)
		}
		lb.SKU = arm.Object{"name": "Standard"}
		g.add(lb)
	}
	add(SixID, arm.Object{"subnet": arm.Object{"id": string(SubnetID("b", "s0"))}, "privateIPAddressVersion": "IPv6", "privateIPAddress": BalancerAddr6})
	add(PublicSixID, arm.Object{"publicIPAddress": arm.Object{"id": string(PublicIPID("pip-lb6"))}})
	g.add(With(public("pip-lb6", BalancerPublic6), Set{"publicIPAddressVersion", "IPv6"}))
}

// lends6 lets the public load balancer of IPv6 lend its address, at times by an
// outbound rule, at times as its other rules may.
func (g *generator) lends6(lb arm.Resource, rules []arm.Object) arm.Resource {
	rules[0]["properties"].(arm.Object)["disableOutboundSnat"] = g.chance(70, "no lent address of IPv6")
	lb = With(lb, Set{"loadBalancingRules", rules})
	if !g.chance(60, "outbound rule of IPv6") {
		return lb
	}
	return With(lb, Set{"outboundRules", []arm.Object{{"name": "out", "properties": arm.Object{
		"protocol":                 pick(g, "outbound protocol of IPv6", "All", "Tcp", "Udp"),
		"backendAddressPool":       arm.Object{"id": string(PublicSixID.Child("backendAddressPools", "pool"))},
		"frontendIPConfigurations": []any{arm.Object{"id": string(PublicSixID.Child("frontendIPConfigurations", "front"))}}}}}})
}

// probes are those that rules of both load balancers may have.
var probes = []arm.Object{
	{"name": "tcp", "properties": arm.Object{"protocol": "Tcp", "port": 443.0, "intervalInSeconds": 5.0}},
	{"name": "http", "properties": arm.Object{"protocol": "Http", "port": 8080.0, "requestPath": "/", "intervalInSeconds": 5.0}},
}

// listed is a pool of addresses, of which some are nobody's.
func (g *generator) listed() []arm.Object {
	list := []arm.Object{}
	for _, a := range []string{"10.2.0.4", "10.2.0.5", "10.2.0.99"} {
		if g.chance(50, "listed") {
			list = append(list, arm.Object{"name": a, "properties": arm.Object{"ipAddress": a}})
		}
	}
	return []arm.Object{{"name": "pool"}, {"name": "listed", "properties": arm.Object{
		"virtualNetwork": arm.Object{"id": string(VNetID("b"))}, "loadBalancerBackendAddresses": plain(list)}}}
}

func (g *generator) balancingRules(lb arm.ID) []arm.Object {
	rule := func(name, protocol string, front, back float64) arm.Object {
		pool := "pool"
		if lb == InternalID && g.chance(30, "listed pool") {
			pool = "listed"
		}
		r := arm.Object{"name": name, "properties": arm.Object{
			"protocol": protocol, "frontendPort": front, "backendPort": back, "disableOutboundSnat": g.chance(50, "no lent address"),
			"frontendIPConfiguration": arm.Object{"id": string(lb.Child("frontendIPConfigurations", "front"))},
			"backendAddressPool":      arm.Object{"id": string(lb.Child("backendAddressPools", pool))}}}
		if g.chance(50, "probed") {
			r["properties"].(arm.Object)["probe"] = arm.Object{"id": string(lb.Child("probes", pick(g, "probe", "tcp", "http")))}
		}
		return r
	}
	if lb == InternalID && g.chance(30, "all ports") {
		return []arm.Object{rule("all", "All", 0, 0)}
	}
	return []arm.Object{rule("web", "Tcp", 443, 443), rule("alt", pick(g, "protocol", "Tcp", "Udp"), 80, 8080)}
}

func (g *generator) gateway() {
	g.add(Subnet("a", "GatewaySubnet", "10.1.251.0/27"),
		Document(GatewayID, Set{"gatewayType", "Vpn"}, Set{"enableBgp", g.chance(20, "bgp")},
			Set{"ipConfigurations", []arm.Object{Config("a", "GatewaySubnet", "")}},
			Set{"vpnClientConfiguration.vpnClientAddressPool.addressPrefixes", []string{"172.30.0.0/24"}}),
		Document(SiteID, Set{"localNetworkAddressSpace.addressPrefixes", []string{"192.168.0.0/16"}}),
		Document(ID("Microsoft.Network/connections", "to-site"), Set{"connectionType", "IPsec"},
			Set{"virtualNetworkGateway1.id", GatewayID}, Set{"localNetworkGateway2.id", SiteID}))
	if g.shape.Joined && g.chance(40, "joined") {
		g.joined()
	}
}

// hubs are one or two virtual hubs of a Virtual WAN, with networks connected to them.
func (g *generator) hubs(networks []string) {
	wan := ID("Microsoft.Network/virtualWans", "wan")
	g.add(Document(wan, Set{"type", "Standard"}))
	ids := []arm.ID{HubID("one"), HubID("two")}
	for _, id := range ids {
		g.add(Document(id, Set{"virtualWan.id", wan}))
	}
	for _, v := range networks {
		if g.chance(70, "in a hub") {
			hub := pick(g, "hub", ids...)
			g.add(Document(hub.Child("hubVirtualNetworkConnections", v), Set{"remoteVirtualNetwork.id", VNetID(v)}, Set{"enableInternetSecurity", g.chance(50, "internet security")}))
		}
	}
}

// joined is a second gateway with connections to the first, at times only one way.
func (g *generator) joined() {
	connection := func(name string, from, to arm.ID) arm.Resource {
		return Document(ID("Microsoft.Network/connections", name), Set{"connectionType", "Vnet2Vnet"}, Set{"virtualNetworkGateway1.id", from}, Set{"virtualNetworkGateway2.id", to})
	}
	g.add(Subnet("b", "GatewaySubnet", "10.2.251.0/27"), Document(OtherGatewayID, Set{"gatewayType", "Vpn"},
		Set{"ipConfigurations", []arm.Object{Config("b", "GatewaySubnet", "")}}), connection("vpn-to-other", GatewayID, OtherGatewayID))
	if g.chance(85, "both ways") {
		g.add(connection("other-to-vpn", OtherGatewayID, GatewayID))
	}
}

func (g *generator) adminRules() {
	configuration := ManagerID.Child("securityAdminConfigurations", "security")
	group := ManagerID.Child("networkGroups", "group")
	collection := configuration.Child("ruleCollections", "rules")
	g.add(Document(ManagerID), Document(configuration), Document(group),
		Document(collection, Set{"appliesToGroups", []arm.Object{{"networkGroupId": string(group)}}}))
	for _, v := range []string{"a", "b"} {
		if g.chance(60, "in group") {
			g.add(Document(group.Child("staticMembers", v), Set{"resourceId", VNetID(v)}))
		}
	}
	if g.chance(80, "deployed") {
		g.add(Document(ManagerID.Child("commits", "commit"), Set{"configurationIds", []string{string(configuration)}}))
	}
	for i := range rapid.IntRange(1, 3).Draw(g.t, "admin rules") {
		g.add(Document(collection.Child("rules", fmt.Sprint("admin", i)), Set{"priority", 10 * (3 - i)},
			Set{"direction", pick(g, "direction", "Inbound", "Outbound")}, Set{"access", pick(g, "access", "Allow", "AlwaysAllow", "Deny")},
			Set{"protocol", pick(g, "protocol", "Any", "Tcp", "Udp")},
			Set{"sources", []arm.Object{{"addressPrefix": pick(g, "admin source", "*", "10.1.0.0/16", "10.2.0.0/24"), "addressPrefixType": "IPPrefix"}}},
			Set{"destinations", []arm.Object{{"addressPrefix": pick(g, "admin destination", "*", "10.1.0.0/16", "192.0.2.0/24"), "addressPrefixType": "IPPrefix"}}},
			Set{"destinationPortRanges", []string{pick(g, "admin ports", "0-65535", "443", "22")}}))
	}
}

// CompleteFlow is a random flow of a topology of the shape [Complete]: to and
// from what stands in the middle too, with source ports and names of hosts.
func CompleteFlow(t *rapid.T, top *network.Topology) network.Flow {
	f := Flow(t, top)
	middle := []string{FirewallAddr, FirewallPublic, BalancerAddr, BalancerPublic, SiteAddr, ClientAddr, ElsewhereAddr}
	if rapid.IntRange(0, 3).Draw(t, "to the middle") == 0 {
		f.Destination = netip.MustParseAddr(rapid.SampledFrom(middle).Draw(t, "middle"))
	}
	if rapid.IntRange(0, 7).Draw(t, "from the premises") == 0 {
		f.Source = netip.MustParseAddr(rapid.SampledFrom([]string{SiteAddr, ClientAddr, ElsewhereAddr, service.Outsider.String()}).Draw(t, "site"))
	}
	if f.Protocol != network.ICMP {
		f.SourcePort = rapid.SampledFrom([]uint16{0, 443, 1024, 60001}).Draw(t, "source port of the flow")
	}
	f.Host = rapid.SampledFrom([]string{"", "st.example", "other.test"}).Draw(t, "host")
	return f
}
