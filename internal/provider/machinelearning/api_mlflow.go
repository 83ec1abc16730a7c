package machinelearning

import (
	"net/http"
	"net/url"
	"strings"
)

// serveMLflow hands a request to the workspace's MLflow store. prefix is the
// length of what stands before the store's own path.
func (s *Service) serveMLflow(w http.ResponseWriter, r *http.Request, ws workspace, prefix int) error {
	tail := r.URL.Path[prefix:]
	if err := s.allow(r, ws, mlflowAction(r.Method, tail)); err != nil {
		return err
	}
	t, err := s.trackingOf(ws)
	if err != nil {
		return err
	}
	u := *r.URL
	u.Path, u.RawPath = tail, rawTail(r.URL, prefix)
	inner := r.Clone(r.Context())
	inner.URL = &u
	t.Handler().ServeHTTP(w, inner)
	return nil
}

// rawTail cuts the prefix off the escaped path; it has the same number of
// segments there.
func rawTail(u *url.URL, prefix int) string {
	if u.RawPath == "" {
		return ""
	}
	rest := u.RawPath
	for range strings.Count(u.Path[:prefix], "/") {
		i := strings.IndexByte(rest[1:], '/')
		if i < 0 {
			return ""
		}
		rest = rest[i+1:]
	}
	return rest
}

// mlflowAction is the action that a call to MLflow's API needs.
func mlflowAction(method, path string) string {
	path = strings.TrimSuffix(path, "/")
	area := "experiments/runs"
	if strings.Contains(path, "/registered-models") || strings.Contains(path, "/model-versions") {
		area = "models"
	}
	last := path[strings.LastIndexByte(path, '/')+1:]
	reading := method == http.MethodGet || method == http.MethodHead ||
		method == http.MethodPost && (strings.HasPrefix(last, "search") || last == "get-latest-versions" || strings.HasPrefix(last, "get-history"))
	if reading {
		return area + "/read"
	}
	if area == "models" && (method == http.MethodDelete || last == "delete") {
		return area + "/delete"
	}
	return area + "/write"
}
