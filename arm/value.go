package arm

import (
	"strconv"
	"strings"
)

// Lookup finds the value at a dotted path ("networkAcls.ipRules.0.value"). Keys
// compare without regard to case, as ARM's do. A path that leads through an
// [Unknown] ends there: the Unknown is returned.
func Lookup(o Object, path string) (any, bool) {
	var v any = o
	for _, key := range strings.Split(path, ".") {
		switch node := v.(type) {
		case map[string]any:
			next, ok := field(node, key)
			if !ok {
				return nil, false
			}
			v = next
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i < 0 || i >= len(node) {
				return nil, false
			}
			v = node[i]
		case Unknown:
			return node, true
		default:
			return nil, false
		}
	}
	return v, v != nil
}

func field(o map[string]any, key string) (any, bool) {
	if v, ok := o[key]; ok {
		return v, true
	}
	for k, v := range o {
		if strings.EqualFold(k, key) {
			return v, true
		}
	}
	return nil, false
}

// String is the string at path, or "" where there is none or it is unknown.
func String(o Object, path string) string {
	v, _ := Lookup(o, path)
	s, _ := v.(string)
	return s
}

// Bool is the boolean at path, or def where there is none or it is unknown.
func Bool(o Object, path string, def bool) bool {
	v, _ := Lookup(o, path)
	if b, ok := v.(bool); ok {
		return b
	}
	return def
}

// Int is the whole number at path, or def where there is none or it is unknown.
func Int(o Object, path string, def int) int {
	v, _ := Lookup(o, path)
	switch n := v.(type) {
	case float64:
		return int(n)
	case int:
		return n
	}
	return def
}

// Ref is the resource id at path, or "".
func Ref(o Object, path string) ID {
	id, err := ParseID(String(o, path))
	if err != nil {
		return ""
	}
	return id
}

// List is the array at path, or nil.
func List(o Object, path string) []any {
	v, _ := Lookup(o, path)
	l, _ := v.([]any)
	return l
}

// Objects are the objects of the array at path; other elements are passed over.
func Objects(o Object, path string) []Object {
	var out []Object
	for _, v := range List(o, path) {
		if e, ok := v.(map[string]any); ok {
			out = append(out, e)
		}
	}
	return out
}

// Strings are the strings of the array at path, or the one string that is there.
func Strings(o Object, path string) []string {
	if s := String(o, path); s != "" {
		return []string{s}
	}
	var out []string
	for _, v := range List(o, path) {
		if s, ok := v.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// UnknownAt is the unknown value at path or on the way to it.
func UnknownAt(o Object, path string) (Unknown, bool) {
	v, _ := Lookup(o, path)
	u, ok := v.(Unknown)
	return u, ok
}

// UnknownIn is the unknown value at path, on the way to it, or among the elements of
// the array there.
func UnknownIn(o Object, path string) (Unknown, bool) {
	if u, ok := UnknownAt(o, path); ok {
		return u, true
	}
	for _, e := range List(o, path) {
		if u, ok := e.(Unknown); ok {
			return u, true
		}
	}
	return Unknown{}, false
}

// Clone copies a value deeply.
func Clone[T any](v T) T {
	c, _ := clone(v).(T)
	return c
}

func clone(v any) any {
	switch node := v.(type) {
	case map[string]any:
		if node == nil {
			return node
		}
		out := make(map[string]any, len(node))
		for k, e := range node {
			out[k] = clone(e)
		}
		return out
	case []any:
		if node == nil {
			return node
		}
		out := make([]any, len(node))
		for i, e := range node {
			out[i] = clone(e)
		}
		return out
	}
	return v
}
