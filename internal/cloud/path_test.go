package cloud

import (
	"errors"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/arm"
)

const testSub = "7d9a1c5e-2f63-4a8b-9e1d-3c4b5a697887"

func TestParseTarget(t *testing.T) {
	const sub = "/subscriptions/" + testSub
	for _, tt := range []struct {
		path     string
		id       arm.ID
		typ      string
		item     bool
		provider bool
		rest     string
	}{
		{"/subscriptions", "", "", false, false, "subscriptions"},
		{sub, sub, "", true, false, ""},
		{sub + "/", sub, "", true, false, ""},
		{sub + "/resourcegroups/rg", sub + "/resourcegroups/rg", "", true, false, ""},
		{sub + "/resourceGroups", sub, "", false, false, "resourceGroups"},
		{sub + "/resourceGroups/rg/resources", sub + "/resourceGroups/rg", "", false, false, "resources"},
		{sub + "/providers", sub, "", false, false, "providers"},
		{sub + "/providers/A.B", sub, "A.B", false, true, ""},
		{sub + "/providers/A.B/c", sub, "A.B/c", false, true, ""},
		{sub + "/resourceGroups/rg/providers/A.B/c/one", sub + "/resourceGroups/rg/providers/A.B/c/one", "A.B/c", true, true, ""},
		{sub + "/resourceGroups/rg/providers/A.B/c/one/d", sub + "/resourceGroups/rg/providers/A.B/c/one", "A.B/c/d", false, true, ""},
		{sub + "/resourceGroups/rg/providers/A.B/c/one/providers/E.F/g/x", sub + "/resourceGroups/rg/providers/A.B/c/one/providers/E.F/g/x", "E.F/g", true, true, ""},
		{sub + "/resourceGroups/providers/providers/A.B/c/one", sub + "/resourceGroups/providers/providers/A.B/c/one", "A.B/c", true, true, ""},
		{"/providers/A.B/c/one", "/providers/A.B/c/one", "A.B/c", true, true, ""},
		{"/providers", "", "", false, false, "providers"},
	} {
		segments, err := parsePath(tt.path)
		if err != nil {
			t.Errorf("%s: %v", tt.path, err)
			continue
		}
		got, err := parseTarget(segments)
		if err != nil {
			t.Errorf("%s: %v", tt.path, err)
			continue
		}
		typ := ""
		if got.provider {
			typ = got.typ()
		}
		if got.id() != tt.id || typ != tt.typ || got.item() != tt.item || got.provider != tt.provider || strings.Join(got.rest, "/") != tt.rest {
			t.Errorf("%s: id %q type %q item %v provider %v rest %v", tt.path, got.id(), typ, got.item(), got.provider, got.rest)
		}
	}
}

// Whatever is asked for, it is either refused with a 400 or names an id that
// parses, has no traversal in it, and is spelt the same when spelt again.
func FuzzPath(f *testing.F) {
	for _, s := range []string{
		"/subscriptions/" + testSub + "/resourceGroups/rg/providers/A.B/c/one", "/subscriptions/x/providers/providers/providers", "//metadata/endpoints",
		"/providers/A.B/c/one/providers/D.E/f/g", "/subscriptions/%2e%2e/resourceGroups/a", "/a/%2F/b", "/subscriptions/s/resourceGroups/g/providers/A.B/c/%00",
		"/subscriptions/s/resourceGroups/providers/providers/A/b/c", "/subscriptions//resourceGroups/g", strings.Repeat("/a", 100),
	} {
		f.Add(s)
	}
	types, err := newRegistry([]Provider{{Namespace: "A.B", Types: []Type{{Name: "A.B/c"}, {Name: "A.B/c/Dee"}}}})
	if err != nil {
		f.Fatal(err)
	}
	c := &Cloud{types: types, options: Options{Subscription: testSub}}
	empty := newSnapshot(nil, "")
	f.Fuzz(func(t *testing.T, path string) {
		segments, err := parsePath(path)
		var target target
		if err == nil {
			target, err = parseTarget(segments)
		}
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Status != 400 {
				t.Fatalf("%q: %v", path, err)
			}
			return
		}
		c.types.handled(target)
		id := target.id()
		if id == "" || !target.item() {
			return
		}
		for _, s := range strings.Split(string(id), "/") {
			if s == ".." || s == "." || strings.ContainsAny(s, "\\\x00") {
				t.Fatalf("%q names %q", path, id)
			}
		}
		if _, err := arm.ParseID(string(id)); err != nil {
			return // refused when it is looked for
		}
		spelt := c.spellID(empty, id)
		if !spelt.Equal(id) || c.spellID(empty, spelt) != spelt {
			t.Fatalf("%q is spelt %q, then %q", id, spelt, c.spellID(empty, spelt))
		}
	})
}

func FuzzBody(f *testing.F) {
	f.Add([]byte(`{"location":"westeurope","tags":{"a":"b"},"identity":{"type":"SystemAssigned"},"properties":{"x":[1,{"y":null}]}}`))
	f.Add([]byte(`{"Properties":{"ProvisioningState":"x"},"ID":"/x"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		body, err := decodeObject(data)
		if err != nil {
			return
		}
		id := arm.ResourceID(testSub, "rg", "A.B/c", "one")
		doc, err := documentOf(id, body)
		if err != nil {
			return
		}
		if doc.ID != id || doc.Properties == nil {
			t.Fatalf("%s became %+v", data, doc)
		}
		for _, field := range known {
			for k := range doc.extra {
				if strings.EqualFold(k, field) {
					t.Fatalf("%s keeps %q as extra", data, k)
				}
			}
		}
	})
}
