package cloud

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/internal/cloud/store"
)

// The proofs of an application are a setting of the store.
func proofsSetting(app string) string { return "principal/" + app }

func readProofs(ctx context.Context, s store.Store, app string) (proofs, error) {
	var p proofs
	text, err := s.Setting(ctx, proofsSetting(app))
	if err != nil || text == "" {
		return p, err
	}
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return p, fmt.Errorf("reading the credentials of %s: %w", app, err)
	}
	return p, nil
}

func (p *principals) proofsOf(app string) proofs {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.shown[app]
}

// change keeps other proofs of an application.
func (p *principals) change(ctx context.Context, app string, f func(*proofs)) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	known, ok := p.byApp[app]
	if !ok {
		return fmt.Errorf("there is no service principal with the application id %s", app)
	}
	next := p.shown[app]
	next.Certificates, next.Federated, next.Secrets = slices.Clone(next.Certificates), slices.Clone(next.Federated), slices.Clone(next.Secrets)
	f(&next)
	if next.Deleted && known.Owner {
		return errors.New("the owner cannot be deleted: nobody could give a role to anybody")
	}
	text, err := json.Marshal(next)
	if err != nil {
		return err
	}
	if err := p.store.Set(ctx, proofsSetting(app), string(text)); err != nil {
		return err
	}
	p.shown[app] = next
	if next.Deleted {
		delete(p.byApp, app)
		delete(p.shown, app)
	}
	return nil
}

// ServicePrincipal is an application as it is listed.
type ServicePrincipal struct {
	Name         string `json:"name"`
	AppID        string `json:"appId"`
	ObjectID     string `json:"objectId"`
	Owner        bool   `json:"owner,omitempty"`
	Certificates int    `json:"certificates,omitempty"`
	Federated    int    `json:"federated,omitempty"`
}

// ServicePrincipals are the applications, by name. Managed identities are not
// among them: they are documents.
func (c *Cloud) ServicePrincipals() []ServicePrincipal {
	c.principals.mu.RLock()
	defer c.principals.mu.RUnlock()
	var out []ServicePrincipal
	for app, known := range c.principals.byApp {
		proof := c.principals.shown[app]
		if proof.NoPrincipal {
			continue
		}
		out = append(out, ServicePrincipal{known.Name, known.AppID, known.ObjectID, known.Owner, len(proof.Certificates), len(proof.Federated)})
	}
	slices.SortFunc(out, func(a, b ServicePrincipal) int { return strings.Compare(a.Name+a.AppID, b.Name+b.AppID) })
	return out
}

// AddCertificate lets an application show who it is by a certificate's key.
func (c *Cloud) AddCertificate(ctx context.Context, app string, cert *x509.Certificate) error {
	return c.principals.change(ctx, app, func(p *proofs) {
		p.Certificates = append(p.Certificates, base64.StdEncoding.EncodeToString(cert.Raw))
	})
}

// AddFederation lets an application show who it is by another issuer's token.
func (c *Cloud) AddFederation(ctx context.Context, app string, f Federation) error {
	return c.principals.change(ctx, app, func(p *proofs) { p.Federated = append(p.Federated, f) })
}

// DeleteServicePrincipal ends an application: it gets no tokens any more, and those
// that it has are refused.
func (c *Cloud) DeleteServicePrincipal(ctx context.Context, app string) error {
	found, _, _ := c.principals.find(app, "", c.now())
	if err := c.principals.change(ctx, app, func(p *proofs) { *p = proofs{Deleted: true} }); err != nil {
		return err
	}
	return c.directory.Leave(ctx, found.ObjectID)
}

// RotateKeys makes a new key that signs tokens from now on.
func (c *Cloud) RotateKeys() error { return c.tokens.Rotate() }
