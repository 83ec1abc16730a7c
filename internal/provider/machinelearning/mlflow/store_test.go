package mlflow

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cloister-ml/cloister/internal/provider/machinelearning"
)

// memory keeps artifacts in memory.
type memory struct {
	mu    sync.Mutex
	files map[string][]byte
}

func (m *memory) Put(_ context.Context, path string, body io.Reader) error {
	data, err := io.ReadAll(body)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.files[path] = data
	return err
}

func (m *memory) Get(_ context.Context, path string) (io.ReadCloser, int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	data, ok := m.files[path]
	if !ok {
		return nil, 0, fs.ErrNotExist
	}
	return io.NopCloser(bytes.NewReader(data)), int64(len(data)), nil
}

func (m *memory) List(_ context.Context, prefix string) ([]machinelearning.Artifact, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []machinelearning.Artifact
	for path, data := range m.files {
		if strings.HasPrefix(path, prefix) {
			out = append(out, machinelearning.Artifact{Path: path, Size: int64(len(data))})
		}
	}
	slices.SortFunc(out, func(a, b machinelearning.Artifact) int { return strings.Compare(a.Path, b.Path) })
	return out, nil
}

func (m *memory) Delete(_ context.Context, path string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.files, path)
	return nil
}

func open(t testing.TB) *Store {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "mlflow.db"), &memory{files: map[string][]byte{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// call makes a request and returns the status and the answer's JSON.
func call(t testing.TB, s *Store, method, path, body string) (int, map[string]any) {
	t.Helper()
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	var out map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		t.Fatalf("%s %s answers %d %q: %v", method, path, w.Code, w.Body, err)
	}
	return w.Code, out
}

func post(t testing.TB, s *Store, path, body string) map[string]any {
	t.Helper()
	status, out := call(t, s, http.MethodPost, api+path, body)
	if status != http.StatusOK {
		t.Fatalf("POST %s answers %d %v", path, status, out)
	}
	return out
}

func newRun(t testing.TB, s *Store) string {
	t.Helper()
	run := post(t, s, "runs/create", `{"experiment_id": "0", "run_name": "r", "start_time": "5"}`)["run"].(map[string]any)
	return run["info"].(map[string]any)["run_id"].(string)
}

func TestMetricsKeepWhatFloatsCanBe(t *testing.T) {
	s := open(t)
	id := newRun(t, s)
	post(t, s, "runs/log-batch", `{"run_id": "`+id+`", "metrics": [
		{"key": "a", "value": "NaN", "timestamp": 1, "step": "0"}, {"key": "b", "value": "-Infinity", "timestamp": 1, "step": 0},
		{"key": "c", "value": 2.5, "timestamp": 1, "step": 1}, {"key": "c", "value": 1.5, "timestamp": 9, "step": 0}]}`)
	_, out := call(t, s, http.MethodGet, api+"runs/get?run_id="+id, "")
	var got []string
	for _, m := range out["run"].(map[string]any)["data"].(map[string]any)["metrics"].([]any) {
		value, _ := json.Marshal(m.(map[string]any)["value"])
		got = append(got, string(value))
	}
	if want := []string{`"NaN"`, `"-Infinity"`, "2.5"}; !slices.Equal(got, want) {
		t.Errorf("newest values are %v, want %v: the highest step wins", got, want)
	}
	_, out = call(t, s, http.MethodGet, api+"metrics/get-history?metric_key=c&run_id="+id, "")
	if n := len(out["metrics"].([]any)); n != 2 {
		t.Errorf("the history of c has %d values", n)
	}
}

func TestParamsNeverChange(t *testing.T) {
	s := open(t)
	id := newRun(t, s)
	for range 2 { // the same value again is fine
		post(t, s, "runs/log-parameter", `{"run_id": "`+id+`", "key": "alpha", "value": "0.4"}`)
	}
	status, out := call(t, s, http.MethodPost, api+"runs/log-batch", `{"run_id": "`+id+`", "params": [{"key": "alpha", "value": "1"}], "tags": [{"key": "t", "value": "v"}]}`)
	if status != http.StatusBadRequest || out["error_code"] != "INVALID_PARAMETER_VALUE" {
		t.Errorf("another value is answered with %d %v", status, out)
	}
	_, out = call(t, s, http.MethodGet, api+"runs/get?run_id="+id, "")
	if tags, _ := json.Marshal(out["run"].(map[string]any)["data"].(map[string]any)["tags"]); strings.Contains(string(tags), `"t"`) {
		t.Error("part of a refused batch was kept")
	}
}

func TestSearchRuns(t *testing.T) {
	s := open(t)
	var ids []string
	for i, mse := range []string{"3", "1", "2"} {
		id := newRun(t, s)
		ids = append(ids, id)
		post(t, s, "runs/log-metric", `{"run_id": "`+id+`", "key": "mse", "value": `+mse+`, "timestamp": 1}`)
		post(t, s, "runs/set-tag", `{"run_id": "`+id+`", "key": "a.b", "value": "`+string(rune('x'+i))+`"}`)
	}
	plain := newRun(t, s) // without the metric
	tests := []struct {
		filter, order string
		want          []string
	}{
		{"metrics.mse > 1.5", `"metrics.mse ASC"`, []string{ids[2], ids[0]}},
		{"metrics.mse >= 1 AND tags.`a.b` != 'z'", `"metrics.mse DESC"`, []string{ids[0], ids[1]}},
		{"", `"metrics.mse ASC"`, []string{ids[1], ids[2], ids[0], plain}},
		{"", `"metrics.mse DESC"`, []string{ids[0], ids[2], ids[1], plain}},
		{"tags.\"a.b\" IN ('x', 'y')", `"metrics.mse"`, []string{ids[1], ids[0]}},
		{"attributes.run_name LIKE 'R%'", `"start_time"`, nil},
		{"attributes.run_name ILIKE 'R%' and metrics.mse = 2", `"start_time"`, []string{ids[2]}},
	}
	for _, tt := range tests {
		t.Run(tt.filter, func(t *testing.T) {
			filter, _ := json.Marshal(tt.filter)
			out := post(t, s, "runs/search", `{"experiment_ids": ["0"], "filter": `+string(filter)+`, "order_by": [`+tt.order+`]}`)
			var got []string
			for _, r := range out["runs"].([]any) {
				got = append(got, r.(map[string]any)["info"].(map[string]any)["run_id"].(string))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
	out := post(t, s, "runs/search", `{"experiment_ids": ["0"], "max_results": 3}`)
	if len(out["runs"].([]any)) != 3 || out["next_page_token"] != "3" {
		t.Errorf("the first page is %v", out)
	}
}

func TestErrorsAreMLflows(t *testing.T) {
	s := open(t)
	tests := []struct {
		method, path, body string
		status             int
		code               string
	}{
		{http.MethodGet, api + "runs/get?run_id=no", "", 404, "RESOURCE_DOES_NOT_EXIST"},
		{http.MethodPost, api + "experiments/create", `{"name": "Default"}`, 400, "RESOURCE_ALREADY_EXISTS"},
		{http.MethodPost, api + "experiments/create", `{"name": `, 400, "INVALID_PARAMETER_VALUE"},
		{http.MethodPost, api + "runs/search", `{"experiment_ids": ["0"], "filter": "metrics.mse >"}`, 400, "INVALID_PARAMETER_VALUE"},
		{http.MethodPost, api + "runs/search", `{"experiment_ids": ["0"], "filter": "metrics.mse > 1 OR metrics.mse < 0"}`, 400, "INVALID_PARAMETER_VALUE"},
		{http.MethodGet, api + "model-versions/get?name=m&version=1", "", 404, "RESOURCE_DOES_NOT_EXIST"},
		{http.MethodPost, api + "no/such", "{}", 404, "ENDPOINT_NOT_FOUND"},
		{http.MethodGet, "/api/2.0/mlflow-artifacts/artifacts/no", "", 404, "RESOURCE_DOES_NOT_EXIST"},
		{http.MethodGet, "/api/2.0/mlflow-artifacts/artifacts?path=../x", "", 400, "INVALID_PARAMETER_VALUE"},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			if status, out := call(t, s, tt.method, tt.path, tt.body); status != tt.status || out["error_code"] != tt.code {
				t.Errorf("answered with %d %v, want %d %s", status, out, tt.status, tt.code)
			}
		})
	}
}

func TestAVersionsNumberIsNotGivenAgain(t *testing.T) {
	s := open(t)
	ctx := t.Context()
	for _, want := range []string{"1", "2"} {
		v, err := s.CreateVersion(ctx, machinelearning.ModelVersion{Name: "m", Type: "custom_model", Source: "azureml://x", Tags: map[string]string{"mse": "1"}})
		if err != nil || v.Version != want || v.Tags["mse"] != "1" {
			t.Fatalf("got %+v, error %v, want version %s", v, err, want)
		}
	}
	if err := s.DeleteVersion(ctx, "m", "2"); err != nil {
		t.Fatal(err)
	}
	if v, err := s.CreateVersion(ctx, machinelearning.ModelVersion{Name: "m", Source: "azureml://x"}); err != nil || v.Version != "3" {
		t.Errorf("after deleting version 2 the next is %s, error %v", v.Version, err)
	}
}

func TestFilesOfSources(t *testing.T) {
	s := open(t)
	ctx := t.Context()
	if err := s.StartRun(ctx, machinelearning.Run{ID: "job-1", Name: "job", Experiment: "diabetes"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.CreateVersion(ctx, machinelearning.ModelVersion{Name: "m", Source: "runs:/job-1/model"}); err != nil {
		t.Fatal(err)
	}
	for _, source := range []string{"runs:/job-1/model", "models:/m/1", "mlflow-artifacts:/experiments/1/job-1/artifacts/model"} {
		if got, err := s.Files(ctx, source); err != nil || got != "mlflow/experiments/1/job-1/artifacts/model" {
			t.Errorf("%s is at %q, error %v", source, got, err)
		}
	}
	for _, bad := range []string{"runs:/no/model", "https://x/y", "mlflow-artifacts:/../../x", "models:/m/7"} {
		if got, err := s.Files(ctx, bad); err == nil {
			t.Errorf("%s is at %q", bad, got)
		}
	}
}

func FuzzFilter(f *testing.F) {
	f.Add("metrics.mse > 1 AND tags.`a b` LIKE '%x%'", "metrics.mse DESC")
	s := open(f)
	f.Fuzz(func(t *testing.T, filter, order string) {
		q, err := runFields.query(filter, []string{order}, "id")
		if err != nil {
			return
		}
		// Whatever is accepted must be SQL that runs: nothing of the user's text is in it.
		w := httptest.NewRecorder()
		body, _ := json.Marshal(map[string]any{"experiment_ids": []string{"0"}, "filter": filter, "order_by": []string{order}})
		s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, api+"runs/search", bytes.NewReader(body)))
		if w.Code != http.StatusOK {
			t.Errorf("%q ordered by %q became %q and was answered with %d %s", filter, order, q.tail(1, 0), w.Code, w.Body)
		}
	})
}

// TestPlainClient runs the official Python client, where one is installed.
func TestPlainClient(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil || exec.Command(python, "-c", "import mlflow").Run() != nil {
		t.Skip("python3 has no mlflow here; the end-to-end test runs it in any case")
	}
	s := open(t)
	server := httptest.NewServer(s.Handler())
	defer server.Close()
	cmd := exec.Command(python, "testdata/client.py")
	cmd.Env = append(os.Environ(), "MLFLOW_TRACKING_URI="+server.URL, "HOME="+t.TempDir())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
