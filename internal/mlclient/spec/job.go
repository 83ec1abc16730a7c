package spec

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Job is a command or a pipeline.
type Job struct {
	Type, Name, DisplayName, Experiment, Description, Compute string
	Tags                                                      map[string]string
	Inputs                                                    map[string]Input
	Outputs                                                   map[string]Output
	Command                                                   *Command        // of a command
	Steps                                                     map[string]Step // of a pipeline
	ContinueOnStepFailure                                     bool
	Dir                                                       string // folder of the file
}

// Command is what a command job, an inline step and a component have in common.
type Command struct {
	Command        string
	Code           Path
	Environment    EnvironmentRef
	Env            map[string]string
	Timeout        int // seconds
	Instances      int
	IsDistribution bool
}

// Path is a path or name as it is written, and the folder that it is relative to.
type Path struct{ Text, Dir string }

// Local reports whether the path is of this machine; otherwise it is azureml: or a URL.
func (p Path) Local() bool {
	return p.Text != "" && !strings.HasPrefix(p.Text, "azureml:") && !strings.Contains(p.Text, "://")
}

// File is the place on this machine.
func (p Path) File() string {
	if filepath.IsAbs(p.Text) {
		return p.Text
	}
	return filepath.Join(p.Dir, p.Text)
}

// Input is what a job or a step is given, or a component declares.
type Input struct {
	Type     string // "" where nothing was said
	Value    string // literal or binding
	Path     Path   // of data
	Mode     string
	Given    bool // Value or Path counts
	Default  *string
	Optional bool
	Min, Max string
	Enum     []string
}

// Output is where a result goes.
type Output struct {
	Type, Mode string
	Path       Path
	Bind       string // ${{parent.outputs.x}}
}

// Step is a step of a pipeline.
type Step struct {
	DisplayName, Compute string
	Component            *Component // inline or from a file; nil for a reference
	Reference            string     // azureml:name:version
	Inputs               map[string]Input
	Outputs              map[string]Output
	Env                  map[string]string
	Timeout              int
}

// Component is a command with declared inputs and outputs.
type Component struct {
	Name, Version, DisplayName, Description string
	Inputs                                  map[string]Input
	Outputs                                 map[string]Output
	Command                                 Command
	Deterministic                           bool
}

// ReadJob reads a command or pipeline job.
func ReadJob(path string, changes ...Change) (Job, error) {
	f, v, err := open(path, changes)
	if err != nil {
		return Job{}, err
	}
	j := readJob(v)
	return j, f.result()
}

var (
	jobFields = []string{"$schema", "type", "name", "display_name", "experiment_name", "description", "tags", "properties", "compute", "inputs", "outputs", "services"}
	runFields = []string{"command", "code", "environment", "environment_variables", "resources", "limits", "distribution", "identity", "is_deterministic", "queue_settings"}
)

func readJob(v value) Job {
	j := Job{Dir: v.f.dir()}
	if !v.isMap() {
		v.problem("a job is a mapping")
		return j
	}
	_, all := v.entries()
	j.Type = "command"
	if t, ok := all["type"]; ok {
		j.Type = t.oneOf("command", "pipeline")
	} else if _, ok := all["jobs"]; ok {
		j.Type = "pipeline"
	}
	var fields map[string]value
	if j.Type == "pipeline" {
		fields = v.fields("a pipeline job", append([]string{"jobs", "settings", "identity"}, jobFields...)...)
		j.readPipeline(v, fields)
	} else {
		fields = v.fields("a command job", append(append([]string{}, jobFields...), runFields...)...)
		cmd := readCommand(v, fields, "a command job")
		j.Command = &cmd
	}
	j.Name, j.DisplayName, j.Experiment = fields["name"].opt(), fields["display_name"].opt(), fields["experiment_name"].opt()
	j.Description, j.Tags = fields["description"].opt(), fields["tags"].optTexts()
	if j.Compute == "" {
		j.Compute = fields["compute"].opt()
	}
	j.Inputs = readInputs(fields["inputs"])
	j.Outputs = readOutputs(fields["outputs"])
	return j
}

// opt is a scalar that may be missing.
func (v value) opt() string {
	if v.n == nil {
		return ""
	}
	return v.text()
}

func (v value) optTexts() map[string]string {
	if v.n == nil {
		return nil
	}
	return v.texts()
}

func (j *Job) readPipeline(v value, fields map[string]value) {
	if s, ok := fields["settings"]; ok {
		set := s.fields("settings", "default_compute", "default_datastore", "continue_on_step_failure", "force_rerun", "on_init", "on_finalize")
		j.Compute = set["default_compute"].opt()
		if c, ok := set["continue_on_step_failure"]; ok {
			j.ContinueOnStepFailure = c.boolean()
		}
	}
	steps, ok := fields["jobs"]
	if !ok || !steps.ok() {
		v.problem("a pipeline job needs the field %q", "jobs")
		return
	}
	names, values := steps.entries()
	j.Steps = make(map[string]Step, len(names))
	for _, name := range names {
		j.Steps[name] = readStep(values[name])
	}
}

var stepFields = []string{"type", "component", "inputs", "outputs", "compute", "display_name", "description", "name", "tags", "resources", "limits", "environment_variables", "identity", "distribution", "queue_settings"}

func readStep(v value) Step {
	var s Step
	if !v.isMap() {
		v.problem("a step is a mapping")
		return s
	}
	_, all := v.entries()
	if t, ok := all["type"]; ok {
		t.oneOf("command")
	}
	var fields map[string]value
	if c, ok := all["component"]; ok {
		fields = v.fields("a step with a component", stepFields...)
		s.readComponent(c)
	} else {
		fields = v.fields("a step", append(append([]string{}, stepFields...), "command", "code", "environment", "is_deterministic")...)
		cmd := readCommand(v, fields, "a step without a component")
		s.Component = &Component{Command: cmd, Deterministic: true, DisplayName: fields["display_name"].opt()}
	}
	s.DisplayName, s.Compute = fields["display_name"].opt(), fields["compute"].opt()
	s.Inputs, s.Outputs = readInputs(fields["inputs"]), readOutputs(fields["outputs"])
	s.Env = fields["environment_variables"].optTexts()
	if _, inline := all["component"]; !inline {
		s.Env = nil // it is in the component
	}
	if l, ok := fields["limits"]; ok {
		s.Timeout = l.fields("limits", "timeout")["timeout"].integer()
	}
	return s
}

// readComponent reads a reference, a file, or a component that is written out.
func (s *Step) readComponent(v value) {
	if v.isMap() {
		c := readComponent(v)
		s.Component = &c
		return
	}
	text := v.text()
	name, isFile := strings.CutPrefix(text, "file:")
	p := Path{name, v.f.dir()}
	if !isFile && !p.Local() {
		s.Reference = text
		return
	}
	c, err := ReadComponent(p.File())
	if err != nil {
		if os.IsNotExist(err) {
			v.problem("there is no file %s", p.File())
			return
		}
		v.f.problems = append(v.f.problems, err)
		return
	}
	s.Component = &c
}

// ReadComponent reads a component's file.
func ReadComponent(path string, changes ...Change) (Component, error) {
	f, v, err := open(path, changes)
	if err != nil {
		return Component{}, err
	}
	c := readComponent(v)
	return c, f.result()
}

func readComponent(v value) Component {
	if !v.isMap() {
		v.problem("a component is a mapping")
		return Component{}
	}
	fields := v.fields("a command component", append([]string{"$schema", "type", "name", "version", "display_name", "description", "tags", "properties", "inputs", "outputs"}, runFields...)...)
	if t, ok := fields["type"]; ok {
		t.oneOf("command")
	}
	c := Component{
		Name: fields["name"].opt(), Version: fields["version"].opt(), DisplayName: fields["display_name"].opt(), Description: fields["description"].opt(),
		Inputs: readInputs(fields["inputs"]), Outputs: readOutputs(fields["outputs"]), Command: readCommand(v, fields, "a command component"), Deterministic: true,
	}
	if d, ok := fields["is_deterministic"]; ok {
		c.Deterministic = d.boolean()
	}
	return c
}

func readCommand(v value, fields map[string]value, what string) Command {
	c := Command{Command: v.need(fields, what, "command"), Env: fields["environment_variables"].optTexts()}
	if code := fields["code"].opt(); code != "" {
		c.Code = Path{code, v.f.dir()}
	}
	if env, ok := fields["environment"]; ok && env.ok() {
		c.Environment = readEnvironmentRef(env)
	} else {
		v.problem("%s needs the field %q", what, "environment")
	}
	if l, ok := fields["limits"]; ok {
		c.Timeout = l.fields("limits", "timeout")["timeout"].integer()
	}
	if r, ok := fields["resources"]; ok {
		c.Instances = r.fields("resources", "instance_count", "instance_type", "properties", "shm_size", "docker_args", "locations", "max_instance_count")["instance_count"].integer()
	}
	if d, ok := fields["distribution"]; ok && d.ok() {
		d.problem("distribution: a command runs as one process on one node here")
	}
	return c
}

// The types that an input or output may have.
var (
	dataTypes    = []string{"uri_folder", "uri_file", "mltable", "mlflow_model", "custom_model", "triton_model"}
	literalTypes = []string{"string", "number", "integer", "boolean"}
	modes        = []string{"", "ro_mount", "rw_mount", "download", "upload", "direct", "eval_mount", "eval_download"}
)

// IsData reports whether a type is of files.
func IsData(typ string) bool {
	for _, t := range dataTypes {
		if t == typ {
			return true
		}
	}
	return false
}

func readInputs(v value) map[string]Input {
	if v.n == nil {
		return map[string]Input{}
	}
	names, values := v.entries()
	out := make(map[string]Input, len(names))
	for _, name := range names {
		out[name] = readInput(values[name])
	}
	return out
}

func readInput(v value) Input {
	if !v.isMap() {
		if !v.ok() {
			return Input{}
		}
		text, typ := v.literal()
		if strings.Contains(text, "${{") {
			typ = ""
		}
		return Input{Value: text, Type: typ, Given: true}
	}
	fields := v.fields("an input", "type", "path", "mode", "value", "default", "optional", "description", "min", "max", "enum")
	in := Input{Mode: fields["mode"].optOneOf(modes...), Min: fields["min"].opt(), Max: fields["max"].opt()}
	in.Type = fields["type"].optOneOf(append(append([]string{""}, dataTypes...), literalTypes...)...)
	if p, ok := fields["path"]; ok {
		text := p.text()
		in.Given = text != ""
		if in.Type == "" {
			in.Type = "uri_folder"
		}
		if strings.Contains(text, "${{") {
			in.Value = text
		} else {
			in.Path = Path{strings.TrimPrefix(text, "file:"), v.f.dir()}
		}
	}
	if val, ok := fields["value"]; ok {
		in.Value, in.Given = val.text(), true
	}
	if d, ok := fields["default"]; ok {
		text, _ := d.literal()
		in.Default = &text
	}
	if o, ok := fields["optional"]; ok {
		in.Optional = o.boolean()
	}
	if e, ok := fields["enum"]; ok && e.ok() {
		for _, n := range e.node().Content {
			text, _ := value{v.f, n}.literal()
			in.Enum = append(in.Enum, text)
		}
	}
	return in
}

func (v value) optOneOf(choices ...string) string {
	if v.n == nil {
		return choices[0]
	}
	return v.oneOf(choices...)
}

func readOutputs(v value) map[string]Output {
	if v.n == nil {
		return map[string]Output{}
	}
	names, values := v.entries()
	out := make(map[string]Output, len(names))
	for _, name := range names {
		o := values[name]
		switch {
		case !o.ok():
			out[name] = Output{}
		case o.isMap():
			fields := o.fields("an output", "type", "path", "mode", "description", "name", "version")
			res := Output{Type: fields["type"].optOneOf(append([]string{""}, dataTypes...)...), Mode: fields["mode"].optOneOf(modes...)}
			if p := fields["path"].opt(); strings.Contains(p, "${{parent.") {
				res.Bind = p
			} else if p != "" {
				res.Path = Path{p, o.f.dir()}
				if res.Path.Local() {
					fields["path"].problem("an output goes to a datastore: azureml://datastores/..., not to %q", p)
				}
			}
			out[name] = res
		default:
			out[name] = Output{Bind: o.text()}
		}
	}
	return out
}

// String names a component for people.
func (c Component) String() string {
	if c.Name == "" {
		return "an inline component"
	}
	return fmt.Sprintf("the component %s", c.Name)
}
