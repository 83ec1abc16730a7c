package cloud

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// registry is every type and service that is registered. It is read only.
type registry struct {
	types      map[string]*Type  // by lower-case name
	names      map[string]string // canonical case of every type and every part of one, by lower-case name
	namespaces []string
	services   map[string]http.Handler
}

func newRegistry(providers []Provider) (*registry, error) {
	g := &registry{types: map[string]*Type{}, names: map[string]string{}, services: map[string]http.Handler{}}
	for _, p := range append([]Provider{resourcesProvider()}, providers...) {
		if !slices.ContainsFunc(g.namespaces, func(n string) bool { return strings.EqualFold(n, p.Namespace) }) {
			g.namespaces = append(g.namespaces, p.Namespace)
		}
		for _, t := range p.Types {
			if err := g.add(p.Namespace, t); err != nil {
				return nil, err
			}
		}
		for name, h := range p.Services {
			if _, ok := g.services[name]; ok {
				return nil, fmt.Errorf("two providers serve %q", name)
			}
			g.serve(name, h)
		}
	}
	slices.Sort(g.namespaces)
	return g, nil
}

func (g *registry) serve(name string, h http.Handler) { g.services[name] = h }

func (g *registry) add(namespace string, t Type) error {
	if !strings.HasPrefix(strings.ToLower(t.Name), strings.ToLower(namespace)+"/") {
		return fmt.Errorf("the type %q is not in the namespace %s of its provider", t.Name, namespace)
	}
	key := strings.ToLower(t.Name)
	if _, ok := g.types[key]; ok {
		return fmt.Errorf("the type %s is registered twice", t.Name)
	}
	g.types[key] = &t
	for name := t.Name; name != ""; {
		if _, ok := g.names[strings.ToLower(name)]; !ok || name == t.Name {
			g.names[strings.ToLower(name)] = name
		}
		name = name[:max(strings.LastIndexByte(name, '/'), 0)]
	}
	return nil
}

// typ is a registered type, or nil for one that is only kept.
func (g *registry) typ(name string) *Type { return g.types[strings.ToLower(name)] }

// lookup is a registered type, or one without functions.
func (g *registry) lookup(name string) *Type {
	if t := g.typ(name); t != nil {
		return t
	}
	return &Type{Name: name}
}

// secretFields are fields that Azure takes and never shows.
var secretFields = []string{"administratorLoginPassword", "adminPassword", "protectedSettings"}

// hideSecrets takes secrets out of a document that has no provider to do it.
func (g *registry) hideSecrets(typ string, v any) {
	if g.typ(typ) != nil {
		return
	}
	switch node := v.(type) {
	case map[string]any:
		for _, field := range secretFields {
			deleteFold(node, field)
		}
		for _, e := range node {
			g.hideSecrets(typ, e)
		}
	case []any:
		for _, e := range node {
			g.hideSecrets(typ, e)
		}
	}
}

// spell is a type's name in its canonical case.
func (g *registry) spell(name string) string {
	if s, ok := g.names[strings.ToLower(name)]; ok {
		return s
	}
	return name
}

// in are the types of a namespace, by name.
func (g *registry) in(namespace string) []*Type {
	var out []*Type
	for key, t := range g.types {
		if strings.HasPrefix(key, strings.ToLower(namespace)+"/") {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(a, b *Type) int { return strings.Compare(a.Name, b.Name) })
	return out
}
