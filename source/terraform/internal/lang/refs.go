package lang

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/cloister-ml/cloister/source/terraform/internal/schema"
)

// declared checks that a reference names something, and says what: the group
// (var, local, module, data.TYPE, TYPE), the name in it, and what follows.
func (s *scope) declared(t hcl.Traversal) (group, name string, rest hcl.Traversal, ok bool) {
	inst := s.inst
	group, name, rest, ok = split(t)
	if !ok {
		inst.ev.fail(t.SourceRange().Ptr(), "Reference not complete", "%q names nothing by itself: a reference goes on with a dot and a name.", traversalString(t))
		return "", "", nil, false
	}
	found := false
	switch group {
	case "var":
		_, found = inst.mod.variables[name]
	case "local":
		_, found = inst.mod.locals[name]
	case "module":
		_, found = inst.mod.calls[name]
	default:
		if b, ok := inst.mod.resources[group+"."+name]; ok {
			return group, name, rest, s.checkAttribute(b, rest, t)
		}
	}
	if !found {
		inst.ev.fail(t.SourceRange().Ptr(), "Reference to nothing", "%s declares no %s.%s", inst.ev.called(inst.mod), group+"."+name, inst.mod.near(group, name))
		return "", "", nil, false
	}
	return group, name, rest, true
}

// near is the name of the same group that is nearest to one that is not there.
func (m *module) near(group, name string) string {
	switch group {
	case "var":
		return DidYouMean(name, m.variables)
	case "local":
		return DidYouMean(name, m.locals)
	case "module":
		return DidYouMean(name, m.calls)
	}
	return DidYouMean(group+"."+name, m.resources)
}

// checkAttribute holds the first attribute of a reference against the type's
// schema, and its index against count and for_each.
func (s *scope) checkAttribute(b *resourceBlock, rest, whole hcl.Traversal) bool {
	if len(rest) == 0 {
		return true
	}
	ev, at := s.inst.ev, whole.SourceRange()
	attr, direct := rest[0].(hcl.TraverseAttr)
	if many := b.count != nil || b.forEach != nil; direct && many {
		ev.fail(&at, "Missing index", "%s has count or for_each, so a reference says which instance is meant, as %s[...].%s.", b.key(), b.key(), attr.Name)
		return false
	}
	if _, index := rest[0].(hcl.TraverseIndex); index {
		if b.count == nil && b.forEach == nil {
			ev.fail(&at, "Index on a single resource", "%s has neither count nor for_each, so it has no instances to choose from: take the index out.", b.key())
			return false
		}
		if len(rest) == 1 {
			return true
		}
		attr, direct = rest[1].(hcl.TraverseAttr)
	}
	sch := ev.schemaOf(b)
	if !direct || sch == nil {
		return true
	}
	if _, ok := sch.Attributes[attr.Name]; ok {
		return true
	}
	if _, ok := sch.Blocks[attr.Name]; ok {
		return true
	}
	ev.fail(&at, "Unsupported attribute", "%s has no attribute %q.%s", b.typ, attr.Name, DidYouMean(attr.Name, names(sch)))
	return false
}

func names(b *schema.Block) map[string]bool {
	all := make(map[string]bool, len(b.Attributes)+len(b.Blocks))
	for n := range b.Attributes {
		all[n] = true
	}
	for n := range b.Blocks {
		all[n] = true
	}
	return all
}

func (ev *evaluator) schemaOf(b *resourceBlock) *schema.Block {
	switch {
	case !ev.opts.Decider.Strict(b.typ) || b.mode == "ephemeral":
		return nil
	case b.mode == "data":
		return ev.opts.Schemas.Data(b.typ)
	}
	return ev.opts.Schemas.Resource(b.typ)
}

// value is what a declared name is worth to those of an expression's references
// that are to it.
func (s *scope) value(group, name string, refs []hcl.Traversal) cty.Value {
	inst := s.inst
	switch group {
	case "var":
		return inst.ev.force(inst.vars[name])
	case "local":
		return inst.ev.force(inst.locals[name])
	case "module":
		return inst.calls[name].value(asked(refs, group, name))
	}
	n := inst.nodes[group+"."+name]
	if inst.ev.schemaOf(n.block) != nil {
		return n.worth()
	}
	return n.loose(asked(refs, group, name))
}

// noSuchContext reports each, count and self where they mean nothing.
func (s *scope) noSuchContext(t hcl.Traversal) {
	at := t.SourceRange()
	needs := map[string]string{
		"each":  "each has a meaning only within a block that has for_each",
		"count": "count has a meaning only within a block that has count",
		"self":  "self has a meaning only within provisioners and postconditions",
	}
	s.inst.ev.fail(&at, "Reference without a meaning here", "%s.", needs[t.RootName()])
}

// loose is the value of a resource whose type has no schema: what is configured,
// and of what the reference asks for beyond that, that it is unknown.
func (n *node) loose(a *ask) cty.Value {
	n.inst.ev.force(n.cell)
	if n.failed {
		return n.nothing()
	}
	one := func(r *Resource) cty.Value {
		if a.whole {
			return unknown(cty.DynamicPseudoType, originAt(r.Address, r.Range))
		}
		attrs := map[string]cty.Value{}
		for name, v := range r.Config.Attrs {
			attrs[name] = v
		}
		for name, v := range r.decided {
			if !strings.Contains(name, ".") {
				attrs[name] = v
			}
		}
		for _, name := range slices.Compact(slices.Sorted(slices.Values(a.names))) {
			// What is within may be more than what is written: the provider says.
			if v, ok := attrs[name]; !ok || a.deep[name] && !v.Type().IsPrimitiveType() {
				attrs[name] = unknown(cty.DynamicPseudoType, originAt(r.Address+"."+name, r.Range))
			}
		}
		return cty.ObjectVal(attrs)
	}
	return n.expanded.collect(len(n.instances), func(i int) cty.Value { return one(n.instances[i]) })
}
