package machinelearning_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/mlclient"
	"github.com/cloister-ml/cloister/internal/mlclient/spec"
)

const scoreScript = `
import json, os, time
def init():
    global factor
    with open(os.path.join(os.environ["AZUREML_MODEL_DIR"], "model", "factor.txt")) as f:
        factor = float(f.read())
    print("loaded", factor, os.environ.get("COLOUR", ""))
def run(raw):
    x = json.loads(raw)["x"]
    if x == "sleep":
        time.sleep(2)
        x = 0
    if x == "exit":
        os._exit(1)
    return {"y": factor * x, "colour": os.environ.get("COLOUR", "")}
`

func deploymentYAML(name string) string {
	return `
name: ` + name + `
endpoint_name: scores
model: azureml:factor@latest
code_configuration: {code: src, scoring_script: score.py}
environment: {image: cloister/python}
instance_type: Standard_DS2_v2
environment_variables: {COLOUR: ` + name + `}
request_settings: {request_timeout_ms: 1000, max_queue_wait_ms: 200}
`
}

// deployTo creates a deployment from YAML, and gives what the service says.
func deployTo(t *testing.T, c *mlclient.Client, yaml, script string) (mlclient.Document, error) {
	t.Helper()
	d, err := spec.ReadDeployment(filepath.Join(write(t, map[string]string{"d.yml": yaml, "src/score.py": script}), "d.yml"))
	if err != nil {
		t.Fatal(err)
	}
	return c.CreateDeployment(t.Context(), d, func(string) {})
}

// endpoint makes an endpoint with a registered model.
func endpoint(t *testing.T, c *mlclient.Client, name, mode string) mlclient.Document {
	t.Helper()
	d, err := c.CreateEndpoint(t.Context(), spec.Endpoint{Name: name, AuthMode: mode})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func registerModel(t *testing.T, c *mlclient.Client, factor string) {
	t.Helper()
	dir := write(t, map[string]string{"model/factor.txt": factor})
	if _, err := c.CreateModel(t.Context(), spec.Asset{Name: "factor", Type: "custom_model", Path: spec.Path{Text: dir, Dir: "."}}); err != nil {
		t.Fatal(err)
	}
}

// scored is an endpoint's answer.
type scored struct {
	StatusCode int
	Header     http.Header
}

// score sends a request as anybody could, with whatever is in the header.
func (w *world) score(uri, bearer, deployment, body string) (scored, string) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, uri, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	if deployment != "" {
		req.Header.Set("azureml-model-deployment", deployment)
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
	return scored{resp.StatusCode, resp.Header}, string(data)
}

func TestOnlineEndpoint(t *testing.T) {
	w := newWorld(t)
	c := w.client()
	registerModel(t, c, "2")
	uri := endpoint(t, c, "scores", "key").Text("scoringUri")
	if uri != "https://scores.westeurope.inference.ml.azure.com/score" {
		t.Errorf("scoringUri is %s", uri)
	}
	cred, err := c.EndpointCredentials(t.Context(), "scores")
	if err != nil {
		t.Fatal(err)
	}
	if resp, body := w.score(uri, cred.PrimaryKey, "", `{"x": 1}`); resp.StatusCode != 404 {
		t.Errorf("without a deployment: %d %s", resp.StatusCode, body)
	}
	if _, err := deployTo(t, c, deploymentYAML("blue"), scoreScript); err != nil {
		t.Fatal(err)
	}
	if _, err := c.SetTraffic(t.Context(), "scores", map[string]int{"blue": 100}); err != nil {
		t.Fatal(err)
	}

	t.Run("who may score", func(t *testing.T) {
		for _, tt := range []struct {
			name, bearer string
			want         int
		}{
			{"primary key", cred.PrimaryKey, 200},
			{"secondary key", cred.SecondaryKey, 200},
			{"no key", "", 401},
			{"a wrong key", cred.PrimaryKey[:len(cred.PrimaryKey)-1], 401},
			{"an Entra token", w.token(t, "https://ml.azure.com"), 401},
		} {
			if resp, body := w.score(uri, tt.bearer, "", `{"x": 4}`); resp.StatusCode != tt.want {
				t.Errorf("%s: %d %s, want %d", tt.name, resp.StatusCode, body, tt.want)
			} else if tt.want == 200 && (body != `{"y": 8.0, "colour": "blue"}` || resp.Header.Get("azureml-model-deployment") != "blue") {
				t.Errorf("%s: %s from %q", tt.name, body, resp.Header.Get("azureml-model-deployment"))
			}
		}
	})

	t.Run("what is answered", func(t *testing.T) {
		for _, tt := range []struct {
			name, path, deployment, body string
			want                         int
			header                       string
		}{
			{"the script raises", "", "", `{}`, 424, "500"},
			{"no such deployment", "", "green", `{"x": 1}`, 404, ""},
			{"no such path", "x", "", `{"x": 1}`, 404, ""},
			{"too slow", "", "", `{"x": "sleep"}`, 408, ""},
			{"too large", "", "", strings.Repeat("x", 10<<20+1), 413, ""},
		} {
			resp, body := w.score(uri+tt.path, cred.PrimaryKey, tt.deployment, tt.body)
			if resp.StatusCode != tt.want || resp.Header.Get("ms-azureml-model-error-statuscode") != tt.header {
				t.Errorf("%s: %d (%q) %s, want %d", tt.name, resp.StatusCode, resp.Header.Get("ms-azureml-model-error-statuscode"), body, tt.want)
			}
		}
		time.Sleep(1200 * time.Millisecond) // the slow request above is still in the instance
	})

	t.Run("more requests than places are told to come back", func(t *testing.T) {
		var wg sync.WaitGroup
		var mu sync.Mutex
		got := map[int]int{}
		for range 4 {
			wg.Go(func() {
				resp, _ := w.score(uri, cred.PrimaryKey, "", `{"x": "sleep"}`)
				mu.Lock()
				defer mu.Unlock()
				got[resp.StatusCode]++
			})
		}
		wg.Wait()
		if got[429] == 0 || got[408] == 0 {
			t.Errorf("the answers are %v", got)
		}
		time.Sleep(1200 * time.Millisecond)
	})

	t.Run("an instance that ends is started again", func(t *testing.T) {
		w.score(uri, cred.PrimaryKey, "", `{"x": "exit"}`)
		eventually(t, "it answers again", func() bool { resp, _ := w.score(uri, cred.PrimaryKey, "", `{"x": 1}`); return resp.StatusCode == 200 })
	})

	t.Run("a new version of the model is deployed beside the old, and gets its share", func(t *testing.T) {
		registerModel(t, c, "10")
		if _, err := deployTo(t, c, deploymentYAML("green"), scoreScript); err != nil {
			t.Fatal(err)
		}
		if _, body := w.score(uri, cred.PrimaryKey, "green", `{"x": 1}`); body != `{"y": 10.0, "colour": "green"}` {
			t.Errorf("green says %s", body)
		}
		if _, err := c.SetTraffic(t.Context(), "scores", map[string]int{"blue": 50, "green": 50}); err != nil {
			t.Fatal(err)
		}
		seen := map[string]int{}
		for range 60 {
			resp, _ := w.score(uri, cred.PrimaryKey, "", `{"x": 1}`)
			seen[resp.Header.Get("azureml-model-deployment")]++
		}
		if seen["blue"] < 10 || seen["green"] < 10 {
			t.Errorf("of 60 requests went %v", seen)
		}
	})

	t.Run("a deployment with traffic stays", func(t *testing.T) {
		if err := c.DeleteDeployment(t.Context(), "scores", "green"); err == nil || !strings.Contains(err.Error(), "has traffic") {
			t.Errorf("deleting it: %v", err)
		}
	})

	t.Run("a script that does not start fails the deployment, with its last words", func(t *testing.T) {
		_, err := deployTo(t, c, deploymentYAML("red"), "def init(): raise RuntimeError('no weights')\ndef run(x): pass\n")
		if err == nil || !strings.Contains(err.Error(), "RuntimeError: no weights") {
			t.Errorf("the error is %v", err)
		}
		text, err := c.DeploymentLogs(t.Context(), "scores", "red", 50)
		if err != nil || !strings.Contains(text, "no weights") {
			t.Errorf("its log is %q, %v", text, err)
		}
	})

	t.Run("keys are renewed", func(t *testing.T) {
		if err := w.Client().Post(t.Context(), w.ws.Child("onlineEndpoints", "scores"), "regenerateKeys", map[string]string{"keyType": "Primary"}, nil); err != nil {
			t.Fatal(err)
		}
		if resp, _ := w.score(uri, cred.PrimaryKey, "", `{"x": 1}`); resp.StatusCode != 401 {
			t.Errorf("the old key still opens: %d", resp.StatusCode)
		}
		if resp, _ := w.score(uri, cred.SecondaryKey, "", `{"x": 1}`); resp.StatusCode != 200 {
			t.Errorf("the other key does not: %d", resp.StatusCode)
		}
	})

	t.Run("an endpoint goes with its deployments", func(t *testing.T) {
		if err := c.DeleteEndpoint(t.Context(), "scores"); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Endpoint(t.Context(), "scores"); !mlclient.NotFound(err) {
			t.Errorf("it is still there: %v", err)
		}
	})
}

// token is an Entra token of a new principal that has no role.
func (w *world) token(t *testing.T, resource string) string {
	t.Helper()
	who, err := w.NewServicePrincipal(t.Context(), "stranger")
	if err != nil {
		t.Fatal(err)
	}
	return w.tokenOf(t, who, resource)
}

func (w *world) tokenOf(t *testing.T, who cloud.Credentials, resource string) string {
	t.Helper()
	env := map[string]string{"AZURE_TENANT_ID": who.Tenant, "AZURE_CLIENT_ID": who.ClientID, "AZURE_CLIENT_SECRET": who.ClientSecret}
	cred, err := mlclient.FindCredential(func(k string) string { return env[k] }, w.outside())
	if err != nil {
		t.Fatal(err)
	}
	token, err := cred.Token(context.Background(), resource)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestEndpointTokens(t *testing.T) {
	w := newWorld(t)
	c := w.client()
	registerModel(t, c, "2")
	const script = "def init(): pass\ndef run(x): return 'ok'\n"
	for _, tt := range []struct{ name, mode, other string }{{"scores", "aml_token", "scores-b"}, {"scores-b", "aad_token", "scores"}} {
		t.Run(tt.mode, func(t *testing.T) {
			uri := endpoint(t, c, tt.name, tt.mode).Text("scoringUri")
			if _, err := deployTo(t, c, strings.Replace(deploymentYAML("blue"), "endpoint_name: scores", "endpoint_name: "+tt.name, 1), script); err != nil {
				t.Fatal(err)
			}
			if _, err := c.SetTraffic(t.Context(), tt.name, map[string]int{"blue": 100}); err != nil {
				t.Fatal(err)
			}
			cred, err := c.EndpointCredentials(t.Context(), tt.name)
			if err != nil {
				t.Fatal(err)
			}
			if resp, body := w.score(uri, cred.AccessToken, "", "{}"); resp.StatusCode != 200 || body != `"ok"` {
				t.Errorf("with the token: %d %s", resp.StatusCode, body)
			}
			stranger := map[string]int{"aml_token": 401, "aad_token": 403}[tt.mode]
			if resp, body := w.score(uri, w.token(t, "https://ml.azure.com"), "", "{}"); resp.StatusCode != stranger {
				t.Errorf("with a stranger's token: %d %s, want %d", resp.StatusCode, body, stranger)
			}
			if resp, body := w.score(uri, w.token(t, "https://management.azure.com"), "", "{}"); resp.StatusCode != 401 {
				t.Errorf("with a token for another service: %d %s", resp.StatusCode, body)
			}
			if resp, body := w.score(uri, cred.AccessToken+"x", "", "{}"); resp.StatusCode != 401 {
				t.Errorf("with a changed token: %d %s", resp.StatusCode, body)
			}
		})
	}
}

func TestEndpointDocumentsAreChecked(t *testing.T) {
	w := newWorld(t)
	c := w.client()
	endpoint(t, c, "scores", "key")
	registerModel(t, c, "2")
	refused := func(what string, err error, want string) {
		t.Helper()
		var e *mlclient.ServiceError
		if !errors.As(err, &e) || !strings.Contains(e.Message, want) {
			t.Errorf("%s: %v, and it should say %q", what, err, want)
		}
	}
	_, err := c.SetTraffic(t.Context(), "scores", map[string]int{"blue": 100})
	refused("traffic to nothing", err, "no such deployment")
	_, err = c.CreateEndpoint(t.Context(), spec.Endpoint{Name: "s", AuthMode: "key"})
	refused("a short name", err, "not an endpoint name")
	_, err = c.CreateEndpoint(t.Context(), spec.Endpoint{Name: "scores", AuthMode: "aml_token"})
	refused("another authentication", err, "authMode cannot be changed")
	_, err = deployTo(t, c, strings.Replace(deploymentYAML("blue"), "score.py", "other.py", 1), scoreScript)
	refused("a script that is not there", err, "the code has no file other.py")
	_, err = deployTo(t, c, strings.Replace(deploymentYAML("blue"), "factor@latest", "factor:7", 1), scoreScript)
	refused("a version that is not there", err, "factor")
	if r, ok := w.Get(w.ws.Child("onlineEndpoints", "scores")); !ok || arm.String(r.Properties, "keys") != "" {
		t.Errorf("the document is %v", r.Properties)
	}
}
