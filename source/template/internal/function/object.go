package function

import (
	"errors"
	"fmt"
	"strings"

	"github.com/cloister-ml/cloister/source/template/internal/jsontext"
	"github.com/cloister-ml/cloister/source/template/internal/value"
)

var objects = map[string]function{
	"createObject": {min: 0, max: -1, open: true, call: createObject},
	"items":        {min: 1, max: 1, call: items},
	"objectKeys": {min: 1, max: 1, call: func(args []any) (any, error) {
		o, err := object(args, 0)
		if err != nil {
			return nil, err
		}
		out := make([]any, 0, len(o))
		for _, k := range value.Keys(o) {
			out = append(out, k)
		}
		return out, nil
	}},
	"shallowMerge": {min: 1, max: 1, call: shallowMerge},
	"tryGet":       {min: 2, max: -1, open: true, call: tryGet},
	"json":         {min: 1, max: 1, call: parseJSON},
	"null":         {min: 0, max: 0, call: func([]any) (any, error) { return nil, nil }},
	"any":          {min: 1, max: 1, open: true, call: func(args []any) (any, error) { return args[0], nil }},
}

func createObject(args []any) (any, error) {
	if len(args)%2 != 0 {
		return nil, errors.New("it takes names and values in pairs")
	}
	out := make(value.Object, len(args)/2)
	for i := 0; i < len(args); i += 2 {
		if u, unknown := value.Unsure(args[i]); unknown {
			out[u.Symbol] = args[i+1]
			continue
		}
		k, err := text(args, i)
		if err != nil {
			return nil, err
		}
		set(out, k, args[i+1])
	}
	return out, nil
}

// set replaces a member whatever case its name is in.
func set(o value.Object, name string, v any) {
	if _, ok := o[name]; !ok {
		for k := range o {
			if strings.EqualFold(k, name) {
				delete(o, k)
				break
			}
		}
	}
	o[name] = v
}

// items are in the order of the names.
func items(args []any) (any, error) {
	o, err := object(args, 0)
	if err != nil {
		return nil, err
	}
	out := make([]any, 0, len(o))
	for _, k := range value.Keys(o) {
		out = append(out, value.Object{"key": k, "value": o[k]})
	}
	return out, nil
}

func shallowMerge(args []any) (any, error) {
	l, err := list(args, 0)
	if err != nil {
		return nil, err
	}
	out := value.Object{}
	for i, e := range l {
		if u, unknown := value.Unsure(e); unknown {
			return u.As(symbol("shallowMerge", args)), nil
		}
		o, ok := e.(value.Object)
		if !ok {
			return nil, fmt.Errorf("element %d should be an object and is %s", i, value.Kind(e))
		}
		for k, v := range o {
			set(out, k, v)
		}
	}
	return out, nil
}

// tryGet goes into a value by names and indexes, to null where there is nothing.
func tryGet(args []any) (any, error) {
	v := args[0]
	for i := 1; i < len(args); i++ {
		next, ok, err := At(v, args[i])
		if err != nil || !ok {
			return nil, err
		}
		v = next
	}
	return v, nil
}

// At is the member or element of v at a key; ok is false where there is none.
func At(v, key any) (_ any, ok bool, err error) {
	if u, unknown := value.Unsure(key); unknown {
		return u.As(symbol("at", []any{v, key})), true, nil
	}
	switch c := v.(type) {
	case nil:
		return nil, false, nil
	case value.Object:
		name, isText := key.(string)
		if !isText {
			return nil, false, fmt.Errorf("a member of an object has a name, and %s is given", value.Kind(key))
		}
		e, ok := value.Field(c, name)
		return e, ok, nil
	case value.Partial:
		if name, isText := key.(string); isText {
			return partAt(c, name), true, nil
		}
		return c.Rest, true, nil
	case value.Unknown:
		return c.As(value.Braced(strings.Trim(c.Symbol, "{}") + "." + value.Symbol(key))), true, nil
	case []any:
		n, isNumber := key.(int64)
		if !isNumber {
			return nil, false, fmt.Errorf("an element of an array has a number, and %s is given", value.Kind(key))
		}
		if n < 0 || n >= int64(len(c)) {
			return nil, false, nil
		}
		return c[n], true, nil
	}
	return nil, false, fmt.Errorf("%s has no members", value.Kind(v))
}

// partAt is a member of what is known in part.
func partAt(p value.Partial, name string) any {
	rest := p.Rest
	rest.Expression += "." + name
	rest.Symbol = value.Braced(strings.Trim(rest.Symbol, "{}") + "." + name)
	v, ok := value.Field(p.Known, name)
	if !ok {
		return rest
	}
	switch v := v.(type) {
	case value.Object:
		return value.Partial{Known: v, Rest: rest}
	case value.Whole:
		return value.Object(v)
	case []any:
		return parts(v, rest)
	}
	return v
}

// parts is a list whose objects are known in part.
func parts(l []any, rest value.Unknown) []any {
	out := make([]any, len(l))
	for i, e := range l {
		out[i] = e
		if o, ok := e.(value.Object); ok {
			out[i] = value.Partial{Known: o, Rest: rest}
		}
	}
	return out
}

func parseJSON(args []any) (any, error) {
	s, err := text(args, 0)
	if err != nil {
		return nil, err
	}
	return fromJSON(s)
}

func fromJSON(s string) (any, error) {
	n, err := jsontext.ParseLoose(s)
	if err != nil {
		return nil, fmt.Errorf("the text is not JSON: %w", err)
	}
	return n.Value(), nil
}

// union joins arrays without what is there already, or objects, within which
// objects are joined as well.
func union(args []any) (any, error) {
	for _, a := range args {
		if u, unknown := value.Unsure(a); unknown {
			return u.As(symbol("union", args)), nil
		}
	}
	if _, ok := args[0].([]any); ok {
		lists := make([][]any, len(args))
		for i := range args {
			var err error
			if lists[i], err = list(args, i); err != nil {
				return nil, err
			}
		}
		return unite(lists), nil
	}
	out := value.Object{}
	for i := range args {
		o, err := object(args, i)
		if err != nil {
			return nil, err
		}
		out = merge(out, o)
	}
	return out, nil
}

func unite(lists [][]any) []any {
	out := []any{}
	seen := map[any]bool{}
	for _, l := range lists {
		for _, e := range l {
			switch e.(type) {
			case string, int64, bool, nil:
				if seen[e] {
					continue
				}
				seen[e] = true
			default:
				if held(out, e) {
					continue
				}
			}
			out = append(out, e)
		}
	}
	return out
}

// held reports whether a list surely has an element.
func held(l []any, e any) bool {
	for _, have := range l {
		if same, _, _ := value.Equal(have, e); same {
			return true
		}
	}
	return false
}

// merge makes a new object; neither of those given changes.
func merge(base, top value.Object) value.Object {
	out := make(value.Object, len(base)+len(top))
	for k, v := range base {
		out[k] = v
	}
	for k, v := range top {
		below, _ := value.Field(out, k)
		a, isObject := below.(value.Object)
		if b, both := v.(value.Object); isObject && both {
			v = merge(a, b)
		}
		set(out, k, v)
	}
	return out
}

func intersection(args []any) (any, error) {
	if _, ok := args[0].([]any); ok {
		return commonItems(args)
	}
	out := value.Object{}
	first, err := object(args, 0)
	if err != nil {
		return nil, err
	}
	for _, k := range value.Keys(first) {
		in := true
		for i := range args[1:] {
			o, err := object(args, i+1)
			if err != nil {
				return nil, err
			}
			v, ok := value.Field(o, k)
			same, _, _ := value.Equal(first[k], v)
			in = in && ok && same
		}
		if in {
			out[k] = first[k]
		}
	}
	return out, nil
}

func commonItems(args []any) (any, error) {
	first, err := list(args, 0)
	if err != nil {
		return nil, err
	}
	out := []any{}
	for _, e := range unite([][]any{first}) {
		in := true
		for i := range args[1:] {
			other, err := list(args, i+1)
			if err != nil {
				return nil, err
			}
			in = in && held(other, e)
		}
		if in {
			out = append(out, e)
		}
	}
	return out, nil
}
