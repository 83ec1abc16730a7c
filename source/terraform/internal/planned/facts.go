package planned

import (
	"fmt"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/cloister-ml/cloister/source/terraform/internal/lang"
	"github.com/cloister-ml/cloister/source/terraform/internal/schema"
)

// Variables are the values that the root module's variables have in a plan.
func (f *File) Variables() map[string]cty.Value {
	out := make(map[string]cty.Value, len(f.p.Variables))
	for name, v := range f.p.Variables {
		out[name] = implied(v.Value, nil, nil)
	}
	return out
}

// Known are the attributes of a resource or a data source that the file knows and
// its configuration does not say, by name; those of a block as block[0].attribute.
func (f *File) Known(r *lang.Resource) map[string]cty.Value {
	fact, ok := f.facts[r.Address]
	if !ok || fact.Type != r.Type {
		return nil
	}
	out := map[string]cty.Value{}
	k := knower{data: r.Data, out: out}
	if r.Schema == nil {
		k.loose(place{values: fact.Values, unknown: fact.unknown, sensitive: fact.Sensitive})
		return out
	}
	k.block(r.Schema, place{values: fact.Values, unknown: fact.unknown, sensitive: fact.Sensitive}, true)
	return out
}

// knower gathers what is known of one resource.
type knower struct {
	data bool
	out  map[string]cty.Value
}

func (k knower) block(sch *schema.Block, at place, outer bool) {
	for name, a := range sch.Attributes {
		if raw := at.values[name]; raw != nil && raw != "" && (a.Computed || k.data) && !anyTrue(member(at.unknown, name)) {
			k.put(at.path+name, a.Type, raw, a.Sensitive || anyTrue(member(at.sensitive, name)))
		}
	}
	if !outer {
		return
	}
	for name, nested := range sch.Blocks {
		list, _ := at.values[name].([]any)
		for i, e := range list {
			if inner, ok := e.(map[string]any); ok {
				k.block(&nested.Block, place{
					values: inner, unknown: element(member(at.unknown, name), i), sensitive: element(member(at.sensitive, name), i),
					path: fmt.Sprintf("%s[%d].", name, i),
				}, false)
			}
		}
	}
}

// loose is block for a type without a schema.
func (k knower) loose(at place) {
	for name, raw := range at.values {
		if raw != nil && !anyTrue(member(at.unknown, name)) {
			k.put(name, cty.DynamicPseudoType, raw, anyTrue(member(at.sensitive, name)))
		}
	}
}

func (k knower) put(name string, t cty.Type, raw any, secret bool) {
	v, err := convert.Convert(implied(raw, nil, nil), t)
	if err != nil {
		return // of another release's type
	}
	if secret {
		v = v.Mark(lang.Sensitive)
	}
	k.out[name] = v
}
