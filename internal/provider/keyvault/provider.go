package keyvault

import (
	"context"
	"net/http"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/service"
)

// Namespace of the provider.
const Namespace = "Microsoft.KeyVault"

// New makes the provider. The handler of the service "vault" is an io.Closer,
// which ends the vaults that are open.
func New(host cloud.Host) cloud.Provider {
	vs := newVaults(host)
	return cloud.Provider{
		Namespace: Namespace,
		Types: []cloud.Type{
			{
				Name:      service.TypeKeyVault,
				Prompt:    true,
				Prepare:   prepare,
				Reconcile: func(_ context.Context, r arm.Resource) error { _, err := vs.get(r.ID); return err },
				Remove:    func(_ context.Context, r arm.Resource) error { return vs.remove(r.ID) },
			},
			{Name: Namespace + "/deletedVaults", Handler: http.HandlerFunc(noDeletedVaults)},
			{Name: Namespace + "/locations", Handler: http.HandlerFunc(noDeletedVaults)},
		},
		Services: map[string]http.Handler{"vault": &vaultService{host: host, vaults: vs}},
	}
}

// noDeletedVaults answers that there is no deleted vault: a vault is deleted for good.
func noDeletedVaults(w http.ResponseWriter, r *http.Request) {
	id := cloud.IDFrom(r.Context())
	if r.Method == http.MethodGet && len(id.Name()) > 0 && id.Name() == "deletedVaults" {
		cloud.WriteJSON(w, http.StatusOK, map[string]any{"value": []any{}})
		return
	}
	cloud.WriteError(w, cloud.Errorf(http.StatusNotFound, "DeletedVaultNotFound", "there is no deleted vault %s: vaults are deleted for good", id.Name()))
}
