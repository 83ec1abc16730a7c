package spec_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/internal/mlclient/spec"
)

// file writes one YAML file into a folder with a conda file and a component.
func file(t testing.TB, text string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"file.yml":  text,
		"conda.yml": "dependencies: [python=3.11]\n",
		"train.yml": "type: command\ncommand: train ${{inputs.data}}\nenvironment: {image: x, conda_file: conda.yml}\ninputs: {data: {type: uri_folder}, rate: {type: number, default: 0.10}}\noutputs: {model: {type: mlflow_model}}\n",
		"bad.yml":   "type: command\ncomand: x\nenvironment: azureml:e:1\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "file.yml")
}

const pipeline = `
$schema: https://azuremlschemas.azureedge.net/latest/pipelineJob.schema.json
type: pipeline
display_name: p
settings: {default_compute: azureml:cpu}
inputs:
  raw: {type: uri_file, path: ./raw.csv}
  alpha: 0.40
  on: true
  name: x
jobs:
  train:
    type: command
    component: ./train.yml
    inputs: {data: "${{parent.inputs.raw}}", rate: 0.10}
  use:
    command: use ${{inputs.m}} ${{inputs.n}} ${{inputs.r}}
    environment: azureml:e@latest
    code: ./src
    inputs:
      m: ${{parent.jobs.train.outputs.model}}
      n: 3
      r: ${{parent.inputs.raw}}
`

func TestPipelineIsRead(t *testing.T) {
	path := file(t, pipeline)
	j, err := spec.ReadJob(path)
	if err != nil {
		t.Fatal(err)
	}
	if j.Type != "pipeline" || j.Compute != "azureml:cpu" || j.DisplayName != "p" || len(j.Steps) != 2 {
		t.Errorf("%+v", j)
	}
	if in := j.Inputs["alpha"]; in.Value != "0.40" || in.Type != "number" {
		t.Errorf("a number stays as it is written: %+v", in)
	}
	if in := j.Inputs["on"]; in.Value != "true" || in.Type != "boolean" {
		t.Errorf("%+v", in)
	}
	if in := j.Inputs["raw"]; !in.Path.Local() || in.Path.File() != filepath.Join(filepath.Dir(path), "raw.csv") {
		t.Errorf("%+v", in)
	}
	train, use := j.Steps["train"], j.Steps["use"]
	if train.Component == nil || train.Component.Command.Environment.Inline.Conda == "" || *train.Component.Inputs["rate"].Default != "0.10" {
		t.Errorf("%+v", train.Component)
	}
	if use.Component.Command.Environment.Reference != "azureml:e@latest" || !use.Component.Command.Code.Local() {
		t.Errorf("%+v", use.Component)
	}
	for name, want := range map[string]string{"m": "mlflow_model", "n": "integer", "r": "uri_file"} {
		if got := j.TypeOf(use.Inputs[name]); got != want {
			t.Errorf("the input %s is of type %s, want %s", name, got, want)
		}
	}
}

func TestMistakesAreNamedWithTheirPlace(t *testing.T) {
	for _, tt := range []struct{ name, old, new, want string }{
		{"a misspelt field of the job", "display_name:", "displayname:", `file.yml:4:1: a pipeline job has no field "displayname"; did you mean "display_name"?`},
		{"a misspelt field of a step", "component:", "componnent:", `file.yml:14:5: a step has no field "componnent"; did you mean "component"?`},
		{"a misspelt field of an input", "path: ./raw", "pth: ./raw", `file.yml:7:25: an input has no field "pth"; did you mean "path"?`},
		{"a type that is none", "uri_file", "url_file", `file.yml:7:15: "url_file" is none of`},
		{"a type that is nearly one", "uri_file", "uri_fle", `did you mean "uri_file"?`},
		{"a component that is not there", "./train.yml", "./tarin.yml", "file.yml:14:16: there is no file"},
		{"a mistake in the component's file", "./train.yml", "./bad.yml", `bad.yml:2:1: a command component has no field "comand"; did you mean "command"?`},
		{"an environment without azureml:", "azureml:e@latest", "e", `"e" is neither azureml:NAME:VERSION nor a file; did you mean "azureml:e"?`},
		{"a step of another type", "type: command", "type: sweep", `"sweep" is none of command`},
		{"a field twice", "display_name: p", "display_name: p\ndisplay_name: q", `"display_name" is given twice`},
		{"no steps", "jobs:", "steps:", `needs the field "jobs"`},
		{"not YAML", "jobs:", "jobs: [", "file.yml"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !strings.Contains(pipeline, tt.old) {
				t.Fatalf("%q is not in the file", tt.old)
			}
			_, err := spec.ReadJob(file(t, strings.Replace(pipeline, tt.old, tt.new, 1)))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v\nshould say %s", err, tt.want)
			}
		})
	}
}

func TestChanges(t *testing.T) {
	path := file(t, pipeline)
	var changes []spec.Change
	for _, text := range []string{"inputs.alpha=0.5", "inputs.name=a=b", "jobs.train.inputs.rate=1", "settings.default_compute=gpu", "tags.run=7", "inputs.raw.path=azureml:raw:2"} {
		c, err := spec.ParseChange(text)
		if err != nil {
			t.Fatal(err)
		}
		changes = append(changes, c)
	}
	j, err := spec.ReadJob(path, changes...)
	if err != nil {
		t.Fatal(err)
	}
	if j.Inputs["alpha"].Value != "0.5" || j.Inputs["alpha"].Type != "number" || j.Inputs["name"].Value != "a=b" || j.Steps["train"].Inputs["rate"].Value != "1" ||
		j.Compute != "gpu" || j.Tags["run"] != "7" || j.Inputs["raw"].Path.Local() {
		t.Errorf("%+v", j)
	}
	for _, bad := range []string{"", "x", "=1", "a..b=1"} {
		if _, err := spec.ParseChange(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
	c, err := spec.ParseChange("inputs.alhpa.valeu=1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := spec.ReadJob(path, c); err == nil || !strings.Contains(err.Error(), `did you mean "value"?`) {
		t.Errorf("a change is checked as the file is: %v", err)
	}
}

func TestEndpointsAndDeployments(t *testing.T) {
	e, err := spec.ReadEndpoint(file(t, "name: scores\nauth_mode: aml_token\ntraffic: {blue: 90, green: 10}\n"))
	if err != nil || e.Traffic["blue"] != 90 || e.AuthMode != "aml_token" {
		t.Errorf("%+v (%v)", e, err)
	}
	if _, err := spec.ReadEndpoint(file(t, "name: scores\nauth_mode: keys\n")); err == nil || !strings.Contains(err.Error(), `did you mean "key"?`) {
		t.Errorf("%v", err)
	}
	const deployment = "name: blue\nendpoint_name: scores\nmodel: azureml:m@latest\ncode_configuration: {code: src, scoring_script: score.py}\nenvironment: azureml:e:1\ninstance_type: Standard_DS2_v2\ninstance_count: 2\nrequest_settings: {request_timeout_ms: 3000}\n"
	d, err := spec.ReadDeployment(file(t, deployment))
	if err != nil || d.InstanceCount != 2 || d.ModelRef != "azureml:m@latest" || d.RequestTimeoutMS != 3000 || !d.Code.Local() {
		t.Errorf("%+v (%v)", d, err)
	}
	d, err = spec.ReadDeployment(file(t, strings.Replace(deployment, "azureml:m@latest", "./model", 1)))
	if err != nil || d.Model == nil || !d.Model.Path.Local() {
		t.Errorf("a local model: %+v (%v)", d.Model, err)
	}
	for old, want := range map[string]string{
		"scoring_script": `code_configuration needs the field "scoring_script"`, "environment": `needs the field "environment"`, "model": `needs the field "model"`, "instance_count: 2": "",
	} {
		if _, err := spec.ReadDeployment(file(t, strings.Replace(deployment, old, "x_"+old, 1))); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("without %s: %v", old, err)
		}
	}
}

func TestEnvironmentsAndAssets(t *testing.T) {
	e, err := spec.ReadEnvironment(file(t, "name: sk\nimage: cloister/python\nconda_file: ./conda.yml\n"))
	if err != nil || !strings.Contains(e.Conda, "python=3.11") {
		t.Errorf("%+v (%v)", e, err)
	}
	e, err = spec.ReadEnvironment(file(t, "image: x\nconda_file:\n  dependencies: [{pip: [numpy]}]\n"))
	if err != nil || !strings.Contains(e.Conda, "numpy") {
		t.Errorf("%+v (%v)", e, err)
	}
	for text, want := range map[string]string{"name: x\n": `needs the field "image"`, "image: x\nbuild: {path: .}\n": "not both", "image: x\nconda_file: no.yml\n": "no such file"} {
		if _, err := spec.ReadEnvironment(file(t, text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	a, err := spec.ReadData(file(t, "name: d\npath: ./x\ntype: uri_file\n"))
	if err != nil || a.Type != "uri_file" || !a.Path.Local() {
		t.Errorf("%+v (%v)", a, err)
	}
	if _, err := spec.ReadModel(file(t, "name: m\ntype: uri_file\n")); err == nil || !strings.Contains(err.Error(), `needs the field "path"`) {
		t.Errorf("%v", err)
	}
}

// The example's own files are read without a complaint.
func TestExamples(t *testing.T) {
	const dir = "../../../examples/secure-mlops/ml"
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the example is not here")
	}
	if _, err := spec.ReadJob(filepath.Join(dir, "pipeline.yml")); err != nil {
		t.Error(err)
	}
	if _, err := spec.ReadEndpoint(filepath.Join(dir, "endpoint.yml")); err != nil {
		t.Error(err)
	}
	if _, err := spec.ReadDeployment(filepath.Join(dir, "deployment.yml")); err != nil {
		t.Error(err)
	}
}
