package schedule

import (
	"fmt"
	"maps"
	"strings"

	"github.com/cloister-ml/cloister/internal/devops/expression"
	"github.com/cloister-ml/cloister/internal/devops/pipeline"
	"github.com/cloister-ml/cloister/internal/devops/wire"
)

// holds evaluates a condition; an empty one is succeeded(). With canceled nothing
// counts as succeeded.
func (a *advance) holds(condition string, names map[string]expression.Value, deps dependencies, canceled bool) (bool, error) {
	if condition == "" {
		condition = "succeeded()"
	}
	v, err := expression.Evaluate(condition, expression.Context{
		Names: names,
		Status: func(function string, of []string) bool {
			return a.status(deps, function, of, canceled)
		},
	})
	return expression.Truth(v), err
}

// status answers a status function for the dependencies named, or all of them.
func (a *advance) status(deps dependencies, function string, names []string, canceled bool) bool {
	var results []string
	for _, d := range deps {
		if len(names) == 0 || containsFold(names, d.name) {
			results = append(results, d.result)
		}
	}
	complete := len(names) == 0 || len(results) >= len(names)
	switch function {
	case "canceled":
		return a.Canceling
	case "failed":
		return any1(results, isFailed)
	case "succeeded":
		return !canceled && complete && all(results, isSucceeded)
	case "succeededorfailed":
		return !canceled && (len(results) == 0 || any1(results, func(r string) bool { return isSucceeded(r) || isFailed(r) }))
	}
	return false
}

func isSucceeded(result string) bool {
	return result == wire.ResultSucceeded || result == wire.ResultSucceededWithIssues
}

func isFailed(result string) bool {
	return result == wire.ResultFailed || result == wire.ResultAbandoned
}

func all(results []string, holds func(string) bool) bool {
	for _, r := range results {
		if !holds(r) {
			return false
		}
	}
	return true
}

func any1(results []string, holds func(string) bool) bool {
	for _, r := range results {
		if holds(r) {
			return true
		}
	}
	return false
}

// EvaluateVariables evaluates the $[ ] among variables, in order: each sees those
// before it. outer are the variables around them.
func EvaluateVariables(declared []pipeline.Variable, outer map[string]string, names map[string]expression.Value) (map[string]string, error) {
	return evaluateVariables(declared, outer, names, nil)
}

// EvaluateRunVariables evaluates a run's own variables, where counter is allowed.
func EvaluateRunVariables(declared []pipeline.Variable, outer map[string]string, counter func(prefix string, seed int64) (int64, error)) (map[string]string, error) {
	return evaluateVariables(declared, outer, nil, counter)
}

func evaluateVariables(declared []pipeline.Variable, outer map[string]string, names map[string]expression.Value, counter func(string, int64) (int64, error)) (map[string]string, error) {
	out := map[string]string{}
	for _, v := range declared {
		inner, runtime := expression.IsRuntime(v.Value)
		if !runtime {
			out[v.Name] = v.Value
			continue
		}
		visible := maps.Clone(names)
		if visible == nil {
			visible = map[string]expression.Value{}
		}
		visible["variables"] = object(merge(outer, out))
		value, err := expression.Evaluate(inner, expression.Context{Names: visible, Counter: counter})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", v.Name, err)
		}
		out[v.Name] = expression.String(value)
	}
	return out, nil
}

// literals are the variables that need no evaluation.
func literals(declared []pipeline.Variable) map[string]string {
	out := map[string]string{}
	for _, v := range declared {
		if _, runtime := expression.IsRuntime(v.Value); !runtime {
			out[v.Name] = v.Value
		}
	}
	return out
}

func object(values map[string]string) expression.Object {
	out := expression.Object{}
	for k, v := range values {
		out[k] = v
	}
	return out
}

// merge lays maps over one another, without regard to the case of names.
func merge(layers ...map[string]string) map[string]string {
	out := map[string]string{}
	spelling := map[string]string{}
	for _, layer := range layers {
		for k, v := range layer {
			if old, ok := spelling[strings.ToLower(k)]; ok {
				delete(out, old)
			}
			spelling[strings.ToLower(k)] = k
			out[k] = v
		}
	}
	return out
}
