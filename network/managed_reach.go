package network

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/verdict"
)

// hostPorts are the ports of rules for names.
var hostPorts = []uint16{80, 443}

// Reach says whether a flow from a compute in the network arrives at its
// destination, which must be an address outside of it. The source is not looked
// at: Azure does not say which addresses the computes have.
func (m ManagedNetwork) Reach(f Flow) Answer {
	f.Destination = f.Destination.Unmap()
	f.Source = f.Destination
	step := verdict.Step{At: m.name(), Resource: m.Workspace, Value: verdict.No}
	switch {
	case !f.Destination.IsValid():
		step.Value, step.Reason = verdict.Unknown, "the flow has no destination address: none is known before deployment"
	case !isPublic(f.Destination):
		step.Reason = fmt.Sprintf("%s is a private address, and the network is joined to no other: only its own private endpoints lead to private addresses", f.Destination)
	case m.Mode == IsolationDisabled:
		step.Value, step.Reason = verdict.Yes, "nothing holds back what a compute without a subnet sends to public addresses"
	case m.Mode == IsolationInternet:
		step.Value, step.Reason = verdict.Yes, "isolation mode AllowInternetOutbound lets out everything to public addresses"
	default:
		return m.approved(f)
	}
	return answer(m.unless(step))
}

func (m ManagedNetwork) name() string {
	if m.Mode == IsolationDisabled {
		return "network of Azure Machine Learning"
	}
	return "managed network of " + m.Workspace.Name()
}

// unless makes a step unknown where the mode or the rules are not known.
func (m ManagedNetwork) unless(step verdict.Step) verdict.Step {
	if len(m.Doubts) > 0 {
		step.Value = verdict.Unknown
		step.Reason += ", as far as is known: " + m.Doubts[0].Reason
	}
	return step
}

// approved tries the rules of a network that lets out only what they approve. No
// document says in which order they come: one that allows and one that denies the
// same leave it open.
func (m ManagedNetwork) approved(f Flow) Answer {
	var allows, denies, maybe []verdict.Step
	take := func(step verdict.Step, v verdict.Value, allow bool) {
		switch {
		case v == verdict.Unknown:
			maybe = append(maybe, step)
		case v == verdict.Yes && allow:
			allows = append(allows, step)
		case v == verdict.Yes:
			denies = append(denies, step)
		}
	}
	for _, r := range m.Tags {
		verb := "lets out"
		if !r.Rule.Allow {
			verb = "denies"
		}
		step := verdict.Step{At: m.name(), Resource: r.Resource, Reason: fmt.Sprintf("outbound rule %s %s %s to %s", r.Rule.Name, verb, f.service(), r.Tag)}
		v := r.Test(f)
		if v == verdict.Unknown {
			step.Reason += ", if it applies: " + r.doubt(f)
		}
		take(step, v, r.Rule.Allow)
	}
	for _, h := range m.Hosts {
		step := verdict.Step{At: m.name(), Resource: h.Resource, Reason: fmt.Sprintf("the outbound rule for %s lets out %s", h.Host, f.service())}
		v := h.test(f)
		if v == verdict.Unknown {
			step.Reason += ", if that is the host: the flow names none"
		}
		take(step, v, true)
	}
	return answer(m.decide(f, allows, denies, maybe))
}

// decide is what rules that match for certain, and those that may, come to.
func (m ManagedNetwork) decide(f Flow, allows, denies, maybe []verdict.Step) verdict.Step {
	var step verdict.Step
	switch {
	case len(allows) > 0 && len(denies) > 0:
		step = denies[0]
		step.Value = verdict.Unknown
		step.Reason += ", and " + allows[0].Reason + "; which of them goes first is not documented"
		return step
	case len(maybe) > 0:
		step = maybe[0]
		step.Value = verdict.Unknown
		return step
	case len(allows) > 0:
		step = allows[0]
		step.Value = verdict.Yes
	case len(denies) > 0:
		step = denies[0]
		step.Value = verdict.No
	default:
		step = verdict.Step{At: m.name(), Resource: m.Workspace, Value: verdict.No}
		step.Reason = fmt.Sprintf("isolation mode AllowOnlyApprovedOutbound lets out only what outbound rules approve, and none is for %s to %s; add one", f.service(), where(f))
		if storageHost(f.Host) {
			step.Reason = fmt.Sprintf("a storage account is reached from a managed network that lets out only what is approved by a private endpoint, and no outbound rule makes one for %s", f.Host)
		}
	}
	return m.unless(step)
}

// test says whether the rule is for a flow. Rules for names do not open storage
// accounts.
func (h ManagedHost) test(f Flow) verdict.Value {
	switch {
	case f.Protocol != TCP || !slices.Contains(hostPorts, f.Port):
		return verdict.No
	case f.Host == "":
		return verdict.Unknown
	case storageHost(f.Host) || !hostMatches(h.Host, f.Host):
		return verdict.No
	}
	return verdict.Yes
}

func storageHost(host string) bool {
	return strings.HasSuffix(strings.ToLower(host), ".core.windows.net")
}

func where(f Flow) string {
	if f.Host != "" {
		return f.Host
	}
	return f.Destination.String()
}
