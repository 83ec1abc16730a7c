package eval

import (
	"strings"

	"github.com/cloister-ml/cloister/source/template/internal/expr"
	"github.com/cloister-ml/cloister/source/template/internal/jsontext"
)

// maxWritten bounds how many variables and parameters lead to each other.
const maxWritten = 16

// Place is where a value is written, and the scope that evaluates it there. Node is
// nil where that is no one place.
type Place struct {
	Node  *jsontext.Node
	scope *Scope
	loop  *loop   // that makes an array, each element of which is written at Node
	runs  []piece // that an array is joined of
}

// piece is an array within a longer one.
type piece struct {
	Place
	n int
}

// Place is where the value of a node is written: at the node itself, or at the
// variable or parameter that it is no more than a reference to.
func (s *Scope) Place(n *jsontext.Node) Place { return Place{Node: n, scope: s}.resolve(0) }

// Literal is the place of a value in a file in which nothing is evaluated.
func Literal(file string, n *jsontext.Node) Place { return Place{Node: n, scope: &Scope{file: file}} }

// File is the place's.
func (p Place) File() string {
	if p.scope == nil {
		return ""
	}
	return p.scope.file
}

// Member is where a member of an object is written.
func (p Place) Member(name string) Place { return p.member(name).resolve(0) }

func (p Place) member(name string) Place {
	if !p.Node.Is(jsontext.Object) || p.loop != nil {
		return Place{}
	}
	if loops := p.Node.Get("copy"); isCopy(loops) {
		for _, c := range loops.Items {
			if c.Get("name").Str() == name {
				return p.scope.repeated(c, false)
			}
		}
	}
	return Place{Node: p.Node.Get(name), scope: p.scope}
}

// Item is where an element of an array is written.
func (p Place) Item(i int) Place { return p.item(i).resolve(0) }

func (p Place) item(i int) Place {
	switch {
	case i < 0:
	case p.loop != nil:
		at := *p.loop
		at.index = i
		return Place{Node: p.Node, scope: p.scope.in(&at)}
	case p.runs != nil:
		for _, r := range p.runs {
			if i < r.n {
				return r.item(i)
			}
			i -= r.n
		}
	case p.Node.Is(jsontext.Array) && i < len(p.Node.Items):
		return Place{Node: p.Node.Items[i], scope: p.scope}
	}
	return Place{}
}

// repeated is the place of an array that a loop over values makes.
func (s *Scope) repeated(c *jsontext.Node, whole bool) Place {
	return Place{Node: c.Get("input"), scope: s, loop: &loop{c.Get("name").Str(), 0, whole, s.loop}}
}

// resolve follows references as far as they lead to a place.
func (p Place) resolve(depth int) Place {
	if depth > maxWritten || p.loop != nil || p.runs != nil || p.scope == nil || p.scope.host == nil {
		return p
	}
	if !p.Node.Is(jsontext.String) || !expr.IsExpression(p.Node.Text) {
		return p
	}
	e := expression{p.scope, p.Node.Text[1 : len(p.Node.Text)-1], p.Node.Pos}
	tree, err := e.parse()
	if err != nil {
		return p
	}
	at := e.written(tree, depth+1)
	if at.Node == nil {
		at.Node = p.Node
	}
	if at.scope == nil {
		at.scope = p.scope
	}
	return at
}

// written is where the value of an expression is written; the Node is nil where
// that is the expression itself.
func (e expression) written(n expr.Node, depth int) Place {
	if depth > maxWritten {
		return Place{}
	}
	switch n := n.(type) {
	case expr.Access:
		return e.writtenWithin(n, depth)
	case expr.Call:
		switch strings.ToLower(n.Name) {
		case "variables":
			return e.declared(n, e.s.vars, depth)
		case "parameters":
			return e.declared(n, e.s.params, depth)
		case "if":
			return e.chosen(n, depth)
		case "concat":
			return e.joined(n, depth)
		}
	}
	return Place{}
}

func (e expression) writtenWithin(n expr.Access, depth int) Place {
	of := e.written(n.Of, depth+1)
	key, err := e.eval(n.Key)
	if err != nil {
		return Place{}
	}
	switch key := key.(type) {
	case string:
		return of.member(key).resolve(depth + 1)
	case int64:
		return of.item(int(key)).resolve(depth + 1)
	}
	return Place{}
}

func (e expression) declared(n expr.Call, all map[string]*binding, depth int) Place {
	name, unknown, err := e.name(n)
	if err != nil || unknown != nil {
		return Place{}
	}
	b, ok := all[strings.ToLower(name)]
	if !ok {
		return Place{}
	}
	return b.written.resolve(depth + 1)
}

func (e expression) chosen(n expr.Call, depth int) Place {
	if len(n.Args) != 3 {
		return Place{}
	}
	switch yes, _ := e.eval(n.Args[0]); yes {
	case true:
		return e.written(n.Args[1], depth+1)
	case false:
		return e.written(n.Args[2], depth+1)
	}
	return Place{}
}

// joined is an array of the elements of others.
func (e expression) joined(n expr.Call, depth int) Place {
	runs := make([]piece, len(n.Args))
	for i, arg := range n.Args {
		v, err := e.eval(arg)
		list, ok := v.([]any)
		if err != nil || !ok {
			return Place{}
		}
		runs[i] = piece{e.written(arg, depth+1), len(list)}
	}
	return Place{runs: runs}
}
