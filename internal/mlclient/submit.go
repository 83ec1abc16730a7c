package mlclient

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/internal/mlclient/spec"
)

// CreateJob uploads what a job needs and submits it. name overrides the file's.
// progress is told what is being done.
func (c *Client) CreateJob(ctx context.Context, j spec.Job, name string, progress func(string)) (Document, error) {
	if name == "" {
		name = j.Name
	}
	if name == "" {
		name = newName()
	}
	body, err := c.jobBody(ctx, j, progress)
	if err != nil {
		return Document{}, err
	}
	progress("submitting " + name)
	return c.put(ctx, c.under("jobs", name), properties(body))
}

func (c *Client) jobBody(ctx context.Context, j spec.Job, progress func(string)) (map[string]any, error) {
	body := map[string]any{"experimentName": j.Experiment, "displayName": j.DisplayName}
	if j.Experiment == "" {
		body["experimentName"] = experimentName(j.Dir)
	}
	if j.DisplayName == "" {
		delete(body, "displayName")
	}
	describe(body, j.Description, j.Tags)
	inputs, err := c.jobInputs(ctx, j.Inputs)
	if err != nil {
		return nil, err
	}
	body["inputs"], body["outputs"] = inputs, jobOutputs(j.Outputs)
	if j.Type == "pipeline" {
		return body, c.pipelineBody(ctx, j, body, progress)
	}
	return body, c.commandBody(ctx, j, body)
}

// experimentName is the folder's, as the CLI does it.
func experimentName(dir string) string {
	abs, err := filepath.Abs(dir)
	if err != nil || filepath.Base(abs) == "/" {
		return "Default"
	}
	return filepath.Base(abs)
}

func (c *Client) commandBody(ctx context.Context, j spec.Job, body map[string]any) error {
	code, err := c.code(ctx, j.Command.Code)
	if err != nil {
		return err
	}
	env, err := c.environment(ctx, j.Command.Environment)
	if err != nil {
		return fmt.Errorf("environment: %w", err)
	}
	body["jobType"], body["command"], body["environmentId"], body["computeId"] = "Command", j.Command.Command, env, c.compute(j.Compute)
	if code != "" {
		body["codeId"] = code
	}
	if len(j.Command.Env) > 0 {
		body["environmentVariables"] = j.Command.Env
	}
	if j.Command.Timeout > 0 {
		body["limits"] = map[string]any{"jobLimitsType": "Command", "timeout": seconds(j.Command.Timeout)}
	}
	if j.Command.Instances > 0 {
		body["resources"] = map[string]any{"instanceCount": j.Command.Instances}
	}
	return nil
}

// compute is the id of a cluster of the workspace.
func (c *Client) compute(name string) string {
	name = strings.TrimPrefix(name, "azureml:")
	if name == "" || strings.HasPrefix(name, "/") {
		return name
	}
	return c.under("computes", name)
}

func (c *Client) pipelineBody(ctx context.Context, j spec.Job, body map[string]any, progress func(string)) error {
	body["jobType"] = "Pipeline"
	settings := map[string]any{"continue_on_step_failure": j.ContinueOnStepFailure, "_source": "YAML.JOB"}
	if j.Compute != "" {
		settings["default_compute"] = c.compute(j.Compute)
	}
	body["settings"] = settings
	steps := make(map[string]any, len(j.Steps))
	for _, name := range slices.Sorted(maps.Keys(j.Steps)) {
		progress("preparing " + name)
		step, err := c.stepBody(ctx, j, name)
		if err != nil {
			return fmt.Errorf("step %s: %w", name, err)
		}
		steps[name] = step
	}
	body["jobs"] = steps
	return nil
}

func (c *Client) stepBody(ctx context.Context, j spec.Job, name string) (map[string]any, error) {
	s := j.Steps[name]
	id, err := c.stepComponent(ctx, j, s)
	if err != nil {
		return nil, err
	}
	body := map[string]any{"type": "command", "name": name, "componentId": id, "_source": "YAML.COMPONENT"}
	if s.DisplayName != "" {
		body["display_name"] = s.DisplayName
	}
	if s.Compute != "" {
		body["computeId"] = c.compute(s.Compute)
	}
	if len(s.Env) > 0 {
		body["environment_variables"] = s.Env
	}
	if s.Timeout > 0 {
		body["limits"] = map[string]any{"timeout": seconds(s.Timeout)}
	}
	if body["inputs"], err = c.stepInputs(ctx, s.Inputs); err != nil {
		return nil, err
	}
	outputs := map[string]any{}
	for name, o := range s.Outputs {
		switch {
		case o.Bind != "":
			outputs[name] = map[string]any{"type": "literal", "value": o.Bind}
		case o.Path.Text != "":
			outputs[name] = map[string]any{"job_output_type": outputType(o), "uri": o.Path.Text}
		}
	}
	body["outputs"] = outputs
	return body, nil
}

// stepComponent gives the id of a step's component; one that is written out in
// the pipeline gets its declarations from what it is given.
func (c *Client) stepComponent(ctx context.Context, j spec.Job, s spec.Step) (string, error) {
	if s.Component == nil {
		return c.assetID(ctx, "components", s.Reference)
	}
	comp := *s.Component
	if comp.Inputs == nil && comp.Outputs == nil {
		comp.Inputs, comp.Outputs = map[string]spec.Input{}, map[string]spec.Output{}
		for name, in := range s.Inputs {
			comp.Inputs[name] = spec.Input{Type: j.TypeOf(in), Optional: in.Optional}
		}
		for name, o := range s.Outputs {
			comp.Outputs[name] = spec.Output{Type: j.TypeOfOutput(o)}
		}
	}
	return c.component(ctx, comp)
}

func (c *Client) stepInputs(ctx context.Context, in map[string]spec.Input) (map[string]any, error) {
	out := make(map[string]any, len(in))
	for name, i := range in {
		if !i.Given {
			continue
		}
		doc := map[string]any{"job_input_type": "literal", "value": i.Value}
		if i.Path.Text != "" {
			uri, err := c.dataPath(ctx, i)
			if err != nil {
				return nil, fmt.Errorf("inputs.%s: %w", name, err)
			}
			doc = map[string]any{"job_input_type": i.Type, "uri": uri}
		}
		if m := modeNames[i.Mode]; m != "" {
			doc["mode"] = m
		}
		out[name] = doc
	}
	return out, nil
}

// modeNames are the modes in REST's spelling.
var modeNames = map[string]string{
	"ro_mount": "ReadOnlyMount", "rw_mount": "ReadWriteMount", "download": "Download", "upload": "Upload", "direct": "Direct",
	"eval_mount": "EvalMount", "eval_download": "EvalDownload",
}

func (c *Client) jobInputs(ctx context.Context, in map[string]spec.Input) (map[string]any, error) {
	out := make(map[string]any, len(in))
	for name, i := range in {
		switch {
		case i.Path.Text != "":
			uri, err := c.dataPath(ctx, i)
			if err != nil {
				return nil, fmt.Errorf("inputs.%s: %w", name, err)
			}
			mode := modeNames[i.Mode]
			if mode == "" {
				mode = "ReadOnlyMount"
			}
			out[name] = map[string]any{"jobInputType": i.Type, "uri": uri, "mode": mode}
		case i.Given:
			out[name] = map[string]any{"jobInputType": "literal", "value": i.Value}
		case i.Default != nil:
			out[name] = map[string]any{"jobInputType": "literal", "value": *i.Default}
		case spec.IsData(i.Type):
			return nil, fmt.Errorf("inputs.%s: a %s needs a path", name, i.Type)
		}
	}
	return out, nil
}

// dataPath uploads a local path; a local file that is declared as a folder is
// refused here, where the reason can be told.
func (c *Client) dataPath(ctx context.Context, i spec.Input) (string, error) {
	if i.Path.Local() {
		f, err := scan(i.Path.File(), false)
		if err != nil {
			return "", err
		}
		if i.Type == "uri_file" && f.isDir {
			return "", fmt.Errorf("%s is a folder, and the type is uri_file", i.Path.Text)
		}
		if i.Type == "uri_folder" && !f.isDir {
			return "", fmt.Errorf("%s is a file, and the type is uri_folder", i.Path.Text)
		}
		return c.upload(ctx, f)
	}
	return i.Path.Text, nil
}

func outputType(o spec.Output) string {
	if o.Type == "" {
		return "uri_folder"
	}
	return o.Type
}

func jobOutputs(in map[string]spec.Output) map[string]any {
	out := make(map[string]any, len(in))
	for name, o := range in {
		mode := modeNames[o.Mode]
		if mode == "" {
			mode = "ReadWriteMount"
		}
		doc := map[string]any{"jobOutputType": outputType(o), "mode": mode}
		if o.Path.Text != "" {
			doc["uri"] = o.Path.Text
		}
		out[name] = doc
	}
	return out
}

// Words that jobs are called by when nobody names them.
var (
	adjectives = []string{"amber", "brisk", "calm", "clever", "dapper", "eager", "frosty", "gentle", "hardy", "icy", "jolly", "keen", "lucid", "mellow", "nimble", "patient", "quiet", "rapid", "sunny", "tidy", "upbeat", "vivid", "witty", "young"}
	nouns      = []string{"acorn", "bell", "cherry", "drum", "engine", "fig", "garden", "heron", "island", "jacket", "kettle", "lemon", "maple", "needle", "onion", "pear", "quill", "river", "sail", "tulip", "umbrella", "valley", "wagon", "yarn"}
)

func newName() string {
	b := make([]byte, 9)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	tail := make([]byte, 7)
	for i := range tail {
		tail[i] = letters[int(b[i+2])%len(letters)]
	}
	return adjectives[int(b[0])%len(adjectives)] + "_" + nouns[int(b[1])%len(nouns)] + "_" + string(tail)
}
