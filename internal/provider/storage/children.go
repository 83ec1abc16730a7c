package storage

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/durable"
	"github.com/cloister-ml/cloister/internal/provider/storage/blobstore"
	"github.com/cloister-ml/cloister/service"
)

// children are an account's services as ARM shows them, each with its one
// document "default", and the blob service's containers: the same that the data
// plane has.
type children struct {
	host     cloud.Host
	accounts *accounts
	kind     string // blobServices
}

// findService finds a service of an account, which every account has: what
// extends it, as a diagnostic setting does, asks for it.
func findService(view cloud.View, id arm.ID) (arm.Resource, bool) {
	account, ok := view.Get(id.Parent())
	if !ok || !strings.EqualFold(id.Name(), "default") {
		return arm.Resource{}, false
	}
	return arm.Resource{ID: id, Name: "default", Type: id.Type(), Properties: arm.Object{}}, account.IsType(service.TypeStorageAccount)
}

// ServeHTTP implements http.Handler; the caller is authorised.
func (h *children) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status, body, err := h.serve(r)
	if err != nil {
		if f, known := asFailure(err); known {
			err = cloud.Errorf(f.status, f.code, "%s", f.message)
		} else if !errors.As(err, new(*cloud.Error)) {
			h.host.Log().Error("storage account", "path", r.URL.Path, "error", err)
		}
		cloud.WriteError(w, err)
		return
	}
	if body == nil {
		w.WriteHeader(status)
		return
	}
	cloud.WriteJSON(w, status, body)
}

// split finds the account in a path and what follows the service's name.
func (h *children) split(path string) (arm.ID, []string, error) {
	path = strings.TrimSuffix(path, "/")
	at := strings.Index(strings.ToLower(path), "/"+strings.ToLower(h.kind))
	if at < 0 {
		return "", nil, notFound(path)
	}
	id, err := arm.ParseID(path[:at])
	if err != nil {
		return "", nil, notFound(path)
	}
	rest := strings.Split(strings.Trim(path[at+1+len(h.kind):], "/"), "/")
	if rest[0] == "" {
		rest = nil
	}
	return id, rest, nil
}

func notFound(path string) error {
	return cloud.Errorf(http.StatusNotFound, "ResourceNotFound", "%s was not found", path)
}

func (h *children) serve(r *http.Request) (int, any, error) {
	id, rest, err := h.split(r.URL.Path)
	if err != nil {
		return 0, nil, err
	}
	account, ok := h.host.Get(id)
	if !ok || !account.IsType(service.TypeStorageAccount) {
		return 0, nil, cloud.Errorf(http.StatusNotFound, "ParentResourceNotFound", "the storage account %s was not found", id)
	}
	acc, err := h.accounts.get(id)
	if err != nil {
		return 0, nil, err
	}
	c := child{children: h, r: r, account: account, data: acc}
	switch {
	case len(rest) == 0 && r.Method == http.MethodGet:
		doc, err := c.service()
		return http.StatusOK, map[string]any{"value": []any{doc}}, err
	case len(rest) > 0 && !strings.EqualFold(rest[0], "default"):
	case len(rest) == 1:
		return c.serveService()
	case len(rest) == 2 && c.isContainers(rest[1]) && r.Method == http.MethodGet:
		return c.listContainers()
	case len(rest) == 3 && c.isContainers(rest[1]):
		return c.serveContainer(rest[2])
	}
	return 0, nil, notFound(r.URL.Path)
}

// child is one request about an account's service.
type child struct {
	*children
	r       *http.Request
	account arm.Resource
	data    *account
}

func (c child) isContainers(segment string) bool {
	return c.kind == "blobServices" && strings.EqualFold(segment, "containers")
}

func (c child) id() arm.ID { return c.account.ID.Child(c.kind, "default") }

// file holds the properties that were put; the data plane is not governed by them.
func (c child) file() string { return filepath.Join(c.data.dir, c.kind+".json") }

func (c child) service() (arm.Resource, error) {
	properties := arm.Object{"cors": arm.Object{"corsRules": []any{}}}
	data, err := os.ReadFile(c.file())
	switch {
	case err == nil:
		err = json.Unmarshal(data, &properties)
	case errors.Is(err, fs.ErrNotExist):
		err = nil
	}
	return arm.Resource{
		ID: c.id(), Name: "default", Type: service.TypeStorageAccount + "/" + c.kind, SKU: c.account.SKU, Properties: properties,
	}, err
}

// maxDocument is the size of a document that is put.
const maxDocument = 1 << 20

func (c child) document() (arm.Resource, error) {
	body, err := io.ReadAll(io.LimitReader(c.r.Body, maxDocument+1))
	if err != nil {
		return arm.Resource{}, err
	}
	var doc arm.Resource
	if len(body) > maxDocument || json.Unmarshal(body, &doc) != nil {
		return doc, cloud.Errorf(http.StatusBadRequest, "InvalidRequestContent", "the body is not a document of at most %d bytes", maxDocument)
	}
	return doc, nil
}

func (c child) serveService() (int, any, error) {
	switch c.r.Method {
	case http.MethodGet:
	case http.MethodPut, http.MethodPatch:
		if err := c.putService(); err != nil {
			return 0, nil, err
		}
	default:
		return 0, nil, notAllowed(c.r)
	}
	doc, err := c.service()
	return http.StatusOK, doc, err
}

func (c child) putService() error {
	in, err := c.document()
	if err != nil {
		return err
	}
	for _, path := range []string{"isVersioningEnabled", "changeFeed.enabled", "deleteRetentionPolicy.enabled", "containerDeleteRetentionPolicy.enabled", "restorePolicy.enabled"} {
		if arm.Bool(in.Properties, path, false) {
			c.host.Log().Warn("storage account: kept in the document, and not carried out", "account", c.account.Name, "property", path)
		}
	}
	old, err := c.service()
	if err != nil {
		return err
	}
	for name, value := range in.Properties {
		old.Properties[name] = value
	}
	data, err := json.Marshal(old.Properties)
	if err != nil {
		return err
	}
	return durable.WriteFile(c.file(), data)
}

func notAllowed(r *http.Request) error {
	return cloud.Errorf(http.StatusMethodNotAllowed, "MethodNotAllowed", "%s is not offered on %s", r.Method, r.URL.Path)
}

func (c child) listContainers() (int, any, error) {
	value := []any{}
	for from, more := "", true; more; {
		page, next, err := c.data.blobs.Containers(c.r.Context(), "", from, maxResults)
		if err != nil {
			return 0, nil, err
		}
		for _, found := range page {
			value = append(value, c.container(found))
		}
		from, more = next, next != ""
	}
	return http.StatusOK, map[string]any{"value": value}, nil
}

// publicAccess is the access level as ARM writes it.
var publicAccess = map[string]string{"": "None", "blob": "Blob", "container": "Container"}

func (c child) container(b blobstore.Container) map[string]any {
	metadata := b.Metadata
	if metadata == nil {
		metadata = map[string]string{}
	}
	return map[string]any{
		"id": c.id().Child("containers", b.Name), "name": b.Name, "type": service.TypeStorageAccount + "/blobServices/containers", "etag": b.ETag,
		"properties": map[string]any{
			"publicAccess": publicAccess[b.Access], "lastModifiedTime": b.Modified, "metadata": metadata, "deleted": false,
			"leaseStatus": "Unlocked", "leaseState": "Available", "hasLegalHold": false, "hasImmutabilityPolicy": false,
		},
	}
}

func (c child) serveContainer(name string) (int, any, error) {
	ctx, blobs := c.r.Context(), c.data.blobs
	switch c.r.Method {
	case http.MethodGet:
		found, err := blobs.Container(ctx, name)
		return http.StatusOK, c.container(found), err
	case http.MethodPut, http.MethodPatch:
		return c.putContainer(name)
	case http.MethodDelete:
		err := blobs.DeleteContainer(ctx, name, func(blobstore.Container) error { return nil })
		if errors.Is(err, blobstore.ErrNoContainer) {
			return http.StatusNoContent, nil, nil
		}
		return http.StatusOK, nil, err
	}
	return 0, nil, notAllowed(c.r)
}

func (c child) putContainer(name string) (int, any, error) {
	in, err := c.document()
	if err != nil {
		return 0, nil, err
	}
	if !validContainer(name) {
		return 0, nil, cloud.Errorf(http.StatusBadRequest, "ContainerOperationFailure", "%q is not a container's name", name)
	}
	want := blobstore.Container{Name: name, Metadata: map[string]string{}, Access: strings.ToLower(arm.String(in.Properties, "publicAccess"))}
	if want.Access == "none" {
		want.Access = ""
	}
	if err := checkAccess(c.account, want.Access); err != nil {
		return 0, nil, err
	}
	if given, ok := arm.Lookup(in.Properties, "metadata"); ok {
		object, _ := given.(map[string]any)
		for key, value := range object {
			if !metadataName.MatchString(key) {
				return 0, nil, cloud.Errorf(http.StatusBadRequest, "InvalidMetadata", "%q is not a name for metadata", key)
			}
			want.Metadata[strings.ToLower(key)] = fmt.Sprint(value)
		}
	}
	made, err := c.data.blobs.CreateContainer(c.r.Context(), want)
	if err == nil {
		return http.StatusCreated, c.container(made), nil
	}
	if !errors.Is(err, blobstore.ErrContainerExists) {
		return 0, nil, err
	}
	made, err = c.data.blobs.UpdateContainer(c.r.Context(), name, func(b *blobstore.Container) error {
		b.Access, b.Metadata = want.Access, want.Metadata
		return nil
	})
	return http.StatusOK, c.container(made), err
}
