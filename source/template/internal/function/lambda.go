package function

import (
	"fmt"
	"slices"

	"github.com/cloister-ml/cloister/source/template/internal/value"
)

var lambdas = map[string]function{
	"filter":    {min: 2, max: 2, call: filter},
	"map":       {min: 2, max: 2, call: mapped},
	"mapValues": {min: 2, max: 2, call: mapValues},
	"reduce":    {min: 3, max: 3, open: true, call: reduce},
	"sort":      {min: 2, max: 2, call: sorted},
	"toObject":  {min: 2, max: 3, call: toObject},
	"groupBy":   {min: 2, max: 3, call: groupBy},
}

// lambda is an argument that is one, of a number of parameters.
func lambda(args []any, i, least, most int) (value.Lambda, error) {
	l, ok := args[i].(value.Lambda)
	if !ok {
		return value.Lambda{}, wrong(i, "a lambda", args[i])
	}
	if l.Params < least || l.Params > most {
		return value.Lambda{}, fmt.Errorf("the lambda has %d parameters, and should have %d", l.Params, least)
	}
	return l, nil
}

// over is an array and a lambda that may also take the index.
func over(args []any) ([]any, value.Lambda, error) {
	l, err := list(args, 0)
	if err != nil {
		return nil, value.Lambda{}, err
	}
	f, err := lambda(args, 1, 1, 2)
	return l, f, err
}

func call(f value.Lambda, e any, i int) (any, error) {
	if f.Params == 2 {
		return f.Call(e, int64(i))
	}
	return f.Call(e)
}

func filter(args []any) (any, error) {
	l, f, err := over(args)
	if err != nil {
		return nil, err
	}
	out := []any{}
	for i, e := range l {
		v, err := call(f, e, i)
		if err != nil {
			return nil, err
		}
		if u, unknown := value.Unsure(v); unknown {
			return u.As(symbol("filter", args)), nil
		}
		keep, ok := v.(bool)
		if !ok {
			return nil, fmt.Errorf("the lambda should give a boolean and gives %s", value.Kind(v))
		}
		if keep {
			out = append(out, e)
		}
	}
	return out, nil
}

func mapped(args []any) (any, error) {
	l, f, err := over(args)
	if err != nil {
		return nil, err
	}
	out := make([]any, len(l))
	for i, e := range l {
		if out[i], err = call(f, e, i); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func mapValues(args []any) (any, error) {
	o, err := object(args, 0)
	if err != nil {
		return nil, err
	}
	f, err := lambda(args, 1, 1, 1)
	if err != nil {
		return nil, err
	}
	out := make(value.Object, len(o))
	for _, k := range value.Keys(o) {
		if out[k], err = f.Call(o[k]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func reduce(args []any) (any, error) {
	if u, unknown := value.Unsure(args[0]); unknown {
		return u.As(symbol("reduce", args)), nil
	}
	l, err := list(args, 0)
	if err != nil {
		return nil, err
	}
	f, err := lambda(args, 2, 2, 3)
	if err != nil {
		return nil, err
	}
	acc := args[1]
	for i, e := range l {
		if f.Params == 3 {
			acc, err = f.Call(acc, e, int64(i))
		} else {
			acc, err = f.Call(acc, e)
		}
		if err != nil {
			return nil, err
		}
	}
	return acc, nil
}

// sorted takes a lambda that says whether its first argument comes before its
// second. Equal elements keep their order.
func sorted(args []any) (any, error) {
	l, err := list(args, 0)
	if err != nil {
		return nil, err
	}
	f, err := lambda(args, 1, 2, 2)
	if err != nil {
		return nil, err
	}
	out := slices.Clone(l)
	var failed error
	var doubt value.Unknown
	unknown := false
	before := func(a, b any) bool {
		if failed != nil || unknown {
			return false
		}
		v, err := f.Call(a, b)
		if err != nil {
			failed = err
			return false
		}
		if u, unsure := value.Unsure(v); unsure {
			doubt, unknown = u, true
			return false
		}
		less, ok := v.(bool)
		if !ok {
			failed = fmt.Errorf("the lambda should give a boolean and gives %s", value.Kind(v))
		}
		return less
	}
	slices.SortStableFunc(out, func(a, b any) int {
		switch {
		case before(a, b):
			return -1
		case before(b, a):
			return 1
		}
		return 0
	})
	switch {
	case failed != nil:
		return nil, failed
	case unknown:
		return doubt.As(symbol("sort", args)), nil
	}
	return out, nil
}

// keyed calls visit for each element with its key and value.
func keyed(args []any, name string, visit func(key string, v any)) (any, error) {
	l, err := list(args, 0)
	if err != nil {
		return nil, err
	}
	key, err := lambda(args, 1, 1, 1)
	if err != nil {
		return nil, err
	}
	val := value.Lambda{Params: 1, Call: func(a ...any) (any, error) { return a[0], nil }}
	if len(args) == 3 {
		if val, err = lambda(args, 2, 1, 1); err != nil {
			return nil, err
		}
	}
	for _, e := range l {
		k, err := key.Call(e)
		if err != nil {
			return nil, err
		}
		if u, unknown := value.Unsure(k); unknown {
			return u.As(symbol(name, args)), nil
		}
		s, ok := value.Text(k)
		if !ok {
			return nil, fmt.Errorf("a key should be a string and is %s", value.Kind(k))
		}
		v, err := val.Call(e)
		if err != nil {
			return nil, err
		}
		visit(s, v)
	}
	return nil, nil
}

func toObject(args []any) (any, error) {
	out := value.Object{}
	if u, err := keyed(args, "toObject", func(k string, v any) { set(out, k, v) }); err != nil || u != nil {
		return u, err
	}
	return out, nil
}

func groupBy(args []any) (any, error) {
	out := value.Object{}
	u, err := keyed(args, "groupBy", func(k string, v any) {
		have, _ := value.Field(out, k)
		group, _ := have.([]any)
		set(out, k, append(group, v))
	})
	if err != nil || u != nil {
		return u, err
	}
	return out, nil
}
