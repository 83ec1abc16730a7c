package planned

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/cloister-ml/cloister/source/terraform/internal/lang"
	"github.com/cloister-ml/cloister/source/terraform/internal/schema"
)

// overlay is a body as it is written, with the values that the file knows: those
// that only it has (of data sources, of what is there already), and those that it
// has instead (ignore_changes). What the file does not know has the value that
// evaluation gives it. What is not written is a default of the provider, and stays
// out, unless the resource is there already and has it.
func (b bodies) overlay(sch *schema.Block, written, known *lang.Body, at place) *lang.Body {
	out := &lang.Body{Attrs: map[string]cty.Value{}, Blocks: map[string][]*lang.Body{}, Encoded: map[string]cty.Value{}, Range: written.Range}
	for name, v := range written.Attrs {
		a, ok := sch.Attributes[name]
		if !ok || objectList(a.Type) {
			continue // blocks
		}
		settled, own := b.settled(name, a, v, at)
		if settled == cty.NilVal {
			continue
		}
		out.Attrs[name] = settled
		if e, ok := written.Encoded[name]; ok && own {
			out.Encoded[name] = e
		}
	}
	for name, v := range known.Attrs {
		if w, ok := written.Attrs[name]; (!ok || isNull(w)) && !b.n.fresh && !anyTrue(member(at.unknown, name)) {
			out.Attrs[name] = v
		}
	}
	for name := range blockNames(sch, written, known) {
		b.overlayBlocks(out, name, sch, written, known, at)
	}
	return out
}

func isNull(v cty.Value) bool {
	plain, _, _ := lang.Marks(v)
	return plain.IsKnown() && plain.IsNull()
}

func objectList(t cty.Type) bool { return t.IsListType() && t.ElementType().IsObjectType() }

// settled is the value of an attribute that is written, and whether it is the
// configuration's own; NilVal where the file knows that there is none.
func (b bodies) settled(name string, a schema.Attribute, v cty.Value, at place) (settled cty.Value, own bool) {
	if anyTrue(member(at.unknown, name)) {
		return v, true
	}
	plain, _, secret := lang.MarksDeep(v)
	b.hold(name, a, plain, at)
	raw := at.values[name]
	switch {
	case raw == nil && plain.IsWhollyKnown():
		return v, true // write-only, or what the provider keeps for nothing
	case raw == nil:
		return cty.NilVal, false
	}
	said, err := convert.Convert(implied(raw, nil, nil), a.Type)
	if err != nil || plain.IsWhollyKnown() && (plain.IsNull() || same(plain, said)) {
		return v, true
	}
	if secret || a.Sensitive || anyTrue(member(at.sensitive, name)) {
		return said.Mark(lang.Sensitive), secret
	}
	return said, false
}

// hold notes a constant that the plan's configuration has and the one at hand has
// not: they are two.
func (b bodies) hold(name string, a schema.Attribute, plain cty.Value, at place) {
	var e expression
	if b.rd.stale != "" || !plain.IsWhollyKnown() || json.Unmarshal(at.written[name], &e) != nil || e.Constant == nil {
		return
	}
	c, err := convert.Convert(implied(e.Constant, nil, nil), a.Type)
	if err == nil && (plain.IsNull() || !same(plain, c)) {
		b.rd.stale = b.n.Address + "." + at.path + name
	}
}

// same reports whether two values without marks say the same. Sets are lists here,
// so the order of plain values in a list says nothing.
func same(a, b cty.Value) bool {
	switch {
	case a.IsNull() || b.IsNull() || !a.IsKnown() || !b.IsKnown():
		return a.IsNull() && b.IsNull()
	case a.Type().IsPrimitiveType() && b.Type().IsPrimitiveType():
		x, errX := convert.Convert(a, cty.String)
		y, errY := convert.Convert(b, cty.String)
		return errX == nil && errY == nil && x.AsString() == y.AsString()
	case a.CanIterateElements() != b.CanIterateElements() || !a.CanIterateElements() || a.LengthInt() != b.LengthInt():
		return false
	case keyed(a.Type()) != keyed(b.Type()):
		return false
	case keyed(a.Type()):
		other := b.AsValueMap()
		for k, e := range a.AsValueMap() {
			o, ok := other[k]
			if !ok || !same(e, o) {
				return false
			}
		}
		return true
	}
	rest := b.AsValueSlice()
	for _, e := range a.AsValueSlice() {
		i := slices.IndexFunc(rest, func(o cty.Value) bool { return same(e, o) })
		if i < 0 {
			return false
		}
		rest = slices.Delete(rest, i, i+1)
	}
	return true
}

func keyed(t cty.Type) bool { return t.IsMapType() || t.IsObjectType() }

// blockNames are the names of blocks that either body has.
func blockNames(sch *schema.Block, bodies ...*lang.Body) map[string]bool {
	out := map[string]bool{}
	for _, body := range bodies {
		for name := range body.Blocks {
			out[name] = true
		}
		for name := range body.Attrs {
			if a, ok := sch.Attributes[name]; !ok || objectList(a.Type) {
				out[name] = true
			}
		}
	}
	return out
}

// overlayBlocks adds the blocks of one name.
func (b bodies) overlayBlocks(out *lang.Body, name string, sch *schema.Block, written, known *lang.Body, at place) {
	w, unknown := written.Blocks[name], member(at.unknown, name)
	dynamic, undecided := written.Attrs[name]
	raw, said := at.values[name]
	list := objectsOf(raw)
	switch {
	case unknown == true || !said:
		if out.Blocks[name] = w; undecided {
			out.Attrs[name] = dynamic
		}
	case len(w) == 0 && !undecided && b.n.fresh: // the provider's own
	case len(w) != len(list) || len(known.Blocks[name]) != len(list):
		out.Blocks[name] = known.Blocks[name]
	default:
		inner, filled := blockSchema(sch, name)
		order, ok := pair(inner, w, list, unknown)
		if !ok {
			out.Blocks[name] = known.Blocks[name]
			return
		}
		for i, body := range w {
			j := order[i]
			next := place{values: list[j], unknown: element(unknown, j), sensitive: element(member(at.sensitive, name), j), path: at.path + name + ".", filled: filled}
			if _, single := raw.(map[string]any); single {
				next.unknown, next.sensitive = unknown, member(at.sensitive, name)
			}
			out.Blocks[name] = append(out.Blocks[name], b.overlay(inner, body, known.Blocks[name][j], next))
		}
	}
	if len(out.Blocks[name]) == 0 {
		delete(out.Blocks, name)
	}
}

func blockSchema(sch *schema.Block, name string) (inner *schema.Block, filled bool) {
	if n, ok := sch.Blocks[name]; ok {
		return &n.Block, false
	}
	if a, ok := sch.Attributes[name]; ok && objectList(a.Type) {
		o := objects(a.Type)
		return &o, true
	}
	return &schema.Block{}, false
}

// objectsOf are the blocks of one name as a file has them: a list, or one.
func objectsOf(raw any) []map[string]any {
	if one, ok := raw.(map[string]any); ok {
		return []map[string]any{one}
	}
	list, _ := raw.([]any)
	var out []map[string]any
	for _, e := range list {
		if o, ok := e.(map[string]any); ok {
			out = append(out, o)
		}
	}
	return out
}

// pair finds for each block that is written the one in the file, whose order is
// another where the blocks are a set.
func pair(sch *schema.Block, written []*lang.Body, list []map[string]any, unknown any) ([]int, bool) {
	out := make([]int, 0, len(written))
	taken := make([]bool, len(list))
	for i, w := range written {
		j := i
		if len(list) > 1 && !fits(sch, w, list[i], element(unknown, i)) || taken[i] {
			j = -1
			for k := range list {
				if !taken[k] && fits(sch, w, list[k], element(unknown, k)) {
					j = k
					break
				}
			}
		}
		if j < 0 {
			return nil, false
		}
		taken[j] = true
		out = append(out, j)
	}
	return out, true
}

// fits reports whether a block of the file can be one that is written: what both
// know is the same.
func fits(sch *schema.Block, w *lang.Body, raw map[string]any, unknown any) bool {
	for name, v := range w.Attrs {
		plain, _, _ := lang.MarksDeep(v)
		a, ok := sch.Attributes[name]
		if !ok || anyTrue(member(unknown, name)) || !plain.IsWhollyKnown() || plain.IsNull() {
			continue
		}
		said, err := convert.Convert(implied(raw[name], nil, nil), a.Type)
		if err != nil || said.IsNull() {
			continue
		}
		if !same(plain, said) && !sameWords(plain, said) {
			return false
		}
	}
	return true
}

// sameWords reports whether two strings differ in the case of letters alone, which
// providers change.
func sameWords(a, b cty.Value) bool {
	return a.Type() == cty.String && b.Type() == cty.String && strings.EqualFold(a.AsString(), b.AsString())
}
