package template

import (
	"fmt"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/source/template/internal/eval"
	"github.com/cloister-ml/cloister/source/template/internal/function"
	"github.com/cloister-ml/cloister/source/template/internal/value"
)

// asked answers what a template asks while it is evaluated. A document is an
// object, or one that is known in part.
type asked interface {
	reference(id arm.ID, apiVersion string) (doc any, ok bool, err error)
	list(id arm.ID, action, apiVersion string, body any) (result any, ok bool, err error)
}

// cloudAsked is a Cloud that answers.
type cloudAsked struct{ Cloud }

func (c cloudAsked) reference(id arm.ID, apiVersion string) (any, bool, error) {
	doc, ok, err := c.Reference(id, apiVersion)
	return value.FromJSON(doc), ok, err
}

func (c cloudAsked) list(id arm.ID, action, apiVersion string, body any) (any, bool, error) {
	v, ok, err := c.List(id, action, apiVersion, body)
	return value.FromJSON(v), ok, err
}

// resolve is the id of what a reference names, and the step that deploys it.
func (d *Deployment) resolve(v any) (arm.ID, *Step, error) {
	ref := value.Symbol(v)
	if _, unknown := value.Unsure(v); !unknown {
		if _, isText := v.(string); !isText {
			return "", nil, fmt.Errorf("a resource is named by a string, and not by %s", value.Kind(v))
		}
	}
	if found := d.find(ref); len(found) > 0 {
		return found[0].ID, found[0], nil
	}
	if !strings.HasPrefix(ref, "/") {
		return "", nil, nil // a name that is not known, or of nothing in the template
	}
	id, err := arm.ParseID(ref)
	return id, nil, err
}

// reference is reference(name or id[, apiVersion][, 'Full']).
func (d *Deployment) reference(s *eval.Scope, c eval.Call) (any, error) {
	if err := function.Arity(len(c.Args), 1, 3); err != nil {
		return nil, err
	}
	id, step, err := d.resolve(c.Args[0])
	if err != nil {
		return nil, err
	}
	return d.state(s, c, id, step, full(c.Args))
}

func full(args []any) bool {
	last, _ := args[len(args)-1].(string)
	return len(args) > 1 && strings.EqualFold(last, "full")
}

// state is the document of a resource, or its properties.
func (d *Deployment) state(s *eval.Scope, c eval.Call, id arm.ID, step *Step, whole bool) (any, error) {
	rest := later(s, c)
	if id != "" {
		rest = rest.As(value.Braced("reference(" + string(id) + ")"))
	}
	if id == "" || d.run.cloud == nil {
		return rest, nil
	}
	version := ""
	if step != nil {
		version = step.APIVersion
	}
	if len(c.Args) > 1 && !strings.EqualFold(value.Symbol(c.Args[1]), "full") {
		version = value.Symbol(c.Args[1])
	}
	doc, ok, err := d.run.cloud.reference(id, version)
	if err != nil {
		return nil, err
	}
	if !ok {
		return rest, nil
	}
	if p, partly := doc.(value.Partial); partly {
		p.Rest = rest
		doc = p
	}
	if whole {
		return doc, nil
	}
	props, ok, err := function.At(doc, "properties")
	if !ok && err == nil {
		return value.Object{}, nil
	}
	if p, partly := props.(value.Partial); partly {
		p.Rest.Expression = rest.Expression // which is about the properties already
		props = p
	}
	return props, err
}

// references is the state of every copy of a symbolic name.
func (d *Deployment) references(s *eval.Scope, c eval.Call) (any, error) {
	if err := function.Arity(len(c.Args), 1, 2); err != nil {
		return nil, err
	}
	out := []any{}
	for _, step := range d.find(value.Symbol(c.Args[0])) {
		v, err := d.state(s, eval.Call{Name: c.Name, Args: c.Args[:1], Text: c.Text, At: c.At}, step.ID, step, full(c.Args))
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

func (d *Deployment) resourceInfo(s *eval.Scope, c eval.Call) (any, error) {
	if err := function.Arity(len(c.Args), 1, 1); err != nil {
		return nil, err
	}
	found := d.find(value.Symbol(c.Args[0]))
	if len(found) == 0 {
		return later(s, c), nil
	}
	step := found[0]
	id := part(string(step.ID))
	return some(s, c, value.Object{"id": id, "name": step.name, "type": step.Type, "apiVersion": step.APIVersion}), nil
}

// list is one of the functions that ask a resource for what it does not show.
func (d *Deployment) list(s *eval.Scope, c eval.Call) (any, error) {
	if err := function.Arity(len(c.Args), 1, 3); err != nil {
		return nil, err
	}
	id, step, err := d.resolve(c.Args[0])
	if err != nil || id == "" || d.run.cloud == nil {
		return later(s, c), err
	}
	version, body := "", any(nil)
	if step != nil {
		version = step.APIVersion
	}
	if len(c.Args) > 1 {
		version = value.Symbol(c.Args[1])
	}
	if len(c.Args) > 2 {
		body = c.Args[2]
	}
	action, _, _ := strings.Cut(c.Text, "(")
	v, ok, err := d.run.cloud.list(id, strings.TrimSpace(action), version, body)
	if err != nil || ok {
		return v, err
	}
	return later(s, c), nil
}
