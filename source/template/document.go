package template

import (
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/source/template/internal/value"
)

// frame are the members of a resource that say how it is deployed, and not what
// it is.
var frame = []string{
	"type", "apiVersion", "name", "dependsOn", "condition", "copy", "comments", "resources", "existing", "scope", "metadata", "asserts", "options", "import", "extension",
	"subscriptionId", "resourceGroup",
}

// body is what is sent to Azure for a step.
func (s *Step) body() (value.Object, error) { return s.scope.EvalExcept(s.node, frame...) }

// document is a body as an estate holds it.
func (r *run) document(s *Step, body value.Object) (arm.Resource, error) {
	doc := arm.Resource{ID: s.ID, Name: s.ID.Name(), Type: s.Type, Source: s.Source}
	if l, ok := value.Field(body, "location"); ok && l != nil {
		doc.Location = service.Region(value.Symbol(l))
	}
	if k, ok := value.Field(body, "kind"); ok {
		doc.Kind = value.Symbol(k)
	}
	tags, _ := value.Field(body, "tags")
	doc.Tags = tagsOf(tags)
	doc.Identity = r.identity(s.ID, body)
	var err error
	if doc.SKU, err = r.part(body, "sku"); err != nil {
		return doc, err
	}
	if doc.Properties, err = r.part(body, "properties"); err == nil {
		properties, _ := value.Field(body, "properties")
		doc.Parts = partsOf(s, properties)
	}
	return doc, err
}

// part is a member that is an object, without members that are null. One that is
// not known is an object of which nothing is known but that.
func (r *run) part(body value.Object, name string) (arm.Object, error) {
	v, _ := value.Field(body, name)
	if u, unknown := value.Unsure(v); unknown {
		return arm.Object{name: u.Unknown}, nil
	}
	plain, err := value.Document(v, r.Meter.Spend)
	if err != nil {
		return nil, err
	}
	o, _ := plain.(arm.Object)
	return withoutNull(o), nil
}

func withoutNull(o arm.Object) arm.Object {
	for k, v := range o {
		switch v := v.(type) {
		case nil:
			delete(o, k)
		case arm.Object:
			withoutNull(v)
		case []any:
			for _, e := range v {
				if inner, ok := e.(arm.Object); ok {
					withoutNull(inner)
				}
			}
		}
	}
	return o
}

func tagsOf(v any) map[string]string {
	all, _ := v.(value.Object)
	if len(all) == 0 {
		return nil
	}
	out := make(map[string]string, len(all))
	for k, e := range all {
		out[k] = value.Symbol(e)
	}
	return out
}

// identity is the managed identity block, with the ids that follow from it.
func (r *run) identity(id arm.ID, body value.Object) *arm.Identity {
	v, _ := value.Field(body, "identity")
	o, _ := v.(value.Object)
	typ, _ := value.Field(o, "type")
	name := value.Symbol(typ)
	if name == "" || strings.EqualFold(name, "none") {
		return nil
	}
	out := &arm.Identity{Type: name}
	if out.SystemAssigned() {
		out.PrincipalID, out.TenantID = arm.PrincipalID(id), r.opts.TenantID
	}
	users, _ := value.Field(o, "userAssignedIdentities")
	all, _ := users.(value.Object)
	for name := range all {
		user := arm.ID(name)
		if out.User == nil {
			out.User = map[string]arm.Object{}
		}
		out.User[name] = arm.Object{"principalId": arm.PrincipalID(user), "clientId": arm.StableGUID(user, "clientId")}
	}
	return out
}
