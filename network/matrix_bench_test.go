package network_test

import (
	"fmt"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	nt "github.com/cloister-ml/cloister/network/networktest"
)

// company is an estate of a hub and networks peered with it, or of networks that
// are all peered with each other. Each network has as many subnets as groups, and
// each subnet a group of its own and machines.
func company(b testing.TB, networks, groups, rules, machines int, mesh bool) *arm.Estate {
	var docs []any
	for v := range networks {
		name := fmt.Sprintf("v%03d", v)
		docs = append(docs, nt.VNet(name, fmt.Sprintf("10.%d.0.0/16", v)))
		for other := range v {
			if mesh || other == 0 {
				docs = append(docs, nt.Peer(fmt.Sprintf("v%03d", other), name))
			}
		}
		for s := range groups {
			group := fmt.Sprintf("%s-%02d", name, s)
			var list []arm.Object
			for r := range rules {
				list = append(list, companyRule(v, s, r, networks))
			}
			docs = append(docs, nt.NSG(group, list...), nt.Subnet(name, fmt.Sprint("s", s), fmt.Sprintf("10.%d.%d.0/24", v, s), nt.UseNSG(group)))
			for m := range machines {
				docs = append(docs, nt.VM(fmt.Sprintf("%s-%02d", group, m), name, fmt.Sprint("s", s), ""))
			}
		}
	}
	return estate(b, docs...)
}

// companyRule is one of many: between subnets, some with tags and ranges of ports.
func companyRule(v, s, r, networks int) arm.Object {
	direction, access := "Inbound", "Allow"
	if r%2 == 1 {
		direction = "Outbound"
	}
	if r%5 == 4 {
		access = "Deny"
	}
	from, to := fmt.Sprintf("10.%d.%d.0/24", (v+r)%networks, (s+r)%10), "VirtualNetwork"
	if r%2 == 1 {
		from, to = to, from
	}
	if r%7 == 6 {
		from = "Internet"
	}
	return nt.Rule(fmt.Sprint("r", r), fmt.Sprintf("%d %s %s Tcp %s:* -> %s:%d-%d", 100+r, direction, access, from, to, 1000+10*(r%50), 1010+10*(r%50)))
}

// The matrix of 10,000 network interfaces, 1,000 groups of 200 rules, 100
// networks; and less of everything, to see how it grows.
func BenchmarkMatrix(b *testing.B) {
	for _, c := range []struct {
		networks, machines int
		mesh               bool
	}{{25, 10, false}, {50, 10, false}, {100, 10, false}, {200, 10, false}, {100, 10, true}} {
		shape := "hub and spokes"
		if c.mesh {
			shape = "mesh"
		}
		b.Run(fmt.Sprintf("%d networks %d interfaces %s", c.networks, c.networks*10*c.machines, shape), func(b *testing.B) {
			top := network.FromEstate(company(b, c.networks, 10, 200, c.machines, c.mesh))
			b.ReportAllocs()
			for b.Loop() {
				m := top.Matrix("")
				b.ReportMetric(float64(len(m.Classes)), "classes")
			}
		})
	}
}

// One changed rule of a group, in the matrix of the whole company.
func BenchmarkUpdate(b *testing.B) {
	benchmarkUpdate(b, network.FromEstate(company(b, 100, 10, 200, 10, false)).Matrix(""))
}

func benchmarkUpdate(b *testing.B, m *network.Matrix) {
	var groups []network.NSG
	for port := range 2 {
		var list []arm.Object
		for r := range 200 {
			list = append(list, companyRule(50, 5, r, 100))
		}
		list[7] = nt.Rule("r7", fmt.Sprintf("107 Inbound Deny Tcp *:* -> 10.50.5.0/24:%d", 22+port))
		g, _ := network.ReadNSG(nt.NSG("v050-05", list...))
		groups = append(groups, g)
	}
	for i := 0; b.Loop(); i++ {
		if changes := m.Update(groups[i%2]); len(changes) == 0 {
			b.Fatal("nothing changed")
		}
	}
}

// Everything that one machine can reach, over all addresses, protocols and ports.
func BenchmarkSpacesFrom(b *testing.B) {
	top := network.FromEstate(spokes(b, 100))
	s := top.Spaces("")
	from := top.NICs[10].Addrs[0]
	for b.Loop() {
		s.From(from)
	}
}

// transit is a company whose spokes are not peered with each other: a route to
// everything takes their packets through the hub, where a firewall with rules, or
// an appliance with a security group, lets them on.
func transit(b testing.TB, networks, groups, rules, machines int, firewall bool) *arm.Estate {
	forwarded := nt.Set{Path: "allowForwardedTraffic", Value: true}
	docs := []any{nt.VNet("hub", "10.255.0.0/16"), nt.RouteTable("rt", nt.Route("all", "0.0.0.0/0", "10.255.1.4"))}
	if firewall {
		docs = append(docs, transitFirewall(networks)...)
	} else {
		docs = append(docs, nt.NSG("hub", companyRule(3, 0, 0, networks), companyRule(4, 1, 1, networks), nt.Rule("all", "4000 Inbound Allow * *:* -> *:*")),
			nt.Subnet("hub", "nva", "10.255.1.0/24", nt.UseNSG("hub")), nt.VM("nva", "hub", "nva", "10.255.1.4", nt.Set{Path: "enableIPForwarding", Value: true}))
	}
	for v := range networks {
		name := fmt.Sprintf("v%03d", v)
		docs = append(docs, nt.VNet(name, fmt.Sprintf("10.%d.0.0/16", v)), nt.Peering("hub", name, forwarded), nt.Peering(name, "hub", forwarded))
		for s := range groups {
			group := fmt.Sprintf("%s-%02d", name, s)
			var list []arm.Object
			for r := range rules {
				list = append(list, companyRule(v, s, r, networks))
			}
			docs = append(docs, nt.NSG(group, list...), nt.Subnet(name, fmt.Sprint("s", s), fmt.Sprintf("10.%d.%d.0/24", v, s), nt.UseNSG(group), nt.UseTable("rt")))
			for m := range machines {
				docs = append(docs, nt.VM(fmt.Sprintf("%s-%02d", group, m), name, fmt.Sprint("s", s), ""))
			}
		}
	}
	return estate(b, docs...)
}

// transitFirewall is an Azure Firewall with two network rules for each network,
// and rules by host name.
func transitFirewall(networks int) []any {
	var rules []arm.Object
	for v := range networks {
		rules = append(rules, networkRule("TCP", fmt.Sprintf("10.%d.0.0/16", v), fmt.Sprintf("10.%d.0.0/16", (v+1)%networks), "1000-1200"),
			networkRule("TCP", fmt.Sprintf("10.%d.0.0/16", v), fmt.Sprintf("10.%d.0.0/16", (v+7)%networks), "443"))
	}
	rules = append(rules, applicationRule("*.example"))
	return []any{
		nt.Subnet("hub", "AzureFirewallSubnet", "10.255.1.0/26"),
		nt.Document(nt.FirewallID, nt.Set{Path: "firewallPolicy.id", Value: nt.PolicyID},
			nt.Set{Path: "ipConfigurations", Value: []arm.Object{nt.Config("hub", "AzureFirewallSubnet", "", nt.Set{Path: "publicIPAddress.id", Value: nt.PublicIPID("pip-fw")})}}),
		nt.PublicIP("pip-fw", "Standard"), nt.Document(nt.PolicyID),
		nt.Document(nt.PolicyID.Child("ruleCollectionGroups", "group"), nt.Set{Path: "priority", Value: 100}, nt.Set{Path: "ruleCollections", Value: []arm.Object{
			{"name": "c", "priority": 100.0, "action": arm.Object{"type": "Allow"}, "rules": list(rules)}}}),
	}
}

// middles are what spokes of a company reach each other through.
var middles = []struct {
	name     string
	firewall bool
}{{"firewall", true}, {"appliance", false}}

func assumed(e *arm.Estate) *network.Topology {
	return network.Settings{AppliancesForward: network.IsSo}.FromEstate(e)
}

// Spoke to spoke through the hub; and more of everything, to see how it grows.
func BenchmarkTransit(b *testing.B) {
	for _, middle := range middles {
		for _, networks := range []int{25, 50, 100, 200} {
			b.Run(fmt.Sprintf("%d networks %d interfaces %s", networks, networks*100, middle.name), func(b *testing.B) {
				top := assumed(transit(b, networks, 10, 200, 10, middle.firewall))
				b.ReportAllocs()
				for b.Loop() {
					m := top.Matrix("")
					b.ReportMetric(float64(len(m.Classes)), "classes")
				}
			})
		}
	}
}

// One changed rule of a spoke's group, in the matrix of a company whose spokes reach
// each other through the hub.
func BenchmarkUpdateTransit(b *testing.B) {
	for _, middle := range middles {
		b.Run(middle.name, func(b *testing.B) {
			benchmarkUpdate(b, assumed(transit(b, 100, 10, 200, 10, middle.firewall)).Matrix(""))
		})
	}
}
