package function

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/source/template/internal/value"
)

// Bounds of what one call may make.
const (
	maxText  = 4 << 20 // bytes of a string
	maxItems = 100_000 // elements of an array
)

// function is one of the language's.
type function struct {
	min, max int  // arguments; max -1 for any number
	open     bool // takes arguments that are not known, and decides itself
	deep     bool // walks through arrays and objects, so that all in them must be known
	call     func(args []any) (any, error)
}

var table = gather(arrays, objects, texts, formats, numbers, logic, lambdas, dates, addresses, uris, hashes)

func gather(tables ...map[string]function) map[string]function {
	all := map[string]function{}
	for _, t := range tables {
		for name, f := range t {
			all[strings.ToLower(name)] = f
		}
	}
	return all
}

// Known reports whether there is a function of a name, written in any case.
func Known(name string) bool {
	_, ok := table[strings.ToLower(name)]
	return ok
}

// Names are the functions' names in lower case, in order.
func Names() []string { return slices.Sorted(maps.Keys(table)) }

// Call calls a function. Errors say what is wrong without naming the function.
func Call(m *value.Meter, name string, args []any) (any, error) {
	f, ok := table[strings.ToLower(name)]
	if !ok {
		return nil, fmt.Errorf("there is no function %s", name)
	}
	if err := Arity(len(args), f.min, f.max); err != nil {
		return nil, err
	}
	if f.deep {
		for _, a := range args {
			if err := m.Weigh(a); err != nil {
				return nil, err
			}
		}
	}
	if u, unknown := f.doubt(args); unknown {
		return parted(u, name, args), nil
	}
	out, err := f.call(args)
	if err != nil {
		return nil, err
	}
	return out, charge(m, out)
}

// doubt is the first argument that keeps the function from being called.
func (f function) doubt(args []any) (value.Unknown, bool) {
	if f.open {
		return value.Unknown{}, false
	}
	for _, a := range args {
		u, unknown := value.Unsure(a)
		if !unknown && f.deep {
			u, unknown = value.UnsureWithin(a)
		}
		if unknown {
			return u, true
		}
	}
	return value.Unknown{}, false
}

// charge is what holding a result costs.
func charge(m *value.Meter, out any) error {
	switch out := out.(type) {
	case string:
		if len(out) > maxText {
			return errLong
		}
		return m.Spend(1 + len(out)/64)
	case []any:
		if len(out) > maxItems {
			return errMany
		}
		return m.Spend(1 + len(out))
	case value.Object:
		return m.Spend(1 + len(out))
	}
	return m.Spend(1)
}

var (
	errLong = fmt.Errorf("the result would be a string of more than %d MB", maxText>>20)
	errMany = fmt.Errorf("the result would be an array of more than %d elements", maxItems)
)

// Arity checks a number of arguments.
func Arity(n, least, most int) error {
	switch {
	case n >= least && (most < 0 || n <= most):
		return nil
	case least == most:
		return fmt.Errorf("it takes %s, not %d", arguments(least), n)
	case most < 0:
		return fmt.Errorf("it takes %s or more, not %d", arguments(least), n)
	}
	return fmt.Errorf("it takes %d to %s, not %d", least, arguments(most), n)
}

func arguments(n int) string {
	if n == 1 {
		return "1 argument"
	}
	return fmt.Sprintf("%d arguments", n)
}

// parted is the result of a call with an unknown argument: of an id in its parts
// what is known.
func parted(u value.Unknown, name string, args []any) any {
	low := strings.ToLower(name)
	_, of := args[0].(value.Unknown)
	switch {
	case low == "guid" || low == "uniquestring":
		return u.As(value.Hashed(strings.TrimSuffix(low, "string"), symbol(name, args)+longSymbols(args)))
	case !of:
	case low == "tolower":
		return u.As(strings.ToLower(u.Symbol))
	case low == "string" || low == "trim":
		return u.As(u.Symbol)
	case low == "split" && args[1] == "/" && strings.HasPrefix(u.Symbol, "/"):
		var out []any
		for _, p := range strings.Split(u.Symbol, "/") {
			if part, unknown := value.Part(p).(value.Unknown); unknown {
				out = append(out, u.As(part.Symbol))
			} else {
				out = append(out, p)
			}
		}
		return out
	}
	return u.As(symbol(name, args))
}

func longSymbols(args []any) string {
	var b strings.Builder
	for _, a := range args {
		b.WriteString(value.Symbol(a) + "-")
	}
	return b.String()
}

// symbol stands for the result of a call that is not known.
func symbol(name string, args []any) string {
	words := make([]string, len(args))
	for i, a := range args {
		switch a.(type) {
		case []any, value.Object, value.Lambda:
			words[i] = "..."
			if u, ok := value.UnsureWithin(a); ok {
				words[i] = u.Symbol
			}
		default:
			words[i] = value.Symbol(a)
		}
	}
	return value.Braced(name + "(" + strings.Join(words, ",") + ")")
}

// Arguments of the kinds that functions ask for. The place counts from 1.

func wrong(i int, want string, got any) error {
	return fmt.Errorf("argument %d should be %s and is %s", i+1, want, value.Kind(got))
}

func text(args []any, i int) (string, error) {
	if s, ok := args[i].(string); ok {
		return s, nil
	}
	return "", wrong(i, "a string", args[i])
}

func whole(args []any, i int) (int64, error) {
	switch n := args[i].(type) {
	case int64:
		return n, nil
	case float64:
		if n == float64(int64(n)) {
			return int64(n), nil
		}
	}
	return 0, wrong(i, "a whole number", args[i])
}

func list(args []any, i int) ([]any, error) {
	if l, ok := args[i].([]any); ok {
		return l, nil
	}
	return nil, wrong(i, "an array", args[i])
}

func object(args []any, i int) (value.Object, error) {
	if o, ok := args[i].(value.Object); ok {
		return o, nil
	}
	return nil, wrong(i, "an object", args[i])
}

// twoTexts are the arguments of a function of two strings.
func twoTexts(args []any) (a, b string, err error) {
	if a, err = text(args, 0); err == nil {
		b, err = text(args, 1)
	}
	return a, b, err
}
