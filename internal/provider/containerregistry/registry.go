package containerregistry

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/filesystem" // the storage driver
	"github.com/go-jose/go-jose/v4"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/durable"
)

// registries are the registries' data, opened when first asked for.
type registries struct {
	host    cloud.Host
	folders *durable.Folders[*registry]
}

// registry is one registry: its images, served by app, and its secrets.
type registry struct {
	dir string
	app *handlers.App

	mu      sync.RWMutex
	secrets secrets
}

// secrets are a registry's own.
type secrets struct {
	Key       jose.JSONWebKey `json:"key"`       // signs tokens
	Upload    string          `json:"upload"`    // seals the state of uploads
	Redirect  []byte          `json:"redirect"`  // signs the URLs of the data endpoint
	Password  string          `json:"password"`  // of the admin user
	Password2 string          `json:"password2"` // of the admin user
}

func newRegistries(host cloud.Host) *registries {
	routeLogs(host.Log())
	registerController()
	return &registries{host, durable.NewFolders[*registry](host.Dir("containerregistry"))}
}

func (rs *registries) get(id arm.ID) (*registry, error) {
	r, err := rs.folders.Get(id.Key(), func(dir string) (*registry, error) { return rs.open(id, dir) })
	if err != nil {
		return nil, fmt.Errorf("opening the registry %s: %w", id.Name(), err)
	}
	return r, nil
}

func (rs *registries) open(id arm.ID, dir string) (*registry, error) {
	r := &registry{dir: dir}
	data, err := durable.ReadOrCreate(filepath.Join(r.dir, "secrets.json"), newSecrets)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(data, &r.secrets); err != nil {
		return nil, fmt.Errorf("reading its secrets: %w", err)
	}
	images := filepath.Join(r.dir, "images")
	if err := os.MkdirAll(images, 0o700); err != nil {
		return nil, err
	}
	r.app, err = newApp(images, r.secrets.Upload, &controller{host: rs.host, id: id})
	return r, err
}

func newSecrets() ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	return json.Marshal(secrets{
		Key: jose.JSONWebKey{Key: key, KeyID: rand.Text(), Algorithm: string(jose.ES256), Use: "sig"}, Upload: rand.Text(),
		Redirect: []byte(rand.Text()), Password: rand.Text(), Password2: rand.Text(),
	})
}

// newApp makes the protocol's server over a folder. The controller is asked
// before anything is done.
func newApp(images, uploadSecret string, c *controller) (app *handlers.App, err error) {
	defer func() { // it reports a wrong configuration by a panic
		if p := recover(); p != nil {
			err = fmt.Errorf("starting the distribution server: %v", p)
		}
	}()
	config := &configuration.Configuration{
		Storage: configuration.Storage{
			"filesystem": configuration.Parameters{"rootdirectory": images},
			"delete":     configuration.Parameters{"enabled": true},
			"redirect":   configuration.Parameters{"disable": true},
		},
		Auth:    configuration.Auth{controllerName: configuration.Parameters{"controller": c}},
		Catalog: configuration.Catalog{MaxEntries: 1000},
	}
	config.HTTP.Secret = uploadSecret
	config.HTTP.RelativeURLs = true
	return handlers.NewApp(context.Background(), config), nil
}

// remove deletes a registry's data.
func (rs *registries) remove(id arm.ID) error {
	if err := rs.folders.Remove(id.Key()); err != nil {
		return fmt.Errorf("removing the registry %s: %w", id.Name(), err)
	}
	return nil
}

// Close ends the open registry.
func (r *registry) Close() error { return r.app.Shutdown() }

func (r *registry) own() secrets {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.secrets
}

// listCredentials answers POST listCredentials.
func (rs *registries) listCredentials(_ context.Context, r arm.Resource, _ json.RawMessage) (any, error) {
	if !adminEnabled(r) {
		return nil, cloud.Errorf(http.StatusBadRequest, "UnAuthorizedForCredentialOperations",
			"cannot perform credential operations for %s as the admin user is disabled: set adminUserEnabled", r.ID)
	}
	reg, err := rs.get(r.ID)
	if err != nil {
		return nil, err
	}
	return presentCredentials(r, reg.own()), nil
}

func adminEnabled(r arm.Resource) bool { return arm.Bool(r.Properties, "adminUserEnabled", false) }

func presentCredentials(r arm.Resource, s secrets) any {
	return map[string]any{"username": r.Name, "passwords": []any{
		map[string]any{"name": "password", "value": s.Password},
		map[string]any{"name": "password2", "value": s.Password2},
	}}
}

// regenerateCredential answers POST regenerateCredential.
func (rs *registries) regenerateCredential(_ context.Context, r arm.Resource, body json.RawMessage) (any, error) {
	var in struct {
		Name string `json:"name"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, cloud.Errorf(http.StatusBadRequest, "InvalidRequestContent", "the body is not {\"name\": \"password\"}")
	}
	reg, err := rs.get(r.ID)
	if err != nil {
		return nil, err
	}
	reg.mu.Lock()
	defer reg.mu.Unlock()
	next := reg.secrets
	switch strings.ToLower(in.Name) {
	case "password":
		next.Password = rand.Text()
	case "password2":
		next.Password2 = rand.Text()
	default:
		return nil, cloud.Errorf(http.StatusBadRequest, "InvalidPasswordName", "name %q is not password or password2", in.Name)
	}
	data, err := json.Marshal(next)
	if err != nil {
		return nil, err
	}
	if err := durable.WriteFile(filepath.Join(reg.dir, "secrets.json"), data); err != nil {
		return nil, fmt.Errorf("keeping the new password: %w", err)
	}
	reg.secrets = next
	return presentCredentials(r, next), nil
}
