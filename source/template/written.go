package template

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/cloister-ml/cloister/source/template/internal/eval"
	"github.com/cloister-ml/cloister/source/template/internal/jsontext"
	"github.com/cloister-ml/cloister/source/template/internal/value"
)

// written makes a value that is evaluated the text of a template again, with the
// places that it has in a file: so it is with a template that a resource holds. Its
// own expressions are escaped there, as "[[parameters('name')]".
type written struct {
	run  *run
	file string
}

// template is a template that a resource holds.
func (w written) template(s *Step, v any, at eval.Place, around jsontext.Pos) (*jsontext.Node, error) {
	if u, unknown := value.UnsureWithin(v); unknown {
		return nil, w.run.unmade(s, u)
	}
	if _, ok := v.(value.Object); !ok {
		return nil, s.scope.Fail(w.pos(at, around), "Not a template", "A template should be an object and is %s.", value.Kind(v))
	}
	return w.node(v, at, around)
}

func (w written) node(v any, at eval.Place, around jsontext.Pos) (*jsontext.Node, error) {
	if err := w.run.Meter.Spend(1); err != nil {
		return nil, err
	}
	n := &jsontext.Node{Pos: w.pos(at, around)}
	switch v := v.(type) {
	case bool:
		n.Kind, n.Text = jsontext.Bool, strconv.FormatBool(v)
	case int64:
		n.Kind, n.Text = jsontext.Number, strconv.FormatInt(v, 10)
	case float64:
		n.Kind, n.Text = jsontext.Number, strconv.FormatFloat(v, 'g', -1, 64)
	case string:
		n.Kind, n.Text = jsontext.String, v
	case []any:
		n.Kind = jsontext.Array
		for i, e := range v {
			item, err := w.node(e, at.Item(i), n.Pos)
			if err != nil {
				return nil, err
			}
			n.Items = append(n.Items, item)
		}
	case value.Object:
		n.Kind = jsontext.Object
		return n, w.members(n, v, at)
	}
	return n, nil
}

// members adds those of an object, in the order of their places.
func (w written) members(n *jsontext.Node, o value.Object, at eval.Place) error {
	for _, name := range value.Keys(o) {
		inner, err := w.node(o[name], at.Member(name), n.Pos)
		if err != nil {
			return err
		}
		m := jsontext.Member{Name: name, Pos: inner.Pos, Value: inner}
		if have, ok := at.Node.Member(name); ok && at.File() == w.file {
			m.Pos = have.Pos
		}
		n.Members = append(n.Members, m)
	}
	slices.SortStableFunc(n.Members, func(a, b jsontext.Member) int {
		return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Column, b.Pos.Column))
	})
	return nil
}

// pos is a place in the file, or that of what is around where it has none.
func (w written) pos(at eval.Place, around jsontext.Pos) jsontext.Pos {
	if at.Node == nil || at.File() != w.file {
		return around
	}
	return at.Node.Pos
}
