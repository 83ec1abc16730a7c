package cloud

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/token"
	"github.com/cloister-ml/cloister/service"
)

// Login answers as Microsoft Entra ID's token service.
func (c *Cloud) Login() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /{tenant}/oauth2/v2.0/token", c.inTenant(c.serveTokenV2))
	mux.HandleFunc("POST /{tenant}/oauth2/token", c.inTenant(c.serveTokenV1))
	mux.HandleFunc("GET /{tenant}/v2.0/.well-known/openid-configuration", c.inTenant(c.serveOpenID))
	mux.HandleFunc("GET /{tenant}/.well-known/openid-configuration", c.inTenant(c.serveOpenID))
	mux.HandleFunc("GET /{tenant}/discovery/v2.0/keys", c.inTenant(c.serveKeys))
	mux.HandleFunc("GET /{tenant}/discovery/keys", c.inTenant(c.serveKeys))
	mux.HandleFunc("GET /{tenant}/discovery/instance", c.serveInstance)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		loginError(w, http.StatusNotFound, "invalid_request", 90014, "There is nothing at this address.")
	})
	return mux
}

// isLogin reports whether a path is the token service's, where it shares its
// address with ARM.
func isLogin(path string) bool {
	parts := strings.SplitN(strings.TrimPrefix(path, "/"), "/", 3)
	if len(parts) < 2 {
		return false
	}
	switch parts[1] {
	case "oauth2", "v2.0", ".well-known", "discovery":
		return true
	}
	return false
}

// inTenant refuses a tenant that is not this cloud's. "adfs" is what clients
// write that were told not to look for the tenant.
func (c *Cloud) inTenant(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch tenant := strings.ToLower(r.PathValue("tenant")); tenant {
		case c.options.Tenant, "common", "organizations", "adfs":
			next(w, r)
		default:
			loginError(w, http.StatusBadRequest, "invalid_request", 90002, "Tenant '"+strings.Map(printable, tenant)+"' not found.")
		}
	}
}

// loginError answers in the token service's own shape.
func loginError(w http.ResponseWriter, status int, code string, number int, text string) {
	trace := uuid.NewString()
	WriteJSON(w, status, arm.Object{
		"error":             code,
		"error_description": "AADSTS" + strconv.Itoa(number) + ": " + text + " Trace ID: " + trace,
		"error_codes":       []int{number},
		"timestamp":         time.Now().UTC().Format("2006-01-02 15:04:05Z"),
		"trace_id":          trace,
		"correlation_id":    uuid.NewString(),
	})
}

const maxForm = 64 << 10

func (c *Cloud) serveTokenV2(w http.ResponseWriter, r *http.Request) {
	c.serveToken(w, r, func() (string, bool) {
		for _, scope := range strings.Fields(r.PostForm.Get("scope")) {
			if resource, ok := strings.CutSuffix(scope, "/.default"); ok {
				return resource, true
			}
		}
		return "", false
	})
}

func (c *Cloud) serveTokenV1(w http.ResponseWriter, r *http.Request) {
	c.serveToken(w, r, func() (string, bool) {
		resource := r.PostForm.Get("resource")
		return resource, resource != ""
	})
}

// serveToken answers a client that shows its secret with a token for what
// audience says the form asks for.
func (c *Cloud) serveToken(w http.ResponseWriter, r *http.Request, audience func() (string, bool)) {
	w.Header().Set("Cache-Control", "no-store")
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		loginError(w, http.StatusBadRequest, "invalid_request", 900144, "The request body must be a form.")
		return
	}
	if grant := r.PostForm.Get("grant_type"); grant != "client_credentials" {
		loginError(w, http.StatusBadRequest, "unsupported_grant_type", 70003, "The app requested an unsupported grant type '"+strings.Map(printable, grant)+"'.")
		return
	}
	resource, ok := audience()
	if !ok {
		loginError(w, http.StatusBadRequest, "invalid_scope", 1002012, "The provided value for scope is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier.")
		return
	}
	app, secret := r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	if id, password, basic := r.BasicAuth(); basic {
		app, secret = id, password
	}
	principal, known, right := c.principals.find(strings.ToLower(app), secret)
	acr := "1"
	if raw := r.PostForm.Get("client_assertion"); raw != "" && known {
		if err := c.asserted(r, principal.AppID, raw); err != nil {
			loginError(w, http.StatusUnauthorized, "invalid_client", 700027, "Client assertion failed signature validation: "+err.Error()+".")
			return
		}
		right, acr = true, "2"
	}
	switch {
	case !known:
		loginError(w, http.StatusBadRequest, "unauthorized_client", 700016, "Application with identifier '"+strings.Map(printable, app)+"' was not found in the directory.")
		return
	case !right:
		loginError(w, http.StatusUnauthorized, "invalid_client", 7000215, "Invalid client secret provided.")
		return
	case !c.audiences.known(resource):
		loginError(w, http.StatusBadRequest, "invalid_resource", 500011, "The resource principal named "+strings.Map(printable, resource)+" was not found in the tenant.")
		return
	}
	raw, claims, err := c.tokens.Sign(token.Claims{
		Audience: resource, AppID: principal.AppID, AppIDACR: acr, ObjectID: principal.ObjectID, Name: principal.Name,
	}, applicationLifetime)
	if err != nil {
		c.log.Error("signing a token", "error", err)
		loginError(w, http.StatusInternalServerError, "server_error", 90033, "A transient error has occurred. Please try again.")
		return
	}
	seconds := claims.Expires - claims.IssuedAt - 1
	body := arm.Object{"token_type": "Bearer", "access_token": raw}
	if strings.HasSuffix(r.URL.Path, "/v2.0/token") {
		body["expires_in"], body["ext_expires_in"] = seconds, seconds
	} else {
		number := func(n int64) string { return strconv.FormatInt(n, 10) }
		body["expires_in"], body["ext_expires_in"] = number(seconds), number(seconds)
		body["expires_on"], body["not_before"], body["resource"] = number(claims.Expires), number(claims.NotBefore), resource
	}
	WriteJSON(w, http.StatusOK, body)
}

// asserted checks the signed statement by which a client shows who it is.
func (c *Cloud) asserted(r *http.Request, app, raw string) error {
	if r.PostForm.Get("client_assertion_type") != assertionType {
		return fmt.Errorf("%w: its type is not %s", errAssertion, assertionType)
	}
	return c.proves(r, app, c.principals.proofsOf(app), raw)
}

func (c *Cloud) serveOpenID(w http.ResponseWriter, r *http.Request) {
	here := "https://" + r.Host + "/" + c.options.Tenant
	// The issuer names the real host: clients trust it at any address of ours.
	WriteJSON(w, http.StatusOK, arm.Object{
		"issuer":                                "https://" + service.HostLogin + "/" + c.options.Tenant + "/v2.0",
		"token_endpoint":                        here + "/oauth2/v2.0/token",
		"authorization_endpoint":                here + "/oauth2/v2.0/authorize",
		"device_authorization_endpoint":         here + "/oauth2/v2.0/devicecode",
		"jwks_uri":                              here + "/discovery/v2.0/keys",
		"token_endpoint_auth_methods_supported": []string{"client_secret_post", "client_secret_basic", "private_key_jwt"},
		"grant_types_supported":                 []string{"client_credentials"},
		"response_types_supported":              []string{"token"},
		"response_modes_supported":              []string{"form_post"},
		"subject_types_supported":               []string{"pairwise"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"scopes_supported":                      []string{"openid"},
		"tenant_region_scope":                   nil,
		"cloud_instance_name":                   "microsoftonline.com",
	})
}

func (c *Cloud) serveKeys(w http.ResponseWriter, _ *http.Request) {
	WriteJSON(w, http.StatusOK, c.tokens.KeySet())
}

// serveInstance says that an authority's host is one that may be trusted, which
// clients ask before they send a secret there.
func (c *Cloud) serveInstance(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("authorization_endpoint") == "" {
		loginError(w, http.StatusBadRequest, "invalid_request", 900144, "The request must contain the parameter authorization_endpoint.")
		return
	}
	hosts := []string{service.HostLogin, r.Host}
	WriteJSON(w, http.StatusOK, arm.Object{
		"tenant_discovery_endpoint": "https://" + r.Host + "/" + c.options.Tenant + "/v2.0/.well-known/openid-configuration",
		"api-version":               "1.1",
		"metadata":                  []arm.Object{{"preferred_network": r.Host, "preferred_cache": r.Host, "aliases": hosts}},
	})
}
