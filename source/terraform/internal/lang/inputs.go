package lang

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/cloister-ml/cloister/source/terraform/internal/funcs"
)

// given is a value for a variable of the root module.
type given struct {
	value cty.Value
	at    hcl.Range
}

// rootInputs gathers the values of the root module's variables in the order of
// Terraform's own precedence: the environment, terraform.tfvars, *.auto.tfvars,
// the files that are named, the variables that are named.
func (ev *evaluator) rootInputs(mod *module) func(*variable) (cty.Value, hcl.Range, bool) {
	values := map[string]given{}
	for _, pair := range ev.opts.Environ {
		name, text, _ := strings.Cut(pair, "=")
		if name, ok := strings.CutPrefix(name, "TF_VAR_"); ok && mod.variables[name] != nil {
			ev.literal(values, mod.variables[name], text, "TF_VAR_"+name)
		}
	}
	for _, path := range ev.automatic() {
		ev.valuesFile(values, mod, path)
	}
	for _, path := range ev.opts.VarFiles {
		ev.valuesFile(values, mod, path)
	}
	for _, name := range slices.Sorted(maps.Keys(ev.opts.Vars)) {
		v := mod.variables[name]
		if v == nil {
			ev.fail(nil, "Value for a variable that is not declared", "%s declares no variable %q.%s", ev.called(mod), name, DidYouMean(name, mod.variables))
			continue
		}
		ev.literal(values, v, ev.opts.Vars[name], "--var "+name)
	}
	for name, val := range ev.opts.Inputs {
		if v := mod.variables[name]; v != nil {
			values[name] = given{val, v.at}
		}
	}
	return func(v *variable) (cty.Value, hcl.Range, bool) {
		g, ok := values[v.name]
		return g.value, g.at, ok
	}
}

// automatic are the files of values that are read without being named.
func (ev *evaluator) automatic() []string {
	var out []string
	for _, name := range []string{"terraform.tfvars", "terraform.tfvars.json"} {
		if path := filepath.Join(ev.root, name); exists(path) {
			out = append(out, path)
		}
	}
	entries, err := os.ReadDir(ev.root)
	if err != nil {
		return out
	}
	for _, e := range entries { // sorted by name
		if strings.HasSuffix(e.Name(), ".auto.tfvars") || strings.HasSuffix(e.Name(), ".auto.tfvars.json") {
			out = append(out, filepath.Join(ev.root, e.Name()))
		}
	}
	return out
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func (ev *evaluator) valuesFile(values map[string]given, mod *module, path string) {
	body, ok := ev.parseFile(path)
	if !ok {
		return
	}
	attrs, diags := body.JustAttributes()
	ev.report(diags)
	for _, name := range slices.Sorted(maps.Keys(attrs)) {
		a := attrs[name]
		if mod.variables[name] == nil {
			ev.warn(&a.NameRange, "Value for a variable that is not declared", "%s declares no variable %q.%s", ev.called(mod), name, DidYouMean(name, mod.variables))
			continue
		}
		ev.meter.Next()
		v, diags := a.Expr.Value(nil)
		if ev.report(diags); !diags.HasErrors() {
			values[name] = given{v, a.Expr.Range()}
		}
	}
}

// literal reads a value given as text: as it is where a primitive is wanted, as
// an expression where something larger is.
func (ev *evaluator) literal(values map[string]given, v *variable, text, from string) {
	at := hcl.Range{Filename: from, Start: hcl.InitialPos, End: hcl.InitialPos}
	if v.typ.IsPrimitiveType() || !v.typed {
		values[v.name] = given{cty.StringVal(text), at}
		return
	}
	if err := checkNesting(text, from); err != nil {
		ev.fail(nil, "Value does not parse", "%v.", err)
		return
	}
	expr, diags := hclsyntax.ParseExpression([]byte(text), from, hcl.InitialPos)
	if diags.HasErrors() {
		ev.fail(nil, "Value does not parse", "%s takes %s, written as in a configuration.", from, v.typ.FriendlyName())
		return
	}
	funcs.Bound(expr, &ev.meter)
	val, diags := expr.Value(nil)
	if diags.HasErrors() {
		ev.fail(nil, "Value does not parse", "%s takes a value without references.", from)
		return
	}
	values[v.name] = given{val, at}
}
