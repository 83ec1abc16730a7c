package job

import (
	"errors"
	"fmt"
	"strings"
)

// ErrTemplate is wrapped by errors about expressions.
var ErrTemplate = errors.New("not an expression")

// Ref is what stands between ${{ and }}.
type Ref struct {
	Scope Scope
	Job   string // of a parent.jobs reference
	Name  string // of the input or output
}

// Scope says where a reference looks.
type Scope string

// The scopes.
const (
	Inputs        Scope = "inputs"         // the step's own input
	Outputs       Scope = "outputs"        // the step's own output
	ParentInputs  Scope = "parent.inputs"  // the pipeline's input
	ParentOutputs Scope = "parent.outputs" // the pipeline's output
	StepOutputs   Scope = "parent.jobs"    // another step's output
	JobName       Scope = "name"           // the job's name
)

func (r Ref) String() string {
	switch r.Scope {
	case JobName:
		return "${{name}}"
	case StepOutputs:
		return "${{parent.jobs." + r.Job + ".outputs." + r.Name + "}}"
	}
	return "${{" + string(r.Scope) + "." + r.Name + "}}"
}

// part is a piece of a template: text, a reference, or an optional block.
type part struct {
	text  string
	ref   *Ref
	block []part // of $[[ ... ]]
}

// Template is a text with references.
type Template struct{ parts []part }

// ParseTemplate reads a text with ${{...}} references and $[[...]] blocks.
func ParseTemplate(s string) (Template, error) {
	parts, err := parseParts(s, true)
	return Template{parts}, err
}

func parseParts(s string, blocks bool) ([]part, error) {
	var out []part
	for s != "" {
		open, isBlock := nextOpen(s, blocks)
		if open < 0 {
			return append(out, part{text: s}), nil
		}
		if open > 0 {
			out = append(out, part{text: s[:open]})
		}
		closer := "}}"
		if isBlock {
			closer = "]]"
		}
		end := strings.Index(s[open:], closer)
		if end < 0 {
			return nil, fmt.Errorf("%w: %q is not closed by %s", ErrTemplate, clip(s[open:]), closer)
		}
		inner := s[open+3 : open+end]
		s = s[open+end+2:]
		p, err := parseInner(inner, isBlock)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

func parseInner(inner string, isBlock bool) (part, error) {
	if isBlock {
		block, err := parseParts(inner, false)
		if block == nil {
			block = []part{}
		}
		return part{block: block}, err
	}
	ref, err := parseRef(inner)
	return part{ref: &ref}, err
}

// nextOpen finds the next ${{ or $[[.
func nextOpen(s string, blocks bool) (at int, isBlock bool) {
	at = strings.Index(s, "${{")
	if !blocks {
		return at, false
	}
	if b := strings.Index(s, "$[["); b >= 0 && (at < 0 || b < at) {
		return b, true
	}
	return at, false
}

func parseRef(expr string) (Ref, error) {
	expr = strings.TrimSpace(expr)
	path := strings.Split(expr, ".")
	for _, p := range path {
		if !validName(p) {
			return Ref{}, fmt.Errorf("%w: ${{%s}}", ErrTemplate, clip(expr))
		}
	}
	switch {
	case len(path) == 1 && path[0] == "name":
		return Ref{Scope: JobName}, nil
	case len(path) == 2 && path[0] == "inputs":
		return Ref{Scope: Inputs, Name: path[1]}, nil
	case len(path) == 2 && path[0] == "outputs":
		return Ref{Scope: Outputs, Name: path[1]}, nil
	case len(path) == 3 && path[0] == "parent" && path[1] == "inputs":
		return Ref{Scope: ParentInputs, Name: path[2]}, nil
	case len(path) == 3 && path[0] == "parent" && path[1] == "outputs":
		return Ref{Scope: ParentOutputs, Name: path[2]}, nil
	case len(path) == 5 && path[0] == "parent" && path[1] == "jobs" && path[3] == "outputs":
		return Ref{Scope: StepOutputs, Job: path[2], Name: path[4]}, nil
	}
	return Ref{}, fmt.Errorf("%w: ${{%s}}: write inputs.X, outputs.X, parent.inputs.X, parent.outputs.X, parent.jobs.STEP.outputs.X or name", ErrTemplate, clip(expr))
}

// validName reports whether s can name an input, an output or a step.
func validName(s string) bool {
	if s == "" || len(s) > 255 {
		return false
	}
	for _, c := range s {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}

func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "..."
	}
	return s
}

// Refs are the references of the template, those in optional blocks included.
func (t Template) Refs() []Ref { return refs(t.parts, nil) }

func refs(parts []part, out []Ref) []Ref {
	for _, p := range parts {
		if p.ref != nil {
			out = append(out, *p.ref)
		}
		out = refs(p.block, out)
	}
	return out
}

// Whole is the reference that makes up the whole template, as "${{inputs.x}}".
func (t Template) Whole() (Ref, bool) {
	if len(t.parts) == 1 && t.parts[0].ref != nil {
		return *t.parts[0].ref, true
	}
	return Ref{}, false
}

// Expand puts values in. value reports whether a reference has one; an optional
// block without a value for each of its references is left out, a reference
// outside a block must have one.
func (t Template) Expand(value func(Ref) (string, bool)) (string, error) {
	var b strings.Builder
	for _, p := range t.parts {
		switch {
		case p.block != nil:
			if s, ok := expandBlock(p.block, value); ok {
				b.WriteString(s)
			}
		case p.ref != nil:
			v, ok := value(*p.ref)
			if !ok {
				return "", fmt.Errorf("%s has no value", p.ref)
			}
			b.WriteString(v)
		default:
			b.WriteString(p.text)
		}
	}
	return b.String(), nil
}

func expandBlock(parts []part, value func(Ref) (string, bool)) (string, bool) {
	var b strings.Builder
	for _, p := range parts {
		if p.ref == nil {
			b.WriteString(p.text)
			continue
		}
		v, ok := value(*p.ref)
		if !ok {
			return "", false
		}
		b.WriteString(v)
	}
	return b.String(), true
}
