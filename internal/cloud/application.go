package cloud

import (
	"context"
	"crypto/sha1"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/session"
	"github.com/cloister-ml/cloister/internal/cloud/store"
)

// application is a registration as Graph shows it: the service principal of the
// store with what it shows.
type application struct {
	store.Principal
	proofs
}

// objectOf is the object id of an application, which is not its service principal's.
func objectOf(app string) string { return arm.StableGUID(arm.ID("/applications/"+app), "id") }

func (c *Cloud) registrations() []application {
	c.principals.mu.RLock()
	defer c.principals.mu.RUnlock()
	out := make([]application, 0, len(c.principals.byApp))
	for app, known := range c.principals.byApp {
		out = append(out, application{known, c.principals.shown[app]})
	}
	return out
}

// register makes an application, with or without a service principal. Nobody knows
// its first secret: others are added.
func (c *Cloud) register(ctx context.Context, name string, what func(*proofs)) (application, error) {
	made, err := c.principals.create(ctx, name, false, c.now())
	if err != nil {
		return application{}, fmt.Errorf("registering the application %s: %w", name, err)
	}
	if err := c.principals.change(ctx, made.ClientID, what); err != nil {
		return application{}, err
	}
	found, _, _ := c.principals.find(made.ClientID, "", c.now())
	return application{found, c.principals.proofsOf(made.ClientID)}, nil
}

// rename gives an application another display name.
func (p *principals) rename(ctx context.Context, app, name string) error {
	found, known, _ := p.find(app, "", time.Time{})
	if !known {
		return fmt.Errorf("there is no application %s", app)
	}
	found.Name = name
	if err := p.store.PutPrincipal(ctx, found); err != nil {
		return err
	}
	p.add(found)
	return nil
}

// maxCredentials bounds what an application can show.
const maxCredentials = 100

// defaultSecret is how long a secret holds that no end was given for, as Graph's.
const defaultSecret = 2 * 365 * 24 * time.Hour

// addSecret gives an application another secret.
func (c *Cloud) addSecret(ctx context.Context, app, name string, start, end time.Time) (Secret, string, error) {
	text := session.Secret()
	s := Secret{ID: uuid.NewString(), Name: name, Hint: text[:3], Hash: hashSecret(text), Start: start, End: end}
	err := c.principals.change(ctx, app, func(p *proofs) { p.Secrets = append(p.Secrets, s) })
	return s, text, err
}

func (c *Cloud) removeSecret(ctx context.Context, app, id string) (found bool, err error) {
	err = c.principals.change(ctx, app, func(p *proofs) {
		was := len(p.Secrets)
		p.Secrets = slices.DeleteFunc(p.Secrets, func(s Secret) bool { return strings.EqualFold(s.ID, id) })
		found = len(p.Secrets) < was
	})
	return found, err
}

// showSecrets are an application's secrets without the secrets.
func showSecrets(list []Secret) []any {
	out := make([]any, 0, len(list))
	for _, s := range list {
		out = append(out, showSecret(s))
	}
	return out
}

func showSecret(s Secret) arm.Object {
	o := arm.Object{
		"keyId": s.ID, "displayName": nil, "hint": s.Hint, "secretText": nil, "customKeyIdentifier": nil,
		"startDateTime": s.Start.UTC().Format(time.RFC3339Nano), "endDateTime": s.End.UTC().Format(time.RFC3339Nano),
	}
	if s.Name != "" {
		o["displayName"] = s.Name
	}
	return o
}

// showCertificates are the certificates by whose keys an application may sign.
func showCertificates(list []string) []any {
	out := []any{}
	for _, text := range list {
		der, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			continue
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			continue
		}
		thumbprint := sha1.Sum(der) // a name of the certificate, as Graph has it; nothing rests on it
		out = append(out, arm.Object{
			"keyId": arm.StableGUID(arm.ID(hex.EncodeToString(thumbprint[:])), "keyId"), "type": "AsymmetricX509Cert", "usage": "Verify", "key": nil,
			"displayName": cert.Subject.String(), "customKeyIdentifier": strings.ToUpper(hex.EncodeToString(thumbprint[:])),
			"startDateTime": cert.NotBefore.UTC().Format(time.RFC3339), "endDateTime": cert.NotAfter.UTC().Format(time.RFC3339),
		})
	}
	return out
}
