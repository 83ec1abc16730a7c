package funcs

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// templateFile renders a file with the given variables. Templates cannot render
// further templates, so that rendering always ends.
func templateFile(set Setting, inner map[string]function.Function) function.Function {
	return templating("path", set.Meter, inner, func(name string) (string, []byte, error) {
		src, err := set.read(name)
		if err == nil && !utf8.Valid(src) {
			err = fmt.Errorf("%s is not UTF-8 text", name)
		}
		return name, src, err
	})
}

func templateString(set Setting, inner map[string]function.Function) function.Function {
	return templating("template", set.Meter, inner, func(src string) (string, []byte, error) {
		return "<template>", []byte(src), nil
	})
}

func templating(param string, m *Meter, inner map[string]function.Function, load func(string) (string, []byte, error)) function.Function {
	render := func(args []cty.Value) (cty.Value, error) {
		name, src, err := load(args[0].AsString())
		if err != nil {
			return cty.DynamicVal, err
		}
		expr, diags := parseTemplate(name, src, m)
		if diags.HasErrors() {
			return cty.DynamicVal, plain(diags)
		}
		vars, err := templateVars(args[1])
		if err != nil {
			return cty.DynamicVal, err
		}
		for _, t := range expr.Variables() {
			if _, ok := vars[t.RootName()]; !ok {
				r := t.SourceRange()
				return cty.DynamicVal, fmt.Errorf("%s:%d uses %s, which the call does not give", name, r.Start.Line, t.RootName())
			}
		}
		v, diags := expr.Value(&hcl.EvalContext{Variables: vars, Functions: inner})
		if diags.HasErrors() {
			return cty.DynamicVal, plain(diags)
		}
		return v, nil
	}
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: param, Type: cty.String}, {Name: "vars", Type: cty.DynamicPseudoType, AllowUnknown: true}},
		Type: func(args []cty.Value) (cty.Type, error) {
			if !args[0].IsKnown() || !args[1].IsKnown() {
				return cty.DynamicPseudoType, nil
			}
			v, err := render(args)
			return v.Type(), err
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if !args[1].IsKnown() {
				return cty.DynamicVal, nil
			}
			return render(args)
		},
	})
}

func parseTemplate(name string, src []byte, m *Meter) (hclsyntax.Expression, hcl.Diagnostics) {
	if err := Nesting(src, name, true); err != nil {
		return nil, hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Template too deeply nested", Detail: err.Error()}}
	}
	expr, diags := hclsyntax.ParseTemplate(src, name, hcl.Pos{Line: 1, Column: 1})
	if !diags.HasErrors() {
		Bound(expr, m)
	}
	return expr, diags
}

func templateVars(v cty.Value) (map[string]cty.Value, error) {
	if t := v.Type(); v.IsNull() || !t.IsObjectType() && !t.IsMapType() {
		return nil, errors.New("the variables of a template must be a map or an object")
	}
	vars := map[string]cty.Value{}
	for k, e := range v.AsValueMap() {
		if !hclsyntax.ValidIdentifier(k) {
			return nil, fmt.Errorf("%q cannot be a variable of a template: it is not an identifier", k)
		}
		vars[k] = e
	}
	return vars, nil
}

// plain is the first error of diags on one line: it becomes the detail of the
// diagnostic of the call.
func plain(diags hcl.Diagnostics) error {
	for _, d := range diags {
		if d.Severity != hcl.DiagError {
			continue
		}
		if d.Subject != nil {
			return fmt.Errorf("%s:%d: %s: %s", d.Subject.Filename, d.Subject.Start.Line, d.Summary, strings.TrimSuffix(d.Detail, "."))
		}
		return fmt.Errorf("%s: %s", d.Summary, strings.TrimSuffix(d.Detail, "."))
	}
	return diags
}
