package cloud

import (
	"context"
	"net/http"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/store"
	"github.com/cloister-ml/cloister/verdict"
)

type actingKey struct{}

// As answers ARM requests from within the process as a caller who has been
// authenticated: what a deployment asks for on behalf of who started it. The
// caller may do no more than by their own requests.
func (c *Cloud) As(caller Caller) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.serveARM(w, r.WithContext(context.WithValue(r.Context(), actingKey{}, caller)))
	})
}

// authenticate is who asks.
func (q *request) authenticate() (Caller, error) {
	if caller, ok := q.r.Context().Value(actingKey{}).(Caller); ok {
		return caller, nil
	}
	return q.c.Authenticate(q.r, q.c.audiences.management()...)
}

// Acting reports whether a request was made by [Cloud.As].
func Acting(ctx context.Context) bool {
	_, ok := ctx.Value(actingKey{}).(Caller)
	return ok
}

// Trial is a change that is worked out and never made: each Put sees those before
// it, is checked as a real one, and leaves nothing behind.
type Trial struct {
	c *Cloud
	d *draft
}

// Try begins a trial on the store as it is.
func (c *Cloud) Try(caller Caller) *Trial {
	s := c.snapshot()
	version := int64(0)
	for _, row := range s.rows {
		version = max(version, row.Version)
	}
	next := func() int64 { version++; return version }
	return &Trial{c, &draft{base: s, rows: map[string]*store.Row{}, now: c.now().UTC(), caller: caller, version: next}}
}

// Get is a document as GET would show it, or nil.
func (t *Trial) Get(id arm.ID) arm.Object {
	row := t.d.row(id)
	if row == nil {
		return nil
	}
	return t.c.show(t.d, row)
}

// Put is what a PUT of the body would make of the document; before is nil where
// there is none.
func (t *Trial) Put(id arm.ID, body arm.Object) (before, after arm.Object, err error) {
	id = t.c.spellID(t.d.base, id)
	typ := t.c.types.lookup(id.Type())
	if answer := t.c.authorize(t.d.base, t.d.caller, actionName(typ.Name, "write"), false, id); answer.Value != verdict.Yes {
		return nil, nil, Errorf(http.StatusForbidden, "AuthorizationFailed",
			"The client '%s' with object id '%s' does not have authorization to perform action '%s' over scope '%s' or the scope is invalid.",
			t.d.caller.Signature(), t.d.caller.ObjectID, actionName(typ.Name, "write"), id)
	}
	if typ.Edit != nil {
		_, row, err := t.c.acceptEdit(t.d, typ, id, body)
		if err != nil {
			return nil, nil, err
		}
		return t.c.show(t.d.base, t.d.base.rows[row.Key()]), t.c.show(t.d, row), nil
	}
	before = t.Get(id)
	doc, err := documentOf(id, body)
	if err != nil {
		return before, nil, err
	}
	row, err := t.c.accept(t.d, doc)
	if err != nil {
		return before, nil, err
	}
	return before, t.c.show(t.d, row), nil
}

// Held are the resources of a group, without their children.
func (t *Trial) Held(group arm.ID) []arm.ID {
	var out []arm.ID
	for _, row := range orderedRows(t.d.all(), func(r *store.Row) bool { return r.Resource.ID.Within(group) && r.State != store.Deleting }) {
		if topLevel(row.Resource.ID) {
			out = append(out, row.Resource.ID)
		}
	}
	return out
}
