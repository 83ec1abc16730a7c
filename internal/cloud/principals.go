package cloud

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/cloister-ml/cloister/internal/cloud/session"
	"github.com/cloister-ml/cloister/internal/cloud/store"
)

// Credentials are a service principal's, shown once: only the secret's hash is
// kept.
type Credentials struct {
	Tenant       string
	ClientID     string
	ClientSecret string
	ObjectID     string
}

// principals are the applications that may ask for tokens.
type principals struct {
	store  store.Store
	tenant string
	first  *Credentials // of the owner, where this process made it

	mu    sync.RWMutex
	byApp map[string]store.Principal
	shown map[string]proofs // by application
	owner string            // object id
}

func openPrincipals(ctx context.Context, s store.Store, tenant string, now time.Time) (*principals, error) {
	p := &principals{store: s, tenant: tenant, byApp: map[string]store.Principal{}, shown: map[string]proofs{}}
	list, err := s.Principals(ctx)
	if err != nil {
		return nil, err
	}
	for _, known := range list {
		proof, err := readProofs(ctx, s, known.AppID)
		if err != nil {
			return nil, err
		}
		if !proof.Deleted {
			p.shown[known.AppID] = proof
			p.add(known)
		}
	}
	if p.owner != "" {
		return p, nil
	}
	first, err := p.create(ctx, "owner", true, now)
	p.first = &first
	return p, err
}

func (p *principals) add(known store.Principal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.byApp[known.AppID] = known
	if known.Owner {
		p.owner = known.ObjectID
	}
}

func (p *principals) create(ctx context.Context, name string, owner bool, now time.Time) (Credentials, error) {
	return p.write(ctx, store.Principal{AppID: uuid.NewString(), ObjectID: uuid.NewString(), Name: name, Owner: owner, Created: now})
}

// write gives the principal a new secret and keeps it.
func (p *principals) write(ctx context.Context, known store.Principal) (Credentials, error) {
	secret := session.Secret()
	known.Hash = hashSecret(secret)
	if err := p.store.PutPrincipal(ctx, known); err != nil {
		return Credentials{}, err
	}
	p.add(known)
	return Credentials{Tenant: p.tenant, ClientID: known.AppID, ClientSecret: secret, ObjectID: known.ObjectID}, nil
}

// hashSecret needs no salt and no slow function: the secret has 256 random bits.
func hashSecret(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// find is an application, and whether secret is one of its secrets.
func (p *principals) find(app, secret string, now time.Time) (found store.Principal, known, right bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	found, known = p.byApp[app]
	hash := hashSecret(secret)
	right = subtle.ConstantTimeCompare(found.Hash, hash) == 1
	for _, s := range p.shown[app].Secrets {
		same := subtle.ConstantTimeCompare(s.Hash, hash) == 1
		right = right || same && now.Before(s.End) && !now.Before(s.Start)
	}
	return found, known, right
}

func (p *principals) has(app string) bool {
	p.mu.RLock()
	defer p.mu.RUnlock()
	_, ok := p.byApp[app]
	return ok
}

// active reports whether an application acts for itself.
func (p *principals) active(app string) bool {
	p.mu.RLock()
	defer p.mu.RUnlock()
	_, ok := p.byApp[app]
	return ok && !p.shown[app].NoPrincipal
}

func (p *principals) ownerID() string {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.owner
}

// Principal is the display name of the service principal or managed identity
// with an object id.
func (c *Cloud) Principal(objectID string) (name string, ok bool) {
	name, _, ok = c.PrincipalType(objectID)
	return name, ok
}

// PrincipalType is the display name of whom a role can be given to, and what they
// are in the words of role assignments: User, Group or ServicePrincipal.
func (c *Cloud) PrincipalType(objectID string) (name, kind string, ok bool) {
	if name, kind, ok := c.directory.Known(objectID); ok {
		return name, kind, true
	}
	c.principals.mu.RLock()
	defer c.principals.mu.RUnlock()
	for app, known := range c.principals.byApp {
		if strings.EqualFold(known.ObjectID, objectID) && !c.principals.shown[app].NoPrincipal {
			return known.Name, "ServicePrincipal", true
		}
	}
	found, ok := c.snapshot().docs.roles().Principal(objectID)
	return found.Name, "ServicePrincipal", ok
}

// FirstStart are the owner's credentials, where this process has made the cloud.
// They are shown nowhere else; [Cloud.RenewOwner] makes new ones.
func (c *Cloud) FirstStart() (Credentials, bool) {
	if c.principals.first == nil {
		return Credentials{}, false
	}
	return *c.principals.first, true
}

// RenewOwner gives the owner a new secret; the old one ends. Who can call it can
// open the cloud's folder.
func (c *Cloud) RenewOwner(ctx context.Context) (Credentials, error) {
	c.principals.mu.RLock()
	var owner store.Principal
	for _, known := range c.principals.byApp {
		if known.Owner {
			owner = known
		}
	}
	c.principals.mu.RUnlock()
	return c.principals.write(ctx, owner)
}

// NewServicePrincipal makes an application with a secret, as a service connection
// has. It may do nothing until it is given a role.
func (c *Cloud) NewServicePrincipal(ctx context.Context, name string) (Credentials, error) {
	made, err := c.principals.create(ctx, name, false, c.now())
	if err != nil {
		return Credentials{}, fmt.Errorf("making the service principal %s: %w", name, err)
	}
	return made, nil
}
