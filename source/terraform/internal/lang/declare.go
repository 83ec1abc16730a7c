package lang

import (
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// topLevel are the blocks of a configuration. Those without a case in declare
// change nothing about what is deployed, and are passed over.
var topLevel = &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{
	{Type: "terraform"}, {Type: "locals"}, {Type: "moved"}, {Type: "import"}, {Type: "removed"},
	{Type: "variable", LabelNames: []string{"name"}},
	{Type: "output", LabelNames: []string{"name"}},
	{Type: "module", LabelNames: []string{"name"}},
	{Type: "provider", LabelNames: []string{"name"}},
	{Type: "check", LabelNames: []string{"name"}},
	{Type: "resource", LabelNames: []string{"type", "name"}},
	{Type: "data", LabelNames: []string{"type", "name"}},
	{Type: "ephemeral", LabelNames: []string{"type", "name"}},
	{Type: "action", LabelNames: []string{"type", "name"}},
}}

func (m *module) declare(ev *evaluator, b *hcl.Block) {
	for i, label := range b.Labels {
		if !hclsyntax.ValidIdentifier(label) {
			ev.fail(&b.LabelRanges[i], "Not a name", "%q cannot be a name: one begins with a letter or an underscore, and has letters, digits, underscores and dashes.", label)
			return
		}
	}
	switch b.Type {
	case "locals":
		m.declareLocals(ev, b)
	case "variable":
		v := ev.variable(b)
		unique(ev, m.variables, "variable", v.name, b.DefRange, func(o *variable) hcl.Range { return o.at })
		m.variables[v.name] = v
	case "output":
		o := ev.output(b)
		unique(ev, m.outputs, "output", o.name, b.DefRange, func(o *outputBlock) hcl.Range { return o.at })
		m.outputs[o.name] = o
	case "module":
		c := ev.call(b)
		unique(ev, m.calls, "module", c.name, b.DefRange, func(o *callBlock) hcl.Range { return o.at })
		m.calls[c.name] = c
	case "provider":
		p := ev.providerConfig(b)
		unique(ev, m.providers, "provider", p.key(), b.DefRange, func(o *providerBlock) hcl.Range { return o.at })
		m.providers[p.key()] = p
	case "resource", "data", "ephemeral":
		m.declareResource(ev, b)
	case "terraform":
		m.declareSettings(ev, b)
	case "check":
		m.declareCheck(ev, b)
	case "moved", "import", "removed":
		m.declareRefactoring(ev, b)
	}
}

func (m *module) declareResource(ev *evaluator, b *hcl.Block) {
	r := ev.resource(b)
	unique(ev, m.resources, b.Type, r.key(), b.DefRange, func(o *resourceBlock) hcl.Range { return o.at })
	m.resources[r.key()] = r
}

// unique reports a second declaration of one name.
func unique[T any](ev *evaluator, declared map[string]T, kind, name string, at hcl.Range, place func(T) hcl.Range) {
	if first, ok := declared[name]; ok {
		ev.fail(&at, "Declared twice", "The %s %q is declared at %s already; rename one of them.", kind, name, short(place(first)))
	}
}

func (m *module) declareLocals(ev *evaluator, b *hcl.Block) {
	attrs, diags := b.Body.JustAttributes()
	ev.report(diags)
	for _, name := range slices.Sorted(maps.Keys(attrs)) {
		a := attrs[name]
		if !hclsyntax.ValidIdentifier(name) { // as JSON lets it be
			ev.fail(&a.NameRange, "Not a name", "%q cannot be the name of a local value.", name)
			continue
		}
		unique(ev, m.locals, "local value", name, a.NameRange, func(o *hcl.Attribute) hcl.Range { return o.NameRange })
		m.locals[name] = a
	}
}

// overrideLocals changes local values by those of override files.
func (m *module) overrideLocals(ev *evaluator, locals hcl.Attributes) {
	for _, name := range slices.Sorted(maps.Keys(locals)) {
		a := locals[name]
		if _, ok := m.locals[name]; !ok {
			ev.fail(&a.NameRange, "Nothing to override", "No other file declares local.%s, which this override file changes.%s", name, DidYouMean(name, m.locals))
			continue
		}
		m.locals[name] = a
	}
}

var outputSchema = &hcl.BodySchema{
	Attributes: []hcl.AttributeSchema{{Name: "value", Required: true}, {Name: "description"}, {Name: "sensitive"}, {Name: "ephemeral"}, {Name: "depends_on"}, {Name: "deprecated"}, {Name: "type"}},
	Blocks:     []hcl.BlockHeaderSchema{{Type: "precondition"}},
}

func (ev *evaluator) output(b *hcl.Block) *outputBlock {
	content, diags := b.Body.Content(outputSchema)
	ev.report(diags)
	o := &outputBlock{name: b.Labels[0], at: b.DefRange}
	if a, ok := content.Attributes["value"]; ok {
		o.value = a.Expr
	}
	o.sensitive = ev.flag(content.Attributes["sensitive"])
	for _, c := range content.Blocks {
		o.preconditions = append(o.preconditions, ev.condition(c))
	}
	return o
}

// flag is a literal true or false.
func (ev *evaluator) flag(a *hcl.Attribute) bool {
	if a == nil {
		return false
	}
	var set bool
	ev.report(gohcl.DecodeExpression(a.Expr, nil, &set))
	return set
}

var conditionSchema = &hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "condition", Required: true}, {Name: "error_message", Required: true}}}

func (ev *evaluator) condition(b *hcl.Block) condition {
	content, diags := b.Body.Content(conditionSchema)
	ev.report(diags)
	var c condition
	if a, ok := content.Attributes["condition"]; ok {
		c.test = a.Expr
	}
	if a, ok := content.Attributes["error_message"]; ok {
		c.message = a.Expr
	}
	return c
}

var callSchema = &hcl.BodySchema{Attributes: []hcl.AttributeSchema{
	{Name: "source", Required: true}, {Name: "version"}, {Name: "count"}, {Name: "for_each"}, {Name: "depends_on"}, {Name: "providers"},
}}

func (ev *evaluator) call(b *hcl.Block) *callBlock {
	content, rest, diags := b.Body.PartialContent(callSchema)
	ev.report(diags)
	c := &callBlock{name: b.Labels[0], at: b.DefRange}
	if a, ok := content.Attributes["source"]; ok {
		ev.report(gohcl.DecodeExpression(a.Expr, nil, &c.source))
		c.sourceAt = a.Expr.Range()
	}
	c.count, c.forEach = expression(content, "count"), expression(content, "for_each")
	c.dependsOn, c.providers = expression(content, "depends_on"), expression(content, "providers")
	ev.exclusive(c.count, c.forEach)
	c.args, diags = rest.JustAttributes()
	ev.report(diags)
	return c
}

func expression(content *hcl.BodyContent, name string) hcl.Expression {
	if a, ok := content.Attributes[name]; ok {
		return a.Expr
	}
	return nil
}

func (ev *evaluator) exclusive(count, forEach hcl.Expression) {
	if count != nil && forEach != nil {
		ev.fail(forEach.Range().Ptr(), "Both count and for_each", "A block takes one of count and for_each, not both.")
	}
}

var providerSchema = &hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "alias"}, {Name: "version"}}}

func (ev *evaluator) providerConfig(b *hcl.Block) *providerBlock {
	content, rest, diags := b.Body.PartialContent(providerSchema)
	ev.report(diags)
	p := &providerBlock{name: b.Labels[0], at: b.DefRange, body: rest}
	if a, ok := content.Attributes["alias"]; ok {
		ev.report(gohcl.DecodeExpression(a.Expr, nil, &p.alias))
	}
	return p
}

func (p *providerBlock) key() string {
	if p.alias == "" {
		return p.name
	}
	return p.name + "." + p.alias
}

// metaSchema is what Terraform itself reads of a resource, whatever its type.
var metaSchema = &hcl.BodySchema{
	Attributes: []hcl.AttributeSchema{{Name: "count"}, {Name: "for_each"}, {Name: "depends_on"}, {Name: "provider"}},
	Blocks: []hcl.BlockHeaderSchema{
		{Type: "lifecycle"}, {Type: "connection"}, {Type: "timeouts"}, {Type: "provisioner", LabelNames: []string{"type"}},
	},
}

var lifecycleSchema = &hcl.BodySchema{
	Attributes: []hcl.AttributeSchema{{Name: "create_before_destroy"}, {Name: "prevent_destroy"}, {Name: "ignore_changes"}, {Name: "replace_triggered_by"}},
	Blocks:     []hcl.BlockHeaderSchema{{Type: "precondition"}, {Type: "postcondition"}, {Type: "action_trigger"}},
}

func (ev *evaluator) resource(b *hcl.Block) *resourceBlock {
	content, rest, diags := b.Body.PartialContent(metaSchema)
	ev.report(diags)
	r := &resourceBlock{
		mode: strings.TrimPrefix(b.Type, "resource"), typ: b.Labels[0], name: b.Labels[1], at: b.DefRange, body: rest,
		count: expression(content, "count"), forEach: expression(content, "for_each"),
		provider: expression(content, "provider"), dependsOn: expression(content, "depends_on"),
	}
	ev.exclusive(r.count, r.forEach)
	for _, nested := range content.Blocks {
		if nested.Type != "lifecycle" {
			continue
		}
		life, diags := nested.Body.Content(lifecycleSchema)
		ev.report(diags)
		for _, c := range life.Blocks {
			switch c.Type {
			case "precondition":
				r.preconditions = append(r.preconditions, ev.condition(c))
			case "postcondition":
				r.postconditions = append(r.postconditions, ev.condition(c))
			}
		}
	}
	return r
}

// traversal reads an expression that is a reference and nothing else, as
// azurerm.hub in provider = azurerm.hub.
func traversal(expr hcl.Expression) string {
	t, diags := hcl.AbsTraversalForExpr(expr)
	if diags.HasErrors() {
		if v, diags := expr.Value(nil); !diags.HasErrors() && v.Type() == cty.String && v.IsKnown() && !v.IsNull() {
			return v.AsString() // the quoted form of old
		}
		return ""
	}
	return strings.TrimPrefix(traversalString(t), ".")
}
