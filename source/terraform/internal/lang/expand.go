package lang

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// expansion is how many instances a block has, and what tells them apart.
type expansion struct {
	mode   mode
	keys   []cty.Value // numbers or strings
	values []cty.Value // of for_each
	failed bool
	// undecided says why the number of instances is not known, where it is not.
	undecided string
}

type mode uint8

const (
	single mode = iota
	counted
	keyed
)

// expand evaluates count or for_each.
func (s *scope) expand(count, forEach hcl.Expression, what string) expansion {
	switch {
	case count != nil:
		return s.expandCount(count, what)
	case forEach != nil:
		return s.expandEach(forEach, what)
	}
	return expansion{keys: []cty.Value{cty.NilVal}}
}

func (s *scope) expandCount(expr hcl.Expression, what string) expansion {
	ev, at := s.inst.ev, expr.Range()
	v, from, _ := MarksDeep(s.evalAs(expr, cty.Number, "count"))
	switch {
	case !v.IsKnown():
		return expansion{mode: counted, failed: true, undecided: s.undecided(expr, from, "count", what)}
	case v.IsNull():
		ev.fail(&at, "count is null", "count must be a whole number.")
		return expansion{mode: counted, failed: true}
	}
	n, acc := v.AsBigFloat().Int64()
	if acc != 0 || n < 0 || n > maxInstances {
		ev.fail(&at, "count out of range", "count must be a whole number between 0 and %d.", maxInstances)
		return expansion{mode: counted, failed: true}
	}
	e := expansion{mode: counted}
	for i := range n {
		e.keys = append(e.keys, cty.NumberIntVal(i))
	}
	return e
}

func (s *scope) expandEach(expr hcl.Expression, what string) expansion {
	ev, at := s.inst.ev, expr.Range()
	e := expansion{mode: keyed}
	v, from, secret := Marks(s.eval(expr))
	switch t := v.Type(); {
	case secret:
		ev.fail(&at, "for_each is sensitive", "The keys of for_each are part of the addresses of what it makes, so they cannot be secrets: nonsensitive() says that they are none.")
		e.failed = true
	case !v.IsKnown():
		e.undecided, e.failed = s.undecided(expr, from, "for_each", what), true
	case v.IsNull() || !t.IsMapType() && !t.IsObjectType() && !t.IsSetType():
		ev.fail(&at, "for_each of the wrong type", "for_each takes a map or a set of strings, and this is %s: toset() makes a set of a list.", kindOf(v))
		e.failed = true
	case t.IsSetType() && t.ElementType() != cty.String && t.ElementType() != cty.DynamicPseudoType:
		ev.fail(&at, "for_each of the wrong type", "for_each takes a map or a set of strings, and this is %s of %s.", kindOf(v), t.ElementType().FriendlyName())
		e.failed = true
	case v.LengthInt() > maxInstances:
		ev.fail(&at, "Too many instances", "for_each has %d elements, and the limit is %d.", v.LengthInt(), maxInstances)
		e.failed = true
	case t.IsSetType():
		s.expandSet(&e, expr, v, what)
	default:
		for it := v.ElementIterator(); it.Next(); {
			k, elem := it.Element()
			e.keys, e.values = append(e.keys, k), append(e.values, elem)
		}
	}
	return e
}

// expandSet makes an instance of each string of a set.
func (s *scope) expandSet(e *expansion, expr hcl.Expression, v cty.Value, what string) {
	for it := v.ElementIterator(); it.Next(); {
		_, elem := it.Element()
		plain, from, _ := Marks(elem)
		switch {
		case !plain.IsKnown():
			e.undecided, e.failed = s.undecided(expr, from, "for_each", what), true
			return
		case plain.IsNull() || plain.Type() != cty.String:
			s.inst.ev.fail(expr.Range().Ptr(), "for_each of the wrong type", "A set for for_each holds strings, and no null.")
			e.failed = true
			return
		}
		e.keys, e.values = append(e.keys, plain), append(e.values, elem)
	}
}

func kindOf(v cty.Value) string {
	if v.IsNull() {
		return "null"
	}
	return "a " + v.Type().FriendlyName()
}

// undecided reports instances whose number is not known, and answers why it is
// not: "" where that is because of an error that has been reported.
func (s *scope) undecided(expr hcl.Expression, from Origin, argument, what string) string {
	at := expr.Range()
	if from == (Origin{}) {
		if s.inst.ev.diags.HasErrors() {
			return ""
		}
		from = s.origin(expr)
	}
	remedy := "make it depend on variables and locals only"
	if isVariable(from.Expression) {
		remedy = "give it a value with --var " + from.Expression[len("var."):] + "=VALUE"
	}
	s.inst.ev.warn(&at, "Number of instances not known", "%s of %s depends on %s, which has no value before deployment, so it is not in the estate: %s.", argument, what, from.Expression, remedy)
	return fmt.Sprintf("its %s depends on %s, which has no value before deployment", argument, from.Expression)
}

func isVariable(expression string) bool {
	return len(expression) > 4 && expression[:4] == "var."
}

// names are the addresses of the instances of what is declared at address.
func (e expansion) names(address string) []string {
	out := make([]string, len(e.keys))
	for i, k := range e.keys {
		if out[i] = address; e.mode != single {
			out[i] += indexString(k)
		}
	}
	return out
}

// scope is the scope of the i-th instance.
func (e expansion) scope(s *scope, i int) *scope {
	switch e.mode {
	case counted:
		return s.with("count", cty.ObjectVal(map[string]cty.Value{"index": e.keys[i]}))
	case keyed:
		return s.with("each", cty.ObjectVal(map[string]cty.Value{"key": e.keys[i], "value": e.values[i]}))
	}
	return s
}

// any is the scope of an instance where it is not known which there are.
func (e expansion) any(s *scope, from cty.Value) *scope {
	_, origin, _ := Marks(from)
	if e.mode == counted {
		return s.with("count", cty.ObjectVal(map[string]cty.Value{"index": unknown(cty.Number, origin)}))
	}
	return s.with("each", cty.ObjectVal(map[string]cty.Value{"key": unknown(cty.String, origin), "value": unknown(cty.DynamicPseudoType, origin)}))
}

// collect is the value of all n instances together, as references see it.
func (e expansion) collect(n int, value func(i int) cty.Value) cty.Value {
	if e.failed || n < len(e.keys) {
		return cty.DynamicVal
	}
	switch e.mode {
	case counted:
		all := make([]cty.Value, n)
		for i := range all {
			all[i] = value(i)
		}
		return cty.TupleVal(all)
	case keyed:
		all := make(map[string]cty.Value, n)
		for i := range n {
			key, _ := e.keys[i].Unmark()
			all[key.AsString()] = value(i)
		}
		return cty.ObjectVal(all)
	}
	return value(0)
}
