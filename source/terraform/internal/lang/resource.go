package lang

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/cloister-ml/cloister/source/terraform/internal/schema"
)

// Resource is one instance of a resource or of a data source.
type Resource struct {
	Address string
	Data    bool
	Type    string
	Name    string // the block's label
	Range   hcl.Range
	Schema  *schema.Block // nil for a type without one
	Config  *Body         // what is written
	// Provider is the configuration of the provider that deploys it.
	Provider map[string]cty.Value
	// Constraints are what its module and those around it say of the provider's
	// version, as "~> 4.0".
	Constraints []string
	// Made are the object and client ids of a resource's identities that a plan or a
	// state knows, by the names of their attributes.
	Made map[string]string

	decided map[string]cty.Value
	value   cty.Value
}

// Attribute is the value of an attribute as a reference sees it: as configured,
// or as decided, or unknown.
func (r *Resource) Attribute(name string) cty.Value {
	if v := r.whole(); v.Type() != cty.NilType && v.Type().IsObjectType() && v.Type().HasAttribute(name) {
		return v.GetAttr(name)
	}
	return cty.NullVal(cty.DynamicPseudoType)
}

// node is a resource or data block within an instance of a module.
type node struct {
	inst      *instance
	block     *resourceBlock
	cell      *cell
	expanded  expansion
	instances []*Resource
	failed    bool
	all       cty.Value // of the instances together, once it is asked for
	config    *Body     // what is written, where no instance is known
}

func (inst *instance) newNode(b *resourceBlock) *node {
	n := &node{inst: inst, block: b}
	n.cell = inst.cell(b.key(), b.at, n.evaluate)
	return n
}

func (n *node) evaluate() cty.Value {
	ev, s := n.inst.ev, n.inst.scope()
	address := n.inst.address(n.block.key())
	n.instances, n.failed, n.all = nil, false, cty.NilVal
	n.inst.wait(n.block.dependsOn)
	n.expanded = s.expand(n.block.count, n.block.forEach, address)
	if n.failed = n.expanded.failed; n.failed {
		if n.expanded.undecided != "" {
			n.config = n.expanded.any(s, n.nothing()).body(n.block.body, ev.schemaOf(n.block))
		}
		return n.nothing()
	}
	if ev.resources += len(n.expanded.keys); ev.resources > maxResources {
		ev.fail(&n.block.at, "Too many resources", "The configuration declares more than %d resources.", maxResources)
		n.failed = true
		return cty.DynamicVal
	}
	sch := ev.schemaOf(n.block)
	provider := n.provider()
	local, _, _ := strings.Cut(n.block.typ, "_")
	constraints := n.inst.constraints(local)
	for i, addr := range n.expanded.names(address) {
		inner := n.expanded.scope(s, i)
		r := &Resource{
			Address: addr, Data: n.block.mode != "", Type: n.block.typ, Name: n.block.name,
			Range: n.block.at, Schema: sch, Provider: provider, Constraints: constraints,
		}
		r.Config = inner.body(n.block.body, sch)
		r.decided = ev.opts.Decider.Decide(r, func(typ string) []*Resource { return ev.others(n, typ) })
		symbols(r.decided)
		inner.hold("precondition of "+addr, n.block.preconditions)
		if sch != nil && len(n.block.postconditions) > 0 {
			inner.with("self", r.whole()).hold("postcondition of "+addr, n.block.postconditions)
		}
		n.instances = append(n.instances, r)
	}
	return cty.True // what they are worth is worked out when it is asked for
}

// worth is the value of the node's instances as references see it.
func (n *node) worth() cty.Value {
	v := n.inst.ev.force(n.cell)
	if n.cell.state != done || n.failed {
		return v
	}
	if n.all.Type() == cty.NilType {
		n.all = n.expanded.collect(len(n.instances), func(i int) cty.Value { return n.instances[i].whole() })
	}
	return n.all
}

// whole is the value of the resource, NilVal where its type has no schema.
func (r *Resource) whole() cty.Value {
	if r.value.Type() == cty.NilType && r.Schema != nil {
		r.value = r.object(r.Schema, r.Config, "", "")
	}
	return r.value
}

// body evaluates a body by its schema, which may be nil.
func (s *scope) body(body hcl.Body, sch *schema.Block) *Body {
	if sch == nil {
		return s.decodeLoose(body)
	}
	return s.decode(body, sch)
}

// nothing is the value of a resource whose instances are not known.
func (n *node) nothing() cty.Value {
	return unknown(cty.DynamicPseudoType, originAt(n.inst.address(n.block.key()), n.block.at))
}

// others are the instances of a managed type that do not wait for n.
func (ev *evaluator) others(n *node, typ string) []*Resource {
	var out []*Resource
	for inst := range ev.tree.walk {
		for _, key := range slices.Sorted(maps.Keys(inst.nodes)) {
			other := inst.nodes[key]
			if other == n || other.block.mode != "" || other.block.typ != typ {
				continue
			}
			if ev.attempt(func() { ev.force(other.cell) }) {
				out = append(out, other.instances...)
			}
		}
	}
	return out
}

// object is the value of a body as references see it. Path leads to the body
// ("identity."), for what is decided and for the origin of what is unknown; place
// does too, with the number of each block ("ip_configuration[1].").
func (r *Resource) object(sch *schema.Block, body *Body, path, place string) cty.Value {
	attrs := make(map[string]cty.Value, len(sch.Attributes)+len(sch.Blocks))
	for name, a := range sch.Attributes {
		attrs[name] = r.attribute(name, a, body, path, place)
	}
	for name, nested := range sch.Blocks {
		if v, ok := body.Attrs[name]; ok { // a dynamic block over something unknown
			attrs[name] = v
			continue
		}
		written := body.Blocks[name]
		if len(written) == 0 && r.decides(path+name+".") {
			written = []*Body{newBody(body.Range)} // deployment adds the block
		}
		if len(written) == 0 && nested.Computed {
			attrs[name] = unknown(cty.DynamicPseudoType, originAt(r.Address+"."+path+name, r.Range))
			continue
		}
		list := make([]cty.Value, len(written))
		for i, b := range written {
			list[i] = r.object(&nested.Block, b, path+name+".", numbered(place, name, i))
		}
		attrs[name] = cty.TupleVal(list)
	}
	return cty.ObjectVal(attrs)
}

// decides reports whether an attribute under path follows from the configuration.
func (r *Resource) decides(path string) bool {
	for name := range r.decided {
		if strings.HasPrefix(name, path) {
			return true
		}
	}
	return false
}

// numbered is the place of a block among those of its name.
func numbered(place, name string, i int) string {
	return place + name + "[" + strconv.Itoa(i) + "]."
}

func (r *Resource) attribute(name string, a schema.Attribute, body *Body, path, place string) cty.Value {
	written, ok := body.Attrs[name]
	if ok {
		if plain, _, _ := Marks(written); plain.IsKnown() && plain.IsNull() {
			ok = false // null is as if it were not written
		}
	}
	if blocks := body.Blocks[name]; len(blocks) > 0 && !ok {
		inner := blockOf(a.Type)
		list := make([]cty.Value, len(blocks))
		for i, b := range blocks {
			list[i] = r.object(inner, b, path+name+".", numbered(place, name, i))
		}
		return cty.TupleVal(list)
	}
	decided, settled := r.decided[place+name]
	if !settled {
		decided, settled = r.decided[path+name]
	}
	switch {
	case ok && path+name == "name" && settled:
		return decided // an unknown name with the symbol that ids have in its place
	case ok && a.Sensitive:
		return written.Mark(Sensitive)
	case ok:
		return written
	case settled:
		return decided
	case a.Computed:
		v := unknown(a.Type, originAt(r.Address+"."+path+name, r.Range))
		if a.Sensitive {
			v = v.Mark(Sensitive)
		}
		return v
	}
	return cty.NullVal(a.Type)
}
