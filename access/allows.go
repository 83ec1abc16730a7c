package access

import (
	"fmt"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/verdict"
)

// Allows says whether a principal may do a control action, or with data a data
// action, at scope. The steps of a yes are the assignment that gives it; those of
// a no are the assignments that the principal has there and that do not suffice.
func (m *Model) Allows(principal string, action string, data bool, scope arm.ID) verdict.Verdict {
	if principal == "" {
		return one(verdict.No, "identity", "", "there is no identity to act as")
	}
	if v, ok := m.vaultOf(scope); ok && data {
		return m.policyAllows(v, principal, action)
	}
	var near, doubts []verdict.Step
	for _, a := range m.assignments {
		s, counts := m.weigh(a, strings.ToLower(principal), action, data, scope)
		switch {
		case !counts:
		case s.Value == verdict.Yes:
			return verdict.Verdict{Value: verdict.Yes, Steps: []verdict.Step{s}}
		case s.Value == verdict.Unknown:
			doubts = append(doubts, s)
		default:
			near = append(near, s)
		}
	}
	if len(doubts) > 0 {
		return verdict.Verdict{Value: verdict.Unknown, Steps: doubts}
	}
	name, known := m.nameOf(principal)
	if !known {
		return one(verdict.Unknown, "identity "+name, "", fmt.Sprintf(
			"no role assignment in the estate allows it %s at %s, and the identity is not of the estate: what it was given elsewhere is not known", action, short(scope)))
	}
	last := verdict.Step{At: "identity " + name, Resource: m.principals[strings.ToLower(principal)].Resource, Value: verdict.No, Reason: fmt.Sprintf(
		"no role assignment allows %s %s at %s", name, action, short(scope))}
	if len(near) > 0 {
		last.Reason += ": " + near[0].Reason
	}
	return verdict.Verdict{Value: verdict.No, Steps: append([]verdict.Step{last}, near...)}
}

func one(v verdict.Value, at string, resource arm.ID, reason string) verdict.Verdict {
	return verdict.Verdict{Value: v, Steps: []verdict.Step{{At: at, Resource: resource, Value: v, Reason: reason}}}
}

// weigh is what one assignment says; counts is false where it says nothing about
// the principal at the scope.
func (m *Model) weigh(a assignment, principal, action string, data bool, scope arm.ID) (s verdict.Step, counts bool) {
	if !a.group && a.unknown == "" && a.principal != principal {
		return s, false
	}
	within := m.within(scope, a.scope)
	if within == verdict.No && !strings.HasPrefix(a.unknown, "scope") {
		return s, false
	}
	s = verdict.Step{At: "role assignment " + a.label(), Resource: a.id}
	role, known := m.roleOf(a)
	if known {
		pattern, ok := role.Allows(action, data)
		if !ok {
			s.Value, s.Reason = verdict.No, refusal(role, a, action, pattern)
			// An assignment that would not help cannot cast a doubt either.
			return s, a.principal == principal && within == verdict.Yes
		}
		s.Reason = fmt.Sprintf("role %s at %s allows %s", role.Name, short(a.scope), action)
	}
	s.Value = verdict.Unknown
	switch {
	case a.unknown != "":
		s.Reason = fmt.Sprintf("it might give the right, but its %s", a.unknown)
	case a.group && a.principal != principal:
		s.Reason = fmt.Sprintf("it gives group %s the right; who is a member is not in the estate", a.principal)
	case !known:
		s.Reason = fmt.Sprintf("its role %s is neither built in nor defined in the estate", a.roleName)
	case within == verdict.Unknown:
		s.Reason = fmt.Sprintf("it is made at %s, and the estate does not say whether %s is below that", a.scope, short(scope))
	case a.condition:
		s.Reason += ", under a condition that is not evaluated"
	default:
		s.Value = verdict.Yes
	}
	return s, true
}

func refusal(role Role, a assignment, action, not string) string {
	if not != "" {
		return fmt.Sprintf("role %s at %s excepts %s (%s)", role.Name, short(a.scope), action, not)
	}
	return fmt.Sprintf("role %s at %s does not include it", role.Name, short(a.scope))
}

// within says whether scope lies at or below the place of an assignment.
// Management groups lie above subscriptions as the estate's own documents say.
func (m *Model) within(scope, at arm.ID) verdict.Value {
	if scope.Within(at) {
		return verdict.Yes
	}
	if !strings.EqualFold(at.Type(), typeManagement) {
		return verdict.No
	}
	place := scope.Key()
	if sub := scope.Subscription(); sub != "" {
		place = "/subscriptions/" + strings.ToLower(sub)
	}
	for range 8 { // Azure allows six levels below the root
		parent, ok := m.above[place]
		if !ok {
			return verdict.Unknown
		}
		if parent == at.Key() {
			return verdict.Yes
		}
		place = parent
	}
	return verdict.Unknown
}

func (m *Model) nameOf(principal string) (string, bool) {
	if p, ok := m.Principal(principal); ok {
		return p.Name, true
	}
	return principal, false
}

func (a assignment) label() string {
	if a.id == "" {
		return a.roleName
	}
	return a.id.Name()
}

// short names a scope as people do: its last type and name.
func short(scope arm.ID) string {
	if scope == "/" {
		return "the root scope"
	}
	typ := scope.Type()
	typ = typ[strings.LastIndexByte(typ, '/')+1:]
	if stem, ok := strings.CutSuffix(typ, "ies"); ok {
		return stem + "y " + scope.Name()
	}
	return strings.TrimSuffix(typ, "s") + " " + scope.Name()
}
