package cloud

import (
	"maps"
	"net/http"
	"slices"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/store"
	"github.com/cloister-ml/cloister/verdict"
)

// checkJoins refuses a document that newly refers to one which its writer may not
// join.
func (c *Cloud) checkJoins(d *draft, was *store.Row, r arm.Resource) error {
	had := map[string]arm.ID{}
	if was != nil {
		had = references(was.Resource.Properties)
	}
	now := references(r.Properties)
	for _, key := range slices.Sorted(maps.Keys(now)) {
		to, ok := d.Get(now[key])
		if _, before := had[key]; before || !ok || to.ID.Within(r.ID) || r.ID.Within(to.ID) {
			continue
		}
		t := c.types.typ(to.Type)
		if t == nil || !t.Joinable {
			continue
		}
		action := t.Name + "/join/action"
		if c.authorize(d.base, d.caller, action, false, to.ID).Value != verdict.Yes {
			return Errorf(http.StatusForbidden, "LinkedAuthorizationFailed",
				"The client '%s' with object id '%s' has permission to perform action '%s/write' on scope '%s'; however, it does not have permission to perform action '%s' on the linked scope '%s' or the linked scope is invalid.",
				d.caller.AppID, d.caller.ObjectID, r.Type, r.ID, action, to.ID)
		}
	}
	return nil
}

// references are the ids in a document, by key.
func references(v any) map[string]arm.ID {
	out := map[string]arm.ID{}
	var walk func(any)
	walk = func(v any) {
		switch node := v.(type) {
		case map[string]any:
			for _, e := range node {
				walk(e)
			}
		case []any:
			for _, e := range node {
				walk(e)
			}
		case string:
			if arm.IsID(node) {
				out[arm.ID(node).Key()] = arm.ID(node)
			}
		}
	}
	walk(v)
	return out
}
