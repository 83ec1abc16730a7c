package template

import (
	"path"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/source/diagnostic"
	"github.com/cloister-ml/cloister/source/template/internal/jsontext"
	"github.com/cloister-ml/cloister/source/template/internal/value"
)

const typeSpecVersion = "Microsoft.Resources/templateSpecs/versions"

// spec is a version of a template spec: templates by their path within it.
//
// Source: Microsoft Learn, "Azure Resource Manager template specs", "Create a
// template spec with linked templates"; the resource reference of
// Microsoft.Resources/templateSpecs/versions.
type spec struct {
	id     arm.ID
	path   string // of the template that a deployment of it is made of; "" is the main one
	linked map[string]*jsontext.Node
}

// specified takes the template of the spec that a templateLink names, where a
// template of the run declares it.
func (d *Deployment) specified(s *Step, link *jsontext.Node) error {
	v, err := s.scope.Member(link, "id")
	if err != nil {
		return err
	}
	id, err := arm.ParseID(value.Symbol(v))
	if err != nil {
		return d.absent(s, link)
	}
	from, ok := d.run.specs[id.Key()]
	if !ok {
		return d.absent(s, link)
	}
	body, err := from.body()
	if err != nil {
		return err
	}
	props, _ := value.Field(body, "properties")
	held, _ := props.(value.Object)
	written := written{file: from.d.file, run: d.run}
	at := from.scope.Place(from.node.Get("properties"))
	main, ok := value.Field(held, "mainTemplate")
	if !ok {
		return d.absent(s, link)
	}
	d.file, d.spec = from.d.file, &spec{id: id, linked: map[string]*jsontext.Node{}}
	if d.root, err = written.template(s, main, at.Member("mainTemplate"), from.node.Pos); err != nil {
		return err
	}
	artifacts, _ := value.Field(held, "linkedTemplates")
	list, _ := artifacts.([]any)
	for i, e := range list {
		one, _ := e.(value.Object)
		name, _ := value.Field(one, "path")
		text, _ := value.Field(one, "template")
		n, err := written.template(s, text, at.Member("linkedTemplates").Item(i).Member("template"), from.node.Pos)
		if err != nil {
			return err
		}
		d.spec.linked[clean(value.Symbol(name))] = n
	}
	return nil
}

// artifact takes another template of the spec that the deployment's is of.
func (d *Deployment) artifact(s *Step, link *jsontext.Node, name string) error {
	at := clean(path.Join(path.Dir(d.spec.path), strings.ReplaceAll(name, `\`, "/")))
	root, ok := d.spec.linked[at]
	if !ok {
		return s.scope.Fail(link.Pos, "Template not in the template spec", "relativePath leads to %s, and %s has no template of that path.", clip(at), d.spec.id)
	}
	d.root, d.spec = root, &spec{id: d.spec.id, path: at, linked: d.spec.linked}
	return nil
}

func clean(name string) string {
	return strings.TrimPrefix(path.Clean("/"+strings.ReplaceAll(name, `\`, "/")), "/")
}

// unmade says that what a template would be is not known.
func (r *run) unmade(s *Step, u value.Unknown) error {
	r.keep(s, "its template depends on "+u.Expression+", which is not known before deployment")
	r.add(diagnostic.Warning, s.d.file, s.node.Pos, "Template not known",
		"%s is deployed from a template that depends on %s, which is not known before deployment: what it deploys is not in the estate.", s.Source.Address, clip(u.Expression))
	return errSkipped
}
