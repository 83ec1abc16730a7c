package terraform

import (
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/source/terraform/internal/lang"
)

// view reads the configuration of one resource, or of a block within it.
type view struct {
	r            *lang.Resource
	body         *lang.Body
	path         string // of the block, for messages: "ip_configuration."
	subscription string
	tenant       cty.Value
	secrets      bool
	self         arm.ID // of the resource whose document is being made
	displayed    displayed
}

// value is what is written for an attribute; null where nothing is. A dotted
// name leads into a block that stands at most once.
func (v view) value(name string) cty.Value {
	if block, rest, nested := strings.Cut(name, "."); nested {
		if u, ok := v.body.Attrs[block]; ok {
			return u // a dynamic block over something unknown
		}
		blocks := v.blocks(block)
		if len(blocks) == 0 {
			return cty.NullVal(cty.DynamicPseudoType)
		}
		return blocks[0].value(rest)
	}
	if val, ok := v.body.Attrs[name]; ok {
		return val
	}
	return cty.NullVal(cty.DynamicPseudoType)
}

// has reports whether an attribute is written, with something else than null.
func (v view) has(name string) bool {
	plain, _, _ := lang.Marks(v.value(name))
	return !plain.IsKnown() || !plain.IsNull()
}

// text is an attribute's string; "" where it is not written or not known.
func (v view) text(name string) string {
	plain, _, _ := lang.Marks(v.value(name))
	if !plain.IsKnown() || plain.IsNull() || plain.Type() != cty.String {
		return ""
	}
	return plain.AsString()
}

// flag is an attribute's boolean, or def.
func (v view) flag(name string, def bool) bool {
	plain, _, _ := lang.Marks(v.value(name))
	if !plain.IsKnown() || plain.IsNull() || plain.Type() != cty.Bool {
		return def
	}
	return plain.True()
}

// blocks are the blocks of one name.
func (v view) blocks(name string) []view {
	list := v.body.Blocks[name]
	out := make([]view, len(list))
	for i, b := range list {
		out[i] = v
		out[i].body, out[i].path = b, v.path+name+"."
	}
	return out
}

// part refers to parts of the resource itself by their names.
func (v view) part(member string, names any) any {
	switch names := names.(type) {
	case string:
		return arm.Object{"id": string(v.self.Child(member, names))}
	case []any:
		out := make([]any, len(names))
		for i, name := range names {
			out[i] = v.part(member, name)
		}
		return out
	}
	return arm.Object{"id": names}
}

// symbol is an attribute's string as it stands in an id: where it is not known,
// what stands for it, in braces.
func (v view) symbol(name string) string {
	plain, from, _ := lang.Marks(v.value(name))
	switch {
	case plain.IsKnown() && !plain.IsNull() && plain.Type() == cty.String:
		return plain.AsString()
	case name == "name" && !v.r.Data, from.Expression == "":
		return braced(v.r.Address) // what a name is made of may be in many names
	case from.Symbol != "":
		return from.Symbol
	}
	return braced(from.Expression)
}

// braced makes an expression fit for a segment of an id.
func braced(expression string) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case r <= ' ' || r == 0x7f:
			return -1
		case strings.ContainsRune("/\\?#%", r):
			return '~'
		}
		return r
	}, expression)
	return "{" + clean + "}"
}

// id is an attribute's resource id. Where it is not known, it is an id of the
// given type with what stands for it as its group and name.
func (v view) id(name, typ string) arm.ID {
	if s := v.text(name); s != "" {
		if id, err := arm.ParseID(s); err == nil {
			return id
		}
	}
	stands := v.symbol(name)
	if !strings.HasPrefix(stands, "{") {
		stands = braced(stands)
	}
	if typ == arm.TypeResourceGroup {
		return arm.GroupID(v.subscription, stands)
	}
	parts := strings.Split(typ, "/")
	id := arm.ResourceID(v.subscription, stands, parts[0]+"/"+parts[1], stands)
	for _, child := range parts[2:] {
		id = id.Child(child, stands)
	}
	return id
}

// json is an attribute's value as a document holds it; nil where none is written.
func (v view) json(name string) any {
	return v.document(v.value(name), name)
}

// encoded is json for an attribute that holds JSON as text: what it says, where
// that is known, even if only in part.
func (v view) encoded(name string) any {
	if val, ok := v.body.Encoded[name]; ok {
		return v.document(val, name)
	}
	return parsed(v.json(name))
}

// hidden is json for an attribute that holds a secret whatever it is marked with.
func (v view) hidden(name string) any {
	if !v.secrets && v.has(name) {
		return v.unknown(v.value(name), name)
	}
	return v.json(name)
}

// document converts a value to what JSON holds, with an arm.Unknown for each part
// that is not known or not to be shown.
func (v view) document(val cty.Value, name string) any {
	plain, _, secret := lang.Marks(val)
	if !plain.IsKnown() {
		return v.unknown(val, name)
	}
	if plain.IsNull() {
		return nil
	}
	if secret && !v.secrets {
		return v.unknown(val, name)
	}
	switch t := plain.Type(); {
	case t == cty.String:
		return plain.AsString()
	case t == cty.Bool:
		return plain.True()
	case t == cty.Number:
		f, _ := plain.AsBigFloat().Float64()
		return f
	case t.IsMapType() || t.IsObjectType():
		out := arm.Object{}
		for k, e := range plain.AsValueMap() {
			out[k] = v.document(e, name+"."+k)
		}
		return out
	case t.IsListType() || t.IsSetType() || t.IsTupleType():
		out := make([]any, 0, plain.LengthInt())
		for _, e := range plain.AsValueSlice() {
			out = append(out, v.document(e, name))
		}
		return out
	}
	return v.unknown(val, name)
}

// unknown stands for a value that is not known, or not to be shown.
func (v view) unknown(val cty.Value, name string) arm.Unknown {
	_, from, _ := lang.MarksDeep(val)
	if from.Expression == "" {
		return arm.Unknown{Expression: v.r.Address + "." + v.path + name, File: v.r.Range.Filename, Line: v.r.Range.Start.Line}
	}
	if from.File == "" {
		from.File, from.Line = v.r.Range.Filename, v.r.Range.Start.Line
	}
	return arm.Unknown{Expression: from.Expression, File: from.File, Line: from.Line}
}
