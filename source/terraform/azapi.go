package terraform

import (
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/cloister-ml/cloister/arm"
)

// azapi resources are ARM documents already: their bodies are taken as they are.
var azapiKinds = map[string]kind{
	"azapi_resource": {
		id: azapiID,
		decide: func(v view, id arm.ID) map[string]cty.Value {
			return map[string]cty.Value{"name": cty.StringVal(id.Name())}
		},
		effect: func(v view, id arm.ID, b *builder) {
			doc := document(kind{arm: azapiType(v)}, v, id)
			body := azapiBody(v)
			doc.Properties, _ = body["properties"].(arm.Object)
			doc.SKU, _ = body["sku"].(arm.Object)
			doc.Kind, _ = body["kind"].(string)
			if s, ok := body["location"].(string); ok && doc.Location == "" {
				doc.Location = s
			}
			doc, children := arm.Apart(doc)
			b.put(v, doc)
			for _, child := range children {
				b.put(v, child)
			}
		},
	},
	"azapi_update_resource": {
		effect: func(v view, _ arm.ID, b *builder) {
			id := azapiID(v)
			if s := v.text("resource_id"); s != "" {
				id = arm.ID(s)
			}
			b.change(v, id, func(doc *arm.Resource) {
				if props, ok := azapiBody(v)["properties"].(arm.Object); ok {
					doc.Properties = overlay(doc.Properties, props)
				}
			})
		},
	},
	"azapi_resource_action": {},
}

// azapiType is the type without its api-version.
func azapiType(v view) string {
	typ, _, _ := strings.Cut(v.symbol("type"), "@")
	return typ
}

func azapiID(v view) arm.ID {
	typ := azapiType(v)
	parts := strings.Split(typ, "/")
	last := parts[len(parts)-1]
	switch {
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
