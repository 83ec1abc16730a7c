package template

import (
	"errors"

	"github.com/cloister-ml/cloister/source/template/internal/value"
)

const typeStack = "Microsoft.Resources/deploymentStacks"

// stack is the deployment of a deployment stack's template: a step's, with what it
// is evaluated to.
//
// Source: Microsoft Learn, "Create and deploy Azure deployment stacks"; the resource
// reference of Microsoft.Resources/deploymentStacks.
func (s *Step) stack(body value.Object) (*Deployment, error) {
	d := s.d
	if d.depth >= maxNested {
		return nil, s.scope.Fail(s.node.Pos, "Too deep", "Templates are nested more than %d deep.", maxNested)
	}
	declared, _ := value.Field(body, "properties")
	held, _ := declared.(value.Object)
	scope := string(s.ID.Scope())
	if v, ok := value.Field(held, "deploymentScope"); ok && v != nil {
		scope = value.Symbol(v)
	}
	at, err := d.at.to(scope)
	if err != nil {
		return nil, s.scope.Fail(s.node.Pos, "Scope", "%s.", err)
	}
	child := &Deployment{run: d.run, name: value.Symbol(s.name), file: d.file, spec: d.spec, at: at, said: at, depth: d.depth + 1}
	props := s.scope.Place(s.node.Get("properties"))
	if v, ok := value.Field(held, "template"); ok {
		child.root, err = written{d.run, d.file}.template(s, v, props.Member("template"), s.node.Pos)
	} else {
		err = child.link(s, props.Node.Get("templateLink"))
	}
	if err != nil {
		return nil, err
	}
	return child.apart(s, props.Node)
}

// stacked deploys what a deployment stack manages, and makes its outputs those that
// reference() of it shows.
func (p *paper) stacked(s *Step, body value.Object, shown value.Partial) {
	child, err := s.stack(body)
	switch {
	case errors.Is(err, errSkipped):
		return
	case err != nil:
		for _, e := range unjoined(err) {
			p.run.report(e)
		}
		return
	case p.run.errs > 0:
		return
	}
	if props, ok := shown.Known["properties"].(value.Object); ok {
		props["outputs"] = p.outputs(child)
	}
}
