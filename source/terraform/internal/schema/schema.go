package schema

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// Block is the schema of a body.
type Block struct {
	Attributes map[string]Attribute
	Blocks     map[string]Nested
}

// Attribute is one argument or computed attribute. Sets are lists here: the
// order in which they were written is kept, and says more than a set's.
type Attribute struct {
	Type                                    cty.Type
	Required, Optional, Computed, Sensitive bool
}

// Settable reports whether a configuration may give the attribute a value.
func (a Attribute) Settable() bool { return a.Required || a.Optional }

// Nested is a block within a body.
type Nested struct {
	Block
	Min, Max int // Max 0 is without limit
	// Computed says that the provider fills the block in where none is written.
	Computed bool
}

//go:embed azurerm.txt
var azurerm string

//go:embed renamed.txt
var renamed string

//go:embed older.txt
var older string

//go:embed computed.txt
var computed string

//go:embed azapi.txt
var azapi string

//go:embed helpers.txt
var helpers string

// Set holds the schemas of every type; each is parsed when it is first asked for.
type Set struct {
	text   map[string][]string // "resource azurerm_subnet" -> its texts, later ones on top
	mu     sync.Mutex
	parsed map[string]*Block
	types  map[string]cty.Type // those of attributes, as they are written
}

// New indexes the schemas.
func New() *Set { return index(azurerm, azapi, helpers, renamed, older) }

// Current indexes those of the current release of azurerm alone.
func Current() *Set { return index(azurerm) }

func index(files ...string) *Set {
	s := &Set{text: make(map[string][]string, manyTypes), parsed: map[string]*Block{}, types: map[string]cty.Type{}}
	for _, file := range files {
		resources, data := headings{text: file, word: "\nresource "}, headings{text: file, word: "\ndata "}
		for at := 0; at < len(file); {
			end := min(resources.after(at), data.after(at))
			if heading, body, _ := strings.Cut(file[at:end], "\n"); !strings.HasPrefix(heading, "#") {
				s.text[heading] = append(s.text[heading], body)
			}
			at = end
		}
	}
	return s
}

// manyTypes is as many as there are headings, and some more.
const manyTypes = 2_200

// headings are the lines of a file that begin with a word. All others but remarks are
// indented, so no line needs to be looked at.
type headings struct {
	text, word string
	at         int
}

// after is where the first heading after a place begins, or the end.
func (h *headings) after(place int) int {
	if h.at > place || h.at == len(h.text) {
		return h.at
	}
	i := strings.Index(h.text[place:], h.word)
	if i < 0 {
		h.at = len(h.text)
	} else {
		h.at = place + i + 1
	}
	return h.at
}

// Resource is the schema of a resource type, or nil.
func (s *Set) Resource(typ string) *Block { return s.block("resource " + typ) }

// Data is the schema of a data source, or nil.
func (s *Set) Data(typ string) *Block { return s.block("data " + typ) }

// Types are the names of the resource types, sorted.
func (s *Set) Types() []string {
	var out []string
	for _, heading := range slices.Sorted(maps.Keys(s.text)) {
		if name, ok := strings.CutPrefix(heading, "resource "); ok {
			out = append(out, name)
		}
	}
	return out
}

func (s *Set) block(heading string) *Block {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b, ok := s.parsed[heading]; ok {
		return b
	}
	texts, ok := s.text[heading]
	if !ok {
		return nil
	}
	b := newBlock()
	for _, text := range texts {
		b.read(text, 1, s.types)
	}
	if typ, ok := strings.CutPrefix(heading, "resource "); ok {
		b.complete(filledIn()[typ])
	}
	s.parsed[heading] = b
	return b
}

// filledIn are the blocks of computed.txt by type.
var filledIn = sync.OnceValue(func() map[string][]string {
	out := map[string][]string{}
	for line := range strings.Lines(computed) {
		if f := strings.Fields(line); len(f) > 1 && f[0] != "#" {
			out[f[0]] = f[1:]
		}
	}
	return out
})

// FilledIn are the blocks of a type of azurerm, at any depth, that the provider fills
// in where none is written.
func FilledIn(typ string) []string { return slices.Clone(filledIn()[typ]) }

// complete marks the blocks that the provider fills in, and gives every identity
// what it exports: documentation of earlier releases lists that apart.
func (b *Block) complete(filled []string) {
	for name, n := range b.Blocks {
		n.complete(filled)
		n.Computed = slices.Contains(filled, name)
		if name == "identity" {
			for _, id := range []string{"principal_id", "tenant_id"} {
				if _, ok := n.Attributes[id]; !ok {
					n.Attributes[id] = Attribute{Type: cty.String, Computed: true}
				}
			}
		}
		b.Blocks[name] = n
	}
}

func newBlock() *Block {
	return &Block{Attributes: map[string]Attribute{}, Blocks: map[string]Nested{}}
}

// read takes the lines at one depth of indentation and returns the rest. The
// files are part of the program, and a test parses every line of them.
func (b *Block) read(text string, depth int, types map[string]cty.Type) string {
	for text != "" {
		line, rest, _ := strings.Cut(text, "\n")
		body := strings.TrimLeft(line, " ")
		if len(line)-len(body) < depth {
			return text
		}
		text = rest
		name, body, _ := strings.Cut(body, " ")
		flags, more, _ := strings.Cut(body, " ")
		switch flags {
		case "":
		case "block":
			n := Nested{Block: *newBlock()}
			if old, ok := b.Blocks[name]; ok {
				n = old
			}
			if f := strings.Fields(more); len(f) == 3 { // how it nests, and how many there may be
				n.Min, _ = strconv.Atoi(f[1])
				n.Max, _ = strconv.Atoi(f[2])
			}
			text = n.read(text, depth+1, types)
			b.Blocks[name] = n
		default:
			b.Attributes[name] = attribute(flags, more, types)
		}
	}
	return ""
}

func attribute(flags, typ string, types map[string]cty.Type) Attribute {
	a := Attribute{Type: cty.DynamicPseudoType}
	if typ != "" {
		t, ok := types[typ]
		if !ok {
			t, _ = parseType(typ)
			types[typ] = t
		}
		a.Type = t
	}
	for _, flag := range flags {
		switch flag {
		case 'r':
			a.Required = true
		case 'o':
			a.Optional = true
		case 'c':
			a.Computed = true
		case 's':
			a.Sensitive = true
		}
	}
	return a
}

func parseType(s string) (cty.Type, error) {
	expr, diags := hclsyntax.ParseExpression([]byte(s), "schema", hcl.InitialPos)
	if diags.HasErrors() {
		return cty.DynamicPseudoType, fmt.Errorf("type %s: %w", s, diags)
	}
	t, diags := typeexpr.TypeConstraint(expr)
	if diags.HasErrors() {
		return cty.DynamicPseudoType, fmt.Errorf("type %s: %w", s, diags)
	}
	return ordered(t), nil
}

// TypeString is a type as the files write it.
func TypeString(t cty.Type) string { return strings.ReplaceAll(typeexpr.TypeString(t), " ", "") }

// ordered is t with lists where it has sets.
func ordered(t cty.Type) cty.Type {
	switch {
	case t.IsSetType() || t.IsListType():
		return cty.List(ordered(t.ElementType()))
	case t.IsMapType():
		return cty.Map(ordered(t.ElementType()))
	case t.IsObjectType():
		attrs := make(map[string]cty.Type)
		for name, a := range t.AttributeTypes() {
			attrs[name] = ordered(a)
		}
		return cty.Object(attrs)
	}
	return t
}
