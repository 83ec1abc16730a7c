package function

import (
	"cmp"
	"strings"

	"github.com/cloister-ml/cloister/source/template/internal/value"
)

var logic = map[string]function{
	"bool":  {min: 1, max: 1, call: toBool},
	"not":   {min: 1, max: 1, call: func(args []any) (any, error) { b, err := flag(args, 0); return !b, err }},
	"true":  {min: 0, max: 0, call: func([]any) (any, error) { return true, nil }},
	"false": {min: 0, max: 0, call: func([]any) (any, error) { return false, nil }},
	"equals": {min: 2, max: 2, open: true, deep: true, call: func(args []any) (any, error) {
		same, u, unknown := value.Equal(args[0], args[1])
		if unknown {
			return u.As(symbol("equals", args)), nil
		}
		return same, nil
	}},
	"less":            {min: 2, max: 2, call: ordered(func(c int) bool { return c < 0 })},
	"lessOrEquals":    {min: 2, max: 2, call: ordered(func(c int) bool { return c <= 0 })},
	"greater":         {min: 2, max: 2, call: ordered(func(c int) bool { return c > 0 })},
	"greaterOrEquals": {min: 2, max: 2, call: ordered(func(c int) bool { return c >= 0 })},
}

func flag(args []any, i int) (bool, error) {
	if b, ok := args[i].(bool); ok {
		return b, nil
	}
	return false, wrong(i, "a boolean", args[i])
}

func toBool(args []any) (any, error) {
	switch v := args[0].(type) {
	case bool:
		return v, nil
	case int64:
		return v != 0, nil
	case string:
		switch strings.ToLower(strings.TrimSpace(v)) {
		case "true", "1":
			return true, nil
		case "false", "0":
			return false, nil
		}
	}
	return nil, wrong(0, "true or false, 1 or 0, or one of them as a string", args[0])
}

func ordered(holds func(int) bool) func([]any) (any, error) {
	return func(args []any) (any, error) {
		if a, ok := args[0].(string); ok {
			b, err := text(args, 1)
			return holds(cmp.Compare(a, b)), err
		}
		a, err := real64(args, 0)
		if err != nil {
			return nil, err
		}
		b, err := real64(args, 1)
		return holds(cmp.Compare(a, b)), err
	}
}

func real64(args []any, i int) (float64, error) {
	switch n := args[i].(type) {
	case int64:
		return float64(n), nil
	case float64:
		return n, nil
	}
	return 0, wrong(i, "a number or, both of them, a string", args[i])
}
