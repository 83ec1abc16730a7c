package pipeline

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/cloister-ml/cloister/internal/devops/expression"
)

const maxVariables = 1000 // of one level

// variables reads both forms: a mapping, or a list of names and values. Each sees
// those before it.
func (r *reader) variables(b bound) []Variable {
	b = r.resolve(b)
	var out []Variable
	before := b.scope.names["variables"]
	add := func(at, value bound, v Variable) {
		if len(out) == maxVariables {
			r.fail(at, "there are more than %d variables", maxVariables)
		}
		if len(out) < maxVariables {
			out = append(out, r.variable(at, value, v))
			before = extend(b.scope.with("variables", before), out[len(out)-1:]).names["variables"]
		}
	}
	if b.Kind == yaml.MappingNode {
		for _, f := range r.fields(b, "variables") {
			f.value.scope = f.value.scope.with("variables", before)
			add(f.at, f.value, Variable{Name: f.key, Value: r.text(f.value)})
		}
		return out
	}
	for _, item := range r.items(b, "variables") {
		item.scope = item.scope.with("variables", before)
		var v Variable
		value := item
		r.read(item, schema{what: "a variable", keys: map[string]func(at, value bound){
			"name":     r.setText(&v.Name),
			"value":    func(_, at bound) { v.Value, value = r.text(at), at },
			"readonly": r.setBool(&v.ReadOnly),
		}, unsupported: map[string]string{
			"group":    "there are no variable groups; give the pipeline a variable of its own, or read a secret from the vault in a step",
			"template": "write the variables in this file",
		}})
		add(item, value, v)
	}
	return out
}

func (r *reader) variable(at, value bound, v Variable) Variable {
	if v.Name == "" && len(r.errs) == 0 {
		r.fail(at, "a variable needs a name")
	}
	if inner, ok := expression.IsRuntime(v.Value); ok {
		r.conds = append(r.conds, located{value, inner})
	}
	return v
}

// parameters reads the declared parameters and takes the run's values for them.
func (r *reader) parameters(b bound, p *Pipeline) *scope {
	values := expression.Object{}
	names := map[string]bool{}
	for _, item := range r.items(b, "parameters") {
		param := Parameter{Type: "string"}
		var given, allowed bound
		var displayName string
		r.read(item, schema{what: "a parameter", keys: map[string]func(at, value bound){
			"name":        r.setText(&param.Name),
			"displayName": r.setText(&displayName),
			"type":        r.setText(&param.Type),
			"default":     func(_, v bound) { given = v },
			"values":      func(_, v bound) { allowed = v },
		}})
		if !isIdentifier(param.Name) {
			r.fail(item, "a parameter needs a name of letters, digits and _")
			continue
		}
		names[strings.ToLower(param.Name)] = true
		r.parameter(item, &param, given, allowed, values)
		p.Parameters = append(p.Parameters, param)
	}
	for name := range r.in.Parameters {
		if !names[strings.ToLower(name)] {
			r.fail(b, "the pipeline has no parameter %s", name)
		}
	}
	return b.scope.with("parameters", values)
}

func (r *reader) parameter(at bound, param *Parameter, given, allowed bound, values expression.Object) {
	if !slices.Contains([]string{"string", "boolean", "number", "object"}, param.Type) {
		r.fail(at, "the type %s of parameter %s is not supported: string, boolean, number or object", param.Type, param.Name)
		return
	}
	if allowed.Node != nil && param.Type == "object" {
		r.fail(allowed, "values is for parameters of type string and number")
		return
	}
	if allowed.Node != nil {
		for _, item := range r.items(allowed, "values") {
			if v, ok := r.convert(item, param, r.plainValue(item)); ok {
				param.Values = append(param.Values, v)
			}
		}
	}
	value, found := r.givenParameter(at, param)
	if given.Node != nil {
		d, ok := r.convert(given, param, r.plainValue(given))
		if param.Default = d; !ok {
			return
		}
		if !found {
			value, found = d, true
		}
	}
	if !found {
		if !r.in.Preview {
			r.fail(at, "parameter %s has no default and the run gives it no value", param.Name)
		}
		return
	}
	if len(param.Values) > 0 && !slices.Contains(param.Values, any(value)) {
		r.fail(at, "parameter %s must be one of its values, not %q", param.Name, expression.String(value))
	}
	values[param.Name] = value
}

func (r *reader) givenParameter(at bound, param *Parameter) (expression.Value, bool) {
	for name, raw := range r.in.Parameters {
		if strings.EqualFold(name, param.Name) {
			return r.convert(at, param, fromJSON(raw))
		}
	}
	return nil, false
}

// convert makes a value of the parameter's type.
func (r *reader) convert(at bound, param *Parameter, v expression.Value) (expression.Value, bool) {
	text := expression.String(v)
	switch param.Type {
	case "object":
		return v, true
	case "boolean":
		if b, err := strconv.ParseBool(strings.ToLower(text)); err == nil {
			return b, true
		}
	case "number":
		if f, err := strconv.ParseFloat(text, 64); err == nil && !math.IsInf(f, 0) && !math.IsNaN(f) {
			return f, true
		}
	default:
		if text != "Array" && text != "Object" {
			return text, true
		}
	}
	r.fail(at, "parameter %s must be a %s, not %q", param.Name, param.Type, text)
	return nil, false
}

// plainValue is a YAML node as a value, without template expressions.
func (r *reader) plainValue(b bound) expression.Value {
	if !r.spend(b) {
		return nil
	}
	switch b.Kind {
	case yaml.SequenceNode:
		out := []expression.Value{}
		for _, c := range b.Content {
			out = append(out, r.plainValue(bound{c, b.scope}))
		}
		return out
	case yaml.MappingNode:
		out := expression.Object{}
		for i := 0; i+1 < len(b.Content); i += 2 {
			out[b.Content[i].Value] = r.plainValue(bound{b.Content[i+1], b.scope})
		}
		return out
	}
	switch b.Tag {
	case "!!bool":
		return strings.EqualFold(b.Value, "true")
	case "!!int", "!!float":
		if f, err := strconv.ParseFloat(b.Value, 64); err == nil && !math.IsInf(f, 0) && !math.IsNaN(f) {
			return f
		}
	case "!!null":
		return ""
	}
	return b.Value
}

// fromJSON is what encoding/json makes of a value, as an expression's.
func fromJSON(raw any) expression.Value {
	switch raw := raw.(type) {
	case []any:
		out := make([]expression.Value, len(raw))
		for i, v := range raw {
			out[i] = fromJSON(v)
		}
		return out
	case map[string]any:
		out := expression.Object{}
		for k, v := range raw {
			out[k] = fromJSON(v)
		}
		return out
	case string, bool, float64:
		return raw
	case int:
		return float64(raw)
	}
	return nil
}
