package cloud

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

// act answers a POST: an action of a resource, or of a provider.
func (q *request) act() error {
	t := q.target
	id, action := q.c.spellID(q.at, t.id()), t.action()
	if len(t.tail) == 1 {
		return q.actProvider(action)
	}
	typ := q.c.types.lookup(id.Type())
	if err := q.mayChange(typ.Name+"/"+action+"/action", id); err != nil {
		return err
	}
	r, err := q.existing(typ, id)
	if err != nil {
		return err
	}
	do := typ.Actions[strings.ToLower(action)]
	if do == nil {
		return Errorf(http.StatusNotFound, "InvalidAction", "The resource type '%s' has no action '%s'.", typ.Name, action)
	}
	body, err := readBody(q.w, q.r)
	if err != nil {
		return err
	}
	if len(body) > 0 && !json.Valid(body) {
		return Errorf(http.StatusBadRequest, "InvalidRequestContent", "The request content was invalid and could not be deserialized: it is not JSON.")
	}
	out, err := do(WithQuery(WithID(WithCaller(q.r.Context(), q.caller), id), q.r.URL.Query()), r, body)
	if err != nil {
		return err
	}
	switch out.(type) {
	case nil:
		q.w.WriteHeader(http.StatusNoContent)
	case Accepted:
		q.pending(operation{ID: id, Action: true})
		q.w.WriteHeader(http.StatusAccepted)
	default:
		WriteJSON(q.w, http.StatusOK, out)
	}
	return nil
}

// existing is a document that is stored, or exists by virtue of others.
func (q *request) existing(typ *Type, id arm.ID) (arm.Resource, error) {
	if r, ok := q.at.Get(id); ok {
		return r, nil
	}
	if typ.Find != nil {
		if r, ok := typ.Find(q.at, id); ok {
			return r, nil
		}
	}
	_, _, err := q.find(&Type{Name: typ.Name, Missing: typ.Missing}, id)
	if err == nil { // it is being deleted
		err = notFound(id)
	}
	return arm.Resource{}, err
}

// view answers a GET below a resource that the resource's type answers itself.
func (q *request) view() (found bool, err error) {
	t := q.target
	if len(t.tail) < 3 || len(t.tail)%2 == 0 {
		return false, nil
	}
	id, name := q.c.spellID(q.at, t.id()), t.action()
	typ := q.c.types.lookup(id.Type())
	show := typ.Views[strings.ToLower(name)]
	if show == nil {
		return false, nil
	}
	if err := q.may(typ.Name+"/"+name+"/read", id); err != nil {
		return true, err
	}
	r, err := q.existing(typ, id)
	if err != nil {
		return true, err
	}
	out, err := show(WithID(WithCaller(q.r.Context(), q.caller), id), r)
	if err == nil {
		WriteJSON(q.w, http.StatusOK, out)
	}
	return true, err
}

// actProvider answers what can be asked of every resource provider.
func (q *request) actProvider(action string) error {
	t := q.target
	if err := q.may(t.namespace+"/"+action+"/action", t.scope); err != nil {
		return err
	}
	switch strings.ToLower(action) {
	case "register":
		WriteJSON(q.w, http.StatusOK, q.showProvider(t.scope, t.namespace))
		return nil
	case "checknameavailability":
		return q.checkName()
	}
	return Errorf(http.StatusNotFound, "InvalidAction", "The resource provider '%s' has no action '%s'.", t.namespace, action)
}

// checkName says whether a globally unique name is free.
func (q *request) checkName() error {
	body, err := readObject(q.w, q.r)
	if err != nil {
		return err
	}
	name, typ := arm.String(body, "name"), arm.String(body, "type")
	for _, r := range q.at.rows {
		if r.Resource.IsType(typ) && strings.EqualFold(r.Resource.Name, name) {
			WriteJSON(q.w, http.StatusOK, arm.Object{"nameAvailable": false, "reason": "AlreadyExists", "message": "The name " + name + " is already in use."})
			return nil
		}
	}
	WriteJSON(q.w, http.StatusOK, arm.Object{"nameAvailable": true})
	return nil
}
