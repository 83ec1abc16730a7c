package machinelearning_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/cloud/cloudtest"
	"github.com/cloister-ml/cloister/internal/mlclient"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning/task"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

func (w *world) api() string {
	return "https://" + service.WorkspaceGUID(w.ws) + ".workspace.westeurope.api.azureml.ms"
}

// ask makes a request with a token and gives the status and the body.
func (w *world) ask(method, url, token, body string) (int, string) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := w.outside().Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

func (w *world) identityToken(id arm.ID, resource string) string {
	w.t.Helper()
	token, err := w.Token(w.t.Context(), id, resource)
	if err != nil {
		w.t.Fatal(err)
	}
	return token
}

func TestOnlyTheClustersOwnIdentityGetsItsTasks(t *testing.T) {
	w := newWorld(t)
	c := w.client()
	mustSubmit(t, c, command("sleep 30"), nil)
	w.put(arm.Resource{ID: w.ws.Child("computes", "other"), Location: "westeurope", Identity: &arm.Identity{Type: "SystemAssigned"}, Properties: arm.Object{
		"computeType": "AmlCompute", "properties": arm.Object{"vmSize": "Standard_DS3_v2", "scaleSettings": arm.Object{"minNodeCount": 0.0, "maxNodeCount": 1.0}},
	}})
	claim := w.api() + "/compute/v1.0" + string(w.cluster) + "/claim"
	const ml = "https://ml.azure.com"
	for _, tt := range []struct {
		name, token string
		want        int
	}{
		{"nobody", "", 401},
		{"the workspace", w.identityToken(w.ws, ml), 403},
		{"another cluster", w.identityToken(w.ws.Child("computes", "other"), ml), 403},
		{"the cluster with a token for storage", w.identityToken(w.cluster, "https://storage.azure.com"), 401},
		{"an owner", w.tokenOf(t, w.Owner, ml), 403},
		{"the cluster, as a node that was never started", w.identityToken(w.cluster, ml), 410},
	} {
		if status, body := w.ask(http.MethodPost, claim, tt.token, `{"node": 77}`); status != tt.want {
			t.Errorf("%s: %d %s, want %d", tt.name, status, body, tt.want)
		}
	}
	if status, body := w.ask(http.MethodPost, strings.TrimSuffix(claim, "claim")+"leases/x/heartbeat", w.identityToken(w.cluster, ml), `{}`); status != 409 || !strings.Contains(body, task.LeaseLost) {
		t.Errorf("a lease that is not there: %d %s", status, body)
	}
}

func TestRunHistoryAndLogs(t *testing.T) {
	w := newWorld(t)
	c := w.client()
	name := mustSubmit(t, c, command("seq 1 3"), nil)
	follow(t, c, name)
	runs := w.api() + "/history/v1.0" + string(w.ws) + "/runs/" + name
	developer := w.tokenOf(t, w.Owner, "https://management.azure.com")
	status, body := w.ask(http.MethodGet, runs+"/details", developer, "")
	var details struct {
		Status   string
		LogFiles map[string]string
	}
	if err := json.Unmarshal([]byte(body), &details); err != nil || status != 200 || details.Status != "Completed" {
		t.Fatalf("%d %s (%v)", status, body, err)
	}
	log := details.LogFiles["user_logs/std_log.txt"]
	if status, text := w.ask(http.MethodGet, log, "", ""); status != 200 || text != "1\n2\n3\n" {
		t.Errorf("the log's address: %d %q", status, text)
	}
	for _, broken := range []string{strings.Replace(log, "sig=", "sig=x", 1), strings.Replace(log, "se=", "se=9", 1), strings.Replace(log, name, "other", 1), log[:strings.Index(log, "?")]} {
		if status, _ := w.ask(http.MethodGet, broken, "", ""); status != 401 {
			t.Errorf("%s: %d", broken, status)
		}
	}
	if status, _ := w.ask(http.MethodGet, runs+"/details", w.token(t, "https://ml.azure.com"), ""); status != 403 {
		t.Errorf("a stranger reads the details: %d", status)
	}
	if status, text := w.ask(http.MethodGet, w.api()+"/logs/v1.0"+string(w.ws)+"/"+name+"/user_logs/..%2f..%2f..%2fseal.key", developer, ""); status != 404 {
		t.Errorf("a path out of the logs: %d %s", status, text)
	}
	if status, _ := w.ask(http.MethodGet, w.api()+"/discovery", "", ""); status != 200 {
		t.Errorf("discovery: %d", status)
	}
}

func TestModelsAreOneRegistryForMLflowAndARM(t *testing.T) {
	w := newWorld(t)
	c := w.client()
	registerModel(t, c, "2")
	token := w.tokenOf(t, w.Owner, "https://ml.azure.com")
	mlflow := w.api() + "/mlflow/v2.0" + string(w.ws) + "/api/2.0/mlflow"
	if status, body := w.ask(http.MethodGet, mlflow+"/model-versions/get?name=factor&version=1", token, ""); status != 200 || !strings.Contains(body, "azureml://datastores/workspaceblobstore/paths/LocalUpload/") {
		t.Errorf("registered over ARM, MLflow sees %d %s", status, body)
	}
	for _, call := range []string{`registered-models/create {"name": "ridge"}`, `model-versions/create {"name": "ridge", "source": "runs:/x/model"}`} {
		path, body, _ := strings.Cut(call, " ")
		if status, answer := w.ask(http.MethodPost, mlflow+"/"+path, token, body); status != 200 {
			t.Fatalf("%s: %d %s", path, status, answer)
		}
	}
	d, err := c.Version(t.Context(), "models", "ridge", "")
	if err != nil || d.Name != "1" || d.Text("modelUri") != "runs:/x/model" {
		t.Errorf("registered over MLflow, ARM sees %+v (%v)", d, err)
	}
	stranger := w.token(t, "https://ml.azure.com")
	if status, _ := w.ask(http.MethodGet, mlflow+"/registered-models/search", stranger, ""); status != 403 {
		t.Errorf("a stranger reads the registry: %d", status)
	}
	reader, err := w.NewServicePrincipal(t.Context(), "reader")
	if err != nil {
		t.Fatal(err)
	}
	w.grant(w.ws, "Reader", reader.ObjectID)
	reading := w.tokenOf(t, reader, "https://ml.azure.com")
	if status, body := w.ask(http.MethodPost, mlflow+"/runs/search", reading, `{"experiment_ids": ["0"]}`); status != 200 {
		t.Errorf("a reader searches runs: %d %s", status, body)
	}
	if status, _ := w.ask(http.MethodPost, mlflow+"/registered-models/create", reading, `{"name": "x"}`); status != 403 {
		t.Errorf("a reader registers a model: %d", status)
	}
}

func TestFirewallsRefusalIsA403WithItsReason(t *testing.T) {
	w := newWorld(t)
	ws, _ := w.Get(w.ws)
	var refusal verdict.Verdict
	refusal.Add(verdict.Step{At: "publicNetworkAccess", Value: verdict.No, Reason: "public network access of mlw is Disabled"})
	for _, name := range []string{"api", "inference"} {
		handler := w.ml.Provider().Services[name]
		r := httptest.NewRequest(http.MethodGet, "/discovery", nil)
		r = r.WithContext(cloud.WithCall(r.Context(), cloud.Call{Resource: ws, Source: network.Source{}, Admission: refusal}))
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, r)
		if rec.Code != 403 || !strings.Contains(rec.Body.String(), "public network access of mlw is Disabled") {
			t.Errorf("%s: %d %s", name, rec.Code, rec.Body)
		}
	}
}

func TestClientFindsTheOnlyWorkspace(t *testing.T) {
	w := newWorld(t)
	who, err := w.NewServicePrincipal(t.Context(), "finder")
	if err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"AZURE_TENANT_ID": who.Tenant, "AZURE_CLIENT_ID": who.ClientID, "AZURE_CLIENT_SECRET": who.ClientSecret}
	cred, err := mlclient.FindCredential(func(k string) string { return env[k] }, w.outside())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := mlclient.New(t.Context(), w.outside(), cred, mlclient.Options{}); err == nil || !strings.Contains(err.Error(), "sees no workspace") {
		t.Errorf("without a role: %v", err)
	}
	w.grant("/subscriptions/"+cloudtest.Subscription, "Reader", who.ObjectID)
	c, err := mlclient.New(t.Context(), w.outside(), cred, mlclient.Options{})
	if err != nil || !c.Workspace().Equal(w.ws) {
		t.Fatalf("the workspace is %v (%v)", c, err)
	}
	if _, err := mlclient.New(t.Context(), w.outside(), cred, mlclient.Options{Workspace: "other"}); err == nil || !strings.Contains(err.Error(), "no workspace called other") {
		t.Errorf("another name: %v", err)
	}
}

func TestComputeShowsItsNodes(t *testing.T) {
	w := newWorld(t)
	c := w.client()
	name := mustSubmit(t, c, command("sleep 5"), nil)
	eventually(t, "a node works", func() bool {
		d, err := c.Compute(t.Context(), "cpu-cluster")
		return err == nil && d.Text("properties.nodeStateCounts.runningNodeCount") == "1" && d.Text("properties.currentNodeCount") == "1"
	})
	if err := c.CancelJob(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is gone", func() bool {
		d, err := c.Compute(t.Context(), "cpu-cluster")
		return err == nil && d.Text("properties.currentNodeCount") == "0"
	})
}
