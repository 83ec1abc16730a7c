package access

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/verdict"
)

// vault is a Key Vault that uses access policies instead of role assignments for
// what it holds.
type vault struct {
	id       arm.ID
	policies []accessPolicy
	unknown  string
}

type accessPolicy struct {
	objectID    string
	part        string              // where it stands in the vault's document
	permissions map[string][]string // by kind: secrets, keys, certificates
	unknown     string
}

// addVault notes a vault that does not use Azure role-based access control. Where
// the document does not say, role-based control is on, as it is since API version
// 2026-02-01, unless policies are written.
func (m *Model) addVault(doc arm.Resource) {
	policies := arm.Objects(doc.Properties, "accessPolicies")
	v := vault{id: doc.ID}
	if u, ok := arm.UnknownAt(doc.Properties, "enableRbacAuthorization"); ok {
		v.unknown = u.String()
	} else if arm.Bool(doc.Properties, "enableRbacAuthorization", len(policies) == 0) {
		return
	}
	for i, entry := range arm.List(doc.Properties, "accessPolicies") {
		o, ok := entry.(map[string]any)
		if !ok {
			continue
		}
		p := accessPolicy{part: "properties.accessPolicies." + strconv.Itoa(i), objectID: strings.ToLower(arm.String(o, "objectId")), permissions: map[string][]string{}}
		if u, ok := arm.UnknownAt(o, "objectId"); ok {
			p.unknown = u.String()
		}
		for _, kind := range []string{"secrets", "keys", "certificates"} {
			p.permissions[kind] = arm.Strings(o, "permissions."+kind)
		}
		v.policies = append(v.policies, p)
	}
	m.vaults[doc.ID.Key()] = v
}

// vaultOf is the vault with access policies that a scope is or lies in.
func (m *Model) vaultOf(scope arm.ID) (vault, bool) {
	for ; scope != "" && len(m.vaults) > 0; scope = scope.Parent() {
		if v, ok := m.vaults[scope.Key()]; ok {
			return v, true
		}
	}
	return vault{}, false
}

// policyAllows asks a vault's access policies.
func (m *Model) policyAllows(v vault, principal, action string) verdict.Verdict {
	at, name := "access policies of vault "+v.id.Name(), principal
	if known, ok := m.nameOf(principal); ok {
		name = known
	}
	if v.unknown != "" {
		return one(verdict.Unknown, at, v.id, "whether the vault uses role assignments is "+v.unknown)
	}
	kind, verb, ok := permissionFor(action)
	if !ok {
		return one(verdict.Unknown, at, v.id, "no permission of an access policy is known for "+action)
	}
	doubt := ""
	for _, p := range v.policies {
		if !p.gives(kind, verb) {
			continue
		}
		if p.objectID == strings.ToLower(principal) {
			answer := one(verdict.Yes, at, v.id, fmt.Sprintf("the policy of %s gives %s on %s", name, verb, kind))
			answer.Steps[0].Part = p.part
			return answer
		}
		if p.unknown != "" {
			doubt = p.unknown
		}
	}
	if doubt != "" {
		return one(verdict.Unknown, at, v.id, "the identity of a policy that would allow it is "+doubt)
	}
	return one(verdict.No, at, v.id, fmt.Sprintf(
		"the vault uses access policies, role assignments do not count for its contents, and no policy gives %s the permission %s on %s", name, verb, kind))
}

func (p accessPolicy) gives(kind, verb string) bool {
	for _, have := range p.permissions[kind] {
		if strings.EqualFold(have, verb) || strings.EqualFold(have, "all") {
			return true
		}
	}
	return false
}

// permissions of the vault's data actions on secrets, by the action's end.
var secretVerbs = map[string]string{
	"getsecret/action": "Get", "readmetadata/action": "List", "setsecret/action": "Set", "delete": "Delete",
	"backup/action": "Backup", "restore/action": "Restore", "purge/action": "Purge", "recover/action": "Recover", "update/action": "Set",
}

var keyVerbs = map[string]string{
	"read": "Get", "create/action": "Create", "import/action": "Import", "delete": "Delete", "update/action": "Update",
	"sign/action": "Sign", "verify/action": "Verify", "wrap/action": "WrapKey", "unwrap/action": "UnwrapKey",
	"encrypt/action": "Encrypt", "decrypt/action": "Decrypt",
}

func permissionFor(action string) (kind, verb string, ok bool) {
	rest, ok := strings.CutPrefix(strings.ToLower(action), "microsoft.keyvault/vaults/")
	if !ok {
		return "", "", false
	}
	kind, what, _ := strings.Cut(rest, "/")
	switch kind {
	case "secrets":
		verb, ok = secretVerbs[what]
	case "keys":
		verb, ok = keyVerbs[what]
	default:
		ok = false
	}
	return kind, verb, ok
}
