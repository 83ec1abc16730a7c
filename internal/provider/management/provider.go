package management

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
)

const (
	namespace = "Microsoft.Management"
	typeGroup = arm.TypeManagementGroup
	typeSub   = typeGroup + "/subscriptions"
)

// maxDepth is how many levels of groups there may be below the root.
//
// Source: Microsoft Learn, "What are Azure management groups?".
const maxDepth = 6

var groupName = regexp.MustCompile(`^[-_().\p{L}\p{N}]{1,90}$`)

// provider knows the tenant, whose id is the name of the root group.
type provider struct {
	host   cloud.Host
	tenant string
}

// New makes the provider.
func New(host cloud.Host) cloud.Provider {
	p := provider{host, host.Tenant()}
	return cloud.Provider{Namespace: namespace, Types: []cloud.Type{
		{
			Name: typeGroup, Prepare: p.prepare, CanDelete: canDelete, Find: p.find, List: p.list, CreateStatus: http.StatusOK,
			Views: map[string]cloud.ViewOf{"descendants": p.descendants},
		},
		{Name: typeSub, Prepare: p.prepareSubscription, CreateStatus: http.StatusOK},
	}}
}

func groupID(name string) arm.ID { return arm.ID("/providers/" + typeGroup + "/" + name) }

func (p provider) root() arm.ID { return groupID(p.tenant) }

// find makes the root group, which nobody has made.
func (p provider) find(_ cloud.View, id arm.ID) (arm.Resource, bool) {
	if !id.Equal(p.root()) {
		return arm.Resource{}, false
	}
	return arm.Resource{ID: p.root(), Name: p.tenant, Type: typeGroup, Properties: arm.Object{
		"tenantId": p.tenant, "displayName": "Tenant Root Group", "details": arm.Object{"version": 1.0},
	}}, true
}

// prepare checks a group: below which other it is, and how deep.
func (p provider) prepare(view cloud.View, _ *arm.Resource, r arm.Resource) (arm.Resource, error) {
	if !groupName.MatchString(r.Name) || strings.HasSuffix(r.Name, ".") {
		return r, cloud.Errorf(http.StatusBadRequest, "InvalidManagementGroupId", "The name '%s' of a management group is invalid: it has at most 90 letters, digits, '-', '_', '(', ')' and '.', and does not end with a period.", r.Name)
	}
	if r.ID.Equal(p.root()) {
		return r, cloud.Errorf(http.StatusForbidden, "RootManagementGroup", "The root management group is as it is.")
	}
	parent := arm.Ref(r.Properties, "details.parent.id")
	if parent == "" {
		parent = p.root()
	}
	above, depth, err := p.above(view, r.ID, parent)
	if err != nil {
		return r, err
	}
	if depth += height(view, r.ID); depth > maxDepth {
		return r, cloud.Errorf(http.StatusBadRequest, "MaxDepthExceeded", "The management group '%s' would make %d levels below the root; there may be %d.", r.Name, depth, maxDepth)
	}
	name := arm.String(r.Properties, "displayName")
	if name == "" {
		name = r.Name
	}
	r.Location = ""
	r.Properties = arm.Object{"tenantId": p.tenant, "displayName": name, "details": arm.Object{"version": 1.0, "parent": arm.Object{
		"id": string(above.ID), "name": above.Name, "displayName": arm.String(above.Properties, "displayName"),
	}}}
	return r, nil
}

// above finds the parent of a group, and how many levels below the root the group
// is there.
func (p provider) above(view cloud.View, id, parent arm.ID) (found arm.Resource, depth int, err error) {
	for at := parent; ; depth++ {
		if at.Equal(id) {
			return found, 0, cloud.Errorf(http.StatusBadRequest, "InvalidParent", "The management group '%s' cannot be below itself.", id.Name())
		}
		group, ok := p.find(view, at)
		isRoot := ok
		if !ok {
			group, ok = view.Get(at)
		}
		if !ok || !group.IsType(typeGroup) {
			return found, 0, cloud.Errorf(http.StatusNotFound, "ParentNotFound", "The management group '%s', which is to be above '%s', is not found.", at, id.Name())
		}
		if at.Equal(parent) {
			found = group
		}
		if isRoot {
			return found, depth + 1, nil
		}
		at = arm.Ref(group.Properties, "details.parent.id")
	}
}

// height is how many levels of groups are below a group.
func height(view cloud.View, id arm.ID) int {
	most := 0
	for _, child := range children(view, id) {
		most = max(most, 1+height(view, child.ID))
	}
	return most
}

// children are the groups directly below one.
func children(view cloud.View, id arm.ID) []arm.Resource {
	var out []arm.Resource
	for _, g := range view.Estate().OfType(typeGroup) {
		if arm.Ref(g.Properties, "details.parent.id").Equal(id) {
			out = append(out, g)
		}
	}
	return out
}

// canDelete refuses to delete a group that holds others; with a group goes where a
// subscription was, which is then below the root.
func canDelete(view cloud.View, r arm.Resource) error {
	for _, child := range children(view, r.ID) {
		return cloud.Errorf(http.StatusBadRequest, "ManagementGroupHasChildren", "The management group '%s' cannot be deleted: '%s' is below it.", r.Name, child.Name)
	}
	return nil
}

// list lists every group, the root first.
func (p provider) list(view cloud.View, _ arm.ID, _ url.Values, stored []arm.Resource) ([]arm.Resource, error) {
	root, _ := p.find(view, p.root())
	return append([]arm.Resource{root}, stored...), nil
}

// prepareSubscription puts a subscription below a group.
func (p provider) prepareSubscription(view cloud.View, _ *arm.Resource, r arm.Resource) (arm.Resource, error) {
	for _, other := range view.Estate().OfType(typeSub) {
		if strings.EqualFold(other.Name, r.Name) && !other.ID.Equal(r.ID) {
			return r, cloud.Errorf(http.StatusConflict, "SubscriptionInOtherGroup", "The subscription '%s' is below '%s': delete %s, and put it below the other then.", r.Name, other.ID.Parent().Name(), other.ID)
		}
	}
	r.Location = ""
	r.Properties = arm.Object{"tenant": p.tenant, "displayName": "Cloister", "state": "Active", "parent": arm.Object{"id": string(r.ID.Parent())}}
	return r, nil
}

// descendants are the groups and subscriptions below a group.
func (p provider) descendants(_ context.Context, r arm.Resource) (any, error) {
	value := []arm.Object{}
	var below func(id arm.ID)
	below = func(id arm.ID) {
		for _, g := range children(p.host, id) {
			value = append(value, descendant(g.ID, typeGroup, g, id))
			below(g.ID)
		}
		for _, s := range p.host.Estate().Children(id, typeSub) {
			value = append(value, descendant(arm.ID("/subscriptions/"+s.Name), "/subscriptions", s, id))
		}
	}
	below(r.ID)
	return arm.Object{"value": value}, nil
}

func descendant(id arm.ID, typ string, r arm.Resource, parent arm.ID) arm.Object {
	return arm.Object{"id": string(id), "type": typ, "name": r.Name, "properties": arm.Object{
		"displayName": arm.String(r.Properties, "displayName"), "parent": arm.Object{"id": string(parent)},
	}}
}
