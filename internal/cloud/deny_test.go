package cloud

import (
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/verdict"
)

// A deny assignment goes before every role, the first owner's among them.
func TestDenyAssignmentsHoldForTheOwner(t *testing.T) {
	c, err := Open(t.Context(), Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	owner := Caller{ObjectID: c.principals.ownerID()}
	group := arm.GroupID(c.options.Subscription, "rg")
	const remove, read = "Microsoft.Storage/storageAccounts/delete", "Microsoft.Storage/storageAccounts/read"
	account := arm.ResourceID(c.options.Subscription, "rg", "Microsoft.Storage/storageAccounts", "st")
	if v := c.Authorize(owner, remove, false, account); v.Value != verdict.Yes {
		t.Fatalf("before: %v", v)
	}
	err = c.change(t.Context(), Caller{}, nil, func(d *draft) error {
		id := group.Extension("Microsoft.Authorization", "denyAssignments", "11111111-1111-4111-8111-111111111111")
		d.next(nil, document{Resource: arm.Resource{ID: id, Name: id.Name(), Type: id.Type(), Properties: arm.Object{
			"denyAssignmentName": "managed", "scope": string(group), "isSystemProtected": true,
			"permissions": []any{arm.Object{"actions": []any{"*/delete"}}},
			"principals":  []any{arm.Object{"id": "00000000-0000-0000-0000-000000000000", "type": "SystemDefined"}},
		}}}, &Type{})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if v := c.Authorize(owner, remove, false, account); v.Value != verdict.No {
		t.Errorf("what is denied: %v", v)
	}
	if v := c.Authorize(owner, read, false, account); v.Value != verdict.Yes {
		t.Errorf("what is not denied: %v", v)
	}
	beside := arm.ResourceID(c.options.Subscription, "other", "Microsoft.Storage/storageAccounts", "st")
	if v := c.Authorize(owner, remove, false, beside); v.Value != verdict.Yes {
		t.Errorf("what is denied elsewhere: %v", v)
	}
}
