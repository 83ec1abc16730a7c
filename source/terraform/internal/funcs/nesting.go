package funcs

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// maxNesting is how deep brackets, operators and templates may stand within each
// other. The parser calls itself for each level, and a file of brackets alone
// would exhaust the stack, which no program survives.
const maxNesting = 250

// Nesting refuses source text that is nested too deeply to be parsed safely.
func Nesting(src []byte, name string, template bool) error {
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
