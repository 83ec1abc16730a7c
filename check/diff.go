package check

import (
	"reflect"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network/space"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
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
	d.requirements(Prove(before, was), Prove(after, now))
	x, y := newVersus(before), newVersus(after)
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

// calls compares what places meet at services: once for all places that are alike
// before and after.
func (d *Difference) calls(before, after *versus) {
	was := map[string]Place{}
	old := map[string]int{}
	for i, group := range before.w.alikePlaces() {
		for _, p := range group {
			was[callerKey(p)], old[callerKey(p)] = p, i
		}
	}
	shared := map[string]service.Endpoint{}
	for _, ep := range before.w.endpoints {
		shared[strings.ToLower(ep.Host)] = ep
	}
	for _, group := range after.w.alikePlaces() {
		changes := map[int][]CallChange{}
		for _, p := range group {
			i, ok := old[callerKey(p)]
			if !ok {
				continue
			}
			if _, known := changes[i]; !known {
				changes[i] = callChanges(before, after, was[callerKey(p)], p, shared)
			}
			for _, c := range changes[i] {
				c.From = p.Name
				d.Calls = append(d.Calls, c)
			}
		}
	}
}

func callerKey(p Place) string { return p.NIC.Key() + p.Name }

func callChanges(before, after *versus, was, now Place, shared map[string]service.Endpoint) []CallChange {
	out := []CallChange{}
	for _, ep := range after.w.endpoints {
		had, ok := shared[strings.ToLower(ep.Host)]
		if !ok {
			continue
		}
		x, y := before.meets(was, had), after.meets(now, ep)
		if x != y {
			out = append(out, CallChange{To: endpointSlug(ep), Before: x, After: y,
				Reason: said(after.w.follow(now, ep).Decisive()), Opened: y.depth() > max(x.depth(), outside)})
		}
	}
	return out
}

// meets is what a place meets at a service. Whether packets arrive at a network
// interface of the estate is known for its class.
func (v *versus) meets(p Place, ep service.Endpoint) Meeting {
	resolved := v.w.resolve(p, ep.Host)
	if len(resolved.Addrs) == 0 {
		return v.w.follow(p, ep).Outcome()
	}
	to := resolved.Addrs[0]
	i, known := v.matrix.Class(p.NIC, p.Addr)
	nic, inside := v.w.net.NICByAddr(to)
	j, classed := v.matrix.Class(nic.ID, to)
	if !known || !inside || !classed || p.NIC.Equal(nic.ID) {
		return v.w.follow(p, ep).Outcome()
	}
	packet := space.Packet{Source: p.Addr, Destination: to, Protocol: numberTCP, SourcePort: anyClientPort, Port: httpsPort}
	c := Cell{From: p, To: ep, Resolve: resolved, Admit: v.w.admit(p, ep, to)}
	switch passes := v.matrix.At(i, j); {
	case passes.Passes.Has(packet):
		c.Connect.Value = verdict.Yes
	case passes.Refused.Has(packet):
		c.Connect.Value = verdict.No
	default:
		c.Connect.Value = verdict.Unknown
	}
	c.Authorize, c.Called = v.w.authorizeCall(p, ep)
	return c.Outcome()
}

// anyClientPort is one of those that clients call from.
const anyClientPort = 50000

// outside is the depth of a client that the service does not let in.
const outside = 1

// depth is how far a client gets: what is past the service's firewall is further
// than what is not.
func (m Meeting) depth() int {
	switch m {
	case MeetAllowed, MeetAdmitted:
		return 3
	case MeetForbidden:
		return 2
	}
	return outside
}
