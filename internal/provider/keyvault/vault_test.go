package keyvault_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/provider/keyvault"
	"github.com/cloister-ml/cloister/internal/provider/providertest"
	"github.com/cloister-ml/cloister/service"
)

const (
	vaultURL = "https://kv-mlops.vault.azure.net/"
	tenant   = "11111111-1111-1111-1111-111111111111"
	roles    = "Microsoft.KeyVault/vaults/secrets/"
)

var (
	ctx   = context.Background()
	alice = cloud.Caller{ObjectID: "alice", AppID: "alice-app", Tenant: tenant}
	bob   = cloud.Caller{ObjectID: "bob", AppID: "bob-app", Tenant: tenant}
)

// world is one vault, its provider and a front.
type world struct {
	*testing.T
	host     *providertest.Host
	provider cloud.Provider
	front    *providertest.Front
	vault    arm.Resource
}

func newWorld(t *testing.T, more arm.Object) *world {
	t.Helper()
	w := &world{T: t, host: providertest.NewHost(t)}
	w.provider = keyvault.New(w.host)
	properties := arm.Object{"tenantId": tenant, "sku": arm.Object{"family": "A", "name": "Standard"}, "enableRbacAuthorization": true}
	for name, value := range more {
		properties[name] = value
	}
	prepared, err := w.provider.Types[0].Prepare(w.host, nil, arm.Resource{
		ID:   arm.ResourceID("00000000-0000-0000-0000-000000000001", "rg", service.TypeKeyVault, "kv-mlops"),
		Name: "kv-mlops", Type: service.TypeKeyVault, Location: "westeurope", Properties: properties,
	})
	w.must(err)
	w.vault = prepared
	w.host.Put(prepared)
	w.host.Grant(alice.ObjectID, roles+"*", prepared.ID)
	w.front = providertest.Serve(t, w.host, w.provider)
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// client is the official client, as a caller.
func (w *world) client(c cloud.Caller) *azsecrets.Client {
	w.Helper()
	client, err := azsecrets.NewClient(vaultURL, w.host.Credential(c), &azsecrets.ClientOptions{ClientOptions: azcore.ClientOptions{
		Transport: w.front.Client(), Retry: policy.RetryOptions{MaxRetries: -1},
	}})
	w.must(err)
	return client
}

func (w *world) set(c *azsecrets.Client, name, value string) azsecrets.Secret {
	w.Helper()
	resp, err := c.SetSecret(ctx, name, azsecrets.SetSecretParameters{Value: &value}, nil)
	w.must(err)
	return resp.Secret
}

// wantStatus expects a refusal with that status that says text.
func (w *world) wantStatus(err error, status int, text string) {
	w.Helper()
	var e *azcore.ResponseError
	if !errors.As(err, &e) || e.StatusCode != status || !strings.Contains(err.Error(), text) {
		w.Errorf("got %v, want %d and %q", err, status, text)
	}
}

func TestSetGetAndVersions(t *testing.T) {
	w := newWorld(t, nil)
	c := w.client(alice)
	first := w.set(c, "db-password", "one")
	expires := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	resp, err := c.SetSecret(ctx, "DB-Password", azsecrets.SetSecretParameters{
		Value: to.Ptr("two ü"), ContentType: to.Ptr("text/plain"), Tags: map[string]*string{"k": to.Ptr("v")},
		SecretAttributes: &azsecrets.SecretAttributes{Expires: &expires},
	}, nil)
	w.must(err)
	latest, err := c.GetSecret(ctx, "db-password", "", nil)
	w.must(err)
	if *latest.Value != "two ü" || *latest.ID != *resp.ID || latest.ID.Name() != "db-password" || *latest.ContentType != "text/plain" ||
		*latest.Tags["k"] != "v" || !latest.Attributes.Expires.Equal(expires) || !*latest.Attributes.Enabled || *latest.Attributes.RecoverableDays != 90 {
		t.Errorf("latest: %+v %+v", latest.Secret, latest.Attributes)
	}
	old, err := c.GetSecret(ctx, "db-password", first.ID.Version(), nil)
	if err != nil || *old.Value != "one" {
		t.Errorf("first version: %v", err)
	}
	pager := c.NewListSecretPropertiesVersionsPager("db-password", nil)
	page, err := pager.NextPage(ctx)
	if err != nil || len(page.Value) != 2 {
		t.Errorf("versions: %d, %v", len(page.Value), err)
	}
	_, err = c.GetSecret(ctx, "missing", "", nil)
	w.wantStatus(err, http.StatusNotFound, "SecretNotFound")
	_, err = c.GetSecret(ctx, "db-password", strings.Repeat("0", 32), nil)
	w.wantStatus(err, http.StatusNotFound, "SecretNotFound")
	_, err = c.SetSecret(ctx, "no_underscore", azsecrets.SetSecretParameters{Value: to.Ptr("x")}, nil)
	w.wantStatus(err, http.StatusBadRequest, "BadParameter")
	_, err = c.SetSecret(ctx, "big", azsecrets.SetSecretParameters{Value: to.Ptr(strings.Repeat("x", 26_000))}, nil)
	w.wantStatus(err, http.StatusBadRequest, "BadParameter")
	_, err = c.SetSecret(ctx, "none", azsecrets.SetSecretParameters{}, nil)
	w.wantStatus(err, http.StatusBadRequest, "BadParameter")
}

func TestUpdateAndDisable(t *testing.T) {
	w := newWorld(t, nil)
	c := w.client(alice)
	s := w.set(c, "key", "value")
	updated, err := c.UpdateSecretProperties(ctx, "key", s.ID.Version(), azsecrets.UpdateSecretPropertiesParameters{
		ContentType: to.Ptr("x"), SecretAttributes: &azsecrets.SecretAttributes{Enabled: to.Ptr(false)},
	}, nil)
	if err != nil || *updated.Attributes.Enabled || *updated.ContentType != "x" || updated.Value != nil {
		t.Errorf("%+v, %v", updated, err)
	}
	_, err = c.GetSecret(ctx, "key", "", nil)
	w.wantStatus(err, http.StatusForbidden, "SecretDisabled")
	_, err = c.UpdateSecretProperties(ctx, "key", "", azsecrets.UpdateSecretPropertiesParameters{SecretAttributes: &azsecrets.SecretAttributes{Enabled: to.Ptr(true)}}, nil)
	w.must(err)
	got, err := c.GetSecret(ctx, "key", "", nil)
	if err != nil || *got.Value != "value" {
		t.Errorf("%v", err)
	}
}

func TestListing(t *testing.T) {
	w := newWorld(t, nil)
	c := w.client(alice)
	var want []string
	for i := range 30 {
		name := fmt.Sprintf("s-%02d", i)
		w.set(c, name, "x")
		w.set(c, name, "y")
		want = append(want, name)
	}
	var got []string
	pages := 0
	for pager := c.NewListSecretPropertiesPager(nil); pager.More(); pages++ {
		page, err := pager.NextPage(ctx)
		w.must(err)
		for _, s := range page.Value {
			got = append(got, s.ID.Name())
			if s.ID.Version() != "" || s.Attributes == nil {
				t.Errorf("%+v", s)
			}
		}
	}
	if !slices.Equal(got, want) || pages != 2 {
		t.Errorf("%d pages of %q", pages, got)
	}
}

func TestSoftDelete(t *testing.T) {
	w := newWorld(t, nil)
	c := w.client(alice)
	w.set(c, "gone", "value")
	w.set(c, "stays", "value")
	deleted, err := c.DeleteSecret(ctx, "gone", nil)
	w.must(err)
	if deleted.RecoveryID == nil || deleted.ScheduledPurgeDate.Sub(*deleted.DeletedDate) != 90*24*time.Hour {
		t.Errorf("%+v", deleted)
	}
	_, err = c.GetSecret(ctx, "gone", "", nil)
	w.wantStatus(err, http.StatusNotFound, "SecretNotFound")
	_, err = c.SetSecret(ctx, "gone", azsecrets.SetSecretParameters{Value: to.Ptr("again")}, nil)
	w.wantStatus(err, http.StatusConflict, "ObjectIsDeletedButRecoverable")
	page, err := c.NewListDeletedSecretPropertiesPager(nil).NextPage(ctx)
	if err != nil || len(page.Value) != 1 || page.Value[0].ID.Name() != "gone" {
		t.Errorf("deleted: %+v, %v", page.Value, err)
	}
	_, err = c.GetDeletedSecret(ctx, "gone", nil)
	w.must(err)
	_, err = c.RecoverDeletedSecret(ctx, "gone", nil)
	w.must(err)
	if got, err := c.GetSecret(ctx, "gone", "", nil); err != nil || *got.Value != "value" {
		t.Errorf("recovered: %v", err)
	}
	_, err = c.DeleteSecret(ctx, "gone", nil)
	w.must(err)
	_, err = c.PurgeDeletedSecret(ctx, "gone", nil)
	w.must(err)
	_, err = c.RecoverDeletedSecret(ctx, "gone", nil)
	w.wantStatus(err, http.StatusNotFound, "SecretNotFound")
	w.set(c, "gone", "again")
}

func TestPurgeProtection(t *testing.T) {
	w := newWorld(t, arm.Object{"enablePurgeProtection": true, "softDeleteRetentionInDays": 7.0})
	c := w.client(alice)
	w.set(c, "kept", "value")
	deleted, err := c.DeleteSecret(ctx, "kept", nil)
	w.must(err)
	if *deleted.Attributes.RecoveryLevel != "Recoverable" || deleted.ScheduledPurgeDate.Sub(*deleted.DeletedDate) != 7*24*time.Hour {
		t.Errorf("%+v", deleted)
	}
	_, err = c.PurgeDeletedSecret(ctx, "kept", nil)
	w.wantStatus(err, http.StatusForbidden, "purge protection")
}

func TestRoles(t *testing.T) {
	w := newWorld(t, nil)
	w.set(w.client(alice), "mine", "value")
	w.set(w.client(alice), "other", "value")
	c := w.client(bob)
	get := func(name string) error { _, err := c.GetSecret(ctx, name, "", nil); return err }
	w.wantStatus(get("mine"), http.StatusForbidden, "ForbiddenByRbac")
	w.host.Grant(bob.ObjectID, roles+"getSecret/action", w.vault.ID.Child("secrets", "mine"))
	w.must(get("mine"))
	w.wantStatus(get("other"), http.StatusForbidden, "bob has no role")
	_, err := c.NewListSecretPropertiesPager(nil).NextPage(ctx)
	w.wantStatus(err, http.StatusForbidden, "readMetadata")
	_, err = c.SetSecret(ctx, "mine", azsecrets.SetSecretParameters{Value: to.Ptr("x")}, nil)
	w.wantStatus(err, http.StatusForbidden, "setSecret")
	w.host.Revoke(bob.ObjectID)
	w.wantStatus(get("mine"), http.StatusForbidden, "ForbiddenByRbac")
}

func TestAccessPolicies(t *testing.T) {
	w := newWorld(t, arm.Object{"enableRbacAuthorization": false, "accessPolicies": []any{
		arm.Object{"tenantId": tenant, "objectId": "bob", "permissions": arm.Object{"secrets": []any{"Get", "set"}}},
	}})
	c := w.client(bob)
	w.set(c, "x", "y")
	_, err := c.GetSecret(ctx, "x", "", nil)
	w.must(err)
	_, err = c.DeleteSecret(ctx, "x", nil)
	w.wantStatus(err, http.StatusForbidden, "AccessDenied")
	_, err = w.client(alice).GetSecret(ctx, "x", "", nil) // her role counts for nothing here
	w.wantStatus(err, http.StatusForbidden, "AccessDenied")
}

func TestRefusals(t *testing.T) {
	w := newWorld(t, arm.Object{"publicNetworkAccess": "Disabled"})
	bearer := func(audience string) string { return "Bearer " + w.host.Issue(alice, audience) }
	good := bearer("https://vault.azure.net")
	for _, test := range []struct {
		name, refuse, path, authorization string
		status                            int
		says                              string
	}{
		{name: "no token", path: "secrets/x?api-version=7.4", status: 401},
		{name: "no token at the root", path: "", status: 401},
		{name: "wrong audience", path: "secrets/x?api-version=7.4", authorization: bearer("https://storage.azure.com"), status: 401, says: "storage.azure.com"},
		{name: "not admitted", refuse: "not by a private endpoint", path: "secrets/x?api-version=7.4", authorization: good, status: 403, says: "ForbiddenByConnection"},
		{name: "not admitted comes before authentication", refuse: "no", path: "", status: 403, says: "Public network access is disabled"},
		{name: "no api-version", path: "secrets/x", authorization: good, status: 400, says: "api-version must be specified"},
		{name: "unknown api-version", path: "secrets/x?api-version=latest", authorization: good, status: 400},
		{name: "bad version", path: "secrets/x/v1?api-version=7.6", authorization: good, status: 400},
		{name: "path out of the secrets", path: "secrets/..%2f..%2fkek?api-version=7.6", authorization: good, status: 404},
		{name: "keys", path: "keys?api-version=7.6", authorization: good, status: 404, says: "not offered"},
		{name: "certificate contacts", path: "certificates/contacts?api-version=7.4", authorization: good, status: 404, says: "ContactsNotFound"},
		{name: "missing secret", path: "secrets/x?api-version=7.2", authorization: good, status: 404, says: "SecretNotFound"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w.front.Refuse(test.refuse)
			r, err := http.NewRequest(http.MethodGet, vaultURL+test.path, nil)
			w.must(err)
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
			want := `Bearer authorization="https://login.microsoftonline.com/` + tenant + `", resource="https://vault.azure.net"`
			if got := resp.Header.Get("WWW-Authenticate"); (test.status == 401) != (got == want) {
				t.Errorf("challenge %s", got)
			}
		})
	}
}

// No value, and no name of the user's, is on the disk in the clear; and what was
// set is there for another process, with the key of keys, and not without.
func TestAtRest(t *testing.T) {
	w := newWorld(t, nil)
	c := w.client(alice)
	w.set(c, "token", "plainly-visible-value")
	w.must(w.provider.Services["vault"].(io.Closer).Close())
	dir := w.host.Dir("keyvault")
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(data, []byte("plainly-visible-value")) {
			t.Errorf("%s has the value", path)
		}
		if info, err := d.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
		return err
	})
	w.must(err)
	if got, err := c.GetSecret(ctx, "token", "", nil); err != nil || *got.Value != "plainly-visible-value" {
		t.Errorf("after a restart: %v", err)
	}
	w.must(w.provider.Services["vault"].(io.Closer).Close())
	w.must(os.WriteFile(filepath.Join(dir, "kek"), make([]byte, 32), 0o600))
	_, err = c.GetSecret(ctx, "token", "", nil)
	w.wantStatus(err, http.StatusInternalServerError, "")
}

func TestPrepare(t *testing.T) {
	h := providertest.NewHost(t)
	typ := keyvault.New(h).Types[0]
	base := func(more arm.Object) arm.Object {
		p := arm.Object{"tenantId": tenant, "sku": arm.Object{"family": "A", "name": "standard"}}
		for name, value := range more {
			p[name] = value
		}
		return p
	}
	for _, test := range []struct {
		name       string
		properties arm.Object
		code       string
	}{
		{"kv-1", base(nil), ""},
		{"1kv", base(nil), "VaultNameNotValid"},
		{"kv--1", base(nil), "VaultNameNotValid"},
		{"kv-", base(nil), "VaultNameNotValid"},
		{"k", base(nil), "VaultNameNotValid"},
		{strings.Repeat("a", 25), base(nil), "VaultNameNotValid"},
		{"kv-1", base(arm.Object{"tenantId": "me"}), "InvalidTenantId"},
		{"kv-1", base(arm.Object{"sku": arm.Object{"name": "huge"}}), "InvalidSku"},
		{"kv-1", base(arm.Object{"enableSoftDelete": false}), "BadRequest"},
		{"kv-1", base(arm.Object{"softDeleteRetentionInDays": 6.0}), "BadRequest"},
		{"kv-1", base(arm.Object{"enablePurgeProtection": false}), "BadRequest"},
	} {
		r, err := typ.Prepare(h, nil, arm.Resource{
			ID: arm.ResourceID("s", "rg", service.TypeKeyVault, test.name), Name: test.name, Type: service.TypeKeyVault, Properties: test.properties,
		})
		var e *cloud.Error
		if errors.As(err, &e); (err != nil) != (test.code != "") || (e != nil && e.Code != test.code) {
			t.Errorf("%s: %v, want %q", test.name, err, test.code)
		}
		if err == nil && arm.String(r.Properties, "vaultUri") != "https://kv-1.vault.azure.net/" {
			t.Errorf("%v", r.Properties)
		}
	}
}
