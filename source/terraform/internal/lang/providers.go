package lang

import (
	"maps"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// provider is a provider's configuration in the instance that declares it.
type provider struct {
	block  *providerBlock
	inst   *instance
	values map[string]cty.Value
	state  cellState
}

// inherit gives a child the provider configurations that the call passes on: the
// default ones by themselves, others by name.
func (inst *instance) inherit(c *callNode) {
	for key, p := range c.inst.providers {
		if _, own := inst.providers[key]; !own && !strings.Contains(key, ".") {
			inst.providers[key] = p
		}
	}
	if c.block.providers == nil {
		return
	}
	pairs, diags := hcl.ExprMap(c.block.providers)
	inst.ev.report(diags)
	for _, pair := range pairs {
		if p, ok := c.inst.providers[traversal(pair.Value)]; ok {
			inst.providers[traversal(pair.Key)] = p
		}
	}
}

// provider is the configuration that a resource uses, by attribute; empty where
// there is none.
func (n *node) provider() map[string]cty.Value {
	key, _, _ := strings.Cut(n.block.typ, "_")
	if n.block.provider != nil {
		key = traversal(n.block.provider)
	}
	p, ok := n.inst.providers[key]
	if !ok {
		if n.block.provider != nil && !n.inst.configured(key) {
			n.inst.ev.fail(n.block.provider.Range().Ptr(), "Provider not configured", "%s has no configuration of provider %s.%s", n.inst.ev.called(n.inst.mod), key, DidYouMean(key, n.inst.mod.providers))
		}
		return nil
	}
	return p.attributes()
}

// attributes evaluates the attributes of the block; its nested blocks (features
// and the like) say nothing about what is deployed.
func (p *provider) attributes() map[string]cty.Value {
	switch p.state {
	case done:
		return p.values
	case open:
		p.inst.ev.fail(&p.block.at, "Cycle", "The configuration of provider %s depends on a resource of that provider.", p.block.key())
		return nil
	}
	p.state = open
	p.values = map[string]cty.Value{}
	for name, a := range attributesOf(p.block.body) {
		if name != "alias" && name != "version" {
			p.values[name] = p.inst.scope().eval(a.Expr)
		}
	}
	if p.state = done; p.inst.ev.blocked {
		p.state = unseen
	}
	return p.values
}

// attributesOf are the attributes of a body that may have blocks too.
func attributesOf(body hcl.Body) hcl.Attributes {
	switch body := body.(type) {
	case *overlaid:
		attrs := attributesOf(body.base)
		maps.Copy(attrs, attributesOf(body.over))
		return attrs
	case *hclsyntax.Body:
		attrs := hcl.Attributes{}
		for name, a := range body.Attributes {
			attrs[name] = a.AsHCLAttribute()
		}
		return attrs
	}
	attrs, _ := body.JustAttributes() // blocks are of no use here
	return attrs
}
