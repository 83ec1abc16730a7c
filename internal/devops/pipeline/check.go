package pipeline

import (
	"strings"

	"github.com/cloister-ml/cloister/internal/devops/expression"
)

const (
	maxStages = 100
	maxJobs   = 1000
)

// check holds what was read together: names are unique, dependencies exist and
// have an order, conditions are expressions.
func (r *reader) check(p *Pipeline) {
	for _, c := range r.conds {
		if _, err := expression.Parse(c.text); err != nil {
			r.fail(c.at, "in %q: %v", firstLine(c.text), err)
		}
	}
	if len(p.Stages) > maxStages {
		r.fail(bound{}, "a pipeline has at most %d stages", maxStages)
	}
	r.checkUpstream(p)
	graph := map[string][]string{}
	for _, s := range p.Stages {
		if _, twice := graph[strings.ToLower(s.Name)]; twice {
			r.fail(r.places["stage/"+s.Name], "two stages are named %s", s.Name)
		}
		graph[strings.ToLower(s.Name)] = lower(s.DependsOn)
	}
	r.checkGraph("stage", graph)
	for _, s := range p.Stages {
		r.checkJobs(s)
	}
}

func (r *reader) checkUpstream(p *Pipeline) {
	aliases := map[string]bool{}
	for _, u := range p.Upstream {
		if aliases[strings.ToLower(u.Alias)] {
			r.fail(bound{}, "two pipeline resources are named %s", u.Alias)
		}
		aliases[strings.ToLower(u.Alias)] = true
	}
	for _, s := range p.Stages {
		for _, j := range s.Jobs {
			for _, step := range j.Steps {
				if step.Kind == KindDownload && step.Target != "current" && step.Target != "none" && !aliases[strings.ToLower(step.Target)] {
					r.fail(r.places["job/"+j.Name], "download of job %s names no pipeline resource: %s", j.Name, step.Target)
				}
			}
		}
	}
}

func (r *reader) checkJobs(s Stage) {
	if len(s.Jobs) > maxJobs {
		r.fail(r.places["stage/"+s.Name], "a stage has at most %d jobs", maxJobs)
	}
	graph := map[string][]string{}
	ids := map[string]bool{}
	for _, j := range s.Jobs {
		if ids[strings.ToLower(j.ID())] {
			r.fail(r.places["job/"+j.Name], "two jobs of stage %s are named %s", s.Name, j.ID())
		}
		if _, other := graph[strings.ToLower(j.Name)]; other && j.Leg == "" {
			r.fail(r.places["job/"+j.Name], "two jobs of stage %s are named %s", s.Name, j.Name)
		}
		ids[strings.ToLower(j.ID())] = true
		graph[strings.ToLower(j.Name)] = lower(j.DependsOn)
		names := map[string]bool{}
		for _, step := range j.Steps {
			if step.Name != "" && names[strings.ToLower(step.Name)] {
				r.fail(r.places["job/"+j.Name], "two steps of job %s are named %s", j.Name, step.Name)
			}
			names[strings.ToLower(step.Name)] = true
		}
	}
	r.checkGraph("job", graph)
}

// checkGraph refuses dependencies that do not exist, and circles.
func (r *reader) checkGraph(what string, graph map[string][]string) {
	const visiting, done = 1, 2
	state := map[string]int{}
	var visit func(name string) bool
	visit = func(name string) bool {
		switch state[name] {
		case visiting:
			return false
		case done:
			return true
		}
		state[name] = visiting
		for _, d := range graph[name] {
			if _, known := graph[d]; !known {
				r.fail(r.place(what, name), "%s %s depends on %s, which does not exist", what, name, d)
				continue
			}
			if !visit(d) {
				r.fail(r.place(what, name), "%s %s depends on itself, by way of %s", what, name, d)
				break
			}
		}
		state[name] = done
		return true
	}
	for _, name := range keysOf(graph) {
		visit(name)
	}
}

func (r *reader) place(what, lowerName string) bound {
	for key, at := range r.places {
		if strings.EqualFold(key, what+"/"+lowerName) {
			return at
		}
	}
	return bound{}
}

func lower(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = strings.ToLower(n)
	}
	return out
}

func keysOf(graph map[string][]string) []string {
	o := expression.Object{}
	for k := range graph {
		o[k] = nil
	}
	return o.Keys()
}
