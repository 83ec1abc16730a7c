package access

import (
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/verdict"
)

// Granted are the roles that a principal certainly has at scope, without those
// that a condition narrows, in the order of their assignments. What deny
// assignments take from them is not worked out here: [Model.Allows] does.
func (m *Model) Granted(principal string, scope arm.ID) []Role {
	who := strings.ToLower(principal)
	var out []Role
	for _, list := range [][]assignment{m.byPrincipal[who], m.shared} {
		for _, a := range list {
			role, known := m.roleOf(a)
			if !known || a.unknown != "" || a.condition != "" || role.unknown != "" {
				continue
			}
			member := a.principal == who || a.group && m.memberOf(a.principal, who) == verdict.Yes
			if member && m.within(scope, a.scope) == verdict.Yes && m.assignable(role, a) {
				out = append(out, role)
			}
		}
	}
	return out
}

// Denied says whether a deny assignment keeps a principal from an action: No where
// one does, unknown where one may, and Yes where none does.
func (m *Model) Denied(principal, action string, data bool, scope arm.ID) verdict.Verdict {
	v := m.denied(strings.ToLower(principal), action, data, scope)
	if len(v.Steps) == 0 {
		return one(verdict.Yes, "deny assignments", "", "none denies "+action+" at "+short(scope))
	}
	return v
}

// UnderRoot is the model in which the whole hierarchy of management groups is
// known: what is in none of them is directly below root, the tenant's own.
func (m *Model) UnderRoot(root arm.ID) *Model {
	out := *m
	out.root = root.Key()
	return &out
}
