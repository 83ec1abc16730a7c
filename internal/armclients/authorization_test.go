package armclients

import (
	"slices"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armlocks"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v3"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
)

const (
	reader      = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
	contributor = "b24988ac-6180-42a0-ab88-20f7382dd24c"
	blobReader  = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"
	one         = "11111111-1111-4111-8111-111111111111"
	two         = "22222222-2222-4222-8222-222222222222"
)

func authorizationClients(w *world) *armauthorization.ClientFactory {
	return must[*armauthorization.ClientFactory](w.t)(armauthorization.NewClientFactory(sub, w.cred, w.options))
}

func roleID(name string) *string {
	return to.Ptr("/subscriptions/" + sub + "/providers/Microsoft.Authorization/roleDefinitions/" + name)
}

// somebody is a principal that a test gives roles to.
func (w *world) somebody() string {
	w.t.Helper()
	who := id("Microsoft.ManagedIdentity/userAssignedIdentities", "somebody")
	w.put(who, nil)
	return arm.PrincipalID(who)
}

func TestRoleDefinitions(t *testing.T) {
	w := start(t)
	ctx, roles := t.Context(), authorizationClients(w).NewRoleDefinitionsClient()
	scope := "/subscriptions/" + sub
	made := must[armauthorization.RoleDefinitionsClientCreateOrUpdateResponse](t)(roles.CreateOrUpdate(ctx, scope, one, armauthorization.RoleDefinition{Properties: &armauthorization.RoleDefinitionProperties{
		RoleName: to.Ptr("Widget Reader"), AssignableScopes: []*string{&scope}, RoleType: to.Ptr("CustomRole"),
		Permissions: []*armauthorization.Permission{{Actions: []*string{to.Ptr("Contoso.Widgets/*/read")}, DataActions: []*string{}}},
	}}, nil))
	if *made.Properties.RoleName != "Widget Reader" || *made.Properties.RoleType != "CustomRole" {
		t.Errorf("made %+v", made.Properties)
	}
	byID := must[armauthorization.RoleDefinitionsClientGetByIDResponse](t)(roles.GetByID(ctx, *made.ID, nil))
	if *byID.Properties.Permissions[0].Actions[0] != "Contoso.Widgets/*/read" {
		t.Errorf("got %+v", byID.Properties)
	}
	for filter, want := range map[string][]string{
		"type eq 'CustomRole'":                       {one},
		"roleName eq 'Reader'":                       {reader},
		"atScopeAndBelow() and type eq 'CustomRole'": {one},
	} {
		got := all(t, roles.NewListPager(scope, &armauthorization.RoleDefinitionsClientListOptions{Filter: &filter}),
			func(p armauthorization.RoleDefinitionsClientListResponse) []*armauthorization.RoleDefinition {
				return p.Value
			},
			func(r *armauthorization.RoleDefinition) *string { return r.Name })
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", filter, got, want)
		}
	}
	builtIn := all(t, roles.NewListPager(scope, nil), func(p armauthorization.RoleDefinitionsClientListResponse) []*armauthorization.RoleDefinition {
		return p.Value
	},
		func(r *armauthorization.RoleDefinition) *string { return r.Name })
	if len(builtIn) < 20 || !slices.Contains(builtIn, contributor) {
		t.Errorf("%d roles", len(builtIn))
	}
	must[armauthorization.RoleDefinitionsClientDeleteResponse](t)(roles.Delete(ctx, scope, one, nil))
	_, err := roles.Get(ctx, scope, one, nil)
	wantCode(t, "a deleted role", err, 404, "RoleDefinitionDoesNotExist")
}

func TestRoleAssignments(t *testing.T) {
	w := start(t)
	ctx, assignments := t.Context(), authorizationClients(w).NewRoleAssignmentsClient()
	account(w, "stsdkone")
	who, scope, stored := w.somebody(), string(arm.GroupID(sub, group)), string(id(service.TypeStorageAccount, "stsdkone"))
	give := func(role, condition string) armauthorization.RoleAssignmentCreateParameters {
		p := &armauthorization.RoleAssignmentProperties{RoleDefinitionID: roleID(role), PrincipalID: &who, PrincipalType: to.Ptr(armauthorization.PrincipalTypeServicePrincipal)}
		if condition != "" {
			p.Condition, p.ConditionVersion = &condition, to.Ptr("2.0")
		}
		return armauthorization.RoleAssignmentCreateParameters{Properties: p}
	}
	const condition = "((!(ActionMatches{'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read'})) OR (@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:name] StringEquals 'data'))"
	made := must[armauthorization.RoleAssignmentsClientCreateResponse](t)(assignments.Create(ctx, stored, one, give(blobReader, condition), nil))
	if *made.Properties.Condition != condition || *made.Properties.ConditionVersion != "2.0" || *made.Properties.Scope != stored {
		t.Errorf("made %+v", made.Properties)
	}
	must[armauthorization.RoleAssignmentsClientCreateResponse](t)(assignments.Create(ctx, scope, two, give(reader, ""), nil))
	_, err := assignments.Create(ctx, scope, "33333333-3333-4333-8333-333333333333", give(reader, ""), nil)
	wantCode(t, "the same again", err, 409, "RoleAssignmentExists")

	named := func(a *armauthorization.RoleAssignment) *string { return a.Name }
	for _, tt := range []struct {
		scope, filter string
		want          []string
	}{
		{stored, "atScope()", []string{one, two}},
		{scope, "atScope()", []string{two}},
		{scope, "assignedTo('" + who + "')", []string{one, two}},
		{scope, "principalId eq '" + who + "'", []string{one, two}},
		{scope, "atScope() and assignedTo('" + who + "')", []string{two}},
		{"/subscriptions/" + sub, "atScope()", []string{}},
	} {
		got := all(t, assignments.NewListForScopePager(tt.scope, &armauthorization.RoleAssignmentsClientListForScopeOptions{Filter: &tt.filter}),
			func(p armauthorization.RoleAssignmentsClientListForScopeResponse) []*armauthorization.RoleAssignment {
				return p.Value
			}, named)
		if slices.Sort(got); !slices.Equal(got, tt.want) {
			t.Errorf("%s at %s: %v, want %v", tt.filter, tt.scope, got, tt.want)
		}
	}
	got := all(t, assignments.NewListForSubscriptionPager(nil), func(p armauthorization.RoleAssignmentsClientListForSubscriptionResponse) []*armauthorization.RoleAssignment {
		return p.Value
	}, named)
	if slices.Sort(got); !slices.Equal(got, []string{one, two}) {
		t.Errorf("the subscription has %v", got)
	}
	byID := must[armauthorization.RoleAssignmentsClientGetByIDResponse](t)(assignments.GetByID(ctx, *made.ID, nil))
	if *byID.Name != one {
		t.Errorf("got %s", *byID.Name)
	}
	must[armauthorization.RoleAssignmentsClientDeleteByIDResponse](t)(assignments.DeleteByID(ctx, *made.ID, nil))
	_, err = assignments.Get(ctx, stored, one, nil)
	wantCode(t, "a deleted assignment", err, 404, "RoleAssignmentNotFound")
}

func TestPermissions(t *testing.T) {
	w := start(t)
	actions := func(who *armauthorization.ClientFactory) []string {
		t.Helper()
		out := []string{}
		for _, page := range pages(t, who.NewPermissionsClient().NewListForResourceGroupPager(group, nil)) {
			for _, p := range page.Value {
				for _, a := range p.Actions {
					out = append(out, *a)
				}
			}
		}
		return out
	}
	if got := actions(authorizationClients(w)); !slices.Equal(got, []string{"*"}) {
		t.Errorf("the owner may %v", got)
	}
	other, err := w.NewServicePrincipal(t.Context(), "other")
	if err != nil {
		t.Fatal(err)
	}
	cred, options := w.SDK(other)
	theirs := must[*armauthorization.ClientFactory](t)(armauthorization.NewClientFactory(sub, cred, options))
	if got := actions(theirs); len(got) != 0 {
		t.Errorf("who was given nothing may %v", got)
	}
	must[armauthorization.RoleAssignmentsClientCreateResponse](t)(authorizationClients(w).NewRoleAssignmentsClient().Create(t.Context(), string(arm.GroupID(sub, group)), one,
		armauthorization.RoleAssignmentCreateParameters{Properties: &armauthorization.RoleAssignmentProperties{RoleDefinitionID: roleID(reader), PrincipalID: &other.ObjectID}}, nil))
	if got := actions(theirs); !slices.Equal(got, []string{"*/read"}) {
		t.Errorf("a reader may %v", got)
	}
}

func TestLocks(t *testing.T) {
	w := start(t)
	ctx := t.Context()
	locks := must[*armlocks.ManagementLocksClient](t)(armlocks.NewManagementLocksClient(sub, w.cred, w.options))
	groups := must[*armresources.ResourceGroupsClient](t)(armresources.NewResourceGroupsClient(sub, w.cred, w.options))
	account(w, "stsdkone")
	lock := armlocks.ManagementLockObject{Properties: &armlocks.ManagementLockProperties{Level: to.Ptr(armlocks.LockLevelCanNotDelete), Notes: to.Ptr("keep")}}
	made := must[armlocks.ManagementLocksClientCreateOrUpdateAtResourceGroupLevelResponse](t)(locks.CreateOrUpdateAtResourceGroupLevel(ctx, group, "keep", lock, nil))
	if *made.Properties.Level != armlocks.LockLevelCanNotDelete || *made.Properties.Notes != "keep" {
		t.Errorf("made %+v", made.Properties)
	}
	_, err := groups.BeginDelete(ctx, group, nil)
	wantCode(t, "deleting what is locked", err, 409, "ScopeLocked")
	must[armlocks.ManagementLocksClientCreateOrUpdateAtResourceLevelResponse](t)(locks.CreateOrUpdateAtResourceLevel(ctx, group, "Microsoft.Storage", "", "storageAccounts", "stsdkone", "still",
		armlocks.ManagementLockObject{Properties: &armlocks.ManagementLockProperties{Level: to.Ptr(armlocks.LockLevelReadOnly)}}, nil))
	named := func(l *armlocks.ManagementLockObject) *string { return l.Name }
	got := all(t, locks.NewListAtResourceGroupLevelPager(group, nil), func(p armlocks.ManagementLocksClientListAtResourceGroupLevelResponse) []*armlocks.ManagementLockObject {
		return p.Value
	}, named)
	if slices.Sort(got); !slices.Equal(got, []string{"keep", "still"}) {
		t.Errorf("the group's locks are %v", got)
	}
	must[armlocks.ManagementLocksClientDeleteAtResourceLevelResponse](t)(locks.DeleteAtResourceLevel(ctx, group, "Microsoft.Storage", "", "storageAccounts", "stsdkone", "still", nil))
	must[armlocks.ManagementLocksClientDeleteAtResourceGroupLevelResponse](t)(locks.DeleteAtResourceGroupLevel(ctx, group, "keep", nil))
	await[armresources.ResourceGroupsClientDeleteResponse](t)(groups.BeginDelete(ctx, group, nil))
}
