package access_test

import (
	"testing"

	"github.com/cloister-ml/cloister/access"
	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/verdict"
)

// What a group may, its members may: those that its document lists, those that
// documents below it name, and the members of groups in it. Of others it
// does not say that they may.
func TestMembersOfDeclaredGroups(t *testing.T) {
	const (
		scope  = arm.ID("/subscriptions/s/resourceGroups/g")
		reader = "/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7"
		outer  = arm.ID("/providers/Microsoft.Graph/groups/00000000-0000-0000-0000-00000000000a")
		inner  = arm.ID("/providers/Microsoft.Graph/groups/00000000-0000-0000-0000-00000000000b")
		job    = "00000000-0000-0000-0000-00000000000c"
		ci     = "00000000-0000-0000-0000-00000000000d"
		nobody = "00000000-0000-0000-0000-00000000000e"
	)
	doc := func(id arm.ID, props arm.Object) arm.Resource {
		return arm.Resource{ID: id, Name: id.Name(), Type: id.Type(), Properties: props}
	}
	e, err := arm.NewEstate(
		doc(outer, arm.Object{"id": outer.Name(), "members": []any{}}),
		doc(outer.Child("members", inner.Name()), nil),
		doc(outer.Child("members", ci), nil),
		doc(inner, arm.Object{"id": inner.Name(), "members": []any{job}}),
		doc("/providers/Microsoft.Graph/servicePrincipals/"+ci, arm.Object{"id": ci}),
		doc(scope.Extension("Microsoft.Authorization", "roleAssignments", "r"), arm.Object{
			"principalId": outer.Name(), "principalType": "Group", "roleDefinitionId": reader, "scope": string(scope),
		}),
	)
	if err != nil {
		t.Fatal(err)
	}
	m := access.FromEstate(e)
	for who, want := range map[string]verdict.Value{job: verdict.Yes, ci: verdict.Yes, nobody: verdict.Unknown} {
		if got := m.Allows(who, "Microsoft.Storage/storageAccounts/read", false, scope).Value; got != want {
			t.Errorf("%s: %s, want %s", who, got, want)
		}
	}
}
