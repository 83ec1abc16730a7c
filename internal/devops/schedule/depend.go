package schedule

import (
	"strings"

	"github.com/cloister-ml/cloister/internal/devops/expression"
	"github.com/cloister-ml/cloister/internal/devops/pipeline"
	"github.com/cloister-ml/cloister/internal/devops/wire"
)

// dependency is a stage or a job that another one depends on.
type dependency struct {
	name    string
	state   string
	result  string
	outputs map[string]string
	direct  bool
}

// dependencies are all that one depends on, directly or by way of others.
type dependencies []dependency

func (d dependencies) completed() bool {
	for _, one := range d {
		if one.direct && one.state != wire.StateCompleted {
			return false
		}
	}
	return true
}

// object is what the name dependencies gives: the direct ones.
func (d dependencies) object() expression.Object {
	out := expression.Object{}
	for _, one := range d {
		if one.direct {
			out[one.name] = resultAndOutputs(one.result, one.outputs)
		}
	}
	return out
}

func resultAndOutputs(result string, outputs map[string]string) expression.Object {
	title := result
	if title != "" {
		title = strings.ToUpper(title[:1]) + title[1:]
	}
	return expression.Object{"result": title, "outputs": object(outputs)}
}

func (a *advance) stageDependencies(s pipeline.Stage) dependencies {
	byName := map[string]pipeline.Stage{}
	for _, other := range a.Pipeline.Stages {
		byName[strings.ToLower(other.Name)] = other
	}
	names := closure(s.DependsOn, func(name string) []string { return byName[name].DependsOn })
	var out dependencies
	for _, n := range names {
		other := byName[n.name]
		p := a.stageProgress(other.Name)
		out = append(out, dependency{other.Name, p.State, p.Result, a.stageOutputs(other), n.direct})
	}
	return out
}

// stageOutputs are a stage's outputs for a later stage's condition:
// job.step.variable.
func (a *advance) stageOutputs(s pipeline.Stage) map[string]string {
	out := map[string]string{}
	for _, j := range s.Jobs {
		for k, v := range a.jobOutputs(s.Name, j) {
			out[j.Name+"."+k] = v
		}
	}
	return out
}

// jobOutputs are a job's outputs as its dependants name them: step.variable, with
// the leg of a matrix or the name of a deployment job before it.
func (a *advance) jobOutputs(stage string, j pipeline.Job) map[string]string {
	prefix := ""
	switch {
	case j.Leg != "":
		prefix = j.Leg + "."
	case j.Deployment:
		prefix = j.Name + "."
	}
	out := map[string]string{}
	for k, v := range a.jobProgress(stage, j).Outputs {
		out[prefix+k] = v
	}
	return out
}

func (a *advance) jobDependencies(s pipeline.Stage, j pipeline.Job) dependencies {
	byName := map[string][]pipeline.Job{}
	for _, other := range s.Jobs {
		name := strings.ToLower(other.Name)
		byName[name] = append(byName[name], other)
	}
	names := closure(j.DependsOn, func(name string) []string {
		if legs := byName[name]; len(legs) > 0 {
			return legs[0].DependsOn
		}
		return nil
	})
	var out dependencies
	for _, n := range names {
		if legs := byName[n.name]; len(legs) > 0 {
			d := a.combined(s.Name, legs)
			d.direct = n.direct
			out = append(out, d)
		}
	}
	return out
}

// combined is a job as its dependants see it: all its legs together.
func (a *advance) combined(stage string, legs []pipeline.Job) dependency {
	d := dependency{name: legs[0].Name, state: wire.StateCompleted, outputs: map[string]string{}}
	var results []string
	for _, leg := range legs {
		p := a.jobProgress(stage, leg)
		if p.State != wire.StateCompleted {
			d.state = p.State
		}
		results = append(results, p.Result)
		for k, v := range a.jobOutputs(stage, leg) {
			d.outputs[k] = v
		}
	}
	d.result = Combine(results)
	return d
}

// stageJobs is what the name stageDependencies gives: the jobs of the stages that
// the job's own stage depends on directly.
func (a *advance) stageJobs(s pipeline.Stage) expression.Object {
	out := expression.Object{}
	for _, other := range a.Pipeline.Stages {
		if !containsFold(s.DependsOn, other.Name) {
			continue
		}
		byName := map[string][]pipeline.Job{}
		for _, j := range other.Jobs {
			byName[j.Name] = append(byName[j.Name], j)
		}
		jobs := expression.Object{}
		for name, legs := range byName {
			d := a.combined(other.Name, legs)
			jobs[name] = resultAndOutputs(d.result, d.outputs)
		}
		out[other.Name] = jobs
	}
	return out
}

type reached struct {
	name   string // lower case
	direct bool
}

// closure is everything that can be reached, direct ones first.
func closure(from []string, next func(name string) []string) []reached {
	var out []reached
	seen := map[string]bool{}
	add := func(names []string, direct bool) {
		for _, n := range names {
			if n = strings.ToLower(n); !seen[n] {
				seen[n] = true
				out = append(out, reached{n, direct})
			}
		}
	}
	add(from, true)
	for i := 0; i < len(out); i++ {
		add(next(out[i].name), false)
	}
	return out
}

func containsFold(names []string, name string) bool {
	for _, n := range names {
		if strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}
