package authorization

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
)

// everyone is the principal of a deny assignment that is for all.
const everyone = "00000000-0000-0000-0000-000000000000"

// refuseDenial: deny assignments are Azure's own to make, for managed applications
// and deployment stacks.
func refuseDenial(_ cloud.View, _ *arm.Resource, r arm.Resource) (arm.Resource, error) {
	return r, cloud.Errorf(http.StatusMethodNotAllowed, "DenyAssignmentCreationNotSupported", "Deny assignments cannot be created directly.")
}

// canDeleteDenial: they go with what they protect, or by who made them.
func canDeleteDenial(view cloud.View, r arm.Resource) error {
	if _, ok := view.Get(r.ID.Parent()); !ok {
		return nil
	}
	return cloud.Errorf(http.StatusMethodNotAllowed, "DenyAssignmentDeletionNotSupported",
		"The deny assignment '%s' is protected by the system. It goes when the deployment stack that made it denies no more, or is deleted.", r.Name)
}

// listDenials lists those at scope, above and below it; $filter narrows them as for
// role assignments.
func listDenials(view cloud.View, scope arm.ID, query url.Values, _ []arm.Resource) ([]arm.Resource, error) {
	if scope == "" {
		scope = tenantScope
	}
	terms, err := filterTerms(query.Get("$filter"))
	if err != nil {
		return nil, err
	}
	var out []arm.Resource
	for _, r := range view.Estate().OfType(typeDenial) {
		above := inherits(view, r.ID.Parent(), scope)
		if !above && !covers(scope, r.ID.Parent()) {
			continue
		}
		pass := true
		for _, t := range terms {
			switch t.name {
			case "atscope()":
				pass = pass && above
			case "atscopeandbelow()":
			case "principalid", "assignedto":
				pass = pass && names(r, t.value)
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

// names reports whether a deny assignment names a principal, or everyone and not
// this one.
func names(r arm.Resource, principal string) bool {
	is := func(o arm.Object) bool { return strings.EqualFold(arm.String(o, "id"), principal) }
	all := func(o arm.Object) bool { return arm.String(o, "id") == everyone }
	denied := arm.Objects(r.Properties, "principals")
	return slices.ContainsFunc(denied, is) ||
		slices.ContainsFunc(denied, all) && !slices.ContainsFunc(arm.Objects(r.Properties, "excludePrincipals"), is)
}
