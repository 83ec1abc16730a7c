package cloud

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/cloister-ml/cloister/arm"
)

// Login answers as Microsoft Entra ID's token service.
func (c *Cloud) Login() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /{tenant}/oauth2/v2.0/token", c.inTenant(c.serveTokenV2))
	mux.HandleFunc("POST /{tenant}/oauth2/token", c.inTenant(c.serveTokenV1))
	mux.HandleFunc("GET /{tenant}/oauth2/v2.0/authorize", c.inTenant(c.getAuthorize))
	mux.HandleFunc("GET /{tenant}/oauth2/authorize", c.inTenant(c.getAuthorize))
	mux.HandleFunc("POST /{tenant}/oauth2/signin", c.inTenant(c.postSignIn))
	mux.HandleFunc("POST /{tenant}/oauth2/v2.0/devicecode", c.inTenant(c.serveDeviceCode))
	mux.HandleFunc("POST /{tenant}/oauth2/devicecode", c.inTenant(c.serveDeviceCode))
	mux.HandleFunc("GET /{tenant}/oauth2/deviceauth", c.inTenant(c.getDeviceAuth))
	mux.HandleFunc("POST /{tenant}/oauth2/deviceauth", c.inTenant(c.postDeviceAuth))
	mux.HandleFunc("GET /{tenant}/oauth2/v2.0/logout", c.inTenant(c.serveLogout))
	mux.HandleFunc("GET /{tenant}/oauth2/logout", c.inTenant(c.serveLogout))
	mux.HandleFunc("GET /{tenant}/v2.0/.well-known/openid-configuration", c.inTenant(c.serveOpenIDv2))
	mux.HandleFunc("GET /{tenant}/.well-known/openid-configuration", c.inTenant(c.serveOpenIDv1))
	mux.HandleFunc("GET /{tenant}/userrealm/{user}", c.inTenant(c.serveRealm))
	mux.HandleFunc("GET /{tenant}/userrealm", c.inTenant(c.serveRealm))
	mux.HandleFunc("GET /{tenant}/discovery/v2.0/keys", c.inTenant(c.serveKeys))
	mux.HandleFunc("GET /{tenant}/discovery/keys", c.inTenant(c.serveKeys))
	mux.HandleFunc("GET /{tenant}/discovery/instance", c.serveInstance)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		loginError(w, http.StatusNotFound, "invalid_request", 90014, "There is nothing at this address.")
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if parts := strings.SplitN(r.URL.Path, "/", 4); len(parts) > 2 && parts[2] != strings.ToLower(parts[2]) { // MSAL asks for UserRealm
			parts[2] = strings.ToLower(parts[2])
			r = r.Clone(r.Context())
			r.URL.Path, r.URL.RawPath = strings.Join(parts, "/"), ""
		}
		mux.ServeHTTP(w, r)
	})
}

// isLogin reports whether a path is the token service's, where it shares its
// address with ARM.
func isLogin(path string) bool {
	parts := strings.SplitN(strings.TrimPrefix(path, "/"), "/", 3)
	if len(parts) < 2 {
		return false
	}
	switch strings.ToLower(parts[1]) {
	case "oauth2", "v2.0", ".well-known", "discovery", "userrealm":
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
