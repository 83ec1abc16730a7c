package resources

import (
	"encoding/json"
	"reflect"
	"testing"
)

func TestStrict(t *testing.T) {
	for in, want := range map[string]string{
		`{"properties": {"mode": "Incremental", template:{"a": 1}}}`:            `{"properties":{"mode":"Incremental","template":{"a":1}}}`,
		"{ // why\n \"a\": 1, /* and\n how */ \"b\": [1, 2, ], }":               `{"a":1,"b":[1,2]}`,
		"{\"a\": \"one\ntwo\t\\\"three\\\" // no comment\"}":                    `{"a":"one\ntwo\t\"three\" // no comment"}`,
		`{"a": true, "b": null, "c": -1.5e3, d_1 : "x", "$schema": "http://y"}`: `{"a":true,"b":null,"c":-1500,"d_1":"x","$schema":"http://y"}`,
		`{"a": ",}", "b": 1}`: `{"a":",}","b":1}`,
	} {
		var got, wanted any
		if err := json.Unmarshal(strict([]byte(in)), &got); err != nil {
			t.Errorf("%s: %v: %s", in, err, strict([]byte(in)))
			continue
		}
		if err := json.Unmarshal([]byte(want), &wanted); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, wanted) {
			t.Errorf("%s: got %v, want %v", in, got, wanted)
		}
	}
	for _, in := range []string{`{`, `{"a": "`, `{"a": "\`, `/*`, `{a}`, ``} {
		if json.Valid(strict([]byte(in))) {
			t.Errorf("%q is taken for JSON", in)
		}
	}
}

// What is JSON already means the same after it.
func FuzzStrict(f *testing.F) {
	for _, s := range []string{`{"a":[1,{"b":"c\n//"}],"d":"\u00e9"}`, `[]`, `{"a": ",]"}`, "{a:/**/1,}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		out := strict(data)
		if !json.Valid(data) {
			return
		}
		var a, b any
		if json.Unmarshal(data, &a) != nil { // a number that is too large
			return
		}
		if err := json.Unmarshal(out, &b); err != nil || !reflect.DeepEqual(a, b) {
			t.Errorf("%q became %q: %v", data, out, err)
		}
	})
}
