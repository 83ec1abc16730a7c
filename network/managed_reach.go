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
	var allows, denies matched
	for _, r := range m.Tags {
		verb, list := "lets out", &allows
		if !r.Rule.Allow {
			verb, list = "denies", &denies
		}
		step := verdict.Step{At: m.name(), Resource: r.Resource, Reason: fmt.Sprintf("outbound rule %s %s %s to %s", r.Rule.Name, verb, f.service(), r.Tag)}
		v := r.Test(f)
		if v == verdict.Unknown {
			step.Reason += ", if it applies: " + r.doubt(f)
		}
		list.add(step, v)
	}
	for _, h := range m.Hosts {
		step := verdict.Step{At: m.name(), Resource: h.Resource, Reason: fmt.Sprintf("the outbound rule for %s lets out %s", h.Host, f.service())}
		v := h.test(f)
		if v == verdict.Unknown {
			step.Reason += ", if that is the host: the flow names none"
		}
		allows.add(step, v)
	}
	return answer(m.decide(f, allows, denies))
}

// matched are the steps of rules that match for certain, and of those that may.
type matched struct{ sure, maybe []verdict.Step }

func (l *matched) add(step verdict.Step, v verdict.Value) {
	switch v {
	case verdict.Yes:
		l.sure = append(l.sure, step)
	case verdict.Unknown:
		l.maybe = append(l.maybe, step)
	}
}

func (l matched) all() []verdict.Step { return slices.Concat(l.sure, l.maybe) }

// decide is what the rules come to. One that may match decides nothing where another
// of its kind is sure to.
func (m ManagedNetwork) decide(f Flow, allows, denies matched) verdict.Step {
	var step verdict.Step
	switch {
	case len(allows.sure) > 0 && len(denies.sure) > 0:
		step = denies.sure[0]
		step.Value = verdict.Unknown
		step.Reason += ", and " + allows.sure[0].Reason + "; which of them goes first is not documented"
		return step
	case len(allows.sure) > 0 && len(denies.maybe) > 0, len(allows.sure) == 0 && len(allows.maybe) > 0:
		step = slices.Concat(denies.maybe, allows.maybe)[0]
		step.Value = verdict.Unknown
		return step
	case len(allows.sure) > 0:
		step = allows.sure[0]
		step.Value = verdict.Yes
	case len(denies.all()) > 0:
		step = denies.all()[0]
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
