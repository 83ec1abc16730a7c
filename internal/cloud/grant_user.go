package cloud

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/directory"
	"github.com/cloister-ml/cloister/internal/cloud/session"
	"github.com/cloister-ml/cloister/internal/cloud/store"
	"github.com/cloister-ml/cloister/internal/cloud/token"
)

// Microsoft's own public clients, which every tenant knows: the reference of Entra's
// sign-in reports, "application IDs of commonly used Microsoft applications".
var publicClients = map[string]string{
	"04b07795-8ddb-461a-bbee-02f9e1bf7b46": "Microsoft Azure CLI",
	"1950a258-227b-4e31-a9cf-717495945fc2": "Microsoft Azure PowerShell",
	"aebc6443-996d-45c2-90f0-388ff96faa56": "Visual Studio Code",
	"872cd9fa-d31f-45e0-9eab-6e460a02d1f1": "Visual Studio",
	"14d82eec-204b-4c2f-b7e8-296a70dab67e": "Microsoft Graph Command Line Tools",
}

const userLifetime = time.Hour

// identityScopes are OpenID Connect's, which name no resource.
var identityScopes = []string{"openid", "profile", "email", "offline_access"}

// wanted is what the form asks for, as scopes.
func (q tokenRequest) wanted() string {
	if resource := q.get("resource"); q.v1 && resource != "" {
		return resource + "/.default openid offline_access"
	}
	return q.get("scope")
}

// resourceOf is the resource that scopes name: all are of one. Scopes without a
// resource are Microsoft Graph's.
func resourceOf(scopes string) (string, error) {
	resource := ""
	for _, scope := range strings.Fields(scopes) {
		if slices.Contains(identityScopes, scope) {
			continue
		}
		of := graphAudience
		if at := strings.LastIndex(scope, "/"); at > 0 {
			of = scope[:at]
		}
		if resource != "" && !strings.EqualFold(strings.TrimRight(of, "/"), strings.TrimRight(resource, "/")) {
			return "", refuse("invalid_scope", 28000, "Provided value for the input parameter scope is not valid because it contains more than one resource.")
		}
		resource = of
	}
	if resource == "" {
		resource = graphAudience
	}
	return resource, nil
}

// application is the registered application that a form is from; acr says by what it
// has shown who it is: 1 a secret, 2 an assertion, "" nothing.
func (c *Cloud) application(q tokenRequest) (found store.Principal, acr string, err error) {
	app, secret := q.get("client_id"), q.get("client_secret")
	if id, password, basic := q.r.BasicAuth(); basic {
		app, secret = unescaped(id), unescaped(password)
	}
	found, known, right := c.principals.find(strings.ToLower(app), secret, c.now())
	if !known {
		return found, "", refuse("unauthorized_client", 700016, "Application with identifier '%s' was not found in the directory.", strings.Map(printable, app))
	}
	if raw := q.get("client_assertion"); raw != "" {
		err := c.asserted(q.r, found.AppID, raw)
		switch {
		case errors.Is(err, errReplay):
			return found, "", refuse("invalid_client", 700030, "Client assertion is replayed: %v.", err)
		case err != nil:
			return found, "", refuse("invalid_client", 700027, "Client assertion failed signature validation: %v.", err)
		}
		return found, "2", nil
	}
	if secret == "" {
		return found, "", nil
	}
	if !right {
		return found, "", refuse("invalid_client", 7000215, "Invalid client secret provided.")
	}
	return found, "1", nil
}

// unescaped is what RFC 6749, section 2.3.1, makes of a name or a secret before they
// are put into a header; clients that do not have no escapes in them.
func unescaped(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil && strings.Contains(s, "%") {
		return plain
	}
	return s
}

// clientOf is the application that acts for a user: one of Microsoft's public ones,
// or a registered one that shows who it is or is registered as public.
func (c *Cloud) clientOf(q tokenRequest) (string, error) {
	id := strings.ToLower(q.get("client_id"))
	if _, public := publicClients[id]; public {
		return id, nil
	}
	found, acr, err := c.application(q)
	if err != nil {
		return "", err
	}
	if acr == "" && !c.principals.proofsOf(found.AppID).Public {
		return "", errNoSecret()
	}
	return found.AppID, nil
}

// asserted checks the signed statement by which a client shows who it is.
func (c *Cloud) asserted(r *http.Request, app, raw string) error {
	if r.PostForm.Get("client_assertion_type") != assertionType {
		return fmt.Errorf("%w: its type is not %s", errAssertion, assertionType)
	}
	return c.proves(r, app, c.principals.proofsOf(app), raw)
}

// checkPassword is the user with a name and a password.
func (c *Cloud) checkPassword(name, password string) (directory.User, error) {
	if name == "" || password == "" {
		return directory.User{}, refuse("invalid_request", 900144, "The request body must contain the following parameters: 'username' and 'password'.")
	}
	u, err := c.directory.Check(name, password)
	switch {
	case errors.Is(err, directory.ErrLocked):
		return u, refuse("invalid_grant", 50053, "The account is locked, you've tried to sign in too many times with an incorrect user ID or password.")
	case err != nil:
		return u, refuse("invalid_grant", 50126, "Error validating credentials due to invalid username or password.")
	}
	return u, nil
}

// userTokens gives out what a user's sign-in is for, and a refresh token where it
// was asked for; code is the authorization code that it came by, or "".
func (c *Cloud) userTokens(q tokenRequest, g session.Grant, code string) (arm.Object, error) {
	u, ok := c.directory.User(g.User)
	if !ok || u.Disabled {
		return nil, refuse("invalid_grant", 50057, "The user account is disabled.")
	}
	body, err := c.userToken(q, u, g)
	if err != nil || !slices.Contains(strings.Fields(g.Scope), "offline_access") {
		return body, err
	}
	refresh, family, err := c.sessions.Begin(q.r.Context(), g)
	if err != nil {
		return nil, err
	}
	c.codes.Spent(code, family)
	body["refresh_token"] = refresh
	return body, nil
}

// userToken is the answer with an access token, and an id token where it was asked
// for. client_info is how MSAL names the account in its cache.
func (c *Cloud) userToken(q tokenRequest, u directory.User, g session.Grant) (arm.Object, error) {
	resource, err := resourceOf(g.Scope)
	if err != nil {
		return nil, err
	}
	if !c.audiences.known(resource) {
		return nil, errResource(resource)
	}
	raw, claims, err := c.tokens.Sign(token.Claims{
		Audience: resource, AppID: g.Client, AppIDACR: "0", ObjectID: u.ID, Name: c.clientName(g.Client),
		Scope: "user_impersonation", UPN: u.Name, UniqueName: u.Name, UserName: u.DisplayName,
	}, userLifetime)
	if err != nil {
		return nil, err
	}
	body := tokenBody(q, raw, claims, resource)
	scopes := strings.Fields(g.Scope)
	body["scope"] = strings.Join(slices.DeleteFunc(slices.Clone(scopes), func(s string) bool { return s == "offline_access" }), " ")
	info := fmt.Sprintf(`{"uid":%q,"utid":%q}`, u.ID, c.options.Tenant)
	body["client_info"] = base64.RawURLEncoding.EncodeToString([]byte(info))
	if !slices.Contains(scopes, "openid") {
		return body, nil
	}
	body["id_token"], err = c.tokens.SignIdentity(token.IdentityClaims{
		Audience: g.Client, AuthTime: g.At.Unix(), Nonce: g.Nonce, ObjectID: u.ID, Subject: u.ID, Username: u.Name, Name: u.DisplayName,
	}, userLifetime)
	return body, err
}

// clientName is what people know an application by.
func (c *Cloud) clientName(client string) string {
	if name, ok := publicClients[client]; ok {
		return name
	}
	found, _, _ := c.principals.find(client, "", c.now())
	return found.Name
}
