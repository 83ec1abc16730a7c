package machinelearning

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning/asset"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning/datastore"
)

// The workspace's own datastores.
const (
	blobStore         = "workspaceblobstore"
	artifactStoreName = "workspaceartifactstore"
)

// ownDatastores are over the workspace's storage account.
func ownDatastores(w workspace) map[string]datastore.Blob {
	return map[string]datastore.Blob{
		blobStore:         {Account: w.Account, Container: blobContainer(w)},
		artifactStoreName: {Account: w.Account, Container: artifactContainer},
	}
}

func (s *Service) serveDatastores(w http.ResponseWriter, c child) error {
	switch {
	case len(c.path) == 0 && c.r.Method == http.MethodGet:
		return s.listDatastores(w, c)
	case len(c.path) == 1:
		return s.serveDatastore(w, c, c.path[0])
	case len(c.path) == 2 && strings.EqualFold(c.path[1], "listSecrets") && c.r.Method == http.MethodPost:
		if _, err := s.datastore(c, c.path[0]); err != nil {
			return err
		}
		return cloud.Errorf(http.StatusBadRequest, "UserError", "The datastore %s has no secrets: it is reached with the caller's identity.", c.path[0])
	}
	return c.nothingHere()
}

func (s *Service) listDatastores(w http.ResponseWriter, c child) error {
	own := ownDatastores(c.w)
	out := []any{}
	for _, name := range []string{blobStore, artifactStoreName} {
		out = append(out, c.datastore(name, own[name], nil))
	}
	extra, err := s.assets.List(c.r.Context(), c.w.ID, asset.Datastores, "")
	if err != nil {
		return err
	}
	for _, v := range extra {
		out = append(out, c.datastore(v.Name, storedBlob(v), &v))
	}
	c.writeList(w, out)
	return nil
}

func storedBlob(v asset.Version) datastore.Blob {
	text := func(key string) string { s, _ := field(v.Properties, key).(string); return s }
	return datastore.Blob{Account: text("accountName"), Container: text("containerName")}
}

// datastore is a datastore's document.
func (c child) datastore(name string, at datastore.Blob, v *asset.Version) map[string]any {
	props := map[string]any{
		"datastoreType": "AzureBlob", "accountName": at.Account, "containerName": at.Container, "endpoint": "core.windows.net", "protocol": "https",
		"credentials": map[string]any{"credentialsType": "None"}, "isDefault": name == blobStore,
		"serviceDataAccessAuthIdentity": "WorkspaceSystemAssignedIdentity",
		"description":                   nil, "tags": map[string]any{}, "properties": map[string]any{},
		"resourceGroup": c.w.ID.ResourceGroup(), "subscriptionId": c.w.ID.Subscription(),
	}
	at0 := time.Time{}
	system := systemData(c.w.Name, at0, at0)
	if v != nil {
		system = systemData(v.Author, v.Created, v.Modified)
	}
	return c.document(c.id(name), name, props, system)
}

// datastore finds a datastore of the workspace.
func (s *Service) datastore(c child, name string) (datastore.Blob, error) {
	at, err := s.findDatastore(c.r.Context(), c.w, name)
	if err != nil {
		return datastore.Blob{}, err
	}
	return at, nil
}

func (s *Service) serveDatastore(w http.ResponseWriter, c child, name string) error {
	switch c.r.Method {
	case http.MethodGet:
		at, err := s.datastore(c, name)
		if err != nil {
			return err
		}
		if _, own := ownDatastores(c.w)[strings.ToLower(name)]; own {
			s.ensureContainers(c.r.Context(), c.w) // whoever asks for it is about to use it
		}
		cloud.WriteJSON(w, http.StatusOK, c.datastore(name, at, nil))
		return nil
	case http.MethodPut:
		return s.putDatastore(w, c, name)
	case http.MethodDelete:
		if _, own := ownDatastores(c.w)[strings.ToLower(name)]; own {
			return cloud.Errorf(http.StatusBadRequest, "UserError", "%s belongs to the workspace and stays.", name)
		}
		found, err := s.assets.Delete(c.r.Context(), c.w.ID, asset.Datastores, name, "")
		if err == nil {
			w.WriteHeader(deleted(found))
		}
		return err
	}
	return c.notAllowed()
}

func (s *Service) putDatastore(w http.ResponseWriter, c child, name string) error {
	body, err := c.body()
	if err != nil {
		return err
	}
	refuse := func(format string, args ...any) error {
		return cloud.Errorf(http.StatusBadRequest, "UserError", format, args...)
	}
	if _, own := ownDatastores(c.w)[strings.ToLower(name)]; own || !assetName.MatchString(name) {
		return refuse("%q cannot name a new datastore.", name)
	}
	var props arm.Object
	if err := json.Unmarshal(body, &props); err != nil {
		return refuse("properties: %v.", err)
	}
	if kind := arm.String(props, "datastoreType"); kind != "AzureBlob" {
		return refuse("datastoreType is %q; AzureBlob is kept here.", kind)
	}
	if cred := arm.String(props, "credentials.credentialsType"); cred != "None" && cred != "" {
		return refuse("credentials.credentialsType is %q; datastores are reached with identities: None.", cred)
	}
	if arm.String(props, "accountName") == "" || arm.String(props, "containerName") == "" {
		return refuse("accountName and containerName are needed.")
	}
	v, isNew, err := s.assets.Put(c.r.Context(), asset.Version{
		Workspace: c.w.ID, Kind: asset.Datastores, Name: name, Label: "1", Properties: body, Author: c.author(),
	}, time.Now())
	if err != nil {
		return err
	}
	cloud.WriteJSON(w, created(isNew), c.datastore(name, storedBlob(v), &v))
	return nil
}
