package agent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/cloister-ml/cloister/internal/devops/wire"
)

// stepRun is a step while it runs.
type stepRun struct {
	*jobRun
	step     wire.Step
	log      *stepLog
	result   string // by ##vso[task.complete]; "" when the step did not say
	issues   []wire.Issue
	errors   int
	warnings int
	outputs  map[string]wire.VariableValue
}

const maxIssues = 50

// step runs one step, if its condition holds, and takes its result into the job's.
func (j *jobRun) step(ctx context.Context, s wire.Step) {
	run, err := j.holds(s.Condition)
	if !s.Enabled || err == nil && !run || ctx.Err() != nil {
		result := wire.ResultSkipped
		if j.isCanceled() {
			result = wire.ResultCanceled
		}
		j.report.record(wire.Record{ID: s.ID, State: wire.StateCompleted, Result: result})
		return
	}
	sr := &stepRun{jobRun: j, step: s, log: j.report.log(s.ID, s.Name), outputs: map[string]wire.VariableValue{}}
	now := time.Now().UTC()
	j.report.record(wire.Record{ID: s.ID, State: wire.StateInProgress, StartTime: &now, Name: j.vars.expand(s.DisplayName), WorkerName: j.settings.AgentName})
	result := wire.ResultFailed
	if err != nil {
		sr.issue("error", "the condition of the step: "+err.Error())
	} else {
		result = sr.run(ctx)
	}
	if result == wire.ResultFailed && s.ContinueOnError {
		result = wire.ResultSucceededWithIssues
	}
	j.take(result)
	end := time.Now().UTC()
	j.report.record(wire.Record{
		ID: s.ID, State: wire.StateCompleted, Result: result, FinishTime: &end,
		Issues: sr.issues, ErrorCount: sr.errors, WarningCount: sr.warnings, Variables: sr.outputs,
	})
}

// take takes a step's result into the job's.
func (j *jobRun) take(result string) {
	switch {
	case result == wire.ResultFailed:
		j.status = wire.ResultFailed
	case result == wire.ResultSucceededWithIssues && j.status == wire.ResultSucceeded:
		j.status = wire.ResultSucceededWithIssues
	}
	j.setStatus()
}

// run runs the step's task until it ends, its time is over or the job is canceled.
func (s *stepRun) run(ctx context.Context) string {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	timedOut := false
	if s.step.TimeoutInMinutes > 0 {
		limit := time.Duration(s.step.TimeoutInMinutes) * time.Minute
		timer := time.AfterFunc(limit, func() { timedOut = true; stop() })
		defer timer.Stop()
	}
	s.mu.Lock()
	canceledBefore := s.canceled
	s.stopStep = stop
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.stopStep = nil
		s.mu.Unlock()
	}()
	s.log.line("##[section]Starting: " + s.vars.expand(s.step.DisplayName))
	defer func() { s.log.line("##[section]Finishing: " + s.vars.expand(s.step.DisplayName)) }()
	err := s.task(ctx)
	switch {
	case errors.Is(err, errStopped) && timedOut:
		s.issue("error", fmt.Sprintf("the step ran longer than its %d minutes (timeoutInMinutes)", s.step.TimeoutInMinutes))
		return wire.ResultFailed
	case errors.Is(err, errStopped) && (s.isCanceled() || canceledBefore):
		s.log.line("##[error]The step was canceled.")
		return wire.ResultCanceled
	case err != nil:
		s.issue("error", err.Error())
		return wire.ResultFailed
	case s.result != "":
		return s.result
	}
	return wire.ResultSucceeded
}

func (s *stepRun) task(ctx context.Context) error {
	switch s.step.Reference.ID {
	case wire.TaskScript.ID, wire.TaskBash.ID:
		return s.script(ctx)
	case wire.TaskCheckout.ID:
		return s.checkout(ctx)
	case wire.TaskPublish.ID:
		return s.publish(ctx)
	case wire.TaskDownload.ID:
		return s.download(ctx)
	}
	return fmt.Errorf("the agent does not know the task %s (%s)", s.step.Reference.Name, s.step.Reference.ID)
}

// input is an input of the task, macros replaced.
func (s *stepRun) input(name string) string { return s.vars.expand(s.step.Inputs[name]) }

// script writes the script to a file and runs it.
func (s *stepRun) script(ctx context.Context) error {
	file := filepath.Join(s.folders.temp, s.step.ID+".sh")
	if err := os.WriteFile(file, []byte(s.input("script")+"\n"), 0o600); err != nil {
		return err
	}
	defer os.Remove(file)
	dir := s.input("workingDirectory")
	if dir == "" {
		dir = s.folders.sources
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(s.folders.sources, dir)
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return fmt.Errorf("the working directory %s does not exist", dir)
	}
	shell, err := shell(file)
	if err != nil {
		return err
	}
	p := process{args: shell, dir: dir, env: s.environment(s.step.Environment), stdout: s.output}
	complained := false
	if strings.EqualFold(s.input("failOnStderr"), "true") {
		p.stderr = func(line string) { complained = true; s.output(line) }
	}
	code, err := p.run(ctx)
	switch {
	case err != nil:
		return err
	case code != 0:
		return fmt.Errorf("the script ended with exit code %d", code)
	case complained:
		return errors.New("the script wrote to its standard error (failOnStderr)")
	}
	return nil
}

// shell is the command that runs a script; bash where there is one.
func shell(file string) ([]string, error) {
	if bash, err := exec.LookPath("bash"); err == nil {
		return []string{bash, "--noprofile", "--norc", "-e", file}, nil
	}
	sh, err := exec.LookPath("sh")
	if err != nil {
		return nil, errors.New("neither bash nor sh is installed")
	}
	return []string{sh, "-e", file}, nil
}

// output takes a line of the step's output: a command is carried out, anything
// else is logged.
func (s *stepRun) output(line string) {
	if c, ok := parseCommand(line); ok {
		s.command(c)
		return
	}
	s.log.line(line)
}

func (s *stepRun) command(c command) {
	switch c.name {
	case "task.setvariable":
		s.setVariable(c)
	case "task.setsecret":
		s.mask.add(c.data)
	case "task.logissue":
		if kind := c.properties["type"]; kind == "error" || kind == "warning" {
			s.issue(kind, c.data)
		} else {
			s.issue("warning", "##vso[task.logissue] needs type=error or type=warning: "+c.data)
		}
	case "task.complete":
		s.complete(c)
	case "task.prependpath":
		if c.data != "" {
			s.prepend = append([]string{c.data}, s.prepend...)
		}
	case "task.debug":
		s.log.line("##[debug]" + c.data)
	case "task.setprogress":
		s.log.line(c.data)
	default:
		s.issue("warning", "the agent does not know the command ##vso["+c.name+"]")
	}
}

func (s *stepRun) setVariable(c command) {
	name := c.properties["variable"]
	if name == "" {
		s.issue("error", "##vso[task.setvariable] needs variable=NAME")
		return
	}
	value := wire.VariableValue{Value: c.data, IsSecret: c.flag("issecret"), IsReadOnly: c.flag("isreadonly")}
	if value.IsSecret {
		s.mask.add(value.Value)
	}
	if c.flag("isoutput") {
		name = s.step.Name + "." + name
	}
	if !s.vars.set(name, value) {
		s.issue("warning", "variable "+name+" is read-only; its value stays")
		return
	}
	if c.flag("isoutput") {
		s.outputs[name] = value
		s.jobRun.outputs[name] = value
	}
}

func (s *stepRun) complete(c command) {
	for _, known := range []string{wire.ResultSucceeded, wire.ResultSucceededWithIssues, wire.ResultFailed, wire.ResultCanceled, wire.ResultSkipped} {
		if strings.EqualFold(c.properties["result"], known) {
			s.result = known
			if known == wire.ResultFailed && c.data != "" {
				s.issue("error", c.data)
			}
			return
		}
	}
	s.issue("warning", "##vso[task.complete] does not know the result "+c.properties["result"])
}

// issue notes an error or a warning, and logs it.
func (s *stepRun) issue(kind, message string) {
	s.log.line("##[" + kind + "]" + message)
	if kind == "error" {
		s.errors++
	} else {
		s.warnings++
	}
	if len(s.issues) < maxIssues {
		s.issues = append(s.issues, wire.Issue{Type: kind, Message: message})
	}
}
