package pipeline

import (
	"maps"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/cloister-ml/cloister/internal/devops/expression"
)

func (r *reader) root(b bound) *Pipeline {
	p := &Pipeline{}
	if b.Kind != yaml.MappingNode {
		r.fail(b, "a pipeline must be a mapping of keys to values, not %s", kindOf(b))
		return p
	}
	// Parameters and variables are read first: everything else may use them.
	b = r.scoped(b, "parameters", func(value bound) *scope { return r.parameters(value, p) })
	b = r.scoped(b, "variables", func(value bound) *scope {
		p.Variables = r.variables(value)
		return extend(value.scope, p.Variables)
	})
	var (
		pool          Pool
		stages, jobs  bound
		single        jobFields
		ignore, steps = func(at, value bound) {}, bound{}
	)
	keys := map[string]func(at, value bound){
		"name":       r.setText(&p.Name),
		"trigger":    func(_, v bound) { p.Trigger = r.trigger(v) },
		"pr":         func(_, v bound) { r.noPullRequests(v) },
		"resources":  func(_, v bound) { p.Upstream = r.resources(v) },
		"parameters": ignore,
		"variables":  ignore,
		"pool":       func(_, v bound) { pool = r.pool(v) },
		"stages":     func(_, v bound) { stages = v },
		"jobs":       func(_, v bound) { jobs = v },
		"steps":      func(_, v bound) { steps = v },
	}
	r.jobKeys(keys, &single, false)
	r.read(b, schema{what: "the pipeline", keys: keys, unsupported: unsupportedRoot})
	switch {
	case stages.Node != nil && (jobs.Node != nil || steps.Node != nil), jobs.Node != nil && steps.Node != nil:
		r.fail(b, "a pipeline has stages, or jobs, or steps: not two of them")
	case stages.Node != nil:
		p.Stages = r.stages(stages, pool)
	case jobs.Node != nil:
		p.Stages = []Stage{{Name: DefaultStage, Jobs: r.jobs(jobs, pool)}}
	case steps.Node != nil:
		single.steps = steps
		single.Name = DefaultJob
		p.Stages = []Stage{{Name: DefaultStage, Jobs: r.finishJob(b, single, pool)}}
	default:
		r.fail(b, "the pipeline has no stages, jobs or steps")
	}
	return p
}

var unsupportedRoot = map[string]string{
	"extends":                      "write the stages in this file",
	"schedules":                    "queue runs with `cloister pipelines run`",
	"lockBehavior":                 "environments have no locks",
	"container":                    "jobs run on the agent itself",
	"services":                     "jobs run on the agent itself",
	"target":                       "jobs run on the agent itself",
	"appendCommitMessageToRunName": "run names are made of name alone",
}

// scoped finds a key among b's own and binds b to the scope that reading it makes.
func (r *reader) scoped(b bound, key string, read func(value bound) *scope) bound {
	for i := 0; i+1 < len(b.Content); i += 2 {
		if b.Content[i].Value == key {
			return bound{b.Node, read(bound{b.Content[i+1], b.scope})}
		}
	}
	return b
}

// extend adds variables to a scope's own.
func extend(s *scope, variables []Variable) *scope {
	all := expression.Object{}
	if before, ok := s.names["variables"].(expression.Object); ok {
		maps.Copy(all, before)
	}
	for _, v := range variables {
		for k := range all {
			if strings.EqualFold(k, v.Name) {
				delete(all, k)
			}
		}
		all[v.Name] = v.Value
	}
	return s.with("variables", all)
}

func (r *reader) trigger(b bound) Trigger {
	var t Trigger
	b = r.resolve(b)
	switch {
	case b.Kind == yaml.ScalarNode && strings.EqualFold(r.text(b), "none"):
		t.None = true
	case b.Kind == yaml.ScalarNode:
		r.fail(b, "trigger must be none, a list of branches, or a mapping with branches and paths")
	case b.Kind == yaml.SequenceNode:
		t.Include.Include = r.list(bound{Node: &yaml.Node{Value: "trigger"}}, b)
	default:
		batch := false
		r.read(b, schema{what: "trigger", keys: map[string]func(at, value bound){
			"branches": func(at, v bound) { t.Include = r.filter(at, v) },
			"paths":    func(at, v bound) { t.Paths = r.filter(at, v) },
			"batch":    r.setBool(&batch),
		}, unsupported: map[string]string{"tags": "name branches instead"}})
		if batch {
			r.fail(b, "batch of trigger is not supported: each push starts a run of its own")
		}
	}
	return t
}

func (r *reader) filter(at, b bound) Filter {
	var f Filter
	b = r.resolve(b)
	if b.Kind != yaml.MappingNode {
		f.Include = r.list(at, b)
		return f
	}
	r.read(b, schema{what: at.Value, keys: map[string]func(at, value bound){
		"include": r.setList(&f.Include),
		"exclude": r.setList(&f.Exclude),
	}})
	return f
}

func (r *reader) noPullRequests(b bound) {
	if b.Kind != yaml.ScalarNode || !strings.EqualFold(r.text(b), "none") {
		r.fail(b, "pr must be none: the repositories here have no pull requests")
	}
}

func (r *reader) resources(b bound) []Upstream {
	var out []Upstream
	r.read(b, schema{what: "resources", keys: map[string]func(at, value bound){
		"pipelines": func(_, v bound) {
			for _, item := range r.items(v, "resources.pipelines") {
				out = append(out, r.upstream(item))
			}
		},
	}, unsupported: map[string]string{
		"repositories": "a pipeline checks out its own repository",
		"containers":   "jobs run on the agent itself",
		"builds":       "name another pipeline under pipelines",
		"packages":     "fetch packages in a script",
		"webhooks":     "queue runs with `cloister pipelines run`",
	}})
	return out
}

func (r *reader) upstream(b bound) Upstream {
	var u Upstream
	r.read(b, schema{what: "a pipeline resource", keys: map[string]func(at, value bound){
		"pipeline": r.setText(&u.Alias),
		"source":   r.setText(&u.Source),
		"trigger":  func(_, v bound) { r.upstreamTrigger(v, &u) },
	}, unsupported: map[string]string{
		"project": "name a pipeline of the same project",
		"version": "the newest run that succeeded is taken",
		"branch":  "filter by trigger.branches",
		"tags":    "filter by trigger.branches",
	}})
	if u.Alias == "" {
		r.fail(b, "a pipeline resource needs a name: `pipeline: NAME`")
	}
	if u.Source == "" {
		u.Source = u.Alias
	}
	return u
}

func (r *reader) upstreamTrigger(b bound, u *Upstream) {
	b = r.resolve(b)
	if b.Kind == yaml.ScalarNode {
		switch text := strings.ToLower(r.text(b)); text {
		case "true":
			u.Trigger = true
		case "none", "false":
		default:
			r.fail(b, "trigger of a pipeline resource must be true, none or a mapping, not %q", text)
		}
		return
	}
	u.Trigger = true
	r.read(b, schema{what: "trigger of a pipeline resource", keys: map[string]func(at, value bound){
		"enabled":  r.setBool(&u.Trigger),
		"branches": func(at, v bound) { u.Branches = r.filter(at, v) },
		"stages":   r.setList(&u.Stages),
	}, unsupported: map[string]string{"tags": "filter by branches or stages"}})
}

func (r *reader) pool(b bound) Pool {
	var p Pool
	b = r.resolve(b)
	if b.Kind == yaml.ScalarNode {
		p.Name = r.text(b)
		if p.Name == "" {
			r.fail(b, "pool needs a name")
		}
		return p
	}
	r.read(b, schema{what: "pool", keys: map[string]func(at, value bound){
		"name":    r.setText(&p.Name),
		"demands": r.setList(&p.Demands),
	}, unsupported: map[string]string{
		"vmImage": "there are no Microsoft-hosted agents; name a pool of your own with `name`",
	}})
	return p
}
