package cloud

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/session"
	"github.com/cloister-ml/cloister/internal/cloud/token"
)

const maxForm = 64 << 10

// deviceGrant is the grant type of RFC 8628, section 3.4.
const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"

// refusal is an answer of the token service that gives nothing.
type refusal struct {
	status int
	code   string // OAuth's (RFC 6749, section 5.2)
	number int    // Entra's, after AADSTS
	text   string
}

func (e *refusal) Error() string { return fmt.Sprintf("AADSTS%d: %s", e.number, e.text) }

func refuse(code string, number int, format string, args ...any) error {
	status := http.StatusBadRequest
	if code == "invalid_client" {
		status = http.StatusUnauthorized
	}
	return &refusal{status, code, number, fmt.Sprintf(format, args...)}
}

// refuseLogin answers with an error: a refusal as it is, anything else as one of
// the server, whose text is not shown.
func (c *Cloud) refuseLogin(w http.ResponseWriter, err error) {
	var e *refusal
	if errors.As(err, &e) {
		loginError(w, e.status, e.code, e.number, e.text)
		return
	}
	c.log.Error("the token service", "error", err)
	loginError(w, http.StatusInternalServerError, "server_error", 90033, "A transient error has occurred. Please try again.")
}

// tokenRequest is a form that was sent to the token endpoint.
type tokenRequest struct {
	r  *http.Request
	v1 bool // version 1.0 names a resource, 2.0 scopes
}

func (q tokenRequest) get(name string) string { return q.r.PostForm.Get(name) }

func (c *Cloud) serveTokenV2(w http.ResponseWriter, r *http.Request) { c.serveToken(w, r, false) }
func (c *Cloud) serveTokenV1(w http.ResponseWriter, r *http.Request) { c.serveToken(w, r, true) }

func (c *Cloud) serveToken(w http.ResponseWriter, r *http.Request, v1 bool) {
	w.Header().Set("Cache-Control", "no-store")
	if !readForm(w, r) {
		return
	}
	body, err := c.grant(tokenRequest{r, v1})
	if err != nil {
		c.refuseLogin(w, err)
		return
	}
	WriteJSON(w, http.StatusOK, body)
}

func readForm(w http.ResponseWriter, r *http.Request) bool {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		loginError(w, http.StatusBadRequest, "invalid_request", 900144, "The request body must be a form.")
		return false
	}
	return true
}

func (c *Cloud) grant(q tokenRequest) (arm.Object, error) {
	switch grant := q.get("grant_type"); grant {
	case "client_credentials":
		return c.clientCredentials(q)
	case "password":
		return c.passwordGrant(q)
	case "authorization_code":
		return c.codeGrant(q)
	case "refresh_token":
		return c.refreshGrant(q)
	case deviceGrant, "device_code":
		return c.deviceGrant(q)
	case "":
		return nil, refuse("invalid_request", 900144, "The request body must contain the following parameter: 'grant_type'.")
	default:
		return nil, refuse("unsupported_grant_type", 70003, "The app requested an unsupported grant type '%s'.", strings.Map(printable, grant))
	}
}

// clientCredentials answers an application that shows who it is with a token for
// itself (RFC 6749, section 4.4).
func (c *Cloud) clientCredentials(q tokenRequest) (arm.Object, error) {
	resource := q.get("resource")
	if !q.v1 {
		resource = ""
		for _, scope := range strings.Fields(q.get("scope")) {
			if name, ok := strings.CutSuffix(scope, "/.default"); ok {
				resource = name
				break
			}
		}
	}
	if resource == "" {
		return nil, refuse("invalid_scope", 1002012, "The provided value for scope is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier.")
	}
	principal, acr, err := c.application(q)
	if err != nil {
		return nil, err
	}
	if acr == "" {
		return nil, errNoSecret()
	}
	if !c.audiences.known(resource) {
		return nil, errResource(resource)
	}
	if c.principals.proofsOf(principal.AppID).NoPrincipal {
		return nil, refuse("unauthorized_client", 7000229, "The client application %s is missing service principal in the tenant %s.", principal.AppID, c.options.Tenant)
	}
	raw, claims, err := c.tokens.Sign(token.Claims{
		Audience: resource, AppID: principal.AppID, AppIDACR: acr, ObjectID: principal.ObjectID, Name: principal.Name,
	}, applicationLifetime)
	if err != nil {
		return nil, err
	}
	return tokenBody(q, raw, claims, resource), nil
}

func errResource(resource string) error {
	return refuse("invalid_resource", 500011, "The resource principal named %s was not found in the tenant.", strings.Map(printable, resource))
}

func errNoSecret() error {
	return refuse("invalid_client", 7000218, "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.")
}

// tokenBody is what every answer with a token has (RFC 6749, section 5.1).
func tokenBody(q tokenRequest, raw string, claims token.Claims, resource string) arm.Object {
	seconds := claims.Expires - claims.IssuedAt - 1
	body := arm.Object{"token_type": "Bearer", "access_token": raw, "expires_in": seconds, "ext_expires_in": seconds}
	if q.v1 {
		number := func(n int64) string { return strconv.FormatInt(n, 10) }
		body["expires_in"], body["ext_expires_in"] = number(seconds), number(seconds)
		body["expires_on"], body["not_before"], body["resource"] = number(claims.Expires), number(claims.NotBefore), resource
	}
	return body
}

// passwordGrant is RFC 6749, section 4.3: for clients that cannot open a browser.
func (c *Cloud) passwordGrant(q tokenRequest) (arm.Object, error) {
	client, err := c.clientOf(q)
	if err != nil {
		return nil, err
	}
	u, err := c.checkPassword(q.get("username"), q.get("password"))
	if err != nil {
		return nil, err
	}
	return c.userTokens(q, session.Grant{User: u.ID, Client: client, Scope: q.wanted(), At: c.now().UTC()}, "")
}

// codeGrant is RFC 6749, section 4.1.3, with the proof of RFC 7636.
func (c *Cloud) codeGrant(q tokenRequest) (arm.Object, error) {
	client, err := c.clientOf(q)
	if err != nil {
		return nil, err
	}
	code := q.get("code")
	found, err := c.codes.Use(code, client, q.get("redirect_uri"), q.get("code_verifier"))
	switch {
	case errors.Is(err, session.ErrVerifier):
		return nil, refuse("invalid_grant", 501481, "The Code_Verifier does not match the code_challenge supplied in the authorization request.")
	case err != nil:
		if found.Family != "" {
			if err := c.sessions.EndFamily(q.r.Context(), found.Family); err != nil {
				return nil, err
			}
		}
		return nil, refuse("invalid_grant", 54005, "OAuth2 Authorization code was already redeemed, has expired or is not this client's. Please retry with a new valid code.")
	}
	return c.userTokens(q, found.Grant, code)
}

func (c *Cloud) deviceGrant(q tokenRequest) (arm.Object, error) {
	client, err := c.clientOf(q)
	if err != nil {
		return nil, err
	}
	code := q.get("device_code")
	if code == "" {
		code = q.get("code") // as version 1.0 names it
	}
	found, err := c.devices.Poll(code, client)
	switch {
	case errors.Is(err, session.ErrPending):
		return nil, refuse("authorization_pending", 70016, "OAuth 2.0 device flow error. Authorization is pending. Continue polling.")
	case errors.Is(err, session.ErrSlowDown):
		return nil, refuse("slow_down", 70016, "OAuth 2.0 device flow error. The client polls too often: add five seconds to its interval.")
	case errors.Is(err, session.ErrExpired):
		return nil, refuse("expired_token", 70020, "The provided value for the input parameter 'device_code' is not valid. This device code has expired.")
	case errors.Is(err, session.ErrDeclined):
		return nil, refuse("authorization_declined", 70018, "The user has declined the sign-in.")
	case err != nil:
		return nil, refuse("bad_verification_code", 70019, "The provided value for the input parameter 'device_code' is not valid.")
	}
	return c.userTokens(q, found, "")
}

// refreshGrant is RFC 6749, section 6.
func (c *Cloud) refreshGrant(q tokenRequest) (arm.Object, error) {
	client, err := c.clientOf(q)
	if err != nil {
		return nil, err
	}
	g, next, err := c.sessions.Redeem(q.r.Context(), q.get("refresh_token"), client)
	switch {
	case errors.Is(err, session.ErrReused):
		c.log.Warn("a refresh token was used twice: its family is revoked", "client", client)
		return nil, refuse("invalid_grant", 50173, "The provided grant has been revoked: the refresh token was used before. The user has to sign in again.")
	case errors.Is(err, session.ErrUnknown), errors.Is(err, session.ErrClient):
		return nil, refuse("invalid_grant", 70008, "The provided refresh token has expired, was revoked or was given to another client. The user has to sign in again.")
	case err != nil:
		return nil, err
	}
	u, ok := c.directory.User(g.User)
	if !ok || u.Disabled || g.At.Before(u.Valid.Truncate(1e9)) {
		return nil, refuse("invalid_grant", 50057, "The user account is disabled or deleted, or its sessions were revoked.")
	}
	if wanted := q.wanted(); wanted != "" {
		g.Scope = wanted
	}
	body, err := c.userToken(q, u, g)
	if err != nil {
		return nil, err
	}
	body["refresh_token"] = next
	return body, nil
}
