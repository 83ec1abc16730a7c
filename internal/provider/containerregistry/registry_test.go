package containerregistry_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/acr"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/provider/containerregistry"
	"github.com/cloister-ml/cloister/internal/provider/providertest"
	"github.com/cloister-ml/cloister/service"
)

const (
	loginHost = "crmlops.azurecr.io"
	pullRole  = "Microsoft.ContainerRegistry/registries/pull/read"
	pushRole  = "Microsoft.ContainerRegistry/registries/push/write"
	allRoles  = "Microsoft.ContainerRegistry/registries/*"
)

var (
	ctx   = context.Background()
	alice = cloud.Caller{ObjectID: "alice", Tenant: "t", Name: "alice"}
	bob   = cloud.Caller{ObjectID: "bob", Tenant: "t", Name: "bob"}
)

// world is one registry, its provider and a front.
type world struct {
	*testing.T
	host     *providertest.Host
	provider cloud.Provider
	front    *providertest.Front
	registry arm.Resource
}

func newWorld(t *testing.T, properties arm.Object) *world {
	t.Helper()
	w := &world{T: t, host: providertest.NewHost(t)}
	w.provider = containerregistry.New(w.host)
	prepared, err := w.provider.Types[0].Prepare(w.host, nil, arm.Resource{
		ID:   arm.ResourceID("00000000-0000-0000-0000-000000000001", "rg", service.TypeRegistry, "crMlops"),
		Name: "crMlops", Type: service.TypeRegistry, Location: "westeurope", SKU: arm.Object{"name": "premium"}, Properties: properties,
	})
	w.must(err)
	w.registry = prepared
	w.host.Put(prepared)
	w.host.Grant(alice.ObjectID, allRoles, prepared.ID)
	w.front = providertest.Serve(t, w.host, w.provider)
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// as are go-containerregistry's options for a caller.
func (w *world) as(c cloud.Caller) []remote.Option {
	client := w.front.Client()
	keychain := acr.Keychain(client, func(context.Context) (string, error) { return w.host.Issue(c, acr.Audience), nil })
	return []remote.Option{remote.WithTransport(client.Transport), remote.WithAuthFromKeychain(keychain)}
}

func (w *world) ref(text string) name.Reference {
	w.Helper()
	ref, err := name.ParseReference(loginHost + "/" + text)
	w.must(err)
	return ref
}

func (w *world) image() v1.Image {
	w.Helper()
	img, err := random.Image(50_000, 3)
	w.must(err)
	return img
}

// wantStatus expects a refusal of the registry with that status that says text.
func (w *world) wantStatus(err error, status int, text string) {
	w.Helper()
	var e *transport.Error
	if !errors.As(err, &e) || e.StatusCode != status || !strings.Contains(err.Error(), text) {
		w.Errorf("got %v, want %d and %q", err, status, text)
	}
}

func TestPushPullListDelete(t *testing.T) {
	w := newWorld(t, nil)
	img := w.image()
	w.must(remote.Write(w.ref("env/sklearn:1"), img, w.as(alice)...))
	w.must(remote.Tag(w.ref("env/sklearn:1").Context().Tag("latest"), img, w.as(alice)...))
	pulled, err := remote.Image(w.ref("env/sklearn:latest"), w.as(alice)...)
	w.must(err)
	w.must(validate.Image(pulled))
	want, err := img.Digest()
	w.must(err)
	if got, err := pulled.Digest(); err != nil || got != want {
		t.Errorf("digest %v, want %v, %v", got, want, err)
	}
	index, err := random.Index(10_000, 2, 2)
	w.must(err)
	w.must(remote.WriteIndex(w.ref("multi:1"), index, w.as(alice)...))
	// A layer of another repository is mounted, not sent again.
	w.must(remote.Write(w.ref("other:1"), img, w.as(alice)...))

	tags, err := remote.List(w.ref("env/sklearn:1").Context(), w.as(alice)...)
	if err != nil || !slices.Equal(tags, []string{"1", "latest"}) {
		t.Errorf("tags %v, %v", tags, err)
	}
	repositories, err := remote.Catalog(ctx, w.ref("x").Context().Registry, w.as(alice)...)
	if err != nil || !slices.Equal(repositories, []string{"env/sklearn", "multi", "other"}) {
		t.Errorf("repositories %v, %v", repositories, err)
	}
	w.must(remote.Delete(w.ref("env/sklearn@"+want.String()), w.as(alice)...))
	_, err = remote.Image(w.ref("env/sklearn:1"), w.as(alice)...)
	w.wantStatus(err, http.StatusNotFound, "")
}

func TestRoles(t *testing.T) {
	w := newWorld(t, nil)
	w.must(remote.Write(w.ref("env:1"), w.image(), w.as(alice)...))
	pull := func() error { _, err := remote.Image(w.ref("env:1"), w.as(bob)...); return err }
	if err := pull(); err == nil || !strings.Contains(err.Error(), "401") || !strings.Contains(err.Error(), "bob has no role") {
		t.Errorf("without a role: %v", err)
	}
	w.host.Grant(bob.ObjectID, pullRole, w.registry.ID)
	w.must(pull())
	w.wantStatus(remote.Write(w.ref("env:2"), w.image(), w.as(bob)...), http.StatusForbidden, pushRole)
	w.host.Grant(bob.ObjectID, pushRole, w.registry.ID)
	w.must(remote.Write(w.ref("env:2"), w.image(), w.as(bob)...))
	img, err := remote.Image(w.ref("env:2"), w.as(bob)...)
	w.must(err)
	digest, err := img.Digest()
	w.must(err)
	w.wantStatus(remote.Delete(w.ref("env@"+digest.String()), w.as(bob)...), http.StatusForbidden, "artifacts/delete")

	// A role that is taken away is gone for a client that has its tokens already.
	options := w.as(bob)
	_, err = remote.Image(w.ref("env:1"), options...)
	w.must(err)
	puller, err := remote.NewPuller(options...)
	w.must(err)
	_, err = puller.Head(ctx, w.ref("env:1"))
	w.must(err)
	w.host.Revoke(bob.ObjectID)
	if _, err = puller.Get(ctx, w.ref("env:1")); err == nil {
		t.Error("pulled without a role")
	}
}

func TestAdminUser(t *testing.T) {
	w := newWorld(t, nil)
	action := func(name, body string) (map[string]any, error) {
		out, err := w.provider.Types[0].Actions[name](ctx, w.registry, json.RawMessage(body))
		m, _ := out.(map[string]any)
		return m, err
	}
	if _, err := action("listcredentials", ""); err == nil {
		t.Error("credentials of a disabled admin user")
	}
	w.registry.Properties["adminUserEnabled"] = true
	w.host.Put(w.registry)
	password := func() string {
		out, err := action("listcredentials", "")
		w.must(err)
		return out["passwords"].([]any)[0].(map[string]any)["value"].(string)
	}
	as := func(password string) []remote.Option {
		return []remote.Option{
			remote.WithTransport(w.front.Client().Transport),
			remote.WithAuth(&authn.Basic{Username: "crmlops", Password: password}),
		}
	}
	old := password()
	w.must(remote.Write(w.ref("env:1"), w.image(), as(old)...))
	_, err := action("regeneratecredential", `{"name":"password"}`)
	w.must(err)
	_, err = remote.Image(w.ref("env:1"), as(old)...)
	w.wantStatus(err, http.StatusUnauthorized, "wrong")
	_, err = remote.Image(w.ref("env:1"), as(password())...)
	w.must(err)
	now := password()
	w.registry.Properties = arm.Clone(w.registry.Properties)
	w.registry.Properties["adminUserEnabled"] = false
	w.host.Put(w.registry)
	_, err = remote.Image(w.ref("env:1"), as(now)...)
	w.wantStatus(err, http.StatusUnauthorized, "disabled")
}

// docker login sends a token as the password of a user of zeros.
func TestTokenAsPassword(t *testing.T) {
	w := newWorld(t, nil)
	w.must(remote.Write(w.ref("env:1"), w.image(), w.as(alice)...))
	for what, test := range map[string]struct {
		audience string
		status   int
	}{
		"registry token": {"https://containerregistry.azure.net", 0}, "ARM token": {"https://management.azure.com/", 0},
		"storage token": {"https://storage.azure.com", 401},
	} {
		basic := &authn.Basic{Username: "00000000-0000-0000-0000-000000000000", Password: w.host.Issue(alice, test.audience)}
		_, err := remote.Image(w.ref("env:1"), remote.WithTransport(w.front.Client().Transport), remote.WithAuth(basic))
		if test.status == 0 && err != nil {
			t.Errorf("%s: %v", what, err)
		} else if test.status != 0 {
			w.wantStatus(err, test.status, "")
		}
	}
	w.registry.Properties["policies"] = arm.Object{"azureADAuthenticationAsArmPolicy": arm.Object{"status": "disabled"}}
	w.host.Put(w.registry)
	keychain := acr.Keychain(w.front.Client(), func(context.Context) (string, error) { return w.host.Issue(alice, "https://management.azure.com"), nil })
	if _, err := remote.Image(w.ref("env:1"), remote.WithTransport(w.front.Client().Transport), remote.WithAuthFromKeychain(keychain)); err == nil {
		t.Error("an ARM token was taken against the registry's policy")
	}
}

func TestRefusals(t *testing.T) {
	w := newWorld(t, nil)
	w.must(remote.Write(w.ref("env:1"), w.image(), w.as(alice)...))
	for _, test := range []struct {
		name, refuse, method, path, authorization, form string
		status                                          int
		says                                            string
	}{
		{name: "no credential", method: "GET", path: "/v2/", status: 401, says: "UNAUTHORIZED"},
		{name: "no credential for a path that is none", method: "GET", path: "/v2/x", status: 401},
		{name: "forged token", method: "GET", path: "/v2/", authorization: "Bearer x.y.z", status: 401},
		{name: "Entra token without the exchange", method: "GET", path: "/v2/", authorization: "Bearer " + w.host.Issue(alice, acr.Audience), status: 401},
		{name: "unknown user", method: "GET", path: "/v2/", authorization: "Basic eDp5", status: 401},
		{name: "not admitted", refuse: "public network access is disabled", method: "GET", path: "/v2/", status: 403, says: "public network access is disabled"},
		{name: "not admitted to exchange", refuse: "no", method: "POST", path: "/oauth2/exchange", form: "grant_type=access_token", status: 403, says: "DENIED"},
		{name: "exchange of nothing", method: "POST", path: "/oauth2/exchange", form: "grant_type=access_token", status: 401},
		{name: "exchange of another audience", method: "POST", path: "/oauth2/exchange", form: "grant_type=access_token&access_token=" + w.host.Issue(alice, "https://vault.azure.net"), status: 401, says: "vault.azure.net"},
		{name: "exchange without a role", method: "POST", path: "/oauth2/exchange", form: "grant_type=access_token&access_token=" + w.host.Issue(bob, acr.Audience), status: 401, says: "bob has no role"},
		{name: "exchange for another registry", method: "POST", path: "/oauth2/exchange", form: "grant_type=access_token&service=other.azurecr.io&access_token=" + w.host.Issue(alice, acr.Audience), status: 400},
		{name: "another grant", method: "POST", path: "/oauth2/token", form: "grant_type=client_credentials", status: 400},
		{name: "another path", method: "GET", path: "/secrets.json", status: 404},
	} {
		t.Run(test.name, func(t *testing.T) {
			w.front.Refuse(test.refuse)
			r, err := http.NewRequest(test.method, "https://"+loginHost+test.path, strings.NewReader(test.form))
			w.must(err)
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			if test.authorization != "" {
				r.Header.Set("Authorization", test.authorization)
			}
			resp, err := w.front.Client().Do(r)
			w.must(err)
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			w.must(err)
			if resp.StatusCode != test.status || !strings.Contains(string(body), test.says) {
				t.Errorf("got %s: %s", resp.Status, body)
			}
			want := `Bearer realm="https://crmlops.azurecr.io/oauth2/token",service="crmlops.azurecr.io"`
			if got := resp.Header.Get("WWW-Authenticate"); test.status == 401 && got != want {
				t.Errorf("challenge %s", got)
			}
		})
	}
}

// Layers of a registry with a data endpoint come from there, and only by a URL
// that the login server signed.
func TestDataEndpoint(t *testing.T) {
	w := newWorld(t, arm.Object{"dataEndpointEnabled": true})
	img := w.image()
	w.must(remote.Write(w.ref("env:1"), img, w.as(alice)...))
	var seen []string
	client := w.front.Client()
	inner := client.Transport
	spy := roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.URL.Host != loginHost {
			seen = append(seen, r.URL.String())
			if r.Header.Get("Authorization") != "" {
				t.Error("the token went to the data endpoint")
			}
		}
		return inner.RoundTrip(r)
	})
	keychain := acr.Keychain(client, func(context.Context) (string, error) { return w.host.Issue(alice, acr.Audience), nil })
	pulled, err := remote.Image(w.ref("env:1"), remote.WithTransport(spy), remote.WithAuthFromKeychain(keychain))
	w.must(err)
	w.must(validate.Image(pulled))
	if len(seen) < 4 {
		t.Fatalf("only %d downloads from the data endpoint", len(seen))
	}
	u, err := url.Parse(seen[0])
	w.must(err)
	if u.Host != "crmlops.westeurope.data.azurecr.io" {
		t.Errorf("host %s", u.Host)
	}
	u.RawQuery = strings.Replace(u.RawQuery, "se=1", "se=2", 1)
	for _, bad := range []string{u.String(), "https://" + u.Host + u.Path, "https://" + u.Host + "/v2/"} {
		resp, err := client.Get(bad)
		w.must(err)
		if resp.Body.Close(); resp.StatusCode < 400 {
			t.Errorf("%s: %s", bad, resp.Status)
		}
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// What was pushed is there for another process, and its secrets are private.
func TestRestart(t *testing.T) {
	w := newWorld(t, nil)
	w.must(remote.Write(w.ref("env:1"), w.image(), w.as(alice)...))
	w.must(w.provider.Services["registry"].(io.Closer).Close())
	again := containerregistry.New(w.host)
	w.front = providertest.Serve(t, w.host, again)
	_, err := remote.Image(w.ref("env:1"), w.as(alice)...)
	w.must(err)
	found := 0
	err = filepath.WalkDir(w.host.Dir("containerregistry"), func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Name() == "secrets.json" {
			info, err := d.Info()
			if err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v, %v", path, info.Mode(), err)
			}
			found++
		}
		return err
	})
	if err != nil || found != 1 {
		t.Errorf("%d secrets, %v", found, err)
	}
	w.must(again.Types[0].Remove(ctx, w.registry))
	if left, _ := os.ReadDir(w.host.Dir("containerregistry")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestPrepare(t *testing.T) {
	h := providertest.NewHost(t)
	typ := containerregistry.New(h).Types[0]
	for _, test := range []struct {
		name, sku  string
		properties arm.Object
		code       string
	}{
		{name: "good1", sku: "Basic"},
		{name: "bad", sku: "Basic", code: "InvalidRegistryName"},
		{name: "no-hyphens", sku: "Basic", code: "InvalidRegistryName"},
		{name: "good1", sku: "Huge", code: "InvalidSku"},
		{name: "good1", sku: "Standard", properties: arm.Object{"publicNetworkAccess": "Disabled"}, code: "FeatureNotSupportedInSku"},
		{name: "good1", sku: "Standard", properties: arm.Object{"dataEndpointEnabled": true}, code: "FeatureNotSupportedInSku"},
		{name: "good1", sku: "Premium", properties: arm.Object{"dataEndpointEnabled": true, "publicNetworkAccess": "Disabled"}},
	} {
		r, err := typ.Prepare(h, nil, arm.Resource{
			ID: arm.ResourceID("s", "rg", service.TypeRegistry, test.name), Name: test.name, Type: service.TypeRegistry, Location: "West Europe",
			SKU: arm.Object{"name": test.sku}, Properties: test.properties,
		})
		var e *cloud.Error
		if errors.As(err, &e); (err != nil) != (test.code != "") || (e != nil && e.Code != test.code) {
			t.Errorf("%+v: %v", test, err)
		}
		if err == nil && arm.String(r.Properties, "loginServer") != test.name+".azurecr.io" {
			t.Errorf("%+v: %v", test, r.Properties)
		}
	}
}
