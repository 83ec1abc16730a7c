package network_test

import (
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	nt "github.com/cloister-ml/cloister/network/networktest"
)

// scaleSet is a set with one interface, whose one address has more properties.
func scaleSet(capacity any, nic []nt.Set, sets ...nt.Set) arm.Resource {
	config := arm.Object{"name": "nic", "properties": arm.Object{"ipConfigurations": []any{nt.Config("a", "s", "", sets...)}}}
	doc := nt.Document(nt.ID("Microsoft.Compute/virtualMachineScaleSets", "set"))
	config["properties"] = nt.With(arm.Resource{Properties: config["properties"].(arm.Object)}, nic...).Properties
	doc = nt.With(doc, nt.Set{Path: "virtualMachineProfile.networkProfile.networkInterfaceConfigurations", Value: []any{config}})
	doc.SKU = arm.Object{"capacity": capacity}
	return doc
}

// The machines of a scale set are interfaces, as many as its capacity.
func TestScaleSets(t *testing.T) {
	base := []any{nt.VNet("a", "10.1.0.0/16"), nt.Subnet("a", "s", "10.1.0.0/24"), nt.VM("one", "a", "s", "")}
	names := func(top *network.Topology) string {
		var out []string
		for _, n := range top.NICs {
			if strings.HasPrefix(n.Name, "set_") {
				out = append(out, n.Name+" "+n.Addrs[0].String())
			}
		}
		return strings.Join(out, ", ")
	}
	for _, c := range []struct {
		name     string
		capacity any
		want     string
	}{
		{"none", 0.0, ""},
		{"two", 2.0, "set_0 10.1.0.4, set_1 10.1.0.5"},
		{"not known", arm.Unknown{Expression: "var.instances"}, "set_0 10.1.0.4"},
		{"not said", nil, "set_0 10.1.0.4"},
	} {
		t.Run(c.name, func(t *testing.T) {
			top := topology(t, append(base[:3:3], scaleSet(c.capacity, nil))...)
			noProblems(t, top)
			if got := names(top); got != c.want {
				t.Errorf("instances are %q, want %q", got, c.want)
			}
		})
	}
	t.Run("groups of the interface, application security groups", func(t *testing.T) {
		toASG := nt.Rule("asg", "100 Inbound Deny Tcp *:* -> *:22")
		p := toASG["properties"].(arm.Object)
		delete(p, "destinationAddressPrefixes")
		p["destinationApplicationSecurityGroups"] = []any{arm.Object{"id": string(nt.ASGID("agents"))}}
		top := topology(t, append(base[:3:3], nt.NSG("nsg", toASG, nt.Rule("no-web", "110 Inbound Deny Tcp *:* -> *:80")),
			scaleSet(2.0, []nt.Set{nt.UseNSG("nsg")}, nt.Set{Path: "applicationSecurityGroups", Value: []arm.Object{{"id": string(nt.ASGID("agents"))}}}))...)
		ask(t, top,
			question{"10.1.0.6 -> 10.1.0.5 tcp 22", "no", "rule asg"}, question{"10.1.0.6 -> 10.1.0.4 tcp 80", "no", "no-web"},
			question{"10.1.0.4 -> 10.1.0.6 tcp 22", "yes", ""}, question{"10.1.0.4 -> 10.1.0.5 tcp 443", "yes", ""})
	})
	t.Run("a public address for each", func(t *testing.T) {
		top := topology(t, append(base[:3:3], nt.NSG("open", nt.Rule("web", "100 Inbound Allow Tcp Internet:* -> *:443")),
			scaleSet(2.0, []nt.Set{nt.UseNSG("open")}, nt.Set{Path: "publicIPAddressConfiguration", Value: arm.Object{"name": "pip"}}))...)
		n, _ := top.NIC(nt.ID("Microsoft.Compute/virtualMachineScaleSets", "set").Child("virtualMachines", "1").Child("networkInterfaces", "nic"))
		if !n.PublicAddr.IsValid() || n.PublicTo != n.Addrs[0] {
			t.Fatalf("%+v has no public address", n)
		}
		ask(t, top, question{"192.0.2.10 -> " + n.PublicAddr.String() + " tcp 443", "yes", ""}, question{"192.0.2.10 -> " + n.PublicAddr.String() + " tcp 22", "no", "DenyAllInBound"})
	})
	t.Run("a pool of inbound NAT", func(t *testing.T) {
		frontend := arm.Object{"name": "front", "properties": arm.Object{"publicIPAddress": arm.Object{"id": string(nt.PublicIPID("pip-lb"))}}}
		pool := nt.PublicLBID.Child("inboundNatPools", "ssh")
		lb := nt.Document(nt.PublicLBID, nt.Set{Path: "frontendIPConfigurations", Value: []arm.Object{frontend}},
			nt.Set{Path: "inboundNatPools", Value: []arm.Object{{"name": "ssh", "properties": arm.Object{
				"frontendIPConfiguration": arm.Object{"id": string(nt.PublicLBID.Child("frontendIPConfigurations", "front"))}, "protocol": "Tcp",
				"frontendPortRangeStart": 50000.0, "frontendPortRangeEnd": 50119.0, "backendPort": 22.0}}}})
		pip := nt.With(nt.PublicIP("pip-lb", "Standard"), nt.Set{Path: "ipAddress", Value: nt.BalancerPublic})
		for _, g := range []struct{ access, want string }{{"Allow", "unknown"}, {"Deny", "no"}} {
			top := topology(t, append(base[:3:3], pip, lb, nt.NSG("nsg", nt.Rule("ssh", "100 Inbound "+g.access+" Tcp Internet:* -> *:22")),
				scaleSet(2.0, []nt.Set{nt.UseNSG("nsg")}, nt.Set{Path: "loadBalancerInboundNatPools", Value: []arm.Object{{"id": string(pool)}}}))...)
			ask(t, top, question{"192.0.2.10 -> 203.0.113.78 tcp 50007", g.want, "port"}, question{"192.0.2.10 -> 203.0.113.78 tcp 22", "no", "no rule of frontend"})
		}
	})
	t.Run("machines with documents of their own", func(t *testing.T) {
		docs := nt.VM("two", "a", "s", "")
		docs[1] = nt.With(docs[1], nt.Set{Path: "virtualMachineScaleSet.id", Value: nt.ID("Microsoft.Compute/virtualMachineScaleSets", "set")})
		if got := names(topology(t, append(base[:3:3], docs, scaleSet(2.0, nil))...)); got != "" {
			t.Errorf("the set has %s beside its documents", got)
		}
	})
}
