package storage_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/provider/providertest"
	"github.com/cloister-ml/cloister/internal/provider/storage"
	"github.com/cloister-ml/cloister/service"
)

func TestPrepareAccount(t *testing.T) {
	taken := arm.Resource{ID: arm.ResourceID("s", "other", service.TypeStorageAccount, "taken"), Name: "taken", Type: service.TypeStorageAccount}
	h := providertest.NewHost(t, taken)
	typ := storage.New(h).Types[0]
	for _, test := range []struct {
		name, sku, kind string
		properties      arm.Object
		code            string
	}{
		{name: "stmlops", sku: "Standard_ZRS", kind: "StorageV2"},
		{name: "stmlops", sku: "Standard_ZRS"},
		{name: "st", sku: "Standard_LRS", code: "AccountNameInvalid"},
		{name: "st-mlops", sku: "Standard_LRS", code: "AccountNameInvalid"},
		{name: "StMlops", sku: "Standard_LRS", code: "AccountNameInvalid"},
		{name: strings.Repeat("a", 25), sku: "Standard_LRS", code: "AccountNameInvalid"},
		{name: "taken", sku: "Standard_LRS", code: "StorageAccountAlreadyTaken"},
		{name: "stmlops", sku: "Cheap_LRS", code: "InvalidValuesForRequestParameters"},
		{name: "stmlops", sku: "Standard_LRS", kind: "Tape", code: "InvalidValuesForRequestParameters"},
		{name: "stmlops", sku: "Standard_LRS", properties: arm.Object{"networkAcls": arm.Object{"defaultAction": "Maybe"}}, code: "InvalidValuesForRequestParameters"},
		{name: "stmlops", sku: "Standard_LRS", properties: arm.Object{"supportsHttpsTrafficOnly": false}, code: "FeatureNotSupported"},
	} {
		in := arm.Resource{
			ID: arm.ResourceID("s", "rg", service.TypeStorageAccount, test.name), Name: test.name, Type: service.TypeStorageAccount,
			Location: "West Europe", Kind: test.kind, SKU: arm.Object{"name": test.sku}, Properties: test.properties,
		}
		r, err := typ.Prepare(h, nil, in)
		var e *cloud.Error
		if errors.As(err, &e); (err != nil) != (test.code != "") || (e != nil && e.Code != test.code) {
			t.Errorf("%+v: %v", test, err)
		}
		if err != nil {
			continue
		}
		if arm.String(r.Properties, "primaryEndpoints.blob") != "https://stmlops.blob.core.windows.net/" || r.Kind != "StorageV2" ||
			arm.String(r.SKU, "tier") != "Standard" || arm.String(r.Properties, "networkAcls.defaultAction") != "Allow" {
			t.Errorf("%+v: %+v", test, r)
		}
		if in.Properties["primaryEndpoints"] != nil {
			t.Error("the given document was changed")
		}
		again, err := typ.Prepare(h, &r, r)
		if err != nil || arm.String(again.Properties, "creationTime") != arm.String(r.Properties, "creationTime") {
			t.Errorf("prepared again: %+v, %v", again, err)
		}
		again.Properties["isHnsEnabled"] = true
		if _, err := typ.Prepare(h, &r, again); err == nil {
			t.Error("isHnsEnabled was changed")
		}
	}
}

// arm sends a request to the handler of a child type, as the control plane does.
func (w *world) arm(method, path string, body any) (int, map[string]any) {
	w.Helper()
	data, err := json.Marshal(body)
	w.must(err)
	r := httptest.NewRequest(method, string(w.account.ID)+path, bytes.NewReader(data))
	rec := httptest.NewRecorder()
	for _, typ := range w.provider.Types {
		name := typ.Name[strings.LastIndexByte(typ.Name, '/')+1:]
		if typ.Handler != nil && strings.HasPrefix(strings.ToLower(path), "/"+strings.ToLower(name)) {
			typ.Handler.ServeHTTP(rec, r.WithContext(cloud.WithID(r.Context(), w.account.ID+arm.ID(path))))
		}
	}
	var out map[string]any
	if rec.Body.Len() > 0 {
		w.must(json.Unmarshal(rec.Body.Bytes(), &out))
	}
	return rec.Code, out
}

// The containers of ARM are those of the data plane.
func TestContainersThroughARM(t *testing.T) {
	w := newWorld(t, nil)
	const containers = "/blobServices/default/containers"
	status, got := w.arm("PUT", containers+"/one", map[string]any{"properties": map[string]any{"publicAccess": "None", "metadata": map[string]any{"k": "v"}}})
	if status != http.StatusCreated || arm.String(got, "properties.metadata.k") != "v" || arm.String(got, "properties.publicAccess") != "None" {
		t.Errorf("%d %v", status, got)
	}
	if status, _ := w.arm("PUT", containers+"/one", map[string]any{}); status != http.StatusOK {
		t.Errorf("put again: %d", status)
	}
	c := w.container()
	_, err := c.UploadBuffer(ctx, "one", "x", []byte("x"), nil)
	w.must(err)
	if status, got := w.arm("GET", containers, nil); status != 200 || len(arm.List(got, "value")) != 2 {
		t.Errorf("%d %v", status, got)
	}
	if status, got := w.arm("GET", containers+"/data", nil); status != 200 || arm.String(got, "id") != string(w.account.ID)+containers+"/data" {
		t.Errorf("%d %v", status, got)
	}
	for _, test := range []struct {
		method, path string
		body         any
		status       int
		code         string
	}{
		{"GET", containers + "/none", nil, 404, "ContainerNotFound"},
		{"PUT", containers + "/No", map[string]any{}, 400, "ContainerOperationFailure"},
		{"PUT", containers + "/pub", map[string]any{"properties": map[string]any{"publicAccess": "Blob"}}, 409, "PublicAccessNotPermitted"},
		{"PUT", containers + "/pub", "text", 400, "InvalidRequestContent"},
		{"GET", "/blobServices/other", nil, 404, "ResourceNotFound"},
		{"DELETE", "/blobServices/default", nil, 405, "MethodNotAllowed"},
		{"GET", "/fileServices/default/containers", nil, 404, "ResourceNotFound"},
	} {
		if status, got := w.arm(test.method, test.path, test.body); status != test.status || arm.String(got, "error.code") != test.code {
			t.Errorf("%s %s: %d %v", test.method, test.path, status, got)
		}
	}
	if status, _ := w.arm("DELETE", containers+"/one", nil); status != 200 {
		t.Errorf("delete: %d", status)
	}
	if status, _ := w.arm("DELETE", containers+"/one", nil); status != 204 {
		t.Errorf("delete again: %d", status)
	}
}

func TestServiceDocuments(t *testing.T) {
	w := newWorld(t, nil)
	for _, kind := range []string{"blobServices", "fileServices", "queueServices", "tableServices"} {
		status, got := w.arm("GET", "/"+kind+"/default", nil)
		if status != 200 || arm.String(got, "name") != "default" || arm.String(got, "type") != service.TypeStorageAccount+"/"+kind {
			t.Errorf("%s: %d %v", kind, status, got)
		}
	}
	w.arm("PUT", "/blobservices/default", map[string]any{"properties": map[string]any{"defaultServiceVersion": "2021-12-02"}})
	if _, got := w.arm("GET", "/blobServices/default", nil); arm.String(got, "properties.defaultServiceVersion") != "2021-12-02" {
		t.Errorf("%v", got)
	}
	if status, got := w.arm("GET", "/blobServices", nil); status != 200 || len(arm.List(got, "value")) != 1 {
		t.Errorf("%d %v", status, got)
	}
}

// Keys are private files, no name of a blob is a name of a file, and removing the
// account removes all.
func TestDiskIsPrivate(t *testing.T) {
	w := newWorld(t, nil)
	c := w.container()
	_, err := c.UploadBuffer(ctx, "data", "../../telling-name", bytes.Repeat([]byte("x"), 100_000), nil)
	w.must(err)
	dir, files := w.host.Dir("storage"), 0
	err = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
		if strings.Contains(path, "telling") || strings.Contains(path, "stmlops") {
			t.Errorf("%s has a user's name", path)
		}
		files++
		return nil
	})
	if err != nil || files < 5 {
		t.Errorf("%d files, %v", files, err)
	}
	w.must(w.provider.Types[0].Remove(ctx, w.account))
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// Every account has its services, and they can be extended.
func TestFindService(t *testing.T) {
	account := arm.Resource{ID: arm.ResourceID("s", "rg", service.TypeStorageAccount, "stmlops"), Name: "stmlops", Type: service.TypeStorageAccount}
	h := providertest.NewHost(t, account)
	for _, typ := range storage.New(h).Types[1:] {
		if typ.Find == nil {
			continue // a share, a queue or a table is there when it was made
		}
		kind := typ.Name[strings.LastIndexByte(typ.Name, '/')+1:]
		for id, want := range map[arm.ID]bool{
			account.ID.Child(kind, "default"): true,
			account.ID.Child(kind, "other"):   false,
			arm.ResourceID("s", "rg", service.TypeStorageAccount, "none").Child(kind, "default"): false,
		} {
			if r, ok := typ.Find(h, id); ok != want || ok && !r.IsType(typ.Name) {
				t.Errorf("%s: %v %+v", id, ok, r)
			}
		}
	}
}
