package machinelearning

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning/asset"
)

// serveModels shows the model registry, which is the MLflow store's, in ARM's
// shape. What one client registers the other sees.
func (s *Service) serveModels(w http.ResponseWriter, c child) error {
	t, err := s.trackingOf(c.w)
	if err != nil {
		return err
	}
	switch {
	case len(c.path) == 0 && c.r.Method == http.MethodGet:
		return listModels(w, c, t)
	case len(c.path) == 1 && c.r.Method == http.MethodGet:
		versions, err := t.Versions(c.r.Context(), c.path[0])
		if err != nil {
			return err
		}
		cloud.WriteJSON(w, http.StatusOK, c.model(c.path[0], versions))
		return nil
	case len(c.path) == 2 && c.path[1] == "versions" && c.r.Method == http.MethodGet:
		versions, err := t.Versions(c.r.Context(), c.path[0])
		if err != nil {
			return err
		}
		out := []any{}
		for _, v := range versions {
			out = append(out, c.modelVersion(v))
		}
		c.writeList(w, out)
		return nil
	case len(c.path) == 3 && c.path[1] == "versions":
		return s.serveModelVersion(w, c, t)
	}
	return c.nothingHere()
}

func listModels(w http.ResponseWriter, c child, t Tracking) error {
	names, err := t.Models(c.r.Context())
	if err != nil {
		return err
	}
	out := []any{}
	for _, name := range names {
		versions, err := t.Versions(c.r.Context(), name)
		if err != nil {
			return err
		}
		out = append(out, c.model(name, versions))
	}
	c.writeList(w, out)
	return nil
}

// model is a model's container document; versions are newest first.
func (c child) model(name string, versions []ModelVersion) map[string]any {
	latest, labels := "", make([]string, 0, len(versions))
	var made, changed time.Time
	for i, v := range versions {
		if i == 0 {
			latest, changed = v.Version, time.UnixMilli(v.Updated)
		}
		made = time.UnixMilli(v.Created)
		labels = append(labels, v.Version)
	}
	return c.document(c.id(name), name, map[string]any{
		"description": nil, "tags": map[string]any{}, "properties": map[string]any{}, "isArchived": false,
		"latestVersion": latest, "nextVersion": asset.Next(labels), "provisioningState": "Succeeded",
	}, systemData(c.w.Name, made, changed))
}

func (c child) modelVersion(v ModelVersion) map[string]any {
	tags := map[string]string{}
	for k, val := range v.Tags {
		tags[k] = val
	}
	typ := v.Type
	if typ == "" {
		typ = "custom_model"
	}
	return c.document(c.id(v.Name, "versions", v.Version), v.Version, map[string]any{
		"description": v.Description, "tags": tags, "properties": map[string]any{}, "isArchived": false, "isAnonymous": false,
		"modelType": typ, "modelUri": v.Source, "flavors": map[string]any{}, "jobName": v.RunID, "stage": nil, "provisioningState": "Succeeded",
	}, systemData(c.w.Name, time.UnixMilli(v.Created), time.UnixMilli(v.Updated)))
}

func (s *Service) serveModelVersion(w http.ResponseWriter, c child, t Tracking) error {
	name, version := c.path[0], c.path[2]
	switch c.r.Method {
	case http.MethodGet:
		v, err := t.Version(c.r.Context(), name, version)
		if err != nil {
			return err
		}
		cloud.WriteJSON(w, http.StatusOK, c.modelVersion(v))
		return nil
	case http.MethodDelete:
		if err := t.DeleteVersion(c.r.Context(), name, version); err != nil {
			return err
		}
		w.WriteHeader(http.StatusOK)
		return nil
	case http.MethodPut:
		return s.putModelVersion(w, c, t, name, version)
	}
	return c.notAllowed()
}

func (s *Service) putModelVersion(w http.ResponseWriter, c child, t Tracking, name, version string) error {
	body, err := c.body()
	if err != nil {
		return err
	}
	var props struct {
		Description, ModelType, ModelURI, JobName string
		Tags                                      map[string]string
	}
	if err := json.Unmarshal(body, &props); err != nil {
		return userError("properties: %v.", err)
	}
	if !assetName.MatchString(name) {
		return userError("%q is not a model name: letters, digits, '_', '.' and '-'.", name)
	}
	if !strings.HasPrefix(props.ModelURI, "azureml://") && !strings.HasPrefix(props.ModelURI, "https://") && !strings.HasPrefix(props.ModelURI, "runs:/") {
		return userError("modelUri %q is not a place: azureml://..., runs:/...", props.ModelURI)
	}
	if old, err := t.Version(c.r.Context(), name, version); err == nil {
		if old.Source != props.ModelURI {
			return cloud.Errorf(http.StatusConflict, "UserError", "The model %s:%s exists and has other files; register another version.", name, version)
		}
		cloud.WriteJSON(w, http.StatusOK, c.modelVersion(old))
		return nil
	}
	if _, err := s.modelFiles(c.r.Context(), c.w, ModelVersion{Source: props.ModelURI}); err != nil {
		return err
	}
	v, err := t.CreateVersion(c.r.Context(), ModelVersion{
		Name: name, Version: version, Description: props.Description, Type: props.ModelType, Source: props.ModelURI, RunID: props.JobName, Tags: props.Tags,
	})
	if err != nil {
		return err
	}
	cloud.WriteJSON(w, http.StatusCreated, c.modelVersion(v))
	return nil
}
