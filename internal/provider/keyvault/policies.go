package keyvault

import (
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

// permissionKinds are what an access policy gives permissions on.
var permissionKinds = []string{"keys", "secrets", "certificates", "storage"}

// editPolicies adds to the access policies of a vault, takes from them or replaces
// them, as the REST operation "Vaults - Update Access Policy" does.
func editPolicies(vault arm.Resource, name string, body arm.Object) (arm.Resource, arm.Object, error) {
	have, given := arm.Objects(vault.Properties, "accessPolicies"), arm.Objects(body, "properties.accessPolicies")
	for _, policy := range given {
		if arm.String(policy, "objectId") == "" || arm.String(policy, "tenantId") == "" {
			return vault, nil, badRequest("BadRequest", "an access policy has no objectId or no tenantId")
		}
	}
	var now []arm.Object
	switch strings.ToLower(name) {
	case "add":
		now = have
		for _, policy := range given {
			now = addPolicy(now, policy)
		}
	case "remove":
		for _, policy := range have {
			if left, ok := withoutPolicies(policy, given); ok {
				now = append(now, left)
			}
		}
	case "replace":
		now = given
	default:
		return vault, nil, badRequest("BadRequest", "access policies can be changed by add, remove and replace, not by %q", name)
	}
	list := make([]any, 0, len(now))
	for _, policy := range now {
		list = append(list, policy)
	}
	vault.Properties["accessPolicies"] = list
	return vault, arm.Object{"properties": arm.Object{"accessPolicies": list}}, nil
}

// samePolicy reports whether two policies are of the same principal.
func samePolicy(a, b arm.Object) bool {
	for _, field := range []string{"tenantId", "objectId", "applicationId"} {
		if !strings.EqualFold(arm.String(a, field), arm.String(b, field)) {
			return false
		}
	}
	return true
}

// addPolicy gives a principal more.
func addPolicy(have []arm.Object, more arm.Object) []arm.Object {
	out := slices.Clone(have)
	for i, policy := range out {
		if samePolicy(policy, more) {
			out[i] = combine(policy, more, func(a, b []string) []string {
				for _, p := range b {
					if !containsFold(a, p) {
						a = append(a, p)
					}
				}
				return a
			})
			return out
		}
	}
	return append(out, more)
}

// withoutPolicies is what is left of a policy, and whether anything is.
func withoutPolicies(policy arm.Object, taken []arm.Object) (arm.Object, bool) {
	for _, t := range taken {
		if samePolicy(policy, t) {
			policy = combine(policy, t, func(a, b []string) []string {
				return slices.DeleteFunc(slices.Clone(a), func(p string) bool { return containsFold(b, p) })
			})
		}
	}
	for _, kind := range permissionKinds {
		if len(arm.Strings(policy, "permissions."+kind)) > 0 {
			return policy, true
		}
	}
	return policy, false
}

func containsFold(list []string, s string) bool {
	return slices.ContainsFunc(list, func(have string) bool { return strings.EqualFold(have, s) })
}

// combine makes a policy's permissions of each kind from its own and another's.
func combine(policy, other arm.Object, f func(a, b []string) []string) arm.Object {
	permissions := arm.Object{}
	for _, kind := range permissionKinds {
		list := f(arm.Strings(policy, "permissions."+kind), arm.Strings(other, "permissions."+kind))
		kept := make([]any, 0, len(list))
		for _, p := range list {
			kept = append(kept, p)
		}
		permissions[kind] = kept
	}
	out := arm.Clone(policy)
	out["permissions"] = permissions
	return out
}
