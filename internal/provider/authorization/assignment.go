package authorization

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
)

func prepareAssignment(directory Directory, view cloud.View, old *arm.Resource, r arm.Resource) (arm.Resource, error) {
	if _, err := uuid.Parse(r.Name); err != nil {
		return r, refuse("InvalidRoleAssignmentId", "The role assignment ID '%s' is not valid. The role assignment ID must be a GUID.", r.Name)
	}
	principal := arm.String(r.Properties, "principalId")
	if _, err := uuid.Parse(principal); err != nil {
		return r, refuse("InvalidPrincipalId", "The principal ID '%s' is not valid. Principal ID must be a GUID.", principal)
	}
	kind := arm.String(r.Properties, "principalType")
	_, is, known := directory.PrincipalType(principal)
	switch {
	case kind == "" && !known:
		return r, refuse("PrincipalNotFound", "Principal %s does not exist in the directory. Check that you have the correct principal ID. If it is of another directory, set the principalType property.", principal)
	case kind == "":
		kind = is
	case known && !strings.EqualFold(kind, is):
		return r, refuse("UnmatchedPrincipalType", "The PrincipalId '%s' has type '%s', which is different from the specified PrincipalType '%s'.", principal, is, kind)
	}
	role, ok := findRole(view, arm.ID(arm.String(r.Properties, "roleDefinitionId")))
	if !ok {
		return r, refuse("RoleDefinitionDoesNotExist", "The specified role definition with ID '%s' does not exist.", arm.String(r.Properties, "roleDefinitionId"))
	}
	scope := r.ID.Parent()
	properties := arm.Object{
		"principalId": principal, "principalType": kind, "scope": string(scope), "roleDefinitionId": string(definitionID(scope, role.Name)),
	}
	for _, field := range []string{"condition", "conditionVersion", "description", "delegatedManagedIdentityResourceId"} {
		if v, ok := arm.Lookup(r.Properties, field); ok {
			properties[field] = v
		}
	}
	r.Properties, r.Location = properties, ""
	return r, checkAssignment(view, old, r)
}

// checkAssignment refuses to change what an assignment says, and to say it twice.
func checkAssignment(view cloud.View, old *arm.Resource, r arm.Resource) error {
	if old != nil {
		if !equal(*old, r) {
			return refuse("RoleAssignmentUpdateNotPermitted", "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.")
		}
		return nil
	}
	for _, other := range view.Estate().OfType(typeAssignment) {
		if equal(other, r) {
			return cloud.Errorf(http.StatusConflict, "RoleAssignmentExists", "The role assignment already exists. The ID of the existing role assignment is %s.", strings.ReplaceAll(other.Name, "-", ""))
		}
	}
	return nil
}

// equal reports whether two assignments give the same role to the same principal
// at the same scope.
func equal(a, b arm.Resource) bool {
	field := func(r arm.Resource, path string) string { return strings.ToLower(arm.String(r.Properties, path)) }
	return a.ID.Parent().Equal(b.ID.Parent()) && field(a, "principalId") == field(b, "principalId") &&
		arm.ID(field(a, "roleDefinitionId")).Name() == arm.ID(field(b, "roleDefinitionId")).Name()
}

// listAssignments lists those at scope, above and below it; $filter narrows them:
// atScope() to those at scope and above, principalId and assignedTo to one
// principal's.
func listAssignments(view cloud.View, scope arm.ID, query url.Values, _ []arm.Resource) ([]arm.Resource, error) {
	if scope == "" {
		scope = tenantScope
	}
	terms, err := filterTerms(query.Get("$filter"))
	if err != nil {
		return nil, err
	}
	var out []arm.Resource
	for _, r := range view.Estate().OfType(typeAssignment) {
		at := r.ID.Parent()
		above := inherits(view, at, scope)
		if !above && !covers(scope, at) {
			continue
		}
		pass := true
		for _, t := range terms {
			switch t.name {
			case "atscope()":
				pass = pass && above
			case "principalid", "assignedto":
				pass = pass && strings.EqualFold(t.value, arm.String(r.Properties, "principalId"))
			default:
				return nil, refuse("UnsupportedQuery", "The filter '%s' is not supported. Supported filters are atScope(), principalId eq '{value}' and assignedTo('{value}').", query.Get("$filter"))
			}
		}
		if pass {
			out = append(out, r)
		}
	}
	return out, nil
}
