package expression

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Value is what an expression computes with: nil, bool, float64, string, Version,
// []Value or Object. No other type is ever inside one.
type Value any

// Object is a mapping whose keys are found without regard to case.
type Object map[string]Value

// Get finds a key without regard to case, an exact match first.
func (o Object) Get(key string) (Value, bool) {
	if v, ok := o[key]; ok {
		return v, true
	}
	for _, k := range o.Keys() {
		if strings.EqualFold(k, key) {
			return o[k], true
		}
	}
	return nil, false
}

// Keys are the object's keys, sorted.
func (o Object) Keys() []string {
	keys := make([]string, 0, len(o))
	for k := range o {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// Version is a literal such as 1.2.3: two to four whole numbers.
type Version [4]int32

// String writes the version's parts; a part that was not given is not written.
func (v Version) String() string {
	var parts []string
	for _, p := range v {
		if p < 0 {
			break
		}
		parts = append(parts, strconv.Itoa(int(p)))
	}
	return strings.Join(parts, ".")
}

// ParseVersion reads two to four whole numbers between points.
func ParseVersion(s string) (Version, bool) {
	v := Version{-1, -1, -1, -1}
	parts := strings.Split(s, ".")
	if len(parts) < 2 || len(parts) > 4 {
		return v, false
	}
	for i, p := range parts {
		n, err := strconv.ParseInt(p, 10, 32)
		if err != nil || p == "" || p[0] < '0' || p[0] > '9' {
			return v, false
		}
		v[i] = int32(n)
	}
	return v, true
}

// Truth says what a value is as a condition: null, false, 0 and ” are false.
func Truth(v Value) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case float64:
		return v != 0 && !math.IsNaN(v)
	case string:
		return v != ""
	}
	return true
}

// String is a value as text: null is empty, booleans are True and False, and
// arrays and objects have no text of their own but their kind.
func String(v Value) string {
	switch v := v.(type) {
	case nil:
		return ""
	case bool:
		if v {
			return "True"
		}
		return "False"
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case string:
		return v
	case Version:
		return v.String()
	case []Value:
		return "Array"
	}
	return "Object"
}

func number(v Value) (float64, bool) {
	switch v := v.(type) {
	case nil:
		return 0, true
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	case float64:
		return v, true
	case string:
		s := strings.TrimSpace(v)
		if s == "" {
			return 0, true
		}
		return parseNumber(s)
	}
	return 0, false
}

// parseNumber reads a decimal number, and not the other spellings that strconv
// knows (hexadecimal, underscores, inf).
func parseNumber(s string) (float64, bool) {
	if strings.Trim(s, "+-.0123456789eE") != "" {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}

func version(v Value) (Version, bool) {
	switch v := v.(type) {
	case Version:
		return v, true
	case string:
		return ParseVersion(strings.TrimSpace(v))
	case float64:
		return ParseVersion(strconv.FormatFloat(v, 'f', -1, 64))
	}
	return Version{}, false
}

// compare holds right, converted to left's type, against left. ok is false when
// it cannot be converted.
func compare(left, right Value) (order int, ok bool) {
	switch l := left.(type) {
	case nil:
		return 0, right == nil || right == Value("")
	case bool:
		return order01(l, Truth(right)), true
	case float64:
		r, ok := number(right)
		return cmp.Compare(l, r), ok
	case string:
		if isCollection(right) {
			return 0, false
		}
		return cmp.Compare(strings.ToUpper(l), strings.ToUpper(String(right))), true
	case Version:
		r, ok := version(right)
		return slices.Compare(l[:], r[:]), ok
	}
	return 0, false
}

func equal(left, right Value) bool {
	order, ok := compare(left, right)
	return ok && order == 0
}

func order01(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

func isCollection(v Value) bool {
	switch v.(type) {
	case []Value, Object:
		return true
	}
	return false
}
