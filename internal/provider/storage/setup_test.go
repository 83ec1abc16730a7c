package storage_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/provider/providertest"
	"github.com/cloister-ml/cloister/internal/provider/storage"
	"github.com/cloister-ml/cloister/service"
)

const (
	accountURL = "https://stmlops.blob.core.windows.net/"
	roles      = "Microsoft.Storage/storageAccounts/blobServices/"
)

var (
	ctx   = context.Background()
	alice = cloud.Caller{ObjectID: "alice", Tenant: "11111111-1111-1111-1111-111111111111", Name: "alice"}
	bob   = cloud.Caller{ObjectID: "bob", Tenant: alice.Tenant, Name: "bob"}
)

// world is one storage account, its provider and a front.
type world struct {
	*testing.T
	host     *providertest.Host
	provider cloud.Provider
	front    *providertest.Front
	account  arm.Resource
}

// newWorld gives alice every blob role on an account with those properties.
func newWorld(t *testing.T, properties arm.Object) *world {
	t.Helper()
	account := arm.Resource{
		ID:   arm.ResourceID("00000000-0000-0000-0000-000000000001", "rg", service.TypeStorageAccount, "stmlops"),
		Name: "stmlops", Type: service.TypeStorageAccount, Location: "West Europe", Kind: "StorageV2",
		SKU: arm.Object{"name": "Standard_LRS"}, Properties: properties,
	}
	w := &world{T: t, host: providertest.NewHost(t)}
	w.provider = storage.New(w.host)
	prepared, err := w.provider.Types[0].Prepare(w.host, nil, account)
	if err != nil {
		t.Fatal(err)
	}
	w.account = prepared
	w.host.Put(prepared)
	w.host.Grant(alice.ObjectID, roles+"*", account.ID)
	w.front = providertest.Serve(t, w.host, w.provider)
	return w
}

func (w *world) options() azcore.ClientOptions {
	return azcore.ClientOptions{Transport: w.front.Client(), Retry: policy.RetryOptions{MaxRetries: -1}}
}

// client is the official client, as a caller.
func (w *world) client(c cloud.Caller) *azblob.Client {
	w.Helper()
	client, err := azblob.NewClient(accountURL, w.host.Credential(c), &azblob.ClientOptions{ClientOptions: w.options()})
	if err != nil {
		w.Fatal(err)
	}
	return client
}

// keyClient is the official client with the account's first key.
func (w *world) keyClient() (*azblob.Client, *azblob.SharedKeyCredential) {
	w.Helper()
	credential, err := azblob.NewSharedKeyCredential("stmlops", w.key("key1"))
	if err != nil {
		w.Fatal(err)
	}
	client, err := azblob.NewClientWithSharedKeyCredential(accountURL, credential, &azblob.ClientOptions{ClientOptions: w.options()})
	if err != nil {
		w.Fatal(err)
	}
	return client, credential
}

func (w *world) key(name string) string {
	w.Helper()
	var out struct {
		Keys []struct{ KeyName, Value string }
	}
	w.action("listkeys", nil, &out)
	for _, k := range out.Keys {
		if k.KeyName == name {
			return k.Value
		}
	}
	w.Fatalf("no key %s in %d keys", name, len(out.Keys))
	return ""
}

func (w *world) action(name string, in, out any) {
	w.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		w.Fatal(err)
	}
	answer, err := w.provider.Types[0].Actions[name](ctx, w.account, body)
	if err != nil {
		w.Fatal(err)
	}
	data, err := json.Marshal(answer)
	if err != nil {
		w.Fatal(err)
	}
	if err := json.Unmarshal(data, out); err != nil {
		w.Fatal(err)
	}
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// wantCode expects an error of the service with that code.
func (w *world) wantCode(err error, code bloberror.Code) {
	w.Helper()
	if !bloberror.HasCode(err, code) {
		w.Errorf("got %v, want %s", err, code)
	}
}

// container makes the container "data" as alice.
func (w *world) container() *azblob.Client {
	w.Helper()
	c := w.client(alice)
	_, err := c.CreateContainer(ctx, "data", nil)
	w.must(err)
	return c
}

// answer is what a request was answered with.
type answer struct {
	code   int
	header http.Header
	text   string
}

// do sends a request that no client would, and reads the answer.
func (w *world) do(method, url string, header map[string]string) answer {
	w.Helper()
	r, err := http.NewRequestWithContext(ctx, method, url, nil)
	w.must(err)
	for name, value := range header {
		r.Header.Set(name, value)
	}
	resp, err := w.front.Client().Do(r)
	w.must(err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	w.must(err)
	return answer{resp.StatusCode, resp.Header, string(text)}
}
