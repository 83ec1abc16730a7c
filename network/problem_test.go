package network_test

import (
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	nt "github.com/cloister-ml/cloister/network/networktest"
)

func containsText(s, part string) bool { return strings.Contains(s, part) }

func hasProblem(t *testing.T, problems []network.Problem, part string) {
	t.Helper()
	var all []string
	for _, p := range problems {
		if strings.Contains(p.Message, part) {
			return
		}
		all = append(all, p.Message)
	}
	t.Errorf("no problem says %q, only\n%s", part, strings.Join(all, "\n"))
}

func TestProblems(t *testing.T) {
	vnet := nt.VNet("a", "10.1.0.0/16")
	for _, c := range []struct {
		name, want string
		docs       []any
	}{
		{"a prefix that does not parse", `"10.1/16" is not an address prefix`, []any{nt.VNet("a", "10.1/16")}},
		{"host bits", "write 10.1.0.0/16", []any{nt.VNet("a", "10.1.2.0/16")}},
		{"spaces of one network", "address space 10.1.2.0/24 overlaps 10.1.0.0/16", []any{nt.VNet("a", "10.1.0.0/16", "10.1.2.0/24")}},
		{"subnets that overlap", "subnet t (10.1.0.128/25) overlaps subnet s (10.1.0.0/24)", []any{vnet, nt.Subnet("a", "s", "10.1.0.0/24"), nt.Subnet("a", "t", "10.1.0.128/25")}},
		{"a subnet outside", "lies outside the address space of a (10.1.0.0/16)", []any{vnet, nt.Subnet("a", "s", "10.2.0.0/24")}},
		{"a subnet too small", "the smallest is a /29", []any{vnet, nt.Subnet("a", "s", "10.1.0.0/30")}},
		{"a subnet without its network", "is not in the estate; declare it", []any{nt.Subnet("a", "s", "10.1.0.0/24")}},
		{"two rules of one priority", "rules x and y are both Inbound with priority 100", []any{nt.NSG("n", nt.Rule("x", "100 Inbound Allow * *:* -> *:*"), nt.Rule("y", "100 Inbound Deny * *:* -> *:*"))}},
		{"a priority out of range", "priority 5000 is outside 100-4096", []any{nt.NSG("n", nt.Rule("x", "5000 Inbound Allow * *:* -> *:*"))}},
		{"a protocol", `protocol is "Sctp"`, []any{nt.NSG("n", nt.Rule("x", "100 Inbound Allow Sctp *:* -> *:*"))}},
		{"a port", `"99999" is not a port`, []any{nt.NSG("n", nt.Rule("x", "100 Inbound Allow Tcp *:* -> *:99999"))}},
		{"a rule for nobody", "no source is given", []any{nt.NSG("n", arm.Object{"name": "x", "properties": arm.Object{"priority": 100.0, "direction": "Inbound", "access": "Allow", "protocol": "*", "destinationAddressPrefix": "*"}})}},
		{"a group that is not there", "networkSecurityGroup.id names", []any{vnet, nt.Subnet("a", "s", "10.1.0.0/24", nt.UseNSG("gone"))}},
		{"a subnet that is not there", "subnet.id names", []any{nt.VM("x", "a", "gone", "")}},
		{"a route", `"10.1" is not an address prefix`, []any{nt.RouteTable("rt", nt.Route("x", "10.1", "None"))}},
		{"an appliance without an address", "needs nextHopIpAddress", []any{nt.RouteTable("rt", nt.Route("x", "10.1.0.0/16", "VirtualAppliance"))}},
		{"two routes of one prefix", "the table has a route for 10.1.0.0/16 already", []any{nt.RouteTable("rt", nt.Route("x", "10.1.0.0/16", "None"), nt.Route("y", "10.1.0.0/16", "Internet"))}},
		{"policies", "is none of Disabled", []any{vnet, nt.Subnet("a", "s", "10.1.0.0/24", nt.Set{Path: "privateEndpointNetworkPolicies", Value: "On"})}},
	} {
		t.Run(c.name, func(t *testing.T) {
			hasProblem(t, topology(t, c.docs...).Problems, c.want)
		})
	}
}

func TestProblemsHaveASource(t *testing.T) {
	r := nt.VNet("a", "10.1/16")
	r.Source = arm.Source{File: "main.tf", Line: 7}
	p := topology(t, r).Problems
	if len(p) != 1 || p[0].Source.Line != 7 || !p[0].Resource.Equal(r.ID) {
		t.Errorf("problems are %+v", p)
	}
}
