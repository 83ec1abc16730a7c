package authorization

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"github.com/cloister-ml/cloister/access"
	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
)

// definitionID is the id of a role definition as it is seen at a scope: Azure
// shows it in the subscription, or in the tenant above.
func definitionID(scope arm.ID, guid string) arm.ID {
	var sub arm.ID
	if s := scope.Subscription(); s != "" {
		sub = arm.ID("/subscriptions/" + s)
	}
	return sub.Extension(namespace, "roleDefinitions", guid)
}

// builtIn is the document of a built-in role.
func builtIn(scope arm.ID, role access.Role) arm.Resource {
	id := definitionID(scope, role.ID)
	return arm.Resource{ID: id, Name: role.ID, Type: typeDefinition, Properties: arm.Object{
		"roleName": role.Name, "type": "BuiltInRole", "description": "", "assignableScopes": []any{"/"},
		"permissions": []any{arm.Object{
			"actions": anys(role.Actions), "notActions": anys(role.NotActions),
			"dataActions": anys(role.DataActions), "notDataActions": anys(role.NotDataActions),
		}},
	}}
}

func anys(list []string) []any {
	out := make([]any, 0, len(list))
	for _, s := range list {
		out = append(out, s)
	}
	return out
}

// findRole finds a role definition by its id at any scope.
func findRole(view cloud.View, id arm.ID) (arm.Resource, bool) {
	if !strings.EqualFold(id.Type(), typeDefinition) {
		return arm.Resource{}, false
	}
	return findDefinition(view, id)
}

// findDefinition finds a role definition, which is the same at every scope.
func findDefinition(view cloud.View, id arm.ID) (arm.Resource, bool) {
	if _, err := uuid.Parse(id.Name()); err != nil {
		return arm.Resource{}, false // RoleByName finds a name, too
	}
	if role, ok := access.RoleByName(id.Name()); ok {
		return builtIn(id, role), true
	}
	for _, r := range view.Estate().OfType(typeDefinition) {
		if strings.EqualFold(r.Name, id.Name()) {
			return r, true
		}
	}
	return arm.Resource{}, false
}

func prepareDefinition(view cloud.View, _ *arm.Resource, r arm.Resource) (arm.Resource, error) {
	if _, err := uuid.Parse(r.Name); err != nil {
		return r, refuse("InvalidRoleDefinitionId", "The role definition ID '%s' is not valid. The role definition ID must be a GUID.", r.Name)
	}
	if role, ok := access.RoleByName(r.Name); ok {
		return r, cloud.Errorf(http.StatusForbidden, "RoleDefinitionIsBuiltIn", "The built-in role %s cannot be changed.", role.Name)
	}
	roleName := arm.String(r.Properties, "roleName")
	if roleName == "" || len(arm.Objects(r.Properties, "permissions")) == 0 {
		return r, refuse("InvalidRoleDefinition", "The role definition '%s' must have a roleName and permissions.", r.Name)
	}
	_, taken := access.RoleByName(roleName)
	for _, other := range view.Estate().OfType(typeDefinition) {
		taken = taken || !other.ID.Equal(r.ID) && strings.EqualFold(arm.String(other.Properties, "roleName"), roleName)
	}
	if taken {
		return r, cloud.Errorf(http.StatusConflict, "RoleDefinitionWithSameNameExists", "A custom role with the name '%s' exists already, or a built-in one does.", roleName)
	}
	scopes := arm.Strings(r.Properties, "assignableScopes")
	if len(scopes) == 0 {
		return r, refuse("InvalidRoleDefinition", "The role definition '%s' must have at least one assignable scope.", r.Name)
	}
	for _, s := range scopes {
		if _, err := arm.ParseID(s); err != nil || s == "/" {
			return r, refuse("InvalidAssignableScope", "The assignable scope '%s' of role definition '%s' is not the id of a subscription, a group or a resource.", s, r.Name)
		}
	}
	return r, nil
}

func presentDefinition(_ cloud.View, r arm.Resource) arm.Resource {
	r.Properties["type"] = "CustomRole"
	return r
}

func canDeleteDefinition(view cloud.View, r arm.Resource) error {
	for _, a := range view.Estate().OfType(typeAssignment) {
		if strings.EqualFold(arm.ID(arm.String(a.Properties, "roleDefinitionId")).Name(), r.Name) {
			return refuse("RoleDefinitionHasAssignments", "There are existing role assignments referencing role (code: %s), such as %s.", r.Name, a.ID)
		}
	}
	return nil
}

// listDefinitions lists the built-in roles and the custom ones that can be
// assigned at scope.
func listDefinitions(view cloud.View, scope arm.ID, query url.Values, _ []arm.Resource) ([]arm.Resource, error) {
	if scope == "" {
		scope = tenantScope
	}
	terms, err := filterTerms(query.Get("$filter"))
	if err != nil {
		return nil, err
	}
	var all []arm.Resource
	for _, role := range access.Roles() {
		all = append(all, builtIn(scope, role))
	}
	for _, r := range view.Estate().OfType(typeDefinition) {
		for _, s := range arm.Strings(r.Properties, "assignableScopes") {
			if covers(arm.ID(s), scope) || covers(scope, arm.ID(s)) {
				r.Properties = arm.Clone(r.Properties)
				all = append(all, presentDefinition(view, r))
				break
			}
		}
	}
	var out []arm.Resource
	for _, r := range all {
		pass := true
		for _, t := range terms {
			switch t.name {
			case "rolename", "type":
				field := map[string]string{"rolename": "roleName", "type": "type"}[t.name]
				pass = pass && strings.EqualFold(t.value, arm.String(r.Properties, field))
			case "atscope()", "atscopeandbelow()":
			default:
				return nil, refuse("UnsupportedQuery", "The filter '%s' is not supported. Supported filters are atScopeAndBelow(), roleName eq '{value}' and type eq '{value}'.", query.Get("$filter"))
			}
		}
		if pass {
			out = append(out, r)
		}
	}
	return out, nil
}
