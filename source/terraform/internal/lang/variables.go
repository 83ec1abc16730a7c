package lang

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// variable is a declared input of a module.
type variable struct {
	name      string
	at        hcl.Range
	typ       cty.Type
	typed     bool // a type is declared
	optional  *typeexpr.Defaults
	fallback  hcl.Expression // its default, nil where it has none
	sensitive bool
	notNull   bool
	validate  []condition
}

var variableSchema = &hcl.BodySchema{
	Attributes: []hcl.AttributeSchema{
		{Name: "type"}, {Name: "default"}, {Name: "description"}, {Name: "sensitive"}, {Name: "nullable"}, {Name: "ephemeral"}, {Name: "deprecated"}, {Name: "const"},
	},
	Blocks: []hcl.BlockHeaderSchema{{Type: "validation"}},
}

func (ev *evaluator) variable(b *hcl.Block) *variable {
	content, diags := b.Body.Content(variableSchema)
	ev.report(diags)
	v := &variable{name: b.Labels[0], at: b.DefRange, typ: cty.DynamicPseudoType, fallback: expression(content, "default")}
	if a, ok := content.Attributes["type"]; ok {
		v.typed = true
		switch hcl.ExprAsKeyword(a.Expr) { // the short forms of old
		case "list":
			v.typ = cty.List(cty.DynamicPseudoType)
		case "map":
			v.typ = cty.Map(cty.DynamicPseudoType)
		case "set":
			v.typ = cty.Set(cty.DynamicPseudoType)
		default:
			t, optional, diags := typeexpr.TypeConstraintWithDefaults(a.Expr)
			if ev.report(diags); !diags.HasErrors() {
				v.typ, v.optional = t, optional
			}
		}
	}
	v.sensitive = ev.flag(content.Attributes["sensitive"])
	if a, ok := content.Attributes["nullable"]; ok {
		v.notNull = !ev.flag(a)
	}
	for _, c := range content.Blocks {
		v.validate = append(v.validate, ev.condition(c))
	}
	return v
}

// variable is the value of an input of this instance.
func (inst *instance) variable(v *variable) cty.Value {
	s := inst.scope()
	val, at, given := inst.inputs(v)
	if given && v.notNull {
		if plain, _, _ := Marks(val); plain.IsKnown() && plain.IsNull() {
			given = false
		}
	}
	switch {
	case given:
	case v.fallback != nil:
		val, at = s.eval(v.fallback), v.fallback.Range()
	default:
		val, at = inst.unset(v), v.at
	}
	val = s.typed(v, val, at)
	if _, _, secret := Marks(val); v.sensitive && !secret { // what is secret already comes from further out
		val = val.Mark(Sensitive).Mark(originAt("var."+v.name, v.at))
	}
	inst.validate(v, val)
	return val
}

// typed converts a value to the variable's type, filling in what is optional.
func (s *scope) typed(v *variable, val cty.Value, at hcl.Range) cty.Value {
	if v.optional != nil {
		plain, marks := val.Unmark()
		if plain.IsKnown() && !plain.IsNull() {
			val = v.optional.Apply(plain).WithMarks(marks)
		}
	}
	out, err := convert.Convert(val, v.typ)
	if err != nil {
		s.inst.ev.fail(&at, "Value of the wrong type", "The value of variable %q does not fit its type (%s): %s.", v.name, short(v.at), describe(err))
		return cty.UnknownVal(v.typ)
	}
	return out
}

// unset is the value of a variable that has neither a value nor a default.
func (inst *instance) unset(v *variable) cty.Value {
	ev := inst.ev
	switch {
	case inst.parent != nil:
		ev.fail(&inst.call.at, "Missing argument", "%s does not give variable %q (%s), which has no default.", inst.path, v.name, short(v.at))
		return cty.UnknownVal(v.typ)
	case ev.opts.RequireVars:
		ev.fail(&v.at, "Variable without a value", "Give %q a value: --var %s=VALUE, or TF_VAR_%s in the environment, or a line in terraform.tfvars.", v.name, v.name, v.name)
	}
	return unknown(v.typ, originAt("var."+v.name, v.at))
}

func (inst *instance) validate(v *variable, val cty.Value) {
	if len(v.validate) == 0 {
		return
	}
	// The condition refers to the variable that is being evaluated.
	own := inst.vars[v.name]
	inst.vars[v.name] = &cell{name: own.name, at: own.at, state: done, value: val}
	inst.scope().hold("validation of variable \""+v.name+"\"", v.validate)
	inst.vars[v.name] = own
}
