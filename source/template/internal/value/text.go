package value

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

// Keys are an object's member names, in order.
func Keys(o Object) []string { return slices.Sorted(maps.Keys(o)) }

// Text is a value as string() gives it: arrays and objects as JSON. It is false
// where the value is not known.
func Text(v any) (string, bool) {
	switch v := v.(type) {
	case nil:
		return "", true
	case string:
		return v, true
	case bool:
		if v {
			return "True", true
		}
		return "False", true
	case int64:
		return strconv.FormatInt(v, 10), true
	case float64:
		return strconv.FormatFloat(v, 'G', -1, 64), true
	}
	if _, unknown := UnsureWithin(v); unknown {
		return "", false
	}
	if _, ok := v.(Lambda); ok {
		return "", false
	}
	return JSON(v), true
}

// JSON is a value that is known as JSON without white space, its members in order.
func JSON(v any) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return ""
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// FromJSON makes a value of what encoding/json decoded with UseNumber or without.
func FromJSON(v any) any {
	switch v := v.(type) {
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i
		}
		f, _ := v.Float64()
		return f
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<63 {
			return int64(v)
		}
		return v
	case int:
		return int64(v)
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = FromJSON(e)
		}
		return out
	case Object:
		out := make(Object, len(v))
		for k, e := range v {
			out[k] = FromJSON(e)
		}
		return out
	case arm.Unknown:
		return Unknown{Unknown: v, Symbol: Braced(v.Expression)}
	}
	return v
}

// Document is a value as a document of an estate holds it: numbers float64, and
// what is not known [arm.Unknown], except what is an id by what stands in it.
// spend is asked before each value is made, and ends the work with its error.
func Document(v any, spend func(int) error) (any, error) {
	if err := spend(1); err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case int64:
		return float64(v), nil
	case Unknown:
		if arm.IsID(v.Symbol) {
			return v.Symbol, nil
		}
		return v.Unknown, nil
	case Partial:
		return v.Rest.Unknown, nil
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			var err error
			if out[i], err = Document(e, spend); err != nil {
				return nil, err
			}
		}
		return out, nil
	case Object:
		out := make(Object, len(v))
		for k, e := range v {
			var err error
			if out[k], err = Document(e, spend); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return v, nil
}

// Equal compares as equals() does: types and values, texts with regard to case,
// members' names without. The unknown value that decides is returned where one does.
func Equal(a, b any) (bool, Unknown, bool) {
	ua, au := Unsure(a)
	ub, bu := Unsure(b)
	switch {
	case au && bu && ua.Symbol == ub.Symbol && ua.Symbol != "":
		return true, Unknown{}, false
	case ua.Held && nothing(b), ub.Held && nothing(a):
		return false, Unknown{}, false
	case au:
		return false, ua, true
	case bu:
		return false, ub, true
	}
	switch x := a.(type) {
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return false, Unknown{}, false
		}
		return every(len(x), func(i int) (any, any, bool) { return x[i], y[i], true })
	case Object:
		y, ok := b.(Object)
		if !ok || len(x) != len(y) {
			return false, Unknown{}, false
		}
		keys := Keys(x)
		return every(len(x), func(i int) (any, any, bool) {
			other, ok := Field(y, keys[i])
			return x[keys[i]], other, ok
		})
	case int64:
		if f, ok := b.(float64); ok {
			return float64(x) == f, Unknown{}, false
		}
	case float64:
		if i, ok := b.(int64); ok {
			return x == float64(i), Unknown{}, false
		}
	case Lambda:
		return false, Unknown{}, false
	}
	if _, ok := b.([]any); ok {
		return false, Unknown{}, false
	}
	if _, ok := b.(Object); ok {
		return false, Unknown{}, false
	}
	if _, ok := b.(Lambda); ok {
		return false, Unknown{}, false
	}
	return a == b, Unknown{}, false
}

func nothing(v any) bool { return v == nil || v == "" }

// every compares pairs: one that differs decides, whatever is unknown.
func every(n int, pair func(int) (any, any, bool)) (bool, Unknown, bool) {
	var doubt Unknown
	var doubtful bool
	for i := range n {
		x, y, ok := pair(i)
		if !ok {
			return false, Unknown{}, false
		}
		same, u, unknown := Equal(x, y)
		switch {
		case unknown && !doubtful:
			doubt, doubtful = u, true
		case !unknown && !same:
			return false, Unknown{}, false
		}
	}
	return !doubtful, doubt, doubtful
}
