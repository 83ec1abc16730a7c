package expr

import (
	"fmt"
	"strconv"
	"strings"
)

// Bounds of an expression.
const (
	MaxLength = 24576 // characters, Azure's own limit
	maxDepth  = 200
)

// Error is why a text is no expression, and where in it.
type Error struct {
	Offset  int // in bytes
	Message string
}

func (e *Error) Error() string { return e.Message }

// Parse reads the text between the brackets. An error is an [*Error].
func Parse(text string) (Node, error) {
	if len(text) > MaxLength {
		return nil, &Error{0, fmt.Sprintf("the expression has %d characters, and Azure takes %d", len(text), MaxLength)}
	}
	p := &parser{src: text}
	n, err := p.term(0)
	if err != nil {
		return nil, err
	}
	if p.space(); p.at < len(p.src) {
		return nil, p.fail("the expression should end before %q", p.rest())
	}
	return n, nil
}

type parser struct {
	src string
	at  int
}

func (p *parser) fail(format string, args ...any) error {
	return &Error{p.at, fmt.Sprintf(format, args...)}
}

func (p *parser) rest() string { return p.src[p.at:min(len(p.src), p.at+20)] }

func (p *parser) space() {
	for p.at < len(p.src) && strings.IndexByte(" \t\r\n", p.src[p.at]) >= 0 {
		p.at++
	}
}

func (p *parser) peek() byte {
	p.space()
	if p.at < len(p.src) {
		return p.src[p.at]
	}
	return 0
}

// take passes over c where it is next.
func (p *parser) take(c byte) bool {
	if p.peek() != c {
		return false
	}
	p.at++
	return true
}

// term is a literal or a call with what is accessed of it.
func (p *parser) term(depth int) (Node, error) {
	if depth > maxDepth {
		return nil, p.fail("the expression is nested more than %d deep", maxDepth)
	}
	n, err := p.primary(depth)
	for err == nil {
		var more bool
		if n, more, err = p.access(n, depth); !more {
			return n, err
		}
	}
	return nil, err
}

func (p *parser) primary(depth int) (Node, error) {
	switch c := p.peek(); {
	case p.at >= len(p.src):
		return nil, p.fail("the expression ends where a value should be")
	case c == '\'':
		return p.str()
	case c == '-' || c == '+' || digit(c):
		return p.number()
	case letter(c):
		return p.call(depth)
	}
	return nil, p.fail("a function, a string in single quotes or a number should be here, not %q", p.rest())
}

func (p *parser) str() (Node, error) {
	start := p.at
	var b strings.Builder
	for p.at++; p.at < len(p.src); p.at++ {
		if p.src[p.at] != '\'' {
			b.WriteByte(p.src[p.at])
			continue
		}
		if p.at+1 < len(p.src) && p.src[p.at+1] == '\'' {
			b.WriteByte('\'')
			p.at++
			continue
		}
		p.at++
		return Literal{span{start, p.at}, b.String()}, nil
	}
	return nil, &Error{start, "the string that begins here has no end: a quote within it is written twice"}
}

func (p *parser) number() (Node, error) {
	start := p.at
	p.at++
	for p.at < len(p.src) && digit(p.src[p.at]) {
		p.at++
	}
	n, err := strconv.ParseInt(p.src[start:p.at], 10, 64)
	if err != nil {
		return nil, &Error{start, fmt.Sprintf("%q is not a whole number of 64 bits", p.src[start:p.at])}
	}
	if p.at < len(p.src) && p.src[p.at] == '.' && p.at+1 < len(p.src) && digit(p.src[p.at+1]) {
		return nil, &Error{start, "expressions have whole numbers only: json('1.5') gives one that is not"}
	}
	return Literal{span{start, p.at}, n}, nil
}

func (p *parser) name() string {
	start := p.at
	for p.at < len(p.src) && (letter(p.src[p.at]) || digit(p.src[p.at])) {
		p.at++
	}
	return p.src[start:p.at]
}

func (p *parser) call(depth int) (Node, error) {
	start := p.at
	c := Call{Name: p.name()}
	for p.take('.') {
		if p.space(); c.Namespace != "" {
			c.Namespace += "."
		}
		c.Namespace += c.Name
		if c.Name = p.name(); c.Name == "" {
			return nil, p.fail("a function's name should be here")
		}
	}
	if !p.take('(') {
		word := p.src[start:p.at]
		return nil, &Error{start, fmt.Sprintf("%q is not a function call: a string is written '%s'", word, strings.TrimSpace(word))}
	}
	for !p.take(')') {
		if len(c.Args) > 0 && !p.take(',') {
			return nil, p.fail("there should be a ',' or a ')' here")
		}
		arg, err := p.term(depth + 1)
		if err != nil {
			return nil, err
		}
		c.Args = append(c.Args, arg)
	}
	c.span = span{start, p.at}
	return c, nil
}

// access is n with the member or element that is asked of it next; more is false
// where none is.
func (p *parser) access(n Node, depth int) (_ Node, more bool, err error) {
	start, _ := n.Span()
	a := Access{Of: n}
	switch {
	case p.take('.'):
		a.Safe = p.take('?')
		p.space()
		from := p.at
		name := p.name()
		if name == "" {
			return nil, false, p.fail("a member's name should be here, not %q", p.rest())
		}
		a.Key = Literal{span{from, p.at}, name}
	case p.take('['):
		a.Safe = p.take('?')
		if a.Key, err = p.term(depth + 1); err != nil {
			return nil, false, err
		}
		if !p.take(']') {
			return nil, false, p.fail("there should be a ']' here")
		}
	default:
		return n, false, nil
	}
	// Every access is one level more for whoever walks the tree.
	if a.span = (span{start, p.at}); depthOf(n) >= maxDepth {
		return nil, false, p.fail("the expression is nested more than %d deep", maxDepth)
	}
	return a, true, nil
}

// depthOf is how many accesses follow each other.
func depthOf(n Node) int {
	d := 0
	for {
		a, ok := n.(Access)
		if !ok {
			return d
		}
		n, d = a.Of, d+1
	}
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func letter(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '$'
}
