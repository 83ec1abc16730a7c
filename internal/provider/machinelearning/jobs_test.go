package machinelearning_test

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloister-ml/cloister/internal/mlclient"
	"github.com/cloister-ml/cloister/internal/mlclient/spec"
)

// submit creates a job from YAML beside the given files.
func submit(t *testing.T, c *mlclient.Client, yaml string, files map[string]string) (mlclient.Document, error) {
	t.Helper()
	all := map[string]string{"job.yml": yaml}
	for name, text := range files {
		all[name] = text
	}
	j, err := spec.ReadJob(filepath.Join(write(t, all), "job.yml"))
	if err != nil {
		t.Fatal(err)
	}
	return c.CreateJob(t.Context(), j, "", func(string) {})
}

func mustSubmit(t *testing.T, c *mlclient.Client, yaml string, files map[string]string) string {
	t.Helper()
	doc, err := submit(t, c, yaml, files)
	if err != nil {
		t.Fatal(err)
	}
	return doc.Name
}

// follow streams a job and gives its end and what was told.
func follow(t *testing.T, c *mlclient.Client, name string) (mlclient.Step, *record) {
	t.Helper()
	var told record
	end, err := c.Stream(t.Context(), name, &told)
	if err != nil {
		t.Fatal(err)
	}
	return end, &told
}

func command(line string) string {
	return "type: command\ncompute: azureml:cpu-cluster\nenvironment: {image: cloister/python}\ncommand: |\n  " + strings.ReplaceAll(line, "\n", "\n  ") + "\n"
}

func TestJobs(t *testing.T) {
	w := newWorld(t)
	c := w.client()

	t.Run("a failed step fails the pipeline, and what needs it is not run", func(t *testing.T) {
		end, told := follow(t, c, mustSubmit(t, c, `
type: pipeline
settings: {default_compute: cpu-cluster}
jobs:
  first:
    command: echo before; echo trouble >&2; exit 3
    environment: {image: cloister/python}
    outputs: {out: }
  second:
    command: cat ${{inputs.in}}/x
    environment: {image: cloister/python}
    inputs: {in: "${{parent.jobs.first.outputs.out}}"}
`, nil))
		if end.Status != "Failed" || !strings.Contains(end.Failure.Error.Message, "first failed: the command ended with exit code 3") {
			t.Errorf("the pipeline is %s: %q", end.Status, end.Failure.Error.Message)
		}
		for _, want := range []string{"first | trouble", "second: Canceled not run, because the step first did not complete"} {
			if !slices.Contains(told.lines, want) {
				t.Errorf("not told: %q\n%s", want, told)
			}
		}
	})

	t.Run("a job is cancelled while it runs", func(t *testing.T) {
		name := mustSubmit(t, c, command("echo begun; sleep 60"), nil)
		go func() {
			eventually(t, "it runs", func() bool { d, err := c.Job(t.Context(), name); return err == nil && d.Text("status") == "Running" })
			if err := c.CancelJob(t.Context(), name); err != nil {
				t.Error(err)
			}
		}()
		began := time.Now()
		if end, told := follow(t, c, name); end.Status != "Canceled" {
			t.Errorf("it is %s\n%s", end.Status, told)
		}
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("it took %v", took)
		}
	})

	t.Run("limits.timeout ends a command", func(t *testing.T) {
		end, _ := follow(t, c, mustSubmit(t, c, command("sleep 60")+"limits: {timeout: 1}\n", nil))
		if end.Status != "Failed" || !strings.Contains(end.Failure.Error.Message, "limits.timeout") {
			t.Errorf("it is %s: %q", end.Status, end.Failure.Error.Message)
		}
	})

	t.Run("a command logs to MLflow as the run that it is", func(t *testing.T) {
		name := mustSubmit(t, c, command(`curl -sf --connect-to ::`+w.front+` -H "Authorization: Bearer $MLFLOW_TRACKING_TOKEN" \
  "$MLFLOW_TRACKING_URI/api/2.0/mlflow/runs/log-metric" -d "{\"run_id\":\"$MLFLOW_RUN_ID\",\"key\":\"mse\",\"value\":0.5,\"timestamp\":1}" && echo logged
curl -s --connect-to ::`+w.front+` -o /dev/null -w '%{http_code}\n' "$MLFLOW_TRACKING_URI/api/2.0/mlflow/runs/get?run_id=$MLFLOW_RUN_ID"
echo "$MLFLOW_TRACKING_TOKEN" > ${{outputs.token}}/t`)+"outputs: {token: }\n", nil)
		end, told := follow(t, c, name)
		if end.Status != "Completed" || !slices.Contains(told.lines, " | logged") || !slices.Contains(told.lines, " | 401") {
			t.Errorf("it is %s\n%s", end.Status, told)
		}
		token := strings.TrimSpace(readOutput(t, w, c, name, "token", "t"))
		if status := w.mlflowStatus(token); status != 401 {
			t.Errorf("the run's token still opens the tracking store after its end: %d", status)
		}
	})

	t.Run("the same environment is built once", func(t *testing.T) {
		before := len(w.images.built)
		for range 2 {
			if end, told := follow(t, c, mustSubmit(t, c, command("true"), nil)); end.Status != "Completed" {
				t.Fatalf("it is %s\n%s", end.Status, told)
			}
		}
		if n := len(w.images.built) - before; n != 0 {
			t.Errorf("%d images were built again", n)
		}
	})

	t.Run("an image that cannot be built fails the job, and the log says why", func(t *testing.T) {
		w.images.fail = errors.New("no such package: scikit-nothing")
		defer func() { w.images.fail = nil }()
		end, told := follow(t, c, mustSubmit(t, c, strings.Replace(command("true"), "{image: cloister/python}", "{image: cloister/python, conda_file: {dependencies: [{pip: [scikit-nothing]}]}}", 1), nil))
		if end.Status != "Failed" || !strings.Contains(end.Failure.Error.Message, "scikit-nothing") || !strings.Contains(told.String(), "building azureml/azureml_") {
			t.Errorf("it is %s: %q\n%s", end.Status, end.Failure.Error.Message, told)
		}
	})

	for _, tt := range []struct{ name, yaml, want string }{
		{"no such compute", strings.Replace(command("true"), "cpu-cluster", "gpu", 1), "has no compute gpu"},
		{"no such environment", strings.Replace(command("true"), "{image: cloister/python}", "azureml:nothing:1", 1), "no such asset: environments nothing:1"},
		{"a binding that leads nowhere", command("echo ${{inputs.x}}"), "there is no such input; there is none"},
		{"a circle", `
type: pipeline
settings: {default_compute: cpu-cluster}
jobs:
  a: {command: "true ${{inputs.i}} ${{outputs.o}}", environment: {image: x}, inputs: {i: "${{parent.jobs.b.outputs.o}}"}, outputs: {o: }}
  b: {command: "true ${{inputs.i}} ${{outputs.o}}", environment: {image: x}, inputs: {i: "${{parent.jobs.a.outputs.o}}"}, outputs: {o: }}
`, "in a circle: a -> b -> a"},
		{"no such data", command("true") + "inputs: {d: {type: uri_folder, path: \"azureml:nothing@latest\"}}\n", "no such asset: data nothing"},
	} {
		t.Run("refused: "+tt.name, func(t *testing.T) {
			_, err := submit(t, c, tt.yaml, nil)
			var refused *mlclient.ServiceError
			if !errors.As(err, &refused) || refused.Status/100 != 4 || !strings.Contains(refused.Message, tt.want) {
				t.Errorf("the answer is %v, and should say %q", err, tt.want)
			}
		})
	}
}

func TestStepOfALostNodeIsRunAgain(t *testing.T) {
	w := newWorld(t)
	c := w.client()
	name := mustSubmit(t, c, command("echo attempt; if [ -e /proc/$PPID ] && [ ! -e "+filepath.Join(t.TempDir(), "second")+" ]; then sleep 3; fi; echo done"), nil)
	eventually(t, "it runs", func() bool { d, err := c.Job(t.Context(), name); return err == nil && d.Text("status") == "Running" })
	w.nodes.stopAll() // without a word to the workspace
	end, told := follow(t, c, name)
	if end.Status != "Completed" || end.Attempt != 2 {
		t.Errorf("it is %s after %d attempts\n%s", end.Status, end.Attempt, told)
	}
}

func TestDataAssetsAndOutputsAreInputs(t *testing.T) {
	w := newWorld(t)
	c := w.client()
	dir := write(t, map[string]string{"numbers of today.csv": "1,2,3\n", "folder/a/b.txt": "deep\n"})
	for _, a := range []spec.Asset{
		{Name: "numbers", Type: "uri_file", Path: spec.Path{Text: "numbers of today.csv", Dir: dir}},
		{Name: "tree", Type: "uri_folder", Path: spec.Path{Text: "folder", Dir: dir}},
	} {
		if _, err := c.CreateData(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	first := mustSubmit(t, c, command(`cat "${{inputs.file}}" ${{inputs.tree}}/a/b.txt; basename "${{inputs.file}}"; echo kept > ${{outputs.out}}/k; ls -A ${{inputs.tree}}`)+`
inputs:
  file: {type: uri_file, path: "azureml:numbers@latest"}
  tree: {type: uri_folder, path: "azureml:tree:1"}
outputs: {out: }
`, nil)
	end, told := follow(t, c, first)
	if end.Status != "Completed" {
		t.Fatalf("it is %s: %s\n%s", end.Status, end.Failure.Error.Message, told)
	}
	for _, want := range []string{" | 1,2,3", " | deep", " | numbers of today.csv"} {
		if !slices.Contains(told.lines, want) {
			t.Errorf("not told: %q\n%s", want, told)
		}
	}
	second := mustSubmit(t, c, command(`cat ${{inputs.in}}/k`)+`
inputs: {in: {type: uri_folder, path: "azureml://jobs/`+first+`/outputs/out"}}
`, nil)
	if end, told := follow(t, c, second); end.Status != "Completed" || !slices.Contains(told.lines, " | kept") {
		t.Errorf("it is %s: %s\n%s", end.Status, end.Failure.Error.Message, told)
	}
	third := mustSubmit(t, c, command("true")+`
inputs: {in: {type: uri_folder, path: "azureml://datastores/workspaceblobstore/paths/nothing/here"}}
`, nil)
	if end, _ := follow(t, c, third); end.Status != "Failed" || !strings.Contains(end.Failure.Error.Message, "getting the input in") {
		t.Errorf("data that is not there: %s %q", end.Status, end.Failure.Error.Message)
	}
}
