package agent

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cloister-ml/cloister/internal/devops/expression"
	"github.com/cloister-ml/cloister/internal/devops/wire"
)

// jobRun is a job while it runs.
type jobRun struct {
	job      wire.Job
	settings Settings
	home     string
	api      *client // with the job's own token
	report   *reporter
	mask     *masker
	vars     *variables
	folders  folders
	prepend  []string // of PATH, by steps
	started  time.Time

	status  string // succeeded, succeededWithIssues, failed
	outputs map[string]wire.VariableValue

	mu       sync.Mutex
	canceled bool
	stopping bool               // canceled because the agent ends
	stopStep context.CancelFunc // of the running step
	grace    *time.Timer        // for steps that run after a cancel
}

// folders are where a job works.
type folders struct{ work, build, sources, staging, binaries, tests, temp, tools string }

func newJobRun(job wire.Job, s Settings, home string, api *client) *jobRun {
	mask := &masker{}
	for _, v := range job.Variables {
		if v.IsSecret {
			mask.add(v.Value)
		}
	}
	for _, h := range job.MaskHints {
		mask.add(h.Value)
	}
	for _, e := range job.Resources.Endpoints {
		for _, v := range e.Authorization.Parameters {
			mask.add(v)
		}
	}
	return &jobRun{
		job: job, settings: s, home: home, api: api, mask: mask, vars: newVariables(job.Variables),
		report: newReporter(api, job, mask), status: wire.ResultSucceeded, outputs: map[string]wire.VariableValue{},
	}
}

// run runs all steps and gives the job's result. ctx ends when the job's lock is
// lost: then nothing is reported any more.
func (j *jobRun) run(ctx context.Context) string {
	j.started = time.Now()
	now := j.started.UTC()
	j.report.record(wire.Record{ID: j.job.JobID, State: wire.StateInProgress, StartTime: &now, WorkerName: j.settings.AgentName})
	j.report.run(ctx)
	defer j.report.close()
	if err := j.prepare(); err != nil {
		j.report.record(wire.Record{ID: j.job.JobID, Issues: []wire.Issue{{Type: "error", Message: "preparing the job: " + err.Error()}}, ErrorCount: 1})
		return wire.ResultFailed
	}
	for _, s := range j.job.Steps {
		j.step(ctx, s)
	}
	killLeftovers(j.job.JobID)
	os.RemoveAll(j.folders.temp)
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.grace != nil {
		j.grace.Stop()
	}
	switch {
	case j.stopping:
		j.report.record(wire.Record{ID: j.job.JobID, ErrorCount: 1, Issues: []wire.Issue{{Type: "error",
			Message: "agent " + j.settings.AgentName + " was stopped while it ran the job"}}})
		return wire.ResultFailed
	case j.canceled:
		return wire.ResultCanceled
	}
	return j.status
}

// stop cancels the job because the agent ends.
func (j *jobRun) stop() {
	j.mu.Lock()
	j.stopping = true
	j.mu.Unlock()
	j.cancel(0)
}

// prepare makes the job's folders and the agent's own variables.
func (j *jobRun) prepare() error {
	definition, err := strconv.Atoi(j.vars.text("System.DefinitionId"))
	if err != nil || definition <= 0 {
		return fmt.Errorf("the job has no System.DefinitionId")
	}
	work := j.settings.WorkFolder
	build := filepath.Join(work, strconv.Itoa(definition))
	j.folders = folders{
		work: work, build: build, sources: filepath.Join(build, "s"), staging: filepath.Join(build, "a"),
		binaries: filepath.Join(build, "b"), tests: filepath.Join(build, "TestResults"),
		temp: filepath.Join(work, "_temp"), tools: filepath.Join(work, "_tool"),
	}
	remove := []string{j.folders.temp, j.folders.staging, j.folders.tests}
	if j.job.Workspace != nil {
		switch j.job.Workspace.Clean {
		case "all":
			remove = append(remove, build)
		case "outputs":
			remove = append(remove, j.folders.binaries)
		case "resources":
			remove = append(remove, j.folders.sources)
		}
	}
	for _, dir := range remove {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	f := j.folders
	for _, dir := range []string{f.sources, f.staging, f.binaries, f.tests, f.tools} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(f.temp, 0o700); err != nil {
		return err
	}
	j.setVariables()
	return nil
}

func (j *jobRun) setVariables() {
	f := j.folders
	host, _ := os.Hostname()
	for name, value := range map[string]string{
		"Agent.BuildDirectory":           f.build,
		"Agent.HomeDirectory":            j.home,
		"Agent.Id":                       strconv.Itoa(j.settings.AgentID),
		"Agent.JobName":                  j.job.JobDisplayName,
		"Agent.MachineName":              host,
		"Agent.Name":                     j.settings.AgentName,
		"Agent.OS":                       "Linux",
		"Agent.OSArchitecture":           architecture(),
		"Agent.RootDirectory":            f.work,
		"Agent.TempDirectory":            f.temp,
		"Agent.ToolsDirectory":           f.tools,
		"Agent.Version":                  Version(),
		"Agent.WorkFolder":               f.work,
		"Build.ArtifactStagingDirectory": f.staging,
		"Build.BinariesDirectory":        f.binaries,
		"Build.Repository.LocalPath":     f.sources,
		"Build.SourcesDirectory":         f.sources,
		"Build.StagingDirectory":         f.staging,
		"Common.TestResultsDirectory":    f.tests,
		"Pipeline.Workspace":             f.build,
		"System.ArtifactsDirectory":      f.staging,
		"System.DefaultWorkingDirectory": f.sources,
		"System.WorkFolder":              f.work,
		"TF_BUILD":                       "True",
	} {
		j.vars.system(name, value)
	}
	j.setStatus()
}

func (j *jobRun) setStatus() {
	status := j.status
	if j.isCanceled() {
		status = wire.ResultCanceled
	}
	j.vars.system("Agent.JobStatus", strings.ToUpper(status[:1])+status[1:])
}

func (j *jobRun) isCanceled() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.canceled
}

// cancel stops the running step. Steps whose condition still holds get timeout to
// run.
func (j *jobRun) cancel(timeout time.Duration) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.canceled {
		return
	}
	j.canceled = true
	if j.stopStep != nil {
		j.stopStep()
	}
	j.grace = time.AfterFunc(timeout, func() {
		j.mu.Lock()
		defer j.mu.Unlock()
		if j.stopStep != nil {
			j.stopStep()
		}
	})
}

// holds evaluates a step's condition; an empty one is succeeded().
func (j *jobRun) holds(condition string) (bool, error) {
	if condition == "" {
		condition = "succeeded()"
	}
	v, err := expression.Evaluate(condition, expression.Context{
		Names: map[string]expression.Value{"variables": j.vars.object()},
		Status: func(function string, _ []string) bool {
			failed, canceled := j.status == wire.ResultFailed, j.isCanceled()
			switch function {
			case "succeeded":
				return !failed && !canceled
			case "failed":
				return failed
			case "canceled":
				return canceled
			}
			return !canceled // succeededOrFailed
		},
	})
	return expression.Truth(v), err
}

// environment is what a step's programs see.
func (j *jobRun) environment(step map[string]string) []string {
	env := map[string]string{}
	for _, pair := range os.Environ() {
		if k, v, ok := strings.Cut(pair, "="); ok && !slices.Contains(ownVariables, k) {
			env[k] = v
		}
	}
	maps.Copy(env, j.vars.environment())
	env["PATH"] = j.path(env["PATH"])
	for k, v := range step {
		env[k] = j.vars.expand(v)
	}
	env[lookupVariable] = j.job.JobID
	return environmentList(env)
}

// ownVariables are the agent's own and not for steps.
var ownVariables = []string{"CLOISTER_AGENT_TOKEN"}

// path puts what steps prepended, and the agent's own folder, before the PATH.
func (j *jobRun) path(inherited string) string {
	parts := slices.Clone(j.prepend)
	if exe, err := os.Executable(); err == nil {
		parts = append(parts, filepath.Dir(exe))
	}
	if inherited == "" {
		inherited = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	}
	return strings.Join(append(parts, inherited), ":")
}
