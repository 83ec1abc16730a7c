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
