package pipeline

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/cloister-ml/cloister/internal/devops/expression"
)

const (
	maxFile = 1 << 20
	maxText = 1 << 20
)

// Inputs are what a run was queued with.
type Inputs struct {
	Parameters map[string]any    // by name; values as JSON decodes them
	Variables  map[string]string // known before the run: predefined and the pipeline's own
	// Preview reads a pipeline without a run: parameters without a value are not
	// faults.
	Preview bool
}

// Read reads a pipeline. A returned error is an Errors.
func Read(file string, text []byte, in Inputs) (*Pipeline, error) {
	r := &reader{file: file, in: in}
	root, ok := r.load(text)
	if !ok {
		return nil, r.errs.sorted()
	}
	p := r.root(root)
	if len(r.errs) == 0 {
		r.check(p)
	}
	if len(r.errs) > 0 {
		return nil, r.errs.sorted()
	}
	return p, nil
}

type reader struct {
	file    string
	in      Inputs
	errs    Errors
	visited int
	conds   []located // conditions and runtime expressions, checked at the end
	places  map[string]bound
}

type located struct {
	at   bound
	text string
}

func (r *reader) fail(at bound, format string, args ...any) {
	if len(r.errs) >= maxErrors {
		return
	}
	e := &Error{File: r.file, Line: 1, Column: 1, Message: fmt.Sprintf(format, args...)}
	if at.Node != nil && at.Line > 0 {
		e.Line, e.Column = at.Line, at.Column
	}
	r.errs = append(r.errs, e)
}

func (r *reader) load(text []byte) (bound, bool) {
	r.places = map[string]bound{}
	if len(text) > maxFile {
		r.fail(bound{}, "the file is larger than %d bytes", maxFile)
		return bound{}, false
	}
	if len(strings.TrimSpace(string(text))) == 0 {
		r.fail(bound{}, "the file holds no pipeline")
		return bound{}, false
	}
	var doc yaml.Node
	if err := yaml.Load(text, &doc); err != nil {
		r.failLoad(err)
		return bound{}, false
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		r.fail(bound{}, "the file holds no pipeline")
		return bound{}, false
	}
	r.refuseAliases(doc.Content[0], 0)
	variables := expression.Object{}
	for k, v := range r.in.Variables {
		variables[k] = v
	}
	s := &scope{names: map[string]expression.Value{"variables": variables, "parameters": expression.Object{}}}
	return bound{doc.Content[0], s}, len(r.errs) == 0
}

func (r *reader) failLoad(err error) {
	var e *yaml.LoadError
	if errors.As(err, &e) {
		at := &yaml.Node{Line: e.Mark.Line, Column: e.Mark.Column}
		message := e.Message
		if e.ContextMsg != "" {
			message += " " + e.ContextMsg
		}
		r.fail(bound{Node: at}, "not YAML: %s", strings.TrimPrefix(message, "yaml: "))
		return
	}
	r.fail(bound{}, "not YAML: %v", err)
}

// refuseAliases refuses what Azure Pipelines refuses of YAML.
func (r *reader) refuseAliases(n *yaml.Node, depth int) {
	at := bound{Node: n}
	switch {
	case depth > maxNest:
		r.fail(at, "the file is nested more than %d deep", maxNest)
		return
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		r.fail(at, "Azure Pipelines does not know YAML anchors and aliases; use a variable or ${{ each }}")
		return
	}
	for i, c := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 && c.Kind != yaml.ScalarNode {
			r.fail(bound{Node: c}, "a key must be text")
			continue
		}
		r.refuseAliases(c, depth+1)
	}
}

// schema says how the keys of one kind of thing are read. unsupported are keys
// that Azure Pipelines knows and Cloister does not carry out, with what to do.
type schema struct {
	what        string
	keys        map[string]func(at, value bound)
	unsupported map[string]string
}

func (r *reader) read(b bound, s schema) {
	for _, f := range r.fields(b, s.what) {
		if set, ok := s.keys[f.key]; ok {
			set(f.at, f.value)
			continue
		}
		if advice, ok := s.unsupported[f.key]; ok {
			r.fail(f.at, "%s of %s is not supported: %s", f.key, s.what, advice)
			continue
		}
		known := slices.Sorted(maps.Keys(s.keys))
		if near := nearest(f.key, known); near != "" {
			r.fail(f.at, "unknown key %s of %s; did you mean %s?", f.key, s.what, near)
		} else {
			r.fail(f.at, "unknown key %s of %s; known: %s", f.key, s.what, strings.Join(known, ", "))
		}
	}
}

func (r *reader) setText(into *string) func(at, value bound) {
	return func(_, value bound) { *into = r.text(r.resolve(value)) }
}

func (r *reader) setBool(into *bool) func(at, value bound) {
	return func(at, value bound) {
		switch text := r.text(value); strings.ToLower(text) {
		case "true":
			*into = true
		case "false":
			*into = false
		default:
			r.fail(value, "%s must be true or false, not %q", at.Value, text)
		}
	}
}

func (r *reader) setWhole(into *int, most int) func(at, value bound) {
	return func(at, value bound) {
		text := r.text(value)
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n > most {
			r.fail(value, "%s must be a whole number from 0 to %d, not %q", at.Value, most, text)
			return
		}
		*into = n
	}
}

// setList reads a list of texts, or one text.
func (r *reader) setList(into *[]string) func(at, value bound) {
	return func(at, value bound) { *into = r.list(at, value) }
}

func (r *reader) list(at, value bound) []string {
	value = r.resolve(value)
	if value.Kind == yaml.ScalarNode {
		if text := r.text(value); text != "" {
			return []string{text}
		}
		return nil
	}
	var out []string
	for _, item := range r.items(value, at.Value) {
		out = append(out, r.text(item))
	}
	return out
}

// setCondition reads a condition, whose syntax is checked.
func (r *reader) setCondition(into *string) func(at, value bound) {
	return func(_, value bound) {
		*into = strings.TrimSpace(r.text(value))
		if inner, ok := expression.IsRuntime(*into); ok {
			*into = inner
		}
		if *into != "" {
			r.conds = append(r.conds, located{value, *into})
		}
	}
}

func kindOf(b bound) string {
	switch {
	case b.Kind == yaml.MappingNode:
		return "a mapping"
	case b.Kind == yaml.SequenceNode:
		return "a list"
	case b.Tag == "!!null" || b.Value == "":
		return "nothing"
	}
	return "the text " + strconv.Quote(firstLine(b.Value))
}
