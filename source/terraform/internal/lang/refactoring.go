package lang

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// Blocks that say what has become of resources of an earlier configuration, or
// of ones made without it. They change nothing about what is declared, and are
// held against it.
var refactoringSchemas = map[string]*hcl.BodySchema{
	"moved": {Attributes: []hcl.AttributeSchema{{Name: "from", Required: true}, {Name: "to", Required: true}}},
	"import": {Attributes: []hcl.AttributeSchema{
		{Name: "to", Required: true}, {Name: "id"}, {Name: "identity"}, {Name: "provider"}, {Name: "for_each"},
	}},
	"removed": {
		Attributes: []hcl.AttributeSchema{{Name: "from", Required: true}},
		Blocks:     []hcl.BlockHeaderSchema{{Type: "lifecycle"}, {Type: "connection"}, {Type: "provisioner", LabelNames: []string{"type"}}},
	},
}

// refactoring is one of these blocks, to be checked once all is declared.
type refactoring struct {
	kind     string
	at       hcl.Range
	from, to hcl.Expression
}

func (m *module) declareRefactoring(ev *evaluator, b *hcl.Block) {
	content, diags := b.Body.Content(refactoringSchemas[b.Type])
	ev.report(diags)
	if b.Type == "import" && m.dir != ev.root {
		ev.fail(&b.DefRange, "Import in a module", "A block \"import\" can stand in the root module only.")
		return
	}
	_, id := content.Attributes["id"]
	_, identity := content.Attributes["identity"]
	if b.Type == "import" && id == identity {
		ev.fail(&b.DefRange, "Import of nothing", "A block \"import\" has one of id and identity.")
	}
	m.refactorings = append(m.refactorings, refactoring{b.Type, b.DefRange, expression(content, "from"), expression(content, "to")})
}

// checkRefactorings holds them against what the module declares.
func (m *module) checkRefactorings(ev *evaluator) {
	for _, r := range m.refactorings {
		from, to := m.target(ev, r.from), m.target(ev, r.to)
		switch {
		case r.kind == "moved" && from.whole() && from.key != to.key && m.declares(from):
			ev.fail(&r.at, "Moved object still there", "%s is moved to %s, and is still declared: take out the block that declares it, or this one.", from.key, to.key)
		case r.kind == "removed" && from.whole() && m.declares(from):
			ev.fail(&r.at, "Removed object still there", "%s is removed, and is still declared: take out the block that declares it, or this one.", from.key)
		case r.kind == "import" && to.key != "" && !m.declares(to):
			ev.fail(r.to.Range().Ptr(), "Import into nothing", "%s declares no %s to import into.%s", ev.called(m), to.key, DidYouMean(to.key, m.resources))
		}
	}
}

// target is what an address names in the module that it stands in.
type target struct {
	key     string // TYPE.NAME, or module.NAME where it leads into one
	indexed bool
	deep    bool // what it names is within that module
}

func (t target) whole() bool { return t.key != "" && !t.indexed && !t.deep }

func (m *module) declares(t target) bool {
	if name, ok := strings.CutPrefix(t.key, "module."); ok {
		_, declared := m.calls[name]
		return declared
	}
	_, declared := m.resources[t.key]
	return declared
}

func (m *module) target(ev *evaluator, expr hcl.Expression) target {
	if expr == nil {
		return target{}
	}
	indexed := false
	for { // an index may be any expression: import has for_each
		index, ok := expr.(*hclsyntax.IndexExpr)
		if !ok {
			break
		}
		expr, indexed = index.Collection, true
	}
	if _, relative := expr.(*hclsyntax.RelativeTraversalExpr); relative {
		return target{} // module.x[each.key].TYPE.NAME: what is in modules is not held against anything
	}
	t, diags := reference(expr)
	if diags.HasErrors() {
		ev.report(diags)
		return target{}
	}
	group, name, rest, ok := split(t)
	if !ok {
		ev.fail(expr.Range().Ptr(), "Not an address", "%q names no resource and no module.", traversalString(t))
		return target{}
	}
	indexed = indexed || slices.ContainsFunc(rest, func(s hcl.Traverser) bool { _, ok := s.(hcl.TraverseIndex); return ok })
	deep := slices.ContainsFunc(rest, func(s hcl.Traverser) bool { _, ok := s.(hcl.TraverseAttr); return ok })
	return target{group + "." + name, indexed, deep}
}

// check is an assertion that, where it fails, is worth a warning.
type check struct {
	name   string
	assert []condition
}

var checkSchema = &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "assert"}, {Type: "data", LabelNames: []string{"type", "name"}}}}

func (m *module) declareCheck(ev *evaluator, b *hcl.Block) {
	content, diags := b.Body.Content(checkSchema)
	ev.report(diags)
	c := check{name: b.Labels[0]}
	unique(ev, m.checkAt, "check", c.name, b.DefRange, func(at hcl.Range) hcl.Range { return at })
	m.checkAt[c.name] = b.DefRange
	for _, inner := range content.Blocks {
		if inner.Type == "data" {
			m.declareResource(ev, inner)
			continue
		}
		c.assert = append(c.assert, ev.condition(inner))
	}
	if len(c.assert) == 0 {
		ev.fail(&b.DefRange, "Check of nothing", "A block \"check\" has at least one block \"assert\".")
	}
	m.checks = append(m.checks, c)
}
