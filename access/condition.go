package access

import (
	"strings"
	"unicode"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/verdict"
)

// call is what a condition is asked about.
type call struct {
	action    string
	data      bool
	scope     arm.ID
	principal string
}

// maxDepth bounds how deep the parentheses of a condition may go.
const maxDepth = 64

// condition evaluates the condition of a role assignment as far as the call
// decides it: which action it is, and the names of containers that the scope has in
// it. Everything else (tags, the request, the environment) is unknown, and unknown
// stays unknown unless the logic around it decides.
//
// Source: Microsoft Learn, "Azure role assignment condition format and syntax".
func condition(text string, c call) verdict.Value {
	p := &conditionParser{tokens: scan(text), call: c}
	v := p.or()
	if p.failed || p.at < len(p.tokens) {
		return verdict.Unknown
	}
	return v
}

type conditionParser struct {
	tokens []string
	at     int
	depth  int
	failed bool
	call   call
}

// scan divides a condition into parentheses, quoted texts, sets, attributes and words.
func scan(s string) []string {
	var out []string
	for len(s) > 0 {
		n := 1
		switch c := s[0]; {
		case unicode.IsSpace(rune(c)):
			s = s[1:]
			continue
		case strings.IndexByte("()!", c) >= 0:
		case c == '\'':
			n = past(s, "'")
		case c == '{':
			n = past(s, "}")
		case c == '@':
			n = past(s, "]")
		case strings.HasPrefix(s, "&&"), strings.HasPrefix(s, "||"):
			n = 2
		default:
			n = strings.IndexFunc(s, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("()!{'@&|", r) })
			if n <= 0 {
				n = len(s)
				if i := strings.IndexFunc(s[1:], unicode.IsSpace); i >= 0 {
					n = i + 1
				}
			}
		}
		out, s = append(out, s[:n]), s[n:]
	}
	return out
}

// past is the length of a text that begins here and ends with the given byte.
func past(s, end string) int {
	if i := strings.Index(s[1:], end); i >= 0 {
		return i + 2
	}
	return len(s)
}

func (p *conditionParser) peek() string {
	if p.at < len(p.tokens) {
		return p.tokens[p.at]
	}
	return ""
}

func (p *conditionParser) is(words ...string) bool {
	for _, w := range words {
		if strings.EqualFold(p.peek(), w) {
			p.at++
			return true
		}
	}
	return false
}

func (p *conditionParser) or() verdict.Value {
	v := p.and()
	for p.is("OR", "||") {
		v = verdict.Not(verdict.And(verdict.Not(v), verdict.Not(p.and())))
	}
	return v
}

func (p *conditionParser) and() verdict.Value {
	v := p.term()
	for p.is("AND", "&&") {
		v = verdict.And(v, p.term())
	}
	return v
}

func (p *conditionParser) term() verdict.Value {
	p.depth++
	defer func() { p.depth-- }()
	switch {
	case p.failed || p.depth > maxDepth || p.at >= len(p.tokens):
		p.failed = true
		return verdict.Unknown
	case p.is("!", "NOT"):
		return verdict.Not(p.term())
	case p.is("("):
		v := p.or()
		if !p.is(")") {
			p.failed = true
		}
		return v
	case p.is("ActionMatches"):
		return p.action()
	case p.is("SubOperationMatches", "Exists", "NotExists"):
		p.at++
		return verdict.Unknown
	}
	return p.comparison()
}

// action compares the action of the call with a pattern: {'...'}.
func (p *conditionParser) action() verdict.Value {
	set := p.peek()
	p.at++
	pattern := strings.Trim(strings.Trim(set, "{} "), "'")
	if !strings.HasPrefix(set, "{") || pattern == "" {
		p.failed = true
		return verdict.Unknown
	}
	if matches(pattern, p.call.action) {
		return verdict.Yes
	}
	return verdict.No
}

const containerName = "Microsoft.Storage/storageAccounts/blobServices/containers:name"

// comparison is an attribute, an operator and a value.
func (p *conditionParser) comparison() verdict.Value {
	if p.at+3 > len(p.tokens) {
		p.failed = true
		return verdict.Unknown
	}
	left, operator, right := p.tokens[p.at], p.tokens[p.at+1], p.tokens[p.at+2]
	if strings.ContainsAny(left+operator+right, "()!") && !strings.HasPrefix(right, "'") && !strings.HasPrefix(right, "{") {
		p.failed = true
		return verdict.Unknown
	}
	p.at += 3
	container, known := containerOf(p.call.scope)
	if !known || !strings.EqualFold(left, "@Resource["+containerName+"]") || !strings.HasPrefix(right, "'") {
		return verdict.Unknown
	}
	same := strings.Trim(right, "'") == container
	switch strings.ToLower(operator) {
	case "stringequals":
	case "stringnotequals":
		same = !same
	default:
		return verdict.Unknown
	}
	if same {
		return verdict.Yes
	}
	return verdict.No
}

// containerOf is the blob container that a scope is or lies in.
func containerOf(scope arm.ID) (string, bool) {
	for ; scope != ""; scope = scope.Parent() {
		if strings.EqualFold(scope.Type(), "Microsoft.Storage/storageAccounts/blobServices/containers") {
			return scope.Name(), true
		}
	}
	return "", false
}
