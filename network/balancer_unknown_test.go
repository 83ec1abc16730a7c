package network_test

import (
	"testing"

	"github.com/cloister-ml/cloister/arm"
	nt "github.com/cloister-ml/cloister/network/networktest"
)

// A rule of a load balancer of which a part is not known is never passed over.
// (Found by TestUnknownInTheMiddleIsNeverADefault.)
func TestLoadBalancerRulesThatAreNotKnown(t *testing.T) {
	front, pool := nt.InternalID.Child("frontendIPConfigurations", "front"), nt.InternalID.Child("backendAddressPools", "pool")
	known := map[string]any{"protocol": "Tcp", "frontendPort": 443.0, "backendPort": 8443.0,
		"frontendIPConfiguration": arm.Object{"id": string(front)}, "backendAddressPool": arm.Object{"id": string(pool)}}
	for _, c := range []struct{ hidden, want, because string }{
		{"", "yes", ""},
		{"protocol", "unknown", "protocol"},
		{"frontendPort", "unknown", "frontendPort"},
		{"backendPort", "unknown", "backendPort"},
		{"enableFloatingIP", "unknown", "enableFloatingIP"},
		{"backendAddressPool", "unknown", "backendAddressPool"},
	} {
		for _, list := range []string{"loadBalancingRules", "inboundNatRules"} {
			if list == "inboundNatRules" && (c.hidden == "backendAddressPool" || c.hidden == "enableFloatingIP") {
				continue
			}
			t.Run(list+" "+c.hidden, func(t *testing.T) {
				p := arm.Object{}
				for k, v := range known {
					p[k] = v
				}
				if list == "inboundNatRules" {
					delete(p, "backendAddressPool")
				}
				if c.hidden != "" {
					p[c.hidden] = arm.Unknown{Expression: "var.hidden"}
				}
				machine := nt.VM("web", "a", "s", "")
				machine[0] = nt.With(machine[0], nt.Set{Path: "ipConfigurations", Value: []arm.Object{nt.Config("a", "s", "",
					nt.Set{Path: "loadBalancerBackendAddressPools", Value: []arm.Object{{"id": string(pool)}}},
					nt.Set{Path: "loadBalancerInboundNatRules", Value: []arm.Object{{"id": string(nt.InternalID.Child("inboundNatRules", "r"))}}})}})
				top := topology(t, nt.VNet("a", "10.1.0.0/16"), nt.Subnet("a", "s", "10.1.0.0/24"), nt.VM("one", "a", "s", "10.1.0.9"), machine,
					nt.Document(nt.InternalID, nt.Set{Path: "frontendIPConfigurations", Value: []arm.Object{{"name": "front", "properties": nt.Config("a", "s", "10.1.0.100")["properties"]}}},
						nt.Set{Path: list, Value: []arm.Object{{"name": "r", "properties": p}}}))
				ask(t, top, question{"10.1.0.9 -> 10.1.0.100 tcp 443", c.want, c.because})
			})
		}
	}
}

// A machine in a pool whose address is not known is a machine: the rule may lead to it,
// and it leaves by what the load balancer lends. (Found by
// TestUnknownInTheMiddleIsNeverADefault, in one estate of a thousand.)
func TestMachinesInPoolsWhoseAddressIsNotKnown(t *testing.T) {
	front, pool := nt.InternalID.Child("frontendIPConfigurations", "front"), nt.InternalID.Child("backendAddressPools", "pool")
	member := nt.Set{Path: "loadBalancerBackendAddressPools", Value: []arm.Object{{"id": string(pool)}}}
	hidden := nt.Set{Path: "privateIPAddress", Value: arm.Unknown{Expression: "var.address"}}
	machine := func(name, addr string, sets ...nt.Set) []arm.Resource {
		docs := nt.VM(name, "a", "s", "", nt.Set{Path: "networkSecurityGroup.id", Value: nt.NSGID("nsg-" + name)})
		docs[0] = nt.With(docs[0], nt.Set{Path: "ipConfigurations", Value: []arm.Object{nt.Config("a", "s", addr, append(sets, member)...), nt.Config("a", "s", addr+"0")}})
		return docs
	}
	rule := arm.Object{"name": "r", "properties": arm.Object{"protocol": "Tcp", "frontendPort": 443.0, "backendPort": 443.0,
		"frontendIPConfiguration": arm.Object{"id": string(front)}, "backendAddressPool": arm.Object{"id": string(pool)}}}
	lb := nt.Document(nt.InternalID, nt.Set{Path: "loadBalancingRules", Value: []arm.Object{rule}},
		nt.Set{Path: "frontendIPConfigurations", Value: []arm.Object{{"name": "front", "properties": nt.Config("a", "s", "10.1.0.100")["properties"]}}})
	lb.SKU = arm.Object{"name": "Standard"}
	docs := []any{nt.VNet("a", "10.1.0.0/16"), nt.Subnet("a", "s", "10.1.0.0/24"), nt.VM("one", "a", "s", "10.1.0.9"), lb,
		nt.NSG("nsg-open"), nt.NSG("nsg-shut", nt.Rule("no", "100 Inbound Deny * *:* -> *:*"))}
	ask(t, topology(t, append(docs, machine("open", "10.1.0.5"))...), question{"10.1.0.9 -> 10.1.0.100 tcp 443", "yes", ""})
	for _, shut := range []nt.Set{{Path: "privateIPAddress", Value: "10.1.0.6"}, hidden} {
		ask(t, topology(t, append(docs, machine("open", "10.1.0.5"), machine("shut", "10.1.0.6", shut))...), question{"10.1.0.9 -> 10.1.0.100 tcp 443", "unknown", ""})
	}
	ask(t, topology(t, append(docs, machine("open", "10.1.0.5", hidden))...), question{"10.1.0.9 -> 10.1.0.100 tcp 443", "unknown", "as far as is known"},
		question{"10.1.0.50 -> 198.18.0.9 tcp 443", "no", "no address for TCP"})
}

// Nor is a pool whose name is not known another one than what a rule names, and an
// address that it lists may be that of a machine whose own is not known. (Found by the
// same, in one of three hundred and one of a thousand.)
func TestPoolsWhoseNameIsNotKnown(t *testing.T) {
	pool := nt.InternalID.Child("backendAddressPools", "pool")
	unknown := arm.Unknown{Expression: "var.x"}
	for _, c := range []struct {
		name, addr any
		want       string
	}{{"pool", "10.1.0.5", "yes"}, {unknown, "10.1.0.5", "unknown"}, {"pool", "10.1.0.6", "no"}, {"pool", unknown, "unknown"}} {
		web := nt.VM("web", "a", "s", "")
		web[0] = nt.With(web[0], nt.Set{Path: "ipConfigurations", Value: []arm.Object{nt.Config("a", "s", "", nt.Set{Path: "privateIPAddress", Value: c.addr})}})
		ask(t, topology(t, nt.VNet("a", "10.1.0.0/16"), nt.Subnet("a", "s", "10.1.0.0/24"), nt.VM("one", "a", "s", "10.1.0.9"), web,
			nt.Document(nt.InternalID, nt.Set{Path: "frontendIPConfigurations", Value: []arm.Object{{"name": "front", "properties": nt.Config("a", "s", "10.1.0.100")["properties"]}}},
				nt.Set{Path: "backendAddressPools", Value: []arm.Object{{"name": c.name, "properties": arm.Object{"virtualNetwork": arm.Object{"id": string(nt.VNetID("a"))},
					"loadBalancerBackendAddresses": []any{arm.Object{"name": "web", "properties": arm.Object{"ipAddress": "10.1.0.5"}}}}}}},
				nt.Set{Path: "loadBalancingRules", Value: []arm.Object{{"name": "r", "properties": arm.Object{"protocol": "Tcp", "frontendPort": 443.0, "backendPort": 443.0,
					"frontendIPConfiguration": arm.Object{"id": string(nt.InternalID.Child("frontendIPConfigurations", "front"))}, "backendAddressPool": arm.Object{"id": string(pool)}}}}})),
			question{"10.1.0.9 -> 10.1.0.100 tcp 443", c.want, ""})
	}
}
