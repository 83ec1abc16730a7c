package access

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/verdict"
)

// Allows says whether a principal's token may do a control action, or with data a
// data action, at scope. The steps of a yes are the assignment that gives it; those
// of a no are the assignments that the principal has there and that do not suffice.
func (m *Model) Allows(principal string, action string, data bool, scope arm.ID) verdict.Verdict {
	if principal == "" {
		return one(verdict.No, "identity", "", "there is no identity to act as")
	}
	who := strings.ToLower(principal)
	denied := m.denied(who, action, data, scope)
	if denied.Value == verdict.No {
		return denied
	}
	v := m.granted(who, principal, action, data, scope)
	if v.Value == verdict.Yes && len(denied.Steps) > 0 {
		return denied
	}
	return v
}

// granted is what assignments and access policies give.
func (m *Model) granted(who, principal, action string, data bool, scope arm.ID) verdict.Verdict {
	if v, ok := m.vaultOf(scope); ok && data {
		return m.policyAllows(v, principal, action)
	}
	action, data, refused := m.inRegistry(action, data, scope)
	if refused.Value != verdict.Yes {
		return refused
	}
	var near, doubts []verdict.Step
	for _, a := range slices.Concat(m.byPrincipal[who], m.shared) {
		s, counts := m.weigh(a, who, action, data, scope)
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
	last := verdict.Step{At: "identity " + name, Resource: m.principals[who].Resource, Value: verdict.No, Reason: fmt.Sprintf(
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
	member := verdict.Yes
	if a.group && a.principal != principal {
		member = m.memberOf(a.principal, principal)
	}
	if strings.HasPrefix(a.unknown, "principalId") {
		member = verdict.Unknown
	}
	within := m.within(scope, a.scope)
	if member == verdict.No || within == verdict.No && !a.scopeUnknown {
		return s, false
	}
	s = verdict.Step{At: "role assignment " + a.label(), Resource: a.id}
	role, known := m.roleOf(a)
	if known {
		pattern, ok := role.Allows(action, data)
		if !ok && role.unknown == "" {
			s.Value, s.Reason = verdict.No, refusal(role, a, action, pattern)
			// An assignment that would not help cannot cast a doubt either.
			return s, member == verdict.Yes && within == verdict.Yes && a.unknown == ""
		}
		s.Reason = fmt.Sprintf("role %s at %s allows %s", role.Name, short(a.scope), action)
		if !m.assignable(role, a) {
			s.Value, s.Reason = verdict.No, fmt.Sprintf("Azure refuses role %s at %s: that is not among the scopes that it may be assigned at", role.Name, short(a.scope))
			return s, a.unknown == ""
		}
	}
	s.Value = verdict.Unknown
	switch condition := m.meets(a, principal, action, data, scope); {
	case a.unknown != "":
		s.Reason = fmt.Sprintf("it might give the right, but its %s", a.unknown)
	case member != verdict.Yes:
		s.Reason = fmt.Sprintf("it gives group %s the right; who is a member is not in the estate", a.principal)
	case !known:
		s.Reason = fmt.Sprintf("its role %s is neither built in, as far as is known here, nor defined in the estate", a.roleName)
	case role.unknown != "":
		s.Reason = fmt.Sprintf("role %s might give the right, but %s", role.Name, role.unknown)
	case within == verdict.Unknown:
		s.Reason = fmt.Sprintf("it is made at %s, and the estate does not say whether %s is below that", a.scope, short(scope))
	case condition == verdict.No:
		s.Value, s.Reason = verdict.No, s.Reason+", under a condition that does not hold: "+a.condition
	case condition == verdict.Unknown:
		s.Reason += ", under a condition that cannot be decided here: " + a.condition
	default:
		s.Value = verdict.Yes
	}
	return s, true
}

// assignable reports whether a role may be assigned where an assignment is.
func (m *Model) assignable(r Role, a assignment) bool {
	if r.Scopes == nil || a.scopeUnknown {
		return true
	}
	return slices.ContainsFunc(r.Scopes, func(s arm.ID) bool { return m.within(a.scope, s) != verdict.No })
}

// meets says whether an assignment's condition holds of a call.
func (m *Model) meets(a assignment, principal, action string, data bool, scope arm.ID) verdict.Value {
	if a.condition == "" {
		return verdict.Yes
	}
	return condition(a.condition, call{action: action, data: data, scope: scope, principal: principal})
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
		if !ok && m.root != "" {
			if at.Key() == m.root {
				return verdict.Yes
			}
			return verdict.No
		}
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
