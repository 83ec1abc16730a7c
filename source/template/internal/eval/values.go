package eval

import (
	"cmp"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/source/template/internal/expr"
	"github.com/cloister-ml/cloister/source/template/internal/jsontext"
	"github.com/cloister-ml/cloister/source/template/internal/value"
)

// Eval is what a value of the template is worth.
func (s *Scope) Eval(n *jsontext.Node) (any, error) {
	if n == nil {
		return nil, nil
	}
	if err := s.Meter.Spend(1); err != nil {
		return nil, s.placed(n.Pos, "Too much work", err)
	}
	switch n.Kind {
	case jsontext.String:
		return s.Text(n)
	case jsontext.Array:
		out := make([]any, len(n.Items))
		for i, e := range n.Items {
			var err error
			if out[i], err = s.Eval(e); err != nil {
				return nil, err
			}
		}
		return out, nil
	case jsontext.Object:
		return s.object(n)
	}
	return n.Scalar(), nil
}

// Member is what a member is worth, nil where there is none.
func (s *Scope) Member(n *jsontext.Node, name string) (any, error) { return s.Eval(n.Get(name)) }

// EvalExcept is Eval of an object without some of its members.
func (s *Scope) EvalExcept(n *jsontext.Node, names ...string) (value.Object, error) {
	rest := *n
	rest.Members = slices.DeleteFunc(slices.Clone(n.Members), func(m jsontext.Member) bool {
		return slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(name, m.Name) })
	})
	v, err := s.object(&rest)
	o, _ := v.(value.Object)
	return o, err
}

// object is an object with its copy loops over properties.
func (s *Scope) object(n *jsontext.Node) (any, error) {
	out := make(value.Object, len(n.Members))
	for _, m := range n.Members {
		if strings.EqualFold(m.Name, "copy") && isCopy(m.Value) {
			for _, c := range m.Value.Items {
				v, err := s.repeat(c, false)
				if err != nil {
					return nil, err
				}
				out[c.Get("name").Str()] = v
			}
			continue
		}
		name := m.Name
		if expr.IsExpression(name) || strings.HasPrefix(name, "[[") {
			k, err := s.Text(&jsontext.Node{Kind: jsontext.String, Text: name, Pos: m.Pos})
			if err != nil {
				return nil, err
			}
			if name = value.Symbol(k); name == "" {
				return nil, s.Fail(m.Pos, "Name without text", "The name of this member comes to no text.")
			}
		}
		v, err := s.Eval(m.Value)
		if err != nil {
			return nil, err
		}
		out[name] = v
	}
	return out, nil
}

// isCopy tells a loop over values from a property that happens to have its name.
func isCopy(n *jsontext.Node) bool {
	if !n.Is(jsontext.Array) || len(n.Items) == 0 {
		return false
	}
	return !slices.ContainsFunc(n.Items, func(c *jsontext.Node) bool {
		return c.Get("name").Str() == "" || c.Get("count") == nil || c.Get("input") == nil
	})
}

// repeat is the array that a loop over a value makes.
func (s *Scope) repeat(c *jsontext.Node, whole bool) (any, error) {
	count, unknown, err := s.Count(c)
	if err != nil || unknown != nil {
		return unknown, err
	}
	return s.Times(c.Get("name").Str(), count, c.Get("input"), whole)
}

// Times is the array of an input evaluated for each index.
func (s *Scope) Times(name string, count int, input *jsontext.Node, whole bool) (any, error) {
	out := make([]any, count)
	for i := range out {
		var err error
		if out[i], err = s.in(&loop{name, i, whole, s.loop}).Eval(input); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Count is how often a copy loop goes round; unknown is a value instead of nil
// where that is not known.
func (s *Scope) Count(c *jsontext.Node) (_ int, unknown any, _ error) {
	n := c.Get("count")
	v, err := s.Eval(n)
	if err != nil {
		return 0, nil, err
	}
	if u, unsure := value.Unsure(v); unsure {
		return 0, u, nil
	}
	count, ok := v.(int64)
	at := c.Pos
	if n != nil {
		at = n.Pos
	}
	switch {
	case !ok:
		return 0, nil, s.Fail(at, "Number of copies", "count should be a whole number and is %s.", value.Kind(v))
	case count < 0 || count > MaxCopies:
		return 0, nil, s.Fail(at, "Number of copies", "count is %d, and Azure takes from 0 to %d.", count, MaxCopies)
	}
	return int(count), nil, nil
}

// Text is what a string of the template is worth: itself, or what its expression
// comes to.
func (s *Scope) Text(n *jsontext.Node) (any, error) {
	if !expr.IsExpression(n.Text) {
		return expr.Plain(n.Text), nil
	}
	text := n.Text[1 : len(n.Text)-1]
	e := expression{s, text, n.Pos}
	tree, err := e.parse()
	if err != nil {
		return nil, err
	}
	return e.eval(tree)
}

// inOrder are bindings as they are declared.
func inOrder(all map[string]*binding) []*binding {
	out := make([]*binding, 0, len(all))
	for _, b := range all {
		out = append(out, b)
	}
	slices.SortFunc(out, func(a, b *binding) int {
		return cmp.Or(cmp.Compare(a.at.Line, b.at.Line), cmp.Compare(a.at.Column, b.at.Column), cmp.Compare(a.name, b.name))
	})
	return out
}

// similar is a hint at a name that differs little.
func similar(name string, all map[string]*binding) string {
	for _, b := range inOrder(all) {
		if near(strings.ToLower(name), strings.ToLower(b.name)) {
			return " Did you mean " + b.name + "?"
		}
	}
	return ""
}

// near reports whether one letter or two neighbours differ.
func near(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	switch len(b) - len(a) {
	case 1:
		return a[i:] == b[i+1:]
	case 0:
		rest := min(i+2, len(a))
		return i < len(a) && (a[i+1:] == b[i+1:] || a[rest:] == b[rest:])
	}
	return false
}
