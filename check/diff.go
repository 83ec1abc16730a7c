package check

import (
	"reflect"
	"slices"

	"github.com/cloister-ml/cloister/arm"
)

// ResourceChange is a document that is new, gone or different.
type ResourceChange struct {
	ID      arm.ID     `json:"id"`
	Change  string     `json:"change"` // added, removed, changed
	Source  arm.Source `json:"source,omitzero"`
	Changed []string   `json:"changed,omitempty"` // paths in the document, as properties.securityRules
}

// RequirementChange is a requirement whose outcome is another; "" where there is none.
type RequirementChange struct {
	ID     string     `json:"id"`
	Title  string     `json:"title"`
	Before Outcome    `json:"before,omitempty"`
	After  Outcome    `json:"after,omitempty"`
	Reason string     `json:"reason,omitempty"`
	Source arm.Source `json:"source,omitzero"`
	Remedy string     `json:"remedy,omitempty"`
}

// FlowChange is packets that passed for certain in one estate and not in the other.
type FlowChange struct {
	From    []string `json:"from"`
	To      []string `json:"to"`
	Traffic Traffic  `json:"traffic"`
	Opened  bool     `json:"opened"` // otherwise closed
	// Doubtful: in the other estate it cannot be known.
	Doubtful bool `json:"doubtful,omitempty"`
}

// CallChange is a place that meets something else at a service than before.
type CallChange struct {
	From   string  `json:"from"`
	To     string  `json:"to"`
	Before Meeting `json:"before,omitempty"`
	After  Meeting `json:"after,omitempty"`
	Reason string  `json:"reason"`
	Opened bool    `json:"opened"`
}

// Difference is what changes from one estate to another.
type Difference struct {
	Resources    []ResourceChange    `json:"resources"`
	Requirements []RequirementChange `json:"requirements"`
	Flows        []FlowChange        `json:"flows"`
	Calls        []CallChange        `json:"calls"`
}

// Objects reports whether there is something to object to: a flow or a call opens,
// or a requirement falls that did not.
func (d *Difference) Objects() bool {
	return slices.ContainsFunc(d.Flows, func(f FlowChange) bool { return f.Opened }) ||
		slices.ContainsFunc(d.Calls, func(c CallChange) bool { return c.Opened }) ||
		slices.ContainsFunc(d.Requirements, func(r RequirementChange) bool { return r.After == Violated })
}

// Empty reports whether nothing changes.
func (d *Difference) Empty() bool {
	return len(d.Resources)+len(d.Requirements)+len(d.Flows)+len(d.Calls) == 0
}

// Diff says what changes from one estate to another. Things are the same where
// their ids are; an address may change. Flows are compared as sets of packets:
// from each network interface and the internet to each other one, and to every
// address outside. What is asked of each may differ: was and now are its options.
func Diff(before, after *arm.Estate, was, now Options) *Difference {
	d := &Difference{Resources: []ResourceChange{}, Requirements: []RequirementChange{}, Flows: []FlowChange{}, Calls: []CallChange{}}
	d.resources(before, after)
	v, w := newWorld(before), newWorld(after)
	d.requirements(v.prove(was), w.prove(now))
	x, y := versusOf(v, w)
	d.calls(x, y)
	d.flows(x, y)
	return d
}

func (d *Difference) resources(before, after *arm.Estate) {
	for _, doc := range after.All() {
		old, ok := before.Get(doc.ID)
		if !ok {
			d.Resources = append(d.Resources, ResourceChange{ID: doc.ID, Change: "added", Source: doc.Source})
			continue
		}
		if paths := changedPaths(old, doc); len(paths) > 0 {
			d.Resources = append(d.Resources, ResourceChange{ID: doc.ID, Change: "changed", Source: doc.Source, Changed: paths})
		}
	}
	for _, doc := range before.All() {
		if _, ok := after.Get(doc.ID); !ok {
			d.Resources = append(d.Resources, ResourceChange{ID: doc.ID, Change: "removed", Source: doc.Source})
		}
	}
}

// changedPaths are the parts of a document that differ. Where it is declared is
// none of them.
func changedPaths(a, b arm.Resource) []string {
	var out []string
	differ := func(path string, x, y any) {
		if !reflect.DeepEqual(x, y) {
			out = append(out, path)
		}
	}
	differ("location", a.Location, b.Location)
	differ("kind", a.Kind, b.Kind)
	differ("zones", a.Zones, b.Zones)
	differ("identity", a.Identity, b.Identity)
	if len(a.Tags)+len(b.Tags) > 0 {
		differ("tags", a.Tags, b.Tags)
	}
	out = append(out, changedIn("sku", a.SKU, b.SKU)...)
	return append(out, changedIn("properties", a.Properties, b.Properties)...)
}

func changedIn(at string, a, b arm.Object) []string {
	keys := map[string]bool{}
	for k := range a {
		keys[k] = true
	}
	for k := range b {
		keys[k] = true
	}
	var out []string
	for k := range keys {
		if !reflect.DeepEqual(known(a[k]), known(b[k])) {
			out = append(out, at+"."+k)
		}
	}
	slices.Sort(out)
	return out
}

// known is a value without the lines on which unknown ones stand.
func known(v any) any {
	switch v := v.(type) {
	case arm.Unknown:
		return arm.Unknown{Expression: v.Expression}
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = known(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = known(e)
		}
		return out
	}
	return v
}

func (d *Difference) requirements(before, after *Report) {
	old := map[string]Requirement{}
	for _, q := range before.Requirements {
		old[q.ID] = q
	}
	for _, q := range after.Requirements {
		was, ok := old[q.ID]
		delete(old, q.ID)
		if ok && was.Outcome == q.Outcome || !ok && q.Outcome == Holds {
			continue
		}
		d.Requirements = append(d.Requirements, RequirementChange{ID: q.ID, Title: q.Title, Before: was.Outcome, After: q.Outcome,
			Reason: q.Reason, Source: q.Source, Remedy: q.Remedy})
	}
	for _, q := range before.Requirements {
		if _, gone := old[q.ID]; gone && q.Outcome == Violated {
			d.Requirements = append(d.Requirements, RequirementChange{ID: q.ID, Title: q.Title, Before: q.Outcome, Reason: "what it was about is gone"})
		}
	}
}
