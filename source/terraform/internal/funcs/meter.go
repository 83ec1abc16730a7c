package funcs

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// Bounds on what evaluation may take, in steps: about an element that is made,
// or sixteen bytes of text. No configuration that people write comes near them.
const (
	maxExpression = 2_000_000
	maxRun        = 200_000_000
	// maxExponent bounds a number, in binary digits: writing out one of a million
	// takes seconds, of a hundred million days.
	maxExponent = 1 << 15
)

// A Meter bounds what evaluating takes, for each expression and all together. A
// few words of configuration can ask for more than any machine has.
type Meter struct {
	spent, total int
}

// Next begins another expression.
func (m *Meter) Next() { m.spent = 0 }

// Spend takes n steps, and is false when that is too much.
func (m *Meter) Spend(n int) bool {
	n = max(n, 0)
	if n > maxExpression-m.spent { // refused, so not done
		n = max(maxExpression+1-m.spent, 0)
	}
	m.spent += n
	m.total += n
	return !m.Exceeded()
}

// Exceeded reports whether the expression takes too much.
func (m *Meter) Exceeded() bool { return m.spent > maxExpression || m.total > maxRun }

// errTooLarge says which of the bounds is passed.
func (m *Meter) errTooLarge() error {
	if m.total > maxRun {
		return fmt.Errorf("evaluating the whole configuration takes more than %d million steps", maxRun/1_000_000)
	}
	return fmt.Errorf("evaluating this expression takes more than %d million steps", maxExpression/1_000_000)
}

// Weigh counts a value and all that it holds. Parts that it holds several times
// count as often: written out they take the room.
func (m *Meter) Weigh(v cty.Value) bool {
	if !m.Spend(1) {
		return false
	}
	v, _ = v.Unmark()
	if v.IsNull() || !v.IsKnown() {
		return true
	}
	switch t := v.Type(); {
	case t == cty.String:
		return m.Spend(len(v.AsString()) / 16)
	case t == cty.Number:
		return !immense(v)
	case v.CanIterateElements():
		for it := v.ElementIterator(); it.Next(); {
			if _, elem := it.Element(); !m.Weigh(elem) {
				return false
			}
		}
	}
	return true
}

// immense reports a number that would take long to write out.
func immense(v cty.Value) bool {
	v, _ = v.Unmark()
	if v.Type() != cty.Number || v.IsNull() || !v.IsKnown() {
		return false
	}
	n := v.AsBigFloat()
	exp := n.MantExp(nil)
	return !n.IsInf() && (exp > maxExponent || exp < -maxExponent)
}

// Bound makes the loops and templates below a parsed node count what they take.
// It is called once for a node.
func Bound(node hclsyntax.Node, m *Meter) {
	_ = hclsyntax.VisitAll(node, func(n hclsyntax.Node) hcl.Diagnostics {
		switch n := n.(type) {
		case *hclsyntax.ForExpr:
			n.ValExpr = counted(n.ValExpr, n.SrcRange, m)
			if n.CondExpr != nil {
				n.CondExpr = counted(n.CondExpr, n.SrcRange, m)
			}
		case *hclsyntax.TemplateExpr:
			for i, part := range n.Parts {
				if _, fixed := part.(*hclsyntax.LiteralValueExpr); !fixed {
					n.Parts[i] = counted(part, n.SrcRange, m)
				}
			}
		case *hclsyntax.TemplateJoinExpr:
			n.Tuple = counted(n.Tuple, n.Range(), m)
		}
		return nil
	})
}

// countedExpr is an expression whose values are counted. What it is part of is
// what a message is about.
type countedExpr struct {
	hclsyntax.Expression
	whole hcl.Range
	meter *Meter
}

// counted keeps the expression as a child, where the visitors of hclsyntax find
// it.
func counted(e hclsyntax.Expression, whole hcl.Range, m *Meter) hclsyntax.Expression {
	return &countedExpr{&hclsyntax.ParenthesesExpr{Expression: e, SrcRange: e.Range()}, whole, m}
}

func (e *countedExpr) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	if e.meter.Exceeded() {
		return cty.DynamicVal, nil // said by the one that exceeded it
	}
	v, diags := e.Expression.Value(ctx)
	plain, _ := v.Unmark()
	steps := 1
	if plain.IsKnown() && !plain.IsNull() && plain.Type() == cty.String {
		steps += len(plain.AsString()) / 16
	}
	var err error
	switch {
	case immense(v):
		err = fmt.Errorf("a number of more than %d binary digits", maxExponent)
	case !e.meter.Spend(steps):
		err = e.meter.errTooLarge()
	default:
		return v, diags
	}
	return cty.DynamicVal, append(diags, TooLarge(err, e.whole))
}

// TooLarge is the diagnostic of an expression that takes too much.
func TooLarge(err error, at hcl.Range) *hcl.Diagnostic {
	return &hcl.Diagnostic{
		Severity: hcl.DiagError, Summary: "Expression too large", Subject: &at,
		Detail: fmt.Sprintf("This would be too large: %v. Look at the lists that it goes over.", err),
	}
}

// Check counts the value of an expression, and says what is wrong when it is too
// large.
func (m *Meter) Check(v cty.Value, at hcl.Range) *hcl.Diagnostic {
	switch {
	case immense(v):
		return TooLarge(fmt.Errorf("a number of more than %d binary digits", maxExponent), at)
	case !m.Weigh(v) && m.Exceeded():
		return TooLarge(m.errTooLarge(), at)
	}
	return nil
}
