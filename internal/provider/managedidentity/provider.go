package managedidentity

import (
	"net/http"
	"regexp"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
)

// TypeUserAssigned is the type of user-assigned identities.
const TypeUserAssigned = "Microsoft.ManagedIdentity/userAssignedIdentities"

// New makes the provider for a tenant.
func New(tenant string) cloud.Provider {
	return cloud.Provider{Namespace: "Microsoft.ManagedIdentity", Types: []cloud.Type{{
		Name: TypeUserAssigned,
		Prepare: func(_ cloud.View, _ *arm.Resource, r arm.Resource) (arm.Resource, error) {
			return prepare(tenant, r)
		},
	}}}
}

var name = regexp.MustCompile(`^[a-zA-Z0-9][-_a-zA-Z0-9]{2,127}$`)

func prepare(tenant string, r arm.Resource) (arm.Resource, error) {
	if !name.MatchString(r.Name) {
		return r, cloud.Errorf(http.StatusBadRequest, "InvalidResourceName", "The name '%s' of a user-assigned identity is invalid: it has 3 to 128 letters, digits, '-' and '_', and begins with a letter or a digit.", r.Name)
	}
	if r.Location == "" {
		return r, cloud.Errorf(http.StatusBadRequest, "LocationRequired", "The location property is required for this definition.")
	}
	isolation := arm.String(r.Properties, "isolationScope")
	switch isolation {
	case "":
		isolation = "None"
	case "None", "Regional":
	default:
		return r, cloud.Errorf(http.StatusBadRequest, "BadRequest", "The isolation scope '%s' of the identity '%s' is not None or Regional.", isolation, r.Name)
	}
	r.Properties = arm.Object{
		"isolationScope": isolation,
		"tenantId":       tenant,
		"principalId":    arm.PrincipalID(r.ID),
		"clientId":       arm.StableGUID(r.ID, "clientId"),
	}
	return r, nil
}
