package schedule

import (
	"strings"

	"github.com/cloister-ml/cloister/internal/devops/expression"
	"github.com/cloister-ml/cloister/internal/devops/pipeline"
	"github.com/cloister-ml/cloister/internal/devops/wire"
)

// Progress is how far a stage or a job is. The zero Progress has not begun.
type Progress struct {
	State     string            `json:"state,omitempty"` // "", wire.StateInProgress, wire.StateCompleted
	Result    string            `json:"result,omitempty"`
	Variables map[string]string `json:"variables,omitempty"` // of a stage: its own, evaluated
	Outputs   map[string]string `json:"outputs,omitempty"`   // of a job: step.variable
	// AfterCancel says that a stage began although the run was being canceled: its
	// jobs are not canceled with the run.
	AfterCancel bool `json:"afterCancel,omitempty"`
}

// Run is a run as it stands.
type Run struct {
	Pipeline  *pipeline.Pipeline
	Variables map[string]string    // of the whole run, evaluated
	Stages    map[string]*Progress // by name
	Jobs      map[string]*Progress // by JobKey
	Skip      []string             // stages that the run was queued without
	Canceling bool
}

// JobKey tells a job from all others of a run.
func JobKey(stage string, job pipeline.Job) string { return stage + "." + job.ID() }

// Kind is what changes.
type Kind int

// The kinds of change.
const (
	StageStarted  Kind = iota + 1
	StageFinished      // Result
	JobStarted         // Variables: the job's, the stage's and the run's, evaluated
	JobFinished        // Result; without having run
	RunFinished        // Result
)

// Change is one thing that happens next, in order.
type Change struct {
	Kind      Kind
	Stage     string
	Job       pipeline.Job
	Result    string
	Variables map[string]string
	Issue     string // why, when an expression is at fault
}

// Advance brings a run as far as it can go without waiting, and says what
// happened. Called again at once it says nothing.
func Advance(r *Run) []Change {
	a := &advance{Run: r}
	for again := true; again; {
		n := len(a.changes)
		for _, s := range r.Pipeline.Stages {
			a.stage(s)
		}
		again = len(a.changes) > n
	}
	if result, done := a.runResult(); done {
		a.changes = append(a.changes, Change{Kind: RunFinished, Result: result})
	}
	return a.changes
}

type advance struct {
	*Run
	changes []Change
}

func (a *advance) stageProgress(name string) *Progress {
	p, ok := a.Stages[name]
	if !ok {
		p = &Progress{}
		a.Stages[name] = p
	}
	return p
}

func (a *advance) jobProgress(stage string, j pipeline.Job) *Progress {
	p, ok := a.Jobs[JobKey(stage, j)]
	if !ok {
		p = &Progress{}
		a.Jobs[JobKey(stage, j)] = p
	}
	return p
}

func (a *advance) stage(s pipeline.Stage) {
	p := a.stageProgress(s.Name)
	if p.State == wire.StateCompleted {
		return
	}
	if p.State == "" && !a.startStage(s, p) {
		return
	}
	for _, j := range s.Jobs {
		a.job(s, p, j)
	}
	if result, done := a.stageResult(s); done {
		a.finishStage(s, p, result, "")
	}
}

// startStage reports whether the stage is in progress now.
func (a *advance) startStage(s pipeline.Stage, p *Progress) bool {
	deps := a.stageDependencies(s)
	if !deps.completed() {
		return false
	}
	for _, skip := range a.Skip {
		if strings.EqualFold(skip, s.Name) {
			a.finishStage(s, p, wire.ResultSkipped, "")
			return false
		}
	}
	names := map[string]expression.Value{
		"variables":         object(a.Variables),
		"dependencies":      deps.object(),
		"stagedependencies": a.stageJobs(s),
	}
	run, err := a.holds(s.Condition, names, deps, a.Canceling)
	if err != nil {
		a.finishStage(s, p, wire.ResultFailed, "the condition of stage "+s.Name+": "+err.Error())
		return false
	}
	if !run {
		a.finishStage(s, p, a.notRun(), "")
		return false
	}
	variables, err := EvaluateVariables(s.Variables, a.Variables, names)
	if err != nil {
		a.finishStage(s, p, wire.ResultFailed, "the variables of stage "+s.Name+": "+err.Error())
		return false
	}
	p.State, p.Variables, p.AfterCancel = wire.StateInProgress, variables, a.Canceling
	a.changes = append(a.changes, Change{Kind: StageStarted, Stage: s.Name})
	return true
}

func (a *advance) finishStage(s pipeline.Stage, p *Progress, result, issue string) {
	p.State, p.Result = wire.StateCompleted, result
	for _, j := range s.Jobs { // those of a stage that did not run
		if jp := a.jobProgress(s.Name, j); jp.State != wire.StateCompleted {
			jp.State, jp.Result = wire.StateCompleted, a.notRun()
		}
	}
	a.changes = append(a.changes, Change{Kind: StageFinished, Stage: s.Name, Result: result, Issue: issue})
}

func (a *advance) job(s pipeline.Stage, stage *Progress, j pipeline.Job) {
	p := a.jobProgress(s.Name, j)
	if p.State != "" || a.atLimit(s, j) {
		return
	}
	deps := a.jobDependencies(s, j)
	if !deps.completed() {
		return
	}
	names := map[string]expression.Value{
		"variables":         object(merge(a.Variables, stage.Variables, literals(j.Variables))),
		"dependencies":      deps.object(),
		"stagedependencies": a.stageJobs(s),
	}
	run, err := a.holds(j.Condition, names, deps, a.Canceling && !stage.AfterCancel)
	if err != nil {
		a.finishJob(s, j, p, wire.ResultFailed, "the condition of job "+j.ID()+": "+err.Error())
		return
	}
	if !run {
		a.finishJob(s, j, p, a.notRun(), "")
		return
	}
	variables, err := EvaluateVariables(j.Variables, merge(a.Variables, stage.Variables), names)
	if err != nil {
		a.finishJob(s, j, p, wire.ResultFailed, "the variables of job "+j.ID()+": "+err.Error())
		return
	}
	p.State = wire.StateInProgress
	a.changes = append(a.changes, Change{Kind: JobStarted, Stage: s.Name, Job: j,
		Variables: merge(a.Variables, stage.Variables, variables)})
}

func (a *advance) finishJob(s pipeline.Stage, j pipeline.Job, p *Progress, result, issue string) {
	p.State, p.Result = wire.StateCompleted, result
	a.changes = append(a.changes, Change{Kind: JobFinished, Stage: s.Name, Job: j, Result: result, Issue: issue})
}

// atLimit says that as many legs of the job's matrix run as may.
func (a *advance) atLimit(s pipeline.Stage, j pipeline.Job) bool {
	if j.MaxParallel == 0 {
		return false
	}
	running := 0
	for _, other := range s.Jobs {
		if other.Name == j.Name && a.jobProgress(s.Name, other).State == wire.StateInProgress {
			running++
		}
	}
	return running >= j.MaxParallel
}

func (a *advance) notRun() string {
	if a.Canceling {
		return wire.ResultCanceled
	}
	return wire.ResultSkipped
}

func (a *advance) stageResult(s pipeline.Stage) (string, bool) {
	var results []string
	for _, j := range s.Jobs {
		p := a.jobProgress(s.Name, j)
		if p.State != wire.StateCompleted {
			return "", false
		}
		results = append(results, p.Result)
	}
	return Combine(results), true
}

func (a *advance) runResult() (string, bool) {
	var results []string
	for _, s := range a.Pipeline.Stages {
		p := a.stageProgress(s.Name)
		if p.State != wire.StateCompleted {
			return "", false
		}
		results = append(results, p.Result)
	}
	result := Combine(results)
	if result == wire.ResultSkipped {
		result = wire.ResultSucceeded // nothing had to run
	}
	return result, true
}

// Combine is the result of a whole, by the results of its parts.
func Combine(results []string) string {
	seen := map[string]bool{}
	for _, r := range results {
		seen[r] = true
	}
	switch {
	case seen[wire.ResultFailed] || seen[wire.ResultAbandoned]:
		return wire.ResultFailed
	case seen[wire.ResultCanceled]:
		return wire.ResultCanceled
	case seen[wire.ResultSucceededWithIssues]:
		return wire.ResultSucceededWithIssues
	case seen[wire.ResultSucceeded]:
		return wire.ResultSucceeded
	}
	return wire.ResultSkipped
}
