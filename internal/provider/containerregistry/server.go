package containerregistry

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/verdict"
)

// loginServer answers at {registry}.azurecr.io.
type loginServer struct {
	host       cloud.Host
	registries *registries
}

// Close ends the open registries.
func (s *loginServer) Close() error { return s.registries.folders.Close() }

// request is one call on its way through the login server or the data endpoint.
type request struct {
	*http.Request
	w        http.ResponseWriter
	service  cloud.Host
	resource arm.Resource
	registry *registry
	secrets  secrets
	host     string // the login server, in lower case
}

// newRequest lets a call through the registry's firewall and opens the registry;
// where it may not pass, it has been answered and ok is false.
func (rs *registries) newRequest(w http.ResponseWriter, r *http.Request) (q *request, ok bool) {
	call := cloud.CallFrom(r.Context())
	q = &request{Request: r, w: w, service: rs.host, resource: call.Resource, host: strings.ToLower(call.Resource.Name) + ".azurecr.io"}
	if call.Admission.Value != verdict.Yes {
		step := call.Admission.Decisive()
		q.refuse(w, &refusal{
			status: http.StatusForbidden, code: "DENIED",
			message: fmt.Sprintf("client with IP '%s' is not allowed access. %s: %s", call.Source.Addr, step.At, step.Reason),
		})
		return q, false
	}
	reg, err := rs.get(call.Resource.ID)
	if err != nil {
		rs.host.Log().Error("container registry", "registry", call.Resource.Name, "error", err)
		q.refuse(w, &refusal{status: http.StatusInternalServerError, code: "UNKNOWN", message: "the registry cannot be opened; see the cloud's log"})
		return q, false
	}
	q.registry, q.secrets = reg, reg.own()
	return q, true
}

// ServeHTTP implements http.Handler.
func (s *loginServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q, ok := s.registries.newRequest(w, r)
	if !ok {
		return
	}
	switch {
	case r.URL.Path == "/oauth2/exchange" && r.Method == http.MethodPost:
		q.exchange()
	case r.URL.Path == "/oauth2/token" && r.Method == http.MethodPost:
		q.tokenByForm()
	case r.URL.Path == "/oauth2/token" && r.Method == http.MethodGet:
		q.tokenByPassword()
	case r.URL.Path == "/v2" || strings.HasPrefix(r.URL.Path, "/v2/"):
		q.distribution()
	default:
		http.NotFound(w, r)
	}
}

// maxBody is the largest body of one request: Azure's limit for a layer.
const maxBody = 200 << 30

// distribution serves the distribution protocol to an authenticated principal.
func (q *request) distribution() {
	p, err := q.authenticate()
	if err != nil {
		q.refuse(q.w, unauthenticated(err.Error()))
		return
	}
	if q.redirect(p) {
		return
	}
	q.serveApp(withPrincipal(q.Context(), p))
}

// serveApp hands the request to the distribution server, without what would let a
// client choose the addresses that it answers with.
func (q *request) serveApp(ctx context.Context) {
	d := &deniable{ResponseWriter: q.w, refuse: q.refuse}
	r := q.Clone(context.WithValue(ctx, deniableKey{}, d))
	for name := range r.Header {
		if name == "Forwarded" || strings.HasPrefix(name, "X-Forwarded-") {
			r.Header.Del(name)
		}
	}
	r.Body = http.MaxBytesReader(q.w, r.Body, maxBody)
	q.registry.app.ServeHTTP(d, r)
}

func (q *request) authenticate() (*principal, error) {
	header := q.Header.Get("Authorization")
	scheme, value, _ := strings.Cut(header, " ")
	switch {
	case header == "":
		return nil, fmt.Errorf("there is no credential")
	case strings.EqualFold(scheme, "Basic"):
		user, password, ok := q.BasicAuth()
		if !ok {
			return nil, fmt.Errorf("the credential is not a user name and a password")
		}
		return q.byPassword(user, password)
	case strings.EqualFold(scheme, "Bearer"):
		p, err := q.secrets.verify(q.host, accessToken, strings.TrimSpace(value))
		if err == nil && p.admin && !adminEnabled(q.resource) {
			return nil, fmt.Errorf("the admin user is disabled")
		}
		return p, err
	}
	return nil, fmt.Errorf("the scheme %q is not supported", scheme)
}

// refuse answers with a refusal, and with 401 tells where to get a token.
func (q *request) refuse(w http.ResponseWriter, r *refusal) {
	h := w.Header()
	if r.status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="https://%s/oauth2/token",service="%s"`, q.host, q.host)+r.challenge)
	}
	h.Set("Docker-Distribution-Api-Version", "registry/2.0")
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Del("Content-Length")
	w.WriteHeader(r.status)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": []any{map[string]any{"code": r.code, "message": r.message}}}) // a client that has gone cannot be told
}
