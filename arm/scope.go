package arm

import "strings"

// Tenant is the scope that holds every other.
const Tenant ID = "/"

// Types that ARM itself holds.
const (
	TypeTenant          = "Microsoft.Resources/tenants"
	TypeManagementGroup = "Microsoft.Management/managementGroups"
	TypeSubscription    = "Microsoft.Resources/subscriptions"
	TypeResourceGroup   = "Microsoft.Resources/resourceGroups"
)

// Level is where something stands in ARM's order of scopes.
//
// Source: Azure Resource Manager, "Understand scope".
type Level uint8

// Each level holds those after it.
const (
	LevelTenant Level = iota
	LevelManagementGroup
	LevelSubscription
	LevelGroup
	LevelResource
)

func (l Level) String() string {
	return [...]string{"tenant", "management group", "subscription", "resource group", "resource"}[l]
}

// Level is the level of the scope that an id names. What is deployed to a scope,
// as a policy assignment to a management group, is a resource.
func (id ID) Level() Level {
	s := id.segments()
	switch {
	case len(s) == 0:
		return LevelTenant
	case len(s) == 2:
		return LevelSubscription
	case len(s) == 4 && strings.EqualFold(s[0], "subscriptions") && strings.EqualFold(s[2], "resourceGroups"):
		return LevelGroup
	case len(s) == 4 && strings.EqualFold(id.Type(), TypeManagementGroup):
		return LevelManagementGroup
	}
	return LevelResource
}

// Scope is the scope that a resource is deployed to: its resource group, or the
// subscription, management group or tenant where it is in none. Of an extension
// it is that of what it extends; a scope's is itself.
func (id ID) Scope() ID {
	for at := id; at != ""; at = at.Parent() {
		if at.Level() != LevelResource {
			return at
		}
	}
	return Tenant
}

// IsExtension reports whether id names an extension resource: one whose provider
// comes after another resource, as a role assignment of a storage account, and a
// diagnostic setting of that assignment's.
func (id ID) IsExtension() bool {
	_, ok := id.Extended()
	return ok
}

// Extended is the resource that an extension resource extends, however deep id
// lies below the extension. What is deployed to a group or a scope above it
// extends nothing.
func (id ID) Extended() (ID, bool) {
	s := id.segments()
	for i := len(s) - 4; i > 0; i-- {
		if i%2 == 0 && strings.EqualFold(s[i], "providers") {
			of := "/" + ID(strings.Join(s[:i], "/"))
			return of, of.Level() == LevelResource
		}
	}
	return "", false
}

// SubscriptionID is the id of a subscription.
func SubscriptionID(subscription string) ID { return ID(subscriptions + subscription) }

// ManagementGroupID is the id of a management group.
func ManagementGroupID(name string) ID { return ID("/providers/" + TypeManagementGroup + "/" + name) }

// GroupID is the id of a resource group.
func GroupID(subscription, group string) ID {
	return SubscriptionID(subscription) + ID("/resourceGroups/"+group)
}

// ResourceID is the id of a top-level resource in a group.
func ResourceID(subscription, group, typ, name string) ID {
	return GroupID(subscription, group) + ID("/providers/"+typ+"/"+name)
}
