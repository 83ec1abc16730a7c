package terraform

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/source/terraform/internal/lang"
)

// kind is what a Terraform resource type is in Azure Resource Manager. A kind
// with an arm type becomes a document; one without only changes others.
type kind struct {
	arm   string
	id    func(v view) arm.ID
	props []prop
	sku   []prop
	zonal bool // it may be placed in availability zones
	// fixed are properties that no configuration changes.
	fixed arm.Object
	rows  table
	// decide gives the attributes that follow from the configuration, beside id.
	decide func(v view, id arm.ID) map[string]cty.Value
	// look gives the attributes that also follow from other resources.
	look func(v view, a azure, others func(string) []*lang.Resource) map[string]cty.Value
	// finish completes the document: sku, kind, what no prop can say.
	finish func(v view, doc *arm.Resource)
	// effect is what the resource does beside its own document.
	effect func(v view, id arm.ID, b *builder)
}

// prop says that an attribute is a property. Both are dotted paths; from leads
// through blocks that stand at most once.
type prop struct {
	from, to string
	def      any             // where the attribute is not written; nil for nothing
	via      func(v any) any // applied to what is known
	hide     bool            // a secret
	items    []prop          // from is a block that may stand often, to an array
	single   bool            // from is a block that stands at most once, to an object
	parts    string          // from names parts of the resource itself, to refers to them
}

// attr is a property with the attribute's own value.
func attr(from, to string) prop { return prop{from: from, to: to} }

// or gives the property a value for when the attribute is not written.
func (p prop) or(def any) prop { p.def = def; return p }

// as converts the value.
func (p prop) as(via func(any) any) prop { p.via = via; return p }

// secret withholds the value unless secrets are asked for.
func (p prop) secret() prop { p.hide = true; return p }

// each is an array with an object for each block.
func each(from, to string, items ...prop) prop { return prop{from: from, to: to, items: items} }

// one is an object where the block stands, which it does at most once.
func one(from, to string, items ...prop) prop {
	return prop{from: from, to: to, items: items, single: true}
}

// part refers to another part of the same resource, which Terraform names and ARM
// has by id: one of the array called parts.
func part(from, to, parts string) prop { return prop{from: from, to: to, parts: parts} }

// Conversions between how Terraform and how the REST API say the same.

// toggled is true and false as Enabled and Disabled.
func toggled(v any) any {
	if v == true {
		return "Enabled"
	}
	return "Disabled"
}

// worded is true and false as two other words.
func worded(yes, no string) func(any) any {
	return func(v any) any {
		if v == true {
			return yes
		}
		return no
	}
}

func negated(v any) any { return v != true }

// references is a list of ids as a list of objects with an id.
func references(v any) any {
	list, _ := v.([]any)
	out := make([]any, len(list))
	for i, id := range list {
		out[i] = arm.Object{"id": id}
	}
	return out
}

// listed wraps each element in an object, beside fixed members.
func listed(member string, fixed arm.Object) func(any) any {
	return func(v any) any {
		list, _ := v.([]any)
		out := make([]any, len(list))
		for i, e := range list {
			o := arm.Clone(fixed)
			if o == nil {
				o = arm.Object{}
			}
			o[member] = e
			out[i] = o
		}
		return out
	}
}

// pairs is a map as a list of objects with its keys and values.
func pairs(key, value string) func(any) any {
	return func(v any) any {
		m, _ := v.(arm.Object)
		out := make([]any, 0, len(m))
		for _, k := range slices.Sorted(maps.Keys(m)) {
			out = append(out, arm.Object{key: k, value: m[k]})
		}
		return out
	}
}

// alone is a value as the only one of a list.
func alone(v any) any { return []any{v} }

// number is a text that holds a number as one.
func number(v any) any {
	if s, ok := v.(string); ok {
		if f, err := strconv.ParseFloat(s, 64); err == nil {
			return f
		}
	}
	return v
}

// decimal is a number as text.
func decimal(v any) any {
	if f, ok := v.(float64); ok {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	return v
}

// commas is a list of strings as one, separated by commas alone.
func commas(v any) any {
	s, _ := joined(v).(string)
	return strings.ReplaceAll(s, ", ", ",")
}

// joined is a list of strings as one, separated by ", ".
func joined(v any) any {
	list, _ := v.([]any)
	var words []string
	for _, e := range list {
		if s, ok := e.(string); ok {
			words = append(words, s)
		}
	}
	return strings.Join(words, ", ")
}

// apply sets the properties of o. Where a property's place is "", what it holds is
// o's own.
func apply(v view, props []prop, o arm.Object) {
	for _, p := range props {
		val, ok := p.value(v)
		switch inner, object := val.(arm.Object); {
		case ok && p.to == "" && object:
			unplaced(inner)
			maps.Copy(o, inner)
		case ok:
			set(o, p.to, val)
		}
	}
}

func (p prop) value(v view) (any, bool) {
	if p.items != nil {
		return p.array(v)
	}
	var val any
	if p.hide {
		val = v.hidden(p.from)
	} else {
		val = v.json(p.from)
	}
	if val == nil {
		return p.def, p.def != nil
	}
	if p.parts != "" {
		return v.part(p.parts, val), true
	}
	if _, unknown := val.(arm.Unknown); !unknown && p.via != nil {
		val = p.via(val)
	}
	return val, true
}

func (p prop) array(v view) (any, bool) {
	if block, rest, nested := strings.Cut(p.from, "."); nested {
		if v.has(block) {
			return v.json(block), true // a dynamic block over something unknown
		}
		outer := v.blocks(block)
		if len(outer) == 0 {
			return p.def, p.def != nil
		}
		inner := p
		inner.from = rest
		return inner.array(outer[0])
	}
	if v.has(p.from) {
		return v.json(p.from), true // a dynamic block over something unknown
	}
	blocks := v.blocks(p.from)
	if len(blocks) == 0 {
		return p.def, p.def != nil
	}
	out := make([]any, len(blocks))
	for i, b := range blocks {
		o := arm.Object{}
		b.place(o)
		apply(b, p.items, o)
		out[i] = o
	}
	if p.single {
		return out[0], true
	}
	return out, true
}

// set puts a value at a dotted path. Below an unknown value nothing can be set.
func set(o arm.Object, path string, val any) {
	for {
		key, rest, nested := strings.Cut(path, ".")
		if !nested {
			o[key] = val
			return
		}
		if _, there := o[key]; !there {
			o[key] = arm.Object{}
		}
		next, ok := o[key].(arm.Object)
		if !ok {
			return
		}
		o, path = next, rest
	}
}

// Ids.

// inGroup is the id of a top-level resource in the group that it names.
func inGroup(typ string) func(view) arm.ID {
	return func(v view) arm.ID {
		return arm.ResourceID(v.subscription, v.symbol("resource_group_name"), typ, v.symbol("name"))
	}
}

// under is the id of a child in the same group as the parent that it names.
func under(typ, parentAttr, child string) func(view) arm.ID {
	return func(v view) arm.ID {
		return arm.ResourceID(v.subscription, v.symbol("resource_group_name"), typ, v.symbol(parentAttr)).Child(child, v.symbol("name"))
	}
}

// childOf is the id of a child of the resource whose id an attribute gives.
func childOf(parentAttr, parentType, child string) func(view) arm.ID {
	return func(v view) arm.ID {
		return v.id(parentAttr, parentType).Child(child, v.symbol("name"))
	}
}

// nested is a resource that ARM keeps in an array of its parent's properties: an
// object with its name, beside what the properties say.
func nested(parentAttr, parentType, member string, props ...prop) kind {
	return within(childOf(parentAttr, parentType, member), member, props...)
}

// within is nested with the id given.
func within(id func(view) arm.ID, member string, props ...prop) kind {
	return kind{
		id: id,
		effect: func(v view, id arm.ID, b *builder) {
			b.change(v, id.Parent(), func(doc *arm.Resource) {
				o := arm.Object{"name": id.Name()}
				v.place(o)
				apply(v, props, o)
				appendTo(doc, member, o)
			})
		},
	}
}

// setsRef is a resource that only sets a reference of another.
func setsRef(target, targetType, from, to string) kind {
	return kind{effect: func(v view, _ arm.ID, b *builder) {
		b.change(v, v.id(target, targetType), func(doc *arm.Resource) {
			if doc.Properties == nil {
				doc.Properties = arm.Object{}
			}
			set(doc.Properties, to, v.json(from))
			v.marks(doc, to)
		})
	}}
}

// addsRef is a resource that only adds a reference to a list of another.
func addsRef(target, targetType, from, to string) kind {
	return kind{effect: func(v view, _ arm.ID, b *builder) {
		b.change(v, v.id(target, targetType), func(doc *arm.Resource) {
			o := arm.Object{"id": v.json(from)}
			v.place(o)
			appendTo(doc, to, o)
		})
	}}
}

// extensionOf is the id of an extension resource of the resource whose id an
// attribute gives.
func extensionOf(scopeAttr, scopeType, namespace, typ string) func(view) arm.ID {
	return func(v view) arm.ID {
		return v.id(scopeAttr, scopeType).Extension(namespace, typ, v.symbol("name"))
	}
}

// texts makes decided attributes of strings.
func texts(pairs ...string) map[string]cty.Value {
	out := make(map[string]cty.Value, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		out[pairs[i]] = cty.StringVal(pairs[i+1])
	}
	return out
}
