package arm_test

import (
	"errors"
	"testing"

	"github.com/cloister-ml/cloister/arm"
)

const (
	sub     = "/subscriptions/00000000-0000-0000-0000-000000000001"
	rg      = sub + "/resourceGroups/rg"
	account = rg + "/providers/Microsoft.Storage/storageAccounts/st"
	blobs   = account + "/blobServices/default"
	grant   = account + "/providers/Microsoft.Authorization/roleAssignments/g"
	group   = "/providers/Microsoft.Management/managementGroups/platform"
)

func TestIDSaysWhereItStands(t *testing.T) {
	for _, c := range []struct {
		id, typ, parent, scope string
		level                  arm.Level
		extends                string
	}{
		{"/", "Microsoft.Resources/tenants", "", "/", arm.LevelTenant, ""},
		{group, "Microsoft.Management/managementGroups", "/", group, arm.LevelManagementGroup, ""},
		{sub, "Microsoft.Resources/subscriptions", "", sub, arm.LevelSubscription, ""},
		{rg, "Microsoft.Resources/resourceGroups", sub, rg, arm.LevelGroup, ""},
		{account, "Microsoft.Storage/storageAccounts", rg, rg, arm.LevelResource, ""},
		{blobs, "Microsoft.Storage/storageAccounts/blobServices", account, rg, arm.LevelResource, ""},
		{grant, "Microsoft.Authorization/roleAssignments", account, rg, arm.LevelResource, account},
		{grant + "/providers/Microsoft.Insights/diagnosticSettings/d", "Microsoft.Insights/diagnosticSettings", grant, rg, arm.LevelResource, grant},
		{grant + "/parts/p", "Microsoft.Authorization/roleAssignments/parts", grant, rg, arm.LevelResource, account},
		{rg + "/providers/Microsoft.Authorization/locks/l", "Microsoft.Authorization/locks", rg, rg, arm.LevelResource, ""},
		{sub + "/providers/Microsoft.Authorization/policyAssignments/p", "Microsoft.Authorization/policyAssignments", sub, sub, arm.LevelResource, ""},
		{group + "/providers/Microsoft.Authorization/policyDefinitions/p", "Microsoft.Authorization/policyDefinitions", group, group, arm.LevelResource, ""},
		{"/providers/Microsoft.Authorization/roleDefinitions/r", "Microsoft.Authorization/roleDefinitions", "/", "/", arm.LevelResource, ""},
		{sub + "/resourceGroups/providers", "Microsoft.Resources/resourceGroups", sub, sub + "/resourceGroups/providers", arm.LevelGroup, ""},
	} {
		id, err := arm.ParseID(c.id)
		if err != nil {
			t.Errorf("%s: %v", c.id, err)
			continue
		}
		extended, _ := id.Extended()
		if !id.IsExtension() {
			extended = ""
		}
		if id.Type() != c.typ || string(id.Parent()) != c.parent || string(id.Scope()) != c.scope || id.Level() != c.level || string(extended) != c.extends {
			t.Errorf("%s: type %s, parent %q, scope %q, level %s, extends %q", c.id, id.Type(), id.Parent(), id.Scope(), id.Level(), extended)
		}
	}
}

func TestWhatIsNoID(t *testing.T) {
	for _, s := range []string{
		"", "x", "subscriptions/x", "//", "/subscriptions", "/subscriptions/", "/subscriptions//resourceGroups/rg",
		"/tenants/x", sub + "/resourceGroups", rg + "/providers", rg + "/providers/Microsoft.Storage", rg + "/providers/Microsoft.Storage/storageAccounts",
		account + "/blobServices", account + "/blobServices/..", account + "?x=1", account + "/a b/ c", account + "/providers/Microsoft.Insights/x",
	} {
		if id, err := arm.ParseID(s); !errors.Is(err, arm.ErrID) {
			t.Errorf("ParseID(%q) = %q, %v", s, id, err)
		}
	}
}

func TestIDsAreMadeOfTheirParts(t *testing.T) {
	for _, c := range []struct{ got, want arm.ID }{
		{arm.SubscriptionID("s"), "/subscriptions/s"},
		{arm.ManagementGroupID("platform"), group},
		{arm.GroupID("s", "rg"), "/subscriptions/s/resourceGroups/rg"},
		{arm.ResourceID("s", "rg", "A.B/c", "n"), "/subscriptions/s/resourceGroups/rg/providers/A.B/c/n"},
		{arm.Tenant.Extension("A.B", "c", "n"), "/providers/A.B/c/n"},
		{arm.ID(account).Child("blobServices", "default"), blobs},
		{arm.ID(account).Extension("Microsoft.Authorization", "roleAssignments", "g"), grant},
		{arm.ID(account).Group(), rg},
	} {
		if c.got != c.want {
			t.Errorf("got %s, want %s", c.got, c.want)
		}
	}
}
