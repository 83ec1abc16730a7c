package access

import (
	"strings"
	"sync"

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

	further []Role // further permissions, of which each excepts from itself alone
	unknown string // what of the definition is not known, or ""
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
	if not, excepted := anyMatches(except, action); ok && excepted {
		pattern, ok = not, false
	}
	for _, f := range r.further {
		if p, allowed := f.Allows(action, data); !ok && (allowed || pattern == "") {
			pattern, ok = p, allowed
		}
	}
	return pattern, ok
}

// RoleByName finds a built-in role by its name or GUID.
func RoleByName(name string) (Role, bool) {
	r, ok := builtIn()[strings.ToLower(name)]
	return r, ok
}

// builtIn finds the built-in roles by name and by GUID, in lower case.
var builtIn = sync.OnceValue(func() map[string]Role {
	out := map[string]Role{}
	for _, r := range Roles() {
		out[strings.ToLower(r.Name)], out[strings.ToLower(r.ID)] = r, r
	}
	return out
})

// customRole reads a Microsoft.Authorization/roleDefinitions document.
func customRole(doc arm.Resource) Role {
	r := Role{ID: doc.ID.Name(), Name: arm.String(doc.Properties, "roleName")}
	if r.Name == "" {
		r.Name = doc.Name
	}
	if u, ok := arm.UnknownIn(doc.Properties, "permissions"); ok {
		r.unknown = "its permissions are " + u.String()
	}
	for i, o := range arm.Objects(doc.Properties, "permissions") {
		p := Role{
			Actions: arm.Strings(o, "actions"), NotActions: arm.Strings(o, "notActions"),
			DataActions: arm.Strings(o, "dataActions"), NotDataActions: arm.Strings(o, "notDataActions"),
		}
		for _, path := range []string{"actions", "notActions", "dataActions", "notDataActions"} {
			if u, ok := arm.UnknownIn(o, path); ok {
				r.unknown = "its " + path + " are " + u.String()
			}
		}
		if i > 0 {
			r.further = append(r.further, p)
			continue
		}
		r.Actions, r.NotActions, r.DataActions, r.NotDataActions = p.Actions, p.NotActions, p.DataActions, p.NotDataActions
	}
	if _, ok := arm.UnknownIn(doc.Properties, "assignableScopes"); ok {
		return r // not known: any scope may be among them
	}
	for _, s := range arm.Strings(doc.Properties, "assignableScopes") {
		r.Scopes = append(r.Scopes, arm.ID(s))
	}
	return r
}
