package storage

import (
	"context"
	"net/http"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/service"
)

// Namespace of the provider.
const Namespace = "Microsoft.Storage"

// New makes the provider. Nothing is opened before it is asked for; the handler
// of the service "blob" is an io.Closer, which ends what is open.
func New(host cloud.Host) cloud.Provider {
	a := newAccounts(host)
	child := func(kind string) cloud.Type {
		return cloud.Type{Name: service.TypeStorageAccount + "/" + kind, Handler: &children{host: host, accounts: a, kind: kind}, Find: findService}
	}
	return cloud.Provider{
		Namespace: Namespace,
		Types: []cloud.Type{
			{
				Name:         service.TypeStorageAccount,
				CreateStatus: http.StatusOK, // its clients insist on it
				Prompt:       true,
				Prepare:      prepare,
				Reconcile:    func(_ context.Context, r arm.Resource) error { _, err := a.get(r.ID); return err },
				Remove:       func(_ context.Context, r arm.Resource) error { return a.remove(r.ID) },
				Actions: map[string]cloud.Action{
					"listkeys":      a.listKeys,
					"regeneratekey": a.regenerateKey,
				},
			},
			child("blobServices"), child("fileServices"), child("queueServices"), child("tableServices"),
			{Name: service.TypeStorageAccount + "/fileServices/shares", Prepare: prepareShare, Runs: kept},
			{Name: service.TypeStorageAccount + "/queueServices/queues", Runs: kept},
			{Name: service.TypeStorageAccount + "/tableServices/tables", Runs: kept},
		},
		Services: map[string]http.Handler{"blob": &blobService{host: host, accounts: a}},
	}
}
