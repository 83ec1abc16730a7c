package cloud

import (
	"net/http"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/store"
)

// nested answers for a document that is an element of an array of its parent, as
// a security rule of its group.
func (q *request) nested(typ *Type, id arm.ID) error {
	if err := q.mayChange(actionName(typ.Name, verb(q.r.Method)), id); err != nil {
		return err
	}
	switch q.r.Method {
	case http.MethodGet, http.MethodHead:
		return q.getNested(typ, id)
	case http.MethodPut:
		return q.putNested(typ, id)
	case http.MethodDelete:
		return q.deleteNested(typ, id)
	}
	return methodNotAllowed(q.r)
}

func (q *request) getNested(typ *Type, id arm.ID) error {
	row := q.at.rows[id.Parent().Key()]
	if row == nil {
		return notFound(id)
	}
	i := elementAt(row.Resource, typ.Nested, id.Name())
	if i < 0 {
		return notFound(id)
	}
	q.w.Header().Set("ETag", etag(row))
	if q.r.Method == http.MethodHead {
		q.w.WriteHeader(http.StatusNoContent)
		return nil
	}
	WriteJSON(q.w, http.StatusOK, showElement(row, typ, i))
	return nil
}

// showElement is an element as a document of its own.
func showElement(row *store.Row, typ *Type, i int) arm.Object {
	element := arm.Clone(elements(row.Resource, typ.Nested)[i])
	name := arm.String(element, "name")
	properties, _ := element["properties"].(map[string]any)
	if properties == nil {
		properties = arm.Object{}
	}
	properties["provisioningState"] = string(row.State)
	kind := typ.Name[strings.LastIndexByte(typ.Name, '/')+1:]
	return arm.Object{
		"id": string(row.Resource.ID.Child(kind, name)), "name": name, "type": typ.Name, "etag": etag(row), "properties": properties,
	}
}

func elements(r arm.Resource, field string) []arm.Object { return arm.Objects(r.Properties, field) }

func elementAt(r arm.Resource, field, name string) int {
	return slices.IndexFunc(elements(r, field), func(e arm.Object) bool { return strings.EqualFold(arm.String(e, "name"), name) })
}

func (q *request) putNested(typ *Type, id arm.ID) error {
	body, err := readObject(q.w, q.r)
	if err != nil {
		return err
	}
	properties, _ := body["properties"].(map[string]any)
	if properties == nil {
		properties = arm.Object{}
	}
	deleteFold(properties, "provisioningState")
	element := arm.Object{"name": id.Name(), "properties": properties}
	created := false
	row, err := q.changeElements(typ, id, func(row *store.Row, list []any) ([]any, error) {
		i := elementAt(row.Resource, typ.Nested, id.Name())
		if created = i < 0; created {
			return append(list, element), nil
		}
		list[i] = element
		return list, nil
	})
	if err != nil {
		return err
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	if row.State != store.Succeeded {
		q.pending(operation{ID: row.Resource.ID, Version: row.Version, Name: id.Name(), Type: typ.Name})
	}
	q.w.Header().Set("ETag", etag(row))
	WriteJSON(q.w, status, showElement(row, typ, elementAt(row.Resource, typ.Nested, id.Name())))
	return nil
}

func (q *request) deleteNested(typ *Type, id arm.ID) error {
	row := q.at.rows[id.Parent().Key()]
	if row == nil || elementAt(row.Resource, typ.Nested, id.Name()) < 0 {
		q.w.WriteHeader(http.StatusNoContent)
		return nil
	}
	row, err := q.changeElements(typ, id, func(row *store.Row, list []any) ([]any, error) {
		if i := elementAt(row.Resource, typ.Nested, id.Name()); i >= 0 {
			list = slices.Delete(list, i, i+1)
		}
		return list, nil
	})
	if err != nil {
		return err
	}
	if row.State == store.Succeeded {
		q.w.WriteHeader(http.StatusOK)
		return nil
	}
	q.pending(operation{ID: row.Resource.ID, Version: row.Version, Delete: true, Name: id.Name(), Type: typ.Name})
	q.w.WriteHeader(http.StatusAccepted)
	return nil
}

// changeElements changes the array in the parent's document and has the parent
// accepted anew.
func (q *request) changeElements(typ *Type, id arm.ID, f func(row *store.Row, list []any) ([]any, error)) (*store.Row, error) {
	var now *store.Row
	q.entry.Status = http.StatusOK
	err := q.change(func(d *draft) error {
		row := d.row(id.Parent())
		if row == nil {
			return parentNotFound(q.r.Method, id, id.Parent())
		}
		if err := q.precondition(row); err != nil {
			return err
		}
		doc := document{Resource: row.Resource, extra: row.Extra}
		doc.Properties = arm.Clone(row.Resource.Properties)
		if doc.Properties == nil {
			doc.Properties = arm.Object{}
		}
		list := make([]any, 0, 8)
		for _, e := range elements(doc.Resource, typ.Nested) {
			list = append(list, e)
		}
		list, err := f(row, list)
		if err != nil {
			return err
		}
		deleteFold(doc.Properties, typ.Nested)
		doc.Properties[typ.Nested] = list
		now, err = q.c.accept(d, doc)
		return err
	})
	return now, err
}
