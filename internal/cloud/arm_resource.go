package cloud

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/store"
)

// provider answers what is under /providers/{namespace}.
func (q *request) provider() error {
	t := q.target
	switch {
	case len(t.tail) == 0:
		return q.namespace()
	case len(t.tail) == 4 && strings.EqualFold(t.tail[0], "locations") && strings.HasPrefix(strings.ToLower(t.tail[2]), "operation"):
		return q.operation(t.tail[2], t.tail[3])
	}
	if answer := q.platformType(); answer != nil {
		return answer()
	}
	if typ := q.c.types.handled(t); typ != nil {
		return q.delegate(typ)
	}
	typ := q.c.types.lookup(q.c.types.spell(t.typ()))
	if !t.item() {
		switch q.r.Method {
		case http.MethodGet:
			if found, err := q.view(); found {
				return err
			}
			return q.list(typ)
		case http.MethodPut:
			if typ.Edit != nil {
				return q.edit(typ, q.c.spellID(q.at, t.id()).Child(t.action(), "default"))
			}
		case http.MethodPost:
			return q.act()
		}
		return methodNotAllowed(q.r)
	}
	if _, err := arm.ParseID(string(t.id())); err != nil {
		return Errorf(http.StatusBadRequest, "InvalidRequestUri", "The request URI is not valid: it is not a resource id.")
	}
	id := q.c.spellID(q.at, t.id())
	switch {
	case typ.Nested != "":
		return q.nested(typ, id)
	case typ.Edit != nil:
		return q.edit(typ, id)
	}
	return q.resource(typ, id)
}

// platformType is how what ARM itself answers under a resource provider's name is
// answered, or nil.
func (q *request) platformType() func() error {
	switch t := q.target; {
	case t.isTags():
		return q.tags
	case t.isActivity():
		return q.activity
	case t.isConnection():
		return q.connection
	case t.isPermissions():
		return q.permissions
	case t.isLinkResource():
		return q.linkResources
	}
	return nil
}

// resource answers for one document.
func (q *request) resource(typ *Type, id arm.ID) error {
	if !slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPatch, http.MethodDelete}, q.r.Method) {
		return methodNotAllowed(q.r)
	}
	if err := q.mayChange(actionName(typ.Name, verb(q.r.Method)), id); err != nil {
		return err
	}
	switch q.r.Method {
	case http.MethodPut, http.MethodPatch:
		return q.put(typ, id)
	case http.MethodDelete:
		return q.delete(typ, id)
	}
	return q.get(typ, id)
}

// actionName is the name of what is done, as role definitions have it.
func actionName(typ, verb string) string {
	if strings.EqualFold(typ, arm.TypeResourceGroup) {
		typ = "Microsoft.Resources/subscriptions/resourceGroups"
	}
	return typ + "/" + verb
}

func (q *request) get(typ *Type, id arm.ID) error {
	body, version, err := q.find(typ, id)
	if err != nil {
		return err
	}
	if version != "" {
		q.w.Header().Set("ETag", version)
		if match := q.r.Header.Get("If-None-Match"); match != "" && match == version {
			q.w.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	if q.r.Method == http.MethodHead {
		q.w.WriteHeader(http.StatusNoContent)
		return nil
	}
	WriteJSON(q.w, http.StatusOK, body)
	return nil
}

// find is a document that is stored, or made from others.
func (q *request) find(typ *Type, id arm.ID) (arm.Object, string, error) {
	if row := q.at.rows[id.Key()]; row != nil {
		return q.c.show(q.at, row), etag(row), nil
	}
	if typ.Find != nil {
		if r, ok := typ.Find(q.at, id); ok {
			return showResource(r), "", nil
		}
	}
	if g := id.Group(); g != "" && q.at.rows[g.Key()] == nil {
		return nil, "", notFound(g)
	}
	if typ.Missing != "" {
		return nil, "", Errorf(http.StatusNotFound, typ.Missing, "The %s '%s' is not found.", typ.Name, id.Name())
	}
	return nil, "", notFound(id)
}

// put creates, replaces or (PATCH) changes a document.
func (q *request) put(typ *Type, id arm.ID) error {
	body, err := readObject(q.w, q.r)
	if err != nil {
		return err
	}
	var was, now *store.Row
	var byVirtue bool // of others, it existed already
	q.entry.Status = http.StatusOK
	err = q.change(func(d *draft) error {
		was = d.row(id)
		if was == nil && typ.Find != nil {
			_, byVirtue = typ.Find(d, id)
		}
		if err := q.precondition(was); err != nil {
			return err
		}
		full := body
		if q.r.Method == http.MethodPatch {
			if full, err = patched(d, typ, id); err != nil {
				return err
			}
			mergePatch(full, body, true)
		}
		doc, err := documentOf(id, full)
		if err != nil {
			return err
		}
		now, err = q.c.accept(d, doc)
		return err
	})
	if err != nil {
		return err
	}
	q.answerPut(typ, was == nil && !byVirtue, now)
	return nil
}

// patched is what a PATCH is merged into: the document as a client would write it.
func patched(d *draft, typ *Type, id arm.ID) (arm.Object, error) {
	row := d.row(id)
	if row == nil && typ.Find != nil {
		if r, ok := typ.Find(d, id); ok {
			row = &store.Row{Resource: r}
		}
	}
	if row == nil {
		return nil, notFound(id)
	}
	return bodyOf(row)
}

// answerPut answers with the document as it is now. A client that must wait for
// it to be real is told where to ask.
func (q *request) answerPut(typ *Type, created bool, row *store.Row) {
	status := cmp.Or(typ.UpdateStatus, http.StatusOK)
	if q.r.Method == http.MethodPatch {
		status = cmp.Or(typ.PatchStatus, status)
	}
	if created {
		status = cmp.Or(typ.CreateStatus, http.StatusCreated)
	}
	h := q.w.Header()
	h.Set("ETag", etag(row))
	if row.State == store.Creating || row.State == store.Updating || status == http.StatusAccepted {
		q.pending(operation{ID: row.Resource.ID, Version: row.Version})
	}
	WriteJSON(q.w, status, q.c.show(q.c.snapshot(), row))
}

// precondition checks If-Match and If-None-Match.
func (q *request) precondition(was *store.Row) error {
	failed := func(why string) error {
		return Errorf(http.StatusPreconditionFailed, "PreconditionFailed", "The condition set in the request's headers is not met: %s.", why)
	}
	if match := q.r.Header.Get("If-Match"); match != "" {
		if was == nil {
			return failed("the resource does not exist")
		}
		if match != "*" && unquote(match) != unquote(etag(was)) {
			return failed("the resource was changed since; its ETag is " + etag(was))
		}
	}
	if q.r.Header.Get("If-None-Match") == "*" && was != nil {
		return failed("the resource exists already")
	}
	return nil
}

// unquote is the tag itself: clients send it back with and without the marks of
// a weak tag.
func unquote(tag string) string {
	return strings.Trim(strings.TrimPrefix(strings.TrimSpace(tag), "W/"), `"`)
}

// delete takes a document and everything below it away.
func (q *request) delete(typ *Type, id arm.ID) error {
	if row := q.at.rows[id.Key()]; row == nil {
		q.w.WriteHeader(http.StatusNoContent)
		return nil
	}
	var gone bool
	var version int64
	q.entry.Status = http.StatusAccepted
	err := q.change(func(d *draft) error {
		row := d.row(id)
		if row == nil {
			gone = true
			return nil
		}
		if err := q.precondition(row); err != nil {
			return err
		}
		if err := childless(d, typ, id); err != nil {
			return err
		}
		var err error
		version, gone, err = q.c.condemn(d, row)
		return err
	})
	if err != nil {
		return err
	}
	o := operation{ID: id, Version: version, Delete: true}
	if typ.Prompt && !gone {
		if gone, err = q.awaitDeletion(o); err != nil {
			return err
		}
	}
	if gone {
		q.w.WriteHeader(cmp.Or(typ.DeleteStatus, http.StatusOK))
		return nil
	}
	q.pending(o)
	q.w.WriteHeader(http.StatusAccepted)
	return nil
}

// childless refuses to delete a document before the children that its type says
// must go first.
func childless(d *draft, typ *Type, id arm.ID) error {
	if typ.Before == "" {
		return nil
	}
	for _, child := range d.Estate().Children(id, typ.Before) {
		return conflict("CannotDeleteResource", "Cannot delete resource while nested resources exist. Some existing nested resource IDs include: '%s'. Please delete all nested resources before deleting this resource.", child.ID)
	}
	return nil
}

// change commits a draft together with what the activity log says of it.
func (q *request) change(f func(*draft) error) error {
	err := q.c.change(q.r.Context(), q.caller, []store.Entry{q.entry}, f)
	q.recorded = err == nil
	return err
}

// delegate hands the request to the handler of its type.
func (q *request) delegate(typ *Type) error {
	t := q.target
	below := len(strings.Split(typ.Name, "/")) - 1 // types of the handler's own path
	parent := t.scope
	if below > 1 {
		parent = t.scope + arm.ID("/providers/"+t.namespace+"/"+strings.Join(t.tail[:2*(below-1)], "/"))
	}
	parent = q.c.spellID(q.at, parent)
	id := parent + arm.ID("/"+strings.Join(t.tail[2*(below-1):], "/"))
	if below == 1 {
		id = parent + arm.ID("/providers/"+t.namespace+"/"+strings.Join(t.tail, "/"))
	}
	if err := q.mayChange(q.handlerAction(), id); err != nil {
		return err
	}
	if !q.c.exists(q.at, parent) && parent.Name() != "" && !parent.Equal(arm.ID("/subscriptions/"+q.c.options.Subscription)) {
		return parentNotFound(q.r.Method, id, parent)
	}
	ctx := WithID(WithCaller(q.r.Context(), q.caller), id)
	q.r.Body = http.MaxBytesReader(q.w, q.r.Body, maxBody)
	typ.Handler.ServeHTTP(q.w, q.r.WithContext(ctx))
	return nil
}

// handlerAction is the action that a request to a handler needs: of the deepest
// type that its path names; a POST's last segment is the action itself.
func (q *request) handlerAction() string {
	name := q.c.types.spell(q.target.typ())
	if q.r.Method == http.MethodPost {
		if q.target.item() {
			return name + "/write"
		}
		return name + "/action"
	}
	return name + "/" + verb(q.r.Method)
}

func parentNotFound(method string, id, parent arm.ID) error {
	if parent.Group().Equal(parent) {
		return notFound(parent)
	}
	return Errorf(http.StatusNotFound, "ParentResourceNotFound",
		"Failed to perform '%s' on resource(s) of type '%s', because the parent resource '%s' could not be found.", verb(method), id.Type(), parent)
}
