package lang

import (
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// instance is one use of a module: the root, or one instance of a call.
type instance struct {
	ev     *evaluator
	mod    *module
	parent *instance
	call   *callBlock // nil for the root
	path   string     // "" or module.private_service["blob"]
	depth  int

	// inputs gives the value of a variable, and false where none is given.
	inputs    func(v *variable) (cty.Value, hcl.Range, bool)
	vars      map[string]*cell
	locals    map[string]*cell
	outputs   map[string]*cell
	nodes     map[string]*node
	calls     map[string]*callNode
	providers map[string]*provider
	visited   bool
}

func (ev *evaluator) newInstance(mod *module, parent *instance, path string) *instance {
	inst := &instance{
		ev: ev, mod: mod, parent: parent, path: path,
		vars: map[string]*cell{}, locals: map[string]*cell{}, outputs: map[string]*cell{},
		nodes: map[string]*node{}, calls: map[string]*callNode{}, providers: map[string]*provider{},
	}
	if parent != nil {
		inst.depth = parent.depth + 1
	}
	for name, v := range mod.variables {
		inst.vars[name] = inst.cell("var."+name, v.at, func() cty.Value { return inst.variable(v) })
	}
	for name, a := range mod.locals {
		inst.locals[name] = inst.cell("local."+name, a.NameRange, func() cty.Value { return inst.scope().eval(a.Expr) })
	}
	for name, o := range mod.outputs {
		inst.outputs[name] = inst.cell("output."+name, o.at, func() cty.Value { return inst.output(o) })
	}
	for key, b := range mod.resources {
		inst.nodes[key] = inst.newNode(b)
	}
	for name, c := range mod.calls {
		inst.calls[name] = inst.newCall(c)
	}
	for key, p := range mod.providers {
		inst.providers[key] = &provider{block: p, inst: inst}
	}
	return inst
}

func (inst *instance) cell(name string, at hcl.Range, compute func() cty.Value) *cell {
	return &cell{name: inst.address(name), at: at, compute: compute}
}

// address is a name as seen from the root module.
func (inst *instance) address(name string) string {
	if inst.path == "" {
		return name
	}
	return inst.path + "." + name
}

// visit evaluates everything that the instance declares, in a fixed order, so
// that what is wrong is found whether or not something uses it.
func (inst *instance) visit() {
	if inst.visited {
		return
	}
	inst.visited = true
	for _, cells := range []map[string]*cell{inst.vars, inst.locals} {
		for _, name := range slices.Sorted(maps.Keys(cells)) {
			inst.ev.force(cells[name])
		}
	}
	for _, key := range slices.Sorted(maps.Keys(inst.nodes)) {
		inst.ev.force(inst.nodes[key].cell)
	}
	for _, name := range slices.Sorted(maps.Keys(inst.calls)) {
		c := inst.calls[name]
		inst.ev.force(c.cell)
		for _, child := range c.children {
			child.visit()
		}
	}
	for _, name := range slices.Sorted(maps.Keys(inst.outputs)) {
		inst.ev.force(inst.outputs[name])
	}
	for _, c := range inst.mod.checks {
		inst.scope().check(c)
	}
}

func (inst *instance) output(o *outputBlock) cty.Value {
	if o.value == nil {
		return cty.DynamicVal
	}
	s := inst.scope()
	s.hold("precondition", o.preconditions)
	v := s.eval(o.value)
	if o.sensitive {
		v = v.Mark(Sensitive)
	}
	return v
}

// walk goes over the instance and those of the modules that it calls, as far as
// they have been made.
func (inst *instance) walk(yield func(*instance) bool) {
	inst.each(yield)
}

func (inst *instance) each(yield func(*instance) bool) bool {
	if !yield(inst) {
		return false
	}
	for _, name := range slices.Sorted(maps.Keys(inst.calls)) {
		for _, child := range inst.calls[name].children {
			if !child.each(yield) {
				return false
			}
		}
	}
	return true
}

// managed are the resources that the instance would deploy.
func (inst *instance) managed() []*Resource {
	var out []*Resource
	for _, key := range slices.Sorted(maps.Keys(inst.nodes)) {
		if n := inst.nodes[key]; n.block.mode == "" {
			out = append(out, n.instances...)
		}
	}
	return out
}

// reference reads a reference, which may stand in quotes, as it once had to.
func reference(e hcl.Expression) (hcl.Traversal, hcl.Diagnostics) {
	if v, diags := e.Value(nil); !diags.HasErrors() && v.Type() == cty.String && v.IsKnown() && !v.IsNull() {
		return hclsyntax.ParseTraversalAbs([]byte(v.AsString()), e.Range().Filename, e.Range().Start)
	}
	return hcl.AbsTraversalForExpr(e)
}
