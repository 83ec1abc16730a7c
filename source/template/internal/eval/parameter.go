package eval

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cloister-ml/cloister/source/template/internal/jsontext"
	"github.com/cloister-ml/cloister/source/template/internal/value"
)

// Inline is a parameter's value as it is written on a command line. What it is
// follows from the parameter's type.
type Inline string

func (s *Scope) declareParameters(params *jsontext.Node, given map[string]any, written map[string]Place) error {
	if params != nil && params.Kind != jsontext.Object {
		return s.Fail(params.Pos, "Not a template", "parameters should be an object.")
	}
	if params != nil {
		for _, m := range params.Members {
			if m.Value.Kind != jsontext.Object {
				return s.Fail(m.Pos, "Not a template", "Parameter %s should be an object with a type.", m.Name)
			}
			v, set := value.Field(given, m.Name)
			at := Place{Node: m.Value.Get("defaultValue"), scope: s}
			if set {
				at = written[strings.ToLower(m.Name)]
			}
			s.params[strings.ToLower(m.Name)] = &binding{name: m.Name, at: m.Pos, make: func() (any, error) { return s.parameter(m, v, set) }, written: at}
		}
	}
	for _, name := range value.Keys(given) {
		if _, ok := s.params[strings.ToLower(name)]; !ok {
			at := jsontext.Pos{Line: 1, Column: 1}
			if params != nil {
				at = params.Pos
			}
			return s.Fail(at, "Unknown parameter", "A value is given for %s, and the template declares no such parameter.%s", name, similar(name, s.params))
		}
	}
	return nil
}

// parameter is what is given, or the default, or null, or not known.
func (s *Scope) parameter(m jsontext.Member, given any, set bool) (any, error) {
	t := s.typeOf(m.Value)
	unknown := value.NewUnknown("parameters('"+m.Name+"')", s.file, m.Pos.Line)
	if s.name != "" {
		unknown = unknown.As(value.Braced(s.name + ".parameters('" + m.Name + "')"))
	}
	def := m.Value.Get("defaultValue")
	v := given
	switch {
	case set:
		if text, inline := v.(Inline); inline {
			var err error
			if v, err = t.read(string(text)); err != nil {
				return nil, s.Fail(m.Pos, "Value of parameter "+m.Name, "%s.", err)
			}
		}
		if v == nil && !t.nullable && def != nil {
			var err error
			if v, err = s.Bare().Eval(def); err != nil {
				return nil, err
			}
		}
	case def != nil:
		var err error
		if v, err = s.Bare().Eval(def); err != nil {
			return nil, err
		}
	case t.nullable:
		return nil, nil
	case s.require:
		return nil, s.Fail(m.Pos, "No value for parameter "+m.Name, "It has no default: give it a value with --parameters %s=VALUE or a parameter file.", m.Name)
	default:
		return unknown, nil
	}
	if u, unsure := value.Unsure(v); unsure {
		return u, nil
	}
	if err := t.check(v, m.Name, 0); err != nil {
		return nil, s.Fail(m.Pos, "Value of parameter "+m.Name, "%s.", err)
	}
	if !s.secrets {
		v = t.withheld(v, unknown)
		if u, ok := v.(value.Unknown); ok && t.secure && set {
			u.Held = given != "" && given != Inline("")
			v = u
		}
	}
	return v, nil
}

// typed is a type as a parameter or a definition declares it.
type typed struct {
	s        *Scope
	node     *jsontext.Node
	base     string // string, int, bool, array, object; in lower case
	secure   bool
	nullable bool
}

// maxTypes bounds how definitions refer to each other.
const maxTypes = 32

// typeOf follows references to definitions. Constraints of the outermost count.
func (s *Scope) typeOf(n *jsontext.Node) typed {
	t := typed{s: s, node: n}
	for range maxTypes {
		if null := n.Get("nullable"); null.Is(jsontext.Bool) && null.Text == "true" {
			t.nullable = true
		}
		base := strings.ToLower(n.Get("type").Str())
		if strings.HasPrefix(base, "secure") {
			t.secure, base = true, strings.TrimPrefix(base, "secure")
		}
		if base != "" {
			t.base = base
		}
		ref, ok := strings.CutPrefix(n.Get("$ref").Str(), "#/definitions/")
		if !ok {
			break
		}
		if n = s.types.Get(unescapeRef(ref)); n == nil {
			break
		}
		t.node = n
	}
	return t
}

// unescapeRef is a name of a JSON pointer as it is.
func unescapeRef(ref string) string {
	return strings.NewReplacer("~1", "/", "~0", "~", "%24", "$").Replace(ref)
}

// read is a value that is written as text.
func (t typed) read(text string) (any, error) {
	switch t.base {
	case "int":
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%q is not a whole number", shown(text))
		}
		return n, nil
	case "bool":
		b, err := strconv.ParseBool(strings.ToLower(text))
		if err != nil {
			return nil, fmt.Errorf("%q is neither true nor false", shown(text))
		}
		return b, nil
	case "array", "object":
		n, err := jsontext.Parse([]byte(text))
		if err != nil {
			return nil, fmt.Errorf("the text should be JSON: %w", err)
		}
		return n.Value(), nil
	}
	return text, nil
}

// check holds a value against the type.
func (t typed) check(v any, path string, depth int) error {
	if _, unknown := value.Unsure(v); unknown || depth > maxTypes {
		return nil
	}
	if v == nil {
		if t.nullable || t.base == "" {
			return nil
		}
		return fmt.Errorf("%s should be %s and is null", path, t.kind())
	}
	if !t.fits(v) {
		return fmt.Errorf("%s should be %s and is %s", path, t.kind(), value.Kind(v))
	}
	if err := t.bounds(v, path); err != nil {
		return err
	}
	switch v := v.(type) {
	case value.Object:
		return t.members(v, path, depth)
	case []any:
		items := t.node.Get("items")
		if items.Is(jsontext.Object) {
			for i, e := range v {
				if err := t.s.typeOf(items).check(e, fmt.Sprintf("%s[%d]", path, i), depth+1); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (t typed) kind() string {
	name := map[string]string{"string": "a string", "int": "a whole number", "bool": "a boolean", "array": "an array", "object": "an object"}[t.base]
	return name
}

func (t typed) fits(v any) bool {
	ok := true
	switch t.base {
	case "string":
		_, ok = v.(string)
	case "int":
		_, ok = v.(int64)
	case "bool":
		_, ok = v.(bool)
	case "array":
		_, ok = v.([]any)
	case "object":
		_, ok = v.(value.Object)
	}
	return ok
}

// bounds are allowedValues, minValue, maxValue, minLength and maxLength.
func (t typed) bounds(v any, path string) error {
	if allowed := t.node.Get("allowedValues"); allowed.Is(jsontext.Array) {
		if err := t.allowed(v, allowed, path); err != nil {
			return err
		}
	}
	size, what := int64(0), "length"
	switch v := v.(type) {
	case int64:
		size, what = v, "value"
	case string:
		size = int64(len([]rune(v)))
	case []any:
		size = int64(len(v))
	default:
		return nil
	}
	name := strings.ToUpper(what[:1]) + what[1:]
	if n := t.node.Get("min" + name); n.Is(jsontext.Number) {
		if least, ok := n.Scalar().(int64); ok && size < least {
			return fmt.Errorf("%s has the %s %d, and the least is %d", path, what, size, least)
		}
	}
	if n := t.node.Get("max" + name); n.Is(jsontext.Number) {
		if most, ok := n.Scalar().(int64); ok && size > most {
			return fmt.Errorf("%s has the %s %d, and the most is %d", path, what, size, most)
		}
	}
	return nil
}

func (t typed) allowed(v any, allowed *jsontext.Node, path string) error {
	among := func(v any) bool {
		return slices.ContainsFunc(allowed.Items, func(n *jsontext.Node) bool {
			same, _, _ := value.Equal(n.Value(), v)
			if s, ok := v.(string); ok && !same {
				return strings.EqualFold(n.Str(), s) && n.Str() != ""
			}
			return same
		})
	}
	if among(v) {
		return nil
	}
	if l, ok := v.([]any); ok && !slices.ContainsFunc(l, func(e any) bool { return !among(e) }) {
		return nil
	}
	if t.secure {
		return fmt.Errorf("%s is not one of the allowed values", path)
	}
	words := make([]string, 0, len(allowed.Items))
	for _, n := range allowed.Items {
		s, _ := value.Text(n.Value())
		words = append(words, s)
	}
	text, _ := value.Text(v)
	return fmt.Errorf("%s is %q, and allowed are: %s", path, shown(text), shown(strings.Join(words, ", ")))
}

// members holds an object's members against the type's.
func (t typed) members(v value.Object, path string, depth int) error {
	props := t.node.Get("properties")
	if !props.Is(jsontext.Object) {
		return nil
	}
	for _, p := range props.Members {
		member := t.s.typeOf(p.Value)
		e, ok := value.Field(v, p.Name)
		if !ok {
			if member.nullable {
				continue
			}
			return fmt.Errorf("%s lacks the member %s", path, p.Name)
		}
		if err := member.check(e, path+"."+p.Name, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// withheld is a value without what its type calls secure.
func (t typed) withheld(v any, u value.Unknown) any {
	if t.secure {
		return u
	}
	o, ok := v.(value.Object)
	props := t.node.Get("properties")
	if !ok || !props.Is(jsontext.Object) {
		return v
	}
	out := v
	for _, p := range props.Members {
		member := t.s.typeOf(p.Value)
		e, has := value.Field(o, p.Name)
		if !has || !member.secure {
			continue
		}
		copied := make(value.Object, len(o))
		for k, x := range out.(value.Object) {
			if strings.EqualFold(k, p.Name) {
				x = member.withheld(e, u)
			}
			copied[k] = x
		}
		out = copied
	}
	return out
}
