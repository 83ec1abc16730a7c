package funcs

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// maxNesting is how deep brackets, operators and templates may stand within each
// other. The parser calls itself for each level, and a file of brackets alone
// would exhaust the stack, which no program survives.
const maxNesting = 250

// Nesting refuses source text that is nested too deeply to be parsed safely, or
// that holds a number too large to compute with.
func Nesting(src []byte, name string, template bool) error {
	if shallow(src) {
		return nil
	}
	var tokens hclsyntax.Tokens
	start := hcl.Pos{Line: 1, Column: 1}
	if template {
		tokens, _ = hclsyntax.LexTemplate(src, name, start)
	} else {
		tokens, _ = hclsyntax.LexConfig(src, name, start)
	}
	depth, pending := 0, 0 // pending: operators that recurse within one expression
	for _, t := range tokens {
		switch t.Type {
		case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenTemplateInterp,
			hclsyntax.TokenTemplateControl, hclsyntax.TokenOQuote, hclsyntax.TokenOHeredoc:
			depth++
		case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenTemplateSeqEnd,
			hclsyntax.TokenCQuote, hclsyntax.TokenCHeredoc:
			depth--
		case hclsyntax.TokenNumberLit:
			if err := checkNumber(t.Bytes); err != nil {
				return fmt.Errorf("%s:%d: %w", name, t.Range.Start.Line, err)
			}
		case hclsyntax.TokenBang, hclsyntax.TokenMinus, hclsyntax.TokenQuestion:
			pending++
		case hclsyntax.TokenNewline, hclsyntax.TokenComma:
			pending = 0
		}
		if depth > maxNesting || pending > maxNesting {
			return fmt.Errorf("%s:%d is nested more than %d levels deep", name, t.Range.Start.Line, maxNesting)
		}
	}
	return nil
}

// shallow reports text that cannot nest deeply, having too few characters that
// begin a level, nor hold an immense number. Most files are, and need not be
// taken apart twice.
func shallow(src []byte) bool {
	open, unary, digits := 0, 0, 0
	for i, c := range src {
		if c >= '0' && c <= '9' {
			digits++
			continue
		}
		if digits > 0 && (c == 'e' || c == 'E') && i+1 < len(src) && (src[i+1] == '+' || src[i+1] == '-' || src[i+1] >= '0' && src[i+1] <= '9') {
			return false // an exponent, which is for the lexer to read
		}
		if digits > 1000 {
			return false
		}
		digits = 0
		switch c {
		case '{':
			open += 2 // of an interpolation, after a quote
		case '(', '[', '<':
			open++
		case '!', '-', '?':
			unary++
		}
	}
	return open < maxNesting && unary < maxNesting && digits <= 1000
}

// maxLoops is how many loops may stand within each other in a string of JSON,
// whose expressions are parsed each time that they are evaluated.
const maxLoops = 3

// NestingJSON is Nesting for the JSON syntax, whose strings hold expressions.
func NestingJSON(src []byte, name string) error {
	depth, line := 0, 1
	for i := 0; i < len(src); i++ {
		switch src[i] {
		case '\n':
			line++
		case '[', '{':
			if depth++; depth > maxNesting {
				return fmt.Errorf("%s:%d is nested more than %d levels deep", name, line, maxNesting)
			}
		case ']', '}':
			depth--
		case '"':
			end := stringEnd(src, i)
			if err := nestingOfString(src[i+1:end], name, line); err != nil {
				return err
			}
			i = end
		}
	}
	return nil
}

// stringEnd is where the string that begins at i ends.
func stringEnd(src []byte, i int) int {
	for j := i + 1; j < len(src); j++ {
		switch src[j] {
		case '\\':
			j++
		case '"', '\n':
			return j
		}
	}
	return len(src)
}

func nestingOfString(text []byte, name string, line int) error {
	if !bytes.Contains(text, []byte("${")) && !bytes.Contains(text, []byte("%{")) {
		return nil
	}
	// What is escaped in JSON is an opening character at most.
	plain := bytes.ReplaceAll(text, []byte(`\"`), []byte(`"`))
	if bytes.Contains(plain, []byte(`\u`)) {
		var s string
		if json.Unmarshal(append(append([]byte{'"'}, text...), '"'), &s) == nil {
			plain = []byte(s)
		}
	}
	if err := Nesting(plain, name, true); err != nil {
		return fmt.Errorf("%s:%d: an expression is nested more than %d levels deep, or holds a number of more than ten thousand digits", name, line, maxNesting)
	}
	if bytes.Count(plain, []byte("for ")) > maxLoops && loops(plain) > maxLoops {
		return fmt.Errorf("%s:%d: an expression has more than %d loops: write it in a .tf file", name, line, maxLoops)
	}
	return nil
}

// loops counts the for expressions and directives of a template.
func loops(src []byte) int {
	tokens, _ := hclsyntax.LexTemplate(src, "", hcl.InitialPos)
	n := 0
	for i, t := range tokens {
		if i == 0 || t.Type != hclsyntax.TokenIdent || string(t.Bytes) != "for" {
			continue
		}
		switch tokens[i-1].Type {
		case hclsyntax.TokenOBrack, hclsyntax.TokenOBrace, hclsyntax.TokenTemplateControl:
			n++
		}
	}
	return n
}
