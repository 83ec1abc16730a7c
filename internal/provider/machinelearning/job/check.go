package job

import (
	"errors"
	"fmt"
	"strings"
)

// check says everything that is wrong with a job.
func (j *Job) check() error {
	if j.Kind == Command {
		return errors.Join(j.checkCommand(), j.checkOwnInputs())
	}
	if len(j.Steps) == 0 {
		return errors.New("jobs: a pipeline needs at least one step")
	}
	errs := []error{j.checkOwnInputs()}
	for _, name := range names(j.Steps) {
		step := j.Steps[name]
		for _, err := range []error{step.checkCommand(), j.checkStepInputs(step), j.checkStepOutputs(step)} {
			if err != nil {
				errs = append(errs, fmt.Errorf("jobs.%s: %w", name, err))
			}
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	_, err := j.Order()
	return err
}

func (j *Job) checkCommand() error {
	var errs []error
	if strings.TrimSpace(j.Command) == "" {
		errs = append(errs, errors.New("command is missing"))
	}
	if j.Environment == "" {
		errs = append(errs, errors.New("environment is missing"))
	}
	if j.Compute == "" {
		errs = append(errs, errors.New("compute is missing, and the pipeline has no default_compute"))
	}
	t, err := ParseTemplate(j.Command)
	if err != nil {
		return errors.Join(append(errs, fmt.Errorf("command: %w", err))...)
	}
	for _, ref := range t.Refs() {
		switch ref.Scope {
		case Inputs:
			if _, ok := j.Inputs[ref.Name]; !ok {
				errs = append(errs, fmt.Errorf("command: %s: there is no such input; there is %s", ref, list(names(j.Inputs))))
			}
		case Outputs:
			if _, ok := j.Outputs[ref.Name]; !ok {
				errs = append(errs, fmt.Errorf("command: %s: there is no such output; there is %s", ref, list(names(j.Outputs))))
			}
		case JobName:
		default:
			errs = append(errs, fmt.Errorf("command: %s: a command sees its own inputs and outputs only", ref))
		}
	}
	return errors.Join(errs...)
}

// checkOwnInputs checks the inputs of a job that stands alone: literals and data.
func (j *Job) checkOwnInputs() error {
	var errs []error
	for _, name := range names(j.Inputs) {
		in := j.Inputs[name]
		if strings.Contains(in.Value, "${{") {
			errs = append(errs, fmt.Errorf("inputs.%s: %q: the inputs of a job that stands alone cannot be bound", name, clip(in.Value)))
		}
		if IsData(in.Type) && in.Value == "" && !in.Optional {
			errs = append(errs, fmt.Errorf("inputs.%s: a %s needs a path", name, in.Type))
		}
	}
	return errors.Join(errs...)
}

func (j *Job) checkStepInputs(step *Job) error {
	var errs []error
	for _, name := range names(step.Inputs) {
		in := step.Inputs[name]
		if !in.Given {
			if !in.Optional {
				errs = append(errs, fmt.Errorf("inputs.%s has no value, no default and is not optional", name))
			}
			continue
		}
		if err := j.checkBinding(step, in); err != nil {
			errs = append(errs, fmt.Errorf("inputs.%s: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

func (j *Job) checkBinding(step *Job, in Input) error {
	t, err := ParseTemplate(in.Value)
	if err != nil {
		return err
	}
	refs := t.Refs()
	if len(refs) == 0 {
		if IsData(in.Type) {
			return nil
		}
		return in.checkLiteral(in.Value)
	}
	for _, ref := range refs {
		source, err := j.source(step, ref)
		if err != nil {
			return err
		}
		_, whole := t.Whole()
		if IsData(source.Type) && !whole {
			return fmt.Errorf("%s is data: it must stand alone", ref)
		}
		if err := compatible(source, in, ref); err != nil {
			return err
		}
	}
	return nil
}

// source finds what a step's input refers to.
func (j *Job) source(step *Job, ref Ref) (Input, error) {
	switch ref.Scope {
	case ParentInputs:
		in, ok := j.Inputs[ref.Name]
		if !ok {
			return Input{}, fmt.Errorf("%s: the pipeline has no such input; it has %s", ref, list(names(j.Inputs)))
		}
		return in, nil
	case StepOutputs:
		other, ok := j.Steps[ref.Job]
		if !ok {
			return Input{}, fmt.Errorf("%s: there is no step %s; there is %s", ref, ref.Job, list(names(j.Steps)))
		}
		out, ok := other.Outputs[ref.Name]
		if !ok {
			return Input{}, fmt.Errorf("%s: the step %s has no such output; it has %s", ref, ref.Job, list(names(other.Outputs)))
		}
		if other == step {
			return Input{}, fmt.Errorf("%s: a step cannot wait for itself", ref)
		}
		return Input{Type: outputType(out), Given: true}, nil
	}
	return Input{}, fmt.Errorf("%s: a step's input is bound to parent.inputs.X or parent.jobs.STEP.outputs.X", ref)
}

// compatible refuses data for a literal and a literal for data. Data types among
// themselves are not refused: a folder that a model is in is a uri_folder.
func compatible(source, in Input, ref Ref) error {
	switch {
	case in.Type == "" || source.Type == "" && !source.Given:
		return nil
	case IsData(source.Type) && !IsData(in.Type):
		return fmt.Errorf("%s is a %s; the input is a %s", ref, source.Type, in.Type)
	case !IsData(source.Type) && IsData(in.Type):
		return fmt.Errorf("%s is not data; the input is a %s", ref, in.Type)
	case !IsData(in.Type) && source.Given && source.Value != "":
		return in.checkLiteral(source.Value)
	}
	return nil
}

func (j *Job) checkStepOutputs(step *Job) error {
	var errs []error
	for _, name := range names(step.Outputs) {
		bind := step.Outputs[name].Bind
		if bind == "" {
			continue
		}
		ref, err := wholeRef(bind)
		if err != nil || ref.Scope != ParentOutputs {
			errs = append(errs, fmt.Errorf("outputs.%s: %q: a step's output is bound to parent.outputs.X", name, clip(bind)))
			continue
		}
		if _, ok := j.Outputs[ref.Name]; !ok {
			errs = append(errs, fmt.Errorf("outputs.%s: %s: the pipeline has no such output; it has %s", name, ref, list(names(j.Outputs))))
		}
	}
	return errors.Join(errs...)
}

func wholeRef(s string) (Ref, error) {
	t, err := ParseTemplate(s)
	if err != nil {
		return Ref{}, err
	}
	ref, ok := t.Whole()
	if !ok {
		return Ref{}, fmt.Errorf("%w: %q", ErrTemplate, clip(s))
	}
	return ref, nil
}

// outputType is an output's type; a folder where none was declared.
func outputType(o Output) string {
	if o.Type == "" {
		return "uri_folder"
	}
	return o.Type
}

// Needs are the steps that a step waits for, in order.
func (j *Job) Needs(step string) []string {
	seen := map[string]int{}
	for _, in := range j.Steps[step].Inputs {
		t, err := ParseTemplate(in.Value)
		if err != nil || !in.Given {
			continue
		}
		for _, ref := range t.Refs() {
			if ref.Scope == StepOutputs {
				seen[ref.Job]++
			}
		}
	}
	return names(seen)
}

// Order is the steps so that each follows those it needs; among those that could
// come next, by name.
func (j *Job) Order() ([]string, error) {
	const (
		open = iota + 1
		done
	)
	state, order := map[string]int{}, []string{}
	var visit func(name string, path []string) error
	visit = func(name string, path []string) error {
		switch state[name] {
		case done:
			return nil
		case open:
			return fmt.Errorf("jobs: the steps wait for each other in a circle: %s", strings.Join(append(path, name), " -> "))
		}
		state[name] = open
		for _, need := range j.Needs(name) {
			if err := visit(need, append(path, name)); err != nil {
				return err
			}
		}
		state[name] = done
		order = append(order, name)
		return nil
	}
	for _, name := range names(j.Steps) {
		if err := visit(name, nil); err != nil {
			return nil, err
		}
	}
	return order, nil
}
