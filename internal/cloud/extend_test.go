package cloud_test

import (
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/cloud/cloudtest"
)

// A resource that exists by virtue of another, as an account's blob service does,
// can be extended; and what extends it goes with the other.
func TestExtendingWhatHasNoDocument(t *testing.T) {
	part := cloud.Type{Name: "A.B/c/parts", Find: func(view cloud.View, id arm.ID) (arm.Resource, bool) {
		_, ok := view.Get(id.Parent())
		return arm.Resource{ID: id, Name: id.Name(), Type: id.Type()}, ok && id.Name() == "default"
	}}
	c := cloudtest.Start(t, func(cloud.Host) []cloud.Provider {
		return []cloud.Provider{{Namespace: "A.B", Types: []cloud.Type{{Name: "A.B/c"}, part}}}
	})
	whole := rg + "/providers/A.B/c/whole"
	for _, r := range []arm.Resource{{ID: rg, Location: "westeurope"}, {ID: whole}} {
		if _, err := c.Client().Put(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name string
		of   arm.ID
		ok   bool
	}{
		{"of one that is there", whole.Child("parts", "default"), true},
		{"of one that is not there", whole.Child("parts", "other"), false},
		{"of what is not there", (rg + "/providers/A.B/c/none").Child("parts", "default"), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := c.Client().Put(t.Context(), arm.Resource{ID: tt.of.Extension("E.F", "settings", "s")})
			if tt.ok && err != nil || !tt.ok && (err == nil || !strings.Contains(err.Error(), "ParentResourceNotFound")) {
				t.Errorf("%v", err)
			}
		})
	}
	setting := whole.Child("parts", "default").Extension("E.F", "settings", "s")
	if err := c.Client().Delete(t.Context(), whole); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Client().Get(t.Context(), setting); err == nil {
		t.Error("the setting is left")
	}
}
