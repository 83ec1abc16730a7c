package cloud

import (
	"net/http"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/directory"
	"github.com/cloister-ml/cloister/internal/cloud/token"
	"github.com/cloister-ml/cloister/service"
)

// serveOpenIDv2 and serveOpenIDv1 say where the parts of the token service are
// (OpenID Connect Discovery 1.0, section 3). The issuers name the real hosts:
// clients trust them at any address of ours.
func (c *Cloud) serveOpenIDv2(w http.ResponseWriter, r *http.Request) {
	c.serveOpenID(w, r, "/v2.0", token.IdentityIssuer(c.options.Tenant))
}

func (c *Cloud) serveOpenIDv1(w http.ResponseWriter, r *http.Request) {
	if strings.EqualFold(r.PathValue("tenant"), "adfs") { // MSAL looks here, and speaks version 2.0
		c.serveOpenIDv2(w, r)
		return
	}
	c.serveOpenID(w, r, "", token.Issuer(c.options.Tenant))
}

func (c *Cloud) serveOpenID(w http.ResponseWriter, r *http.Request, version, issuer string) {
	here := "https://" + r.Host + "/" + c.options.Tenant
	WriteJSON(w, http.StatusOK, arm.Object{
		"issuer":                                issuer,
		"token_endpoint":                        here + "/oauth2" + version + "/token",
		"authorization_endpoint":                here + "/oauth2" + version + "/authorize",
		"device_authorization_endpoint":         here + "/oauth2" + version + "/devicecode",
		"end_session_endpoint":                  here + "/oauth2" + version + "/logout",
		"jwks_uri":                              here + "/discovery" + version + "/keys",
		"token_endpoint_auth_methods_supported": []string{"client_secret_post", "client_secret_basic", "private_key_jwt", "none"},
		"grant_types_supported":                 []string{"client_credentials", "authorization_code", "refresh_token", "password", deviceGrant},
		"response_types_supported":              []string{"code"},
		"response_modes_supported":              []string{"query", "form_post"},
		"code_challenge_methods_supported":      []string{"S256"},
		"subject_types_supported":               []string{"pairwise"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"scopes_supported":                      []string{"openid", "profile", "email", "offline_access"},
		"claims_supported":                      []string{"sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "preferred_username", "name", "tid", "oid", "ver"},
		"http_logout_supported":                 true,
		"frontchannel_logout_supported":         false,
		"tenant_region_scope":                   nil,
		"cloud_instance_name":                   "microsoftonline.com",
		"cloud_graph_host_name":                 "graph.windows.net",
		"msgraph_host":                          service.HostGraph,
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

// serveRealm says how the users of a domain sign in: here, with a password. It is
// the same for every name, so that it does not say which there are.
func (c *Cloud) serveRealm(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("user")
	if name == "" {
		name = r.URL.Query().Get("user")
	}
	_, domain, ok := strings.Cut(name, "@")
	if !ok {
		domain = directory.Domain
	}
	WriteJSON(w, http.StatusOK, arm.Object{
		"ver": "1.0", "account_type": "Managed", "domain_name": strings.Map(printable, domain),
		"cloud_instance_name": "microsoftonline.com", "cloud_audience_urn": "urn:federation:MicrosoftOnline",
	})
}
