package cloud

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/store"
)

// accept writes a document into the draft: it takes the children out, has the
// provider check and complete it, and does the same for each child.
func (c *Cloud) accept(d *draft, doc document) (*store.Row, error) {
	if err := c.checkPlace(d, doc.Resource); err != nil {
		return nil, err
	}
	t := c.types.lookup(doc.Type)
	var children map[string][]arm.Resource
	if t.Split != nil {
		doc.Resource, children = t.Split(doc.Resource)
	}
	was := d.row(doc.ID)
	if was != nil && was.Resource.Location != "" && doc.Location != "" && was.Resource.Location != doc.Location && !doc.IsType(arm.TypeResourceGroup) {
		return nil, conflict("InvalidResourceLocation",
			"The resource '%s' already exists in location '%s' in resource group '%s'. A resource with the same name cannot be created in location '%s'. Please select a new resource name.",
			doc.Name, was.Resource.Location, doc.ID.ResourceGroup(), doc.Location)
	}
	if err := c.identities(d, &doc.Resource); err != nil {
		return nil, err
	}
	if t.Prepare != nil {
		var old *arm.Resource
		if was != nil {
			old = &was.Resource
		}
		prepared, err := t.Prepare(d, old, doc.Resource)
		if err != nil {
			return nil, err
		}
		prepared.ID, prepared.Name, prepared.Type = doc.ID, doc.Name, doc.Type
		doc.Resource = prepared
	}
	if err := c.checkLinks(d, was, doc.Resource); err != nil {
		return nil, err
	}
	row := d.next(was, doc, t)
	for _, typ := range slices.Sorted(maps.Keys(children)) {
		if err := c.replaceChildren(d, doc.ID, typ, children[typ]); err != nil {
			return nil, err
		}
	}
	return row, nil
}

// next writes the row of an accepted document, unless it is the same as before
// and real.
func (d *draft) next(was *store.Row, doc document, t *Type) *store.Row {
	row := &store.Row{
		Resource: doc.Resource, Extra: doc.extra, State: store.Succeeded,
		Created: d.now, CreatedBy: d.caller.Signature(), Changed: d.now, ChangedBy: d.caller.Signature(),
	}
	if was != nil {
		row.Created, row.CreatedBy, row.Applied = was.Created, was.CreatedBy, was.Applied
		if same(was, row) && was.State != store.Failed {
			return was
		}
	}
	row.Version = d.version()
	switch {
	case t.Reconcile == nil:
		row.Applied = row.Version
	case was == nil || was.Applied == 0:
		row.State = store.Creating
	default:
		row.State = store.Updating
	}
	d.write(row)
	return row
}

// checkPlace checks the name, and that what should hold the document is there
// and stays.
func (c *Cloud) checkPlace(d *draft, r arm.Resource) error {
	if len(r.Name) > 260 || strings.HasSuffix(r.Name, ".") && !r.IsType(arm.TypeResourceGroup) {
		return Errorf(http.StatusBadRequest, "InvalidResourceName", "Resource name '%s' is invalid: it has at most 260 characters and does not end with a period.", r.Name)
	}
	if row := d.row(r.ID); row != nil && row.State == store.Deleting {
		return conflict("AnotherOperationInProgress", "%s is being deleted. Wait until it is gone.", r.ID)
	}
	if g := r.ID.Group(); g != "" && !g.Equal(r.ID) {
		row := d.row(g)
		if row == nil {
			return notFound(g)
		}
		if row.State == store.Deleting {
			return conflict("ResourceGroupBeingDeleted", "The resource group '%s' is in deprovisioning state and cannot perform this operation.", g.Name())
		}
	}
	parent := r.ID.Parent()
	if parent == "/" || parent == "" || parent.Type() == arm.TypeSubscription && strings.EqualFold(parent.Subscription(), c.options.Subscription) {
		return nil
	}
	if !c.exists(d, parent) {
		return parentNotFound(http.MethodPut, r.ID, parent)
	}
	return nil
}

// exists reports whether there is a resource: as a document, or by virtue of one.
func (c *Cloud) exists(view View, id arm.ID) bool {
	if _, ok := view.Get(id); ok {
		return true
	}
	t := c.types.lookup(id.Type())
	if t.Find == nil {
		return false
	}
	_, ok := t.Find(view, id)
	return ok
}

func conflict(code, format string, args ...any) *Error {
	return Errorf(http.StatusConflict, code, format, args...)
}

// identities completes the identity block.
func (c *Cloud) identities(d *draft, r *arm.Resource) error {
	if r.Identity == nil || strings.EqualFold(r.Identity.Type, "None") || r.Identity.Type == "" {
		r.Identity = nil
		return nil
	}
	id := &arm.Identity{Type: r.Identity.Type}
	if r.Identity.SystemAssigned() {
		id.PrincipalID, id.TenantID = arm.PrincipalID(r.ID), c.options.Tenant
	}
	if strings.Contains(strings.ToLower(id.Type), "userassigned") {
		id.User = map[string]arm.Object{}
		for user := range r.Identity.User {
			found, ok := d.Get(arm.ID(user))
			if !ok || !found.IsType(typeUserIdentity) {
				return Errorf(http.StatusBadRequest, "FailedIdentityOperation", "Identity operation for resource '%s' failed: the user-assigned identity '%s' was not found.", r.ID, user)
			}
			id.User[string(found.ID)] = arm.Object{"principalId": arm.PrincipalID(found.ID), "clientId": clientID(found.ID)}
		}
		if len(id.User) == 0 {
			return Errorf(http.StatusBadRequest, "LinkedInvalidPropertyId", "The identity of '%s' is user-assigned, and names no identity.", r.ID)
		}
	}
	r.Identity = id
	return nil
}

// replaceChildren makes the parent's children of one type exactly these. Those
// that go are taken first, so that a new child may have what an old one had.
func (c *Cloud) replaceChildren(d *draft, parent arm.ID, typ string, children []arm.Resource) error {
	name := c.types.spell(typ)
	kind := name[strings.LastIndexByte(name, '/')+1:]
	keep := map[string]bool{}
	for _, child := range children {
		keep[parent.Child(kind, child.Name).Key()] = true
	}
	var gone []*store.Row
	for _, row := range orderedRows(d.all(), func(r *store.Row) bool { return r.Resource.IsType(name) && r.Resource.ID.Parent().Equal(parent) }) {
		if !keep[row.Key()] && row.State != store.Deleting {
			gone = append(gone, row)
		}
	}
	for _, row := range gone {
		if _, _, err := c.condemn(d, row); err != nil {
			return err
		}
	}
	for _, child := range children {
		id := parent.Child(kind, child.Name)
		if _, err := arm.ParseID(string(id)); err != nil || child.Name == "" {
			return Errorf(http.StatusBadRequest, "InvalidResourceName", "Resource name '%s' of a child of '%s' is invalid.", child.Name, parent)
		}
		if row := d.row(id); row != nil {
			id = row.Resource.ID
		}
		child.ID, child.Name, child.Type = id, id.Name(), name
		doc := document{Resource: child}
		if child.Properties == nil {
			doc.Properties = arm.Object{}
		}
		deleteFold(doc.Properties, "provisioningState")
		if row := d.row(id); row != nil {
			doc.extra = row.Extra
		}
		if _, err := c.accept(d, doc); err != nil {
			return err
		}
	}
	return nil
}

// condemn takes a document and everything below it out of the estate: at once
// where no provider has anything to undo, else by marking it for the reconciler.
// version is that of the document's deletion.
func (c *Cloud) condemn(d *draft, row *store.Row) (version int64, gone bool, err error) {
	if row.State == store.Deleting {
		return row.Version, false, nil
	}
	scope := row.Resource.ID
	doomed := orderedRows(d.all(), func(r *store.Row) bool { return r.Resource.ID.Within(scope) })
	gone = true
	for _, r := range doomed {
		if r.State == store.Deleting || c.types.lookup(r.Resource.Type).Remove != nil {
			gone = false
		}
	}
	for _, r := range doomed {
		if gone {
			d.remove(r.Resource.ID)
			continue
		}
		if r.State == store.Deleting {
			continue
		}
		next := *r
		next.State, next.Version, next.Changed, next.ChangedBy = store.Deleting, d.version(), d.now, d.caller.Signature()
		d.write(&next)
		if next.Key() == scope.Key() {
			version = next.Version
		}
	}
	// Asked of the estate without them: what goes together does not hold itself back.
	for _, r := range doomed {
		if t := c.types.lookup(r.Resource.Type); t.CanDelete != nil && r.State != store.Deleting {
			if err := t.CanDelete(d, r.Resource); err != nil {
				return 0, false, fmt.Errorf("deleting %s: %w", scope, err)
			}
		}
	}
	return version, gone, nil
}
