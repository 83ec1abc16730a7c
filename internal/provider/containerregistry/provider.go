package containerregistry

import (
	"context"
	"net/http"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/service"
)

// Namespace of the provider.
const Namespace = "Microsoft.ContainerRegistry"

// New makes the provider. The handler of the service "registry" is an io.Closer,
// which ends the registries that are open.
func New(host cloud.Host) cloud.Provider {
	rs := newRegistries(host)
	return cloud.Provider{
		Namespace: Namespace,
		Types: []cloud.Type{
			{
				Name:      service.TypeRegistry,
				Prepare:   prepare,
				Reconcile: func(_ context.Context, r arm.Resource) error { _, err := rs.get(r.ID); return err },
				Remove:    func(_ context.Context, r arm.Resource) error { return rs.remove(r.ID) },
				Actions: map[string]cloud.Action{
					"listcredentials":      rs.listCredentials,
					"regeneratecredential": rs.regenerateCredential,
				},
				Views: map[string]cloud.ViewOf{"listusages": rs.usages},
			},
			{Name: service.TypeRegistry + "/replications", Prepare: refuseReplication},
		},
		Services: map[string]http.Handler{
			"registry":     &loginServer{host: host, registries: rs},
			"registrydata": &dataServer{host: host, registries: rs},
		},
	}
}

func refuseReplication(_ cloud.View, _ *arm.Resource, r arm.Resource) (arm.Resource, error) {
	return r, cloud.Errorf(http.StatusBadRequest, "FeatureNotSupported", "replications are not offered: a registry is in its own region alone")
}
