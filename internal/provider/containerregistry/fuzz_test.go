package containerregistry

import (
	"strings"
	"testing"
)

func FuzzParseScope(f *testing.F) {
	for _, seed := range []string{"repository:a/b:pull,push", "registry:catalog:*", "repository:host:5000/a:pull", "::", "a:b", "repository::pull", "repository:x:"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, ok := parseScope(text)
		if !ok {
			return
		}
		if s.Type == "" || s.Name == "" || strings.Contains(s.Type, ":") || s.Type+":"+s.Name+":"+strings.Join(s.Actions, ",") != text {
			t.Errorf("%q gives %+v", text, s)
		}
	})
}

// A scope covers its own repository and actions alone.
func TestPrincipalAllows(t *testing.T) {
	p := &principal{scoped: true, scopes: []scope{{"repository", "a", []string{"pull"}}, {"registry", "catalog", []string{"*"}}}}
	for _, test := range []struct {
		typ, name, action string
		want              bool
	}{
		{"repository", "a", "pull", true},
		{"repository", "a", "push", false},
		{"repository", "a/b", "pull", false},
		{"repository", "b", "pull", false},
		{"registry", "catalog", "*", true},
		{"registry", "a", "pull", false},
	} {
		if got := p.allows(test.typ, test.name, test.action); got != test.want {
			t.Errorf("%+v: %v", test, got)
		}
	}
	if (&principal{scoped: true}).allows("repository", "a", "pull") || !(&principal{}).allows("repository", "a", "pull") {
		t.Error("a token without scopes allows nothing, a credential without a limit everything")
	}
}
