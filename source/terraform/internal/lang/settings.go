package lang

import (
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// settingsSchema is the block "terraform". Where state is kept, and which release
// reads the configuration, changes nothing about what it declares.
var settingsSchema = &hcl.BodySchema{
	Attributes: []hcl.AttributeSchema{{Name: "required_version"}, {Name: "experiments"}, {Name: "language"}},
	Blocks: []hcl.BlockHeaderSchema{
		{Type: "required_providers"}, {Type: "cloud"},
		{Type: "backend", LabelNames: []string{"type"}}, {Type: "provider_meta", LabelNames: []string{"provider"}},
		{Type: "state_store", LabelNames: []string{"type"}},
	},
}

func (m *module) declareSettings(ev *evaluator, b *hcl.Block) {
	content, diags := b.Body.Content(settingsSchema)
	ev.report(diags)
	for _, inner := range content.Blocks {
		if inner.Type == "required_providers" {
			unique(ev, m.required, "block", "required_providers", inner.DefRange, func(at hcl.Range) hcl.Range { return at })
			m.required["required_providers"] = inner.DefRange
			m.declareRequired(ev, inner)
		}
	}
}

// declareRequired notes the provider configurations that the module wants its
// caller to give it (configuration_aliases).
func (m *module) declareRequired(ev *evaluator, b *hcl.Block) {
	attrs, diags := b.Body.JustAttributes()
	ev.report(diags)
	for _, name := range slices.Sorted(maps.Keys(attrs)) {
		pairs, diags := hcl.ExprMap(attrs[name].Expr)
		if diags.HasErrors() { // the version alone, as it was once written
			if v, diags := attrs[name].Expr.Value(nil); !diags.HasErrors() && v.Type() == cty.String && v.IsKnown() && !v.IsNull() {
				m.versions[name] = v.AsString()
			}
			continue
		}
		for _, pair := range pairs {
			if hcl.ExprAsKeyword(pair.Key) == "version" {
				if v, diags := pair.Value.Value(nil); !diags.HasErrors() && v.Type() == cty.String && v.IsKnown() && !v.IsNull() {
					m.versions[name] = v.AsString()
				}
			}
			if hcl.ExprAsKeyword(pair.Key) != "configuration_aliases" {
				continue
			}
			list, diags := hcl.ExprList(pair.Value)
			ev.report(diags)
			for _, e := range list {
				m.aliases[traversal(e)] = e.Range()
			}
		}
	}
}

// checkProviders holds the provider configurations of a call against what the
// module wants, and against what the caller has.
func (c *callNode) checkProviders(mod *module) {
	ev, b := c.inst.ev, c.block
	given := map[string]bool{}
	if b.providers != nil {
		pairs, _ := hcl.ExprMap(b.providers) // reported where they are passed on
		for _, pair := range pairs {
			given[traversal(pair.Key)] = true
			if name := traversal(pair.Value); !c.inst.configured(name) {
				ev.fail(pair.Value.Range().Ptr(), "Provider not configured", "%s has no configuration of provider %s.%s", ev.called(c.inst.mod), name, DidYouMean(name, c.inst.mod.providers))
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(mod.aliases)) {
		if _, own := mod.providers[name]; !given[name] && !own {
			ev.fail(&b.at, "Provider not given", "%s wants a configuration of provider %s (%s): name one in the argument \"providers\".", ev.called(mod), name, short(mod.aliases[name]))
		}
	}
	if b.count == nil && b.forEach == nil && b.dependsOn == nil {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(mod.providers)) {
		if p := mod.providers[key]; !empty(p.body) {
			ev.fail(&b.at, "Module with providers of its own", "%s configures provider %s (%s), so it cannot have count, for_each or depends_on: configure it here, and pass it on.", ev.called(mod), key, short(p.at))
			return
		}
	}
}

// configured reports whether a provider has a configuration here. One without an
// alias has an empty one by itself.
func (inst *instance) configured(name string) bool {
	if !hclsyntax.ValidIdentifier(name) {
		_, here := inst.providers[name]
		_, given := inst.mod.aliases[name]
		return here || given
	}
	return true
}

func empty(body hcl.Body) bool {
	native, ok := body.(*hclsyntax.Body)
	if !ok {
		return false
	}
	for name := range native.Attributes {
		if name != "alias" && name != "version" {
			return false
		}
	}
	return len(native.Blocks) == 0
}

// constraints are what the instance's module and those around it say of the
// version of a provider.
func (inst *instance) constraints(provider string) []string {
	var out []string
	for ; inst != nil; inst = inst.parent {
		if c := inst.mod.versions[provider]; c != "" {
			out = append(out, c)
		}
	}
	return out
}
