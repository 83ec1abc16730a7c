package funcs

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// builtin are the functions of the provider that is built into Terraform.
func builtin() map[string]function.Function {
	any := function.Parameter{Name: "value", Type: cty.DynamicPseudoType, AllowNull: true, AllowDynamicType: true}
	return map[string]function.Function{
		"provider::terraform::encode_expr": function.New(&function.Spec{
			Params: []function.Parameter{any}, Type: function.StaticReturnType(cty.String), Impl: encodeExpr,
		}),
		"provider::terraform::encode_tfvars": function.New(&function.Spec{
			Params: []function.Parameter{any}, Type: function.StaticReturnType(cty.String), Impl: encodeValues,
		}),
		"provider::terraform::decode_tfvars": function.New(&function.Spec{
			Params: []function.Parameter{{Name: "src", Type: cty.String}},
			Type:   function.StaticReturnType(cty.DynamicPseudoType), Impl: decodeValues,
		}),
	}
}

func encodeExpr(args []cty.Value, t cty.Type) (cty.Value, error) {
	if !args[0].IsWhollyKnown() {
		return cty.UnknownVal(t), nil
	}
	return cty.StringVal(string(hclwrite.TokensForValue(args[0]).Bytes())), nil
}

func encodeValues(args []cty.Value, t cty.Type) (cty.Value, error) {
	v := args[0]
	switch {
	case v.IsNull() || !v.Type().IsObjectType() && !v.Type().IsMapType():
		return cty.NilVal, errors.New("an object is needed: its attributes become the variables")
	case !v.IsWhollyKnown():
		return cty.UnknownVal(t), nil
	}
	all := v.AsValueMap()
	f := hclwrite.NewEmptyFile()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if !hclsyntax.ValidIdentifier(name) {
			return cty.NilVal, fmt.Errorf("%q cannot be the name of a variable", name)
		}
		f.Body().SetAttributeValue(name, all[name])
	}
	return cty.StringVal(string(f.Bytes())), nil
}

func decodeValues(args []cty.Value, _ cty.Type) (cty.Value, error) {
	src := []byte(args[0].AsString())
	if err := Nesting(src, "the argument", false); err != nil {
		return cty.NilVal, err
	}
	file, diags := hclsyntax.ParseConfig(src, "<argument>", hcl.InitialPos)
	if diags.HasErrors() {
		return cty.NilVal, plain(diags)
	}
	attrs, diags := file.Body.JustAttributes()
	if diags.HasErrors() {
		return cty.NilVal, plain(diags)
	}
	out := map[string]cty.Value{}
	for name, a := range attrs {
		v, diags := a.Expr.Value(nil)
		if diags.HasErrors() {
			return cty.NilVal, plain(diags)
		}
		out[name] = v
	}
	return cty.ObjectVal(out), nil
}
