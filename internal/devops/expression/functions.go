package expression

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// statusArity is how many arguments each status function may have.
var statusArity = map[string]int{
	"always": 0, "canceled": 0, "failed": 256, "succeeded": 256, "succeededorfailed": 256,
}

type function struct {
	min, max int // max -1: any number
	call     func(ev *evaluation, args []Value) (Value, error)
	lazy     func(ev *evaluation, args []node) (Value, error)
}

var functions map[string]function

// The table is filled here because the lazy functions refer to it through the
// evaluator.
func init() {
	functions = map[string]function{
		"and":      {min: 2, max: -1, lazy: junction(false)},
		"or":       {min: 2, max: -1, lazy: junction(true)},
		"iif":      {min: 3, max: 3, lazy: iif},
		"coalesce": {min: 2, max: -1, lazy: coalesce},
		"not":      {min: 1, max: 1, call: func(_ *evaluation, a []Value) (Value, error) { return !Truth(a[0]), nil }},
		"xor":      {min: 2, max: 2, call: func(_ *evaluation, a []Value) (Value, error) { return Truth(a[0]) != Truth(a[1]), nil }},

		"eq": {min: 2, max: 2, call: func(_ *evaluation, a []Value) (Value, error) { return equal(a[0], a[1]), nil }},
		"ne": {min: 2, max: 2, call: func(_ *evaluation, a []Value) (Value, error) { return !equal(a[0], a[1]), nil }},
		"gt": {min: 2, max: 2, call: ordered(func(o int) bool { return o > 0 })},
		"ge": {min: 2, max: 2, call: ordered(func(o int) bool { return o >= 0 })},
		"lt": {min: 2, max: 2, call: ordered(func(o int) bool { return o < 0 })},
		"le": {min: 2, max: 2, call: ordered(func(o int) bool { return o <= 0 })},

		"in":            {min: 1, max: -1, call: func(_ *evaluation, a []Value) (Value, error) { return among(a), nil }},
		"notin":         {min: 1, max: -1, call: func(_ *evaluation, a []Value) (Value, error) { return !among(a), nil }},
		"contains":      {min: 2, max: 2, call: texts(strings.Contains)},
		"startswith":    {min: 2, max: 2, call: texts(strings.HasPrefix)},
		"endswith":      {min: 2, max: 2, call: texts(strings.HasSuffix)},
		"containsvalue": {min: 2, max: 2, call: containsValue},

		"format":        {min: 1, max: -1, call: format},
		"join":          {min: 2, max: 2, call: join},
		"split":         {min: 2, max: 2, call: split},
		"replace":       {min: 3, max: 3, call: replace},
		"lower":         {min: 1, max: 1, call: mapText(strings.ToLower)},
		"upper":         {min: 1, max: 1, call: mapText(strings.ToUpper)},
		"trim":          {min: 1, max: 1, call: mapText(strings.TrimSpace)},
		"length":        {min: 1, max: 1, call: length},
		"converttojson": {min: 1, max: 1, call: convertToJSON},
		"counter":       {min: 0, max: 2, call: counter},
	}
}

// junction is or with stop true, and with stop false: it evaluates no further
// than it must.
func junction(stop bool) func(*evaluation, []node) (Value, error) {
	return func(ev *evaluation, args []node) (Value, error) {
		for _, a := range args {
			v, err := ev.value(a)
			if err != nil {
				return nil, err
			}
			if Truth(v) == stop {
				return stop, nil
			}
		}
		return !stop, nil
	}
}

func iif(ev *evaluation, args []node) (Value, error) {
	condition, err := ev.value(args[0])
	if err != nil {
		return nil, err
	}
	if Truth(condition) {
		return ev.value(args[1])
	}
	return ev.value(args[2])
}

func coalesce(ev *evaluation, args []node) (Value, error) {
	for _, a := range args {
		v, err := ev.value(a)
		if err != nil {
			return nil, err
		}
		if v != nil && (isCollection(plain(v)) || v != Value("")) {
			return v, nil
		}
	}
	return nil, nil
}

func ordered(holds func(order int) bool) func(*evaluation, []Value) (Value, error) {
	return func(_ *evaluation, a []Value) (Value, error) {
		order, ok := compare(a[0], a[1])
		if !ok {
			return nil, fmt.Errorf("%q cannot be compared with %q", String(a[1]), String(a[0]))
		}
		return holds(order), nil
	}
}

func among(a []Value) bool {
	for _, v := range a[1:] {
		if equal(a[0], v) {
			return true
		}
	}
	return false
}

func texts(holds func(s, part string) bool) func(*evaluation, []Value) (Value, error) {
	return func(_ *evaluation, a []Value) (Value, error) {
		return holds(strings.ToUpper(String(a[0])), strings.ToUpper(String(a[1]))), nil
	}
}

func containsValue(_ *evaluation, a []Value) (Value, error) {
	if !isCollection(a[0]) {
		return false, nil
	}
	for _, v := range everyValue(a[0]) {
		if equal(a[1], v) {
			return true, nil
		}
	}
	return false, nil
}

// format replaces {0}, {1} and so on; {{ and }} are braces.
func format(_ *evaluation, a []Value) (Value, error) {
	text, args := String(a[0]), a[1:]
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case (c == '{' || c == '}') && i+1 < len(text) && text[i+1] == c:
			b.WriteByte(c)
			i++
		case c == '{':
			end := strings.IndexByte(text[i:], '}')
			if end < 0 {
				return nil, errors.New("a { has no }")
			}
			n, err := strconv.ParseUint(text[i+1:i+end], 10, 16)
			if err != nil || int(n) >= len(args) {
				return nil, fmt.Errorf("%s names no argument", text[i:i+end+1])
			}
			b.WriteString(String(args[n]))
			i += end
		case c == '}':
			return nil, errors.New("a } has no {")
		default:
			b.WriteByte(c)
		}
		if b.Len() > maxWork {
			return nil, errors.New("the result is too long")
		}
	}
	return b.String(), nil
}

func join(_ *evaluation, a []Value) (Value, error) {
	items, ok := a[1].([]Value)
	if !ok {
		return String(a[1]), nil
	}
	var b strings.Builder
	for i, v := range items {
		if i > 0 {
			b.WriteString(String(a[0]))
		}
		b.WriteString(String(v))
		if b.Len() > maxWork {
			return nil, errors.New("the result is too long")
		}
	}
	return b.String(), nil
}

// split cuts at any of the characters of its second argument.
func split(_ *evaluation, a []Value) (Value, error) {
	delimiters := String(a[1])
	if delimiters == "" {
		return []Value{String(a[0])}, nil
	}
	var parts []Value
	rest := String(a[0])
	for {
		i := strings.IndexAny(rest, delimiters)
		if i < 0 {
			return append(parts, rest), nil
		}
		parts = append(parts, rest[:i])
		_, size := utf8.DecodeRuneInString(rest[i:])
		rest = rest[i+size:]
	}
}

func replace(_ *evaluation, a []Value) (Value, error) {
	s, old, with := String(a[0]), String(a[1]), String(a[2])
	if old == "" {
		return s, nil
	}
	if grown := strings.Count(s, old) * len(with); grown > maxWork {
		return nil, errors.New("the result is too long")
	}
	return strings.ReplaceAll(s, old, with), nil
}

func mapText(f func(string) string) func(*evaluation, []Value) (Value, error) {
	return func(_ *evaluation, a []Value) (Value, error) { return f(String(a[0])), nil }
}

func length(_ *evaluation, a []Value) (Value, error) {
	switch v := a[0].(type) {
	case []Value:
		return float64(len(v)), nil
	case Object:
		return float64(len(v)), nil
	}
	return float64(utf8.RuneCountInString(String(a[0]))), nil
}

func convertToJSON(_ *evaluation, a []Value) (Value, error) {
	text, err := json.MarshalIndent(jsonValue(a[0]), "", "  ")
	if err != nil {
		return nil, err
	}
	return string(text), nil
}

func jsonValue(v Value) any {
	switch v := v.(type) {
	case Version:
		return v.String()
	case float64:
		if math.IsInf(v, 0) || math.IsNaN(v) {
			return nil
		}
	}
	return v
}

func counter(ev *evaluation, a []Value) (Value, error) {
	if ev.Counter == nil {
		return nil, errors.New("can be used only in a variable of the pipeline")
	}
	var prefix string
	var seed float64
	if len(a) > 0 {
		prefix = String(a[0])
	}
	if len(a) > 1 {
		var ok bool
		if seed, ok = number(a[1]); !ok || seed != math.Trunc(seed) || math.Abs(seed) > 1<<31 {
			return nil, fmt.Errorf("the seed %q is not a whole number", String(a[1]))
		}
	}
	n, err := ev.Counter(prefix, int64(seed))
	return float64(n), err
}
