package acr

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
)

// Audience is what the Entra token that is exchanged must be for.
const Audience = "https://containerregistry.azure.net"

// refreshAfter is how long a refresh token is used; it lives three hours.
const refreshAfter = time.Hour

// maxAnswer is the largest answer that is read.
const maxAnswer = 1 << 20

// Keychain authenticates to registries under azurecr.io, and to no others, with
// the Entra tokens that token gives. client makes the exchange. It may be shared.
func Keychain(client *http.Client, token func(context.Context) (string, error)) authn.Keychain {
	return &keychain{client: client, token: token, kept: map[string]*authenticator{}}
}

type keychain struct {
	client *http.Client
	token  func(context.Context) (string, error)

	mu   sync.Mutex
	kept map[string]*authenticator
}

// Resolve implements authn.Keychain.
func (k *keychain) Resolve(r authn.Resource) (authn.Authenticator, error) {
	registry := strings.ToLower(r.RegistryStr())
	if !strings.HasSuffix(registry, ".azurecr.io") {
		return authn.Anonymous, nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	a, ok := k.kept[registry]
	if !ok {
		a = &authenticator{keychain: k, registry: registry}
		k.kept[registry] = a
	}
	return a, nil
}

// authenticator holds the refresh token of one registry.
type authenticator struct {
	keychain *keychain
	registry string

	mu      sync.Mutex
	refresh string
	got     time.Time
}

// Authorization implements authn.Authenticator.
func (a *authenticator) Authorization() (*authn.AuthConfig, error) {
	return a.AuthorizationContext(context.Background())
}

// AuthorizationContext implements authn.ContextAuthenticator.
func (a *authenticator) AuthorizationContext(ctx context.Context) (*authn.AuthConfig, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.refresh == "" || time.Since(a.got) > refreshAfter {
		refresh, err := a.exchange(ctx)
		if err != nil {
			return nil, fmt.Errorf("authenticating to %s: %w", a.registry, err)
		}
		a.refresh, a.got = refresh, time.Now()
	}
	return &authn.AuthConfig{IdentityToken: a.refresh}, nil
}

// exchange is POST /oauth2/exchange.
func (a *authenticator) exchange(ctx context.Context) (string, error) {
	token, err := a.keychain.token(ctx)
	if err != nil {
		return "", err
	}
	form := url.Values{"grant_type": {"access_token"}, "service": {a.registry}, "access_token": {token}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+a.registry+"/oauth2/exchange", strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := a.keychain.client.Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return "", fmt.Errorf("reading the answer: %w", err)
	}
	var answer struct {
		RefreshToken string `json:"refresh_token"`
		Errors       []struct{ Code, Message string }
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return "", fmt.Errorf("the registry answered %s, and not with JSON", resp.Status)
	}
	if resp.StatusCode != http.StatusOK || answer.RefreshToken == "" {
		if len(answer.Errors) > 0 {
			return "", fmt.Errorf("the registry answered %s: %s", resp.Status, answer.Errors[0].Message)
		}
		return "", errors.New("the registry answered " + resp.Status)
	}
	return answer.RefreshToken, nil
}
