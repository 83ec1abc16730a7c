package lang

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/cloister-ml/cloister/source/terraform/internal/schema"
)

// Body is what a block says, evaluated: the attributes that are written, and the
// blocks within, dynamic ones unrolled.
type Body struct {
	Attrs  map[string]cty.Value
	Blocks map[string][]*Body
	// Encoded are the arguments of jsonencode where an attribute is such a call and
	// part of it is not known: the text is not, but its structure is.
	Encoded map[string]cty.Value
	Range   hcl.Range
}

func newBody(at hcl.Range) *Body {
	return &Body{Attrs: map[string]cty.Value{}, Blocks: map[string][]*Body{}, Encoded: map[string]cty.Value{}, Range: at}
}

// bodySchema is sch as hcl reads it. An attribute that holds a list of objects
// may be written as blocks, and every block may be dynamic.
func bodySchema(sch *schema.Block) *hcl.BodySchema {
	out := &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "dynamic", LabelNames: []string{"type"}}}}
	for name, a := range sch.Attributes {
		out.Attributes = append(out.Attributes, hcl.AttributeSchema{Name: name, Required: a.Required})
		if _, alsoBlock := sch.Blocks[name]; isObjects(a.Type) && !alsoBlock {
			out.Blocks = append(out.Blocks, hcl.BlockHeaderSchema{Type: name})
		}
	}
	for name := range sch.Blocks {
		out.Blocks = append(out.Blocks, hcl.BlockHeaderSchema{Type: name})
	}
	return out
}

// content reads a body by its schema. Only what is written and what must be is
// asked for, since the schemas of services name a hundred attributes and more, and
// most bodies have ten; where something is wrong, the whole schema words it.
func content(body hcl.Body, sch *schema.Block) (*hcl.BodyContent, hcl.Diagnostics) {
	if native, ok := body.(*hclsyntax.Body); ok {
		if c, diags := body.Content(written(native, sch)); !diags.HasErrors() {
			return c, diags
		}
	}
	return body.Content(bodySchema(sch))
}

// written is what bodySchema says of the attributes and blocks that a body has, and
// of the attributes that it must have.
func written(body *hclsyntax.Body, sch *schema.Block) *hcl.BodySchema {
	out := &hcl.BodySchema{Attributes: make([]hcl.AttributeSchema, 0, len(body.Attributes))}
	for name, a := range sch.Attributes {
		if _, there := body.Attributes[name]; there || a.Required {
			out.Attributes = append(out.Attributes, hcl.AttributeSchema{Name: name, Required: a.Required})
		}
	}
	for _, b := range body.Blocks {
		if slices.ContainsFunc(out.Blocks, func(h hcl.BlockHeaderSchema) bool { return h.Type == b.Type }) {
			continue
		}
		if b.Type == "dynamic" {
			out.Blocks = append(out.Blocks, hcl.BlockHeaderSchema{Type: b.Type, LabelNames: []string{"type"}})
		} else if _, known := nested(sch, b.Type); known {
			out.Blocks = append(out.Blocks, hcl.BlockHeaderSchema{Type: b.Type})
		}
	}
	return out
}

func isObjects(t cty.Type) bool { return t.IsListType() && t.ElementType().IsObjectType() }

// blockOf is the schema of the blocks of an attribute that holds objects.
func blockOf(t cty.Type) *schema.Block {
	b := &schema.Block{Attributes: map[string]schema.Attribute{}}
	for name, at := range t.ElementType().AttributeTypes() {
		b.Attributes[name] = schema.Attribute{Type: at, Optional: true}
	}
	return b
}

// nested is the schema of the blocks called name within sch, and how many there
// may be.
func nested(sch *schema.Block, name string) (n schema.Nested, ok bool) {
	if n, ok = sch.Blocks[name]; ok {
		return n, true
	}
	if a, ok := sch.Attributes[name]; ok && isObjects(a.Type) {
		return schema.Nested{Block: *blockOf(a.Type)}, true
	}
	return n, false
}

// decode evaluates a body by its schema.
func (s *scope) decode(body hcl.Body, sch *schema.Block) *Body {
	ev := s.inst.ev
	out := newBody(body.MissingItemRange())
	content, diags := content(body, sch)
	ev.report(diags)
	for _, name := range slices.Sorted(maps.Keys(content.Attributes)) {
		attr, a := content.Attributes[name], sch.Attributes[name]
		if !a.Settable() {
			ev.fail(&attr.NameRange, "Attribute cannot be set", "%q follows from the deployment: take the line out.", name)
			continue
		}
		v := s.eval(attr.Expr)
		if !v.Type().Equals(a.Type) {
			v = s.convert(v, a.Type, attr.Expr.Range(), fmt.Sprintf("The value of %q", name))
		}
		if isObjects(a.Type) && unroll(out, name, v, attr.Expr) {
			continue
		}
		out.Attrs[name] = v
		if call, ok := attr.Expr.(*hclsyntax.FunctionCallExpr); ok && call.Name == "jsonencode" && len(call.Args) == 1 && !v.IsKnown() {
			out.Encoded[name] = s.eval(call.Args[0])
		}
	}
	for _, b := range content.Blocks {
		if b.Type == "dynamic" {
			s.dynamic(out, sch, b)
			continue
		}
		n, _ := nested(sch, b.Type)
		out.Blocks[b.Type] = append(out.Blocks[b.Type], s.decode(b.Body, &n.Block))
	}
	for name, n := range sch.Blocks {
		_, unknown := out.Attrs[name]
		switch have := len(out.Blocks[name]); {
		case have < n.Min && !unknown:
			ev.fail(&out.Range, "Missing block", "A block %q is required here.", name)
		case n.Max > 0 && have > n.Max:
			ev.fail(&out.Range, "Too many blocks", "At most %d of the block %q may stand here, and %d do.", n.Max, name, have)
		}
	}
	return out
}

// unroll turns a known list of objects into blocks, so that both ways to write
// them read the same.
func unroll(out *Body, name string, v cty.Value, expr hcl.Expression) bool {
	plain, _, secret := Marks(v)
	if !plain.IsKnown() || plain.IsNull() || secret {
		return false
	}
	written, diags := hcl.ExprList(expr)
	if diags.HasErrors() || len(written) != plain.LengthInt() {
		written = nil // not a list of objects as they stand
	}
	for it := plain.ElementIterator(); it.Next(); {
		_, elem := it.Element()
		elem, marks := elem.Unmark()
		if !elem.IsKnown() || elem.IsNull() {
			return false
		}
		b := newBody(expr.Range())
		if i := len(out.Blocks[name]); written != nil {
			b.Range = written[i].Range()
		}
		for attr, av := range elem.AsValueMap() {
			b.Attrs[attr] = av.WithMarks(marks)
		}
		out.Blocks[name] = append(out.Blocks[name], b)
	}
	return true
}

var dynamicSchema = &hcl.BodySchema{
	Attributes: []hcl.AttributeSchema{{Name: "for_each", Required: true}, {Name: "iterator"}, {Name: "labels"}},
	Blocks:     []hcl.BlockHeaderSchema{{Type: "content"}},
}

// dynamic unrolls a dynamic block into the blocks that it stands for.
func (s *scope) dynamic(out *Body, sch *schema.Block, b *hcl.Block) {
	ev, name := s.inst.ev, b.Labels[0]
	n, ok := nested(sch, name)
	if name == "timeouts" {
		return // how long to wait says nothing about what is deployed
	}
	if !ok {
		ev.fail(&b.LabelRanges[0], "Unsupported block type", "No block %q may stand here.%s", name, DidYouMean(name, names(sch)))
		return
	}
	content, diags := b.Body.Content(dynamicSchema)
	if ev.report(diags); diags.HasErrors() {
		return
	}
	if len(content.Blocks) != 1 {
		ev.fail(&b.DefRange, "Missing block", "A dynamic block has one block \"content\".")
		return
	}
	iterator := name
	if it := content.Attributes["iterator"]; it != nil {
		if iterator = hcl.ExprAsKeyword(it.Expr); iterator == "" {
			ev.fail(it.Expr.Range().Ptr(), "Not a name", "The iterator of a dynamic block is a name, without quotes.")
			return
		}
	}
	expr := content.Attributes["for_each"].Expr
	v, from, secret := Marks(s.eval(expr))
	switch {
	case !v.IsKnown():
		out.Attrs[name] = unknown(cty.DynamicPseudoType, from)
		return
	case v.IsNull():
		ev.fail(expr.Range().Ptr(), "for_each is null", "A dynamic block needs a list, a set or a map; use [] for none.")
		return
	case !v.CanIterateElements():
		ev.fail(expr.Range().Ptr(), "for_each of the wrong type", "A dynamic block needs a list, a set or a map, and this is %s.", kindOf(v))
		return
	case v.LengthInt() > maxInstances:
		ev.fail(expr.Range().Ptr(), "Too many blocks", "for_each has %d elements, and the limit is %d.", v.LengthInt(), maxInstances)
		return
	}
	isSet := v.Type().IsSetType()
	for it := v.ElementIterator(); it.Next(); {
		key, elem := it.Element()
		if isSet {
			key = elem
		}
		if secret {
			elem = elem.Mark(Sensitive)
		}
		inner := s.with(iterator, cty.ObjectVal(map[string]cty.Value{"key": key, "value": elem}))
		out.Blocks[name] = append(out.Blocks[name], inner.decode(content.Blocks[0].Body, &n.Block))
	}
}

// decodeLoose evaluates the body of a type without a schema: every attribute as
// it stands, and the blocks of the native syntax.
func (s *scope) decodeLoose(body hcl.Body) *Body {
	out := newBody(body.MissingItemRange())
	if both, ok := body.(*overlaid); ok {
		return both.decodeLoose(s)
	}
	native, ok := body.(*hclsyntax.Body)
	if !ok {
		attrs, diags := body.JustAttributes()
		s.inst.ev.report(diags)
		for name, a := range attrs {
			out.Attrs[name] = s.eval(a.Expr)
		}
		return out
	}
	for _, name := range slices.Sorted(maps.Keys(native.Attributes)) {
		if !slices.ContainsFunc(metaSchema.Attributes, func(a hcl.AttributeSchema) bool { return a.Name == name }) {
			out.Attrs[name] = s.eval(native.Attributes[name].Expr)
		}
	}
	for _, b := range native.Blocks {
		if b.Type == "dynamic" || slices.ContainsFunc(metaSchema.Blocks, func(m hcl.BlockHeaderSchema) bool { return m.Type == b.Type }) {
			continue
		}
		out.Blocks[b.Type] = append(out.Blocks[b.Type], s.decodeLoose(b.Body))
	}
	return out
}

// decodeLoose is that of the body below with what the one above has instead.
func (o *overlaid) decodeLoose(s *scope) *Body {
	out, over := s.decodeLoose(o.base), s.decodeLoose(o.over)
	maps.Copy(out.Attrs, over.Attrs)
	maps.Copy(out.Blocks, over.Blocks)
	return out
}
