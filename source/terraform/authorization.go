package terraform

import (
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/source/terraform/internal/lang"
)

const (
	authorization      = "Microsoft.Authorization"
	typeRoleAssignment = authorization + "/roleAssignments"
	typeRoleDefinition = authorization + "/roleDefinitions"
)

var authorizationKinds = map[string]kind{
	"azurerm_role_assignment": {
		arm: typeRoleAssignment,
		id:  assignmentID,
		props: []prop{
			attr("principal_id", "principalId"),
			attr("principal_type", "principalType"),
			attr("description", "description"),
			attr("condition", "condition"),
			attr("condition_version", "conditionVersion"),
		},
		decide: func(v view, id arm.ID) map[string]cty.Value {
			out := texts("name", id.Name())
			if role, ok := roleOf(v).(string); ok {
				out["role_definition_id"] = cty.StringVal(role)
			}
			return out
		},
		finish: func(v view, doc *arm.Resource) {
			doc.Properties["roleDefinitionId"] = roleOf(v)
			doc.Properties["scope"] = string(doc.ID.Parent())
		},
		effect: func(v view, _ arm.ID, b *builder) {
			if name := v.text("role_definition_name"); name != "" && !v.has("role_definition_id") && !strings.HasPrefix(name, "{") && roleGUIDs[strings.ToLower(name)] == "" {
				b.settleRole(v, name)
			}
		},
	},
	"azurerm_role_definition": {
		arm: typeRoleDefinition,
		id: func(v view) arm.ID {
			guid := v.text("role_definition_id")
			scope := v.id("scope", arm.TypeResourceGroup)
			if guid == "" {
				guid = arm.StableGUID(scope, "roleDefinition/"+v.symbol("name"))
			}
			return scope.Extension(authorization, "roleDefinitions", guid)
		},
		decide: func(_ view, id arm.ID) map[string]cty.Value {
			return texts("role_definition_id", id.Name(), "role_definition_resource_id", string(id))
		},
		finish: func(v view, doc *arm.Resource) {
			apply(v, []prop{
				attr("name", "roleName"),
				attr("description", "description"),
				attr("assignable_scopes", "assignableScopes").or([]any{v.json("scope")}),
				each("permissions", "permissions",
					attr("actions", "actions").or([]any{}), attr("not_actions", "notActions").or([]any{}),
					attr("data_actions", "dataActions").or([]any{}), attr("not_data_actions", "notDataActions").or([]any{})),
			}, doc.Properties)
			doc.Properties["type"] = "CustomRole"
		},
	},
}

// assignmentID is the id of an assignment. Azure takes any GUID as its name; one
// that is not given follows from what is assigned to whom.
func assignmentID(v view) arm.ID {
	scope := v.id("scope", arm.TypeResourceGroup)
	name := v.text("name")
	if name == "" {
		role, known := roleOf(v).(string)
		what := "roleAssignment/" + strings.ToLower(role) + "/" + v.symbol("principal_id")
		if !known || v.text("principal_id") == "" {
			what += "/" + v.r.Address // two that are not known are not one
		}
		name = arm.StableGUID(scope, what)
	}
	return scope.Extension(authorization, "roleAssignments", name)
}

// roleOf is the id of the role that is assigned, by id or by name.
func roleOf(v view) any {
	if v.has("role_definition_id") {
		id := v.json("role_definition_id")
		if s, ok := id.(string); ok {
			return definitionID(v.subscription, arm.ID(s).Name())
		}
		return id
	}
	if guid, ok := roleGUIDs[strings.ToLower(v.text("role_definition_name"))]; ok {
		return definitionID(v.subscription, guid)
	}
	if name := v.text("role_definition_name"); name != "" {
		return arm.Unknown{Expression: "the role " + name, File: v.r.Range.Filename, Line: v.r.Range.Start.Line}
	}
	return v.unknown(v.value("role_definition_name"), "role_definition_name")
}

func definitionID(subscription, guid string) string {
	return "/subscriptions/" + subscription + "/providers/" + typeRoleDefinition + "/" + guid
}

// settleRole resolves the name of a role that is not built in among the roles
// that the configuration defines.
func (b *builder) settleRole(v view, name string) {
	id := assignmentID(v)
	b.settle(v, id, func(doc *arm.Resource) {
		for _, d := range b.docs {
			if d.IsType(typeRoleDefinition) && strings.EqualFold(arm.String(d.Properties, "roleName"), name) {
				doc.Properties["roleDefinitionId"] = definitionID(v.subscription, d.Name)
				return
			}
		}
		b.warn(v.r.Range, "Role not known", "%s assigns %q, which is neither one of Azure's roles that are known here nor defined in this configuration: what it allows is unknown.", v.r.Address, name)
	})
}

// decideRoleDefinition is the data source for a role.
func decideRoleDefinition(v view) map[string]cty.Value {
	guid := v.text("role_definition_id")
	if guid == "" {
		guid = roleGUIDs[strings.ToLower(v.text("name"))]
	}
	if guid == "" {
		return nil
	}
	id := "/providers/" + typeRoleDefinition + "/" + guid
	if scope := v.text("scope"); scope != "" {
		id = strings.TrimSuffix(scope, "/") + id
	}
	return texts("id", id, "role_definition_id", guid)
}

// originOf marks an attribute that only deployment decides.
func originOf(v view, attribute string) lang.Origin {
	return lang.Origin{Expression: v.r.Address + "." + attribute, File: v.r.Range.Filename, Line: v.r.Range.Start.Line}
}
