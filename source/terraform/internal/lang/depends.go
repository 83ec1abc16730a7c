package lang

import (
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// wait evaluates what depends_on names, so that a circle that only depends_on
// closes is found, as Terraform's graph finds it.
func (inst *instance) wait(dependsOn hcl.Expression) {
	if dependsOn == nil {
		return
	}
	list, diags := hcl.ExprList(dependsOn)
	inst.ev.report(diags)
	for _, e := range list {
		t, diags := reference(e)
		if inst.ev.report(diags); diags.HasErrors() {
			continue
		}
		group, name, _, ok := inst.scope().declared(t)
		if !ok {
			continue
		}
		switch group {
		case "var":
			inst.ev.force(inst.vars[name])
		case "local":
			inst.ev.force(inst.locals[name])
		case "module":
			inst.ev.force(inst.calls[name].all)
		default:
			inst.ev.force(inst.nodes[group+"."+name].cell)
		}
	}
}

// newAll is the cell of everything that a module declares.
func (c *callNode) newAll() *cell {
	return c.inst.cell("module."+c.block.name, c.block.at, func() cty.Value {
		c.inst.ev.force(c.cell)
		for _, child := range c.children {
			child.everything()
		}
		return cty.True
	})
}

// everything evaluates all that the instance declares.
func (inst *instance) everything() {
	for _, cells := range []map[string]*cell{inst.vars, inst.locals} {
		for _, name := range slices.Sorted(maps.Keys(cells)) {
			inst.ev.force(cells[name])
		}
	}
	for _, key := range slices.Sorted(maps.Keys(inst.nodes)) {
		inst.ev.force(inst.nodes[key].cell)
	}
	for _, name := range slices.Sorted(maps.Keys(inst.calls)) {
		inst.ev.force(inst.calls[name].all)
	}
	for _, name := range slices.Sorted(maps.Keys(inst.outputs)) {
		inst.ev.force(inst.outputs[name])
	}
}
