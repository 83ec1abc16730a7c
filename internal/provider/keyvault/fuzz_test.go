package keyvault

import (
	"net/http"
	"net/url"
	"testing"
)

// Whatever the path, an operation on a secret has a name and a version that are
// names and versions.
func FuzzRoute(f *testing.F) {
	for _, seed := range []string{"/secrets/x", "/secrets/x/versions", "/secrets/x/0123456789abcdef0123456789abcdef", "/secrets//", "/deletedsecrets/x/recover", "/Secrets/%00", "/"} {
		f.Add(http.MethodGet, seed)
	}
	f.Fuzz(func(t *testing.T, method, path string) {
		q := &request{Request: &http.Request{Method: method, URL: &url.URL{Path: path, RawQuery: "api-version=7.4"}}}
		op, err := q.route()
		if err != nil {
			return
		}
		if op.do == nil || (q.name != "" && !secretName.MatchString(q.name)) || (q.version != "" && !secretVer.MatchString(q.version)) {
			t.Errorf("%s %q: name %q, version %q", method, path, q.name, q.version)
		}
	})
}
