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
