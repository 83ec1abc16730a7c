package job

import (
	"fmt"
	"time"
)

// Kind of a job.
type Kind string

// The kinds that are run.
const (
	Command  Kind = "Command"
	Pipeline Kind = "Pipeline"
)

// Job is a command or a pipeline, as asked for.
type Job struct {
	Kind        Kind              `json:"kind"`
	DisplayName string            `json:"displayName,omitempty"`
	Experiment  string            `json:"experiment,omitempty"`
	Tags        map[string]string `json:"tags,omitempty"`
	Inputs      map[string]Input  `json:"inputs,omitempty"`
	Outputs     map[string]Output `json:"outputs,omitempty"`
	Compute     string            `json:"compute,omitempty"` // a pipeline's is its steps' default

	// Of a command; ids and azureml: names are as they were given.
	Component   string            `json:"component,omitempty"`
	Command     string            `json:"command,omitempty"`
	Code        string            `json:"code,omitempty"`
	Environment string            `json:"environment,omitempty"`
	Env         map[string]string `json:"env,omitempty"`
	Timeout     time.Duration     `json:"timeout,omitempty"`

	// Of a pipeline.
	Steps                 map[string]*Job `json:"steps,omitempty"`
	ContinueOnStepFailure bool            `json:"continueOnStepFailure,omitempty"`
}

// Input is an input as declared and as given.
type Input struct {
	Type     string   `json:"type,omitempty"`  // uri_folder, number, ...; "" where nothing was declared
	Value    string   `json:"value,omitempty"` // literal, URI or a binding
	Given    bool     `json:"given,omitempty"` // Value counts, even when empty
	Mode     string   `json:"mode,omitempty"`
	Optional bool     `json:"optional,omitempty"`
	Min      *float64 `json:"min,omitempty"`
	Max      *float64 `json:"max,omitempty"`
	Enum     []string `json:"enum,omitempty"`
}

// Output is an output as declared and as bound.
type Output struct {
	Type string `json:"type,omitempty"`
	URI  string `json:"uri,omitempty"`  // where to put it; "" for the default place
	Bind string `json:"bind,omitempty"` // of a step: the pipeline's output that it is
	Mode string `json:"mode,omitempty"`
}

// IsData reports whether a type is of files and not of literals.
func IsData(typ string) bool {
	switch typ {
	case "uri_file", "uri_folder", "mltable", "custom_model", "mlflow_model", "triton_model":
		return true
	}
	return false
}

// IsFile reports whether a data type is of one file.
func IsFile(typ string) bool { return typ == "uri_file" }

// Value is what an input has when its job starts, and what an output is.
type Value struct {
	Type string `json:"type,omitempty"`
	Text string `json:"text,omitempty"` // a literal, or the URI of data
	Mode string `json:"mode,omitempty"`
}

// Components finds a component by the id that a step names.
type Components func(id string) (spec map[string]any, err error)

// Parse reads the properties of a job's REST document. It reports what is wrong
// with it, as completely as it can be said before the job runs.
func Parse(properties []byte, components Components) (*Job, error) {
	o, err := decode(properties)
	if err != nil {
		return nil, err
	}
	j, err := parse(o, components)
	if err != nil {
		return nil, err
	}
	return j, j.check()
}

func parse(o object, components Components) (*Job, error) {
	kind := o.text("jobType")
	j := &Job{
		DisplayName: o.text("displayName"), Experiment: o.text("experimentName"), Tags: o.texts("tags"), Compute: o.text("computeId"),
	}
	var err error
	if j.Inputs, err = parseInputs(o.object("inputs")); err != nil {
		return nil, err
	}
	if j.Outputs, err = parseOutputs(o.object("outputs")); err != nil {
		return nil, err
	}
	switch fold(kind) {
	case "command":
		return j, j.parseCommand(o)
	case "pipeline":
		return j, j.parsePipeline(o, components)
	}
	return nil, fmt.Errorf("jobs of type %q are not run here; Command and Pipeline are", clip(kind))
}

func (j *Job) parseCommand(o object) error {
	j.Kind = Command
	j.Command, j.Code, j.Environment = o.text("command"), o.text("codeId"), o.text("environmentId")
	j.Env = o.texts("environmentVariables")
	return j.parseResources(o)
}

func (j *Job) parseResources(o object) error {
	if n, ok := o.object("resources").number("instanceCount"); ok && n > 1 {
		return fmt.Errorf("resources.instanceCount is %v: a command runs on one node here", n)
	}
	if len(o.object("distribution")) > 0 {
		return fmt.Errorf("distribution: a command runs as one process on one node here")
	}
	limit := o.object("limits")
	for _, text := range []string{limit.text("timeout"), limit.text("jobTimeout")} {
		if text == "" {
			continue
		}
		d, err := Duration(text)
		if err != nil {
			return fmt.Errorf("limits.timeout: %w", err)
		}
		j.Timeout = d
	}
	return nil
}

func (j *Job) parsePipeline(o object, components Components) error {
	j.Kind = Pipeline
	settings := o.object("settings")
	j.ContinueOnStepFailure = settings.bool("continueOnStepFailure")
	if c := settings.text("defaultCompute"); c != "" {
		j.Compute = c
	}
	steps := o.object("jobs")
	j.Steps = make(map[string]*Job, len(steps))
	for _, name := range names(steps) {
		doc, _ := steps[name].(map[string]any)
		if !validName(name) {
			return fmt.Errorf("jobs: %q is not a step name: letters, digits, '_' and '-'", clip(name))
		}
		step, err := parseStep(doc, components)
		if err != nil {
			return fmt.Errorf("jobs.%s: %w", name, err)
		}
		if step.Compute == "" {
			step.Compute = j.Compute
		}
		step.Experiment = j.Experiment
		if step.DisplayName == "" {
			step.DisplayName = name
		}
		j.Steps[name] = step
	}
	return nil
}

// parseStep reads a step: a component, and what the pipeline gives to it.
func parseStep(o object, components Components) (*Job, error) {
	if kind := fold(o.text("type")); kind != "command" && kind != "" {
		return nil, fmt.Errorf("steps of type %q are not run here; command is", clip(o.text("type")))
	}
	step := &Job{
		Kind: Command, DisplayName: o.text("displayName"), Compute: o.text("computeId"),
		Tags: o.texts("tags"), Component: o.text("componentId"),
	}
	spec := o.object("component")
	if spec == nil && step.Component != "" {
		found, err := components(step.Component)
		if err != nil {
			return nil, err
		}
		spec = found
	}
	if spec == nil {
		return nil, fmt.Errorf("componentId is missing")
	}
	if err := step.applyComponent(spec); err != nil {
		return nil, fmt.Errorf("component: %w", err)
	}
	if env := o.texts("environmentVariables"); env != nil {
		step.Env = merge(step.Env, env)
	}
	if err := step.parseResources(o); err != nil {
		return nil, err
	}
	given, err := parseInputs(o.object("inputs"))
	if err != nil {
		return nil, err
	}
	bound, err := parseOutputs(o.object("outputs"))
	if err != nil {
		return nil, err
	}
	return step, step.give(given, bound)
}

func (j *Job) applyComponent(spec object) error {
	if kind := fold(spec.text("type")); kind != "command" && kind != "commandcomponent" && kind != "" {
		return fmt.Errorf("components of type %q are not run here; command is", clip(spec.text("type")))
	}
	j.Command, j.Code, j.Environment = spec.text("command"), trimAsset(spec.text("code")), trimAsset(spec.text("environment"))
	j.Env = spec.texts("environmentVariables")
	j.Inputs, j.Outputs = map[string]Input{}, map[string]Output{}
	for name, v := range spec.object("inputs") {
		decl, _ := v.(map[string]any)
		j.Inputs[name] = declaredInput(decl)
	}
	for name, v := range spec.object("outputs") {
		decl, _ := v.(map[string]any)
		j.Outputs[name] = Output{Type: object(decl).text("type"), Mode: object(decl).text("mode")}
	}
	return j.parseResources(spec)
}

// trimAsset takes the azureml: off an ARM id, which clients put before it.
func trimAsset(s string) string {
	const prefix = "azureml:"
	if len(s) > len(prefix) && s[:len(prefix)] == prefix && s[len(prefix)] == '/' && (len(s) == len(prefix)+1 || s[len(prefix)+1] != '/') {
		return s[len(prefix):]
	}
	return s
}

func merge(a, b map[string]string) map[string]string {
	out := make(map[string]string, len(a)+len(b))
	for k, v := range a {
		out[k] = v
	}
	for k, v := range b {
		out[k] = v
	}
	return out
}
