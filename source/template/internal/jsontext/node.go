package jsontext

import (
	"math"
	"strconv"
	"strings"
)

// Kind is what a value is.
type Kind uint8

// The kinds of value.
const (
	Null Kind = iota
	Bool
	Number
	String
	Array
	Object
)

func (k Kind) String() string {
	return [...]string{"null", "a boolean", "a number", "a string", "an array", "an object"}[k]
}

// Pos is a place in a file, both from 1. Columns count bytes.
type Pos struct{ Line, Column int }

// Node is a value and where it is.
type Node struct {
	Kind    Kind
	Pos     Pos
	Text    string // of a string, unescaped; of a number or a boolean, as written
	Members []Member
	Items   []*Node
}

// Member is one of an object's.
type Member struct {
	Name  string
	Pos   Pos // of the name
	Value *Node
}

// Get is the member of a name, compared without regard to case; nil where there
// is none, and on a nil Node. Of several the last counts.
func (n *Node) Get(name string) *Node {
	if m, ok := n.Member(name); ok {
		return m.Value
	}
	return nil
}

// Member is Get with the name's own place.
func (n *Node) Member(name string) (Member, bool) {
	if n == nil {
		return Member{}, false
	}
	for i := len(n.Members) - 1; i >= 0; i-- {
		if strings.EqualFold(n.Members[i].Name, name) {
			return n.Members[i], true
		}
	}
	return Member{}, false
}

// Is reports whether there is a value of a kind.
func (n *Node) Is(k Kind) bool { return n != nil && n.Kind == k }

// Str is a string's text, "" of anything else.
func (n *Node) Str() string {
	if !n.Is(String) {
		return ""
	}
	return n.Text
}

// Scalar is what a value that is neither array nor object is in Go: nil, a bool,
// an int64 or, of what is not whole, a float64, or a string.
func (n *Node) Scalar() any {
	switch n.Kind {
	case Bool:
		return n.Text == "true"
	case String:
		return n.Text
	case Number:
		return number(n.Text)
	}
	return nil
}

func number(text string) any {
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		return i
	}
	f, _ := strconv.ParseFloat(text, 64)
	if math.IsInf(f, 0) {
		f = math.Copysign(math.MaxFloat64, f)
	}
	if f == math.Trunc(f) && math.Abs(f) < 1<<63 {
		return int64(f)
	}
	return f
}

// Value is the whole value in Go: objects map[string]any, arrays []any.
func (n *Node) Value() any {
	switch {
	case n == nil:
		return nil
	case n.Kind == Object:
		out := make(map[string]any, len(n.Members))
		for _, m := range n.Members {
			out[m.Name] = m.Value.Value()
		}
		return out
	case n.Kind == Array:
		out := make([]any, len(n.Items))
		for i, e := range n.Items {
			out[i] = e.Value()
		}
		return out
	}
	return n.Scalar()
}
