package access

import (
	"fmt"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/verdict"
)

const (
	listKeys        = "Microsoft.Storage/storageAccounts/listKeys/action"
	listCredentials = "Microsoft.ContainerRegistry/registries/listCredentials/action"
	writeRoles      = "Microsoft.Authorization/roleAssignments/write"
	writePolicies   = "Microsoft.KeyVault/vaults/accessPolicies/write"
	repositories    = "Microsoft.ContainerRegistry/registries/repositories/"
	abacMode        = "AbacRepositoryPermissions"
)

// keyHolder is what a storage account or a registry lets its own keys do.
type keyHolder struct {
	id      arm.ID
	keys    bool
	unknown string
}

// addAccount notes whether the keys of a storage account work; they do unless it
// says otherwise.
func (m *Model) addAccount(doc arm.Resource) {
	a := keyHolder{id: doc.ID, keys: arm.Bool(doc.Properties, "allowSharedKeyAccess", true)}
	if u, ok := arm.UnknownAt(doc.Properties, "allowSharedKeyAccess"); ok {
		a.unknown = "allowSharedKeyAccess is " + u.String()
	}
	m.accounts[doc.ID.Key()] = a
}

// addRegistry notes how a registry reads roles, and whether its admin account is on.
//
// Source: Microsoft Learn, "Microsoft Entra attribute-based access control for
// repository permissions" (Azure Container Registry).
func (m *Model) addRegistry(doc arm.Resource) {
	m.registries[doc.ID.Key()] = arm.String(doc.Properties, "roleAssignmentMode")
	if u, ok := arm.UnknownAt(doc.Properties, "roleAssignmentMode"); ok {
		m.registries[doc.ID.Key()] = u.String()
	}
	a := keyHolder{id: doc.ID, keys: arm.Bool(doc.Properties, "adminUserEnabled", false)}
	if u, ok := arm.UnknownAt(doc.Properties, "adminUserEnabled"); ok {
		a.unknown = "adminUserEnabled is " + u.String()
	}
	m.accounts[doc.ID.Key()] = a
}

// inRegistry is the action that a registry asks roles for. One that reads roles by
// repository knows nothing of pull/read and push/write, so AcrPull and AcrPush give
// nothing there; another knows nothing of repositories.
func (m *Model) inRegistry(action string, data bool, scope arm.ID) (string, bool, verdict.Verdict) {
	yes := verdict.Verdict{Value: verdict.Yes}
	var mode string
	var registry arm.ID
	for at := scope; at != "" && len(m.registries) > 0; at = at.Parent() {
		if found, ok := m.registries[at.Key()]; ok {
			mode, registry = found, at
			break
		}
	}
	to, pulls := map[string]string{
		"microsoft.containerregistry/registries/pull/read":        repositories + "content/read",
		"microsoft.containerregistry/registries/push/write":       repositories + "content/write",
		"microsoft.containerregistry/registries/artifacts/delete": repositories + "content/delete",
	}[strings.ToLower(action)]
	byRepository := data && strings.HasPrefix(strings.ToLower(action), strings.ToLower(repositories))
	switch {
	case registry == "" || !pulls && !byRepository:
		return action, data, yes
	case strings.HasPrefix(mode, "unknown"):
		return action, data, one(verdict.Unknown, "registry "+registry.Name(), registry, "how it reads roles (roleAssignmentMode) is "+mode)
	case strings.EqualFold(mode, abacMode) && pulls:
		return to, true, yes
	case !strings.EqualFold(mode, abacMode) && byRepository:
		return action, data, one(verdict.No, "registry "+registry.Name(), registry, "it does not read roles by repository: roleAssignmentMode is not "+abacMode)
	}
	return action, data, yes
}

// May says whether an identity can bring a data action about: by its own token, or
// with the keys that it may ask for. A storage account whose keys work gives
// everything in it to who lists them, and a registry with its admin account on to
// who lists its credentials. A control action is as [Model.Allows] has it.
func (m *Model) May(identity, action string, scope arm.ID, data bool) verdict.Verdict {
	v := m.Allows(identity, action, data, scope)
	if v.Value == verdict.Yes {
		return v
	}
	a, ask, ok := m.keysFor(action, scope, data)
	if !ok {
		return v
	}
	at := "keys of " + a.id.Name()
	if !a.keys && a.unknown == "" {
		v.Steps = append(v.Steps, verdict.Step{At: at, Resource: a.id, Value: verdict.No, Reason: "they are switched off"})
		return v
	}
	by := m.Allows(identity, ask, false, a.id)
	switch {
	case by.Value == verdict.Yes && a.unknown == "":
		by.Add(verdict.Step{At: at, Resource: a.id, Value: verdict.Yes, Reason: fmt.Sprintf("who has them may do everything there: %s needs no role", action)})
		return by
	case by.Value != verdict.No:
		reason := "whether it may ask for them is not known"
		if by.Value == verdict.Yes {
			reason = "whether they work is not known: " + a.unknown
		}
		return verdict.Verdict{Value: verdict.Unknown, Steps: append(v.Steps, verdict.Step{At: at, Resource: a.id, Value: verdict.Unknown, Reason: reason})}
	}
	return v
}

// keysFor finds the account whose keys would do an action, and the action by which
// they are asked for.
func (m *Model) keysFor(action string, scope arm.ID, data bool) (keyHolder, string, bool) {
	lower := strings.ToLower(action)
	for at := scope; at != ""; at = at.Parent() {
		a, ok := m.accounts[at.Key()]
		switch {
		case !ok:
		case strings.EqualFold(at.Type(), typeStorage):
			return a, listKeys, data
		case strings.HasSuffix(lower, "/pull/read") || strings.HasSuffix(lower, "/push/write") || data:
			return a, listCredentials, true
		}
	}
	return keyHolder{}, "", false
}

// Escalates says whether an identity can give itself rights at a scope: it may
// write role assignments there, or the access policies of a vault that goes by
// them. A condition on its assignment makes the answer unknown, for it may allow
// only harmless roles.
func (m *Model) Escalates(identity string, scope arm.ID) verdict.Verdict {
	v := m.Allows(identity, writeRoles, false, scope)
	if v.Value == verdict.Yes {
		v.Add(verdict.Step{At: "role assignments at " + short(scope), Value: verdict.Yes, Reason: "who may write them may give itself any role"})
		return v
	}
	if vault, ok := m.vaultOf(scope); ok {
		for _, action := range []string{writePolicies, "Microsoft.KeyVault/vaults/write"} {
			by := m.Allows(identity, action, false, vault.id)
			if by.Value == verdict.No {
				continue
			}
			if by.Value == verdict.Yes && vault.unknown == "" {
				by.Add(verdict.Step{At: "access policies of vault " + vault.id.Name(), Resource: vault.id, Value: verdict.Yes, Reason: "who may write them may give itself all that the vault holds"})
				return by
			}
			by.Value = verdict.Unknown
			return by
		}
	}
	return v
}
