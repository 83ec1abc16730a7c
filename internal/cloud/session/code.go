package session

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"regexp"
	"strings"
	"sync"
	"time"
)

// CodeLifetime is how long an authorization code holds: ten minutes are the most
// that RFC 6749, section 4.1.2, recommends.
const CodeLifetime = 10 * time.Minute

const maxPending = 1000

// Errors of a code.
var (
	ErrCode     = errors.New("the code is not known, has expired or was used")
	ErrVerifier = errors.New("the code verifier does not match the code challenge")
	ErrBusy     = errors.New("too many sign-ins are under way; try again in some minutes")
)

// Code is a sign-in that was made, and whose client has not come for it yet.
type Code struct {
	Grant     Grant
	Redirect  string // where the code was sent
	Challenge string // of S256 (RFC 7636), or ""
	Family    string // of the refresh token that was given for it
	expires   time.Time
	used      bool
}

// Codes are the authorization codes that are out.
type Codes struct {
	now func() time.Time

	mu    sync.Mutex
	codes map[string]*Code // by hash
}

// NewCodes makes an empty set.
func NewCodes(now func() time.Time) *Codes { return &Codes{now: now, codes: map[string]*Code{}} }

// Add makes a code.
func (c *Codes) Add(of Code) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	for id, old := range c.codes {
		if now.After(old.expires) {
			delete(c.codes, id)
		}
	}
	if len(c.codes) >= maxPending {
		return "", ErrBusy
	}
	code := Secret()
	of.expires, of.used = now.Add(CodeLifetime), false
	c.codes[hash(code)] = &of
	return code, nil
}

// Use takes a code. Where it was used before, the error is [ErrCode] and the code
// that is returned names the family that must end.
func (c *Codes) Use(code, client, redirect, verifier string) (Code, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, ok := c.codes[hash(code)]
	if !ok || c.now().After(found.expires) || !strings.EqualFold(found.Grant.Client, client) || found.Redirect != redirect {
		return Code{}, ErrCode
	}
	if found.used {
		return *found, ErrCode
	}
	found.used = true // whoever guesses the verifier has one try
	if !verifies(found.Challenge, verifier) {
		return Code{}, ErrVerifier
	}
	return *found, nil
}

// Spent notes the family of tokens that a code was used for.
func (c *Codes) Spent(code, family string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if found, ok := c.codes[hash(code)]; ok {
		found.Family = family
	}
}

var verifierForm = regexp.MustCompile(`^[A-Za-z0-9._~-]{43,128}$`)

func verifies(challenge, verifier string) bool {
	if challenge == "" {
		return verifier == ""
	}
	if !verifierForm.MatchString(verifier) {
		return false
	}
	sum := sha256.Sum256([]byte(verifier))
	return subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(challenge)) == 1
}
