package cloud

import (
	"net/http"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/store"
	"github.com/cloister-ml/cloister/service"
)

// connection is a private endpoint's connection as its target sees it. Its state is
// in the endpoint's document, which alone says what passes.
type connection struct {
	endpoint arm.Resource
	list     string // of the endpoint's properties
	index    int
}

const connectionKind = "privateEndpointConnections"

// isConnection reports whether the target is {target}/privateEndpointConnections,
// or one of them.
func (t target) isConnection() bool {
	n := len(t.tail)
	return n >= 3 && (n%2 == 1 && strings.EqualFold(t.tail[n-1], connectionKind) || n%2 == 0 && strings.EqualFold(t.tail[n-2], connectionKind))
}

// connections are those to a target, in the order of the endpoints.
func connections(view View, target arm.ID) []connection {
	if s, ok := view.(*snapshot); ok {
		return s.docs.connections()[target.Key()]
	}
	return connectionsOf(view.Estate().OfType(service.TypePrivateEndpoint))[target.Key()]
}

// connectionsOf are the connections of private endpoints, by the key of their
// target.
func connectionsOf(endpoints []arm.Resource) map[string][]connection {
	out := map[string][]connection{}
	for _, pe := range endpoints {
		for _, list := range service.ConnectionLists {
			for i, c := range arm.Objects(pe.Properties, list.Path) {
				if target := arm.Ref(c, "properties.privateLinkServiceId"); target != "" {
					out[target.Key()] = append(out[target.Key()], connection{pe, list.Path, i})
				}
			}
		}
	}
	return out
}

// showConnections adds the connections of private endpoints to what a resource
// shows of itself.
func showConnections(view View, target arm.ID, properties arm.Object) {
	var list []any
	for _, c := range connections(view, target) {
		list = append(list, c.show(target))
	}
	if list != nil {
		properties[connectionKind] = list
	}
}

func (c connection) name() string {
	return c.endpoint.Name + "." + arm.StableGUID(c.endpoint.ID, "connection")
}

func (c connection) show(target arm.ID) arm.Object {
	one := arm.Objects(c.endpoint.Properties, c.list)[c.index]
	properties := arm.Object{
		"privateEndpoint": arm.Object{"id": string(c.endpoint.ID)}, "groupIds": arm.Strings(one, "properties.groupIds"), "provisioningState": string(store.Succeeded),
	}
	if state, ok := arm.Lookup(one, "properties.privateLinkServiceConnectionState"); ok {
		properties["privateLinkServiceConnectionState"] = state
	}
	return arm.Object{"id": string(target.Child(connectionKind, c.name())), "name": c.name(), "type": target.Type() + "/" + connectionKind, "properties": properties}
}

// connection answers for the connections of private endpoints to a resource: its
// owner sees them, approves and rejects them, and ends them.
//
// Source: Microsoft Learn, "Manage a private endpoint connection".
func (q *request) connection() error {
	id := q.c.spellID(q.at, q.target.id())
	if !q.target.item() {
		if q.r.Method != http.MethodGet {
			return methodNotAllowed(q.r)
		}
		return q.listConnections(id)
	}
	owner := id.Parent()
	if err := q.mayChange(owner.Type()+"/"+connectionKind+"/"+verb(q.r.Method), id); err != nil {
		return err
	}
	if _, ok := q.at.Get(owner); !ok {
		return parentNotFound(q.r.Method, id, owner)
	}
	switch q.r.Method {
	case http.MethodGet:
		found, ok := connectionNamed(q.at, id)
		if !ok {
			return notFound(id)
		}
		WriteJSON(q.w, http.StatusOK, found.show(owner))
		return nil
	case http.MethodDelete:
		return q.endConnection(id)
	case http.MethodPut:
		return q.decideConnection(id)
	}
	return methodNotAllowed(q.r)
}

func (q *request) listConnections(owner arm.ID) error {
	if err := q.may(owner.Type()+"/"+connectionKind+"/read", owner); err != nil {
		return err
	}
	if _, ok := q.at.Get(owner); !ok {
		return notFound(owner)
	}
	var items []item
	for _, c := range connections(q.at, owner) {
		items = append(items, item{strings.ToLower(c.name()), func() arm.Object { return c.show(owner) }})
	}
	slices.SortFunc(items, func(a, b item) int { return strings.Compare(a.key, b.key) })
	return q.page(items)
}

func connectionNamed(view View, id arm.ID) (connection, bool) {
	for _, c := range connections(view, id.Parent()) {
		if strings.EqualFold(c.name(), id.Name()) {
			return c, true
		}
	}
	return connection{}, false
}

// decideConnection approves or rejects.
func (q *request) decideConnection(id arm.ID) error {
	body, err := readObject(q.w, q.r)
	if err != nil {
		return err
	}
	const state = "properties.privateLinkServiceConnectionState"
	status := ""
	for _, known := range []string{"Approved", "Rejected", "Disconnected"} {
		if strings.EqualFold(arm.String(body, state+".status"), known) {
			status = known
		}
	}
	if status == "" {
		return Errorf(http.StatusBadRequest, "InvalidRequestContent", "The status '%s' of the private endpoint connection is not Approved, Rejected or Disconnected.", arm.String(body, state+".status"))
	}
	if err := q.may(id.Parent().Type()+"/privateEndpointConnectionsApproval/action", id.Parent()); err != nil {
		return err
	}
	row, err := q.setConnection(id, arm.Object{"status": status, "description": arm.String(body, state+".description"), "actionsRequired": "None"})
	if err != nil {
		return err
	}
	if row == nil {
		return notFound(id)
	}
	found, _ := connectionNamed(q.c.snapshot(), id)
	if found.endpoint.ID == "" {
		return notFound(id) // the endpoint has just been deleted
	}
	WriteJSON(q.w, http.StatusOK, found.show(id.Parent()))
	return nil
}

// endConnection disconnects the endpoint for good; its document stays.
func (q *request) endConnection(id arm.ID) error {
	row, err := q.setConnection(id, arm.Object{"status": "Disconnected", "description": "Deleted state", "actionsRequired": "None"})
	if err != nil {
		return err
	}
	if row == nil {
		q.w.WriteHeader(http.StatusNoContent)
		return nil
	}
	q.w.WriteHeader(http.StatusOK)
	return nil
}

// setConnection writes a connection's state into the endpoint's document; the row
// is nil where there is no such connection.
func (q *request) setConnection(id arm.ID, state arm.Object) (*store.Row, error) {
	var now *store.Row
	q.entry.Status = http.StatusOK
	err := q.change(func(d *draft) error {
		found, ok := connectionNamed(d, id)
		if !ok {
			return nil
		}
		row := d.row(found.endpoint.ID)
		doc := document{Resource: row.Resource, extra: row.Extra}
		doc.Properties = arm.Clone(doc.Properties)
		properties, _ := arm.Objects(doc.Properties, found.list)[found.index]["properties"].(map[string]any)
		properties["privateLinkServiceConnectionState"] = state
		now = d.next(row, doc, q.c.types.lookup(doc.Type))
		return nil
	})
	return now, err
}
