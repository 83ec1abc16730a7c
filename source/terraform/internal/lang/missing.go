package lang

import (
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/cloister-ml/cloister/source/terraform/internal/schema"
)

// Missing is something declared whose instances are not known: a module that is
// not on this machine, or a resource whose count or for_each only deployment
// decides.
type Missing struct {
	Address string // without an index
	Type    string // the resource type, or "module"
	Reason  string // why, as a clause
	Range   hcl.Range
	Config  *Body         // what is written, where it can be evaluated; else nil
	Schema  *schema.Block // of the type, where it has one
}

// missing is what the instance itself declares while its instances are not
// known.
func (inst *instance) missing() []Missing {
	var out []Missing
	for _, key := range slices.Sorted(maps.Keys(inst.nodes)) {
		if n := inst.nodes[key]; n.block.mode == "" && n.expanded.undecided != "" {
			out = append(out, Missing{inst.address(key), n.block.typ, n.expanded.undecided, n.block.at, n.config, inst.ev.schemaOf(n.block)})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(inst.calls)) {
		if c := inst.calls[name]; c.reason != "" {
			out = append(out, c.missing(inst.address("module."+name), c.inst.depth)...)
		}
	}
	return out
}

// missing is the module itself where its files are not here, and otherwise
// each resource that they declare.
func (c *callNode) missing(address string, depth int) []Missing {
	if c.mod == nil {
		return []Missing{{address, "module", c.reason, c.block.at, nil, nil}}
	}
	return c.mod.missing(c.inst.ev, address, c.reason, depth+1)
}

// missing are the resources that a module declares, and those of the modules
// that it calls from its own folders.
func (m *module) missing(ev *evaluator, address, reason string, depth int) []Missing {
	var out []Missing
	for _, key := range slices.Sorted(maps.Keys(m.resources)) {
		if b := m.resources[key]; b.mode == "" {
			out = append(out, Missing{address + "." + key, b.typ, reason, b.at, nil, nil})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.calls)) {
		below := address + ".module." + name
		dir, ok := ev.local(m, m.calls[name].source)
		if !ok || depth >= maxModules {
			out = append(out, Missing{below, "module", reason, m.calls[name].at, nil, nil})
			continue
		}
		out = append(out, ev.load(dir).missing(ev, below, reason, depth+1)...)
	}
	return out
}
