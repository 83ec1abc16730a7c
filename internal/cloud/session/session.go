package session

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/cloister-ml/cloister/internal/cloud/store"
)

// Grant is what a user has let a client do.
type Grant struct {
	User   string    `json:"user"`   // object id
	Client string    `json:"client"` // application id, lower case
	Scope  string    `json:"scope"`  // as it was asked for
	Nonce  string    `json:"nonce,omitempty"`
	At     time.Time `json:"at"` // of the sign-in
}

// Lifetimes.
const (
	Lifetime = 90 * 24 * time.Hour // of a refresh token that is not used, as Entra's
	Grace    = 30 * time.Second    // within which a refresh token may be used twice
)

// Errors of a refresh token.
var (
	ErrUnknown = errors.New("the refresh token is not one of this cloud's, has expired or was revoked")
	ErrReused  = errors.New("the refresh token was used before: its whole family is revoked")
	ErrClient  = errors.New("the refresh token was given to another client")
)

const (
	kind      = "refresh"
	maxFamily = 20      // used tokens of a family that are remembered
	maxTokens = 100_000 // of the whole cloud
)

// refresh is one refresh token, kept under the hash of it.
type refresh struct {
	Family  string    `json:"family"`
	Grant   Grant     `json:"grant"`
	Expires time.Time `json:"expires"`
	Used    time.Time `json:"used,omitzero"`
}

// Keeper is what the sessions are kept in.
type Keeper interface {
	Objects(ctx context.Context, kind string) (map[string][]byte, error)
	WriteObjects(ctx context.Context, list ...store.Object) error
}

// Sessions are the refresh tokens of a tenant.
type Sessions struct {
	keeper Keeper
	now    func() time.Time

	mu     sync.Mutex
	tokens map[string]refresh // by hash
}

// Open reads the sessions, and forgets those that have ended.
func Open(ctx context.Context, k Keeper, now func() time.Time) (*Sessions, error) {
	rows, err := k.Objects(ctx, kind)
	if err != nil {
		return nil, err
	}
	s := &Sessions{keeper: k, now: now, tokens: map[string]refresh{}}
	for id, data := range rows {
		var r refresh
		if err := json.Unmarshal(data, &r); err != nil {
			return nil, fmt.Errorf("reading a session: %w", err)
		}
		s.tokens[id] = r
	}
	return s, s.write(ctx, s.expired())
}

// Secret is a random value of 256 bits, for a token, a code or a secret. It does not
// begin with a hyphen, which az and other programs take for an option.
func Secret() string {
	random := make([]byte, 32)
	for {
		rand.Read(random) // does not fail
		if text := base64.RawURLEncoding.EncodeToString(random); text[0] != '-' {
			return text
		}
	}
}

// prefix tells a refresh token from what a careless client sends in its place.
const prefix = "1."

func hash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// Begin makes the first refresh token of a new family.
func (s *Sessions) Begin(ctx context.Context, g Grant) (token, family string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	changes := s.expired()
	if len(s.tokens)-len(changes) >= maxTokens {
		return "", "", errors.New("there are too many sessions")
	}
	family, token = uuid.NewString(), prefix+Secret()
	changes[hash(token)] = &refresh{Family: family, Grant: g, Expires: s.now().Add(Lifetime).UTC()}
	return token, family, s.write(ctx, changes)
}

// Redeem uses a refresh token: it returns what it stands for and the token that
// takes its place. Its errors wrap [ErrUnknown], [ErrReused] or [ErrClient], unless
// the store failed.
func (s *Sessions) Redeem(ctx context.Context, token, client string) (g Grant, next string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now().UTC()
	id := hash(token)
	r, ok := s.tokens[id]
	switch {
	case !ok || now.After(r.Expires):
		return Grant{}, "", ErrUnknown
	case !strings.EqualFold(r.Grant.Client, client):
		return Grant{}, "", ErrClient
	case !r.Used.IsZero() && now.Sub(r.Used) > Grace:
		return Grant{}, "", errors.Join(ErrReused, s.write(ctx, s.ending(func(o refresh) bool { return o.Family == r.Family })))
	}
	changes := s.expired()
	s.trim(changes, r.Family)
	if r.Used.IsZero() {
		r.Used = now
	}
	next = prefix + Secret()
	changes[id] = &r
	changes[hash(next)] = &refresh{Family: r.Family, Grant: r.Grant, Expires: now.Add(Lifetime)}
	return r.Grant, next, s.write(ctx, changes)
}

// trim forgets the oldest used tokens of a family.
func (s *Sessions) trim(changes map[string]*refresh, family string) {
	for {
		oldest, count := "", 0
		for id, r := range s.tokens {
			if _, going := changes[id]; going || r.Family != family || r.Used.IsZero() {
				continue
			}
			if count++; oldest == "" || r.Used.Before(s.tokens[oldest].Used) {
				oldest = id
			}
		}
		if count < maxFamily {
			return
		}
		changes[oldest] = nil
	}
}

// End revokes the sessions of a user.
func (s *Sessions) End(ctx context.Context, user string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.write(ctx, s.ending(func(r refresh) bool { return strings.EqualFold(r.Grant.User, user) }))
}

// EndFamily revokes what came of one sign-in.
func (s *Sessions) EndFamily(ctx context.Context, family string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.write(ctx, s.ending(func(r refresh) bool { return r.Family == family }))
}

// expired and ending are the changes by which tokens go; the lock is held.
func (s *Sessions) expired() map[string]*refresh {
	now := s.now()
	return s.ending(func(r refresh) bool { return now.After(r.Expires) })
}

func (s *Sessions) ending(which func(refresh) bool) map[string]*refresh {
	out := map[string]*refresh{}
	for id, r := range s.tokens {
		if which(r) {
			out[id] = nil
		}
	}
	return out
}

// write makes changes durable, and then known; the lock is held.
func (s *Sessions) write(ctx context.Context, changes map[string]*refresh) error {
	if len(changes) == 0 {
		return nil
	}
	var list []store.Object
	for id, r := range changes {
		o := store.Object{Kind: kind, ID: id}
		if r != nil {
			data, err := json.Marshal(r)
			if err != nil {
				return err
			}
			o.Value = data
		}
		list = append(list, o)
	}
	if err := s.keeper.WriteObjects(ctx, list...); err != nil {
		return fmt.Errorf("keeping a session: %w", err)
	}
	for id, r := range changes {
		if delete(s.tokens, id); r != nil {
			s.tokens[id] = *r
		}
	}
	return nil
}
