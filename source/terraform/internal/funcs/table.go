package funcs

import (
	"maps"

	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// Setting is what the functions need to know of the configuration that calls them.
type Setting struct {
	// Dir is the folder of the root module, from which relative paths are taken.
	Dir string
	// Allowed answers why a path must not be read, nil where it may.
	Allowed func(path string) error
	// Sensitive marks a value as secret.
	Sensitive any
	// Unknown makes the value of a call that is not known before deployment.
	Unknown func(call string, t cty.Type) cty.Value
	// Meter bounds what the calls take.
	Meter *Meter
}

// Table is every function by name.
func Table(set Setting) map[string]function.Function {
	unknown := set.Unknown
	table := pure()
	maps.Copy(table, sensitivity(set.Sensitive))
	maps.Copy(table, files(set))
	for name, t := range map[string]cty.Type{"timestamp": cty.String, "plantimestamp": cty.String, "uuid": cty.String} {
		table[name] = function.New(&function.Spec{
			Type: function.StaticReturnType(t),
			Impl: func([]cty.Value, cty.Type) (cty.Value, error) { return unknown(name+"()", t), nil },
		})
	}
	table["bcrypt"] = function.New(&function.Spec{
		Params:   []function.Parameter{{Name: "str", Type: cty.String}},
		VarParam: &function.Parameter{Name: "cost", Type: cty.Number},
		Type:     function.StaticReturnType(cty.String),
		Impl:     func([]cty.Value, cty.Type) (cty.Value, error) { return unknown("bcrypt()", cty.String), nil },
	})
	// A template may call everything but a template.
	inner := maps.Clone(table)
	metered(inner, set.Meter)
	table["templatefile"] = templateFile(set, inner)
	table["templatestring"] = templateString(set, inner)
	metered(table, set.Meter)
	for name, f := range table {
		table["core::"+name] = f
	}
	for _, more := range []map[string]function.Function{azurerm(), azapi(), clock(), builtin()} {
		maps.Copy(table, more)
	}
	return table
}

// pure are the functions that depend on their arguments alone.
func pure() map[string]function.Function {
	table := map[string]function.Function{
		"can": tryfunc.CanFunc,
		"try": tryfunc.TryFunc,

		"abs":      stdlib.AbsoluteFunc,
		"ceil":     stdlib.CeilFunc,
		"floor":    stdlib.FloorFunc,
		"log":      stdlib.LogFunc,
		"max":      stdlib.MaxFunc,
		"min":      stdlib.MinFunc,
		"parseint": stdlib.ParseIntFunc,
		"pow":      stdlib.PowFunc,
		"signum":   stdlib.SignumFunc,

		"chomp":      stdlib.ChompFunc,
		"format":     stdlib.FormatFunc,
		"formatlist": stdlib.FormatListFunc,
		"indent":     stdlib.IndentFunc,
		"join":       stdlib.JoinFunc,
		"lower":      stdlib.LowerFunc,
		"regex":      stdlib.RegexFunc,
		"regexall":   stdlib.RegexAllFunc,
		"split":      stdlib.SplitFunc,
		"strrev":     stdlib.ReverseFunc,
		"substr":     stdlib.SubstrFunc,
		"title":      stdlib.TitleFunc,
		"trim":       stdlib.TrimFunc,
		"trimprefix": stdlib.TrimPrefixFunc,
		"trimspace":  stdlib.TrimSpaceFunc,
		"trimsuffix": stdlib.TrimSuffixFunc,
		"upper":      stdlib.UpperFunc,

		"chunklist":       stdlib.ChunklistFunc,
		"coalescelist":    stdlib.CoalesceListFunc,
		"compact":         stdlib.CompactFunc,
		"concat":          stdlib.ConcatFunc,
		"contains":        stdlib.ContainsFunc,
		"distinct":        stdlib.DistinctFunc,
		"element":         stdlib.ElementFunc,
		"flatten":         stdlib.FlattenFunc,
		"keys":            stdlib.KeysFunc,
		"merge":           stdlib.MergeFunc,
		"range":           stdlib.RangeFunc,
		"reverse":         stdlib.ReverseListFunc,
		"setintersection": stdlib.SetIntersectionFunc,
		"setproduct":      stdlib.SetProductFunc,
		"setsubtract":     stdlib.SetSubtractFunc,
		"setunion":        stdlib.SetUnionFunc,
		"slice":           stdlib.SliceFunc,
		"sort":            stdlib.SortFunc,
		"values":          stdlib.ValuesFunc,
		"zipmap":          stdlib.ZipmapFunc,

		"csvdecode":  stdlib.CSVDecodeFunc,
		"jsondecode": stdlib.JSONDecodeFunc,
		"jsonencode": stdlib.JSONEncodeFunc,
		"formatdate": stdlib.FormatDateFunc,
		"timeadd":    stdlib.TimeAddFunc,

		"tobool":   stdlib.MakeToFunc(cty.Bool),
		"tonumber": stdlib.MakeToFunc(cty.Number),
		"tostring": stdlib.MakeToFunc(cty.String),
		"tolist":   stdlib.MakeToFunc(cty.List(cty.DynamicPseudoType)),
		"tomap":    stdlib.MakeToFunc(cty.Map(cty.DynamicPseudoType)),
		"toset":    stdlib.MakeToFunc(cty.Set(cty.DynamicPseudoType)),
	}
	for _, name := range []string{"tonumber", "jsondecode"} {
		table[name] = modest(table[name])
	}
	for _, more := range []map[string]function.Function{text(), collections(), encoding(), hashes(), addresses(), times()} {
		maps.Copy(table, more)
	}
	return table
}

// sensitivity are the functions about secrets.
func sensitivity(mark any) map[string]function.Function {
	param := []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType, AllowUnknown: true, AllowNull: true, AllowMarked: true, AllowDynamicType: true}}
	same := func(args []cty.Value) (cty.Type, error) { return args[0].Type(), nil }
	return map[string]function.Function{
		"sensitive": function.New(&function.Spec{Params: param, Type: same, Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return args[0].Mark(mark), nil
		}}),
		"nonsensitive": function.New(&function.Spec{Params: param, Type: same, Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			v, marks := args[0].Unmark()
			delete(marks, mark)
			return v.WithMarks(marks), nil
		}}),
		"issensitive": function.New(&function.Spec{Params: param, Type: function.StaticReturnType(cty.Bool), Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.BoolVal(args[0].HasMark(mark)), nil
		}}),
		"ephemeralasnull": function.New(&function.Spec{Params: param, Type: same, Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return args[0], nil
		}}),
	}
}
