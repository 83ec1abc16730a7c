package template

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/source/diagnostic"
	"github.com/cloister-ml/cloister/source/template/internal/eval"
	"github.com/cloister-ml/cloister/source/template/internal/jsontext"
	"github.com/cloister-ml/cloister/source/template/internal/value"
)

// inner reports whether a nested template evaluates its expressions itself.
func inner(props *jsontext.Node) bool {
	return strings.EqualFold(props.Get("expressionEvaluationOptions").Get("scope").Str(), "inner")
}

// errSkipped is a deployment whose template is not at hand, which has been said.
var errSkipped = errors.New("the template is not at hand")

// nested is the deployment that a step of that type is.
func (s *Step) nested() (*Deployment, error) {
	d := s.d
	props := s.node.Get("properties")
	if d.depth >= maxNested {
		return nil, s.scope.Fail(s.node.Pos, "Too deep", "Templates are nested more than %d deep.", maxNested)
	}
	at, err := d.childTarget(s)
	if err != nil {
		return nil, err
	}
	child := &Deployment{run: d.run, name: value.Symbol(s.name), file: d.file, spec: d.spec, at: at, said: at, depth: d.depth + 1}
	child.root = props.Get("template")
	linked := child.root == nil
	if linked {
		if err := child.link(s, props.Get("templateLink")); err != nil {
			return nil, err
		}
	}
	if child.root.Kind == jsontext.String {
		return nil, d.computed(s, child.root)
	}
	if child.root.Kind != jsontext.Object {
		return nil, s.scope.Fail(child.root.Pos, "Not a template", "A template should be an object.")
	}
	if !linked && !inner(props) {
		child.said, child.scope = d.said, s.scope
		child.expand()
		return child, nil
	}
	return child.apart(s, props)
}

// apart makes the deployment of a template that evaluates its expressions itself.
func (d *Deployment) apart(s *Step, props *jsontext.Node) (*Deployment, error) {
	given, err := s.arguments(props)
	if err != nil {
		return nil, err
	}
	d.scope, err = eval.New(d.run.Shared, d.root, eval.Options{
		File: d.file, Name: d.name, Host: d, Given: given, Written: s.written(props),
		Secrets: d.run.opts.Secrets, Require: d.run.opts.RequireParameters,
	})
	if err != nil {
		return nil, err
	}
	if errs := d.scope.Check(); len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	d.expand()
	return d, nil
}

// arguments are the values of the parameters of a deployment within this one.
func (s *Step) arguments(props *jsontext.Node) (map[string]any, error) {
	out := map[string]any{}
	list := props.Get("parameters")
	if list == nil {
		return out, nil
	}
	if list.Kind != jsontext.Object {
		v, err := s.scope.Eval(list)
		if o, ok := v.(value.Object); ok {
			for name, e := range o {
				inner, _ := e.(value.Object)
				out[name], _ = value.Field(inner, "value")
			}
		}
		return out, err
	}
	for _, m := range list.Members {
		if ref := m.Value.Get("reference"); ref != nil {
			secret := ref.Get("secretName").Str()
			out[m.Name] = value.NewUnknown("secret '"+secret+"' of a key vault", s.d.file, m.Pos.Line)
			continue
		}
		v, err := s.argument(m)
		if err != nil {
			return nil, err
		}
		out[m.Name] = v
	}
	return out, nil
}

// written is where the values of those parameters are written.
func (s *Step) written(props *jsontext.Node) map[string]eval.Place {
	list := s.scope.Place(props).Member("parameters")
	if !list.Node.Is(jsontext.Object) {
		return nil
	}
	out := make(map[string]eval.Place, len(list.Node.Members))
	for _, m := range list.Node.Members {
		out[strings.ToLower(m.Name)] = list.Member(m.Name).Member("value")
	}
	return out
}

// argument is {"value": ...}, or an expression that comes to it.
func (s *Step) argument(m jsontext.Member) (any, error) {
	if n := m.Value.Get("value"); n != nil {
		return s.scope.Eval(n)
	}
	v, err := s.scope.Eval(m.Value)
	if err != nil {
		return nil, err
	}
	if u, unknown := value.Unsure(v); unknown {
		return u, nil
	}
	o, _ := v.(value.Object)
	if _, secret := value.Field(o, "reference"); secret {
		return value.NewUnknown("a secret of a key vault", s.d.file, m.Pos.Line), nil
	}
	e, ok := value.Field(o, "value")
	if !ok {
		return nil, s.scope.Fail(m.Pos, "Not a parameter's value", "Parameter %s should be an object with the member value or reference.", m.Name)
	}
	return e, nil
}

// link reads the template of a templateLink: a file beside the one that names it,
// or what a template spec of the run holds.
func (d *Deployment) link(s *Step, link *jsontext.Node) error {
	path, err := s.scope.Member(link, "relativePath")
	if err != nil {
		return err
	}
	name, ok := path.(string)
	switch {
	case !ok:
		return d.specified(s, link)
	case d.spec != nil:
		return d.artifact(s, link, name)
	}
	file := d.beside(filepath.FromSlash(name))
	rel, err := filepath.Rel(d.run.dir, file)
	if err != nil || !filepath.IsLocal(rel) {
		return s.scope.Fail(link.Pos, "Template outside of the folder", "relativePath leads to %s, outside of the folder of the template that is read: move it into that folder.", clip(name))
	}
	if d.run.root == nil {
		return s.scope.Fail(link.Pos, "Template not found", "relativePath leads to %s, and the template that names it is no file in a folder.", clip(name))
	}
	f, err := d.run.root.Open(rel)
	if err != nil {
		return s.scope.Fail(link.Pos, "Template not found", "relativePath leads to %s, which cannot be opened: it should be in the folder of the template, beside the file that names it.", clip(name))
	}
	defer f.Close()
	body, err := bounded(f)
	if err != nil {
		return s.scope.Fail(link.Pos, "Template cannot be read", "%s: %v.", clip(name), err)
	}
	root, ok := d.run.parse(file, body)
	if !ok {
		return errSkipped
	}
	d.root, d.file = root, file
	return nil
}

// computed says that a template is what an expression comes to.
func (d *Deployment) computed(s *Step, n *jsontext.Node) error {
	d.run.keep(s, "its template is made by an expression")
	d.run.add(diagnostic.Warning, s.d.file, n.Pos, "Template made by an expression",
		"%s is deployed from a template that the expression %s comes to: what it deploys is not in the estate.", s.Source.Address, clip(n.Text))
	return errSkipped
}

// maxShownID is as much of an id, whose end tells most, as a message has.
const maxShownID = 400

// absent says that a template is somewhere that is not asked.
func (d *Deployment) absent(s *Step, link *jsontext.Node) error {
	if link == nil {
		return s.scope.Fail(s.node.Pos, "Deployment without template", "%s should have a template or a templateLink.", s.Source.Address)
	}
	from, what := value.Symbol(must(s.scope.Member(link, "uri"))), "at"
	if from == "" {
		from, what = value.Symbol(must(s.scope.Member(link, "id"))), "in the template spec"
	}
	d.run.keep(s, fmt.Sprintf("its template is not on this machine but %s %s", what, clipTo(from, maxShownID)))
	d.run.add(diagnostic.Warning, s.d.file, link.Pos, "Template not on this machine",
		"%s is deployed from a template %s %s, which is not fetched: what it deploys is not in the estate. A template beside this one, named by relativePath, is read.", s.Source.Address, what, clipTo(from, maxShownID))
	return errSkipped
}

// output is one of a deployment's.
type output struct {
	name, typ string
	value     any
}

// outputs are evaluated when all is deployed.
func (d *Deployment) outputs() ([]output, error) {
	list := d.root.Get("outputs")
	if list == nil || list.Kind != jsontext.Object {
		return nil, nil
	}
	var out []output
	for _, m := range list.Members {
		o, ok, err := d.output(m)
		if err != nil {
			return out, err
		}
		if ok {
			out = append(out, o)
		}
	}
	return out, nil
}

func (d *Deployment) output(m jsontext.Member) (output, bool, error) {
	o := output{name: m.Name, typ: m.Value.Get("type").Str()}
	if cond := m.Value.Get("condition"); cond != nil {
		v, err := d.scope.Eval(cond)
		if yes, ok := v.(bool); err != nil || ok && !yes {
			return o, false, err
		}
	}
	var err error
	if loop := m.Value.Get("copy"); loop.Is(jsontext.Object) {
		var n int
		if n, o.value, err = d.scope.Count(loop); err == nil && o.value == nil {
			o.value, err = d.scope.Times(m.Name, n, loop.Get("input"), true)
		}
	} else {
		o.value, err = d.scope.Eval(m.Value.Get("value"))
	}
	if err == nil && !d.run.opts.Secrets && strings.HasPrefix(strings.ToLower(o.typ), "secure") {
		o.value = value.NewUnknown(d.name+".outputs."+m.Name, d.file, m.Pos.Line)
	}
	return o, true, err
}

// groups are the locations of the resource groups that the run declares.
func (r *run) groups() map[string]string {
	if p, ok := r.cloud.(*paper); ok {
		return p.locations
	}
	return nil
}

// isGroup reports whether a step makes a resource group.
func (s *Step) isGroup() bool { return strings.EqualFold(s.Type, arm.TypeResourceGroup) }
