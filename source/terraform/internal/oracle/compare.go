package oracle

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
)

// Difference is a place where an estate does not say what the provider sent.
type Difference struct {
	ID       arm.ID
	Path     string // "" where the whole document is meant
	Sent     any    // nil where nothing was
	Document any    // nil where the estate has nothing
}

// Lacking reports whether the estate has no such document at all.
func (d Difference) Lacking() bool { return d.Path == "" && d.Document == nil }

func (d Difference) String() string {
	switch {
	case d.Lacking():
		return fmt.Sprintf("%s: sent, and not in the estate: %s", short(d.ID), shown(d.Sent))
	case d.Path == "":
		return fmt.Sprintf("%s: in the estate, and never sent", short(d.ID))
	}
	return fmt.Sprintf("%s: %s: sent %s, and the estate has %s", short(d.ID), d.Path, shown(d.Sent), shown(d.Document))
}

func short(id arm.ID) string {
	if _, rest, ok := strings.Cut(string(id), "/providers/"); ok {
		return rest
	}
	return string(id)
}

func shown(v any) string {
	if v == nil {
		return "nothing"
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	if len(raw) > 200 {
		return strings.ToValidUTF8(string(raw[:200]), "") + "..."
	}
	return string(raw)
}

// Comparison is how an estate stands to a recording.
type Comparison struct {
	Documents   int // in both
	Fields      int // compared
	Unknown     int // not compared, for the estate does not know them
	Differences []Difference
}

// Compare holds the estate's documents against what was sent, field by field. An
// unknown value agrees with anything, and is counted. An absent value, null and an
// empty object or list are one, as the service takes them; so are ids in any case,
// lists in any order, for the provider orders sets by their hash, and the kinds of
// identity with a space between them or none.
func Compare(bodies []Body, e *arm.Estate) Comparison {
	var c Comparison
	sent := map[string]bool{}
	for _, b := range bodies {
		sent[b.ID.Key()] = true
		if aside(b.ID) {
			continue
		}
		doc, ok := e.Get(b.ID)
		if !ok {
			c.Differences = append(c.Differences, Difference{ID: b.ID, Sent: b.Body})
			continue
		}
		c.Documents++
		f := fields{c: &c, id: b.ID, typ: strings.ToLower(b.ID.Type())}
		f.value("", whole(b.Body), object(doc))
	}
	for _, doc := range e.All() {
		if !sent[doc.ID.Key()] && !aside(doc.ID) {
			c.Differences = append(c.Differences, Difference{ID: doc.ID, Document: doc.Properties})
		}
	}
	slices.SortStableFunc(c.Differences, func(a, b Difference) int {
		return cmp.Or(strings.Compare(a.ID.Key(), b.ID.Key()), strings.Compare(a.Path, b.Path))
	})
	return c
}

// object is a document as a JSON object, without what is the id's.
func object(doc arm.Resource) arm.Object {
	o := arm.Object{"location": doc.Location, "kind": doc.Kind, "sku": doc.SKU, "properties": doc.Properties}
	if len(doc.Zones) > 0 {
		zones := make([]any, len(doc.Zones))
		for i, z := range doc.Zones {
			zones[i] = z
		}
		o["zones"] = zones
	}
	if doc.Plan != nil {
		o["plan"] = doc.Plan
	}
	if len(doc.Tags) > 0 {
		tags := arm.Object{}
		for k, v := range doc.Tags {
			tags[k] = v
		}
		o["tags"] = tags
	}
	if doc.Identity != nil {
		users := arm.Object{}
		for id := range doc.Identity.User {
			users[strings.ToLower(id)] = arm.Object{}
		}
		o["identity"] = arm.Object{"type": doc.Identity.Type, "userAssignedIdentities": users}
	}
	return o
}

// whole is a body in the form of object.
func whole(body arm.Object) arm.Object {
	o := arm.Clone(body)
	for _, name := range []string{"id", "name", "type", "etag"} {
		delete(o, name)
	}
	if s, ok := o["location"].(string); ok {
		o["location"] = service.Region(s)
	}
	if identity, ok := o["identity"].(map[string]any); ok {
		users := arm.Object{}
		given, _ := identity["userAssignedIdentities"].(map[string]any)
		for id := range given {
			users[strings.ToLower(id)] = arm.Object{}
		}
		o["identity"] = arm.Object{"type": identity["type"], "userAssignedIdentities": users}
		if identity["type"] == "None" { // an estate has no identity in its place
			delete(o, "identity")
		}
	}
	return o
}

// fields compares the fields of one document.
type fields struct {
	c   *Comparison
	id  arm.ID
	typ string
}

func (f fields) value(path string, sent, have any) {
	if _, unknown := have.(arm.Unknown); unknown {
		f.c.Unknown++
		return
	}
	if known(f.typ, path) || sent == nil && byDefault(f.typ, path, have) {
		return
	}
	a, sentObject := sent.(map[string]any)
	b, haveObject := have.(map[string]any)
	switch {
	case sentObject && (haveObject || have == nil), sent == nil && haveObject:
		for _, k := range union(a, b) {
			f.value(join(path, k), a[k], b[k])
		}
		return
	}
	x, sentList := sent.([]any)
	y, haveList := have.([]any)
	if (sentList || sent == nil) && (haveList || have == nil) && (sentList || haveList) {
		f.list(path, x, y)
		return
	}
	f.c.Fields++
	if !same(sent, have) {
		f.c.Differences = append(f.c.Differences, Difference{ID: f.id, Path: path, Sent: sent, Document: have})
	}
}

func (f fields) list(path string, sent, have []any) {
	sent, have = ordered(sent), ordered(have)
	if named(sent) && named(have) {
		a, b := byName(sent), byName(have)
		for _, k := range union(a, b) {
			f.value(path+"["+k+"]", a[k], b[k])
		}
		return
	}
	for i := range max(len(sent), len(have)) {
		var x, y any
		if i < len(sent) {
			x = sent[i]
		}
		if i < len(have) {
			y = have[i]
		}
		f.value(fmt.Sprintf("%s[%d]", path, i), x, y)
	}
}

// ordered is a list in an order that follows from what is in it.
func ordered(list []any) []any {
	out := slices.Clone(list)
	slices.SortStableFunc(out, func(a, b any) int { return strings.Compare(sortKey(a), sortKey(b)) })
	return out
}

func sortKey(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return strings.ToLower(string(raw))
}

func named(list []any) bool {
	for _, e := range list {
		o, ok := e.(map[string]any)
		if _, hasName := o["name"].(string); !ok || !hasName {
			return false
		}
	}
	return true
}

func byName(list []any) map[string]any {
	out := make(map[string]any, len(list))
	for _, e := range list {
		o, _ := e.(map[string]any)
		out[arm.String(o, "name")] = e
	}
	return out
}

func union(a, b map[string]any) []string {
	all := map[string]bool{}
	for k := range a {
		all[k] = true
	}
	for k := range b {
		all[k] = true
	}
	return sortedKeys(all)
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// same reports whether two leaves say the same.
func same(a, b any) bool {
	if empty(a) && empty(b) {
		return true
	}
	x, isText := a.(string)
	y, both := b.(string)
	if isText && both {
		if strings.HasPrefix(x, "SystemAssigned") {
			x, y = strings.ReplaceAll(x, " ", ""), strings.ReplaceAll(y, " ", "")
		}
		return x == y || strings.EqualFold(x, y) && strings.HasPrefix(x, "/") || flags(x) == flags(y)
	}
	return fmt.Sprint(a) == fmt.Sprint(b)
}

// flags is a text that lists words, such as "Logging, Metrics", in one order: the
// provider makes it of a set.
func flags(s string) string {
	words := strings.Split(s, ", ")
	slices.Sort(words)
	return strings.Join(words, ", ")
}

func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return false
}
