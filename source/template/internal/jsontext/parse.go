package jsontext

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// Bounds of what is parsed.
const (
	MaxSize  = 16 << 20 // bytes of a file; Azure takes templates of up to 4 MB
	maxDepth = 200
)

// Error is why text is not JSON, and where.
type Error struct {
	Pos     Pos
	Message string
}

func (e *Error) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Pos.Line, e.Pos.Column, e.Message)
}

// Parse reads one value. An error is an [*Error].
func Parse(data []byte) (*Node, error) {
	if len(data) > MaxSize {
		return nil, &Error{Pos{1, 1}, fmt.Sprintf("the file has %d MB, and Azure takes templates of up to 4 MB", len(data)>>20)}
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	return parse(&parser{src: data, line: 1})
}

// ParseLoose is Parse of what json() takes: single quotes too.
func ParseLoose(text string) (*Node, error) {
	return parse(&parser{src: []byte(text), line: 1, loose: true})
}

func parse(p *parser) (*Node, error) {
	n, err := p.value(0)
	if err != nil {
		return nil, err
	}
	if err := p.space(); err != nil {
		return nil, err
	}
	if p.at < len(p.src) {
		return nil, p.fail("there is more after the end of the value")
	}
	return n, nil
}

type parser struct {
	loose bool // strings may be in single quotes
	src   []byte
	at    int
	line  int
	start int // where the line begins
}

func (p *parser) pos() Pos { return Pos{p.line, p.at - p.start + 1} }

func (p *parser) fail(format string, args ...any) error {
	return &Error{p.pos(), fmt.Sprintf(format, args...)}
}

func (p *parser) peek() byte {
	if p.at < len(p.src) {
		return p.src[p.at]
	}
	return 0
}

func (p *parser) quote(c byte) bool { return c == '"' || p.loose && c == '\'' }

func (p *parser) newline() { p.line, p.start = p.line+1, p.at+1 }

// space passes over white space and comments.
func (p *parser) space() error {
	for p.at < len(p.src) {
		switch c := p.src[p.at]; {
		case c == '\n':
			p.newline()
			p.at++
		case c == ' ' || c == '\t' || c == '\r':
			p.at++
		case c == '/' && p.at+1 < len(p.src) && p.src[p.at+1] == '/':
			for p.at < len(p.src) && p.src[p.at] != '\n' {
				p.at++
			}
		case c == '/' && p.at+1 < len(p.src) && p.src[p.at+1] == '*':
			if err := p.block(); err != nil {
				return err
			}
		default:
			return nil
		}
	}
	return nil
}

func (p *parser) block() error {
	open := p.pos()
	for p.at += 2; p.at < len(p.src); p.at++ {
		switch {
		case p.src[p.at] == '\n':
			p.newline()
		case p.src[p.at] == '*' && p.at+1 < len(p.src) && p.src[p.at+1] == '/':
			p.at += 2
			return nil
		}
	}
	return &Error{open, "the comment that begins here has no end"}
}

func (p *parser) value(depth int) (*Node, error) {
	if err := p.space(); err != nil {
		return nil, err
	}
	if depth > maxDepth {
		return nil, p.fail("objects and arrays are nested more than %d deep", maxDepth)
	}
	n := &Node{Pos: p.pos()}
	switch c := p.peek(); {
	case p.at >= len(p.src):
		return nil, p.fail("the file ends where a value should be")
	case c == '{':
		n.Kind = Object
		return n, p.object(n, depth)
	case c == '[':
		n.Kind = Array
		return n, p.array(n, depth)
	case p.quote(c):
		n.Kind = String
		var err error
		n.Text, err = p.str()
		return n, err
	case c == '-' || c >= '0' && c <= '9':
		n.Kind = Number
		return n, p.number(n)
	}
	return n, p.word(n)
}

func (p *parser) object(n *Node, depth int) error {
	for p.at++; ; {
		if err := p.space(); err != nil {
			return err
		}
		switch c := p.peek(); {
		case c == '}':
			p.at++
			return nil
		case p.at >= len(p.src):
			return &Error{n.Pos, "the object that begins here has no end"}
		case !p.quote(c):
			return p.fail("a member's name should be here, in double quotes")
		}
		m := Member{Pos: p.pos()}
		var err error
		if m.Name, err = p.str(); err != nil {
			return err
		}
		if err := p.space(); err != nil {
			return err
		}
		if p.peek() != ':' {
			return p.fail("there should be a ':' after the name %q", clip(m.Name))
		}
		p.at++
		if m.Value, err = p.value(depth + 1); err != nil {
			return err
		}
		n.Members = append(n.Members, m)
		if err := p.comma('}', n, "object"); err != nil {
			return err
		}
	}
}

func (p *parser) array(n *Node, depth int) error {
	for p.at++; ; {
		if err := p.space(); err != nil {
			return err
		}
		if p.peek() == ']' {
			p.at++
			return nil
		}
		if p.at >= len(p.src) {
			return &Error{n.Pos, "the array that begins here has no end"}
		}
		e, err := p.value(depth + 1)
		if err != nil {
			return err
		}
		n.Items = append(n.Items, e)
		if err := p.comma(']', n, "array"); err != nil {
			return err
		}
	}
}

// comma passes over the comma between elements, and stands before the end.
func (p *parser) comma(end byte, n *Node, what string) error {
	if err := p.space(); err != nil {
		return err
	}
	switch c := p.peek(); {
	case p.at >= len(p.src):
		return &Error{n.Pos, "the " + what + " that begins here has no end"}
	case c == ',':
		p.at++
	case c != end:
		return p.fail("there should be a ',' or a '%c' here", end)
	}
	return nil
}

func (p *parser) number(n *Node) error {
	from := p.at
	if p.peek() == '-' {
		p.at++
	}
	digits := func() int {
		begin := p.at
		for c := p.peek(); c >= '0' && c <= '9'; c = p.peek() {
			p.at++
		}
		return p.at - begin
	}
	ok := digits() > 0
	if p.peek() == '.' {
		p.at++
		ok = digits() > 0 && ok
	}
	if c := p.peek(); c == 'e' || c == 'E' {
		p.at++
		if c := p.peek(); c == '+' || c == '-' {
			p.at++
		}
		ok = digits() > 0 && ok
	}
	n.Text = string(p.src[from:p.at])
	if !ok || len(n.Text) > 100 {
		return &Error{n.Pos, "this is not a number"}
	}
	return nil
}

func (p *parser) word(n *Node) error {
	for _, w := range []struct {
		text string
		kind Kind
	}{{"true", Bool}, {"false", Bool}, {"null", Null}} {
		if bytes.HasPrefix(p.src[p.at:], []byte(w.text)) {
			p.at += len(w.text)
			n.Kind, n.Text = w.kind, w.text
			return nil
		}
	}
	r, _ := utf8.DecodeRune(p.src[p.at:])
	return p.fail("a value should be here, not %q", r)
}
