package machinelearning_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cloister-ml/cloister/internal/mlclient"
	"github.com/cloister-ml/cloister/internal/mlclient/spec"
)

// write lays files into a folder of the test.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// record is what a stream told.
type record struct {
	mu    sync.Mutex
	lines []string
}

func (r *record) State(step, status, message string) {
	r.add(strings.TrimSuffix(fmt.Sprintf("%s: %s %s", step, status, message), " "))
}
func (r *record) Line(step, text string) { r.add(step + " | " + text) }

func (r *record) add(line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, line)
}

func (r *record) String() string { return strings.Join(r.lines, "\n") }

var pipeline = map[string]string{
	"pipeline.yml": `
type: pipeline
experiment_name: sums
settings:
  default_compute: azureml:cpu-cluster
inputs:
  raw: {type: uri_file, path: data/numbers.txt}
  factor: 3
outputs:
  result: {type: uri_folder}
jobs:
  double:
    type: command
    component: ./double.yml
    inputs: {raw: "${{parent.inputs.raw}}", factor: "${{parent.inputs.factor}}"}
  add:
    type: command
    code: src
    environment: {image: cloister/python}
    command: sh add.sh ${{inputs.in}} ${{outputs.out}}
    inputs: {in: "${{parent.jobs.double.outputs.out}}"}
    outputs: {out: "${{parent.outputs.result}}"}
`,
	"double.yml": `
type: command
name: double
inputs:
  raw: {type: uri_file}
  factor: {type: integer, min: 1, max: 10}
  note: {type: string, optional: true}
outputs:
  out: {type: uri_folder}
code: src
environment: {image: cloister/python, conda_file: conda.yml}
command: >-
  sh double.sh ${{inputs.raw}} ${{inputs.factor}} ${{outputs.out}} $[[--note ${{inputs.note}}]]
`,
	"conda.yml":         "dependencies:\n- python=3.11\n- pip:\n  - scikit-learn==1.7.2\n",
	"data/numbers.txt":  "1\n2\n3\n",
	"src/double.sh":     `echo "run $AZUREML_RUN_ID"; while read n; do echo $((n * $2)); done < "$1" > "$3/doubled.txt"; echo "doubled $# $MLFLOW_EXPERIMENT_NAME"`,
	"src/add.sh":        `s=0; for n in $(cat "$1/doubled.txt"); do s=$((s + n)); done; echo "sum $s"; echo $s > "$2/sum.txt"`,
	"src/left_out.bin":  "secret",
	"src/.amlignore":    "*.bin\n",
	"src/sub/module.py": "x = 1\n",
}

func TestPipelineRunsFromYAMLToOutput(t *testing.T) {
	w := newWorld(t)
	c := w.client()
	j, err := spec.ReadJob(filepath.Join(write(t, pipeline), "pipeline.yml"))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := c.CreateJob(t.Context(), j, "", func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	var told record
	end, err := c.Stream(t.Context(), doc.Name, &told)
	if err != nil {
		t.Fatal(err)
	}
	if end.Status != "Completed" {
		t.Fatalf("the job is %s: %s\n%s", end.Status, end.Failure.Error.Message, &told)
	}
	for _, want := range []string{"double | doubled 3 sums", "add | sum 18", "double: Completed", "add: Completed", ": Completed"} {
		if !slices.Contains(told.lines, want) {
			t.Errorf("the stream did not tell %q:\n%s", want, &told)
		}
	}
	if got := readOutput(t, w, c, doc.Name, "result", "sum.txt"); got != "18\n" {
		t.Errorf("sum.txt is %q", got)
	}
	if n := len(w.images.built); n != 2 {
		t.Errorf("%d images were built for 2 environments", n)
	}
	if got := w.images.built[0].Definition.Packages; !slices.Equal(got, []string{"scikit-learn==1.7.2"}) {
		t.Errorf("packages: %q", got)
	}
	eventually(t, "the cluster is empty again", func() bool { return w.nodes.count() == 0 })
}

// readOutput reads a file of a job's output from the storage account.
func readOutput(t *testing.T, w *world, c *mlclient.Client, job, output, file string) string {
	t.Helper()
	doc, err := c.Job(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	uri := doc.Text("outputs." + output + ".uri")
	_, path, ok := strings.Cut(uri, "/paths/")
	if !ok {
		t.Fatalf("the output %s is at %q", output, uri)
	}
	return w.blob(path + file)
}
