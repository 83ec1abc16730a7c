package containerservice

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/durable"
)

// The types.
const (
	Namespace   = "Microsoft.ContainerService"
	TypeCluster = Namespace + "/managedClusters"
	TypePool    = TypeCluster + "/agentPools"
)

// clusters are the data of clusters: a file with the authority of each.
type clusters struct{ dir string }

// New makes the provider.
func New(host cloud.Host) cloud.Provider {
	cs := clusters{host.Dir("containerservice")}
	never := func(arm.Resource) bool { return false }
	return cloud.Provider{Namespace: Namespace, Types: []cloud.Type{
		{
			Name:    TypeCluster,
			Prepare: prepareCluster,
			Present: presentCluster,
			Remove:  func(_ context.Context, r arm.Resource) error { return cs.remove(r.ID) },
			Runs:    never,
			Actions: map[string]cloud.Action{
				"listclusterusercredential":  cs.userCredential,
				"listclusteradmincredential": cs.adminCredential,
			},
		},
		{Name: TypePool, Prepare: preparePool, CanDelete: lastPool, Find: findPool, Runs: never, DeleteStatus: http.StatusNoContent},
	}}
}

func (cs clusters) file(cluster arm.ID) string {
	return filepath.Join(cs.dir, durable.NameOf(cluster.Key())+".pem")
}

func (cs clusters) remove(cluster arm.ID) error {
	err := os.Remove(cs.file(cluster))
	if os.IsNotExist(err) {
		return nil // nobody has asked for a certificate
	}
	return err
}

func badRequest(code, format string, args ...any) error {
	return cloud.Errorf(http.StatusBadRequest, code, format, args...)
}

// pools are the profiles of a cluster's node pools, in its own document.
func pools(r arm.Resource) []arm.Object { return arm.Objects(r.Properties, "agentPoolProfiles") }

// findPool makes the document of a node pool that the cluster's own declares.
func findPool(view cloud.View, id arm.ID) (arm.Resource, bool) {
	cluster, ok := view.Get(id.Parent())
	if !ok {
		return arm.Resource{}, false
	}
	for _, profile := range pools(cluster) {
		if strings.EqualFold(arm.String(profile, "name"), id.Name()) {
			props := arm.Clone(profile)
			delete(props, "name")
			return arm.Resource{ID: id, Name: id.Name(), Type: TypePool, Properties: props}, true
		}
	}
	return arm.Resource{}, false
}

// presentCluster shows the node pools that are documents of their own among the
// cluster's, as Azure does. They win over what the cluster's document said first.
func presentCluster(view cloud.View, r arm.Resource) arm.Resource {
	children := view.Estate().Children(r.ID, TypePool)
	if len(children) == 0 {
		return r
	}
	r.Properties = arm.Clone(r.Properties)
	var profiles []any
	shown := map[string]bool{}
	for _, pool := range children {
		profile := arm.Clone(pool.Properties)
		profile["name"] = pool.Name
		profiles = append(profiles, profile)
		shown[strings.ToLower(pool.Name)] = true
	}
	for _, profile := range pools(r) {
		if !shown[strings.ToLower(arm.String(profile, "name"))] {
			profiles = append(profiles, profile)
		}
	}
	r.Properties["agentPoolProfiles"] = profiles
	return r
}

// lastPool refuses to delete the only pool that runs the system's own parts.
func lastPool(view cloud.View, r arm.Resource) error {
	if !strings.EqualFold(arm.String(r.Properties, "mode"), "System") {
		return nil
	}
	cluster, ok := view.Get(r.ID.Parent())
	if !ok {
		return nil
	}
	for _, profile := range pools(presentCluster(view, cluster)) {
		if strings.EqualFold(arm.String(profile, "mode"), "System") && !strings.EqualFold(arm.String(profile, "name"), r.Name) {
			return nil
		}
	}
	return badRequest("BadRequest", "There has to be at least one agent pool with mode System: %s is the last of %s.", r.Name, cluster.Name)
}
