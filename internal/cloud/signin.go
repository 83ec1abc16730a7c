package cloud

import (
	"crypto/subtle"
	"errors"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/internal/cloud/directory"
	"github.com/cloister-ml/cloister/internal/cloud/session"
)

// Wrong user codes that an address may send in a row.
const freeCodes = 10

// nativeRedirect is where clients without an address of their own have codes sent.
const nativeRedirect = "https://login.microsoftonline.com/common/oauth2/nativeclient"

// authorization is a request of a client for a user's sign-in (RFC 6749, section
// 4.1.1), as a query or as the fields of the page's form.
type authorization struct {
	Client, Redirect, Scope, State, Nonce, Challenge, Mode, Hint string

	method, kind, prompt string // of the challenge; the response's type; what to show
}

func authorizationOf(v url.Values) authorization {
	scope := v.Get("scope")
	if resource := v.Get("resource"); scope == "" && resource != "" {
		scope = resource + "/.default openid offline_access"
	}
	return authorization{
		Client: strings.ToLower(v.Get("client_id")), Redirect: v.Get("redirect_uri"), Scope: scope, State: v.Get("state"), Nonce: v.Get("nonce"),
		Challenge: v.Get("code_challenge"), Mode: v.Get("response_mode"), Hint: v.Get("login_hint"),
		method: v.Get("code_challenge_method"), kind: v.Get("response_type"), prompt: v.Get("prompt"),
	}
}

// mayRedirect reports whether a client's codes may be sent to an address: to where
// it is registered for, or, of a public one, to this machine (RFC 8252, section 7.3).
func (c *Cloud) mayRedirect(client, redirect string) bool {
	u, err := url.Parse(redirect)
	if err != nil || u.Fragment != "" || u.User != nil || u.Host == "" {
		return false
	}
	loopback := u.Scheme == "http" && (u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1" || u.Hostname() == "::1")
	if _, public := publicClients[client]; public {
		return loopback || redirect == nativeRedirect
	}
	return slices.ContainsFunc(c.principals.proofsOf(client).Redirects, func(known string) bool {
		k, err := url.Parse(known)
		if err != nil {
			return false
		}
		sameLoopback := loopback && k.Scheme == u.Scheme && k.Hostname() == u.Hostname() && k.Path == u.Path
		return known == redirect || sameLoopback
	})
}

var challengeForm = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// check refuses what the client itself must mend. It is told so at its address,
// which is checked before.
func (a authorization) check(public bool) error {
	switch {
	case a.kind != "code":
		return refuse("unsupported_response_type", 700054, "The response_type '%s' is not enabled: it must be code.", strings.Map(printable, a.kind))
	case a.Challenge != "" && (a.method != "S256" || !challengeForm.MatchString(a.Challenge)):
		return refuse("invalid_request", 501491, "The code_challenge must be one of the method S256.")
	case a.Challenge == "" && public:
		return refuse("invalid_request", 9002325, "Proof Key for Code Exchange is required for public clients.")
	case a.Mode != "" && a.Mode != "query" && a.Mode != "form_post":
		return refuse("invalid_request", 700055, "The response_mode must be query or form_post.")
	case a.prompt == "none":
		return refuse("login_required", 50058, "A silent sign-in request was sent but no user is signed in.")
	}
	_, err := resourceOf(a.Scope)
	return err
}

// isPublic reports whether a client has nothing to show who it is by.
func (c *Cloud) isPublic(client string) bool {
	_, known := publicClients[client]
	return known || c.principals.proofsOf(client).Public
}

func (c *Cloud) isClient(client string) bool {
	_, known := publicClients[client]
	return known || c.principals.has(client)
}

// getAuthorize shows the page at which a user signs in to a client.
func (c *Cloud) getAuthorize(w http.ResponseWriter, r *http.Request) {
	a := authorizationOf(r.URL.Query())
	if err := c.checkAuthorization(a); err != nil {
		c.showError(w, r, err)
		return
	}
	if err := a.check(c.isPublic(a.Client)); err != nil {
		c.sendBack(w, r, a, errorParameters(err))
		return
	}
	c.showSignIn(w, r, http.StatusOK, a, "")
}

// checkAuthorization refuses what must not be redirected (RFC 6749, section 4.1.2.1).
func (c *Cloud) checkAuthorization(a authorization) error {
	if !c.isClient(a.Client) {
		return refuse("unauthorized_client", 700016, "Application with identifier '%s' was not found in the directory.", strings.Map(printable, a.Client))
	}
	if !c.mayRedirect(a.Client, a.Redirect) {
		return refuse("invalid_request", 50011, "The redirect URI '%s' specified in the request does not match the redirect URIs configured for the application '%s'.", strings.Map(printable, a.Redirect), a.Client)
	}
	return nil
}

// postSignIn takes the page's form. The name and the password come with what the
// client has asked for, which is checked again.
func (c *Cloud) postSignIn(w http.ResponseWriter, r *http.Request) {
	if !c.pageForm(w, r) {
		return
	}
	a := authorizationOf(r.PostForm)
	if err := c.checkAuthorization(a); err != nil {
		c.showError(w, r, err)
		return
	}
	if err := a.check(c.isPublic(a.Client)); err != nil {
		c.sendBack(w, r, a, errorParameters(err))
		return
	}
	if r.PostForm.Get("cancel") != "" {
		c.sendBack(w, r, a, errorParameters(refuse("access_denied", 65004, "The user declined the sign-in.")))
		return
	}
	a.Hint = r.PostForm.Get("username")
	u, err := c.checkPassword(directory.FullName(a.Hint), r.PostForm.Get("password"))
	if err != nil {
		c.showSignIn(w, r, http.StatusUnauthorized, a, messageOf(err))
		return
	}
	code, err := c.codes.Add(session.Code{
		Grant:    session.Grant{User: u.ID, Client: a.Client, Scope: a.Scope, Nonce: a.Nonce, At: c.now().UTC()},
		Redirect: a.Redirect, Challenge: a.Challenge,
	})
	if err != nil {
		c.sendBack(w, r, a, errorParameters(refuse("temporarily_unavailable", 90033, "%v.", err)))
		return
	}
	c.sendBack(w, r, a, url.Values{"code": {code}, "session_state": {u.ID}})
}

// messageOf is an error for the user's eyes.
func messageOf(err error) string {
	var e *refusal
	if errors.As(err, &e) {
		return e.text
	}
	return "A transient error has occurred. Please try again."
}

func errorParameters(err error) url.Values {
	var e *refusal
	if !errors.As(err, &e) {
		return url.Values{"error": {"server_error"}}
	}
	return url.Values{"error": {e.code}, "error_description": {e.Error()}}
}

// formCookie binds a form to the browser that it was shown in: without it, another
// site could have its own account signed in there.
const formCookie = "__Host-cloister-form"

// formSecret is the value of the form's hidden field, which the browser keeps: pages
// that are open beside each other share it.
func formSecret(w http.ResponseWriter, r *http.Request) string {
	secret := session.Secret()
	if kept, err := r.Cookie(formCookie); err == nil && len(kept.Value) == len(secret) {
		secret = kept.Value
	}
	http.SetCookie(w, &http.Cookie{Name: formCookie, Value: secret, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode, MaxAge: 3600})
	return secret
}

// pageForm reads a form that must come from a page of ours.
func (c *Cloud) pageForm(w http.ResponseWriter, r *http.Request) bool {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		c.showError(w, r, refuse("invalid_request", 900144, "The request body must be a form."))
		return false
	}
	cookie, err := r.Cookie(formCookie)
	same := err == nil && subtle.ConstantTimeCompare([]byte(cookie.Value), []byte(r.PostForm.Get("form"))) == 1 && cookie.Value != ""
	if !same || http.NewCrossOriginProtection().Check(r) != nil {
		c.showError(w, r, refuse("invalid_request", 165000, "The form was not shown in this browser, or cookies are off: open the page again."))
		return false
	}
	return true
}

// sourceOf is the address that a request came from.
func sourceOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// serveLogout ends nothing here: no page keeps a user signed in. Refresh tokens are
// the client's, which forgets them.
func (c *Cloud) serveLogout(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, &http.Cookie{Name: formCookie, Path: "/", Secure: true, HttpOnly: true, MaxAge: -1})
	back := r.URL.Query().Get("post_logout_redirect_uri")
	if client := strings.ToLower(r.URL.Query().Get("client_id")); back != "" && c.isClient(client) && c.mayRedirect(client, back) {
		http.Redirect(w, r, back, http.StatusFound)
		return
	}
	c.showPage(w, http.StatusOK, page{Title: "Signed out", Text: "You have signed out. You can close this page."})
}
