package cloud

import (
	"net/http"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
)

const linkResourceKind = "privateLinkResources"

// isLinkResource reports whether the target is {resource}/privateLinkResources, or
// one of them.
func (t target) isLinkResource() bool {
	n := len(t.tail)
	return n == 3 && strings.EqualFold(t.tail[2], linkResourceKind) || n == 4 && strings.EqualFold(t.tail[2], linkResourceKind)
}

// linkResources answers what private endpoints to a resource can be for: its
// sub-resources, with the zones that their names go into.
//
// Source: Microsoft Learn, "Azure Private Endpoint private DNS zone values".
func (q *request) linkResources() error {
	if q.r.Method != http.MethodGet {
		return methodNotAllowed(q.r)
	}
	id := q.c.spellID(q.at, q.target.scope+arm.ID("/providers/"+q.target.namespace+"/"+q.target.tail[0]+"/"+q.target.tail[1]))
	if err := q.may(id.Type()+"/"+linkResourceKind+"/read", id); err != nil {
		return err
	}
	r, ok := q.at.Get(id)
	if !ok {
		return notFound(id)
	}
	var items []item
	for _, group := range subResources(r.Type) {
		shown := q.showLinkResource(r, group)
		if len(q.target.tail) == 4 && strings.EqualFold(q.target.tail[3], group) {
			WriteJSON(q.w, http.StatusOK, shown)
			return nil
		}
		items = append(items, item{strings.ToLower(group), func() arm.Object { return shown }})
	}
	if len(q.target.tail) == 4 {
		return notFound(id.Child(linkResourceKind, q.target.tail[3]))
	}
	return q.page(items)
}

// subResources are the groups that a private endpoint to a type can name.
func subResources(typ string) []string {
	var out []string
	for _, z := range service.Zones() {
		if strings.EqualFold(z.Type, typ) && !slices.Contains(out, z.Group) {
			out = append(out, z.Group)
		}
	}
	slices.Sort(out)
	return out
}

func (q *request) showLinkResource(r arm.Resource, group string) arm.Object {
	members := []string{}
	for _, ep := range service.Covered(q.at.Estate(), r) {
		if strings.EqualFold(ep.Group, group) && !slices.Contains(members, ep.Member) {
			members = append(members, ep.Member)
		}
	}
	return arm.Object{
		"id": string(r.ID.Child(linkResourceKind, group)), "name": group, "type": r.Type + "/" + linkResourceKind,
		"properties": arm.Object{"groupId": group, "requiredMembers": members, "requiredZoneNames": service.ZonesOf(r.Type, group, r.Location)},
	}
}
