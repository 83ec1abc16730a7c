package terraform

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/cloister-ml/cloister/arm"
)

// table says what a resource type's attributes are in its document. It is written
// a line each, blocks with what they hold indented below them:
//
//	sku_name           sku.name  =Standard
//	ip_range_filter    ipRules   ~listed
//	admin_password               !secret
//	network_rules:     networkAcls
//		default_action
//	rule[]:            rules     =[]
//		priority
//	+createMode Default
//
// First the attribute, or several with | between them of which the first that is
// written counts (older names come last); then the property, which is the
// attribute's name in camel case where it is left out; then the property's value
// where the attribute is not written, how the value is converted, and whether it is
// a secret. A line that begins with * names attributes that are all properties of
// their own names. Name: is a block that stands at most once, name[]: one that may stand
// often. A property that begins with / stands beside the properties, as /sku.name;
// a block whose property is . puts what it holds where the block would be. A line
// that begins with + is a property that always has one value where its block stands.
//
// A table is read when it is first asked for: of a configuration's resources most
// tables say nothing.
type table struct{ read func() rows }

// rows are the lines of a table, or of a block in it.
type rows []row

type row struct {
	from  []string
	to    string
	def   any
	via   []func(any) any
	hide  bool
	json  bool // the attribute is JSON as text
	form  form
	under rows
}

type form uint8

const (
	asAttribute form = iota
	asBlock
	asBlocks
	asConstant
)

// conversions are those that a table may name.
var conversions = map[string]func(any) any{
	"fromMB":        func(v any) any { f, _ := v.(float64); return f / 1024 },
	"spaced":        func(v any) any { return strings.ReplaceAll(words(v), ", ", " ") },
	"last":          func(v any) any { s := words(v); return s[strings.LastIndexByte(s, '/')+1:] },
	"azureServices": azureServices,
	"ipMasks":       listed("ipMask", arm.Object{"action": "Allow"}),
	"enforcement":   enforcement,
	"lowFirst":      lowFirst,
	"toggled":       toggled,
	"negated":       negated,
	"switched":      func(v any) any { return toggled(v == false) }, // the attribute says disabled
	"lowToggled":    lowToggled,
	"references":    references,
	"reference":     func(v any) any { return arm.Object{"id": v} },
	"ipTags":        ipTags,
	"joined":        joined,
	"commas":        commas,
	"encoded":       encoded,
	"semicolons":    func(v any) any { return strings.ReplaceAll(words(v), ", ", ";") },
	"publicAccess":  publicAccess,
	"regional":      regional,
	"osState":       func(v any) any { return wordIf(v, "Specialized", "Generalized") },
	"aligned":       func(v any) any { return wordIf(v, "Aligned", "Classic") },
	"lower":         func(v any) any { return strings.ToLower(words(v)) },
	"upper":         func(v any) any { return strings.ToUpper(words(v)) },
	"text":          text,
	"alone":         alone,
	"first":         first,
	"sec":           func(v any) any { return "PT" + words(text(v)) + "S" },
	"minutes":       func(v any) any { return "PT" + words(text(v)) + "M" },
	"days":          func(v any) any { return "P" + words(text(v)) + "D" },
	"valued":        listed("value", nil),
	"named":         listed("name", nil),
	"allowed":       listed("value", arm.Object{"action": "Allow"}),
	"tokens":        func(v any) any { return wordIf(v, "Enabled", "Disabled") },
	"truth":         func(v any) any { return wordIf(v, "True", "False") },
	"onOff":         func(v any) any { return wordIf(v, "On", "Off") },
	"onOffLower":    func(v any) any { return wordIf(v, "on", "off") },
	"set":           members,
	"copiedSince":   copiedSince,
	"region":        func(v any) any { return strings.ReplaceAll(strings.ToLower(words(v)), " ", "") },
	"some":          some,
	"serviceTag":    func(v any) any { return wordOrNothing(some(v) != nil, "ServiceTag") },
	"pairs":         pairs("name", "value"),
}

func wordIf(v any, yes, no string) any {
	if v == true {
		return yes
	}
	return no
}

// some is a value that is not empty text.
func some(v any) any {
	if v == "" {
		return nil
	}
	return v
}

func wordOrNothing(yes bool, word string) any {
	if !yes {
		return nil
	}
	return word
}

// words is a string as it is, and a list of them as one.
func words(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	s, _ := joined(v).(string)
	return s
}

// text is a number or a boolean as a string.
func text(v any) any {
	switch v := v.(type) {
	case float64, bool:
		return fmt.Sprint(v)
	}
	return v
}

// first is the first element of a list.
func first(v any) any {
	if list, ok := v.([]any); ok && len(list) > 0 {
		return list[0]
	}
	return nil
}

// members is a list of names as an object with a member for each.
func members(v any) any {
	list, _ := v.([]any)
	out := arm.Object{}
	for _, e := range list {
		if s, ok := e.(string); ok {
			out[s] = arm.Object{}
		}
	}
	return out
}

// tabled is a table of several parts, each with its own indentation. A table is
// part of the program: one that is not well written ends it, and the tests, which
// read them all.
func tabled(parts ...string) table {
	return table{sync.OnceValue(func() rows {
		var all rows
		for _, src := range parts {
			t, rest := readTable(strings.Split(src, "\n"), -1)
			if len(rest) > 0 {
				panic("table: indentation of " + rest[0])
			}
			all = append(all, t...)
		}
		return all
	})}
}

// rows are the table's; the zero table has none.
func (t table) rows() rows {
	if t.read == nil {
		return nil
	}
	return t.read()
}

// and is the table with another's rows after its own.
func (t table) and(more table) table {
	return table{func() rows { return slices.Concat(t.rows(), more.rows()) }}
}

func readTable(lines []string, above int) (rows, []string) {
	var t rows
	depth := -1
	for len(lines) > 0 {
		line := lines[0]
		body := strings.TrimLeft(line, "\t")
		if strings.TrimSpace(body) == "" {
			lines = lines[1:]
			continue
		}
		at := len(line) - len(body)
		if depth < 0 && at > above {
			depth = at
		}
		if at < depth || depth < 0 {
			break
		}
		if at > depth {
			panic("table: indentation of " + line)
		}
		lines = lines[1:]
		if names, several := strings.CutPrefix(body, "* "); several {
			for _, name := range strings.Fields(names) {
				t = append(t, row{from: []string{name}, to: camel(name)})
			}
			continue
		}
		r := readRow(body)
		if r.form == asBlock || r.form == asBlocks {
			r.under, lines = readTable(lines, at)
		}
		t = append(t, r)
	}
	return t, lines
}

func readRow(line string) row {
	f := strings.Fields(line)
	if name, ok := strings.CutPrefix(f[0], "+"); ok {
		return row{to: name, form: asConstant, def: literal(strings.Join(f[1:], " "))}
	}
	r := row{}
	name, block := strings.CutSuffix(f[0], ":")
	if block {
		r.form = asBlock
		if single, often := strings.CutSuffix(name, "[]"); often {
			name, r.form = single, asBlocks
		}
	}
	r.from = strings.Split(name, "|")
	r.to = camel(r.from[0][strings.LastIndexByte(r.from[0], '.')+1:])
	for i, word := range f[1:] {
		switch word[0] {
		case '=':
			r.def = literal(word[1:])
		case '~':
			if word == "~parsed" {
				r.json = true
				continue
			}
			via, ok := conversions[word[1:]]
			if !ok {
				panic("table: no conversion " + word)
			}
			r.via = append(r.via, via)
		case '!':
			r.hide = true
		default:
			if i > 0 {
				panic("table: " + line)
			}
			r.to = word
		}
	}
	return r
}

// literal is a value as JSON has it, or a string.
func literal(s string) any {
	var v any
	if err := json.Unmarshal([]byte(s), &v); err != nil {
		return s
	}
	return v
}

// camel is a name in camel case.
func camel(name string) string {
	parts := strings.Split(name, "_")
	for i, p := range parts[1:] {
		if p != "" {
			parts[i+1] = strings.ToUpper(p[:1]) + p[1:]
		}
	}
	return strings.Join(parts, "")
}

// document sets what the table says of a resource in its document.
func (t table) document(v view, doc *arm.Resource) {
	head := arm.Object{}
	t.rows().fill(v, doc.Properties, head)
	if sku, ok := head["sku"].(arm.Object); ok {
		doc.SKU = overlay(doc.SKU, sku)
	}
	switch kind := head["kind"].(type) {
	case string:
		doc.Kind = kind
	case arm.Unknown:
		doc.Kind = braced(kind.Expression)
	}
	if plan, ok := head["plan"].(arm.Object); ok {
		doc.Plan = plan
	}
}

// object is what the table says of a block.
func (t table) object(v view) arm.Object { return t.rows().object(v) }

func (rs rows) object(v view) arm.Object {
	o := arm.Object{}
	v.place(o)
	rs.fill(v, o, o)
	return o
}

// fill sets the properties of o, and in head those that stand beside them.
func (rs rows) fill(v view, o, head arm.Object) {
	for _, r := range rs {
		to, at := r.to, o
		if beside, ok := strings.CutPrefix(to, "/"); ok {
			to, at = beside, head
		}
		if r.form == asBlock {
			r.block(v, to, at, head)
			continue
		}
		if val := r.value(v); val != nil {
			set(at, to, arm.Clone(val))
		}
	}
}

// block sets what a block that stands at most once holds.
func (r row) block(v view, to string, o, head arm.Object) {
	for _, name := range r.from {
		if v.has(name) { // a dynamic block over something unknown
			set(o, to, v.json(name))
			return
		}
		for _, b := range v.blocks(name) {
			if to == "." {
				r.under.fill(b, o, head)
				return
			}
			inner, _ := arm.Lookup(o, to)
			in, ok := inner.(arm.Object)
			if !ok {
				in = arm.Object{}
			}
			b.place(in)
			r.under.fill(b, in, head)
			set(o, to, in)
			return
		}
	}
	if r.def != nil {
		set(o, to, arm.Clone(r.def))
	}
}

func (r row) value(v view) any {
	switch r.form {
	case asConstant:
		return r.def
	case asBlocks:
		return r.array(v)
	}
	for _, name := range r.from {
		var val any
		switch {
		case r.hide && !v.secrets:
			val = v.hidden(name)
		case r.json:
			val = v.encoded(name)
		default:
			val = v.json(name)
		}
		if val == nil {
			continue
		}
		if _, unknown := val.(arm.Unknown); unknown {
			return val
		}
		for _, via := range r.via {
			val = via(val)
		}
		return val
	}
	return r.def
}

func (r row) array(v view) any {
	for _, name := range r.from {
		if v.has(name) { // a dynamic block over something unknown
			return v.json(name)
		}
		blocks := v.blocks(name)
		if len(blocks) == 0 {
			continue
		}
		out := make([]any, len(blocks))
		for i, b := range blocks {
			out[i] = r.under.object(b)
		}
		return out
	}
	return r.def
}

// lowFirst is a word with a small first letter.
func lowFirst(v any) any {
	s := words(v)
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}
