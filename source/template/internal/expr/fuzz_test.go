package expr_test

import (
	"errors"
	"testing"

	"github.com/cloister-ml/cloister/source/template/internal/expr"
)

// FuzzParse holds that a text is an expression, whose parts lie within it, or an
// error with a place in it.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`concat('a', parameters('b').c[0], -5)`, `it''s`, `'it''s'`, `a.b.c('x')`, `x().?y[?'z']`, `f(`, `f(,)`, `99999999999999999999`, `1.5`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := expr.Parse(text)
		if err != nil {
			var bad *expr.Error
			if !errors.As(err, &bad) || bad.Offset < 0 || bad.Offset > len(text) || bad.Message == "" {
				t.Fatalf("%#v", err)
			}
			return
		}
		within(t, n, 0, len(text))
	})
}

func within(t *testing.T, n expr.Node, from, to int) {
	start, end := n.Span()
	if start < from || end > to || start >= end {
		t.Fatalf("%T at %d to %d, within %d to %d", n, start, end, from, to)
	}
	switch n := n.(type) {
	case expr.Call:
		for _, a := range n.Args {
			within(t, a, start, end)
		}
	case expr.Access:
		within(t, n.Of, start, end)
		within(t, n.Key, start, end)
	}
}
