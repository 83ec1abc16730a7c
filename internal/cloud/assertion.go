package cloud

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/cloister-ml/cloister/internal/cloud/token"
	"github.com/cloister-ml/cloister/service"
)

// assertionType is the only one of RFC 7523 for clients.
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// exchangeAudience is what a federated token is for, where the federation does not
// say otherwise.
const exchangeAudience = "api://AzureADTokenExchange"

// maxAssertion bounds what is parsed.
const maxAssertion = 16 << 10

// proofs are what an application can show instead of a secret.
type proofs struct {
	Certificates []string     `json:"certificates,omitempty"` // DER in base64
	Federated    []Federation `json:"federated,omitempty"`
	Secrets      []Secret     `json:"secrets,omitempty"` // besides the first
	Deleted      bool         `json:"deleted,omitempty"`

	// NoPrincipal says that the application is registered, and has no service
	// principal yet: it can be given no role and gets no token for itself.
	NoPrincipal bool     `json:"noPrincipal,omitempty"`
	Public      bool     `json:"public,omitempty"`    // acts for users without showing who it is
	Redirects   []string `json:"redirects,omitempty"` // where users' codes may be sent
	URIs        []string `json:"uris,omitempty"`      // other names of it
	Owners      []string `json:"owners,omitempty"`    // object ids
	Tags        []string `json:"tags,omitempty"`
}

// Secret is one of the secrets of an application, without the secret itself.
type Secret struct {
	ID    string    `json:"id"`
	Name  string    `json:"name,omitempty"`
	Hint  string    `json:"hint"` // its first three characters
	Hash  []byte    `json:"hash"`
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// Federation is another issuer's word for who a client is.
type Federation struct {
	Issuer   string `json:"issuer"`
	Subject  string `json:"subject"`
	Audience string `json:"audience,omitempty"` // api://AzureADTokenExchange where ""
	// Keys are the issuer's public keys, as a JSON web key set; nil where the issuer
	// is this cloud itself, whose managed identities' tokens are meant. They are not
	// fetched: nothing leaves this machine.
	Keys json.RawMessage `json:"keys,omitempty"`
}

var errAssertion = errors.New("the client assertion does not hold")

// ParseCertificate reads the first certificate of PEM text.
func ParseCertificate(text []byte) (*x509.Certificate, error) {
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			return nil, errors.New("there is no certificate in PEM")
		}
		if text = rest; block.Type == "CERTIFICATE" {
			return x509.ParseCertificate(block.Bytes)
		}
	}
}

// assertion is a client's signed statement of who it is.
type assertion struct {
	parsed *jwt.JSONWebToken
	claims jwt.Claims // not verified yet
}

func parseAssertion(raw string) (assertion, error) {
	if len(raw) > maxAssertion {
		return assertion{}, errAssertion
	}
	parsed, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.RS256, jose.PS256, jose.ES256})
	if err != nil {
		return assertion{}, errAssertion
	}
	a := assertion{parsed: parsed}
	if err := parsed.UnsafeClaimsWithoutVerification(&a.claims); err != nil || a.claims.Expiry == nil {
		return assertion{}, errAssertion
	}
	return a, nil
}

// lives reports whether a verified assertion is within its lifetime.
func (a assertion) lives(now time.Time) bool {
	return a.claims.Validate(jwt.Expected{Time: now}) == nil
}

// proves reports whether the assertion is one of the application: signed with one
// of its certificates, or a token of an issuer that it trusts.
func (c *Cloud) proves(r *http.Request, app string, p proofs, raw string) error {
	a, err := parseAssertion(raw)
	if err != nil {
		return err
	}
	if !a.lives(c.now()) {
		return fmt.Errorf("%w: it is outside its lifetime", errAssertion)
	}
	if strings.EqualFold(a.claims.Issuer, app) && strings.EqualFold(a.claims.Subject, app) {
		return c.provesByCertificate(r, p, a)
	}
	return c.provesByFederation(p, a)
}

func (c *Cloud) provesByCertificate(r *http.Request, p proofs, a assertion) error {
	if !anyOf(a.claims.Audience, func(audience string) bool { return c.isTokenEndpoint(r, audience) }) {
		return fmt.Errorf("%w: its audience is not this token service", errAssertion)
	}
	for _, text := range p.Certificates {
		der, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			continue
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil || c.now().After(cert.NotAfter) || c.now().Before(cert.NotBefore) {
			continue
		}
		var verified jwt.Claims
		if a.parsed.Claims(cert.PublicKey, &verified) == nil {
			return c.fresh(r, a)
		}
	}
	return fmt.Errorf("%w: no registered certificate has signed it", errAssertion)
}

// isTokenEndpoint reports whether an audience is this tenant's token endpoint, by
// its public name or by the address that was called.
func (c *Cloud) isTokenEndpoint(r *http.Request, audience string) bool {
	u, err := url.Parse(audience)
	if err != nil || u.Scheme != "https" || !strings.EqualFold(u.Host, service.HostLogin) && !strings.EqualFold(u.Host, r.Host) {
		return false
	}
	tenant, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	return strings.EqualFold(tenant, c.options.Tenant) || strings.EqualFold(tenant, r.PathValue("tenant"))
}

func (c *Cloud) provesByFederation(p proofs, a assertion) error {
	for _, f := range p.Federated {
		audience := f.Audience
		if audience == "" {
			audience = exchangeAudience
		}
		own := f.Keys == nil && c.isOwnIssuer(f.Issuer) && c.isOwnIssuer(a.claims.Issuer)
		if !own && a.claims.Issuer != f.Issuer || a.claims.Subject != f.Subject || !anyOf(a.claims.Audience, func(s string) bool { return s == audience }) {
			continue
		}
		keys := c.tokens.KeySet()
		if f.Keys != nil {
			keys = jose.JSONWebKeySet{}
			if err := json.Unmarshal(f.Keys, &keys); err != nil {
				return fmt.Errorf("%w: the issuer's keys cannot be read", errAssertion)
			}
		} else if !own {
			continue
		}
		var verified jwt.Claims
		if a.parsed.Claims(keys, &verified) == nil {
			return nil
		}
	}
	return fmt.Errorf("%w: no federated credential of the application matches its issuer, subject and audience", errAssertion)
}

// isOwnIssuer knows the names of the tenant's own issuer: of tokens, and of the
// OpenID configuration.
func (c *Cloud) isOwnIssuer(issuer string) bool {
	return issuer == token.Issuer(c.options.Tenant) || issuer == "https://"+service.HostLogin+"/"+c.options.Tenant+"/v2.0"
}

func anyOf(list []string, pass func(string) bool) bool {
	for _, s := range list {
		if pass(s) {
			return true
		}
	}
	return false
}
