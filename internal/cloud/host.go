package cloud

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cloister-ml/cloister/access"
	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/token"
	"github.com/cloister-ml/cloister/verdict"
)

var _ Host = (*Cloud)(nil)

// Get implements View.
func (c *Cloud) Get(id arm.ID) (arm.Resource, bool) { return c.snapshot().Get(id) }

// Estate implements View.
func (c *Cloud) Estate() *arm.Estate { return c.snapshot().Estate() }

// Log implements Host.
func (c *Cloud) Log() *slog.Logger { return c.log }

// Dir implements Host.
func (c *Cloud) Dir(name string) string {
	dir := c.path("providers", filepath.Base(filepath.Clean("/"+name)))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		// The provider's first write there says what is wrong with the disk.
		c.log.Error("making a provider's folder", "dir", dir, "error", err)
	}
	return dir
}

// Authenticate implements Host. Its errors are *Error with status 401.
func (c *Cloud) Authenticate(r *http.Request, audiences ...string) (Caller, error) {
	scheme, raw, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || raw == "" {
		return Caller{}, Errorf(http.StatusUnauthorized, "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing or is not a bearer token.")
	}
	claims, err := c.tokens.Verify(strings.TrimSpace(raw), audiences...)
	switch {
	case errors.Is(err, token.ErrExpired):
		return Caller{}, Errorf(http.StatusUnauthorized, "ExpiredAuthenticationToken", "The access token is outside its lifetime.")
	case errors.Is(err, token.ErrAudience):
		return Caller{}, Errorf(http.StatusUnauthorized, "InvalidAuthenticationTokenAudience", "The access token has been obtained for the wrong audience or resource: it should be one of '%s'.", strings.Join(audiences, "', '"))
	case err != nil:
		return Caller{}, Errorf(http.StatusUnauthorized, "InvalidAuthenticationToken", "The access token is invalid: %v.", err)
	}
	if claims.IDType == "user" {
		return c.userOf(claims)
	}
	if claims.Resource == "" && !c.principals.active(claims.AppID) {
		return Caller{}, Errorf(http.StatusUnauthorized, "InvalidAuthenticationToken", "The access token is invalid: its application has been deleted.")
	}
	return Caller{ObjectID: claims.ObjectID, AppID: claims.AppID, Tenant: claims.Tenant, Name: claims.Name, Resource: arm.ID(claims.Resource)}, nil
}

// userOf is the user whom a token was given for. A user who was deleted, disabled
// or given another password since then has no token any more.
func (c *Cloud) userOf(claims token.Claims) (Caller, error) {
	u, ok := c.directory.User(claims.ObjectID)
	if !ok || u.Disabled || claims.IssuedAt < u.Valid.Unix() {
		return Caller{}, Errorf(http.StatusUnauthorized, "InvalidAuthenticationToken", "The access token is invalid: its user has been deleted or disabled, or their sessions were revoked.")
	}
	return Caller{ObjectID: u.ID, AppID: claims.AppID, Tenant: claims.Tenant, Name: u.Name, User: true}, nil
}

// Authorize implements Host. The cloud's owner is Owner at the root: it may do
// every control action, and no data action that it is not given a role for.
func (c *Cloud) Authorize(caller Caller, action string, data bool, scope arm.ID) verdict.Verdict {
	return c.authorize(c.snapshot(), caller, action, data, scope)
}

func (c *Cloud) authorize(s *snapshot, caller Caller, action string, data bool, scope arm.ID) verdict.Verdict {
	model := c.roles(s)
	if caller.Through != "" {
		model = model.Through(caller.Through)
	}
	if owner := c.principals.ownerID(); !data && caller.ObjectID != "" && caller.ObjectID == owner {
		if denied := model.Denied(owner, action, data, scope); denied.Value != verdict.Yes {
			return denied
		}
		return verdict.Verdict{Value: verdict.Yes, Steps: []verdict.Step{{
			At: "role Owner at /", Value: verdict.Yes, Reason: "the caller is the principal that the cloud was made with",
		}}}
	}
	return model.Allows(caller.ObjectID, action, data, scope)
}

// roles are the estate's, with the members of the directory's groups.
func (c *Cloud) roles(s *snapshot) *access.Model {
	groups := c.directory.Groups()
	if len(groups) == 0 {
		return s.docs.roles()
	}
	members := make(map[string][]string, len(groups))
	for _, g := range groups {
		members[g.ID] = g.Members
	}
	return s.docs.roles().WithMembers(members)
}

// rootGroup is the management group of the tenant, which is there from the start.
func (c *Cloud) rootGroup() arm.ID {
	return arm.ID("/providers/" + arm.TypeManagementGroup + "/" + c.options.Tenant)
}

// Lifetimes of tokens, as Microsoft Entra ID's.
const (
	applicationLifetime = time.Hour
	identityLifetime    = 24 * time.Hour
)

// Token implements Host.
func (c *Cloud) Token(_ context.Context, identity arm.ID, resource string) (string, error) {
	r, ok := c.Get(identity)
	if !ok {
		return "", fmt.Errorf("no token for %s: there is no such resource", identity)
	}
	id, ok := identityOf(r)
	if !ok {
		return "", fmt.Errorf("no token for %s: it has no managed identity", identity)
	}
	raw, _, err := c.identityToken(id, resource)
	return raw, err
}

// identity is a managed identity: whose it is, and its ids in the directory.
type identity struct {
	resource arm.ID
	name     string
	objectID string
	clientID string
}

// typeUserIdentity is the type of user-assigned identities, whose documents are
// identities themselves.
const typeUserIdentity = "Microsoft.ManagedIdentity/userAssignedIdentities"

// identityOf is the identity that a document is or has as its own.
func identityOf(r arm.Resource) (identity, bool) {
	if !r.IsType(typeUserIdentity) && !r.Identity.SystemAssigned() {
		return identity{}, false
	}
	return identity{resource: r.ID, name: r.Name, objectID: arm.PrincipalID(r.ID), clientID: clientID(r.ID)}, true
}

func clientID(id arm.ID) string { return arm.StableGUID(id, "clientId") }

func (c *Cloud) identityToken(id identity, resource string) (string, token.Claims, error) {
	if !c.audiences.known(resource) {
		return "", token.Claims{}, fmt.Errorf("%w: %s", errAudience, resource)
	}
	return c.tokens.Sign(token.Claims{
		Audience: resource, AppID: id.clientID, AppIDACR: "2", ObjectID: id.objectID, Name: id.name, Resource: string(id.resource),
	}, identityLifetime)
}
