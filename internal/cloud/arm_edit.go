package cloud

import (
	"maps"
	"net/http"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/store"
)

// edit answers for a name below a document that stands for a change of it.
func (q *request) edit(typ *Type, id arm.ID) error {
	if q.r.Method != http.MethodPut {
		return methodNotAllowed(q.r)
	}
	if err := q.mayChange(actionName(typ.Name, "write"), id); err != nil {
		return err
	}
	body, err := readObject(q.w, q.r)
	if err != nil {
		return err
	}
	var shown arm.Object
	var now *store.Row
	q.entry.Status = http.StatusOK
	err = q.change(func(d *draft) error {
		if err := q.precondition(d.row(id.Parent())); err != nil {
			return err
		}
		var err error
		shown, now, err = q.c.acceptEdit(d, typ, id, body)
		return err
	})
	if err != nil {
		return err
	}
	if now.State == store.Creating || now.State == store.Updating {
		q.pending(operation{ID: now.Resource.ID, Version: now.Version})
	}
	WriteJSON(q.w, http.StatusOK, shown)
	return nil
}

// acceptEdit writes the parent as the edit leaves it.
func (c *Cloud) acceptEdit(d *draft, typ *Type, id arm.ID, body arm.Object) (arm.Object, *store.Row, error) {
	row := d.row(id.Parent())
	if row == nil {
		return nil, nil, parentNotFound(http.MethodPut, id, id.Parent())
	}
	parent := row.Resource
	if parent.Properties = arm.Clone(parent.Properties); parent.Properties == nil {
		parent.Properties = arm.Object{}
	}
	changed, shown, err := typ.Edit(parent, id.Name(), body)
	if err != nil {
		return nil, nil, err
	}
	now, err := c.accept(d, document{Resource: changed, extra: row.Extra})
	if err != nil {
		return nil, nil, err
	}
	out := arm.Object{"id": string(id), "name": id.Name(), "type": typ.Name}
	maps.Copy(out, shown)
	return out, now, nil
}
