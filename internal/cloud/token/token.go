package token

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/cloister-ml/cloister/internal/durable"
)

// Reasons for which Verify refuses a token. A refusal wraps one of them.
var (
	ErrInvalid  = errors.New("the token is not one of this cloud's")
	ErrExpired  = errors.New("the token is outside its lifetime")
	ErrAudience = errors.New("the token is for another audience")
)

// leeway is the difference between two clocks that is forgiven.
const leeway = time.Minute

// maxToken bounds what is parsed.
const maxToken = 16 << 10

// Claims are what a token says.
type Claims struct {
	Audience  string `json:"aud"`
	Issuer    string `json:"iss"`
	IssuedAt  int64  `json:"iat"`
	NotBefore int64  `json:"nbf"`
	Expires   int64  `json:"exp"`
	AppID     string `json:"appid"`
	AppIDACR  string `json:"appidacr"` // 1: a secret, 2: a certificate, as managed identities have
	IDP       string `json:"idp"`
	IDType    string `json:"idtyp"` // app, or user
	ObjectID  string `json:"oid"`
	Subject   string `json:"sub"`
	Tenant    string `json:"tid"`
	UTI       string `json:"uti"`
	Version   string `json:"ver"`
	Name      string `json:"app_displayname,omitempty"`
	Resource  string `json:"xms_mirid,omitempty"` // of a managed identity
	ID        string `json:"jti"`

	// Of users, for whom an application acts.
	Scope      string `json:"scp,omitempty"`
	UPN        string `json:"upn,omitempty"`
	UniqueName string `json:"unique_name,omitempty"`
	UserName   string `json:"name,omitempty"`
}

// IdentityClaims are what an id token says to the application that a user has
// signed in to (OpenID Connect Core 1.0, section 2; Entra's version 2.0).
type IdentityClaims struct {
	Audience  string `json:"aud"` // the application
	Issuer    string `json:"iss"`
	IssuedAt  int64  `json:"iat"`
	NotBefore int64  `json:"nbf"`
	Expires   int64  `json:"exp"`
	AuthTime  int64  `json:"auth_time,omitempty"`
	Nonce     string `json:"nonce,omitempty"`
	ObjectID  string `json:"oid"`
	Subject   string `json:"sub"`
	Tenant    string `json:"tid"`
	Username  string `json:"preferred_username"`
	Name      string `json:"name"`
	UTI       string `json:"uti"`
	Version   string `json:"ver"`
}

// IdentityIssuer is a tenant's issuer of version 2.0 tokens, as id tokens are.
func IdentityIssuer(tenant string) string {
	return "https://login.microsoftonline.com/" + tenant + "/v2.0"
}

// Issuer is a tenant's issuer of version 1.0 tokens.
func Issuer(tenant string) string { return "https://sts.windows.net/" + tenant + "/" }

// Signer signs one tenant's tokens, and verifies them.
type Signer struct {
	tenant string
	file   string
	now    func() time.Time

	mu   sync.RWMutex
	keys []key // the first signs, all verify
}

// key is one signing key.
type key struct {
	private *rsa.PrivateKey
	made    time.Time
	public  jose.JSONWebKey
	signer  jose.Signer
}

const (
	// maxAge is after how long a key signs no more: Open makes another.
	maxAge = 90 * 24 * time.Hour
	// maxKeys is how many are kept. What an older key has signed is not believed.
	maxKeys = 3
)

// Open reads the signing keys, or makes one with mode 0600.
func Open(file, tenant string) (*Signer, error) {
	s := &Signer{tenant: tenant, file: file, now: time.Now}
	data, err := durable.ReadOrCreate(file, func() ([]byte, error) { return newKey(s.now()) })
	if err != nil {
		return nil, fmt.Errorf("the key that signs tokens: %w", err)
	}
	if s.keys, err = parseKeys(data); err != nil {
		return nil, fmt.Errorf("the keys that sign tokens, in %s: %w", file, err)
	}
	if s.now().Sub(s.keys[0].made) > maxAge {
		return s, s.Rotate()
	}
	return s, nil
}

// Rotate makes a new key, which signs from now on. Tokens that the key before it
// has signed hold until they expire.
func (s *Signer) Rotate() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	data, err := newKey(s.now())
	if err != nil {
		return fmt.Errorf("making a key that signs tokens: %w", err)
	}
	for _, k := range s.keys[:min(len(s.keys), maxKeys-1)] {
		older, err := encodeKey(k.private, k.made)
		if err != nil {
			return err
		}
		data = append(data, older...)
	}
	keys, err := parseKeys(data)
	if err != nil {
		return err
	}
	if err := durable.WriteFile(s.file, data); err != nil {
		return fmt.Errorf("keeping the keys that sign tokens: %w", err)
	}
	s.keys = keys
	return nil
}

func (s *Signer) current() key {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.keys[0]
}

// made is the header of a key's PEM block that says when it was made.
const made = "Made"

func parseKeys(data []byte) ([]key, error) {
	var keys []key
	for {
		block, rest := pem.Decode(data)
		if block == nil {
			break
		}
		data = rest
		private, err := parseKey(block)
		if err != nil {
			return nil, err
		}
		at, err := time.Parse(time.RFC3339, block.Headers[made])
		if err != nil {
			at = time.Time{} // a key from before keys said so: old
		}
		k, err := keyOf(private, at)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return nil, errors.New("it holds no key in PEM")
	}
	return keys, nil
}

func keyOf(private *rsa.PrivateKey, at time.Time) (key, error) {
	public := jose.JSONWebKey{Key: private.Public(), Algorithm: string(jose.RS256), Use: "sig"}
	thumbprint, err := public.Thumbprint(crypto.SHA256)
	if err != nil {
		return key{}, err
	}
	public.KeyID = base64.RawURLEncoding.EncodeToString(thumbprint)
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: private, KeyID: public.KeyID}},
		(&jose.SignerOptions{}).WithType("JWT"))
	return key{private: private, made: at, public: public, signer: signer}, err
}

func parseKey(block *pem.Block) (*rsa.PrivateKey, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("it is no RSA key")
	}
	return key, nil
}

func newKey(now time.Time) ([]byte, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	return encodeKey(key, now)
}

func encodeKey(key *rsa.PrivateKey, at time.Time) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der, Headers: map[string]string{made: at.UTC().Format(time.RFC3339)}}), nil
}

// KeySet is what /discovery/v2.0/keys answers: the key that signs, and those before
// it.
func (s *Signer) KeySet() jose.JSONWebKeySet {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var set jose.JSONWebKeySet
	for _, k := range s.keys {
		set.Keys = append(set.Keys, k.public)
	}
	return set
}

// Sign gives out a token. The issuer, the times and the tenant are filled in; the
// audience, the application and the object id are the caller's.
func (s *Signer) Sign(c Claims, lifetime time.Duration) (string, Claims, error) {
	now := s.now()
	c.Issuer, c.IDP, c.Tenant = Issuer(s.tenant), Issuer(s.tenant), s.tenant
	c.IssuedAt, c.NotBefore, c.Expires = now.Unix(), now.Unix(), now.Add(lifetime).Unix()
	c.IDType, c.Version, c.Subject = "app", "1.0", c.ObjectID
	if c.UPN != "" {
		c.IDType = "user"
	}
	c.UTI = newID()
	c.ID = c.UTI
	raw, err := jwt.Signed(s.current().signer).Claims(c).Serialize()
	if err != nil {
		return "", Claims{}, fmt.Errorf("signing a token: %w", err)
	}
	return raw, c, nil
}

// SignIdentity gives out an id token. It is no access token, and Verify refuses it:
// it has another issuer.
func (s *Signer) SignIdentity(c IdentityClaims, lifetime time.Duration) (string, error) {
	now := s.now()
	c.Issuer, c.Tenant, c.Version, c.UTI = IdentityIssuer(s.tenant), s.tenant, "2.0", newID()
	c.IssuedAt, c.NotBefore, c.Expires = now.Unix(), now.Unix(), now.Add(lifetime).Unix()
	raw, err := jwt.Signed(s.current().signer).Claims(c).Serialize()
	if err != nil {
		return "", fmt.Errorf("signing an id token: %w", err)
	}
	return raw, nil
}

func newID() string {
	random := make([]byte, 16)
	rand.Read(random) // does not fail
	return base64.RawURLEncoding.EncodeToString(random)
}

// Verify reads a token and checks its signature, issuer, tenant, lifetime and
// that its audience is one of audiences (compared without a trailing slash).
func (s *Signer) Verify(raw string, audiences ...string) (Claims, error) {
	if len(raw) > maxToken {
		return Claims{}, fmt.Errorf("%w: it is longer than %d bytes", ErrInvalid, maxToken)
	}
	parsed, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return Claims{}, fmt.Errorf("%w: it cannot be read", ErrInvalid)
	}
	var c Claims
	if err := parsed.Claims(s.KeySet(), &c); err != nil {
		return Claims{}, fmt.Errorf("%w: its signature does not hold", ErrInvalid)
	}
	if c.Issuer != Issuer(s.tenant) || c.Tenant != s.tenant || c.ObjectID == "" {
		return Claims{}, fmt.Errorf("%w: it is from another issuer", ErrInvalid)
	}
	now := s.now()
	if now.After(time.Unix(c.Expires, 0).Add(leeway)) || now.Before(time.Unix(c.NotBefore, 0).Add(-leeway)) {
		return Claims{}, ErrExpired
	}
	for _, a := range audiences {
		if strings.EqualFold(strings.TrimRight(a, "/"), strings.TrimRight(c.Audience, "/")) {
			return c, nil
		}
	}
	return Claims{}, fmt.Errorf("%w: %s", ErrAudience, c.Audience)
}
