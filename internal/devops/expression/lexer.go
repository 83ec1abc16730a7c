package expression

import (
	"fmt"
	"strings"
)

// Error is a fault in an expression's text, at a byte offset.
type Error struct {
	Offset  int
	Message string
}

func (e *Error) Error() string { return fmt.Sprintf("%s (at character %d)", e.Message, e.Offset+1) }

type kind int

const (
	tokenEnd kind = iota
	tokenName
	tokenLiteral
	tokenPunctuation // one of ( ) [ ] , . *
)

type token struct {
	kind   kind
	text   string
	value  Value
	offset int
}

func errorAt(offset int, format string, args ...any) error {
	return &Error{Offset: offset, Message: fmt.Sprintf(format, args...)}
}

// lex cuts an expression into tokens, the last of which is tokenEnd.
func lex(text string) ([]token, error) {
	var tokens []token
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			i++
		case c == '\'':
			value, end, err := quoted(text, i)
			if err != nil {
				return nil, err
			}
			tokens = append(tokens, token{tokenLiteral, text[i:end], value, i})
			i = end
		case isNameStart(c):
			end := i + 1
			for end < len(text) && isNamePart(text[end]) {
				end++
			}
			tokens = append(tokens, nameToken(text[i:end], i, tokens))
			i = end
		case startsNumber(text[i:], tokens):
			t, err := numeric(text, i)
			if err != nil {
				return nil, err
			}
			tokens = append(tokens, t)
			i += len(t.text)
		case strings.IndexByte("()[],.*", c) >= 0:
			tokens = append(tokens, token{tokenPunctuation, string(c), nil, i})
			i++
		default:
			return nil, errorAt(i, "unexpected %q; strings stand in single quotes, and comparisons are functions such as eq(a, b)", text[i:i+1])
		}
	}
	return append(tokens, token{kind: tokenEnd, offset: len(text)}), nil
}

func quoted(text string, start int) (value string, end int, err error) {
	var b strings.Builder
	for i := start + 1; i < len(text); i++ {
		if text[i] != '\'' {
			b.WriteByte(text[i])
			continue
		}
		if i+1 < len(text) && text[i+1] == '\'' {
			b.WriteByte('\'')
			i++
			continue
		}
		return b.String(), i + 1, nil
	}
	return "", 0, errorAt(start, "the string that begins here has no closing quote")
}

// nameToken makes true, false and null literals, except after a point, where
// they are names like any other.
func nameToken(text string, offset int, before []token) token {
	t := token{tokenName, text, nil, offset}
	if n := len(before); n > 0 && before[n-1].text == "." {
		return t
	}
	switch strings.ToLower(text) {
	case "true":
		return token{tokenLiteral, text, true, offset}
	case "false":
		return token{tokenLiteral, text, false, offset}
	case "null":
		return token{tokenLiteral, text, nil, offset}
	}
	return t
}

func startsNumber(text string, before []token) bool {
	if isDigit(text[0]) {
		return true
	}
	if text[0] == '.' && len(before) > 0 {
		last := before[len(before)-1]
		if last.kind == tokenName || last.text == ")" || last.text == "]" || last.text == "*" {
			return false
		}
	}
	return (text[0] == '-' || text[0] == '+' || text[0] == '.') && len(text) > 1 && (isDigit(text[1]) || text[1] == '.')
}

func numeric(text string, start int) (token, error) {
	end := start + 1
	for end < len(text) && (isDigit(text[end]) || text[end] == '.') {
		end++
	}
	word := text[start:end]
	if strings.Count(word, ".") > 1 {
		if v, ok := ParseVersion(word); ok {
			return token{tokenLiteral, word, v, start}, nil
		}
	} else if f, ok := parseNumber(word); ok {
		return token{tokenLiteral, word, f, start}, nil
	}
	return token{}, errorAt(start, "%q is neither a number nor a version", word)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isNameStart(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func isNamePart(c byte) bool { return isNameStart(c) || isDigit(c) || c == '-' }
