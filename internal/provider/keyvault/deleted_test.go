package keyvault_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
)

// deleteVault does what a DELETE of the vault does.
func (w *world) deleteVault() {
	w.Helper()
	w.must(w.provider.Types[0].Remove(w.Context(), w.vault))
}

// createVault does what a PUT of the vault does, in a mode.
func (w *world) createVault(mode string) error {
	w.Helper()
	again := w.vault
	again.Properties = arm.Clone(w.vault.Properties)
	if mode != "" {
		again.Properties["createMode"] = mode
	}
	prepared, err := w.provider.Types[0].Prepare(emptyView{}, nil, again)
	if err != nil {
		return err
	}
	if _, ok := prepared.Properties["createMode"]; ok {
		w.Error("createMode is kept as a property of the vault")
	}
	return w.provider.Types[0].Reconcile(w.Context(), prepared)
}

// deletedVaults asks the handler of deleted vaults as ARM does.
func (w *world) deletedVaults(method, below string) (int, arm.Object) {
	w.Helper()
	id := arm.ID("/subscriptions/00000000-0000-0000-0000-000000000001/providers/Microsoft.KeyVault" + below)
	r := httptest.NewRequest(method, "/", nil)
	rec := httptest.NewRecorder()
	w.provider.Types[2].Handler.ServeHTTP(rec, r.WithContext(cloud.WithID(r.Context(), id)))
	var body arm.Object
	if rec.Body.Len() > 0 {
		w.must(json.Unmarshal(rec.Body.Bytes(), &body))
	}
	return rec.Code, body
}

// emptyView is an estate without the vault.
type emptyView struct{}

func (emptyView) Get(arm.ID) (arm.Resource, bool) { return arm.Resource{}, false }
func (emptyView) Estate() *arm.Estate             { e, _ := arm.NewEstate(); return e }

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	var e *cloud.Error
	if !errors.As(err, &e) || e.Code != code {
		t.Fatalf("got %v, want an error with code %s", err, code)
	}
}

func TestDeletedVaultIsRecoveredWithItsSecrets(t *testing.T) {
	w := newWorld(t, nil)
	value := "kept"
	_, err := w.client(alice).SetSecret(t.Context(), "token", azsecrets.SetSecretParameters{Value: &value}, nil)
	w.must(err)
	w.deleteVault()

	wantCode(t, w.createVault(""), "ConflictError")
	if status, body := w.deletedVaults(http.MethodGet, "/locations/westeurope/deletedVaults/kv-mlops"); status != 200 || arm.String(body, "properties.vaultId") != string(w.vault.ID) {
		t.Fatalf("the deleted vault is answered with %d: %v", status, body)
	}
	w.must(w.createVault("recover"))
	got, err := w.client(alice).GetSecret(t.Context(), "token", "", nil)
	w.must(err)
	if *got.Value != value {
		t.Errorf("the recovered vault has the secret %q, want %q", *got.Value, value)
	}
	if status, _ := w.deletedVaults(http.MethodGet, "/locations/westeurope/deletedVaults/kv-mlops"); status != 404 {
		t.Errorf("the recovered vault is still among the deleted: %d", status)
	}
}

func TestPurgedVaultIsGone(t *testing.T) {
	w := newWorld(t, nil)
	value := "gone"
	_, err := w.client(alice).SetSecret(t.Context(), "token", azsecrets.SetSecretParameters{Value: &value}, nil)
	w.must(err)
	w.deleteVault()
	if _, body := w.deletedVaults(http.MethodGet, "/deletedVaults"); len(body["value"].([]any)) != 1 {
		t.Fatalf("the list of deleted vaults is %v", body)
	}
	if status, body := w.deletedVaults(http.MethodPost, "/locations/westeurope/deletedVaults/kv-mlops/purge"); status != 202 {
		t.Fatalf("the purge is answered with %d: %v", status, body)
	}
	wantCode(t, w.createVault("recover"), "DeletedVaultNotFound")
	w.must(w.createVault(""))
	if _, err := w.client(alice).GetSecret(t.Context(), "token", "", nil); err == nil || !strings.Contains(err.Error(), "SecretNotFound") {
		t.Errorf("the secret of the purged vault is answered with %v", err)
	}
}

func TestProtectedVaultIsNotPurged(t *testing.T) {
	w := newWorld(t, arm.Object{"enablePurgeProtection": true})
	w.deleteVault()
	if status, body := w.deletedVaults(http.MethodPost, "/locations/westeurope/deletedVaults/kv-mlops/purge"); status != 409 {
		t.Fatalf("the purge of a protected vault is answered with %d: %v", status, body)
	}
}
