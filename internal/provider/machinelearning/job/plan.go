package job

import (
	"fmt"
	"net/url"
	"path"
	"strings"
)

// Where things are inside a job's sandbox.
const (
	Root       = "/mnt/azureml"
	CodeDir    = Root + "/code"
	InputsDir  = Root + "/inputs"
	OutputsDir = Root + "/outputs"
)

// Data is a file or folder of blobs, and where it is inside.
type Data struct {
	Name   string
	URI    string
	Target string
	File   bool
	Type   string
}

// Plan is a command with every value put in.
type Plan struct {
	Command   string
	Downloads []Data // in order of name
	Uploads   []Data
	Env       map[string]string
}

// DefaultOutput is where an output of a job goes when nobody says where.
func DefaultOutput(jobName, output string, typ string) string {
	uri := "azureml://datastores/workspaceblobstore/paths/azureml/" + jobName + "/" + output
	if IsFile(typ) {
		return uri
	}
	return uri + "/"
}

// OwnValues are the inputs of a job that stands alone, or of a pipeline.
func (j *Job) OwnValues() map[string]Value {
	out := map[string]Value{}
	for name, in := range j.Inputs {
		if in.Given {
			out[name] = Value{Type: in.Type, Text: in.Value, Mode: in.Mode}
		}
	}
	return out
}

// StepValues are the inputs of a step. own are the pipeline's, outputs those of
// the steps that have ended, by step and name.
func (j *Job) StepValues(step string, own map[string]Value, outputs func(step, name string) (Value, bool)) (map[string]Value, error) {
	out := map[string]Value{}
	for _, name := range names(j.Steps[step].Inputs) {
		in := j.Steps[step].Inputs[name]
		if !in.Given {
			continue
		}
		v, ok, err := in.resolve(own, outputs)
		if err != nil {
			return nil, fmt.Errorf("inputs.%s: %w", name, err)
		}
		if !ok && !in.Optional {
			return nil, fmt.Errorf("inputs.%s: %s has no value", name, in.Value)
		}
		if ok {
			out[name] = v
		}
	}
	return out, nil
}

// resolve gives an input its value; ok is false when what it is bound to has none.
func (in Input) resolve(own map[string]Value, outputs func(step, name string) (Value, bool)) (Value, bool, error) {
	t, err := ParseTemplate(in.Value)
	if err != nil {
		return Value{}, false, err
	}
	find := func(ref Ref) (Value, bool) {
		switch ref.Scope {
		case ParentInputs:
			v, ok := own[ref.Name]
			return v, ok
		case StepOutputs:
			return outputs(ref.Job, ref.Name)
		}
		return Value{}, false
	}
	if ref, whole := t.Whole(); whole {
		v, ok := find(ref)
		if IsData(in.Type) || v.Type == "" {
			v.Type = in.Type
		}
		if in.Mode != "" {
			v.Mode = in.Mode
		}
		return v, ok, nil
	}
	text, err := t.Expand(func(ref Ref) (string, bool) {
		v, ok := find(ref)
		return v.Text, ok
	})
	return Value{Type: in.Type, Text: text, Mode: in.Mode}, err == nil, err
}

// OutputValues says where a job's outputs go: where the output says, or the output
// of the pipeline that it is bound to, or a folder of its own.
func (j *Job) OutputValues(jobName string, parent *Job) map[string]Value {
	out := map[string]Value{}
	for name, o := range j.Outputs {
		typ := outputType(o)
		uri := o.URI
		if ref, err := wholeRef(o.Bind); err == nil && o.Bind != "" && parent != nil {
			if bound := parent.Outputs[ref.Name]; bound.URI != "" {
				uri = bound.URI
			}
		}
		if uri == "" {
			uri = DefaultOutput(jobName, name, typ)
		}
		uri = strings.ReplaceAll(strings.ReplaceAll(uri, "${{name}}", jobName), "${{output_name}}", name)
		if !IsFile(typ) && !strings.HasSuffix(uri, "/") {
			uri += "/"
		}
		out[name] = Value{Type: typ, Text: uri, Mode: o.Mode}
	}
	return out
}

// Plan puts values into a command. jobName is what ${{name}} means.
func (j *Job) Plan(jobName string, inputs, outputs map[string]Value) (Plan, error) {
	t, err := ParseTemplate(j.Command)
	if err != nil {
		return Plan{}, err
	}
	p := Plan{Env: map[string]string{}}
	inside := map[string]string{}
	for _, name := range names(inputs) {
		v := inputs[name]
		if !v.isData(j.Inputs[name]) {
			inside[name] = v.Text
			continue
		}
		if strings.EqualFold(v.Mode, "direct") {
			inside[name] = v.Text
			continue
		}
		d := download(name, v)
		p.Downloads = append(p.Downloads, d)
		inside[name] = d.Target
		p.Env["AZURE_ML_INPUT_"+name] = d.Target
	}
	for _, name := range names(outputs) {
		d := upload(name, outputs[name])
		p.Uploads = append(p.Uploads, d)
		p.Env["AZURE_ML_OUTPUT_"+name] = d.Target
	}
	p.Command, err = t.Expand(func(ref Ref) (string, bool) {
		switch ref.Scope {
		case JobName:
			return jobName, true
		case Inputs:
			s, ok := inside[ref.Name]
			return s, ok
		case Outputs:
			return p.Env["AZURE_ML_OUTPUT_"+ref.Name], p.Env["AZURE_ML_OUTPUT_"+ref.Name] != ""
		}
		return "", false
	})
	return p, err
}

// isData reports whether a value is of files: by its type, or where nobody gave
// one, by the declared type.
func (v Value) isData(declared Input) bool {
	return IsData(v.Type) || v.Type == "" && IsData(declared.Type)
}

func download(name string, v Value) Data {
	d := Data{Name: name, URI: v.Text, Target: InputsDir + "/" + name, File: IsFile(v.Type), Type: v.Type}
	if d.File {
		d.Target += "/" + baseName(v.Text, name)
	}
	return d
}

func upload(name string, v Value) Data {
	d := Data{Name: name, URI: v.Text, Target: OutputsDir + "/" + name, File: IsFile(v.Type), Type: v.Type}
	if d.File {
		d.Target += "/" + baseName(v.Text, name)
	}
	return d
}

// baseName is the last part of a URI, or fallback where it has none that can be a
// file's name.
func baseName(uri, fallback string) string {
	uri, _, _ = strings.Cut(uri, "?")
	base := path.Base(strings.TrimSuffix(uri, "/"))
	if plain, err := url.PathUnescape(base); err == nil && strings.HasPrefix(uri, "https://") {
		base = plain
	}
	if base == "." || base == "/" || base == ".." || strings.ContainsAny(base, "\x00:/") {
		return fallback
	}
	return base
}
