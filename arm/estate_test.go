package arm_test

import (
	"testing"

	"github.com/cloister-ml/cloister/arm"
)

// What extends a resource without a document hangs on what holds that resource,
// and comes after it.
func TestParentWithoutADocument(t *testing.T) {
	setting := arm.ID(account).Child("blobServices", "default").Extension("Microsoft.Insights", "diagnosticSettings", "a")
	e, err := arm.NewEstate(arm.Resource{ID: setting}, arm.Resource{ID: arm.ID(account)}, arm.Resource{ID: arm.ID(rg)})
	if err != nil {
		t.Fatal(err)
	}
	parents := map[arm.ID]arm.ID{}
	for _, edge := range e.Edges() {
		if edge.Path != "parent" || edge.Dangling {
			t.Errorf("an edge %+v", edge)
		}
		parents[edge.From] = edge.To
	}
	if len(parents) != 2 || parents[setting] != arm.ID(account) || parents[arm.ID(account)] != arm.ID(rg) {
		t.Errorf("the parents are %v", parents)
	}
	order := e.InOrder()
	if len(order) != 3 || order[2].ID != setting {
		t.Errorf("the order is %v", order)
	}
}

// What no reference shows can be said: a role assignment after what brings the
// identity that it names.
func TestOrderWithMoreEdges(t *testing.T) {
	app := arm.ID(rg).Extension("Microsoft.Web", "sites", "app")
	assignment := arm.ID(account).Extension("Microsoft.Authorization", "roleAssignments", "a")
	e, err := arm.NewEstate(arm.Resource{ID: assignment}, arm.Resource{ID: arm.ID(account)}, arm.Resource{ID: app})
	if err != nil {
		t.Fatal(err)
	}
	if last := e.InOrder(arm.Edge{From: assignment, To: app})[2]; last.ID != assignment {
		t.Errorf("the last is %s, not the assignment", last.ID)
	}
}
