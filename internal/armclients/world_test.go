package armclients

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	azarm "github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/cloud/cloudtest"
	"github.com/cloister-ml/cloister/internal/provider/authorization"
	"github.com/cloister-ml/cloister/internal/provider/containerregistry"
	"github.com/cloister-ml/cloister/internal/provider/insights"
	"github.com/cloister-ml/cloister/internal/provider/keyvault"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning/mlflow"
	"github.com/cloister-ml/cloister/internal/provider/managedidentity"
	"github.com/cloister-ml/cloister/internal/provider/management"
	"github.com/cloister-ml/cloister/internal/provider/network"
	"github.com/cloister-ml/cloister/internal/provider/resources"
	"github.com/cloister-ml/cloister/internal/provider/storage"
)

const (
	sub   = cloudtest.Subscription
	group = "rg-sdk"
)

var west = to.Ptr("westeurope")

// world is a cloud with a group, and what the SDK's clients are made with.
type world struct {
	*cloudtest.Cloud
	t       testing.TB
	cred    azcore.TokenCredential
	options *azarm.ClientOptions
	ml      *machinelearning.Service
}

func start(t testing.TB) *world {
	t.Helper()
	w := &world{t: t}
	w.Cloud = cloudtest.Open(t, cloud.Options{Dir: t.TempDir(), PageSize: 2, Providers: w.providers})
	w.cred, w.options = w.SDK(w.Owner)
	w.put(arm.GroupID(sub, group), nil)
	t.Cleanup(func() {
		if err := w.ml.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// fabric is one in which every network is real at once.
type fabric struct{}

func (fabric) Sync(context.Context) error { return nil }

// nodes are machines that never start to work.
type nodes struct{}

func (nodes) Start(context.Context, arm.ID, int) error { return nil }
func (nodes) Stop(context.Context, arm.ID, int) error  { return nil }

func (w *world) providers(host cloud.Host) []cloud.Provider {
	c := host.(*cloud.Cloud)
	deployments, err := resources.New(c)
	if err != nil {
		w.t.Fatal(err)
	}
	w.ml, err = machinelearning.New(host, machinelearning.Options{
		Nodes: nodes{},
		Tracking: func(ws arm.ID, artifacts machinelearning.Artifacts) (machinelearning.Tracking, error) {
			return mlflow.Open(filepath.Join(host.Dir("mlflow"), ws.Name()+".db"), artifacts)
		},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return []cloud.Provider{
		deployments, authorization.New(c), management.New(host), managedidentity.New(c.Tenant()), network.New(fabric{}), storage.New(host),
		keyvault.New(host), containerregistry.New(host), insights.New(host), insights.LogAnalytics(host), w.ml.Provider(),
	}
}

// put makes a document that a test needs and is not about.
func (w *world) put(id arm.ID, properties arm.Object) arm.Resource {
	w.t.Helper()
	out, err := w.Client().Put(w.t.Context(), arm.Resource{ID: id, Location: *west, Properties: properties})
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

func id(typ, name string) arm.ID { return arm.ResourceID(sub, group, typ, name) }

// must is a result that has to be there.
func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// await waits for the end of what takes time.
func await[T any](t testing.TB) func(*runtime.Poller[T], error) T {
	return func(p *runtime.Poller[T], err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		out, err := p.PollUntilDone(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

// pages are the pages of a list.
func pages[T any](t testing.TB, p *runtime.Pager[T]) []T {
	t.Helper()
	var out []T
	for p.More() {
		page, err := p.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, page)
	}
	return out
}

// all are the names in a list of any number of pages.
func all[T, E any](t testing.TB, p *runtime.Pager[T], values func(T) []*E, name func(*E) *string) []string {
	t.Helper()
	names := []string{}
	for _, page := range pages(t, p) {
		for _, v := range values(page) {
			names = append(names, *name(v))
		}
	}
	return names
}

func wantCode(t testing.TB, what string, err error, status int, code string) {
	t.Helper()
	var answer *azcore.ResponseError
	if !errors.As(err, &answer) || answer.StatusCode != status || answer.ErrorCode != code {
		t.Errorf("%s: got %v, want %d %s", what, err, status, code)
	}
}

// endpoint makes a private endpoint to a resource that waits for its owner.
func (w *world) endpoint(target arm.ID, groupID string) {
	w.t.Helper()
	vnet := id("Microsoft.Network/virtualNetworks", "vnet")
	w.put(vnet, arm.Object{"addressSpace": arm.Object{"addressPrefixes": []any{"10.0.0.0/16"}}})
	subnet := vnet.Child("subnets", "endpoints")
	w.put(subnet, arm.Object{"addressPrefix": "10.0.1.0/24"})
	pe := id("Microsoft.Network/privateEndpoints", "pe-"+groupID)
	w.put(pe, arm.Object{
		"subnet": arm.Object{"id": string(subnet)},
		"manualPrivateLinkServiceConnections": []any{arm.Object{"name": "one", "properties": arm.Object{
			"privateLinkServiceId": string(target), "groupIds": []any{groupID}, "requestMessage": "please",
		}}},
	})
}
