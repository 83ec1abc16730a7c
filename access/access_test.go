package access

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/verdict"
	"github.com/google/uuid"
	"pgregory.net/rapid"
)

const (
	sub   = "11111111-1111-1111-1111-111111111111"
	other = "99999999-9999-9999-9999-999999999999"
)

var (
	group     = arm.GroupID(sub, "rg")
	account   = arm.ResourceID(sub, "rg", "Microsoft.Storage/storageAccounts", "st")
	container = account.Child("blobServices", "default").Child("containers", "data")
	vaultID   = arm.ResourceID(sub, "rg", typeVault, "kv")
	machine   = arm.ResourceID(sub, "rg", "Microsoft.Compute/virtualMachines", "vm")
	userMI    = arm.ResourceID(sub, "rg", typeUserIdentity, "mi")
	vm        = arm.PrincipalID(machine)
)

const (
	readBlob  = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"
	writeBlob = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write"
	getSecret = "Microsoft.KeyVault/vaults/secrets/getSecret/action"
)

func doc(i arm.ID, p arm.Object) arm.Resource {
	return arm.Resource{ID: i, Name: i.Name(), Type: i.Type(), Properties: p}
}

func machineDoc() arm.Resource {
	d := doc(machine, nil)
	d.Identity = &arm.Identity{Type: "SystemAssigned"}
	return d
}

func assign(scope arm.ID, role string, who any, extra ...string) arm.Resource {
	p := arm.Object{"principalId": who, "scope": string(scope), "roleDefinitionId": roleID(role)}
	for i := 0; i+1 < len(extra); i += 2 {
		p[extra[i]] = extra[i+1]
	}
	base := scope
	if base == "/" {
		base = ""
	}
	return doc(base.Extension("Microsoft.Authorization", "roleAssignments", "a-"+scope.Name()+role[:3]), p)
}

func roleID(role string) string {
	if r, ok := RoleByName(role); ok {
		role = r.ID
	}
	return "/subscriptions/" + sub + "/providers/Microsoft.Authorization/roleDefinitions/" + role
}

func model(t testing.TB, docs ...arm.Resource) *Model {
	t.Helper()
	e, err := arm.NewEstate(append([]arm.Resource{machineDoc()}, docs...)...)
	if err != nil {
		t.Fatal(err)
	}
	return FromEstate(e)
}

func TestAllows(t *testing.T) {
	const custom = "5f0e2bd1-0000-0000-0000-000000000001"
	mg := arm.ID("/providers/Microsoft.Management/managementGroups/ml")
	top := arm.ID("/providers/Microsoft.Management/managementGroups/top")
	mgDoc := doc(mg, arm.Object{"details": arm.Object{"parent": arm.Object{"id": string(top)}}})
	member := doc(mg.Child("subscriptions", sub), nil)
	customDoc := doc("/subscriptions/"+sub+"/providers/Microsoft.Authorization/roleDefinitions/"+custom, arm.Object{
		"roleName": "Blob reader, no list",
		"permissions": []any{arm.Object{
			"actions":    []any{"Microsoft.Storage/storageAccounts/blobServices/containers/*"},
			"notActions": []any{"Microsoft.Storage/storageAccounts/blobServices/containers/delete"}, "dataActions": []any{readBlob},
		}},
	})
	for _, c := range []struct {
		name   string
		docs   []arm.Resource
		who    string
		action string
		data   bool
		scope  arm.ID
		want   verdict.Value
		reason string
	}{
		{"nothing assigned", nil, vm, readBlob, true, account, verdict.No, "no role assignment allows vm"},
		{"at the resource", []arm.Resource{assign(account, "Storage Blob Data Reader", vm)}, vm, readBlob, true, account, verdict.Yes, "role Storage Blob Data Reader at storageAccount st allows"},
		{"inherited by a child", []arm.Resource{assign(account, "Storage Blob Data Reader", vm)}, vm, readBlob, true, container, verdict.Yes, ""},
		{"inherited from the group", []arm.Resource{assign(group, "Storage Blob Data Reader", vm)}, vm, readBlob, true, account, verdict.Yes, "resourceGroup rg"},
		{"inherited from the subscription", []arm.Resource{assign(arm.ID("/subscriptions/"+sub), "Storage Blob Data Reader", vm)}, vm, readBlob, true, account, verdict.Yes, ""},
		{"inherited from the root", []arm.Resource{assign("/", "Storage Blob Data Reader", vm)}, vm, readBlob, true, account, verdict.Yes, "root scope"},
		{"not upwards", []arm.Resource{assign(container, "Storage Blob Data Reader", vm)}, vm, readBlob, true, account, verdict.No, ""},
		{"not sideways", []arm.Resource{assign(account+"2", "Storage Blob Data Reader", vm)}, vm, readBlob, true, account, verdict.No, ""},
		{"not from another subscription", []arm.Resource{assign(arm.ID("/subscriptions/"+other), "Owner", vm)}, vm, "Microsoft.Storage/storageAccounts/read", false, account, verdict.No, ""},
		{"from a management group", []arm.Resource{assign(mg, "Storage Blob Data Reader", vm), mgDoc, member}, vm, readBlob, true, account, verdict.Yes, ""},
		{"from the management group above", []arm.Resource{assign(top, "Storage Blob Data Reader", vm), mgDoc, member}, vm, readBlob, true, account, verdict.Yes, ""},
		{"from a management group of which nothing is known", []arm.Resource{assign(mg, "Storage Blob Data Reader", vm)}, vm, readBlob, true, account, verdict.Unknown, "does not say whether"},
		{"the role has not the action", []arm.Resource{assign(account, "Storage Blob Data Reader", vm)}, vm, writeBlob, true, account, verdict.No, "role Storage Blob Data Reader at storageAccount st does not include it"},
		{"control actions give no data", []arm.Resource{assign(account, "Owner", vm)}, vm, readBlob, true, account, verdict.No, "role Owner"},
		{"data actions give no control", []arm.Resource{assign(account, "Storage Blob Data Reader", vm)}, vm, "Microsoft.Storage/storageAccounts/write", false, account, verdict.No, ""},
		{"notActions except", []arm.Resource{assign(group, "Contributor", vm)}, vm, "Microsoft.Authorization/roleAssignments/write", false, group, verdict.No, "excepts"},
		{"notActions deny nothing that another role gives", []arm.Resource{assign(group, "Contributor", vm), assign(group, "User Access Administrator", vm)}, vm, "Microsoft.Authorization/roleAssignments/write", false, group, verdict.Yes, "User Access Administrator"},
		{"a custom role", []arm.Resource{customDoc, assign(account, custom, vm)}, vm, readBlob, true, account, verdict.Yes, "Blob reader, no list"},
		{"a custom role's exception", []arm.Resource{customDoc, assign(account, custom, vm)}, vm, "Microsoft.Storage/storageAccounts/blobServices/containers/delete", false, account, verdict.No, "excepts"},
		{"a role from elsewhere", []arm.Resource{assign(account, other, vm)}, vm, readBlob, true, account, verdict.Unknown, "nor defined in the estate"},
		{"a principal that is not known yet", []arm.Resource{assign(account, "Storage Blob Data Reader", arm.Unknown{Expression: "data.azuread_group.ml.object_id"})}, vm, readBlob, true, account, verdict.Unknown, "data.azuread_group.ml.object_id"},
		{"not known who, and it would not help", []arm.Resource{assign(account, "Storage Blob Data Reader", arm.Unknown{Expression: "x"})}, vm, writeBlob, true, account, verdict.No, ""},
		{"a group", []arm.Resource{assign(account, "Storage Blob Data Reader", other, "principalType", "Group")}, vm, readBlob, true, account, verdict.Unknown, "who is a member"},
		{"a condition", []arm.Resource{assign(account, "Storage Blob Data Reader", vm, "condition", "@Resource[x] StringEquals 'y'")}, vm, readBlob, true, account, verdict.Unknown, "condition"},
		{"another principal", []arm.Resource{assign(account, "Storage Blob Data Reader", other)}, vm, readBlob, true, account, verdict.No, ""},
		{"a principal from elsewhere without assignment", nil, other, readBlob, true, account, verdict.Unknown, "not of the estate"},
		{"a principal from elsewhere with one", []arm.Resource{assign(account, "Storage Blob Data Reader", other)}, other, readBlob, true, account, verdict.Yes, ""},
		{"nobody", nil, "", readBlob, true, account, verdict.No, "no identity"},
		{"the whole workspace by a role for what is in it", []arm.Resource{assign(group, "AzureML Data Scientist", vm)}, vm, "Microsoft.MachineLearningServices/workspaces/read", false, arm.ResourceID(sub, "rg", "Microsoft.MachineLearningServices/workspaces", "w"), verdict.Yes, ""},
		{"and not its deletion", []arm.Resource{assign(group, "AzureML Data Scientist", vm)}, vm, "Microsoft.MachineLearningServices/workspaces/delete", false, arm.ResourceID(sub, "rg", "Microsoft.MachineLearningServices/workspaces", "w"), verdict.No, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := model(t, c.docs...).Allows(c.who, c.action, c.data, c.scope)
			if v.Value != c.want || !strings.Contains(v.Decisive().Reason, c.reason) {
				t.Errorf("got %s: %q, want %s: %q", v.Value, v.Decisive().Reason, c.want, c.reason)
			}
			if strings.ToUpper(c.who) != c.who {
				if up := model(t, c.docs...).Allows(strings.ToUpper(c.who), strings.ToUpper(c.action), c.data, arm.ID(strings.ToUpper(string(c.scope)))); up.Value != v.Value && c.scope.Within(group) {
					t.Errorf("case matters: %s", up.Value)
				}
			}
		})
	}
}

func TestVaultPolicies(t *testing.T) {
	policy := func(who any, permissions ...any) arm.Resource {
		return doc(vaultID, arm.Object{"enableRbacAuthorization": false, "accessPolicies": []any{
			arm.Object{"objectId": who, "permissions": arm.Object{"secrets": permissions}},
		}})
	}
	for _, c := range []struct {
		name string
		docs []arm.Resource
		want verdict.Value
	}{
		{"roles count where the vault uses them", []arm.Resource{doc(vaultID, arm.Object{"enableRbacAuthorization": true}), assign(vaultID, "Key Vault Secrets User", vm)}, verdict.Yes},
		{"and by default", []arm.Resource{doc(vaultID, nil), assign(vaultID, "Key Vault Secrets User", vm)}, verdict.Yes},
		{"a policy gives", []arm.Resource{policy(vm, "get", "list")}, verdict.Yes},
		{"a policy lacks", []arm.Resource{policy(vm, "list")}, verdict.No},
		{"roles do not count beside policies", []arm.Resource{policy(other, "get"), assign(vaultID, "Key Vault Administrator", vm)}, verdict.No},
		{"of someone not known", []arm.Resource{policy(arm.Unknown{Expression: "x"}, "get")}, verdict.Unknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, scope := range []arm.ID{vaultID, vaultID.Child("secrets", "token")} {
				if v := model(t, c.docs...).Allows(vm, getSecret, true, scope); v.Value != c.want {
					t.Errorf("%s: got %s: %+v", scope.Name(), v.Value, v.Steps)
				}
			}
		})
	}
}

func TestPrincipals(t *testing.T) {
	user := doc(arm.ResourceID(sub, "rg", "Microsoft.Compute/virtualMachines", "vm2"), nil)
	user.Identity = &arm.Identity{Type: "UserAssigned", User: map[string]arm.Object{strings.ToUpper(string(userMI)): {}}}
	m := model(t, doc(userMI, nil), user)
	if p, ok := m.Principal(strings.ToUpper(vm)); !ok || p.Name != "vm" || !p.Resource.Equal(machine) {
		t.Errorf("system-assigned: %+v %v", p, ok)
	}
	if p, ok := m.Principal(arm.PrincipalID(userMI)); !ok || p.Name != "mi" {
		t.Errorf("user-assigned: %+v %v", p, ok)
	}
	if got := m.IdentityOf(user); got != arm.PrincipalID(userMI) {
		t.Errorf("vm2 acts as %q", got)
	}
	if got := m.IdentityOf(doc(account, nil)); got != "" {
		t.Errorf("a storage account acts as %q", got)
	}
}

func TestWithOwner(t *testing.T) {
	m := model(t)
	owner := m.WithOwner(other, arm.ID("/subscriptions/"+sub))
	for _, data := range []bool{false, true} {
		if v := owner.Allows(other, readBlob, data, account); v.Value != verdict.Yes {
			t.Errorf("data %v: %+v", data, v)
		}
	}
	if v := owner.Allows(other, readBlob, true, arm.ID("/subscriptions/"+other)); v.Value == verdict.Yes {
		t.Error("the owner of one subscription owns another")
	}
	if v := m.Allows(other, readBlob, true, account); v.Value == verdict.Yes {
		t.Error("the model without the owner has changed")
	}
}

func TestBuiltInRoles(t *testing.T) {
	seen := map[string]bool{}
	action := regexp.MustCompile(`^(\*|[A-Za-z.]+(/[A-Za-z0-9*-]+)+|\*/read)$`)
	for _, r := range Roles() {
		if _, err := uuid.Parse(r.ID); err != nil || seen[r.ID] || seen[r.Name] {
			t.Errorf("%s has the id %s, or is there twice", r.Name, r.ID)
		}
		seen[r.ID], seen[r.Name] = true, true
		for _, a := range slices.Concat(r.Actions, r.NotActions, r.DataActions, r.NotDataActions) {
			if !action.MatchString(a) {
				t.Errorf("%s: %q is no action", r.Name, a)
			}
		}
		if byName, ok := RoleByName(strings.ToLower(r.Name)); !ok || byName.ID != r.ID {
			t.Errorf("%s is not found by name", r.Name)
		}
	}
}

// The matcher agrees with the same pattern as a regular expression.
func TestMatchesLikeARegexp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`[ab*/]{0,12}`).Draw(t, "pattern")
		s := rapid.StringMatching(`[abAB/]{0,16}`).Draw(t, "action")
		want := asRegexp(pattern).MatchString(s)
		if strings.Contains(pattern, "/*/") {
			want = want || asRegexp(strings.ReplaceAll(pattern, "/*/", "/")).MatchString(s)
		}
		if got := matches(pattern, s); got != want {
			t.Fatalf("matches(%q, %q) = %v", pattern, s, got)
		}
	})
}

func asRegexp(pattern string) *regexp.Regexp {
	return regexp.MustCompile(`(?is)^` + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, `.*`) + `$`)
}

// More assignments never take a right away.
func TestAssignmentsOnlyAdd(t *testing.T) {
	roles := Roles()
	rapid.Check(t, func(t *rapid.T) {
		pick := rapid.SliceOfN(rapid.IntRange(0, len(roles)-1), 1, 4).Draw(t, "roles")
		action := rapid.SampledFrom([]string{readBlob, writeBlob, getSecret, "Microsoft.Storage/storageAccounts/read"}).Draw(t, "action")
		data := rapid.Bool().Draw(t, "data")
		m := &Model{principals: map[string]Principal{vm: {ObjectID: vm, Name: "vm"}}, byPrincipal: map[string][]assignment{}}
		before := verdict.No
		for _, i := range pick {
			m.assign(assignment{scope: group, role: roles[i].ID, principal: vm, id: group})
			v := m.Allows(vm, action, data, account).Value
			if before == verdict.Yes && v != verdict.Yes {
				t.Fatalf("adding %s took %s away", roles[i].Name, action)
			}
			before = v
		}
	})
}

func FuzzMatches(f *testing.F) {
	f.Add("Microsoft.Storage/*/read", "Microsoft.Storage/storageAccounts/read")
	f.Add("*", "")
	f.Add("/*/", "//")
	f.Fuzz(func(t *testing.T, pattern, action string) {
		if len(pattern) > 500 || len(action) > 500 {
			return
		}
		matches(pattern, action)
		if !matches("*", action) {
			t.Errorf("the star does not match %q", action)
		}
	})
}
