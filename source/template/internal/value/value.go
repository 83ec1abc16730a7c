package value

import (
	"fmt"
	"hash/fnv"
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

// Object is a JSON object.
type Object = map[string]any

// Unknown stands for a value that is not known before deployment.
type Unknown struct {
	arm.Unknown
	// Symbol is what stands for the value in a longer text, as the name of a
	// resource: {parameters('prefix')}-vnet. Equal values have equal symbols.
	Symbol string
	// Held says that the value is known and withheld: it is neither null nor empty.
	Held bool
}

// Nowhere stands for a subscription that nothing names.
const Nowhere = "00000000-0000-0000-0000-000000000000"

// NewUnknown is an unknown value that stands for an expression.
func NewUnknown(expression, file string, line int) Unknown {
	return Unknown{Unknown: arm.Unknown{Expression: expression, File: file, Line: line}, Symbol: Braced(expression)}
}

// As is the unknown value that an operation makes of u; its symbol is made of the
// operation's text.
func (u Unknown) As(symbol string) Unknown {
	u.Symbol, u.Held = symbol, false
	return u
}

// Partial is an object of which some members are known, as what reference() says
// of a resource that is not deployed yet. Others are the unknown value Rest.
type Partial struct {
	Known Object
	Rest  Unknown
}

// Whole is an object within a [Partial] of which all members are known.
type Whole Object

// Lambda is a function that is given to another.
type Lambda struct {
	Params int
	Call   func(args ...any) (any, error)
}

// Braced makes an expression fit for a segment of an id.
func Braced(expression string) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case r <= ' ' || r == 0x7f || r == '{' || r == '}':
			return -1
		case strings.ContainsRune("/\\?#%", r):
			return '~'
		}
		return r
	}, expression)
	if len(clean) > maxSymbol {
		// What is cut off still tells two texts apart.
		clean = fmt.Sprintf("%s~%s", clip(clean, maxSymbol-9), digest(clean))
	}
	return "{" + clean + "}"
}

// maxSymbol lets a name with what stands for a part of it be a label of a host.
const maxSymbol = 40

func digest(s string) string {
	h := fnv.New32a()
	h.Write([]byte(s))
	return fmt.Sprintf("%08x", h.Sum32())
}

// Hashed stands for the hash of texts, of which one is not known.
func Hashed(what, of string) string { return "{" + what + "-" + digest(of) + "}" }

// Part is a segment of an id, unknown where it only stands for something.
func Part(segment string) any {
	if strings.ContainsRune(segment, '{') || segment == Nowhere {
		return Unknown{Unknown: arm.Unknown{Expression: segment}, Symbol: segment}
	}
	return segment
}

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n]
}

// Symbol is what stands for a value in a longer text.
func Symbol(v any) string {
	switch v := v.(type) {
	case Unknown:
		return v.Symbol
	case Partial:
		return v.Rest.Symbol
	}
	s, _ := Text(v)
	return s
}

// Unsure is the unknown value that v is; one that is known in part counts.
func Unsure(v any) (Unknown, bool) {
	switch v := v.(type) {
	case Unknown:
		return v, true
	case Partial:
		return v.Rest, true
	case arm.Unknown:
		return Unknown{Unknown: v, Symbol: Braced(v.Expression)}, true
	}
	return Unknown{}, false
}

// UnsureWithin is the first unknown value in v or within it.
func UnsureWithin(v any) (Unknown, bool) {
	if u, ok := Unsure(v); ok {
		return u, true
	}
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			if u, ok := UnsureWithin(e); ok {
				return u, true
			}
		}
	case Object:
		for _, k := range Keys(v) {
			if u, ok := UnsureWithin(v[k]); ok {
				return u, true
			}
		}
	}
	return Unknown{}, false
}

// Kind names what a value is, for messages.
func Kind(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case int64:
		return "a whole number"
	case float64:
		return "a number"
	case string:
		return "a string"
	case []any:
		return "an array"
	case Object:
		return "an object"
	case Lambda:
		return "a lambda"
	}
	return "not known"
}

// Field is an object's member, compared without regard to case.
func Field(o Object, name string) (any, bool) {
	if v, ok := o[name]; ok {
		return v, true
	}
	for _, k := range Keys(o) {
		if strings.EqualFold(k, name) {
			return o[k], true
		}
	}
	return nil, false
}
