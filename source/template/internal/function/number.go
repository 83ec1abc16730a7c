package function

import (
	"errors"
	"math"
	"math/bits"
	"strconv"
	"strings"

	"github.com/cloister-ml/cloister/source/template/internal/value"
)

var numbers = map[string]function{
	"add": {min: 2, max: 2, call: arithmetic(func(a, b int64) (int64, bool) { c := a + b; return c, (c > a) == (b > 0) })},
	"sub": {min: 2, max: 2, call: arithmetic(func(a, b int64) (int64, bool) { c := a - b; return c, (c < a) == (b > 0) })},
	"mul": {min: 2, max: 2, call: arithmetic(product)},
	"div": {min: 2, max: 2, call: divided(func(a, b int64) int64 { return a / b })},
	"mod": {min: 2, max: 2, call: divided(func(a, b int64) int64 { return a % b })},
	"min": {min: 1, max: -1, call: extreme(func(a, b int64) bool { return a < b })},
	"max": {min: 1, max: -1, call: extreme(func(a, b int64) bool { return a > b })},
	"int": {min: 1, max: 1, call: func(args []any) (any, error) {
		switch v := args[0].(type) {
		case string:
			n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
			if err != nil {
				return nil, errors.New("the text is not a whole number")
			}
			return n, nil
		case float64:
			if math.Abs(v) < 1<<63 {
				return int64(v), nil
			}
		}
		return whole(args, 0)
	}},
	"float": {min: 1, max: 1, call: func(args []any) (any, error) {
		switch v := args[0].(type) {
		case float64:
			return v, nil
		case int64:
			return float64(v), nil
		case string:
			if f, err := strconv.ParseFloat(v, 64); err == nil {
				return f, nil
			}
		}
		return nil, wrong(0, "a number", args[0])
	}},
}

var errOverflow = errors.New("the result has more than 64 bits")

func arithmetic(op func(a, b int64) (int64, bool)) func([]any) (any, error) {
	return func(args []any) (any, error) {
		a, err := whole(args, 0)
		if err != nil {
			return nil, err
		}
		b, err := whole(args, 1)
		if err != nil {
			return nil, err
		}
		c, ok := op(a, b)
		if !ok && b != 0 {
			return nil, errOverflow
		}
		return c, nil
	}
}

func product(a, b int64) (int64, bool) {
	c := a * b
	hi, lo := bits.Mul64(magnitude(a), magnitude(b))
	return c, hi == 0 && (lo < 1<<63 || lo == 1<<63 && (a < 0) != (b < 0))
}

func magnitude(a int64) uint64 {
	if a < 0 {
		return -uint64(a)
	}
	return uint64(a)
}

func divided(op func(a, b int64) int64) func([]any) (any, error) {
	return func(args []any) (any, error) {
		a, err := whole(args, 0)
		if err != nil {
			return nil, err
		}
		b, err := whole(args, 1)
		switch {
		case err != nil:
			return nil, err
		case b == 0:
			return nil, errors.New("it divides by 0")
		case a == math.MinInt64 && b == -1:
			return nil, errOverflow
		}
		return op(a, b), nil
	}
}

func extreme(better func(a, b int64) bool) func([]any) (any, error) {
	return func(args []any) (any, error) {
		of := args
		if l, ok := args[0].([]any); ok && len(args) == 1 {
			of = l
		}
		if len(of) == 0 {
			return nil, errors.New("there is no number to choose")
		}
		for _, v := range of {
			if u, unknown := value.Unsure(v); unknown {
				return u.As(symbol("extreme", of)), nil
			}
		}
		best, err := whole(of, 0)
		for i := range of {
			n, e := whole(of, i)
			if err = errors.Join(err, e); err != nil {
				return nil, err
			}
			if better(n, best) {
				best = n
			}
		}
		return best, nil
	}
}
