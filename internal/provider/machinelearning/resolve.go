package machinelearning

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning/asset"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning/datastore"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning/job"
)

func userError(format string, args ...any) error {
	return cloud.Errorf(http.StatusBadRequest, "UserError", format, args...)
}

// findDatastore finds a datastore's container.
func (s *Service) findDatastore(ctx context.Context, w workspace, name string) (datastore.Blob, error) {
	if at, ok := ownDatastores(w)[strings.ToLower(name)]; ok {
		return at, nil
	}
	v, err := s.assets.Get(ctx, w.ID, asset.Datastores, name, "1")
	if err != nil {
		return datastore.Blob{}, cloud.Errorf(http.StatusNotFound, "UserError", "The workspace %s has no datastore %s.", w.Name, name)
	}
	return storedBlob(v), nil
}

// locate finds the blobs that a name of data means. typ tells models, which are
// named like data assets, from data.
func (s *Service) locate(ctx context.Context, w workspace, name, typ string) (datastore.Blob, error) {
	u, err := datastore.ParseURI(name)
	if err != nil {
		return datastore.Blob{}, userError("%v", err)
	}
	switch {
	case u.URL != "":
		at, err := datastore.ParseBlob(u.URL)
		if err != nil {
			return datastore.Blob{}, userError("%v", err)
		}
		return at, nil
	case u.Store != "":
		at, err := s.findDatastore(ctx, w, u.Store)
		at.Path = u.Path
		return at, err
	case u.Job != "":
		return s.locateOutput(ctx, w, u)
	case u.ID != "":
		if u, err = assetOfID(w, u.ID, &typ); err != nil {
			return datastore.Blob{}, err
		}
	}
	if isModel(typ) {
		return s.locateModel(ctx, w, u.Asset, u.Version)
	}
	v, err := s.assets.Get(ctx, w.ID, asset.Data, u.Asset, u.Version)
	if err != nil {
		return datastore.Blob{}, err
	}
	uri, _ := field(v.Properties, "dataUri").(string)
	if inner, err := datastore.ParseURI(uri); err != nil || inner.Asset != "" || inner.ID != "" {
		return datastore.Blob{}, userError("The data asset %s:%s leads to %q, which is no place.", v.Name, v.Label, uri)
	}
	return s.locate(ctx, w, uri, typ)
}

func isModel(typ string) bool {
	return typ == "custom_model" || typ == "mlflow_model" || typ == "triton_model"
}

// assetOfID reads the id of a data or model version in the workspace.
func assetOfID(w workspace, text string, typ *string) (datastore.URI, error) {
	id, err := arm.ParseID(text)
	if err != nil {
		return datastore.URI{}, userError("%v", err)
	}
	parent := id.Parent()
	if !id.Within(w.ID) || !strings.HasSuffix(strings.ToLower(id.Type()), "/versions") {
		return datastore.URI{}, userError("%s is not a version of an asset of the workspace %s.", text, w.Name)
	}
	if strings.HasSuffix(strings.ToLower(parent.Type()), "/models") && !isModel(*typ) {
		*typ = "custom_model"
	}
	return datastore.URI{Asset: parent.Name(), Version: id.Name()}, nil
}

func (s *Service) locateModel(ctx context.Context, w workspace, name, version string) (datastore.Blob, error) {
	v, err := s.modelVersion(ctx, w, name, version)
	if err != nil {
		return datastore.Blob{}, err
	}
	return s.modelFiles(ctx, w, v)
}

// modelVersion finds a version of a registered model; "@latest" is the newest.
func (s *Service) modelVersion(ctx context.Context, w workspace, name, version string) (ModelVersion, error) {
	t, err := s.trackingOf(w)
	if err != nil {
		return ModelVersion{}, err
	}
	if !strings.HasPrefix(version, "@") {
		return t.Version(ctx, name, version)
	}
	all, err := t.Versions(ctx, name)
	if err != nil {
		return ModelVersion{}, err
	}
	if version != "@latest" || len(all) == 0 {
		return ModelVersion{}, cloud.Errorf(http.StatusNotFound, "UserError", "The model %s has no version %s.", name, strings.TrimPrefix(version, "@"))
	}
	return all[0], nil
}

// modelFiles finds the blobs of a model version.
func (s *Service) modelFiles(ctx context.Context, w workspace, v ModelVersion) (datastore.Blob, error) {
	if strings.HasPrefix(v.Source, "azureml://") || strings.HasPrefix(v.Source, "https://") {
		return s.locate(ctx, w, v.Source, "")
	}
	t, err := s.trackingOf(w)
	if err != nil {
		return datastore.Blob{}, err
	}
	prefix, err := t.Files(ctx, v.Source)
	if err != nil {
		return datastore.Blob{}, err
	}
	return datastore.Blob{Account: w.Account, Container: artifactContainer, Path: mlflowFolder + strings.TrimPrefix(prefix, "/")}, nil
}

// locateOutput finds the blobs of another job's output.
func (s *Service) locateOutput(ctx context.Context, w workspace, u datastore.URI) (datastore.Blob, error) {
	j, err := s.jobs.Get(ctx, w.ID, u.Job)
	if err != nil {
		return datastore.Blob{}, err
	}
	var stored work
	if err := json.Unmarshal(j.Work, &stored); err != nil {
		return datastore.Blob{}, err
	}
	out, ok := stored.Outputs[u.Output]
	if !ok {
		return datastore.Blob{}, userError("The job %s has no output %s.", u.Job, u.Output)
	}
	at, err := s.locate(ctx, w, out.Text, "")
	if err == nil && u.Path != "" {
		at = at.Join(u.Path)
	}
	return at, err
}

// codeOf finds the blobs of a code version.
func (s *Service) codeOf(ctx context.Context, w workspace, code string) (datastore.Blob, error) {
	u, err := datastore.ParseURI(code)
	if err != nil {
		return datastore.Blob{}, userError("code: %v", err)
	}
	if u.ID != "" {
		typ := ""
		if u, err = assetOfID(w, u.ID, &typ); err != nil {
			return datastore.Blob{}, err
		}
	}
	if u.Asset == "" {
		return datastore.Blob{}, userError("code: %q is not a code version.", code)
	}
	v, err := s.assets.Get(ctx, w.ID, asset.Codes, u.Asset, u.Version)
	if err != nil {
		return datastore.Blob{}, err
	}
	uri, _ := field(v.Properties, "codeUri").(string)
	return s.locate(ctx, w, uri, "")
}

// computeOf finds the cluster that a job names.
func (s *Service) computeOf(w workspace, name string) (arm.Resource, error) {
	id := arm.ID(strings.TrimPrefix(name, "azureml:"))
	if !strings.HasPrefix(string(id), "/") {
		id = w.ID.Child("computes", string(id))
	}
	r, ok := s.host.Get(id)
	if !ok || !r.IsType(typeCompute) || !r.ID.Within(w.ID) {
		return arm.Resource{}, userError("The workspace %s has no compute %s.", w.Name, id.Name())
	}
	if !isCluster(r) {
		return arm.Resource{}, userError("The compute %s is a %s: jobs are run on clusters (AmlCompute).", id.Name(), arm.String(r.Properties, "computeType"))
	}
	if r.Identity == nil || r.Identity.Type == "" || r.Identity.Type == "None" {
		return arm.Resource{}, userError("The compute %s has no managed identity, so its nodes cannot prove who they are: set identity on it.", id.Name())
	}
	return r, nil
}

// components finds the component of a step.
func (s *Service) components(ctx context.Context, w workspace) job.Components {
	return func(id string) (map[string]any, error) {
		u, err := datastore.ParseURI(id)
		if err != nil {
			return nil, userError("componentId: %v", err)
		}
		if u.ID != "" {
			typ := ""
			if u, err = assetOfID(w, u.ID, &typ); err != nil {
				return nil, err
			}
		}
		v, err := s.assets.Get(ctx, w.ID, asset.Components, u.Asset, u.Version)
		if err != nil {
			return nil, err
		}
		spec, _ := field(v.Properties, "componentSpec").(map[string]any)
		return spec, nil
	}
}
