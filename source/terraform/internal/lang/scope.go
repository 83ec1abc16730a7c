package lang

import (
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// scope is where an expression stands: the instance of its module, and what has
// a meaning there alone (each, count, the iterator of a dynamic block).
type scope struct {
	inst  *instance
	extra map[string]cty.Value
}

func (inst *instance) scope() *scope { return &scope{inst: inst} }

// with is the scope within a further name.
func (s *scope) with(name string, v cty.Value) *scope {
	extra := make(map[string]cty.Value, len(s.extra)+1)
	for k, e := range s.extra {
		extra[k] = e
	}
	extra[name] = v
	return &scope{inst: s.inst, extra: extra}
}

// eval evaluates an expression. What goes wrong is reported, and the value is
// then one of which nothing is known.
func (s *scope) eval(expr hcl.Expression) cty.Value {
	v, ok := s.direct(expr)
	if ok {
		s.inst.ev.meter.Next()
	} else if v, ok = s.compute(expr); !ok {
		return cty.DynamicVal
	}
	if d := s.inst.ev.meter.Check(v, expr.Range()); d != nil {
		s.inst.ev.report(hcl.Diagnostics{d})
		return cty.DynamicVal
	}
	if !v.IsKnown() {
		return s.placed(v, expr)
	}
	return v
}

// compute evaluates an expression, and is false when that failed, which has then
// been reported.
func (s *scope) compute(expr hcl.Expression) (cty.Value, bool) {
	ctx, ok := s.context(expr.Variables())
	if !ok {
		return cty.NilVal, false
	}
	s.inst.ev.meter.Next()
	v, diags := expr.Value(ctx)
	s.inst.ev.suggest(diags)
	s.inst.ev.report(diags)
	return v, !diags.HasErrors()
}

// direct is the value of a literal or of a single reference, for which no context
// needs to be made. It is false for others, and where something is wrong with it.
func (s *scope) direct(expr hcl.Expression) (cty.Value, bool) {
	switch e := expr.(type) {
	case *hclsyntax.LiteralValueExpr:
		return e.Val, true
	case *hclsyntax.TemplateExpr:
		if e.IsStringLiteral() {
			return e.Parts[0].(*hclsyntax.LiteralValueExpr).Val, true
		}
	case *hclsyntax.ScopeTraversalExpr:
		return s.follow(e.Traversal)
	}
	return cty.NilVal, false
}

// follow is the value that a reference leads to.
func (s *scope) follow(t hcl.Traversal) (cty.Value, bool) {
	v, found := s.extra[t.RootName()]
	rest := t[1:]
	if !found {
		switch t.RootName() {
		case "each", "count", "self", "path", "terraform":
			return cty.NilVal, false
		}
		var group, name string
		var ok bool
		if group, name, rest, ok = s.declared(t); !ok {
			return cty.NilVal, false
		}
		v = s.value(group, name, []hcl.Traversal{t})
	}
	v, diags := rest.TraverseRel(v)
	return v, !diags.HasErrors()
}

// placed gives an unknown value an origin where it has none, and its origin a
// place where that has none, as a function's has not.
func (s *scope) placed(v cty.Value, expr hcl.Expression) cty.Value {
	plain, from, secret := Marks(v)
	if from.File != "" {
		return v
	}
	here := s.origin(expr)
	if from.Expression != "" {
		here.Expression = from.Expression
	}
	if plain = plain.Mark(here); secret {
		plain = plain.Mark(Sensitive)
	}
	return plain
}

// origin is the expression itself, for values whose origin nothing else tells.
func (s *scope) origin(expr hcl.Expression) Origin {
	r := expr.Range()
	text := ""
	if f := s.inst.ev.parser.Files()[r.Filename]; f != nil && r.CanSliceBytes(f.Bytes) {
		text = strings.Join(strings.Fields(string(r.SliceBytes(f.Bytes))), " ")
	}
	if len(text) > 120 {
		text = strings.ToValidUTF8(text[:120], "") + "..."
	}
	return originAt(text, r)
}

// evalAs evaluates an expression and converts it.
func (s *scope) evalAs(expr hcl.Expression, t cty.Type, what string) cty.Value {
	v := s.eval(expr)
	return s.convert(v, t, expr.Range(), what)
}

func (s *scope) convert(v cty.Value, t cty.Type, at hcl.Range, what string) cty.Value {
	out, err := convert.Convert(v, t)
	if err != nil {
		s.inst.ev.fail(&at, "Value of the wrong type", "%s: %s.", what, strings.TrimSuffix(describe(err), "."))
		return cty.UnknownVal(t)
	}
	return out
}

// describe words a conversion error with the path of the part that it is about.
func describe(err error) string {
	if pe, ok := err.(cty.PathError); ok && len(pe.Path) > 0 { //nolint:errorlint // convert returns it as it is
		var b strings.Builder
		for _, step := range pe.Path {
			switch step := step.(type) {
			case cty.GetAttrStep:
				b.WriteString("." + step.Name)
			case cty.IndexStep:
				b.WriteString(indexString(step.Key))
			}
		}
		return strings.TrimPrefix(b.String(), ".") + ": " + pe.Error()
	}
	return err.Error()
}

// context resolves references. It is false when one of them does not resolve,
// which has then been reported.
func (s *scope) context(refs []hcl.Traversal) (*hcl.EvalContext, bool) {
	vars := map[string]cty.Value{}
	groups := map[string]map[string]cty.Value{} // var, local, data.TYPE, TYPE, ...
	ok := true
	for _, t := range refs {
		root := t.RootName()
		if v, found := s.extra[root]; found {
			vars[root] = v
			continue
		}
		switch root {
		case "each", "count", "self":
			s.noSuchContext(t)
			ok = false
		case "path":
			vars[root] = s.paths()
		case "terraform":
			vars[root] = cty.ObjectVal(map[string]cty.Value{"workspace": cty.StringVal("default"), "applying": cty.False})
		default:
			group, name, _, good := s.declared(t)
			if !good {
				ok = false
				continue
			}
			as := group
			if root == "resource" {
				as = "resource." + group
			}
			if groups[as] == nil {
				groups[as] = map[string]cty.Value{}
			}
			if _, have := groups[as][name]; !have {
				groups[as][name] = s.value(group, name, refs)
			}
		}
	}
	if !ok {
		return nil, false
	}
	apart := map[string]map[string]cty.Value{} // data, ephemeral and resource, by type
	for group, values := range groups {
		mode, typ, nested := strings.Cut(group, ".")
		if !nested {
			vars[group] = cty.ObjectVal(values)
			continue
		}
		if apart[mode] == nil {
			apart[mode] = map[string]cty.Value{}
		}
		apart[mode][typ] = cty.ObjectVal(values)
	}
	for mode, types := range apart {
		vars[mode] = cty.ObjectVal(types)
	}
	return &hcl.EvalContext{Variables: vars, Functions: s.inst.ev.functions}, true
}

// ask is which attributes an expression takes of a resource or module by name.
type ask struct {
	names []string
	at    []hcl.Range     // of each name
	deep  map[string]bool // names that the reference goes on from
	whole bool            // also in another way
}

// asked is what references take of one of the names that they refer to.
func asked(refs []hcl.Traversal, group, name string) *ask {
	a := &ask{}
	for _, t := range refs {
		g, n, rest, ok := split(t)
		if !ok || g != group || n != name {
			continue
		}
		if len(rest) > 0 {
			if _, index := rest[0].(hcl.TraverseIndex); index {
				rest = rest[1:]
			}
		}
		if len(rest) > 0 {
			if attr, ok := rest[0].(hcl.TraverseAttr); ok {
				a.names, a.at = append(a.names, attr.Name), append(a.at, t.SourceRange())
				if len(rest) > 1 {
					if a.deep == nil {
						a.deep = map[string]bool{}
					}
					a.deep[attr.Name] = true
				}
				continue
			}
		}
		a.whole = true
	}
	return a
}

// split takes a reference apart: the group (var, local, module, data.TYPE, or TYPE,
// which may also be written resource.TYPE), the name in it, and what follows.
func split(t hcl.Traversal) (group, name string, rest hcl.Traversal, ok bool) {
	group = t.RootName()
	n := 2
	switch group {
	case "data", "ephemeral", "resource":
		n = 3
	}
	if len(t) < n {
		return "", "", nil, false
	}
	for _, step := range t[1:n] {
		if _, ok := step.(hcl.TraverseAttr); !ok { // data["type"] is not a reference
			return "", "", nil, false
		}
	}
	name = t[n-1].(hcl.TraverseAttr).Name
	if n == 3 {
		typ := t[1].(hcl.TraverseAttr).Name
		if group == "resource" {
			group = typ
		} else {
			group += "." + typ
		}
	}
	return group, name, t[n:], true
}

func (s *scope) paths() cty.Value {
	ev := s.inst.ev
	rel, err := filepath.Rel(ev.root, s.inst.mod.dir)
	if err != nil {
		rel = s.inst.mod.dir
	}
	cwd, err := filepath.Abs(ev.root)
	if err != nil {
		cwd = ev.root
	}
	return cty.ObjectVal(map[string]cty.Value{
		"module": cty.StringVal(filepath.ToSlash(rel)), "root": cty.StringVal("."), "cwd": cty.StringVal(cwd),
	})
}

// hold checks conditions; one that is not known yet holds.
func (s *scope) hold(kind string, conditions []condition) {
	for _, c := range conditions {
		if !s.holds(c) {
			s.inst.ev.fail(c.test.Range().Ptr(), "Condition does not hold", "This %s says: %s", kind, s.message(c))
		}
	}
}

// check warns of assertions that do not hold.
func (s *scope) check(c check) {
	for _, a := range c.assert {
		if !s.holds(a) {
			s.inst.ev.warn(a.test.Range().Ptr(), "Check does not hold", "The check %q says: %s", c.name, s.message(a))
		}
	}
}

func (s *scope) holds(c condition) bool {
	if c.test == nil {
		return true
	}
	v, _, _ := MarksDeep(s.evalAs(c.test, cty.Bool, "The condition"))
	return !v.IsKnown() || v.IsNull() || v.True() || s.onSymbols(c.test)
}

// onSymbols reports whether an expression refers to values with symbols in place
// of what is not known. A condition that such a value does not meet is not known
// to fail: can() alone would not tell.
func (s *scope) onSymbols(expr hcl.Expression) bool {
	refs := expr.Variables()
	ctx, ok := s.context(refs)
	if !ok {
		return false
	}
	for _, t := range refs {
		if v, diags := t.TraverseAbs(ctx); !diags.HasErrors() && hasSymbols(v) {
			return true
		}
	}
	return false
}

func (s *scope) message(c condition) string {
	if c.message == nil {
		return "it does not hold."
	}
	v, _, secret := MarksDeep(s.evalAs(c.message, cty.String, "The error message"))
	switch {
	case secret:
		return "(the message holds a sensitive value)"
	case !v.IsKnown() || v.IsNull():
		return "(the message is not known before deployment)"
	}
	return v.AsString()
}
