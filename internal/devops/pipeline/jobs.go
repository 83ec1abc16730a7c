package pipeline

import (
	"fmt"
	"maps"

	"go.yaml.in/yaml/v4"
)

func (r *reader) stages(b bound, pool Pool) []Stage {
	var out []Stage
	for _, item := range r.items(b, "stages") {
		out = append(out, r.stage(item, pool, len(out), out))
	}
	if len(out) == 0 {
		r.fail(b, "stages is empty")
	}
	return out
}

func (r *reader) stage(b bound, pool Pool, number int, before []Stage) Stage {
	var s Stage
	if b.Kind == yaml.MappingNode {
		b = r.scoped(b, "variables", func(v bound) *scope {
			s.Variables = r.variables(v)
			return extend(v.scope, s.Variables)
		})
	}
	var jobs bound
	depends := false
	r.read(b, schema{what: "a stage", keys: map[string]func(at, value bound){
		"stage":       r.setText(&s.Name),
		"displayName": r.setText(&s.DisplayName),
		"dependsOn":   func(at, v bound) { s.DependsOn, depends = r.list(at, v), true },
		"condition":   r.setCondition(&s.Condition),
		"variables":   func(at, value bound) {},
		"pool":        func(_, v bound) { pool = r.pool(v) },
		"jobs":        func(_, v bound) { jobs = v },
	}, unsupported: map[string]string{
		"template":        "write the stage in this file",
		"parameters":      "only templates take parameters",
		"lockBehavior":    "environments have no locks",
		"trigger":         "every stage starts by itself; use condition",
		"isSkippable":     "a run is queued with the stages to skip",
		"templateContext": "only templates take a context",
	}})
	if s.Name == "" {
		s.Name = fmt.Sprintf("Stage%d", number+1)
	}
	r.identifier(b, "stage", s.Name)
	r.places["stage/"+s.Name] = b
	if !depends && len(before) > 0 {
		s.DependsOn = []string{before[len(before)-1].Name}
	}
	if jobs.Node == nil {
		r.fail(b, "stage %s has no jobs", s.Name)
		return s
	}
	s.Jobs = r.jobs(jobs, pool)
	return s
}

func (r *reader) jobs(b bound, pool Pool) []Job {
	var out []Job
	for _, item := range r.items(b, "jobs") {
		out = append(out, r.job(item, pool, len(out))...)
	}
	if len(out) == 0 {
		r.fail(b, "jobs is empty")
	}
	return out
}

// jobFields are a job's fields while it is read.
type jobFields struct {
	Job
	pool     *Pool
	strategy bound
	steps    bound
}

func (r *reader) job(b bound, pool Pool, number int) []Job {
	var j jobFields
	j.CancelMinutes, j.Minutes = 5, 60
	if b.Kind == yaml.MappingNode {
		b = r.scoped(b, "variables", func(v bound) *scope {
			j.Variables = r.variables(v)
			return extend(v.scope, j.Variables)
		})
	}
	keys := map[string]func(at, value bound){
		"job":         r.setText(&j.Name),
		"deployment":  func(_, v bound) { j.Name, j.Deployment = r.text(r.resolve(v)), true },
		"displayName": r.setText(&j.DisplayName),
		"dependsOn":   r.setList(&j.DependsOn),
		"condition":   r.setCondition(&j.Condition),
		"variables":   func(at, value bound) {},
		"pool":        func(_, v bound) { p := r.pool(v); j.pool = &p },
		"steps":       func(_, v bound) { j.steps = v },
		"environment": func(_, v bound) { r.environment(v, &j.Environment) },
	}
	r.jobKeys(keys, &j, true)
	r.read(b, schema{what: "a job", keys: keys, unsupported: map[string]string{
		"template":        "write the job in this file",
		"parameters":      "only templates take parameters",
		"container":       "jobs run on the agent itself",
		"services":        "jobs run on the agent itself",
		"uses":            "a job checks out its own repository",
		"templateContext": "only templates take a context",
	}})
	if j.Name == "" {
		j.Name = fmt.Sprintf("Job%d", number+1)
	}
	r.identifier(b, "job", j.Name)
	return r.finishJob(b, j, pool)
}

// jobKeys are the keys that a job and a pipeline of one job have in common.
func (r *reader) jobKeys(keys map[string]func(at, value bound), j *jobFields, inJob bool) {
	if !inJob {
		j.CancelMinutes, j.Minutes = 5, 60
	}
	maps.Copy(keys, map[string]func(at, value bound){
		"timeoutInMinutes":       r.setWhole(&j.Minutes, 100_000),
		"cancelTimeoutInMinutes": r.setWhole(&j.CancelMinutes, 100_000),
		"continueOnError":        r.setBool(&j.ContinueOn),
		"strategy":               func(_, v bound) { j.strategy = v },
		"workspace":              func(_, v bound) { r.workspace(v, &j.Clean) },
	})
}

func (r *reader) workspace(b bound, clean *string) {
	r.read(b, schema{what: "workspace", keys: map[string]func(at, value bound){"clean": r.setText(clean)}})
	switch *clean {
	case "", "all", "outputs", "resources":
	default:
		r.fail(b, "clean of workspace must be outputs, resources or all, not %q", *clean)
	}
}

func (r *reader) environment(b bound, name *string) {
	b = r.resolve(b)
	if b.Kind == yaml.ScalarNode {
		*name = r.text(b)
		return
	}
	r.read(b, schema{what: "environment", keys: map[string]func(at, value bound){"name": r.setText(name)},
		unsupported: map[string]string{
			"resourceName": "environments have no resources",
			"resourceType": "environments have no resources",
			"resourceId":   "environments have no resources",
			"tags":         "environments have no resources",
		}})
}

// finishJob makes the job, or the legs of its matrix.
func (r *reader) finishJob(b bound, j jobFields, pool Pool) []Job {
	if j.pool != nil {
		pool = *j.pool
	}
	if pool.Name == "" {
		pool.Name = "Default"
	}
	j.Pool = pool
	r.places["job/"+j.Name] = b
	if j.Deployment {
		r.deployment(b, &j)
	} else if j.Environment != "" {
		r.fail(b, "environment is a key of deployment jobs")
	}
	legs := []leg{{}}
	if !j.Deployment && j.strategy.Node != nil {
		legs = r.matrix(j.strategy, &j.MaxParallel)
	}
	if j.steps.Node == nil {
		r.fail(b, "job %s has no steps", j.Name)
		return nil
	}
	j.Steps = r.steps(j.steps, j.Deployment)
	var out []Job
	for _, l := range legs {
		one := j.Job
		one.Leg = l.name
		one.Variables = append(append([]Variable{}, j.Variables...), l.variables...)
		out = append(out, one)
	}
	return out
}

func (r *reader) deployment(b bound, j *jobFields) {
	if j.steps.Node != nil {
		r.fail(b, "a deployment job has its steps under strategy.runOnce.deploy")
		return
	}
	if j.strategy.Node == nil {
		r.fail(b, "deployment job %s has no strategy", j.Name)
		return
	}
	onlyRunOnce := "use runOnce"
	r.read(j.strategy, schema{what: "strategy", keys: map[string]func(at, value bound){
		"runOnce": func(_, v bound) {
			const one = "put the steps under deploy"
			r.read(v, schema{what: "runOnce", keys: map[string]func(at, value bound){
				"deploy": func(_, v bound) {
					r.read(v, schema{what: "deploy", keys: map[string]func(at, value bound){
						"steps": func(_, v bound) { j.steps = v },
						"pool":  func(_, v bound) { j.Pool = r.pool(v) },
					}})
				},
			}, unsupported: map[string]string{
				"preDeploy": one, "routeTraffic": one, "postRouteTraffic": one,
				"on": "give a later job the condition failed() or succeeded()",
			}})
		},
	}, unsupported: map[string]string{"rolling": onlyRunOnce, "canary": onlyRunOnce}})
}

type leg struct {
	name      string
	variables []Variable
}

const maxLegs = 256

func (r *reader) matrix(b bound, maxParallel *int) []leg {
	var legs []leg
	r.read(b, schema{what: "strategy", keys: map[string]func(at, value bound){
		"maxParallel": r.setWhole(maxParallel, maxLegs),
		"matrix": func(_, v bound) {
			v = r.resolve(v)
			if v.Kind == yaml.ScalarNode {
				r.fail(v, "a matrix must be written out: one mapping of variables for each leg")
				return
			}
			for _, f := range r.fields(v, "matrix") {
				l := leg{name: f.key}
				r.identifier(f.at, "matrix leg", f.key)
				for _, variable := range r.fields(f.value, "a leg of matrix") {
					l.variables = append(l.variables, Variable{Name: variable.key, Value: r.text(variable.value)})
				}
				legs = append(legs, l)
			}
		},
	}, unsupported: map[string]string{"parallel": "write the legs as a matrix"}})
	if len(legs) == 0 || len(legs) > maxLegs {
		r.fail(b, "a matrix has 1 to %d legs, not %d", maxLegs, len(legs))
		return nil
	}
	return legs
}

func (r *reader) identifier(at bound, what, name string) {
	if !isIdentifier(name) || len(name) > 100 {
		r.fail(at, "the name %q of a %s must be letters, digits and _, and not begin with a digit", name, what)
	}
}
