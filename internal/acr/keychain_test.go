package acr_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"

	"github.com/cloister-ml/cloister/internal/acr"
)

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answer(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Status: http.StatusText(status), Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
}

func resolve(t *testing.T, k authn.Keychain, registry string) authn.Authenticator {
	t.Helper()
	reg, err := name.NewRegistry(registry)
	if err != nil {
		t.Fatal(err)
	}
	a, err := k.Resolve(reg)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestExchangesOnce(t *testing.T) {
	exchanges := 0
	client := &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		exchanges++
		body, err := io.ReadAll(r.Body)
		if err != nil || r.URL.String() != "https://crmlops.azurecr.io/oauth2/exchange" || string(body) != "access_token=entra&grant_type=access_token&service=crmlops.azurecr.io" {
			t.Errorf("%s %s, %v", r.URL, body, err)
		}
		return answer(200, `{"refresh_token":"refresh"}`), nil
	})}
	k := acr.Keychain(client, func(context.Context) (string, error) { return "entra", nil })
	for range 2 {
		config, err := authn.Authorization(context.Background(), resolve(t, k, "crmlops.azurecr.io"))
		if err != nil || config.IdentityToken != "refresh" {
			t.Errorf("%+v, %v", config, err)
		}
	}
	if exchanges != 1 {
		t.Errorf("%d exchanges", exchanges)
	}
}

// A token goes to no host but a registry of Azure's.
func TestOtherRegistriesAreAnonymous(t *testing.T) {
	k := acr.Keychain(http.DefaultClient, func(context.Context) (string, error) {
		t.Error("a token was asked for")
		return "", errors.New("no")
	})
	for _, registry := range []string{"docker.io", "mcr.microsoft.com", "azurecr.io.example.com", "xazurecr.io"} {
		if a := resolve(t, k, registry); a != authn.Anonymous {
			t.Errorf("%s: %v", registry, a)
		}
	}
}

func TestFailuresAreTold(t *testing.T) {
	for body, want := range map[string]string{
		`{"errors":[{"code":"UNAUTHORIZED","message":"no role"}]}`: "no role", `<html>`: "not with JSON", `{}`: "the registry answered",
	} {
		client := &http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) { return answer(401, body), nil })}
		k := acr.Keychain(client, func(context.Context) (string, error) { return "entra", nil })
		if _, err := resolve(t, k, "crmlops.azurecr.io").Authorization(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", body, err)
		}
	}
}
