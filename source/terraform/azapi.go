package terraform

import (
	"maps"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/source/terraform/internal/lang"
)

// azapi resources are ARM documents already: their bodies are taken as they are.
var azapiKinds = map[string]kind{
	"azapi_resource": {
		id:     azapiID,
		decide: azapiDecided,
		effect: func(v view, id arm.ID, b *builder) {
			if member, ok := keptIn(id); ok {
				b.sink(v, id, member)
				return
			}
			doc, children := arm.Apart(azapiDocument(v, id))
			b.put(v, doc)
			for _, child := range children {
				b.put(v, child)
			}
		},
	},
	"azapi_update_resource": {
		id:     azapiID,
		decide: azapiDecided,
		effect: func(v view, id arm.ID, b *builder) { b.overlay(v, id) },
	},
	"azapi_resource_action": {
		id: azapiID,
		effect: func(v view, id arm.ID, b *builder) {
			switch strings.ToUpper(v.text("method")) {
			case "PUT", "PATCH":
				if !v.has("action") {
					b.overlay(v, id)
				}
			}
		},
	},
	// Data sources alone have these names.
	"azapi_resource_id":   {id: azapiID, decide: azapiParts},
	"azapi_resource_list": {},
}

// azapiType is the type without its api-version.
func azapiType(v view) string {
	typ, _, _ := strings.Cut(v.symbol("type"), "@")
	return typ
}

// azapiID is the id that a resource names, or that its type, parent and name make.
func azapiID(v view) arm.ID {
	typ := azapiType(v)
	parts := strings.Split(typ, "/")
	last := parts[len(parts)-1]
	switch {
	case v.has("resource_id") && len(parts) > 1:
		return v.id("resource_id", typ)
	case strings.EqualFold(typ, arm.TypeResourceGroup):
		return arm.GroupID(v.subscription, v.symbol("name"))
	case len(parts) > 2:
		return v.id("parent_id", strings.Join(parts[:len(parts)-1], "/")).Child(last, v.symbol("name"))
	case len(parts) < 2:
		return arm.ResourceID(v.subscription, braced(v.r.Address), "Unknown/"+braced(v.r.Address), v.symbol("name"))
	}
	return v.id("parent_id", arm.TypeResourceGroup).Extension(parts[0], last, v.symbol("name"))
}

// azapiBody is the body, given as an object or, as azapi 1 had it, as JSON.
func azapiBody(v view) arm.Object {
	switch body := v.encoded("body").(type) {
	case arm.Object:
		return body
	case arm.Unknown:
		return arm.Object{"properties": arm.Object{"body": body}}
	}
	return arm.Object{}
}

// azapiDocument is the document that a body is, with what Azure adds to it.
func azapiDocument(v view, id arm.ID) arm.Resource {
	doc := document(kind{arm: azapiType(v), zonal: true}, v, id)
	fill(v, &doc, azapiBody(v))
	for path, val := range given(id, azapiType(v)) {
		if doc.Properties == nil {
			doc.Properties = arm.Object{}
		}
		if _, have := arm.Lookup(doc.Properties, path); !have {
			set(doc.Properties, path, val)
		}
	}
	return doc
}

// fill lays a body over a document.
func fill(v view, doc *arm.Resource, body arm.Object) {
	if props, ok := body["properties"].(arm.Object); ok {
		doc.Properties = overlay(doc.Properties, props)
	}
	if sku, ok := body["sku"].(arm.Object); ok {
		doc.SKU = overlay(doc.SKU, sku)
	}
	if s, ok := body["kind"].(string); ok {
		doc.Kind = s
	}
	if s, ok := body["location"].(string); ok && doc.Location == "" {
		doc.Location = s
	}
	if list, ok := body["zones"].([]any); ok {
		doc.Zones = stringsOf(list)
	}
	if all, ok := body["tags"].(arm.Object); ok {
		have := maps.Clone(doc.Tags)
		if doc.Tags = labels(all); doc.Tags == nil {
			doc.Tags = have
		}
		for k, s := range have {
			if _, over := doc.Tags[k]; !over {
				doc.Tags[k] = s
			}
		}
	}
	if identity, ok := body["identity"].(arm.Object); ok {
		doc.Identity = bodyIdentity(v, doc.ID, identity)
	}
}

// bodyIdentity is the managed identity that a body asks for.
func bodyIdentity(v view, id arm.ID, body arm.Object) *arm.Identity {
	out := &arm.Identity{Type: arm.String(body, "type")}
	if out.SystemAssigned() {
		out.PrincipalID = arm.PrincipalID(id)
		if plain, _, _ := lang.Marks(v.tenant); plain.IsKnown() {
			out.TenantID = plain.AsString()
		}
	}
	users, _ := body["userAssignedIdentities"].(arm.Object)
	for user := range users {
		if out.User == nil {
			out.User = map[string]arm.Object{}
		}
		out.User[user] = arm.Object{"principalId": arm.PrincipalID(arm.ID(user)), "clientId": clientID(arm.ID(user))}
	}
	return out
}

// overlay changes a document by a body that says a part of it.
func (b *builder) overlay(v view, id arm.ID) {
	b.change(v, id, func(doc *arm.Resource) { fill(v, doc, azapiBody(v)) })
}

// kept are the children that an estate has within their parent, which ARM also
// takes as resources of their own: their type, and the parent's array.
var kept = map[string]string{
	"microsoft.network/networksecuritygroups/securityrules": "securityRules",
	"microsoft.network/routetables/routes":                  "routes",
	"microsoft.network/loadbalancers/backendaddresspools":   "backendAddressPools",
	"microsoft.network/loadbalancers/inboundnatrules":       "inboundNatRules",
	"microsoft.network/routefilters/routefilterrules":       "rules",
}

// keptIn is the array of its parent that a resource is kept in.
func keptIn(id arm.ID) (string, bool) {
	member, ok := kept[strings.ToLower(id.Type())]
	return member, ok
}

// sink puts a child into its parent's array.
func (b *builder) sink(v view, id arm.ID, member string) {
	b.change(v, id.Parent(), func(doc *arm.Resource) {
		o := arm.Object{"name": id.Name(), "properties": azapiBody(v)["properties"]}
		v.place(o)
		appendTo(doc, member, o)
	})
}

// overlay is base with the members of top over it, objects within objects.
func overlay(base, top arm.Object) arm.Object {
	if base == nil {
		return top
	}
	for k, val := range top {
		below, ok := base[k].(arm.Object)
		if above, both := val.(arm.Object); ok && both {
			val = overlay(below, above)
		}
		base[k] = val
	}
	return base
}

// azapiDecided are what references to an azapi resource find.
func azapiDecided(v view, id arm.ID) map[string]cty.Value {
	out := texts("name", id.Name())
	if parent := id.Parent(); parent != "" && !v.has("parent_id") {
		out["parent_id"] = cty.StringVal(string(parent))
	}
	if output, ok := azapiOutput(v, id); ok {
		out["output"] = output
	}
	return out
}

// azapiParts takes an id apart.
func azapiParts(v view, id arm.ID) map[string]cty.Value {
	out := texts("name", id.Name(), "parent_id", string(id.Parent()), "resource_id", string(id),
		"provider_namespace", strings.SplitN(azapiType(v), "/", 2)[0])
	if group := id.ResourceGroup(); group != "" {
		out["resource_group_name"] = cty.StringVal(group)
	}
	if sub := id.Subscription(); sub != "" {
		out["subscription_id"] = cty.StringVal(sub)
	}
	parts := map[string]cty.Value{}
	segments := strings.Split(strings.Trim(string(id), "/"), "/")
	for i := 0; i+1 < len(segments); i += 2 {
		parts[segments[i]] = cty.StringVal(segments[i+1])
	}
	if len(parts) > 0 {
		out["parts"] = cty.MapVal(parts)
	}
	return out
}

// stringsOf are the strings of a list.
func stringsOf(list []any) []string {
	var out []string
	for _, e := range list {
		switch e := e.(type) {
		case string:
			out = append(out, e)
		case arm.Unknown:
			out = append(out, braced(e.Expression))
		}
	}
	return out
}

// labels are tags as a document has them.
func labels(all arm.Object) map[string]string {
	out := map[string]string{}
	for _, k := range slices.Sorted(maps.Keys(all)) {
		if s := stringsOf([]any{all[k]}); len(s) == 1 {
			out[k] = s[0]
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}
