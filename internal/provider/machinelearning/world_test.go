package machinelearning_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/cloister-ml/cloister/access"
	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/cloud/cloudtest"
	"github.com/cloister-ml/cloister/internal/mlclient"
	"github.com/cloister-ml/cloister/internal/provider/authorization"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning/datastore"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning/mlflow"
	"github.com/cloister-ml/cloister/internal/provider/storage"
	"github.com/cloister-ml/cloister/service"
)

const group = "rg"

// world is a cloud with a workspace, a storage account and a cluster. Services,
// control plane and protocols are the real ones; the machines are processes of
// this machine.
type world struct {
	*cloudtest.Cloud
	t       *testing.T
	ml      *machinelearning.Service
	front   string // where every host name is served
	roots   string
	ws      arm.ID
	cluster arm.ID
	nodes   *nodes
	images  *images

	stations *stations
}

func id(typ, name string) arm.ID { return arm.ResourceID(cloudtest.Subscription, group, typ, name) }

func newWorld(t *testing.T) *world {
	t.Helper()
	t.Parallel() // worlds have nothing in common
	w := &world{t: t, nodes: &nodes{running: map[string]context.CancelFunc{}}, images: &images{}, stations: &stations{}}
	w.nodes.w = w
	w.Cloud = cloudtest.Start(t, func(host cloud.Host) []cloud.Provider {
		var err error
		w.ml, err = machinelearning.New(host, machinelearning.Options{
			Nodes: w.nodes, Workstations: w.stations, Images: w.images, Instances: &instances{t: t}, LeaseTime: 2 * time.Second,
			Tracking: func(_ arm.ID, artifacts machinelearning.Artifacts) (machinelearning.Tracking, error) {
				return mlflow.Open(filepath.Join(host.Dir("mlflow"), "t.db"), artifacts)
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		return []cloud.Provider{authorization.New(host.(*cloud.Cloud)), storage.New(host), w.ml.Provider()}
	})
	w.serve()
	w.deploy()
	w.run()
	return w
}

// serve answers at every public host name on one local address.
func (w *world) serve() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	w.front = l.Addr().String()
	go func() { _ = w.Serve(l, "") }() // ends with the listener
	w.t.Cleanup(func() { l.Close() })
	w.roots = filepath.Join(w.t.TempDir(), "roots.pem")
	if err := w.CA().WriteBundle(w.roots); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, w.front)
}

// run runs the scheduler until the test ends.
func (w *world) run() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.ml.Run(ctx) }()
	w.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Error(err)
		}
		w.nodes.stopAll()
		if err := w.ml.Close(); err != nil {
			w.t.Error(err)
		}
	})
}

func (w *world) put(r arm.Resource) {
	w.t.Helper()
	r.Type = r.ID.Type()
	r.Name = r.ID.Name()
	if _, err := w.Client().Put(w.t.Context(), r); err != nil {
		w.t.Fatalf("creating %s: %v", r.ID, err)
	}
}

func (w *world) deploy() {
	w.t.Helper()
	const place = "westeurope"
	if err := w.Client().Do(w.t.Context(), http.MethodPut, string(arm.GroupID(cloudtest.Subscription, group)), map[string]any{"location": place}, nil); err != nil {
		w.t.Fatal(err)
	}
	account, kv, ai := id(service.TypeStorageAccount, "stmlops"), id(service.TypeKeyVault, "kvmlops"), id(service.TypeAppInsights, "aimlops")
	registry := id(service.TypeRegistry, "crmlops")
	w.put(arm.Resource{ID: account, Location: place, Kind: "StorageV2", SKU: arm.Object{"name": "Standard_LRS"}, Properties: arm.Object{}})
	w.put(arm.Resource{ID: kv, Location: place, Properties: arm.Object{}})
	w.put(arm.Resource{ID: ai, Location: place, Kind: "web", Properties: arm.Object{}})
	w.put(arm.Resource{ID: registry, Location: place, SKU: arm.Object{"name": "Premium"}, Properties: arm.Object{}})
	w.ws = id(service.TypeWorkspace, "mlw")
	w.put(arm.Resource{ID: w.ws, Location: place, Identity: &arm.Identity{Type: "SystemAssigned"}, Properties: arm.Object{
		"storageAccount": string(account), "keyVault": string(kv), "applicationInsights": string(ai), "containerRegistry": string(registry),
	}})
	w.cluster = w.ws.Child("computes", "cpu-cluster")
	w.put(arm.Resource{ID: w.cluster, Location: place, Identity: &arm.Identity{Type: "SystemAssigned"}, Properties: arm.Object{
		"computeType": "AmlCompute",
		"properties":  arm.Object{"vmSize": "Standard_DS3_v2", "scaleSettings": arm.Object{"minNodeCount": 0.0, "maxNodeCount": 2.0, "nodeIdleTimeBeforeScaleDown": "PT1S"}},
	}})
	w.grant(account, "Storage Blob Data Contributor", arm.PrincipalID(w.ws))
	w.grant(account, "Storage Blob Data Contributor", arm.PrincipalID(w.cluster))
}

// grant gives a principal a built-in role at a scope.
func (w *world) grant(scope arm.ID, role, principal string) {
	w.t.Helper()
	r, ok := access.RoleByName(role)
	if !ok {
		w.t.Fatalf("there is no role %s", role)
	}
	w.put(arm.Resource{
		ID: scope.Extension("Microsoft.Authorization", "roleAssignments", arm.StableGUID(scope, role+principal)),
		Properties: arm.Object{
			"roleDefinitionId": "/subscriptions/" + cloudtest.Subscription + "/providers/Microsoft.Authorization/roleDefinitions/" + r.ID,
			"principalId":      principal, "principalType": "ServicePrincipal",
		},
	})
}

// client is cloister ml's client as a service principal with roles on the
// workspace and its storage.
func (w *world) client() *mlclient.Client {
	w.t.Helper()
	who, err := w.NewServicePrincipal(w.t.Context(), "developer")
	if err != nil {
		w.t.Fatal(err)
	}
	w.grant(w.ws, "AzureML Data Scientist", who.ObjectID)
	w.grant(id(service.TypeStorageAccount, "stmlops"), "Storage Blob Data Contributor", who.ObjectID)
	return w.clientOf(who)
}

func (w *world) clientOf(who cloud.Credentials) *mlclient.Client {
	w.t.Helper()
	env := map[string]string{"AZURE_TENANT_ID": cloudtest.Tenant, "AZURE_CLIENT_ID": who.ClientID, "AZURE_CLIENT_SECRET": who.ClientSecret}
	httpClient := w.outside()
	cred, err := mlclient.FindCredential(func(k string) string { return env[k] }, httpClient)
	if err != nil {
		w.t.Fatal(err)
	}
	c, err := mlclient.New(w.t.Context(), httpClient, cred, mlclient.Options{Subscription: cloudtest.Subscription, Group: group, Workspace: w.ws.Name()})
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// outside is an HTTP client for which every host name leads to the cloud.
func (w *world) outside() *http.Client {
	c := w.HTTP()
	c.Transport.(*http.Transport).DialContext = w.dial
	return c
}

// eventually waits for something that happens in its own time.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 400 {
		if ok() {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Fatalf("waited in vain until %s", what)
}

// blob reads a blob of the workspace's default datastore as the workspace.
func (w *world) blob(path string) string {
	w.t.Helper()
	token := func(ctx context.Context, resource string) (string, error) { return w.Token(ctx, w.ws, resource) }
	at := datastore.Blob{Account: "stmlops", Container: "azureml-blobstore-" + service.WorkspaceGUID(w.ws), Path: path}
	body, _, err := datastore.NewBlobs(token, w.Cloud.Cloud.Client(w.ws)).Open(w.t.Context(), at)
	if err != nil {
		w.t.Fatal(err)
	}
	defer body.Close()
	data, err := io.ReadAll(body)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(data)
}

// mlflowStatus is what the tracking store answers to a token.
func (w *world) mlflowStatus(token string) int {
	w.t.Helper()
	url := "https://" + service.WorkspaceGUID(w.ws) + ".workspace.westeurope.api.azureml.ms/mlflow/v1.0" + string(w.ws) + "/api/2.0/mlflow/experiments/search?max_results=10"
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, url, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := w.outside().Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}
