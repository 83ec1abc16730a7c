package access

import (
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

// Role is a role definition.
type Role struct {
	ID             string // GUID
	Name           string
	Actions        []string // control plane
	NotActions     []string
	DataActions    []string // what is in the service
	NotDataActions []string
	Scopes         []arm.ID // assignableScopes of a custom role; nil for a built-in one
}

// Allows reports whether the role covers an action, and by which pattern. An
// entry of NotActions only narrows this role; it denies nothing that another
// role allows.
func (r Role) Allows(action string, data bool) (pattern string, ok bool) {
	allow, except := r.Actions, r.NotActions
	if data {
		allow, except = r.DataActions, r.NotDataActions
	}
	pattern, ok = anyMatches(allow, action)
	if !ok {
		return "", false
	}
	if not, excepted := anyMatches(except, action); excepted {
		return not, false
	}
	return pattern, true
}

// RoleByName finds a built-in role by its name or GUID.
func RoleByName(name string) (Role, bool) {
	for _, r := range Roles() {
		if strings.EqualFold(r.Name, name) || strings.EqualFold(r.ID, name) {
			return r, true
		}
	}
	return Role{}, false
}

// customRole reads a Microsoft.Authorization/roleDefinitions document.
func customRole(doc arm.Resource) Role {
	r := Role{ID: doc.ID.Name(), Name: arm.String(doc.Properties, "roleName")}
	if r.Name == "" {
		r.Name = doc.Name
	}
	for _, p := range arm.Objects(doc.Properties, "permissions") {
		r.Actions = append(r.Actions, arm.Strings(p, "actions")...)
		r.NotActions = append(r.NotActions, arm.Strings(p, "notActions")...)
		r.DataActions = append(r.DataActions, arm.Strings(p, "dataActions")...)
		r.NotDataActions = append(r.NotDataActions, arm.Strings(p, "notDataActions")...)
	}
	for _, s := range arm.Strings(doc.Properties, "assignableScopes") {
		r.Scopes = append(r.Scopes, arm.ID(s))
	}
	return r
}
