package cloud

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/store"
	"github.com/cloister-ml/cloister/verdict"
)

// link is a permission that a document's writer needs on another document, as
// ARM's linked access checks ask: otherwise whoever may write in one group could
// use what is in any.
type link struct {
	action string
	to     arm.ID
}

const assignIdentity = typeUserIdentity + "/assign/action"

// links are what a document needs, by a key that knows no case.
func (c *Cloud) links(r arm.Resource) map[string]link {
	out := map[string]link{}
	add := func(action string, to arm.ID) { out[to.Key()+" "+strings.ToLower(action)] = link{action, to} }
	for _, to := range references(r.Properties) {
		if t := c.types.typ(to.Type()); t != nil && t.Joinable {
			add(t.Name+"/join/action", to)
		}
	}
	if r.Identity != nil {
		for user := range r.Identity.User {
			add(assignIdentity, arm.ID(user))
		}
	}
	if t := c.types.lookup(r.Type); t.Links != nil {
		for to, action := range t.Links(r) {
			add(action, to)
		}
	}
	return out
}

// checkLinks refuses a document that newly needs what its writer may not do.
func (c *Cloud) checkLinks(d *draft, was *store.Row, r arm.Resource) error {
	had := map[string]link{}
	if was != nil {
		had = c.links(was.Resource)
	}
	now := c.links(r)
	for _, key := range slices.Sorted(maps.Keys(now)) {
		action := now[key].action
		to, ok := d.Get(now[key].to)
		if _, before := had[key]; before || !ok || to.ID.Within(r.ID) || r.ID.Within(to.ID) {
			continue
		}
		if c.authorize(d.base, d.caller, action, false, to.ID).Value != verdict.Yes {
			return Errorf(http.StatusForbidden, "LinkedAuthorizationFailed",
				"The client '%s' with object id '%s' has permission to perform action '%s/write' on scope '%s'; however, it does not have permission to perform action '%s' on the linked scope '%s' or the linked scope is invalid.",
				d.caller.Signature(), d.caller.ObjectID, r.Type, r.ID, action, to.ID)
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
