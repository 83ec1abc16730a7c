package network_test

import (
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	nt "github.com/cloister-ml/cloister/network/networktest"
)

// one network, two subnets: what the groups are on is up to the test.
func twoSubnets(web, db []nt.Set, more ...any) []any {
	return append([]any{
		nt.VNet("a", "10.1.0.0/16"),
		nt.Subnet("a", "web", "10.1.0.0/24", web...),
		nt.Subnet("a", "db", "10.1.1.0/24", db...),
		nt.VM("web", "a", "web", "10.1.0.4"), nt.VM("db", "a", "db", "10.1.1.4"), nt.VM("db2", "a", "db", "10.1.1.5"),
	}, more...)
}

func onSubnet(nsg string) []nt.Set { return []nt.Set{nt.UseNSG(nsg)} }

func TestWithoutGroupsEverythingPasses(t *testing.T) {
	top := topology(t, twoSubnets(nil, nil)...)
	noProblems(t, top)
	ask(t, top,
		question{"10.1.0.4 -> 10.1.1.4 tcp 22", "yes", "has a network security group: everything passes"},
		question{"10.1.1.4 -> 10.1.1.5 icmp", "yes", "everything passes"},
		question{"10.1.0.4 -> 10.1.0.4 tcp 1", "yes", "its own address"},
		question{"10.1.0.4 -> 10.1.1.99 tcp 22", "no", "nothing in a has the address"},
	)
}

func TestDefaultRules(t *testing.T) {
	top := topology(t, twoSubnets(onSubnet("nsg"), onSubnet("nsg"), nt.NSG("nsg"))...)
	ask(t, top,
		question{"10.1.0.4 -> 10.1.1.4 tcp 22", "yes", "default rule AllowVnetInBound (priority 65000)"},
		question{"10.1.0.4 -> 192.0.2.10 tcp 443", "yes", ""},
		question{"168.63.129.16 -> 10.1.1.4 tcp 80", "yes", "AllowVnetInBound"},
	)
	g, _ := top.NSG(nt.NSGID("nsg"))
	if len(g.Rules) != 6 || g.Rules[0].Name != "AllowVnetInBound" || g.Rules[5].Name != "DenyAllOutBound" {
		t.Errorf("default rules are %+v", g.Rules)
	}
}

func TestTheLowestPriorityNumberDecides(t *testing.T) {
	top := topology(t, twoSubnets(nil, onSubnet("nsg"), nt.NSG("nsg",
		nt.Rule("later", "300 Inbound Allow * *:* -> *:*"),
		nt.Rule("no-ssh", "200 Inbound Deny Tcp *:* -> *:22"),
		nt.Rule("ssh-from-web", "100 Inbound Allow Tcp 10.1.0.4:* -> *:22"),
	))...)
	ask(t, top,
		question{"10.1.0.4 -> 10.1.1.4 tcp 22", "yes", "rule ssh-from-web (priority 100) allows TCP 22 from 10.1.0.4 to 10.1.1.4"},
		question{"10.1.1.5 -> 10.1.1.4 tcp 22", "no", "NSG nsg (subnet db, inbound): rule no-ssh (priority 200) denies TCP 22 from 10.1.1.5 to 10.1.1.4"},
		question{"10.1.1.5 -> 10.1.1.4 udp 22", "yes", "later"},
		question{"10.1.1.5 -> 10.1.1.4 icmp", "yes", "later"},
	)
}

func TestBothLevelsMustAllow(t *testing.T) {
	closed := nt.NSG("closed", nt.Rule("nothing", "4096 Inbound Deny * *:* -> *:*"))
	open := nt.NSG("open", nt.Rule("all", "100 Inbound Allow * *:* -> *:*"))
	nicNSG := nt.VM("guarded", "a", "db", "10.1.1.9", nt.UseNSG("closed"))
	top := topology(t, twoSubnets(nil, onSubnet("open"), closed, open, nicNSG)...)
	ask(t, top, question{"10.1.0.4 -> 10.1.1.9 tcp 443", "no", "NSG closed (NIC nic-guarded, inbound): rule nothing"})

	filters := top.Filters(nt.NICID("nic-guarded"), network.Inbound)
	if len(filters) != 2 || filters[0].At != "subnet db" || filters[1].At != "NIC nic-guarded" {
		t.Errorf("inbound, the subnet's group comes first: %v", filters)
	}
	filters = top.Filters(nt.NICID("nic-guarded"), network.Outbound)
	if len(filters) != 2 || filters[0].At != "NIC nic-guarded" || filters[1].At != "subnet db" {
		t.Errorf("outbound, the NIC's group comes first: %v", filters)
	}
}

func TestAugmentedRulesAndPorts(t *testing.T) {
	top := topology(t, twoSubnets(nil, onSubnet("nsg"), nt.NSG("nsg",
		nt.Rule("many", "100 Inbound Allow Tcp 10.1.0.0/25+10.9.0.0/16:* -> 10.1.1.4+10.1.1.128/25:80,443,8000-8100"),
		nt.Rule("deny", "4096 Inbound Deny * *:* -> *:*"),
	))...)
	ask(t, top,
		question{"10.1.0.4 -> 10.1.1.4 tcp 8050", "yes", "rule many (priority 100) allows TCP 8050 from 10.1.0.4 (10.1.0.0/25) to 10.1.1.4"},
		question{"10.1.0.4 -> 10.1.1.4 tcp 8101", "no", "rule deny"},
		question{"10.1.0.4 -> 10.1.1.5 tcp 80", "no", "rule deny"},
		question{"10.1.0.4 -> 10.1.1.4 udp 80", "no", "rule deny"},
	)
}

func TestServiceTags(t *testing.T) {
	top := topology(t, twoSubnets(onSubnet("nsg"), nil, nt.NSG("nsg",
		nt.Rule("storage", "100 Outbound Allow Tcp *:* -> Storage.WestEurope:443"),
		nt.Rule("unlisted", "150 Outbound Allow Tcp *:* -> AzureUnlisted:443"),
		nt.Rule("no-internet", "200 Outbound Deny * *:* -> Internet:*"),
	))...)
	ask(t, top,
		question{"10.1.0.4 -> 198.51.100.100 tcp 443", "yes", ""},
		question{"10.1.0.4 -> 198.51.100.100 tcp 445", "no", "rule no-internet (priority 200) denies TCP 445 from 10.1.0.4 to 198.51.100.100 (Internet)"},
		question{"10.1.0.4 -> 198.51.100.9 tcp 443", "unknown", "the addresses of service tag AzureUnlisted are not known"},
		question{"10.1.0.4 -> 198.51.100.9 tcp 80", "no", "no-internet"},
		question{"10.1.0.4 -> 10.1.1.4 tcp 443", "yes", ""}, // a tag holds public addresses only
	)
	for _, m := range top.Matches(nt.NSGID("nsg"), nt.SubnetID("a", "web"), network.Outbound) {
		if unresolved := len(m.Unresolved) > 0; unresolved != (m.Rule.Name == "unlisted") {
			t.Errorf("rule %s has unresolved tags %v", m.Rule.Name, m.Unresolved)
		}
	}
}

func TestInternetIsWhatVirtualNetworkIsNot(t *testing.T) {
	top := topology(t, nt.VNet("a", "20.1.0.0/16"), nt.Subnet("a", "s", "20.1.0.0/24", nt.UseNSG("nsg")),
		nt.VM("one", "a", "s", "20.1.0.4"), nt.VM("two", "a", "s", "20.1.0.5"),
		nt.NSG("nsg", nt.Rule("no-internet", "100 Outbound Deny * *:* -> Internet:*")))
	ask(t, top,
		question{"20.1.0.4 -> 20.1.0.5 tcp 443", "yes", ""},
		question{"20.1.0.4 -> 20.2.0.5 tcp 443", "no", "rule no-internet"},
		question{"192.0.2.10 -> 20.1.0.5 tcp 443", "no", "the internet has no route to it"},
	)
}

func TestPrefixesOfUserDefinedRoutesMayBeInVirtualNetwork(t *testing.T) {
	top := topology(t, twoSubnets([]nt.Set{nt.UseNSG("nsg"), nt.UseTable("rt")}, nil,
		nt.NSG("nsg", nt.Rule("no-internet", "4096 Outbound Deny * *:* -> Internet:*"), nt.Rule("inside", "100 Outbound Allow * *:* -> VirtualNetwork:*")),
		nt.RouteTable("rt", nt.Route("all", "0.0.0.0/0", "Internet")))...)
	ask(t, top, question{"10.1.0.4 -> 192.0.2.10 tcp 443", "unknown", "Azure counts the prefixes of user-defined routes to VirtualNetwork, and route all has 0.0.0.0/0"})
	for _, m := range top.Matches(nt.NSGID("nsg"), nt.SubnetID("a", "web"), network.Outbound) {
		if len(m.Unresolved) > 0 {
			t.Errorf("rule %s is unresolved: %v", m.Rule.Name, m.Unresolved)
		}
	}
}

func TestApplicationSecurityGroups(t *testing.T) {
	rule := nt.Rule("to-web", "100 Inbound Allow Tcp *:* -> *:443")
	p := rule["properties"].(arm.Object)
	delete(p, "destinationAddressPrefixes")
	p["destinationApplicationSecurityGroups"] = []any{arm.Object{"id": string(nt.ASGID("asg-web"))}}
	member := nt.VM("member", "a", "db", "")
	member[0] = nt.With(member[0], nt.Set{Path: "ipConfigurations", Value: []arm.Object{
		nt.Config("a", "db", "10.1.1.9", nt.Set{Path: "applicationSecurityGroups", Value: []arm.Object{{"id": string(nt.ASGID("asg-web"))}}}),
	}})
	top := topology(t, twoSubnets(nil, onSubnet("nsg"), member,
		nt.NSG("nsg", rule, nt.Rule("deny", "4096 Inbound Deny * *:* -> *:*")))...)
	ask(t, top,
		question{"10.1.0.4 -> 10.1.1.9 tcp 443", "yes", "to 10.1.1.9 (application security group asg-web)"},
		question{"10.1.0.4 -> 10.1.1.4 tcp 443", "no", "rule deny"},
	)
}

func TestUnknownRuleValues(t *testing.T) {
	unknown := arm.Unknown{Expression: "var.admin_prefix"}
	rule := func(field string, v any) arm.Resource {
		r := nt.Rule("ssh", "100 Inbound Allow Tcp 10.9.0.0/16:* -> *:22")
		r["properties"].(arm.Object)[field] = v
		return nt.NSG("nsg", r, nt.Rule("deny", "4096 Inbound Deny * *:* -> *:*"))
	}
	for field, want := range map[string]question{
		"sourceAddressPrefixes": {"10.1.0.4 -> 10.1.1.4 tcp 22", "unknown", "is known only after deployment (var.admin_prefix); otherwise rule deny (priority 4096) denies"},
		"priority":              {"10.9.0.4 -> 10.1.1.4 tcp 22", "no", ""},
	} {
		t.Run(field, func(t *testing.T) {
			ask(t, topology(t, twoSubnets(nil, onSubnet("nsg"), rule(field, unknown))...), want)
		})
	}
	t.Run("a doubt that changes nothing", func(t *testing.T) {
		// Whether the rule matches or not, its port does not.
		ask(t, topology(t, twoSubnets(nil, onSubnet("nsg"), rule("sourceAddressPrefixes", unknown))...),
			question{"10.1.0.4 -> 10.1.1.4 tcp 23", "no", "rule deny"})
	})
	t.Run("the rules themselves", func(t *testing.T) {
		doc := nt.Document(nt.NSGID("nsg"), nt.Set{Path: "securityRules", Value: unknown})
		ask(t, topology(t, twoSubnets(nil, onSubnet("nsg"), doc)...),
			question{"10.1.0.4 -> 10.1.1.4 tcp 22", "unknown", "securityRules is known only after deployment (var.admin_prefix)"})
	})
	t.Run("the association", func(t *testing.T) {
		ask(t, topology(t, twoSubnets(nil, []nt.Set{{Path: "networkSecurityGroup.id", Value: unknown}})...),
			question{"10.1.0.4 -> 10.1.1.4 tcp 22", "unknown", "networkSecurityGroup.id is known only after deployment"})
	})
}

func TestIPv6(t *testing.T) {
	six := func(addr string) nt.Set {
		return nt.Set{Path: "ipConfigurations", Value: []arm.Object{nt.Config("a", "web", addr, nt.Set{Path: "privateIPAddressVersion", Value: "IPv6"})}}
	}
	vm, other := nt.VM("six", "a", "web", ""), nt.VM("other", "a", "web", "")
	vm[0], other[0] = nt.With(vm[0], six("")), nt.With(other[0], six("fd00:1::9"))
	top := topology(t, nt.VNet("a", "10.1.0.0/16", "fd00:1::/48"),
		nt.Subnet("a", "web", "10.1.0.0/24", nt.Set{Path: "addressPrefixes", Value: []string{"10.1.0.0/24", "fd00:1::/64"}}, nt.UseNSG("nsg")),
		nt.NSG("nsg", nt.Rule("no-ssh", "100 Inbound Deny Tcp fd00:1::/64:* -> *:22")), vm, other)
	noProblems(t, top)
	ask(t, top,
		question{"fd00:1::4 -> fd00:1::9 tcp 443", "yes", "AllowVnetInBound"},
		question{"fd00:1::4 -> fd00:1::9 tcp 22", "no", "rule no-ssh"},
	)
}
