package keyvault

import (
	"context"
	"net/http"
	"time"

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
				Prepare:   vs.prepare,
				Reconcile: vs.reconcile,
				Actions:   map[string]cloud.Action{"deploy": vs.deploy},
				Remove:    func(_ context.Context, r arm.Resource) error { return vs.deleted.bury(r, time.Now()) },
			},
			{Name: service.TypeKeyVault + "/accessPolicies", Edit: editPolicies},
			{Name: Namespace + "/deletedVaults", Handler: http.HandlerFunc(vs.serveDeleted)},
			{Name: Namespace + "/locations", Handler: http.HandlerFunc(vs.serveDeleted)},
		},
		Services: map[string]http.Handler{"vault": &vaultService{host: host, vaults: vs}},
	}
}
