package terraform

import (
	"cmp"
	"maps"

	"github.com/zclconf/go-cty/cty"

	"github.com/cloister-ml/cloister/arm"
)

const typeUserIdentity = "Microsoft.ManagedIdentity/userAssignedIdentities"

var identityKinds = map[string]kind{
	"azurerm_user_assigned_identity": {
		arm: typeUserIdentity,
		id:  inGroup(typeUserIdentity),
		decide: func(v view, id arm.ID) map[string]cty.Value {
			out := texts("principal_id", arm.PrincipalID(id), "client_id", clientID(id))
			maps.Copy(out, map[string]cty.Value{"tenant_id": v.tenant})
			return out
		},
		finish: func(v view, doc *arm.Resource) {
			doc.Properties["principalId"] = cmp.Or(v.r.Made["principal_id"], arm.PrincipalID(doc.ID))
			doc.Properties["clientId"] = cmp.Or(v.r.Made["client_id"], clientID(doc.ID))
			doc.Properties["tenantId"] = v.document(v.tenant, "tenant_id")
			doc.Properties["isolationScope"] = or(v.json("isolation_scope"), "None")
		},
	},
	"azurerm_federated_identity_credential": {
		arm: typeUserIdentity + "/federatedIdentityCredentials",
		id: func(v view) arm.ID {
			parent := "user_assigned_identity_id"
			if !v.has(parent) {
				parent = "parent_id" // until azurerm 4
			}
			return v.id(parent, typeUserIdentity).Child("federatedIdentityCredentials", v.symbol("name"))
		},
		rows: tabled(`
			audience audiences
			* issuer subject
		`),
	},
}
