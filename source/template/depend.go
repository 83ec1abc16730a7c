package template

import (
	"slices"
	"strconv"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/source/diagnostic"
	"github.com/cloister-ml/cloister/source/template/internal/expr"
	"github.com/cloister-ml/cloister/source/template/internal/jsontext"
	"github.com/cloister-ml/cloister/source/template/internal/value"
)

// order puts the steps after those that they depend on, and otherwise leaves them
// as they are written.
func (d *Deployment) order() {
	for _, s := range d.steps {
		d.explicit(s)
		d.implicit(s)
	}
	if d.run.errs > 0 {
		return
	}
	o := orderer{state: make(map[*Step]uint8, len(d.steps))}
	for _, s := range d.steps {
		if cycle := o.visit(s); cycle != nil {
			names := make([]string, len(cycle))
			for i, c := range cycle {
				names[i] = c.Source.Address
			}
			d.run.add(diagnostic.Error, s.d.file, cycle[0].node.Pos, "Cycle", "These depend on each other in a circle: %s.", strings.Join(names, " -> "))
			return
		}
	}
	d.steps = o.out
	for _, s := range d.steps {
		for _, a := range s.after {
			if !slices.Contains(s.DependsOn, a.ID) {
				s.DependsOn = append(s.DependsOn, a.ID)
			}
		}
	}
}

// orderer is a depth-first walk.
type orderer struct {
	state map[*Step]uint8 // 1 on the path, 2 done
	path  []*Step
	out   []*Step
}

// visit adds a step after what it depends on; a circle is returned.
func (o *orderer) visit(s *Step) []*Step {
	switch o.state[s] {
	case 2:
		return nil
	case 1:
		return append(slices.Clone(o.path[slices.Index(o.path, s):]), s)
	}
	o.state[s] = 1
	o.path = append(o.path, s)
	for _, a := range s.after {
		if cycle := o.visit(a); cycle != nil {
			return cycle
		}
	}
	o.path = o.path[:len(o.path)-1]
	o.state[s] = 2
	o.out = append(o.out, s)
	return nil
}

// explicit takes what dependsOn names: a symbolic name, a loop, an id, a name.
func (d *Deployment) explicit(s *Step) {
	n := s.node.Get("dependsOn")
	if n == nil || n.Kind == jsontext.Null {
		return
	}
	v, err := s.scope.Eval(n)
	if err != nil {
		d.run.report(err)
		return
	}
	if _, unknown := value.Unsure(v); unknown {
		return
	}
	list, ok := v.([]any)
	if !ok {
		d.run.report(s.scope.Fail(n.Pos, "dependsOn", "dependsOn should be an array and is %s.", value.Kind(v)))
		return
	}
	for i, e := range list {
		at := n.Pos
		if i < len(n.Items) {
			at = n.Items[i].Pos
		}
		found := d.find(value.Symbol(e))
		_, unknown := value.Unsure(e)
		if found == nil && !unknown && !d.left(value.Symbol(e)) {
			d.run.report(s.scope.Fail(at, "Unknown dependency", "%s depends on %s, which the template does not declare.", s.Source.Address, clip(value.Symbol(e))))
			continue
		}
		s.after = append(s.after, slices.DeleteFunc(slices.Clone(found), func(a *Step) bool { return a == s })...)
	}
}

// keys are what a reference to a resource of the template is looked for as.
func keys(ref string) []string {
	low := strings.ToLower(ref)
	out := []string{low}
	if id, err := arm.ParseID(low); err == nil && id.Type() != "" {
		names := ""
		for at := id; at.Level() == arm.LevelResource; at = at.Parent() {
			names = "/" + at.Name() + names
			if at.Type() == "" || !strings.Contains(strings.TrimPrefix(at.Type(), namespace(at.Type())+"/"), "/") {
				break
			}
		}
		out = append(out, id.Type()+names)
	}
	return out
}

func namespace(typ string) string { n, _, _ := strings.Cut(typ, "/"); return n }

// find are the steps that a text names, nil where there is none.
func (d *Deployment) find(ref string) []*Step {
	for _, k := range keys(ref) {
		if found := d.names[k]; found != nil {
			return found
		}
	}
	// loop[3], one instance of a symbolic name
	if base, index, ok := strings.Cut(strings.ToLower(ref), "["); ok {
		for _, s := range d.names[base] {
			if strings.TrimSuffix(index, "]") == strconv.Itoa(s.index) {
				return []*Step{s}
			}
		}
	}
	return nil
}

// left reports whether a text names something that is left out.
func (d *Deployment) left(ref string) bool {
	base, _, _ := strings.Cut(strings.ToLower(ref), "[")
	return d.skipped[base] || slices.ContainsFunc(keys(ref), func(k string) bool { return d.skipped[k] })
}

// implicit finds what a step asks reference() about: in the same template that
// comes first.
func (d *Deployment) implicit(s *Step) {
	if !asks(s.node) || s.Existing {
		return
	}
	before := d.run.cloud
	seen := &listener{d: d}
	d.run.cloud = seen
	defer func() { d.run.cloud = before }()
	if s.IsDeployment() {
		d.listen(s)
	} else {
		_, _ = s.body()
	}
	for _, a := range seen.steps {
		if a != s && !slices.Contains(s.after, a) {
			s.after = append(s.after, a)
		}
	}
}

// listen evaluates what a deployment within this one takes from it.
func (d *Deployment) listen(s *Step) {
	props := s.node.Get("properties")
	if p := props.Get("parameters"); p != nil {
		_, _ = s.scope.Eval(p)
	}
	if !inner(props) {
		_, _ = s.scope.Eval(props.Get("template").Get("resources"))
		_, _ = s.scope.Eval(props.Get("template").Get("outputs"))
	}
}

// asks reports whether an expression within may ask about a resource.
func asks(n *jsontext.Node) bool {
	if n == nil {
		return false
	}
	if n.Kind == jsontext.String && expr.IsExpression(n.Text) {
		low := strings.ToLower(n.Text)
		return strings.Contains(low, "reference") || strings.Contains(low, "list")
	}
	for _, m := range n.Members {
		if asks(m.Value) {
			return true
		}
	}
	return slices.ContainsFunc(n.Items, asks)
}

// listener answers nothing, and notes which steps are asked about.
type listener struct {
	d     *Deployment
	steps []*Step
}

func (l *listener) reference(id arm.ID, _ string) (any, bool, error) {
	l.steps = append(l.steps, l.d.names[id.Key()]...)
	return nil, false, nil
}

func (l *listener) list(id arm.ID, _, _ string, _ any) (any, bool, error) {
	l.steps = append(l.steps, l.d.names[id.Key()]...)
	return nil, false, nil
}
