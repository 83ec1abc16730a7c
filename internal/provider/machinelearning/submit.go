package machinelearning

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning/job"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning/schedule"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning/task"
)

// work is what is stored with a job beside what the scheduler reads.
type work struct {
	Task        task.Task            `json:"task"` // without lease, image and secrets
	Environment string               `json:"environment,omitempty"`
	Experiment  string               `json:"experiment"`
	Root        string               `json:"root"` // the pipeline, or the job itself
	DisplayName string               `json:"displayName,omitempty"`
	Outputs     map[string]job.Value `json:"outputs,omitempty"`
}

// submission is a job on its way into the scheduler.
type submission struct {
	s    *Service
	w    workspace
	name string
	root *job.Job
	by   json.RawMessage
	// outputs are the places of the steps' outputs.
	outputs map[string]bool
}

// submit reads a job's properties, finds everything that it names, and hands it
// to the scheduler.
func (s *Service) submit(ctx context.Context, w workspace, name string, properties json.RawMessage, by cloud.Caller) error {
	j, err := job.Parse(properties, s.components(ctx, w))
	if err != nil {
		return asUserError(err)
	}
	caller, err := json.Marshal(by)
	if err != nil {
		return err
	}
	if j.Experiment == "" {
		j.Experiment = "Default"
	}
	sub := submission{s: s, w: w, name: name, root: j, by: caller, outputs: map[string]bool{}}
	var records []schedule.Job
	if j.Kind == job.Pipeline {
		records, err = sub.pipeline(ctx, properties)
	} else {
		records, err = sub.alone(ctx, properties)
	}
	if err != nil {
		return asUserError(err)
	}
	if err := s.jobs.Submit(ctx, time.Now(), records...); err != nil {
		return err
	}
	s.changed.wake()
	return nil
}

// asUserError gives what is wrong with a job the form of a client's error.
func asUserError(err error) error {
	var e *cloud.Error
	if errors.As(err, &e) {
		return err
	}
	if err = known(err); errors.As(err, &e) {
		return err
	}
	return userError("%v", err)
}

func (b submission) alone(ctx context.Context, body json.RawMessage) ([]schedule.Job, error) {
	own := b.root.OwnValues()
	for name, v := range own {
		v.Type = b.root.Inputs[name].Type
		own[name] = v
	}
	wk, cluster, err := b.command(ctx, b.root, b.name, own, nil)
	if err != nil {
		return nil, err
	}
	rec, err := b.record(b.name, schedule.Command, body, wk)
	rec.Cluster = cluster
	return []schedule.Job{rec}, err
}

func (b submission) record(name, kind string, body json.RawMessage, wk work) (schedule.Job, error) {
	raw, err := json.Marshal(wk)
	return schedule.Job{Workspace: b.w.ID, Name: name, Kind: kind, Body: body, Work: raw, Submitter: b.by}, err
}

func (b submission) pipeline(ctx context.Context, body json.RawMessage) ([]schedule.Job, error) {
	order, err := b.root.Order()
	if err != nil {
		return nil, err
	}
	runs, outputs := map[string]string{}, map[string]map[string]job.Value{}
	for _, step := range order {
		runs[step] = uuid.NewString()
		outputs[step] = b.root.Steps[step].OutputValues(runs[step], b.root)
		for _, v := range outputs[step] {
			b.outputs[v.Text] = true
		}
	}
	wk := work{Experiment: b.root.Experiment, Root: b.name, DisplayName: b.root.DisplayName, Outputs: b.boundOutputs(outputs)}
	rec, err := b.record(b.name, schedule.Pipeline, body, wk)
	if err != nil {
		return nil, err
	}
	rec.Continue = b.root.ContinueOnStepFailure
	records := []schedule.Job{rec}
	for _, step := range order {
		rec, err := b.step(ctx, step, runs[step], outputs)
		if err != nil {
			return nil, fmt.Errorf("jobs.%s: %w", step, asUserError(err))
		}
		records = append(records, rec)
	}
	return records, nil
}

// boundOutputs are the pipeline's outputs: those of the steps that are bound to them.
func (b submission) boundOutputs(steps map[string]map[string]job.Value) map[string]job.Value {
	out := map[string]job.Value{}
	for name, step := range b.root.Steps {
		for output, o := range step.Outputs {
			if t, err := job.ParseTemplate(o.Bind); err == nil {
				if ref, ok := t.Whole(); ok && ref.Scope == job.ParentOutputs {
					out[ref.Name] = steps[name][output]
				}
			}
		}
	}
	return out
}

func (b submission) step(ctx context.Context, name, run string, outputs map[string]map[string]job.Value) (schedule.Job, error) {
	step := b.root.Steps[name]
	values, err := b.root.StepValues(name, b.root.OwnValues(), func(step, output string) (job.Value, bool) {
		v, ok := outputs[step][output]
		return v, ok
	})
	if err != nil {
		return schedule.Job{}, err
	}
	step.Experiment = b.root.Experiment
	wk, cluster, err := b.command(ctx, step, run, values, outputs[name])
	if err != nil {
		return schedule.Job{}, err
	}
	body, err := stepBody(step, cluster, values, outputs[name])
	if err != nil {
		return schedule.Job{}, err
	}
	rec, err := b.record(run, schedule.Command, body, wk)
	rec.Parent, rec.Step, rec.Needs, rec.Cluster = b.name, name, b.root.Needs(name), cluster
	return rec, err
}

// command finds what a command needs, and where its outputs go.
func (b submission) command(ctx context.Context, j *job.Job, run string, inputs, outputs map[string]job.Value) (work, arm.ID, error) {
	if outputs == nil {
		outputs = j.OutputValues(run, nil)
	}
	cluster, err := b.s.computeOf(b.w, j.Compute)
	if err != nil {
		return work{}, "", err
	}
	env, err := b.s.environmentOf(ctx, b.w, j.Environment)
	if err != nil {
		return work{}, "", err
	}
	resolved, err := b.resolve(ctx, j, inputs)
	if err != nil {
		return work{}, "", err
	}
	plan, err := j.Plan(run, resolved, outputs)
	if err != nil {
		return work{}, "", err
	}
	t := task.Task{
		Job: run, Name: j.DisplayName, Command: plan.Command, WorkingDir: job.CodeDir, Timeout: int(j.Timeout / time.Second),
		Env:    b.environ(j, run, plan.Env),
		LogURL: b.s.logBlob(b.w, run).URL(),
	}
	t.CPUs, t.Memory = machineSize(arm.String(cluster.Properties, "properties.vmSize"))
	if t.Name == "" {
		t.Name = run
	}
	if err := b.transfers(ctx, &t, j.Code, plan); err != nil {
		return work{}, "", err
	}
	wk := work{
		Task: t, Environment: "azureml:" + env.Name + ":" + env.Label, Experiment: j.Experiment, Root: b.name,
		DisplayName: j.DisplayName, Outputs: outputs,
	}
	return wk, cluster.ID, nil
}

// resolve puts the places of data assets and of other jobs' outputs in for their
// names, so that a file is called inside as it is called there.
func (b submission) resolve(ctx context.Context, j *job.Job, inputs map[string]job.Value) (map[string]job.Value, error) {
	out := maps.Clone(inputs)
	for name, v := range inputs {
		typ := v.Type
		if typ == "" {
			typ = j.Inputs[name].Type
		}
		if !job.IsData(typ) || strings.EqualFold(v.Mode, "direct") || strings.HasPrefix(v.Text, "azureml://datastores/") {
			continue
		}
		at, err := b.s.locate(ctx, b.w, v.Text, typ)
		if err != nil {
			return nil, fmt.Errorf("inputs.%s: %w", name, asUserError(err))
		}
		v.Text = at.URL()
		out[name] = v
	}
	return out, nil
}

// transfers finds the blobs behind the names of data.
func (b submission) transfers(ctx context.Context, t *task.Task, code string, plan job.Plan) error {
	if code != "" {
		at, err := b.s.codeOf(ctx, b.w, code)
		if err != nil {
			return err
		}
		t.Downloads = append(t.Downloads, task.Download{Name: "code", URL: at.URL(), Target: job.CodeDir, Writable: true})
	}
	for _, d := range plan.Downloads {
		at, err := b.s.locate(ctx, b.w, d.URI, d.Type)
		if err != nil {
			return fmt.Errorf("inputs.%s: %w", d.Name, asUserError(err))
		}
		t.Downloads = append(t.Downloads, task.Download{Name: d.Name, URL: at.URL(), Target: d.Target, File: d.File, MayBeEmpty: b.isOutput(d.URI)})
	}
	for _, d := range plan.Uploads {
		at, err := b.s.locate(ctx, b.w, d.URI, d.Type)
		if err != nil {
			return fmt.Errorf("outputs.%s: %w", d.Name, asUserError(err))
		}
		t.Uploads = append(t.Uploads, task.Upload{Name: d.Name, Source: d.Target, URL: at.URL(), File: d.File})
	}
	return nil
}

// isOutput reports whether data is an output of the same pipeline's steps.
func (b submission) isOutput(uri string) bool {
	return b.outputs[uri]
}

// environ are the environment variables of a command, but for its secrets.
func (b submission) environ(j *job.Job, run string, paths map[string]string) map[string]string {
	env := map[string]string{
		"AZUREML_ARM_SUBSCRIPTION":           b.w.ID.Subscription(),
		"AZUREML_ARM_RESOURCEGROUP":          b.w.ID.ResourceGroup(),
		"AZUREML_ARM_WORKSPACE_NAME":         b.w.Name,
		"AZUREML_ARM_PROJECT_NAME":           j.Experiment,
		"AZUREML_EXPERIMENT_SCOPE":           string(b.w.ID) + "/experiments/" + j.Experiment,
		"AZUREML_WORKSPACE_ID":               b.w.GUID,
		"AZUREML_WORKSPACE_SCOPE":            string(b.w.ID),
		"AZUREML_RUN_ID":                     run,
		"AZUREML_ROOT_RUN_ID":                b.name,
		"AZUREML_SERVICE_ENDPOINT":           "https://" + b.w.Host,
		"AZUREML_DISCOVERY_SERVICE_ENDPOINT": "https://" + b.w.Host + "/discovery",
		"MLFLOW_TRACKING_URI":                trackingURI(b.w),
		"MLFLOW_REGISTRY_URI":                trackingURI(b.w),
		"MLFLOW_RUN_ID":                      run,
		"MLFLOW_EXPERIMENT_NAME":             j.Experiment,
	}
	for k, v := range paths {
		env[k] = v
	}
	for k, v := range j.Env {
		env[k] = v
	}
	return env
}

// trackingURI is where the plain MLflow client finds the workspace.
func trackingURI(w workspace) string { return "https://" + w.Host + "/mlflow/v1.0" + string(w.ID) }

// stepBody describes a step as the command job that it is.
func stepBody(step *job.Job, cluster arm.ID, inputs, outputs map[string]job.Value) (json.RawMessage, error) {
	in, out := map[string]any{}, map[string]any{}
	for name, v := range inputs {
		if job.IsData(v.Type) {
			in[name] = map[string]any{"jobInputType": v.Type, "uri": v.Text, "mode": "ReadOnlyMount"}
		} else {
			in[name] = map[string]any{"jobInputType": "literal", "value": v.Text}
		}
	}
	for name, v := range outputs {
		out[name] = map[string]any{"jobOutputType": v.Type, "uri": v.Text, "mode": "ReadWriteMount"}
	}
	return json.Marshal(map[string]any{
		"jobType": "Command", "displayName": step.DisplayName, "experimentName": step.Experiment, "componentId": step.Component,
		"command": step.Command, "codeId": step.Code, "environmentId": step.Environment, "computeId": string(cluster),
		"environmentVariables": step.Env, "inputs": in, "outputs": out, "tags": step.Tags,
	})
}

// sizes of virtual machines that clusters are often made of.
var sizes = map[string]struct {
	cpus   float64
	memory int64 // GiB
}{
	"standard_ds1_v2": {1, 3}, "standard_ds2_v2": {2, 7}, "standard_ds3_v2": {4, 14}, "standard_ds4_v2": {8, 28}, "standard_ds11_v2": {2, 14}, "standard_ds12_v2": {4, 28},
	"standard_d2s_v3": {2, 8}, "standard_d4s_v3": {4, 16}, "standard_d8s_v3": {8, 32}, "standard_d16s_v3": {16, 64},
	"standard_e2s_v3": {2, 16}, "standard_e4s_v3": {4, 32}, "standard_e8s_v3": {8, 64}, "standard_f2s_v2": {2, 4}, "standard_f4s_v2": {4, 8}, "standard_f8s_v2": {8, 16},
	"standard_nc6s_v3": {6, 112},
}

// machineSize is what a virtual machine size has; zero for one that is not known,
// which leaves a job without a limit.
func machineSize(name string) (cpus float64, memory int64) {
	s := sizes[strings.ToLower(name)]
	return s.cpus, s.memory << 30
}
