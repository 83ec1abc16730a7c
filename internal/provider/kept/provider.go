package kept

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
)

// kind is one type that is kept. Each field may be empty.
type kind struct {
	name   string
	status int // of a PUT that created, where it is not 201
	update int // of a PUT that changed, where it is not 200
	gone   int // of a deletion, where it is not 200
	// fills are properties that Azure computes, where the document has none.
	fills func(r arm.Resource) arm.Object
	// settles writes what a client wrote as Azure writes it.
	settles func(properties arm.Object)
	// exists is what is there without having been made, by lower-case name; the
	// name "*" is any. It is made from what is above it, while that is there.
	exists map[string]func(above arm.Resource) arm.Object
	// answers are the POST actions, by lower-case name.
	answers map[string]func(r arm.Resource) any
	secrets []string // properties that a GET does not show
	bare    bool     // as cloud.Type has it
}

// New makes the providers, one for each namespace.
func New() []cloud.Provider {
	byNamespace := map[string]cloud.Provider{}
	for _, k := range slices.Concat(data, web, machines) {
		namespace, _, _ := strings.Cut(k.name, "/")
		p := byNamespace[namespace]
		p.Namespace = namespace
		p.Types = append(p.Types, k.typ())
		byNamespace[namespace] = p
	}
	var out []cloud.Provider
	for _, namespace := range slices.Sorted(maps.Keys(byNamespace)) {
		out = append(out, byNamespace[namespace])
	}
	return out
}

func (k kind) typ() cloud.Type {
	t := cloud.Type{
		Name: k.name, CreateStatus: k.status, UpdateStatus: k.update, DeleteStatus: k.gone, Prepare: k.prepare, Present: k.present, Bare: k.bare,
		Runs: func(arm.Resource) bool { return false },
	}
	if len(k.exists) > 0 {
		t.Find = k.find
	}
	if len(k.answers) > 0 {
		t.Actions = map[string]cloud.Action{}
	}
	for name, answer := range k.answers {
		t.Actions[name] = func(_ context.Context, r arm.Resource, _ json.RawMessage) (any, error) { return answer(r), nil }
	}
	return t
}

// prepare fills what Azure fills. What was computed once stays.
func (k kind) prepare(_ cloud.View, _ *arm.Resource, r arm.Resource) (arm.Resource, error) {
	r.Properties = arm.Clone(r.Properties)
	if k.settles != nil {
		k.settles(r.Properties)
	}
	if k.fills != nil {
		fill(r.Properties, k.fills(r))
	}
	return r, nil
}

// fill puts what is missing into a document. null is missing.
func fill(into, from arm.Object) {
	for name, v := range from {
		have, found := lookFold(into, name)
		if !found || into[have] == nil {
			delete(into, have)
			into[name] = v
			continue
		}
		inner, ok := into[have].(arm.Object)
		if wanted, isObject := v.(arm.Object); ok && isObject {
			fill(inner, wanted)
		}
	}
}

func lookFold(o arm.Object, name string) (string, bool) {
	for k := range o {
		if strings.EqualFold(k, name) {
			return k, true
		}
	}
	return "", false
}

func (k kind) present(_ cloud.View, r arm.Resource) arm.Resource {
	hide(r.Properties, append([]string{"administratorLoginPassword", "adminPassword"}, k.secrets...))
	return r
}

// hide takes secrets out, however deep they are.
func hide(v any, secrets []string) {
	switch node := v.(type) {
	case arm.Object:
		for _, s := range secrets {
			if have, found := lookFold(node, s); found {
				delete(node, have)
			}
		}
		for _, e := range node {
			hide(e, secrets)
		}
	case []any:
		for _, e := range node {
			hide(e, secrets)
		}
	}
}

// find makes what is there without having been made.
func (k kind) find(view cloud.View, id arm.ID) (arm.Resource, bool) {
	make := k.exists[strings.ToLower(id.Name())]
	if make == nil {
		make = k.exists["*"]
	}
	above, ok := stored(view, id)
	if make == nil || !ok {
		return arm.Resource{}, false
	}
	return arm.Resource{ID: id, Name: id.Name(), Type: k.name, Properties: make(above)}, true
}

// stored is the nearest document above.
func stored(view cloud.View, id arm.ID) (arm.Resource, bool) {
	for id = id.Parent(); id.Name() != "" && !id.Equal(id.Group()); id = id.Parent() {
		if r, ok := view.Get(id); ok {
			return r, true
		}
	}
	return arm.Resource{}, false
}

// empty is what exists and says nothing.
func empty(arm.Resource) arm.Object { return arm.Object{} }

// fixed is the same for each document.
func fixed(o arm.Object) func(arm.Resource) arm.Object {
	return func(arm.Resource) arm.Object { return arm.Clone(o) }
}

// key is a key that opens nothing, and stays the same.
func key(r arm.Resource, name string) string {
	return strings.ReplaceAll(arm.StableGUID(r.ID, name), "-", "")
}

// names of services, below the domain that Azure gives them.
func host(r arm.Resource, domain string) string { return strings.ToLower(r.Name) + "." + domain }
