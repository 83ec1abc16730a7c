package expression

import "strings"

const (
	maxLength = 21000 // as Azure Pipelines bounds an expression
	maxDepth  = 50
)

// Expression is a parsed expression.
type Expression struct {
	root node
	text string
}

// String is the expression's text.
func (e *Expression) String() string { return e.text }

type node interface{}

type (
	literal struct{ value Value }
	name    struct { // variables, dependencies, ...
		name   string
		offset int
	}
	call struct {
		function string // lower case
		args     []node
		offset   int
	}
	index struct { // of[key]; a nil key is the wildcard
		of, key node
	}
)

// Parse reads an expression. An empty one is an error.
func Parse(text string) (*Expression, error) {
	if len(text) > maxLength {
		return nil, errorAt(maxLength, "the expression is longer than %d characters", maxLength)
	}
	tokens, err := lex(text)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: tokens}
	if p.peek().kind == tokenEnd {
		return nil, errorAt(0, "the expression is empty")
	}
	root, err := p.value(0)
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t.kind != tokenEnd {
		return nil, errorAt(t.offset, "unexpected %q after the end of the expression", t.text)
	}
	return &Expression{root: root, text: text}, nil
}

type parser struct {
	tokens []token
	at     int
}

func (p *parser) peek() token { return p.tokens[p.at] }

func (p *parser) next() token {
	t := p.tokens[p.at]
	if t.kind != tokenEnd {
		p.at++
	}
	return t
}

func (p *parser) accept(punctuation string) bool {
	t := p.peek()
	if t.kind == tokenPunctuation && t.text == punctuation {
		p.at++
		return true
	}
	return false
}

func (p *parser) expect(punctuation string) error {
	if p.accept(punctuation) {
		return nil
	}
	t := p.peek()
	if t.kind == tokenEnd {
		return errorAt(t.offset, "the expression ends where %q is expected", punctuation)
	}
	return errorAt(t.offset, "%q where %q is expected", t.text, punctuation)
}

func (p *parser) value(depth int) (node, error) {
	if depth > maxDepth {
		return nil, errorAt(p.peek().offset, "the expression is nested more than %d deep", maxDepth)
	}
	n, err := p.primary(depth)
	if err != nil {
		return nil, err
	}
	for chain := depth; ; chain++ {
		if chain > 2*maxDepth {
			return nil, errorAt(p.peek().offset, "the expression dereferences more than %d times", maxDepth)
		}
		switch {
		case p.accept("."):
			n, err = p.property(n)
		case p.accept("["):
			n, err = p.subscript(n, depth)
		default:
			return n, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

func (p *parser) primary(depth int) (node, error) {
	t := p.next()
	switch {
	case t.kind == tokenLiteral:
		return literal{t.value}, nil
	case t.kind == tokenName && p.accept("("):
		return p.call(t, depth)
	case t.kind == tokenName:
		return name{t.text, t.offset}, nil
	case t.kind == tokenEnd:
		return nil, errorAt(t.offset, "the expression ends where a value is expected")
	}
	return nil, errorAt(t.offset, "%q where a value is expected", t.text)
}

func (p *parser) property(of node) (node, error) {
	if p.accept("*") {
		return index{of: of}, nil
	}
	t := p.next()
	if t.kind != tokenName {
		return nil, errorAt(t.offset, "a property name is expected after the point")
	}
	return index{of: of, key: literal{t.text}}, nil
}

func (p *parser) subscript(of node, depth int) (node, error) {
	if p.accept("*") {
		return index{of: of}, p.expect("]")
	}
	key, err := p.value(depth + 1)
	if err != nil {
		return nil, err
	}
	return index{of: of, key: key}, p.expect("]")
}

func (p *parser) call(t token, depth int) (node, error) {
	c := call{function: strings.ToLower(t.text), offset: t.offset}
	if !p.accept(")") {
		for {
			arg, err := p.value(depth + 1)
			if err != nil {
				return nil, err
			}
			c.args = append(c.args, arg)
			if !p.accept(",") {
				break
			}
		}
		if err := p.expect(")"); err != nil {
			return nil, err
		}
	}
	return c, checkArity(c, t.text)
}

func checkArity(c call, written string) error {
	if n, ok := statusArity[c.function]; ok {
		if len(c.args) > n {
			return errorAt(c.offset, "%s takes at most %d arguments, not %d", written, n, len(c.args))
		}
		return nil
	}
	f, ok := functions[c.function]
	switch {
	case !ok:
		return errorAt(c.offset, "there is no function %s", written)
	case len(c.args) < f.min:
		return errorAt(c.offset, "%s takes at least %d arguments, not %d", written, f.min, len(c.args))
	case f.max >= 0 && len(c.args) > f.max:
		return errorAt(c.offset, "%s takes at most %d arguments, not %d", written, f.max, len(c.args))
	}
	return nil
}
