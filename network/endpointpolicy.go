package network

import (
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

// endpointPolicies asks the service endpoint policies of the caller's subnet, and
// reports whether they have decided: a subnet that has any reaches by its service
// endpoint only the storage accounts that one of them lists, by themselves, by
// their resource group or by their subscription. They do not let anybody in that
// the account's own firewall refuses. Source: Microsoft Learn, "Virtual network
// service endpoint policies for Azure Storage".
func (g *guard) endpointPolicies() bool {
	subnet, ok := g.e.Get(g.s.Subnet)
	if g.s.Subnet == "" || !ok || !g.r.IsType(service.TypeStorageAccount) {
		return false
	}
	var doubts Doubts
	b := &builder{t: &Topology{}, e: g.e}
	policies := b.read(subnet, &doubts).refs("serviceEndpointPolicies")
	if len(policies) == 0 && len(doubts) == 0 {
		return false
	}
	for _, id := range policies {
		policy, ok := g.e.Get(id)
		if !ok {
			doubts = append(doubts, Doubt{Reason: "service endpoint policy " + id.Name() + " is not in the estate"})
			continue
		}
		if b.lists(policy, g.r.ID, &doubts) {
			return false
		}
	}
	step := verdict.Step{At: "service endpoint policies of subnet " + g.s.Subnet.Name(), Resource: g.s.Subnet, Value: verdict.No,
		Reason: "none of them lists " + g.r.ID.Name() + ": its service endpoint does not lead there"}
	if len(doubts) > 0 {
		step.Value, step.Reason = verdict.Unknown, doubts[0].Reason
	}
	g.a.Add(step)
	return true
}

// lists reports whether a definition of a policy is for a storage account.
func (b *builder) lists(policy arm.Resource, account arm.ID, doubts *Doubts) bool {
	for _, o := range b.read(policy, doubts).objects("serviceEndpointPolicyDefinitions", "definition") {
		if s := o.text("properties.service"); s != "" && !strings.HasPrefix(strings.ToLower(s), "microsoft.storage") {
			continue
		}
		for _, id := range o.texts("properties.serviceResources") {
			if account.Within(arm.ID(id)) {
				return true
			}
		}
	}
	return false
}
