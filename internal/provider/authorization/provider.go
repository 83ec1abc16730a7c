package authorization

import (
	"net/http"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
)

const (
	namespace      = "Microsoft.Authorization"
	typeAssignment = namespace + "/roleAssignments"
	typeDefinition = namespace + "/roleDefinitions"
	typeDenial     = namespace + "/denyAssignments"
)

// Directory knows the principals of the tenant.
type Directory interface {
	// PrincipalType is whom an object id is of, and what they are: User, Group or
	// ServicePrincipal.
	PrincipalType(objectID string) (name, kind string, ok bool)
}

// New makes the provider.
func New(directory Directory) cloud.Provider {
	return cloud.Provider{Namespace: namespace, Types: []cloud.Type{
		{
			Name: typeAssignment,
			Prepare: func(view cloud.View, old *arm.Resource, r arm.Resource) (arm.Resource, error) {
				return prepareAssignment(directory, view, old, r)
			},
			List: listAssignments, Missing: "RoleAssignmentNotFound",
		},
		{
			Name: typeDefinition, Prepare: prepareDefinition, CanDelete: canDeleteDefinition,
			Present: presentDefinition, Find: findDefinition, List: listDefinitions, Missing: "RoleDefinitionDoesNotExist",
		},
		{Name: namespace + "/locks", Prepare: prepareLock},
		{Name: namespace + "/policyAssignments", UpdateStatus: http.StatusCreated, PatchStatus: http.StatusOK},
		{Name: typeDenial, Prepare: refuseDenial, CanDelete: canDeleteDenial, List: listDenials, Missing: "DenyAssignmentNotFound"},
	}}
}

func refuse(code, format string, args ...any) error {
	return cloud.Errorf(http.StatusBadRequest, code, format, args...)
}

// tenantScope is the scope of the whole tenant, above every subscription.
const tenantScope = arm.ID("/")

// covers reports whether an assignment at scope holds for what is at id.
func covers(scope, id arm.ID) bool {
	return scope == tenantScope || id.Within(scope)
}

// inherits reports whether an assignment at a scope holds for what is at id,
// because the scope holds it or is a management group above.
func inherits(view cloud.View, scope, id arm.ID) bool {
	if covers(scope, id) {
		return true
	}
	if !strings.EqualFold(scope.Type(), arm.TypeManagementGroup) {
		return false
	}
	at := id
	if sub := id.Subscription(); sub != "" {
		at = ""
		for _, member := range view.Estate().OfType(arm.TypeManagementGroup + "/subscriptions") {
			if strings.EqualFold(member.Name, sub) {
				at = member.ID.Parent()
			}
		}
	}
	for range maxLevels {
		if at.Equal(scope) {
			return true
		}
		group, ok := view.Get(at)
		if !ok {
			return false
		}
		at = arm.Ref(group.Properties, "details.parent.id")
	}
	return false
}

// maxLevels is more than the levels of management groups that there can be.
const maxLevels = 10
