package job_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloister-ml/cloister/internal/provider/machinelearning/job"
)

func TestExpressions(t *testing.T) {
	values := map[string]string{
		"${{inputs.data}}": "/in/data", "${{outputs.model}}": "/out/model", "${{name}}": "calm_fig", "${{inputs.empty}}": "",
	}
	value := func(r job.Ref) (string, bool) { v, ok := values[r.String()]; return v, ok }
	for _, tt := range []struct{ in, want string }{
		{"", ""},
		{"no expression", "no expression"},
		{"--data ${{inputs.data}} --out ${{outputs.model}}", "--data /in/data --out /out/model"},
		{"${{ inputs.data }}", "/in/data"},
		{"run ${{name}}", "run calm_fig"},
		{"a$[[ --x ${{inputs.data}}]]b", "a --x /in/datab"},
		{"a$[[ --x ${{inputs.missing}}]]b", "ab"},
		{"a$[[ --x ${{inputs.data}} ${{inputs.missing}}]]b", "ab"},
		{"a$[[plain]]b", "aplainb"},
		{"'${{inputs.empty}}'", "''"},
		{"$ { { } } $[ ]", "$ { { } } $[ ]"},
	} {
		parsed, err := job.ParseTemplate(tt.in)
		if err != nil {
			t.Errorf("%q: %v", tt.in, err)
			continue
		}
		if got, err := parsed.Expand(value); err != nil || got != tt.want {
			t.Errorf("%q is %q (%v), want %q", tt.in, got, err, tt.want)
		}
	}
	for _, in := range []string{
		"${{inputs.data", "${{}}", "${{inputs}}", "${{inputs.a.b}}", "${{search_space.lr}}", "${{parent.jobs.a.inputs.b}}", "${{inputs.da ta}}", "$[[--x ${{inputs.x}}", "${{jobs.a.outputs.b}}",
	} {
		if _, err := job.ParseTemplate(in); !errors.Is(err, job.ErrTemplate) {
			t.Errorf("%q: %v", in, err)
		}
	}
	missing, err := job.ParseTemplate("${{inputs.missing}}")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := missing.Expand(value); err == nil {
		t.Error("a reference without a value is not refused")
	}
}

// components are those that the pipelines of these tests are made of.
var components = map[string]string{
	"/prep": `{"type": "command", "command": "prep ${{inputs.raw}} ${{inputs.fraction}} ${{outputs.data}}", "environment": "azureml:/env", "code": "azureml:/code",
		"inputs": {"raw": {"type": "uri_file"}, "fraction": {"type": "number", "default": 0.2, "min": 0, "max": 1}, "mode": {"type": "string", "enum": ["fast", "good"], "default": "good"}},
		"outputs": {"data": {"type": "uri_folder"}, "report": {"type": "uri_file"}}}`,
	"/train": `{"type": "command", "command": "train ${{inputs.data}} $[[--note ${{inputs.note}}]] ${{outputs.model}}", "environment": "/env", "environment_variables": {"A": "1", "B": "1"},
		"inputs": {"data": {"type": "uri_folder"}, "epochs": {"type": "integer", "default": 3}, "note": {"type": "string", "optional": true}},
		"outputs": {"model": {"type": "mlflow_model"}}}`,
}

func find(id string) (map[string]any, error) {
	text, ok := components[id]
	if !ok {
		return nil, errors.New("no component " + id)
	}
	var spec map[string]any
	return spec, json.Unmarshal([]byte(text), &spec)
}

// twoSteps is a pipeline with the given inputs of its steps.
func twoSteps(prep, train string) string {
	return fmt.Sprintf(`{"jobType": "Pipeline", "experimentName": "e", "settings": {"default_compute": "cpu"},
		"inputs": {"raw": {"jobInputType": "uri_file", "uri": "azureml:raw:1", "mode": "ReadOnlyMount"}, "fraction": {"jobInputType": "literal", "value": "0.3"}, "word": {"jobInputType": "literal", "value": "x"}},
		"outputs": {"model": {"jobOutputType": "mlflow_model"}},
		"jobs": {
			"prep": {"type": "command", "componentId": "/prep", "inputs": %s},
			"train": {"type": "command", "componentId": "/train", "computeId": "gpu", "environment_variables": {"B": "2"}, "inputs": %s, "outputs": {"model": {"type": "literal", "value": "${{parent.outputs.model}}"}}}}}`, prep, train)
}

const (
	prepInputs  = `{"raw": {"job_input_type": "literal", "value": "${{parent.inputs.raw}}"}, "fraction": "${{parent.inputs.fraction}}"}`
	trainInputs = `{"data": {"jobInputType": "literal", "value": "${{parent.jobs.prep.outputs.data}}"}}`
)

func TestPipelineSaysWhatIsToRun(t *testing.T) {
	j, err := job.Parse([]byte(twoSteps(prepInputs, trainInputs)), find)
	if err != nil {
		t.Fatal(err)
	}
	order, err := j.Order()
	if err != nil || !slices.Equal(order, []string{"prep", "train"}) || !slices.Equal(j.Needs("train"), []string{"prep"}) {
		t.Errorf("order %v, needs %v (%v)", order, j.Needs("train"), err)
	}
	prep, train := j.Steps["prep"], j.Steps["train"]
	if prep.Compute != "cpu" || train.Compute != "gpu" || train.Env["A"] != "1" || train.Env["B"] != "2" || prep.Code != "/code" || prep.Environment != "/env" {
		t.Errorf("prep %+v\ntrain %+v", prep, train)
	}
	outputs := map[string]map[string]job.Value{"prep": prep.OutputValues("run1", j), "train": train.OutputValues("run2", j)}
	find := func(step, name string) (job.Value, bool) { v, ok := outputs[step][name]; return v, ok }
	values, err := j.StepValues("prep", j.OwnValues(), find)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := prep.Plan("run1", values, outputs["prep"])
	if err != nil {
		t.Fatal(err)
	}
	if want := "prep /mnt/azureml/inputs/raw/raw 0.3 /mnt/azureml/outputs/data"; plan.Command != want {
		t.Errorf("prep: %q, want %q", plan.Command, want)
	}
	if !plan.Downloads[0].File || plan.Downloads[0].URI != "azureml:raw:1" {
		t.Errorf("downloads %+v", plan.Downloads)
	}
	if values, err = j.StepValues("train", j.OwnValues(), find); err != nil {
		t.Fatal(err)
	}
	if plan, err = train.Plan("run2", values, outputs["train"]); err != nil {
		t.Fatal(err)
	}
	if want := "train /mnt/azureml/inputs/data  /mnt/azureml/outputs/model"; plan.Command != want {
		t.Errorf("train: %q, want %q", plan.Command, want)
	}
	if got, want := plan.Downloads[0].URI, "azureml://datastores/workspaceblobstore/paths/azureml/run1/data/"; got != want {
		t.Errorf("train reads %s, want %s", got, want)
	}
	if got, want := outputs["prep"]["report"].Text, "azureml://datastores/workspaceblobstore/paths/azureml/run1/report"; got != want {
		t.Errorf("a file goes to %s, want %s", got, want)
	}
	if plan.Env["AZURE_ML_OUTPUT_model"] != "/mnt/azureml/outputs/model" || plan.Env["AZURE_ML_INPUT_data"] != "/mnt/azureml/inputs/data" {
		t.Errorf("environment %v", plan.Env)
	}
}

func TestPipelinesThatCannotRunAreRefused(t *testing.T) {
	for _, tt := range []struct{ name, prep, train, want string }{
		{"an input that is not there", `{"rwa": "x", "raw": "${{parent.inputs.raw}}"}`, trainInputs, "jobs.prep: inputs.rwa: the component has no such input; it has fraction, mode, raw"},
		{"an input without a value", `{}`, trainInputs, "jobs.prep: inputs.raw has no value, no default and is not optional"},
		{"a pipeline input that is not there", `{"raw": "${{parent.inputs.rwa}}"}`, trainInputs, "the pipeline has no such input; it has fraction, raw, word"},
		{"a step that is not there", prepInputs, `{"data": "${{parent.jobs.perp.outputs.data}}"}`, "there is no step perp; there is prep, train"},
		{"an output that is not there", prepInputs, `{"data": "${{parent.jobs.prep.outputs.dta}}"}`, "the step prep has no such output; it has data, report"},
		{"itself", prepInputs, `{"data": "${{parent.jobs.train.outputs.model}}"}`, "cannot wait for itself"},
		{"data for a number", `{"raw": "${{parent.inputs.raw}}", "fraction": "${{parent.inputs.raw}}"}`, trainInputs, "is a uri_file; the input is a number"},
		{"a word for data", `{"raw": "${{parent.inputs.word}}"}`, trainInputs, "is not data; the input is a uri_file"},
		{"a word for a number", `{"raw": "${{parent.inputs.raw}}", "fraction": "${{parent.inputs.word}}"}`, trainInputs, `"x" is not of type number`},
		{"a number out of range", `{"raw": "${{parent.inputs.raw}}", "fraction": 1.5}`, trainInputs, "1.5 is outside the range 0..1"},
		{"a word that is not a choice", `{"raw": "${{parent.inputs.raw}}", "mode": "slow"}`, trainInputs, `"slow" is none of fast, good`},
		{"data within a text", `{"raw": "${{parent.inputs.raw}}", "mode": "x ${{parent.inputs.raw}}"}`, trainInputs, "it must stand alone"},
		{"another step's input", prepInputs, `{"data": "${{inputs.data}}"}`, "is bound to parent.inputs.X or parent.jobs.STEP.outputs.X"},
		{"half an integer", prepInputs, `{"data": "${{parent.jobs.prep.outputs.data}}", "epochs": 1.5}`, `"1.5" is not of type integer`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := job.Parse([]byte(twoSteps(tt.prep, tt.train)), find)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v\nshould say %s", err, tt.want)
			}
		})
	}
}

func TestCommands(t *testing.T) {
	const good = `{"jobType": "Command", "command": "echo ${{inputs.x}}", "environmentId": "/env", "computeId": "/c", "inputs": {"x": {"jobInputType": "literal", "value": 3}}, "limits": {"jobLimitsType": "Command", "timeout": "PT1M30S"}}`
	j, err := job.Parse([]byte(good), find)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := j.Plan("n", j.OwnValues(), j.OutputValues("n", nil))
	if err != nil || plan.Command != "echo 3" || j.Timeout != 90*time.Second {
		t.Errorf("%+v, timeout %v (%v)", plan, j.Timeout, err)
	}
	for _, tt := range []struct{ old, new, want string }{
		{`"Command", "command"`, `"Sweep", "command"`, `jobs of type "Sweep" are not run here`},
		{`"echo ${{inputs.x}}"`, `""`, "command is missing"},
		{`"/env"`, `""`, "environment is missing"},
		{`"computeId": "/c", `, ``, "compute is missing"},
		{`inputs.x}}`, `inputs.y}}`, "there is no such input; there is x"},
		{`inputs.x}}`, `parent.inputs.y}}`, "a command sees its own inputs and outputs only"},
		{`PT1M30S`, `90`, "is not a duration"},
		{`"limits"`, `"resources": {"instanceCount": 2}, "limits"`, "a command runs on one node here"},
		{`"limits"`, `"distribution": {"distributionType": "Mpi"}, "limits"`, "distribution"},
		{`"value": 3`, `"value": "${{parent.inputs.x}}"`, "cannot be bound"},
	} {
		if _, err := job.Parse([]byte(strings.Replace(good, tt.old, tt.new, 1)), find); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("with %s: %v, should say %s", tt.new, err, tt.want)
		}
	}
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"PT0S": 0, "PT5S": 5 * time.Second, "PT1H30M": 90 * time.Minute, "P1D": 24 * time.Hour, "P1DT1S": 24*time.Hour + time.Second, "PT0.5S": 500 * time.Millisecond, "pt2m": 2 * time.Minute,
	} {
		if got, err := job.Duration(text); err != nil || got != want {
			t.Errorf("%s is %v (%v), want %v", text, got, err, want)
		}
		again, err := job.Duration(job.FormatDuration(want))
		if err != nil || again != want {
			t.Errorf("%v is written %s and read %v (%v)", want, job.FormatDuration(want), again, err)
		}
	}
	for _, text := range []string{"", "P", "PT", "5S", "PT5", "PTS", "PT5X", "P1Y", "PT1.2.3S", "PT99999999999999999999S", "PT-5S"} {
		if d, err := job.Duration(text); err == nil {
			t.Errorf("%q is %v", text, d)
		}
	}
}

// FuzzParse: whatever a client sends is read or refused, and what is read can be
// planned without a panic.
func FuzzParse(f *testing.F) {
	f.Add([]byte(twoSteps(prepInputs, trainInputs)))
	f.Add([]byte(`{"jobType": "Command", "command": "x $[[${{inputs.a}}]]", "environmentId": "e", "computeId": "c", "inputs": {"a": null}, "outputs": {"o": {"jobOutputType": "uri_file", "uri": "azureml://x/${{name}}"}}}`))
	f.Add([]byte(`{"jobType": "pipeline", "jobs": {"a": {"component": {"command": "c", "environment": "e", "inputs": {"i": {"type": "number", "min": "0", "enum": [1, true]}}}, "inputs": {"i": 1}, "computeId": "c"}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		j, err := job.Parse(data, find)
		if err != nil {
			return
		}
		if j.Kind == job.Command {
			_, _ = j.Plan("n", j.OwnValues(), j.OutputValues("n", nil))
			return
		}
		order, err := j.Order()
		if err != nil {
			t.Fatalf("what was accepted has no order: %v", err)
		}
		outputs := map[string]map[string]job.Value{}
		for _, name := range order {
			outputs[name] = j.Steps[name].OutputValues(name, j)
			values, err := j.StepValues(name, j.OwnValues(), func(step, out string) (job.Value, bool) { v, ok := outputs[step][out]; return v, ok })
			if err == nil {
				_, _ = j.Steps[name].Plan(name, values, outputs[name])
			}
		}
	})
}
