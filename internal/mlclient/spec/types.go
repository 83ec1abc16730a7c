package spec

import "strings"

// TypeOf is the type of what a step's input is given: what it says itself, or the
// type of what it is bound to.
func (j Job) TypeOf(in Input) string {
	if in.Type != "" {
		return in.Type
	}
	expr, ok := expression(in.Value)
	if !ok {
		return "string"
	}
	path := strings.Split(expr, ".")
	switch {
	case len(path) == 3 && path[0] == "parent" && path[1] == "inputs":
		if source, ok := j.Inputs[path[2]]; ok && source.Type != "" {
			return source.Type
		}
	case len(path) == 5 && path[0] == "parent" && path[1] == "jobs" && path[3] == "outputs":
		step, ok := j.Steps[path[2]]
		if !ok {
			break
		}
		if o, ok := step.Outputs[path[4]]; ok && (step.Component == nil || step.Component.Outputs == nil) {
			return j.TypeOfOutput(o)
		}
		if step.Component != nil {
			if o, ok := step.Component.Outputs[path[4]]; ok && o.Type != "" {
				return o.Type
			}
		}
		return "uri_folder"
	}
	return "string"
}

// TypeOfOutput is the type of an output: its own, or that of the pipeline's
// output that it is bound to.
func (j Job) TypeOfOutput(o Output) string {
	if o.Type != "" {
		return o.Type
	}
	if expr, ok := expression(o.Bind); ok {
		if name, ok := strings.CutPrefix(expr, "parent.outputs."); ok && j.Outputs[name].Type != "" {
			return j.Outputs[name].Type
		}
	}
	return "uri_folder"
}

// expression is what stands in ${{ }} when the text is nothing else.
func expression(s string) (string, bool) {
	inner, ok := strings.CutPrefix(strings.TrimSpace(s), "${{")
	if !ok {
		return "", false
	}
	inner, ok = strings.CutSuffix(inner, "}}")
	return strings.TrimSpace(inner), ok && !strings.Contains(inner, "${{")
}
