package template

import (
	"errors"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/source/diagnostic"
	"github.com/cloister-ml/cloister/source/template/internal/eval"
	"github.com/cloister-ml/cloister/source/template/internal/jsontext"
	"github.com/cloister-ml/cloister/source/template/internal/value"
)

// Deployment is a template whose loops and conditions are resolved: what is to be
// deployed, in order. It serves one goroutine.
type Deployment struct {
	run     *run
	name    string
	file    string
	root    *jsontext.Node
	scope   *eval.Scope // where its expressions are evaluated
	at      target      // where it goes
	said    target      // what its functions say of where it goes: its parent's, when that evaluates it
	depth   int
	spec    *spec // that its template is of, if it is of one
	steps   []*Step
	names   map[string][]*Step // by symbolic name, loop name, name, or type and name; in lower case
	skipped map[string]bool    // names of what its condition leaves out
}

// Step is one resource of a deployment.
type Step struct {
	ID         arm.ID // what is not known of it stands in braces
	Type       string
	APIVersion string
	DependsOn  []arm.ID // those of the same deployment, implicit ones included
	Existing   bool     // only looked up, and not deployed
	Source     arm.Source

	d      *Deployment
	node   *jsontext.Node
	scope  *eval.Scope // with the loop that made it
	name   any
	symbol string
	index  int
	after  []*Step
}

// IsDeployment reports whether the step is a deployment of another template.
func (s *Step) IsDeployment() bool { return strings.EqualFold(s.Type, typeDeployment) }

const typeDeployment = "Microsoft.Resources/deployments"

// Steps are the resources in the order of deployment: each after those that it
// depends on.
func (d *Deployment) Steps() []*Step { return d.steps }

// expand makes the steps of the template's resources.
func (d *Deployment) expand() {
	d.names, d.skipped = map[string][]*Step{}, map[string]bool{}
	d.declare(d.root.Get("resources"), nil)
	if d.run.errs == 0 {
		d.order()
	}
}

// declare adds the resources of an array, or by symbolic name of an object.
func (d *Deployment) declare(list *jsontext.Node, parent *Step) {
	switch {
	case list == nil || list.Kind == jsontext.Null:
	case list.Kind == jsontext.Array:
		for _, n := range list.Items {
			d.resource("", n, n.Pos, parent)
		}
	case list.Kind == jsontext.Object:
		for _, m := range list.Members {
			d.resource(m.Name, m.Value, m.Pos, parent)
		}
	default:
		d.run.add(diagnostic.Error, d.file, list.Pos, "Not a template", "resources should be an array or an object, and is %s.", list.Kind)
	}
}

// resource adds the steps of one resource of the template.
func (d *Deployment) resource(symbol string, n *jsontext.Node, at jsontext.Pos, parent *Step) {
	if d.run.over() {
		return
	}
	if n.Kind != jsontext.Object {
		d.run.add(diagnostic.Error, d.file, n.Pos, "Not a resource", "A resource should be an object, and this is %s.", n.Kind)
		return
	}
	scope := d.scope
	if parent != nil {
		scope = parent.scope
	}
	loop := n.Get("copy")
	if loop.Is(jsontext.Null) || loop == nil {
		d.instance(&Step{d: d, node: n, scope: scope, symbol: symbol, index: -1}, at, parent, "")
		return
	}
	name := loop.Get("name").Str()
	if name == "" {
		name = symbol
	}
	count, unknown, err := scope.Count(loop)
	if err != nil {
		d.run.report(err)
		return
	}
	if u, unsure := value.Unsure(unknown); unsure {
		d.undecided(n, symbol, at, "the number of copies", u)
		d.skip(symbol, name)
		return
	}
	if err := d.batch(loop); err != nil {
		d.run.report(err)
		return
	}
	if count == 0 {
		d.skip(symbol, name)
	}
	for i := range count {
		d.instance(&Step{d: d, node: n, scope: scope.Copy(name, i), symbol: symbol, index: i}, at, parent, name)
	}
}

// batch checks how a loop goes round, which changes nothing of what is deployed.
func (d *Deployment) batch(loop *jsontext.Node) error {
	mode := loop.Get("mode")
	if mode != nil && !strings.EqualFold(mode.Str(), "serial") && !strings.EqualFold(mode.Str(), "parallel") {
		return d.scope.Fail(mode.Pos, "Copy loop", "mode is parallel or serial.")
	}
	size := loop.Get("batchSize")
	if size.Is(jsontext.Number) {
		if n, ok := size.Scalar().(int64); !ok || n < 1 {
			return d.scope.Fail(size.Pos, "Copy loop", "batchSize should be 1 or more.")
		}
	}
	return nil
}

func (d *Deployment) skip(names ...string) {
	for _, n := range names {
		if n != "" {
			d.skipped[strings.ToLower(n)] = true
		}
	}
}

// undecided warns of a resource of which it is not known whether or how often it
// is there.
func (d *Deployment) undecided(n *jsontext.Node, symbol string, at jsontext.Pos, what string, u value.Unknown) {
	typ := n.Get("type").Str()
	s := &Step{Type: typ, Source: arm.Source{File: d.file, Line: at.Line, Address: address(symbol, typ, n.Get("name").Str())}}
	d.run.keep(s, what+" depends on "+u.Expression+", which is not known before deployment")
	d.run.add(diagnostic.Warning, d.file, at, "Resource not decided", "%s of %s depends on %s, which is not known before deployment: it is not in the estate.",
		strings.ToUpper(what[:1])+what[1:], s.Source.Address, u.Expression)
}

// address is how the template itself names a resource.
func address(symbol, typ, name string) string {
	if symbol != "" {
		return symbol
	}
	return typ + "/" + name
}

// instance adds one step and those nested in it.
func (d *Deployment) instance(s *Step, at jsontext.Pos, parent *Step, loop string) {
	there, err := d.condition(s, at)
	if err != nil {
		d.run.report(err)
		return
	}
	ok, err := d.identify(s, at, parent)
	var lost unplaced
	switch {
	case !there && (err != nil || !ok): // what is left out need not have a name
		d.skip(s.symbol, loop)
		return
	case errors.As(err, &lost):
		d.undecided(s.node, s.symbol, at, "the scope", value.Unknown(lost))
		d.skip(s.symbol, loop, value.Symbol(s.name), s.Type+"/"+value.Symbol(s.name))
		return
	case err != nil:
		d.run.report(err)
		return
	case !ok:
		return
	}
	d.register(s, loop, there)
	if !there {
		return
	}
	if d.run.resources++; d.run.resources > maxResources {
		if d.run.resources == maxResources+1 {
			d.run.add(diagnostic.Error, d.file, at, "Too many resources", "The template and those in it make more than %d resources.", maxResources)
		}
		return
	}
	if parent != nil {
		s.after = append(s.after, parent)
	}
	d.steps = append(d.steps, s)
	if strings.EqualFold(s.Type, typeSpecVersion) {
		d.run.specs[s.ID.Key()] = s
	}
	if !s.IsDeployment() {
		d.declare(s.node.Get("resources"), s)
	}
}

// register makes a step known by its names, or as left out.
func (d *Deployment) register(s *Step, loop string, there bool) {
	name := strings.ToLower(value.Symbol(s.name))
	keys := []string{strings.ToLower(s.symbol), strings.ToLower(loop), name, strings.ToLower(s.Type) + "/" + name, s.ID.Key()}
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		keys = append(keys, name[i+1:])
	}
	seen := map[string]bool{"": true}
	for _, k := range keys {
		if seen[k] {
			continue
		}
		seen[k] = true
		if there {
			d.names[k] = append(d.names[k], s)
		} else {
			d.skipped[k] = true
		}
	}
}

// condition reports whether a step is deployed.
func (d *Deployment) condition(s *Step, at jsontext.Pos) (bool, error) {
	n := s.node.Get("condition")
	if n == nil {
		return true, nil
	}
	v, err := s.scope.Eval(n)
	if err != nil {
		return false, err
	}
	if u, unknown := value.Unsure(v); unknown {
		d.undecided(s.node, s.symbol, at, "the condition", u)
		return false, nil
	}
	if text, ok := v.(string); ok {
		return strings.EqualFold(text, "true"), nil
	}
	yes, ok := v.(bool)
	if !ok {
		return false, s.scope.Fail(n.Pos, "Condition", "condition should be a boolean and is %s.", value.Kind(v))
	}
	return yes, nil
}

// identify finds a step's type, name and id. It is false for what is no resource
// of Azure Resource Manager.
func (d *Deployment) identify(s *Step, at jsontext.Pos, parent *Step) (bool, error) {
	typ, err := s.scope.Member(s.node, "type")
	if err != nil {
		return false, err
	}
	s.Type, _ = typ.(string)
	s.Source = arm.Source{File: d.file, Line: at.Line, Address: address(s.symbol, s.Type, s.node.Get("name").Str())}
	if s.node.Get("import") != nil || s.node.Get("extension") != nil {
		d.run.keep(s, "it belongs to an extension of the template language, and not to Azure Resource Manager")
		d.skip(s.symbol)
		return false, nil
	}
	if s.Type == "" {
		return false, s.scope.Fail(s.node.Pos, "Resource without type", "Each resource needs a type that is known, as \"Microsoft.Network/virtualNetworks\".")
	}
	if s.name, err = s.scope.Member(s.node, "name"); err != nil {
		return false, err
	}
	if _, unknown := value.Unsure(s.name); !unknown {
		if text, ok := s.name.(string); !ok || text == "" {
			return false, s.scope.Fail(s.node.Pos, "Resource without name", "The name of %s should be a string and is %s.", s.Source.Address, orEmpty(s.name))
		}
	}
	if parent != nil {
		s.Type, s.name = nestedName(parent, s.Type, s.name)
	}
	s.Source.Address = address(s.symbol, s.Type, value.Symbol(s.name))
	s.APIVersion = value.Symbol(must(s.scope.Member(s.node, "apiVersion")))
	s.Existing = s.node.Get("existing").Is(jsontext.Bool) && s.node.Get("existing").Text == "true"
	base, err := d.base(s)
	if err != nil {
		return false, err
	}
	if u, unknown := value.Unsure(base); unknown && !strings.HasPrefix(u.Symbol, "/") {
		return false, unplaced(u)
	}
	id, err := placed(base, s.Type, s.name)
	if err != nil {
		return false, s.scope.Fail(s.node.Pos, "Not a resource name", "%s.", err)
	}
	parsed, err := arm.ParseID(value.Symbol(id))
	if err != nil {
		return false, s.scope.Fail(s.node.Pos, "Not a resource name", "%s would have the id %s, which Azure does not accept: look at its name and its scope.", s.Source.Address, clip(value.Symbol(id)))
	}
	s.ID = parsed
	return true, nil
}

// unplaced is a scope that is not known at all.
type unplaced value.Unknown

func (u unplaced) Error() string { return "the scope is not known: " + u.Expression }

// must is a value whose error changes nothing.
func must(v any, err error) any {
	if err != nil {
		return nil
	}
	return v
}

// nestedName is the full type and name of a resource that is written within
// another. Some are written with both in full.
func nestedName(parent *Step, typ string, name any) (string, any) {
	if strings.Contains(typ, "/") {
		if strings.Count(value.Symbol(name), "/") < strings.Count(typ, "/")-1 && strings.HasPrefix(strings.ToLower(typ), strings.ToLower(parent.Type)+"/") {
			name = text(parent.name, "/", name)
		}
		return typ, name
	}
	return parent.Type + "/" + typ, text(parent.name, "/", name)
}

// base is the id of the scope that a resource is placed at.
func (d *Deployment) base(s *Step) (any, error) {
	if s.IsDeployment() {
		at, err := d.childTarget(s)
		return at.id(), err
	}
	if n := s.node.Get("scope"); n != nil {
		v, err := s.scope.Eval(n)
		if err != nil {
			return nil, err
		}
		if v != nil {
			id, err := d.scopeOf(v)
			if err != nil {
				return nil, s.scope.Fail(n.Pos, "Scope", "%s.", err)
			}
			return id, nil
		}
	}
	at, err := d.moved(s)
	return at.id(), err
}

// moved is where the members subscriptionId and resourceGroup put a resource.
func (d *Deployment) moved(s *Step) (target, error) {
	at := d.at
	sub, err := s.scope.Member(s.node, "subscriptionId")
	if err != nil {
		return at, err
	}
	group, err := s.scope.Member(s.node, "resourceGroup")
	if err != nil {
		return at, err
	}
	if sub != nil && sub != "" {
		at.subscription = sub
		if at.level < arm.LevelSubscription || s.IsDeployment() {
			at.level = arm.LevelSubscription
		}
	}
	if group != nil && group != "" {
		at.level, at.resources = arm.LevelGroup, group
	}
	return at, nil
}

// childTarget is where a deployment within this one goes.
func (d *Deployment) childTarget(s *Step) (target, error) {
	n := s.node.Get("scope")
	if n == nil {
		return d.moved(s)
	}
	v, err := s.scope.Eval(n)
	if err != nil || v == nil || v == "" {
		return d.at, err
	}
	if id := value.Symbol(v); strings.HasPrefix(id, "Microsoft.Management/") {
		v = text("/providers/", v)
	} else if !strings.HasPrefix(id, "/") {
		v = text("/", v)
	}
	at, err := d.at.to(value.Symbol(v))
	if err != nil {
		return d.at, s.scope.Fail(n.Pos, "Scope", "%s.", err)
	}
	return at, nil
}
