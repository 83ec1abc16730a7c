package machinelearning

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/service"
)

func (s *Service) workspaceType() cloud.Type {
	return cloud.Type{
		Name:         typeWorkspace,
		CreateStatus: http.StatusOK, // its clients insist on it
		Prepare:      s.prepareWorkspace,
		Reconcile:    s.reconcileWorkspace,
		Remove:       s.removeWorkspace,
		Actions: map[string]cloud.Action{
			"listkeys": s.listWorkspaceKeys,
		},
	}
}

// required are the resources that a workspace is made with.
var required = []struct{ property, typ string }{
	{"storageAccount", service.TypeStorageAccount},
	{"keyVault", service.TypeKeyVault},
	{"applicationInsights", service.TypeAppInsights},
}

func (s *Service) prepareWorkspace(view cloud.View, _ *arm.Resource, r arm.Resource) (arm.Resource, error) {
	r.Properties = arm.Clone(r.Properties)
	if r.Properties == nil {
		r.Properties = arm.Object{}
	}
	p := r.Properties
	for _, need := range required {
		if err := checkReference(view, p, need.property, need.typ, true); err != nil {
			return r, err
		}
	}
	if err := checkReference(view, p, "containerRegistry", service.TypeRegistry, false); err != nil {
		return r, err
	}
	if r.Identity == nil || r.Identity.Type == "" || r.Identity.Type == "None" {
		return r, cloud.Errorf(http.StatusBadRequest, "ValidationError", "A workspace needs a managed identity: set identity.type.")
	}
	switch access := arm.String(p, "publicNetworkAccess"); access {
	case "":
		p["publicNetworkAccess"] = "Enabled"
	case "Enabled", "Disabled":
	default:
		return r, cloud.Errorf(http.StatusBadRequest, "ValidationError", "publicNetworkAccess is %q; it is Enabled or Disabled.", access)
	}
	s.computeWorkspace(&r)
	return r, nil
}

// computeWorkspace fills what Azure computes.
func (s *Service) computeWorkspace(r *arm.Resource) {
	p := r.Properties
	if r.SKU == nil {
		r.SKU = arm.Object{"name": "Basic", "tier": "Basic"}
	}
	if r.Kind == "" {
		r.Kind = "Default"
	}
	setDefault(p, "hbiWorkspace", false)
	setDefault(p, "v1LegacyMode", false)
	setDefault(p, "systemDatastoresAuthMode", "AccessKey") // older api-versions do not have it
	p["workspaceId"] = service.WorkspaceGUID(r.ID)
	for _, ep := range service.Endpoints(*r) {
		switch ep.Service {
		case "api":
			p["discoveryUrl"] = "https://" + ep.Host + "/discovery"
			p["mlFlowTrackingUri"] = "azureml://" + ep.Host + "/mlflow/v1.0" + string(r.ID)
		case "notebooks":
			p["notebookInfo"] = arm.Object{"resourceId": arm.StableGUID(r.ID, "notebook"), "fqdn": ep.Host, "isPrivateLinkEnabled": arm.String(p, "publicNetworkAccess") == "Disabled"}
		}
	}
}

func setDefault(p arm.Object, key string, value any) {
	if v, ok := arm.Lookup(p, key); !ok || v == "" {
		p[key] = value
	}
}

// checkReference says what is wrong with a reference to another resource.
func checkReference(view cloud.View, p arm.Object, property, typ string, must bool) error {
	text := arm.String(p, property)
	if text == "" {
		if must {
			return cloud.Errorf(http.StatusBadRequest, "ValidationError", "%s is missing: name a %s by its id.", property, typ)
		}
		return nil
	}
	id, err := arm.ParseID(text)
	if err != nil {
		return cloud.Errorf(http.StatusBadRequest, "ValidationError", "%s: %v.", property, err)
	}
	r, ok := view.Get(id)
	if !ok {
		return cloud.Errorf(http.StatusBadRequest, "ValidationError", "%s: the resource %s was not found.", property, id)
	}
	if !r.IsType(typ) {
		return cloud.Errorf(http.StatusBadRequest, "ValidationError", "%s: %s is a %s and must be a %s.", property, id, r.Type, typ)
	}
	return nil
}

// reconcileWorkspace makes the containers of the workspace's datastores where its
// identity already may. Where it may not yet (its role assignments come after it),
// they are made when they are first used.
func (s *Service) reconcileWorkspace(ctx context.Context, r arm.Resource) error {
	w := s.describe(r)
	if _, err := s.trackingOf(w); err != nil && s.options.Tracking != nil {
		return err
	}
	s.ensureContainers(ctx, w)
	return nil
}

func (s *Service) removeWorkspace(ctx context.Context, r arm.Resource) error {
	if err := s.jobs.Forget(ctx, r.ID); err != nil {
		return err
	}
	if err := s.assets.Forget(ctx, r.ID); err != nil {
		return err
	}
	s.mu.Lock()
	delete(s.containers, r.ID.Key())
	s.mu.Unlock()
	return os.RemoveAll(filepath.Join(s.dir, "logs", service.WorkspaceGUID(r.ID)))
}

// listWorkspaceKeys answers where the storage is. No secret is in it: storage is
// reached with identities.
func (s *Service) listWorkspaceKeys(_ context.Context, r arm.Resource, _ json.RawMessage) (any, error) {
	return map[string]any{"userStorageResourceId": arm.String(r.Properties, "storageAccount")}, nil
}
