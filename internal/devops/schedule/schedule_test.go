package schedule_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/cloister-ml/cloister/internal/devops/pipeline"
	"github.com/cloister-ml/cloister/internal/devops/schedule"
	"github.com/cloister-ml/cloister/internal/devops/wire"
)

// play runs a pipeline to its end: outcome says how each job ends, "" succeeds.
// Jobs end in the order in which they began. It gives what happened, in order.
func play(t *testing.T, yaml string, outcome map[string]string, outputs map[string]string) []string {
	t.Helper()
	p, err := pipeline.Read("p.yml", []byte(yaml), pipeline.Inputs{})
	if err != nil {
		t.Fatal(err)
	}
	run := newRun(p)
	var events, running []string
	for {
		for _, c := range schedule.Advance(run) {
			switch c.Kind {
			case schedule.StageStarted:
				events = append(events, c.Stage+" begins")
			case schedule.StageFinished:
				events = append(events, c.Stage+" "+c.Result)
			case schedule.JobStarted:
				key := schedule.JobKey(c.Stage, c.Job)
				events = append(events, key+" begins"+show(c.Variables))
				running = append(running, key)
			case schedule.JobFinished:
				events = append(events, schedule.JobKey(c.Stage, c.Job)+" "+c.Result)
			case schedule.RunFinished:
				return append(events, "run "+c.Result)
			}
		}
		if len(running) == 0 {
			return append(events, "stuck")
		}
		end(run, running[0], outcome, outputs)
		running = running[1:]
	}
}

func newRun(p *pipeline.Pipeline) *schedule.Run {
	return &schedule.Run{Pipeline: p, Variables: map[string]string{}, Stages: map[string]*schedule.Progress{}, Jobs: map[string]*schedule.Progress{}}
}

func end(run *schedule.Run, key string, outcome, outputs map[string]string) {
	p := run.Jobs[key]
	p.State, p.Result, p.Outputs = wire.StateCompleted, wire.ResultSucceeded, map[string]string{}
	if r, ok := outcome[key]; ok {
		p.Result = r
	}
	for k, v := range outputs {
		if name, ok := strings.CutPrefix(k, key+"/"); ok {
			p.Outputs[name] = v
		}
	}
}

func show(variables map[string]string) string {
	out := ""
	if v, ok := variables["v"]; ok {
		out = " v=" + v
	}
	return out
}

// jobs makes YAML of jobs: "a", "b<a" (depends on a), "c<a,b if failed()".
func jobs(indent string, specs ...string) string {
	var b strings.Builder
	for _, spec := range specs {
		spec, condition, conditional := strings.Cut(spec, " if ")
		name, deps, depends := strings.Cut(spec, "<")
		fmt.Fprintf(&b, "%s- job: %s\n%s  steps: [{checkout: none}]\n", indent, name, indent)
		if depends {
			fmt.Fprintf(&b, "%s  dependsOn: [%s]\n", indent, deps)
		}
		if conditional {
			fmt.Fprintf(&b, "%s  condition: %s\n", indent, condition)
		}
	}
	return b.String()
}

// What the results of dependencies mean for those that depend on them.
func TestJobConditions(t *testing.T) {
	failed := map[string]string{"__default.a": wire.ResultFailed}
	for _, c := range []struct {
		name    string
		jobs    []string
		outcome map[string]string
		want    string // of the jobs, in order
	}{
		{"all at once", []string{"a", "b"}, nil, "a begins, b begins"},
		{"one after the other", []string{"b<a", "a"}, nil, "a begins, b begins"},
		{"failed: what needs it is skipped", []string{"a", "b<a", "c<b"}, failed, "a begins, b skipped, c skipped"},
		{"failed: who asks for that runs", []string{"a", "b<a if failed()", "c<a if always()", "d<a if succeededOrFailed()"}, failed, "a begins, b begins, c begins, d begins"},
		{"succeeded: who asks for failure is skipped", []string{"a", "b<a if failed()"}, nil, "a begins, b skipped"},
		{"an ancestor's failure counts too", []string{"a", "b<a if always()", "c<b", "d<b if failed()"}, failed, "a begins, b begins, c skipped, d begins"},
		{"named dependencies", []string{"a", "b", "c<a,b if succeeded('b')", "d<a,b if failed('b')"}, failed, "a begins, b begins, c begins, d skipped"},
		{"results can be read", []string{"a", "b<a if eq(dependencies.a.result, 'Failed')", "c<a if in(dependencies.a.result, 'Succeeded', 'Skipped')"}, failed, "a begins, b begins, c skipped"},
		{"a condition may forget its dependencies", []string{"a", "b<a if eq(1, 1)"}, failed, "a begins, b begins"},
		{"issues are a success", []string{"a", "b<a"}, map[string]string{"__default.a": wire.ResultSucceededWithIssues}, "a begins, b begins"},
		{"a lost agent is a failure", []string{"a", "b<a", "c<a if failed()"}, map[string]string{"__default.a": wire.ResultAbandoned}, "a begins, b skipped, c begins"},
		{"a condition that cannot be evaluated fails", []string{"a", "b<a if gt(1, 'x')"}, nil, "a begins, b failed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, e := range play(t, "jobs:\n"+jobs("", c.jobs...), c.outcome, nil) {
				if job, ok := strings.CutPrefix(e, "__default."); ok {
					got = append(got, job)
				}
			}
			if strings.Join(got, ", ") != c.want {
				t.Errorf("got %q, want %q", strings.Join(got, ", "), c.want)
			}
		})
	}
}

func TestStages(t *testing.T) {
	const three = "stages:\n- stage: s1\n  jobs: [{job: a, steps: [checkout: none]}]\n- stage: s2\n  %s\n  jobs: [{job: b, %s steps: [checkout: none]}]\n- stage: s3\n  jobs: [{job: c, steps: [checkout: none]}]\n"
	for _, c := range []struct {
		name, stage, job string
		outcome, outputs map[string]string
		want             string
	}{
		{"in order", "", "", nil, nil, "s1 begins, s1.a begins, s1 succeeded, s2 begins, s2.b begins, s2 succeeded, s3 begins, s3.c begins, s3 succeeded, run succeeded"},
		{"a failure skips the rest", "", "", map[string]string{"s1.a": "failed"}, nil, "s1 begins, s1.a begins, s1 failed, s2 skipped, s3 skipped, run failed"},
		{"a stage that mends", "condition: failed()", "", map[string]string{"s1.a": "failed"}, nil, "s1 begins, s1.a begins, s1 failed, s2 begins, s2.b begins, s2 succeeded, s3 skipped, run failed"},
		{"at once", "dependsOn: []", "", nil, nil, "s1 begins, s1.a begins, s2 begins, s2.b begins, s1 succeeded, s2 succeeded, s3 begins, s3.c begins, s3 succeeded, run succeeded"},
		{"an output decides", "condition: eq(dependencies.s1.outputs['a.step.x'], 'go')", "", nil, map[string]string{"s1.a/step.x": "go"}, "s1 begins, s1.a begins, s1 succeeded, s2 begins, s2.b begins, s2 succeeded, s3 begins, s3.c begins, s3 succeeded, run succeeded"},
		{"an output is missing", "condition: eq(dependencies.s1.outputs['a.step.x'], 'go')", "", nil, nil, "s1 begins, s1.a begins, s1 succeeded, s2 skipped, s3 skipped, run succeeded"},
		{"a job reads another stage's output", "", "variables: {v: \"$[ stageDependencies.s1.a.outputs['step.x'] ]\"},", nil, map[string]string{"s1.a/step.x": "7"}, "s1 begins, s1.a begins, s1 succeeded, s2 begins, s2.b begins v=7, s2 succeeded, s3 begins, s3.c begins, s3 succeeded, run succeeded"},
		{"issues are told of the whole", "", "", map[string]string{"s2.b": "succeededWithIssues"}, nil, "s1 begins, s1.a begins, s1 succeeded, s2 begins, s2.b begins, s2 succeededWithIssues, s3 begins, s3.c begins, s3 succeeded, run succeededWithIssues"},
	} {
		t.Run(c.name, func(t *testing.T) {
			yaml := fmt.Sprintf(three, c.stage, c.job)
			if got := strings.Join(play(t, yaml, c.outcome, c.outputs), ", "); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestMaxParallel(t *testing.T) {
	got := play(t, "jobs:\n- job: m\n  strategy: {maxParallel: 1, matrix: {x: {v: 1}, y: {v: 2}}}\n  steps: [{checkout: none}]\n", nil, nil)
	want := "__default begins, __default.m x begins v=1, __default.m y begins v=2, __default succeeded, run succeeded"
	if strings.Join(got, ", ") != want {
		t.Errorf("got %q", got)
	}
	run := newRun(must(t, "jobs:\n- job: m\n  strategy: {maxParallel: 2, matrix: {x: {v: 1}, y: {v: 2}, z: {v: 3}}}\n  steps: [{checkout: none}]\n"))
	if n := len(schedule.Advance(run)); n != 3 {
		t.Errorf("%d changes, want the stage and two legs", n)
	}
}

func must(t *testing.T, yaml string) *pipeline.Pipeline {
	t.Helper()
	p, err := pipeline.Read("p.yml", []byte(yaml), pipeline.Inputs{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Whatever the graph, the conditions and the outcomes: a run comes to its end,
// nothing begins before what it waits for has ended or begins twice, a cancel
// begins nothing but what asks for it, and asking again changes nothing.
func TestModel(t *testing.T) {
	conditions := []string{"", "", "always()", "failed()", "succeededOrFailed()", "canceled()", "eq(1, 2)", "gt(1, 'x')"}
	outcomes := []string{wire.ResultSucceeded, wire.ResultSucceeded, wire.ResultFailed, wire.ResultSucceededWithIssues, wire.ResultCanceled, wire.ResultAbandoned}
	rapid.Check(t, func(rt *rapid.T) {
		p := &pipeline.Pipeline{}
		for s := range rapid.IntRange(1, 4).Draw(rt, "stages") {
			stage := pipeline.Stage{Name: fmt.Sprintf("s%d", s), Condition: rapid.SampledFrom(conditions).Draw(rt, "condition")}
			for d := range s {
				if rapid.Bool().Draw(rt, "depends") {
					stage.DependsOn = append(stage.DependsOn, fmt.Sprintf("s%d", d))
				}
			}
			for j := range rapid.IntRange(1, 4).Draw(rt, "jobs") {
				job := pipeline.Job{Name: fmt.Sprintf("j%d", j), Condition: rapid.SampledFrom(conditions).Draw(rt, "job condition")}
				for d := range j {
					if rapid.Bool().Draw(rt, "job depends") {
						job.DependsOn = append(job.DependsOn, fmt.Sprintf("j%d", d))
					}
				}
				stage.Jobs = append(stage.Jobs, job)
			}
			p.Stages = append(p.Stages, stage)
		}
		run := newRun(p)
		cancelAt := rapid.IntRange(0, 12).Draw(rt, "cancel")
		begun := map[string]bool{}
		var running []string
		for round := 0; ; round++ {
			if round > 100 {
				rt.Fatal("the run does not end")
			}
			if round == cancelAt {
				run.Canceling = true
			}
			done := false
			for _, c := range schedule.Advance(run) {
				switch c.Kind {
				case schedule.JobStarted:
					checkBegin(rt, run, c, begun)
					running = append(running, schedule.JobKey(c.Stage, c.Job))
				case schedule.RunFinished:
					done = true
				}
			}
			if done {
				if len(running) > 0 {
					rt.Fatalf("the run ended while %v run", running)
				}
				return
			}
			if again := schedule.Advance(run); len(again) > 0 {
				rt.Fatalf("asked again, it says %v", again)
			}
			if len(running) == 0 {
				rt.Fatal("nothing runs and the run has not ended")
			}
			i := rapid.IntRange(0, len(running)-1).Draw(rt, "which")
			end(run, running[i], map[string]string{running[i]: rapid.SampledFrom(outcomes).Draw(rt, "outcome")}, nil)
			running = slices.Delete(running, i, i+1)
		}
	})
}

func checkBegin(rt *rapid.T, run *schedule.Run, c schedule.Change, begun map[string]bool) {
	key := schedule.JobKey(c.Stage, c.Job)
	if begun[key] {
		rt.Fatalf("%s begins twice", key)
	}
	begun[key] = true
	for _, d := range c.Job.DependsOn {
		if p := run.Jobs[c.Stage+"."+d]; p == nil || p.State != wire.StateCompleted {
			rt.Fatalf("%s begins before %s ended", key, d)
		}
	}
	for _, s := range run.Pipeline.Stages {
		if s.Name != c.Stage {
			continue
		}
		for _, d := range s.DependsOn {
			if p := run.Stages[d]; p == nil || p.State != wire.StateCompleted {
				rt.Fatalf("stage %s begins before %s ended", c.Stage, d)
			}
		}
		asks := c.Job.Condition == "always()" || c.Job.Condition == "canceled()" || c.Job.Condition == "failed()"
		if run.Canceling && !asks && !run.Stages[c.Stage].AfterCancel {
			rt.Fatalf("%s begins after the cancel with the condition %q", key, c.Job.Condition)
		}
	}
}
