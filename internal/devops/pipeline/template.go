package pipeline

import (
	"encoding/json"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/cloister-ml/cloister/internal/devops/expression"
)

// scope is what template expressions can see at a place.
type scope struct {
	names map[string]expression.Value // lower case
}

func (s *scope) with(name string, v expression.Value) *scope {
	names := map[string]expression.Value{strings.ToLower(name): v}
	for k, old := range s.names {
		if _, shadowed := names[k]; !shadowed {
			names[k] = old
		}
	}
	return &scope{names}
}

// bound is a node together with what its template expressions see.
type bound struct {
	*yaml.Node
	scope *scope
}

// field is one entry of a mapping.
type field struct {
	key   string
	at    bound // the key
	value bound
}

const (
	maxNodes = 50_000 // visited, template expressions included
	maxNest  = 100
)

// spend counts a visited node; false means that the file makes too many.
func (r *reader) spend(at bound) bool {
	r.visited++
	if r.visited == maxNodes {
		r.fail(at, "the pipeline is larger than %d nodes once its template expressions are evaluated", maxNodes)
	}
	return r.visited < maxNodes
}

// fields are a mapping's entries, with ${{ if }}, ${{ each }} and ${{ insert }}
// carried out.
func (r *reader) fields(b bound, what string) []field {
	b = r.resolve(b)
	if b.Kind != yaml.MappingNode {
		r.fail(b, "%s must be a mapping of keys to values, not %s", what, kindOf(b))
		return nil
	}
	var out []field
	r.walkFields(b, func(f field) { out = append(out, f) }, 0)
	seen := map[string]bool{}
	for _, f := range out {
		if seen[f.key] {
			r.fail(f.at, "the key %s stands twice in %s", f.key, what)
		}
		seen[f.key] = true
	}
	return out
}

func (r *reader) walkFields(b bound, yield func(field), depth int) {
	if depth > maxNest {
		r.fail(b, "template expressions are nested more than %d deep", maxNest)
		return
	}
	chain := conditional{}
	for i := 0; i+1 < len(b.Content); i += 2 {
		key, value := bound{b.Content[i], b.scope}, bound{b.Content[i+1], b.scope}
		if !r.spend(key) {
			return
		}
		directive, argument, isDirective := directiveOf(key.Node)
		if !isDirective {
			chain = conditional{}
			yield(field{r.text(key), key, value})
			continue
		}
		for _, inserted := range r.direct(key, directive, argument, value, &chain) {
			inserted = r.resolve(inserted)
			if inserted.Kind != yaml.MappingNode {
				r.fail(inserted, "%s inside a mapping must hold a mapping, not %s", directive, kindOf(inserted))
				continue
			}
			r.walkFields(inserted, yield, depth+1)
		}
	}
}

// items are a sequence's items, with template expressions carried out; a scalar
// stands for a sequence of one where the schema allows it, which the caller says.
func (r *reader) items(b bound, what string) []bound {
	b = r.resolve(b)
	if b.Kind != yaml.SequenceNode {
		r.fail(b, "%s must be a list, not %s", what, kindOf(b))
		return nil
	}
	var out []bound
	r.walkItems(b, func(item bound) { out = append(out, item) }, 0)
	return out
}

func (r *reader) walkItems(b bound, yield func(bound), depth int) {
	if depth > maxNest {
		r.fail(b, "template expressions are nested more than %d deep", maxNest)
		return
	}
	chain := conditional{}
	for _, node := range b.Content {
		item := bound{node, b.scope}
		if !r.spend(item) {
			return
		}
		if directive, argument, ok := sequenceDirective(node); ok {
			value := bound{node.Content[1], b.scope}
			for _, inserted := range r.direct(bound{node.Content[0], b.scope}, directive, argument, value, &chain) {
				r.walkItems(r.resolve(inserted), yield, depth+1)
			}
			continue
		}
		chain = conditional{}
		if resolved := r.resolve(item); item.Kind == yaml.ScalarNode && resolved.Kind == yaml.SequenceNode {
			r.walkItems(resolved, yield, depth+1)
		} else {
			yield(resolved)
		}
	}
}

// sequenceDirective is a directive whose value is a list: its items take the
// place of the item it stands in.
func sequenceDirective(n *yaml.Node) (directive, argument string, ok bool) {
	if n.Kind != yaml.MappingNode || len(n.Content) != 2 || n.Content[1].Kind == yaml.MappingNode {
		return "", "", false
	}
	return directiveOf(n.Content[0])
}

// directiveOf reads a key such as ${{ if eq(a, b) }}.
func directiveOf(key *yaml.Node) (directive, argument string, ok bool) {
	if key.Kind != yaml.ScalarNode {
		return "", "", false
	}
	inner, whole := wholeTemplate(key.Value)
	if !whole {
		return "", "", false
	}
	directive, argument, _ = strings.Cut(inner, " ")
	switch directive {
	case "if", "elseif", "else", "each", "insert":
		return directive, strings.TrimSpace(argument), true
	}
	return "", "", false
}

// conditional remembers an if for the elseif and else that follow it.
type conditional struct{ open, taken bool }

// direct carries out a directive: the values that take its place.
func (r *reader) direct(key bound, directive, argument string, value bound, chain *conditional) []bound {
	switch directive {
	case "if":
		chain.open, chain.taken = true, r.truth(key, argument)
		if chain.taken {
			return []bound{value}
		}
		return nil
	case "elseif", "else":
		if !chain.open {
			r.fail(key, "%s follows no if", directive)
			return nil
		}
		take := !chain.taken && (directive == "else" || r.truth(key, argument))
		chain.taken = chain.taken || take
		chain.open = directive == "elseif"
		if take {
			return []bound{value}
		}
		return nil
	case "each":
		*chain = conditional{}
		return r.each(key, argument, value)
	}
	*chain = conditional{}
	return []bound{value}
}

func (r *reader) each(key bound, argument string, value bound) []bound {
	name, list, ok := strings.Cut(argument, " in ")
	if name = strings.TrimSpace(name); !ok || !isIdentifier(name) {
		r.fail(key, "each is written ${{ each NAME in LIST }}")
		return nil
	}
	v, ok := r.evaluate(key, list)
	if !ok {
		return nil
	}
	var out []bound
	switch v := v.(type) {
	case []expression.Value:
		for _, item := range v {
			out = append(out, bound{value.Node, value.scope.with(name, item)})
		}
	case expression.Object:
		for _, k := range v.Keys() {
			pair := expression.Object{"key": k, "value": v[k]}
			out = append(out, bound{value.Node, value.scope.with(name, pair)})
		}
	case nil:
	default:
		r.fail(key, "each needs a list or a mapping, not %q", expression.String(v))
	}
	return out
}

func (r *reader) truth(at bound, text string) bool {
	v, ok := r.evaluate(at, text)
	return ok && expression.Truth(v)
}

func (r *reader) evaluate(at bound, text string) (expression.Value, bool) {
	v, err := expression.Evaluate(text, expression.Context{Names: at.scope.names})
	if err != nil {
		r.fail(at, "in ${{ %s }}: %v", strings.TrimSpace(text), err)
		return nil, false
	}
	return v, true
}

// resolve replaces a scalar that is wholly one template expression by the list or
// mapping that it stands for; anything else is returned as it is.
func (r *reader) resolve(b bound) bound {
	if b.Kind != yaml.ScalarNode {
		return b
	}
	inner, whole := wholeTemplate(b.Value)
	if !whole {
		return b
	}
	v, ok := r.evaluate(b, inner)
	if !ok {
		return bound{&yaml.Node{Kind: yaml.ScalarNode, Line: b.Line, Column: b.Column}, b.scope}
	}
	return bound{nodeOf(v, b.Line, b.Column), b.scope}
}

// text is a scalar's text, with template expressions evaluated.
func (r *reader) text(b bound) string {
	if b.Kind != yaml.ScalarNode {
		r.fail(b, "expected text, not %s", kindOf(b))
		return ""
	}
	if b.made() {
		return b.Value
	}
	if b.Tag == "!!null" {
		return ""
	}
	rest := b.Value
	var out strings.Builder
	for {
		start := strings.Index(rest, "${{")
		if start < 0 {
			break
		}
		end := templateEnd(rest[start:])
		if end < 0 {
			r.fail(b, "the ${{ in %q has no }}", firstLine(rest[start:]))
			return ""
		}
		v, ok := r.evaluate(b, rest[start+3:start+end])
		if !ok {
			return ""
		}
		out.WriteString(rest[:start])
		out.WriteString(embedded(v))
		if out.Len() > maxText {
			r.fail(b, "the text is longer than %d characters once evaluated", maxText)
			return ""
		}
		rest = rest[start+end+2:]
	}
	return out.String() + rest
}

// embedded is a value inside a longer text: lists and mappings as JSON.
func embedded(v expression.Value) string {
	switch v.(type) {
	case []expression.Value, expression.Object:
		text, _ := json.Marshal(v) // of values, always possible
		return string(text)
	}
	return expression.String(v)
}

// made says that a node was made of an expression's value: its text is final.
func (b bound) made() bool { return b.Tag == madeTag }

const madeTag = "!made"

func nodeOf(v expression.Value, line, column int) *yaml.Node {
	n := &yaml.Node{Line: line, Column: column, Tag: madeTag}
	switch v := v.(type) {
	case []expression.Value:
		n.Kind = yaml.SequenceNode
		for _, item := range v {
			n.Content = append(n.Content, nodeOf(item, line, column))
		}
	case expression.Object:
		n.Kind = yaml.MappingNode
		for _, k := range v.Keys() {
			n.Content = append(n.Content, nodeOf(k, line, column), nodeOf(v[k], line, column))
		}
	default:
		n.Kind, n.Value = yaml.ScalarNode, expression.String(v)
	}
	return n
}

func wholeTemplate(text string) (inner string, ok bool) {
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, "${{") || templateEnd(text) != len(text)-2 {
		return "", false
	}
	return strings.TrimSpace(text[3 : len(text)-2]), true
}

// templateEnd is where the }} of the template expression at the start of text is,
// quoted strings passed over; -1 when there is none.
func templateEnd(text string) int {
	inString := false
	for i := 3; i+1 < len(text); i++ {
		switch {
		case text[i] == '\'':
			inString = !inString
		case !inString && text[i] == '}' && text[i+1] == '}':
			return i
		}
	}
	return -1
}

func isIdentifier(s string) bool {
	for i, c := range s {
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	if len(s) > 40 {
		s = s[:40]
	}
	return strconv.QuoteToASCII(s)[1 : len(strconv.QuoteToASCII(s))-1]
}
