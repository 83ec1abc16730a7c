package function

import (
	"errors"
	"fmt"
	"strings"

	"github.com/cloister-ml/cloister/source/template/internal/value"
)

var arrays = map[string]function{
	"array": {min: 1, max: 1, open: true, call: func(args []any) (any, error) {
		if _, ok := args[0].([]any); ok {
			return args[0], nil
		}
		if u, unknown := value.Unsure(args[0]); unknown {
			return u.As(symbol("array", args)), nil
		}
		return []any{args[0]}, nil
	}},
	"createArray": {min: 0, max: -1, open: true, call: func(args []any) (any, error) { return append([]any{}, args...), nil }},
	"concat":      {min: 1, max: -1, open: true, call: concat},
	"contains":    {min: 2, max: 2, open: true, call: contains},
	"distinct": {min: 1, max: 1, deep: true, call: func(args []any) (any, error) {
		l, err := list(args, 0)
		if err != nil {
			return nil, err
		}
		return unite([][]any{l}), nil
	}},
	"empty":   {min: 1, max: 1, open: true, call: empty},
	"first":   {min: 1, max: 1, call: func(args []any) (any, error) { return edge(args, 0) }},
	"last":    {min: 1, max: 1, call: func(args []any) (any, error) { return edge(args, -1) }},
	"flatten": {min: 1, max: 1, call: flatten},
	"indexFromEnd": {min: 2, max: 2, call: func(args []any) (any, error) {
		e, err := fromEnd(args)
		if err == nil && e == nil {
			return nil, errors.New("the index is outside the array")
		}
		return e, err
	}},
	"tryIndexFromEnd": {min: 2, max: 2, call: fromEnd},
	"intersection":    {min: 2, max: -1, deep: true, call: intersection},
	"length":          {min: 1, max: 1, call: length},
	"range":           {min: 2, max: 2, call: numberRange},
	"skip": {min: 2, max: 2, call: func(args []any) (any, error) {
		return cut(args, func(n, size int) (int, int) { return n, size })
	}},
	"take": {min: 2, max: 2, call: func(args []any) (any, error) {
		return cut(args, func(n, _ int) (int, int) { return 0, n })
	}},
	"union": {min: 1, max: -1, open: true, deep: true, call: union},
}

// concat joins arrays, or the texts of what is none.
func concat(args []any) (any, error) {
	var items []any
	allLists, size := true, 0
	for _, a := range args {
		l, ok := a.([]any)
		allLists = allLists && ok
		size += len(l)
	}
	if !allLists {
		return joinTexts("concat", args)
	}
	if size > maxItems {
		return nil, errMany
	}
	items = make([]any, 0, size)
	for _, a := range args {
		items = append(items, a.([]any)...)
	}
	return items, nil
}

// joinTexts is the arguments as one text, by what stands for them where one is
// not known.
func joinTexts(name string, args []any) (any, error) {
	var b strings.Builder
	var doubt value.Unknown
	unknown := false
	for i, a := range args {
		if u, ok := value.Unsure(a); ok && !unknown {
			doubt, unknown = u, true
		}
		switch a.(type) {
		case []any, value.Object:
			if unknown { // the others may be arrays as well
				return doubt.As(symbol(name, args)), nil
			}
			return nil, fmt.Errorf("argument %d is %s: all should be strings, or all arrays", i+1, value.Kind(a))
		}
		s := value.Symbol(a)
		if b.Len()+len(s) > maxText {
			return nil, errLong
		}
		b.WriteString(s)
	}
	if unknown {
		return doubt.As(b.String()), nil
	}
	return b.String(), nil
}

func contains(args []any) (any, error) {
	if u, unknown := value.Unsure(args[0]); unknown {
		return u.As(symbol("contains", args)), nil
	}
	if l, ok := args[0].([]any); ok {
		return among(l, args[1], args)
	}
	if u, unknown := value.Unsure(args[1]); unknown {
		return u.As(symbol("contains", args)), nil
	}
	switch c := args[0].(type) {
	case value.Object:
		name, err := text(args, 1)
		if err != nil {
			return nil, err
		}
		_, ok := value.Field(c, name)
		return ok, nil
	case string:
		s, ok := value.Text(args[1])
		if !ok {
			return nil, wrong(1, "a string", args[1])
		}
		return strings.Contains(c, s), nil
	case nil:
		return false, nil
	}
	return nil, wrong(0, "an array, an object or a string", args[0])
}

func among(l []any, item any, args []any) (any, error) {
	var doubt value.Unknown
	unknown := false
	for _, e := range l {
		same, u, unsure := value.Equal(e, item)
		if same {
			return true, nil
		}
		if unsure {
			doubt, unknown = u, true
		}
	}
	if unknown {
		return doubt.As(symbol("contains", args)), nil
	}
	return false, nil
}

func empty(args []any) (any, error) {
	switch v := args[0].(type) {
	case nil:
		return true, nil
	case string:
		return v == "", nil
	case []any:
		return len(v) == 0, nil
	case value.Object:
		return len(v) == 0, nil
	case value.Partial:
		if len(v.Known) > 0 {
			return false, nil
		}
	}
	if u, unknown := value.Unsure(args[0]); unknown {
		if u.Held || literal(u.Symbol) {
			return false, nil
		}
		return u.As(symbol("empty", args)), nil
	}
	return nil, wrong(0, "an array, an object or a string", args[0])
}

// literal reports whether a text of which a part is not known has a part that is.
func literal(symbol string) bool {
	depth := 0
	for _, r := range symbol {
		switch {
		case r == '{':
			depth++
		case r == '}':
			depth--
		case depth == 0:
			return true
		}
	}
	return false
}

// edge is the first (0) or last (-1) element or character.
func edge(args []any, at int) (any, error) {
	switch v := args[0].(type) {
	case string:
		r := []rune(v)
		if len(r) == 0 {
			return "", nil
		}
		return string(r[(at+len(r))%len(r)]), nil
	case []any:
		if len(v) == 0 {
			return nil, nil
		}
		return v[(at+len(v))%len(v)], nil
	}
	return nil, wrong(0, "an array or a string", args[0])
}

func flatten(args []any) (any, error) {
	l, err := list(args, 0)
	if err != nil {
		return nil, err
	}
	out := []any{}
	for i, e := range l {
		if u, unknown := value.Unsure(e); unknown {
			return u.As(symbol("flatten", args)), nil
		}
		inner, ok := e.([]any)
		if !ok {
			return nil, fmt.Errorf("element %d should be an array and is %s", i, value.Kind(e))
		}
		if len(out)+len(inner) > maxItems {
			return nil, errMany
		}
		out = append(out, inner...)
	}
	return out, nil
}

// fromEnd counts from the end, from 1.
func fromEnd(args []any) (any, error) {
	if args[0] == nil {
		return nil, nil
	}
	l, err := list(args, 0)
	if err != nil {
		return nil, err
	}
	n, err := whole(args, 1)
	if err != nil || n < 1 || n > int64(len(l)) {
		return nil, err
	}
	return l[int64(len(l))-n], nil
}

func length(args []any) (any, error) {
	switch v := args[0].(type) {
	case string:
		return int64(len([]rune(v))), nil
	case []any:
		return int64(len(v)), nil
	case value.Object:
		return int64(len(v)), nil
	}
	return nil, wrong(0, "an array, an object or a string", args[0])
}

// numberRange has the bounds that Azure gives range().
func numberRange(args []any) (any, error) {
	start, err := whole(args, 0)
	if err != nil {
		return nil, err
	}
	count, err := whole(args, 1)
	switch {
	case err != nil:
		return nil, err
	case count < 0 || count > 10_000:
		return nil, fmt.Errorf("the count is %d, and must be between 0 and 10000", count)
	case start < -2147483647-1 || start > 2147483647-count:
		return nil, errors.New("the numbers must have 32 bits")
	}
	out := make([]any, count)
	for i := range out {
		out[i] = start + int64(i)
	}
	return out, nil
}

// cut is a part of an array or string.
func cut(args []any, part func(n, size int) (from, to int)) (any, error) {
	n, err := whole(args, 1)
	if err != nil {
		return nil, err
	}
	within := func(size int) (int, int) {
		from, to := part(int(max(min(n, int64(size)), 0)), size)
		return from, to
	}
	switch v := args[0].(type) {
	case string:
		r := []rune(v)
		from, to := within(len(r))
		return string(r[from:to]), nil
	case []any:
		from, to := within(len(v))
		return v[from:to:to], nil
	}
	return nil, wrong(0, "an array or a string", args[0])
}
