package planned

import (
	"encoding/json"
	"math/big"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/cloister-ml/cloister/source/terraform/internal/lang"
	"github.com/cloister-ml/cloister/source/terraform/internal/schema"
)

// bodies makes the bodies of one resource.
type bodies struct {
	rd      *reader
	n       *node
	planned bool
}

// place is a body as the file has it: its values, and beside each whether it is
// unknown, whether it is sensitive, and the expression that was written.
type place struct {
	values             map[string]any
	unknown, sensitive any
	written            map[string]json.RawMessage
	known              bool   // written says all that was written
	filled             bool   // an object, which has each attribute, written or not
	path               string // ip_configuration.
}

func (b bodies) body(sch *schema.Block, at place) *lang.Body {
	out := &lang.Body{Attrs: map[string]cty.Value{}, Blocks: map[string][]*lang.Body{}, Encoded: map[string]cty.Value{}, Range: hcl.Range{Filename: b.rd.o.File}}
	for name, a := range sch.Attributes {
		if !a.Settable() {
			continue
		}
		if t := a.Type; t.IsListType() && t.ElementType().IsObjectType() {
			b.blocks(out, name, objects(t), at, true)
			continue
		}
		if v, ok := b.attribute(name, a, at); ok {
			out.Attrs[name] = v
		}
	}
	for name, nested := range sch.Blocks {
		b.blocks(out, name, nested.Block, at, false)
	}
	return out
}

// objects is the schema of an attribute's objects.
func objects(t cty.Type) schema.Block {
	b := schema.Block{Attributes: map[string]schema.Attribute{}}
	for name, at := range t.ElementType().AttributeTypes() {
		b.Attributes[name] = schema.Attribute{Type: at, Optional: true}
	}
	return b
}

// attribute is the value of an attribute, and false where none was written.
func (b bodies) attribute(name string, a schema.Attribute, at place) (cty.Value, bool) {
	raw, unknown := at.values[name], member(at.unknown, name)
	expr, written := at.written[name]
	if raw == nil && !anyTrue(unknown) {
		return cty.NilVal, false
	}
	if unknown == true {
		if !written && at.known && a.Computed {
			return cty.NilVal, false // the provider fills it in
		}
		return b.unknown(name, a.Type, expr, at), true
	}
	if b.n.fresh && !written && at.known && !a.Required && !anyTrue(unknown) {
		return cty.NilVal, false // the provider's default
	}
	if (!b.planned || at.filled) && unset(raw) && !a.Required && !anyTrue(unknown) {
		return cty.NilVal, false // as it is kept where nothing was written
	}
	v := b.value(a.Type, raw, unknown, func(t cty.Type) cty.Value { return b.unknown(name, t, expr, at) })
	if anyTrue(member(at.sensitive, name)) || a.Sensitive {
		v = v.Mark(lang.Sensitive)
	}
	return v, true
}

// unset reports whether a value is what a provider keeps for nothing.
func unset(v any) bool {
	switch v := v.(type) {
	case string:
		return v == ""
	case float64:
		return v == 0
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

// unknown is what can be said of a value that the plan does not know.
func (b bodies) unknown(name string, t cty.Type, expr json.RawMessage, at place) cty.Value {
	if v, ok := b.rd.follow(b.n, name, expr); ok {
		if c, err := convert.Convert(v, t); err == nil {
			return c
		}
		if t.IsListType() {
			if c, err := convert.Convert(cty.TupleVal([]cty.Value{v}), t); err == nil {
				return c
			}
		}
	}
	return cty.UnknownVal(t).Mark(lang.Origin{Expression: b.n.Address + "." + at.path + name, File: b.rd.o.File})
}

// blocks adds the blocks of one name.
func (b bodies) blocks(out *lang.Body, name string, sch schema.Block, at place, filled bool) {
	unknown := member(at.unknown, name)
	if unknown == true {
		if _, written := at.written[name]; written || !at.known {
			out.Attrs[name] = cty.DynamicVal.Mark(lang.Origin{Expression: b.n.Address + "." + at.path + name, File: b.rd.o.File})
		}
		return
	}
	list, ok := at.values[name].([]any)
	if one, single := at.values[name].(map[string]any); single {
		list, ok = []any{one}, true
		unknown = []any{unknown}
	}
	if !ok {
		return
	}
	for i, e := range list {
		inner, ok := e.(map[string]any)
		if !ok {
			continue
		}
		next := place{values: inner, unknown: element(unknown, i), sensitive: element(member(at.sensitive, name), i), path: at.path + name + ".", filled: filled}
		if s := member(at.sensitive, name); s == true {
			next.sensitive = true
		}
		if !filled {
			next.written, next.known = matching(at.written[name], inner, len(list))
		}
		out.Blocks[name] = append(out.Blocks[name], b.body(&sch, next))
	}
}

// matching is the configuration of one of n blocks: the only one, or that with the
// same constant name. A dynamic block has none.
func matching(raw json.RawMessage, values map[string]any, n int) (map[string]json.RawMessage, bool) {
	var list []map[string]json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		var one map[string]json.RawMessage
		if json.Unmarshal(raw, &one) != nil {
			return nil, false
		}
		list = append(list, one)
	}
	if len(list) == 1 && n == 1 {
		return list[0], true
	}
	for _, c := range list {
		var e expression
		if json.Unmarshal(c["name"], &e) == nil && e.Constant != nil && e.Constant == values["name"] && len(list) == n {
			return c, true
		}
	}
	return nil, false
}

// value converts what JSON holds to a type.
func (b bodies) value(t cty.Type, raw, unknown any, hole func(cty.Type) cty.Value) cty.Value {
	if unknown == true {
		return hole(t)
	}
	v := implied(raw, unknown, func() cty.Value { return hole(cty.DynamicPseudoType) })
	if c, err := convert.Convert(v, t); err == nil {
		return c
	}
	return hole(t) // a value of another release's type
}

// implied is a value of the type that the JSON itself has.
func implied(raw, unknown any, hole func() cty.Value) cty.Value {
	if unknown == true {
		return hole()
	}
	switch raw := raw.(type) {
	case string:
		return cty.StringVal(raw)
	case bool:
		return cty.BoolVal(raw)
	case float64:
		return cty.NumberVal(big.NewFloat(raw))
	case []any:
		holes, _ := unknown.([]any)
		n := max(len(raw), len(holes))
		list := make([]cty.Value, n)
		for i := range list {
			var e any
			if i < len(raw) {
				e = raw[i]
			}
			list[i] = implied(e, element(unknown, i), hole)
		}
		return cty.TupleVal(list)
	case map[string]any:
		attrs := map[string]cty.Value{}
		for k, e := range raw {
			attrs[k] = implied(e, member(unknown, k), hole)
		}
		holes, _ := unknown.(map[string]any)
		for k, u := range holes {
			if _, there := attrs[k]; !there && u == true {
				attrs[k] = hole()
			}
		}
		return cty.ObjectVal(attrs)
	}
	return cty.NullVal(cty.DynamicPseudoType)
}

func member(v any, name string) any {
	if v == true {
		return true
	}
	o, _ := v.(map[string]any)
	return o[name]
}

func element(v any, i int) any {
	if v == true {
		return true
	}
	l, _ := v.([]any)
	if i < len(l) {
		return l[i]
	}
	return nil
}

// anyTrue reports whether a tree of flags has one that is set.
func anyTrue(v any) bool {
	switch v := v.(type) {
	case bool:
		return v
	case []any:
		for _, e := range v {
			if anyTrue(e) {
				return true
			}
		}
	case map[string]any:
		for _, e := range v {
			if anyTrue(e) {
				return true
			}
		}
	}
	return false
}
