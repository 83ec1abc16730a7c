package network_test

import (
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	nt "github.com/cloister-ml/cloister/network/networktest"
)

func policies(pairs ...any) nt.Set {
	var list []arm.Object
	for i := 0; i+1 < len(pairs); i += 2 {
		list = append(list, arm.Object{"name": pairs[i], "destinations": []any{pairs[i]}, "nextHop": string(pairs[i+1].(arm.ID))})
	}
	return nt.Set{Path: "routingPolicies", Value: list}
}

// Ids of the hubs that the tests of Virtual WANs have.
func hubID(name string) arm.ID        { return nt.ID("Microsoft.Network/virtualHubs", name) }
func hubFirewallID(hub string) arm.ID { return nt.ID("Microsoft.Network/azureFirewalls", "fw-"+hub) }
func hubTableID(hub, table string) arm.ID {
	return hubID(hub).Child("hubRouteTables", table)
}
func connectionID(hub, network string) arm.ID {
	return hubID(hub).Child("hubVirtualNetworkConnections", network)
}

// securedHub is a hub with a firewall whose rules allow TCP 443 among 10.0.0.0/8, and
// names on the internet by an application rule.
func securedHub(name, prefix string) []any {
	policy := nt.ID("Microsoft.Network/firewallPolicies", "policy-"+name)
	rules := []arm.Object{
		{"ruleCollectionType": "FirewallPolicyFilterRuleCollection", "name": "net", "priority": 100.0, "action": arm.Object{"type": "Allow"}, "rules": []any{arm.Object{
			"ruleType": "NetworkRule", "name": "web", "ipProtocols": []any{"TCP"}, "sourceAddresses": []any{"10.0.0.0/8"}, "destinationAddresses": []any{"10.0.0.0/8", "192.0.2.0/24"}, "destinationPorts": []any{"443"}}}},
		{"ruleCollectionType": "FirewallPolicyFilterRuleCollection", "name": "app", "priority": 200.0, "action": arm.Object{"type": "Allow"}, "rules": []any{arm.Object{
			"ruleType": "ApplicationRule", "name": "http", "protocols": []any{arm.Object{"protocolType": "Http", "port": 80.0}}, "sourceAddresses": []any{"*"}, "targetFqdns": []any{"*"}}}},
	}
	fw := nt.Document(hubFirewallID(name), nt.Set{Path: "virtualHub.id", Value: hubID(name)}, nt.Set{Path: "firewallPolicy.id", Value: policy}, nt.Set{Path: "hubIPAddresses.publicIPs.count", Value: 1})
	fw.SKU = arm.Object{"name": "AZFW_Hub", "tier": "Standard"}
	return []any{
		nt.Document(hubID(name), nt.Set{Path: "virtualWan.id", Value: nt.ID("Microsoft.Network/virtualWans", "wan")}, nt.Set{Path: "addressPrefix", Value: prefix}), fw,
		nt.Document(policy), nt.Document(policy.Child("ruleCollectionGroups", "all"), nt.Set{Path: "priority", Value: 100}, nt.Set{Path: "ruleCollections", Value: rules})}
}

func intent(hub string, pairs ...any) arm.Resource {
	return nt.Document(hubID(hub).Child("routingIntent", "intent"), policies(pairs...))
}

func hubConnect(hub, vnet string, sets ...nt.Set) arm.Resource {
	return nt.Document(connectionID(hub, vnet), append([]nt.Set{{Path: "remoteVirtualNetwork.id", Value: nt.VNetID(vnet)}, {Path: "enableInternetSecurity", Value: true}}, sets...)...)
}

func associated(hub, table string) nt.Set {
	return nt.Set{Path: "routingConfiguration.associatedRouteTable.id", Value: hubTableID(hub, table)}
}

func propagated(labels []string, ids ...arm.ID) []nt.Set {
	var list []arm.Object
	for _, id := range ids {
		list = append(list, arm.Object{"id": string(id)})
	}
	return []nt.Set{{Path: "routingConfiguration.propagatedRouteTables.ids", Value: list}, {Path: "routingConfiguration.propagatedRouteTables.labels", Value: labels}}
}

func hubTableOf(hub, name string, sets ...nt.Set) arm.Resource {
	return nt.Document(hubTableID(hub, name), sets...)
}

func hubRoutes(pairs ...any) nt.Set {
	var list []arm.Object
	for i := 0; i+1 < len(pairs); i += 2 {
		var prefixes []any
		for p := range strings.FieldsSeq(pairs[i].(string)) {
			prefixes = append(prefixes, p)
		}
		list = append(list, arm.Object{"name": "to-" + pairs[i].(string), "destinationType": "CIDR", "destinations": prefixes, "nextHopType": "ResourceId", "nextHop": string(pairs[i+1].(arm.ID))})
	}
	return nt.Set{Path: "routes", Value: list}
}

func staticRoute(prefix, hop string) nt.Set {
	return nt.Set{Path: "routingConfiguration.vnetRoutes", Value: arm.Object{"staticRoutesConfig": arm.Object{"propagateStaticRoutes": true},
		"staticRoutes": []any{arm.Object{"name": "by-" + hop, "addressPrefixes": []any{prefix}, "nextHopIpAddress": hop}}}}
}

// What a secured virtual hub hands out decides whether packets go through its
// firewall: routing policies, static routes, and the tables that connections learn
// and propagate to.
func TestSecuredVirtualHub(t *testing.T) {
	wan := nt.Document(nt.ID("Microsoft.Network/virtualWans", "wan"), nt.Set{Path: "type", Value: "Standard"})
	base := []any{wan, nt.NSG("nsg", nt.Rule("no", "100 Inbound Deny Tcp *:* -> *:25"))}
	for vnet, two := range map[string]string{"a": "10.1", "b": "10.2", "c": "10.3", "d": "10.4"} {
		base = append(base, nt.VNet(vnet, two+".0.0/16"), nt.Subnet(vnet, "s", two+".0.0/24", nt.UseNSG("nsg")), nt.VM("vm-"+vnet, vnet, "s", "", nt.Set{Path: "enableIPForwarding", Value: vnet == "c"}))
	}
	hub, far, fw, farFW := securedHub("hub", "10.200.0.0/23"), securedHub("far", "10.201.0.0/23"), hubFirewallID("hub"), hubFirewallID("far")
	two := []any{hubConnect("hub", "a"), hubConnect("hub", "b")}
	plain := []any{nt.Document(hubID("far"), nt.Set{Path: "virtualWan.id", Value: wan.ID}, nt.Set{Path: "addressPrefix", Value: "10.201.0.0/23"})}
	none := propagated([]string{"none"}, hubTableID("hub", "noneRouteTable"))
	join := func(lists ...[]any) []any {
		var out []any
		for _, l := range lists {
			out = append(out, l...)
		}
		return out
	}
	ab, ba, abOther, out, outOther, app := "10.1.0.4 -> 10.2.0.4 tcp 443", "10.2.0.4 -> 10.1.0.4 tcp 443", "10.1.0.4 -> 10.2.0.4 tcp 22", "10.1.0.4 -> 192.0.2.10 tcp 443", "10.1.0.4 -> 192.0.2.10 tcp 22", "10.1.0.4 -> 10.2.0.4 tcp 80"
	denied, direct := "no rule allows", ""
	noDefault := nt.Set{Path: "enableInternetSecurity", Value: false}
	for _, c := range []struct {
		name string
		docs []any
		asks []question
	}{
		{"a firewall that no route leads to", join(hub, two), []question{{ab, "yes", direct}, {abOther, "yes", direct}, {outOther, "yes", direct}}},
		{"policies for private traffic and the internet", join(hub, two, []any{intent("hub", "PrivateTraffic", fw, "Internet", fw)}), []question{
			{ab, "yes", ""}, {ba, "yes", ""}, {abOther, "no", denied}, {out, "yes", ""}, {outOther, "no", denied}, {"10.1.0.4 -> 10.1.0.9 tcp 22", "no", "nothing in a"},
			{"10.1.0.4 -> 10.77.0.4 tcp 443", "no", ""}, {"10.1.0.4 -> 10.3.0.4 tcp 443", "no", ""}}},
		{"a policy for the internet only", join(hub, two, []any{intent("hub", "Internet", fw)}), []question{{abOther, "yes", direct}, {out, "yes", ""}, {outOther, "no", denied}}},
		{"a connection that does not learn the default route", join(hub, []any{hubConnect("hub", "a", noDefault), hubConnect("hub", "b"), intent("hub", "PrivateTraffic", fw, "Internet", fw)}), []question{
			{abOther, "no", denied}, {outOther, "yes", direct}, {"10.2.0.4 -> 192.0.2.10 tcp 22", "no", denied}}},
		{"whether it does is not known", join(hub, []any{hubConnect("hub", "a", nt.Set{Path: "enableInternetSecurity", Value: arm.Unknown{Expression: "var.secured"}}), hubConnect("hub", "b"), intent("hub", "Internet", fw)}), []question{
			{outOther, "unknown", "var.secured"}, {abOther, "yes", direct}}},
		{"a policy for private traffic only", join(hub, two, []any{intent("hub", "PrivateTraffic", fw)}), []question{{ab, "yes", ""}, {abOther, "no", denied}, {outOther, "yes", direct}}},
		{"forced tunnelling without anything to tunnel to", join(hub, two, []any{intent("hub", "PrivateTraffic", fw), hubTableOf("hub", "defaultRouteTable", hubRoutes("0.0.0.0/0", fw))}), []question{{out, "yes", ""}, {outOther, "no", denied}}},
		{"a subnet that takes no routes of gateways", join(hub, two, []any{intent("hub", "PrivateTraffic", fw, "Internet", fw), nt.Subnet("a", "t", "10.1.1.0/24", nt.UseTable("rt")), nt.VM("vm-t", "a", "t", ""), nt.Document(nt.TableID("rt"), nt.Set{Path: "disableBgpRoutePropagation", Value: true})}), []question{
			{"10.1.1.4 -> 10.2.0.4 tcp 443", "no", ""}, {"10.1.1.4 -> 192.0.2.10 tcp 22", "yes", direct}, {"10.2.0.4 -> 10.1.1.4 tcp 443", "no", "lost"}}},

		{"static routes beside learned ones: networks reach each other past the firewall", join(hub, two, []any{hubTableOf("hub", "defaultRouteTable", hubRoutes("10.0.0.0/8 0.0.0.0/0", fw))}), []question{
			{abOther, "yes", direct}, {outOther, "no", denied}}},
		{"static routes, and connections that propagate to none", join(hub, []any{hubConnect("hub", "a", none...), hubConnect("hub", "b", none...), hubTableOf("hub", "defaultRouteTable", hubRoutes("10.0.0.0/8 0.0.0.0/0", fw))}), []question{
			{ab, "yes", ""}, {abOther, "no", denied}, {out, "yes", ""}, {outOther, "no", denied}}},
		{"only one of two propagates to none", join(hub, []any{hubConnect("hub", "a", none...), hubConnect("hub", "b"), hubTableOf("hub", "defaultRouteTable", hubRoutes("10.0.0.0/8", fw))}), []question{
			{"10.2.0.4 -> 10.1.0.4 tcp 443", "no", "sees only half of the connection"}, {ab, "no", "sees only half of the connection"}}},
		{"a table of their own", join(hub, []any{hubTableOf("hub", "spokes"), hubConnect("hub", "a", append(propagated([]string{"x"}, hubTableID("hub", "spokes")), associated("hub", "spokes"))...),
			hubConnect("hub", "b", append(propagated([]string{"x"}, hubTableID("hub", "spokes")), associated("hub", "spokes"))...), hubConnect("hub", "c")}), []question{
			{ab, "yes", direct}, {"10.1.0.4 -> 10.3.0.4 tcp 443", "no", ""}, {"10.3.0.4 -> 10.1.0.4 tcp 443", "no", ""}}},
		{"isolated networks with one that they share", join(hub, []any{hubTableOf("hub", "shared"), hubTableOf("hub", "isolated"),
			hubConnect("hub", "a", append(propagated([]string{"x"}, hubTableID("hub", "shared")), associated("hub", "isolated"))...),
			hubConnect("hub", "b", append(propagated([]string{"x"}, hubTableID("hub", "shared")), associated("hub", "isolated"))...),
			hubConnect("hub", "c", append(propagated([]string{"x"}, hubTableID("hub", "isolated")), associated("hub", "shared"))...)}), []question{
			{ab, "no", ""}, {"10.1.0.4 -> 10.3.0.4 tcp 443", "yes", direct}, {"10.3.0.4 -> 10.2.0.4 tcp 443", "yes", direct}}},
		{"what learns and is not learned has no replies", join(hub, []any{hubConnect("hub", "a", none...), hubConnect("hub", "b")}), []question{{ab, "no", "DenyAllInBound"}, {ba, "no", ""}}},
		{"labels", join(hub, []any{hubTableOf("hub", "spokes", nt.Set{Path: "labels", Value: []string{"dev"}}), hubConnect("hub", "a", append(propagated([]string{"dev"}), associated("hub", "spokes"))...),
			hubConnect("hub", "b", append(propagated([]string{"Dev"}), associated("hub", "spokes"))...)}), []question{{ab, "yes", direct}}},
		{"tables without labels: whether to the default table too", join(hub, []any{hubTableOf("hub", "spokes"), hubConnect("hub", "a"), hubConnect("hub", "b", propagated(nil, hubTableID("hub", "spokes"))...)}), []question{{ab, "unknown", "name its labels"}}},
		{"routing intent beside a table of its own", join(hub, two, []any{hubTableOf("hub", "own"), intent("hub", "PrivateTraffic", fw)}), []question{{abOther, "no", denied}}},

		{"two hubs with policies", join(hub, far, []any{hubConnect("hub", "a"), hubConnect("far", "b"), intent("hub", "PrivateTraffic", fw, "Internet", fw), intent("far", "PrivateTraffic", farFW)}), []question{
			{ab, "yes", ""}, {ba, "yes", ""}, {abOther, "no", denied}, {app, "yes", ""}, {outOther, "no", denied}, {"10.2.0.4 -> 192.0.2.10 tcp 22", "yes", direct}}},
		{"a hub with a policy and a plain one", join(hub, plain, []any{hubConnect("hub", "a"), hubConnect("far", "b"), intent("hub", "PrivateTraffic", fw)}), []question{
			{ab, "yes", ""}, {ba, "yes", ""}, {abOther, "no", denied}, {"10.2.0.4 -> 10.1.0.4 tcp 22", "no", denied}, {"10.2.0.4 -> 192.0.2.10 tcp 22", "yes", direct}}},
		{"a plain hub whose connection does not propagate", join(hub, plain, []any{hubConnect("hub", "a"), hubConnect("far", "b", propagated([]string{"none"})...), intent("hub", "PrivateTraffic", fw)}), []question{{ab, "no", ""}}},
		{"the default route stays in its hub", join(hub, plain, []any{hubConnect("hub", "a"), hubConnect("far", "b"), hubTableOf("hub", "defaultRouteTable", hubRoutes("0.0.0.0/0", fw))}), []question{
			{outOther, "no", denied}, {"10.2.0.4 -> 192.0.2.10 tcp 22", "yes", direct}, {abOther, "yes", direct}}},
		{"static routes and another hub", join(hub, plain, []any{hubConnect("hub", "a", none...), hubConnect("far", "b", propagated([]string{"none"})...), hubTableOf("hub", "defaultRouteTable", hubRoutes("10.0.0.0/8", fw))}), []question{
			{ab, "unknown", ""}}},

		{"a static route of a connection", join(hub, []any{hubConnect("hub", "a"), hubConnect("hub", "c", staticRoute("10.4.0.0/16", "10.3.0.4"))}, anyOf(nt.Peer("c", "d"))), []question{
			{"10.1.0.4 -> 10.4.0.4 tcp 443", "unknown", ""}, {"10.1.0.4 -> 10.3.0.4 tcp 443", "yes", ""}}},
		{"a static route to nothing", join(hub, []any{hubConnect("hub", "a"), hubConnect("hub", "c", staticRoute("10.4.0.0/16", "10.3.0.99"))}), []question{{"10.1.0.4 -> 10.4.0.4 tcp 443", "no", "which nothing in c has"}}},
		{"a route to a connection that has no route", join(hub, []any{hubConnect("hub", "a"), hubConnect("hub", "c"), hubTableOf("hub", "defaultRouteTable", hubRoutes("10.4.0.0/16", connectionID("hub", "c")))}), []question{
			{"10.1.0.4 -> 10.4.0.4 tcp 443", "unknown", ""}, {"10.1.0.4 -> 10.3.0.4 tcp 443", "yes", ""}}},
		{"rules that tell the hub's addresses apart", join(hub, two, []any{intent("hub", "PrivateTraffic", fw), nt.Subnet("b", "t", "10.2.1.0/24", nt.UseNSG("split")), nt.VM("vm-t", "b", "t", ""), nt.NSG("split", nt.Rule("x", "100 Inbound Deny Tcp 10.200.0.0/26:* -> *:80"))}), []question{
			{"10.1.0.4 -> 10.2.1.4 tcp 80", "unknown", "known only after deployment"}, {"10.1.0.4 -> 10.2.1.4 tcp 443", "yes", ""}}},
		{"branches", join(hub, two, []any{intent("hub", "PrivateTraffic", fw), nt.Document(nt.ID("Microsoft.Network/vpnGateways", "vpn"), nt.Set{Path: "virtualHub.id", Value: hubID("hub")}), nt.Document(nt.ID("Microsoft.Network/vpnGateways", "vpn").Child("vpnConnections", "x"))}), []question{
			{ab, "yes", ""}, {abOther, "no", denied}, {"10.1.0.4 -> 10.77.0.4 tcp 443", "unknown", ""}}},
	} {
		t.Run(c.name, func(t *testing.T) { ask(t, topology(t, append(base[:len(base):len(base)], c.docs...)...), c.asks...) })
	}
}

func anyOf(list []arm.Resource) []any {
	out := make([]any, len(list))
	for i, r := range list {
		out[i] = r
	}
	return out
}

// The firewall of a hub gives packets to the internet its own public address, and
// lets in by it what its rules translate.
func TestHubFirewallIsSeenByItsPublicAddress(t *testing.T) {
	docs := append(securedHub("hub", "10.200.0.0/23"), nt.Document(nt.ID("Microsoft.Network/virtualWans", "wan"), nt.Set{Path: "type", Value: "Standard"}),
		nt.VNet("a", "10.1.0.0/16"), nt.Subnet("a", "s", "10.1.0.0/24"), nt.VM("vm", "a", "s", ""), hubConnect("hub", "a"), intent("hub", "Internet", hubFirewallID("hub")))
	top := topology(t, docs...)
	f := flow(t, "10.1.0.4 -> 192.0.2.10 tcp 443")
	seen, answer := top.Seen(f)
	want := top.PublicIP(hubFirewallID("hub"))
	if !want.IsValid() || len(seen) != 1 || seen[0].Addr != want {
		t.Errorf("seen as %v, want %v\n%s", seen, want, story(answer))
	}
	var problems []string
	for _, p := range top.Problems {
		problems = append(problems, p.Message)
	}
	if len(problems) > 0 {
		t.Errorf("problems: %v", problems)
	}
}

// Azure refuses tables of a hub's own beside routing intent, and a network that is
// connected twice.
func TestWhatAzureRefusesOfHubs(t *testing.T) {
	wan := nt.Document(nt.ID("Microsoft.Network/virtualWans", "wan"), nt.Set{Path: "type", Value: "Standard"})
	docs := append(securedHub("hub", "10.200.0.0/23"), wan, nt.VNet("a", "10.1.0.0/16"), hubConnect("hub", "a"),
		nt.With(nt.Document(hubID("hub").Child("hubVirtualNetworkConnections", "again")), nt.Set{Path: "remoteVirtualNetwork.id", Value: nt.VNetID("a")}),
		intent("hub", "PrivateTraffic", hubFirewallID("hub")), hubTableOf("hub", "own"))
	e, err := nt.Estate(docs...)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, p := range network.FromEstate(e).Problems {
		all = append(all, p.Message)
	}
	for _, want := range []string{"routing intent is refused in a hub that has tables of its own", "is connected to hub hub already"} {
		if !strings.Contains(strings.Join(all, "\n"), want) {
			t.Errorf("%q is not among %q", want, all)
		}
	}
}
