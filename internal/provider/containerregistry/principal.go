package containerregistry

import (
	"context"
	"crypto/subtle"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/uuid"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
)

// principal is who a request is by, and what its credential is limited to.
type principal struct {
	caller cloud.Caller
	admin  bool    // the registry's admin user
	scopes []scope // of an access token; nil where the credential has no limit
	scoped bool
}

// scope is an entry of an access token.
type scope struct {
	Type    string   `json:"type"`
	Name    string   `json:"name"`
	Actions []string `json:"actions"`
}

// allows reports whether the principal's credential covers an action.
func (p *principal) allows(typ, name, action string) bool {
	if !p.scoped {
		return true
	}
	for _, s := range p.scopes {
		if s.Type != typ || s.Name != name {
			continue
		}
		for _, a := range s.Actions {
			if a == action || a == "*" {
				return true
			}
		}
	}
	return false
}

// Lifetimes of tokens, as Azure's.
const (
	refreshLife = 3 * time.Hour
	accessLife  = 75 * time.Minute
)

// Kinds of tokens.
const (
	refreshToken = "refresh_token"
	accessToken  = "access_token"
)

// claims of a registry's own tokens.
type claims struct {
	jwt.Claims
	GrantType string  `json:"grant_type"`
	Tenant    string  `json:"tenant,omitempty"`
	AppID     string  `json:"appid,omitempty"`
	Name      string  `json:"name,omitempty"`
	Resource  arm.ID  `json:"resource,omitempty"`
	Admin     bool    `json:"admin,omitempty"`
	Access    []scope `json:"access,omitempty"`
}

const issuer = "Azure Container Registry"

// sign makes a token of the registry that answers at host.
func (s secrets) sign(host, kind string, life time.Duration, p *principal, access []scope) (string, error) {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: s.Key}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", fmt.Errorf("signing a token: %w", err)
	}
	now := time.Now()
	return jwt.Signed(signer).Claims(claims{
		Claims: jwt.Claims{
			ID: uuid.NewString(), Issuer: issuer, Audience: jwt.Audience{host}, Subject: p.caller.ObjectID,
			IssuedAt: jwt.NewNumericDate(now), NotBefore: jwt.NewNumericDate(now.Add(-time.Minute)), Expiry: jwt.NewNumericDate(now.Add(life)),
		},
		GrantType: kind, Tenant: p.caller.Tenant, AppID: p.caller.AppID, Name: p.caller.Name, Resource: p.caller.Resource, Admin: p.admin, Access: access,
	}).Serialize()
}

// verify reads a token that the registry at host signed, of that kind.
func (s secrets) verify(host, kind, text string) (*principal, error) {
	token, err := jwt.ParseSigned(text, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return nil, fmt.Errorf("it is not a token of this registry: %w", err)
	}
	var c claims
	if err := token.Claims(s.Key.Public().Key, &c); err != nil {
		return nil, fmt.Errorf("it is not a token of this registry: %w", err)
	}
	if err := c.ValidateWithLeeway(jwt.Expected{Issuer: issuer, AnyAudience: jwt.Audience{host}, Time: time.Now()}, 0); err != nil {
		return nil, err
	}
	if c.GrantType != kind {
		return nil, fmt.Errorf("it is a token of the kind %q, where %q is needed", c.GrantType, kind)
	}
	return &principal{
		caller: cloud.Caller{ObjectID: c.Subject, Tenant: c.Tenant, AppID: c.AppID, Name: c.Name, Resource: c.Resource},
		admin:  c.Admin, scopes: c.Access, scoped: kind == accessToken,
	}, nil
}

// tokenUser is the user name whose password is a token.
const tokenUser = "00000000-0000-0000-0000-000000000000"

// byPassword authenticates a user name and password: the admin user's, or a
// token's under the name that stands for tokens.
func (q *request) byPassword(user, password string) (*principal, error) {
	if user == tokenUser {
		if p, err := q.secrets.verify(q.host, refreshToken, password); err == nil {
			return p, nil
		}
		return q.byEntraToken(password)
	}
	if !strings.EqualFold(user, q.resource.Name) || !adminEnabled(q.resource) {
		return nil, fmt.Errorf("the user %q is unknown, or the admin user is disabled", user)
	}
	first := subtle.ConstantTimeCompare([]byte(password), []byte(q.secrets.Password))
	second := subtle.ConstantTimeCompare([]byte(password), []byte(q.secrets.Password2))
	if first|second != 1 {
		return nil, fmt.Errorf("the password of %q is wrong", user)
	}
	return &principal{caller: cloud.Caller{ObjectID: "admin", Name: user}, admin: true}, nil
}

// byEntraToken authenticates an Entra access token: for the registry service, or
// for ARM where the registry's policy lets it.
func (q *request) byEntraToken(text string) (*principal, error) {
	audiences := []string{"https://containerregistry.azure.net"}
	if !strings.EqualFold(arm.String(q.resource.Properties, "policies.azureADAuthenticationAsArmPolicy.status"), "disabled") {
		audiences = append(audiences, "https://management.azure.com", "https://management.core.windows.net")
	}
	r := q.Clone(q.Context())
	r.Header = http.Header{"Authorization": {"Bearer " + text}}
	caller, err := q.service.Authenticate(r, audiences...)
	if err != nil {
		return nil, err
	}
	return &principal{caller: caller}, nil
}

type principalKey struct{}

func withPrincipal(ctx context.Context, p *principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

func principalFrom(ctx context.Context) *principal {
	p, _ := ctx.Value(principalKey{}).(*principal)
	return p
}
