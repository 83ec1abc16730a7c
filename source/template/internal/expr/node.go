package expr

import "strings"

// Node is an expression.
type Node interface {
	// Span is where the expression begins and ends in its text, in bytes.
	Span() (start, end int)
}

type span struct{ start, end int }

func (s span) Span() (int, int) { return s.start, s.end }

// Literal is a string or a whole number (int64).
type Literal struct {
	span
	Value any
}

// Call is a function's. Namespace is that of a function which the template
// defines, "" of a built-in one.
type Call struct {
	span
	Namespace string
	Name      string
	Args      []Node
}

// Access is a member or element of a value: .name or [key]. Safe is the form
// that gives null where there is none.
type Access struct {
	span
	Of   Node
	Key  Node // of .name, a Literal
	Safe bool
}

// IsExpression reports whether a template's string is one: in brackets, and not
// escaped.
func IsExpression(s string) bool {
	return strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") && !strings.HasPrefix(s, "[[")
}

// Plain is what a string that is no expression says.
func Plain(s string) string {
	if strings.HasPrefix(s, "[[") {
		return s[1:]
	}
	return s
}
