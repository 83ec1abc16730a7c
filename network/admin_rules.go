package network

import (
	"slices"

	"github.com/cloister-ml/cloister/arm"
)

// AdminMatch is a security admin rule with its sides resolved for one subnet. A
// packet that it is the first to match is dropped, passes whatever the security
// groups say, or is left to them.
type AdminMatch struct {
	Match
	Always bool // AlwaysAllow; else Match.Rule.Allow says whether the groups decide
	// InForce is false where it is not known whether the rule is deployed.
	InForce bool
}

// AdminRules are the security admin rules that a new connection of a network
// interface meets in one direction, before its security groups and in their
// order; none for private endpoints and for the subnets that are exempt.
// Source: Microsoft Learn, "Security admin rules in Azure Virtual Network Manager".
func (t *Topology) AdminRules(nic arm.ID, d Direction) []AdminMatch {
	n, ok := t.NIC(nic)
	if !ok {
		return nil
	}
	f := t.adminFilter(t.place(n), d)
	if f == nil {
		return nil
	}
	out := make([]AdminMatch, len(f.matches))
	for i, m := range f.matches {
		out[i] = AdminMatch{Match: m.Match, Always: m.always, InForce: f.absent == ""}
		out[i].Rule.Doubts = slices.Concat(m.Rule.Doubts, m.Doubts)
	}
	return out
}
