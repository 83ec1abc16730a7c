package authorization_test

import (
	"errors"
	"net/url"
	"slices"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/cloud/client"
	"github.com/cloister-ml/cloister/internal/cloud/cloudtest"
	"github.com/cloister-ml/cloister/internal/provider/authorization"
	"github.com/cloister-ml/cloister/internal/provider/managedidentity"
)

const (
	sub    = arm.ID("/subscriptions/" + cloudtest.Subscription)
	reader = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
	owner  = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
	one    = "00000000-0000-4000-8000-000000000001"
	two    = "00000000-0000-4000-8000-000000000002"
)

var (
	group = arm.GroupID(cloudtest.Subscription, "rg")
	user  = arm.ResourceID(cloudtest.Subscription, "rg", managedidentity.TypeUserAssigned, "id-one")
)

func start(t *testing.T) *client.Client {
	t.Helper()
	c := cloudtest.Start(t, func(h cloud.Host) []cloud.Provider {
		return []cloud.Provider{authorization.New(h.(*cloud.Cloud)), managedidentity.New(cloudtest.Tenant)}
	})
	cl := c.Client()
	for _, r := range []arm.Resource{{ID: group, Location: "westeurope"}, {ID: user, Location: "westeurope"}} {
		if _, err := cl.Put(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	return cl
}

func assignment(scope arm.ID, name, role, principal string) arm.Resource {
	return arm.Resource{ID: scope.Extension("Microsoft.Authorization", "roleAssignments", name), Properties: arm.Object{
		"roleDefinitionId": string(sub.Extension("Microsoft.Authorization", "roleDefinitions", role)), "principalId": principal,
	}}
}

func wantCode(t *testing.T, what string, err error, status int, code string) {
	t.Helper()
	var e *client.Error
	if !errors.As(err, &e) || e.Status != status || e.Code != code {
		t.Errorf("%s: got %v, want %d %s", what, err, status, code)
	}
}

func TestUserAssignedIdentity(t *testing.T) {
	got, err := start(t).Get(t.Context(), user)
	if err != nil || arm.String(got.Properties, "principalId") != arm.PrincipalID(user) || arm.String(got.Properties, "clientId") != arm.StableGUID(user, "clientId") ||
		arm.String(got.Properties, "tenantId") != cloudtest.Tenant {
		t.Errorf("got %+v, %v", got.Properties, err)
	}
}

func TestAssignments(t *testing.T) {
	cl, ctx := start(t), t.Context()
	principal := arm.PrincipalID(user)
	for _, tt := range []struct {
		name   string
		r      arm.Resource
		status int
		code   string
	}{
		{"a name that is no GUID", assignment(group, "mine", reader, principal), 400, "InvalidRoleAssignmentId"},
		{"a principal that is no GUID", assignment(group, one, reader, "me"), 400, "InvalidPrincipalId"},
		{"a principal that nobody knows", assignment(group, one, reader, two), 400, "PrincipalNotFound"},
		{"a role that is none", assignment(group, one, two, principal), 400, "RoleDefinitionDoesNotExist"},
		{"a scope that is not there", assignment(group+"x", one, reader, principal), 404, "ResourceGroupNotFound"},
	} {
		_, err := cl.Put(ctx, tt.r)
		wantCode(t, tt.name, err, tt.status, tt.code)
	}
	made, err := cl.Put(ctx, assignment(group, one, reader, principal))
	if err != nil || arm.String(made.Properties, "scope") != string(group) || arm.String(made.Properties, "principalType") != "ServicePrincipal" {
		t.Fatalf("made %+v, %v", made.Properties, err)
	}
	_, err = cl.Put(ctx, assignment(group, two, reader, principal))
	wantCode(t, "the same again", err, 409, "RoleAssignmentExists")
	_, err = cl.Put(ctx, assignment(group, one, owner, principal))
	wantCode(t, "another role under the same name", err, 400, "RoleAssignmentUpdateNotPermitted")
	other := assignment(sub, two, reader, cloudtest.Tenant)
	other.Properties["principalType"] = "User" // of a directory that is not ours
	if _, err := cl.Put(ctx, other); err != nil {
		t.Fatal(err)
	}

	for _, tt := range []struct {
		scope  arm.ID
		filter string
		want   []string
	}{
		{sub, "", []string{one, two}},
		{sub, "atScope()", []string{two}},
		{group, "atScope()", []string{one, two}},
		{user, "atScope()", []string{one, two}},
		{user, "principalId eq '" + principal + "'", []string{one}},
		{sub, "principalId eq '" + principal + "'", []string{one}},
		{sub, "atScope() and assignedTo('" + principal + "')", nil},
	} {
		list, err := cl.List(ctx, string(tt.scope)+"/providers/Microsoft.Authorization/roleAssignments?$filter="+url.QueryEscape(tt.filter))
		if err != nil {
			t.Errorf("%s %q: %v", tt.scope, tt.filter, err)
			continue
		}
		var names []string
		for _, r := range list {
			names = append(names, r.Name)
		}
		slices.Sort(names)
		if !slices.Equal(names, tt.want) {
			t.Errorf("%s %q: %v, want %v", tt.scope, tt.filter, names, tt.want)
		}
	}
	_, err = cl.List(ctx, string(sub)+"/providers/Microsoft.Authorization/roleAssignments?$filter=size+gt+3")
	wantCode(t, "a filter that is none", err, 400, "UnsupportedQuery")
}

func TestDefinitions(t *testing.T) {
	cl, ctx := start(t), t.Context()
	list, err := cl.List(ctx, string(group)+"/providers/Microsoft.Authorization/roleDefinitions?$filter="+url.QueryEscape("roleName eq 'Reader'"))
	if err != nil || len(list) != 1 || list[0].ID != sub.Extension("Microsoft.Authorization", "roleDefinitions", reader) {
		t.Errorf("Reader by name: %+v, %v", list, err)
	}
	got, err := cl.Get(ctx, sub.Extension("Microsoft.Authorization", "roleDefinitions", owner))
	if err != nil || arm.String(got.Properties, "roleName") != "Owner" || arm.String(got.Properties, "permissions.0.actions.0") != "*" {
		t.Errorf("Owner by id: %+v, %v", got.Properties, err)
	}
	custom := arm.Resource{ID: sub.Extension("Microsoft.Authorization", "roleDefinitions", one), Properties: arm.Object{
		"roleName": "Widget Reader", "assignableScopes": []any{string(sub)}, "permissions": []any{arm.Object{"actions": []any{"A.B/*/read"}}},
	}}
	made, err := cl.Put(ctx, custom)
	if err != nil || arm.String(made.Properties, "type") != "CustomRole" {
		t.Fatalf("made %+v, %v", made.Properties, err)
	}
	if _, err := cl.Put(ctx, assignment(group, two, one, arm.PrincipalID(user))); err != nil {
		t.Errorf("assigning a custom role: %v", err)
	}
	wantCode(t, "deleting a role that is assigned", cl.Delete(ctx, custom.ID), 400, "RoleDefinitionHasAssignments")
	custom.ID = sub.Extension("Microsoft.Authorization", "roleDefinitions", two)
	_, err = cl.Put(ctx, custom)
	wantCode(t, "another of the same name", err, 409, "RoleDefinitionWithSameNameExists")
	custom.ID = sub.Extension("Microsoft.Authorization", "roleDefinitions", owner)
	_, err = cl.Put(ctx, custom)
	wantCode(t, "changing a built-in role", err, 403, "RoleDefinitionIsBuiltIn")
}
