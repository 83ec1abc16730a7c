package job

import (
	"encoding/json"
	"fmt"
	"sort"
	"strconv"
	"strings"
)

// object is a JSON object whose keys are found in any spelling: jobInputType,
// job_input_type and JobInputType are one key. Clients mix them: a job's body is
// in camel case, a pipeline's steps and a component are in snake case.
type object map[string]any

func fold(key string) string { return strings.ToLower(strings.ReplaceAll(key, "_", "")) }

func (o object) get(key string) any {
	if v, ok := o[key]; ok {
		return v
	}
	want := fold(key)
	for k, v := range o {
		if fold(k) == want {
			return v
		}
	}
	return nil
}

func (o object) object(key string) object {
	m, _ := o.get(key).(map[string]any)
	return m
}

// text is a scalar as text: clients send numbers and booleans both ways.
func (o object) text(key string) string {
	s, _ := scalar(o.get(key))
	return s
}

func (o object) bool(key string) bool {
	switch v := o.get(key).(type) {
	case bool:
		return v
	case string:
		return strings.EqualFold(v, "true")
	}
	return false
}

func (o object) number(key string) (float64, bool) {
	switch v := o.get(key).(type) {
	case float64:
		return v, true
	case string:
		n, err := strconv.ParseFloat(v, 64)
		return n, err == nil
	}
	return 0, false
}

func (o object) texts(key string) map[string]string {
	in := o.object(key)
	if len(in) == 0 {
		return nil
	}
	out := make(map[string]string, len(in))
	for k, v := range in {
		if s, ok := scalar(v); ok {
			out[k] = s
		}
	}
	return out
}

// scalar writes a JSON scalar as text; ok is false for null, arrays and objects.
func scalar(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	case json.Number:
		return v.String(), true
	}
	return "", false
}

// names are the keys of a map in order.
func names[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

func decode(raw []byte) (object, error) {
	var o map[string]any
	if err := json.Unmarshal(raw, &o); err != nil {
		return nil, fmt.Errorf("the body is not JSON: %w", err)
	}
	return o, nil
}
