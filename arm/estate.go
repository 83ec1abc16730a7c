package arm

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Estate is a set of documents with the references between them. It is built
// once and then only read, so it may be shared.
type Estate struct {
	resources []Resource            // sorted by key
	index     map[string]int        // key -> place in resources
	byType    map[string][]Resource // by type in lower case
	children  map[child][]int
	edges     []Edge
	incoming  map[string][]int // key -> places in edges
	unread    []Unread         // by type and address
}

// idSize is more than most ids have letters.
const idSize = 256

// child is a type below a parent, both in lower case.
type child struct{ parent, typ string }

// Edge is a reference from one document to another.
type Edge struct {
	From, To ID
	Path     string // where in From it stands, e.g. properties.subnet.id
	Dangling bool   // To is not in the estate
}

// NewEstate gathers documents. Two documents with one id are an error.
func NewEstate(resources ...Resource) (*Estate, error) {
	e := &Estate{
		resources: slices.Clone(resources),
		index:     make(map[string]int, len(resources)),
		byType:    map[string][]Resource{},
		children:  map[child][]int{},
		incoming:  map[string][]int{},
	}
	slices.SortFunc(e.resources, func(a, b Resource) int { return a.ID.Compare(b.ID) })
	keys, counts := make([]string, len(e.resources)), map[string]int{}
	for _, r := range e.resources {
		counts[r.Type]++
	}
	for i, r := range e.resources {
		key := r.ID.Key()
		if prev, ok := e.index[key]; ok {
			return nil, fmt.Errorf("%s is declared twice: %s and %s", r.ID, e.resources[prev].Source, r.Source)
		}
		keys[i], e.index[key] = key, i
		typ := strings.ToLower(r.Type)
		if e.byType[typ] == nil {
			e.byType[typ] = make([]Resource, 0, counts[r.Type])
		}
		e.byType[typ] = append(e.byType[typ], r)
		below := child{string(ID(key).Parent()), typ}
		e.children[below] = append(e.children[below], i)
	}
	for _, r := range e.resources {
		e.connect(r, keys)
	}
	return e, nil
}

func (s Source) String() string {
	if s.File == "" {
		return "(no file)"
	}
	if s.Line == 0 {
		return s.File
	}
	return fmt.Sprintf("%s:%d", s.File, s.Line)
}

func (e *Estate) connect(r Resource, keys []string) {
	var buf [idSize]byte
	add := func(to ID, path string) {
		if to.Equal(r.ID) {
			return
		}
		var key string
		i, known := e.index[string(to.AppendKey(buf[:0]))]
		if known {
			key = keys[i]
		} else {
			key = to.Key()
		}
		e.incoming[key] = append(e.incoming[key], len(e.edges))
		e.edges = append(e.edges, Edge{From: r.ID, To: to, Path: path, Dangling: !known})
	}
	// A document may extend what exists without a document, as a storage account's
	// blob service does: then what holds that is its parent here.
	for p := r.ID.Parent(); p != ""; p = p.Parent() {
		if _, ok := e.index[string(p.AppendKey(buf[:0]))]; ok {
			add(p, "parent")
			break
		}
	}
	walk(r.Properties, []string{"properties"}, func(path []string, s string) {
		if IsID(s) {
			add(ID(s), strings.Join(path, "."))
		}
	})
	if r.Identity != nil {
		for _, id := range sortedKeys(r.Identity.User) {
			add(ID(id), "identity.userAssignedIdentities")
		}
	}
}

// walk visits the strings of a value, each with the way to it.
func walk(v any, path []string, visit func(path []string, s string)) {
	switch node := v.(type) {
	case map[string]any:
		for _, k := range sortedKeys(node) {
			walk(node[k], append(path, k), visit)
		}
	case []any:
		for i, e := range node {
			walk(e, append(path, strconv.Itoa(i)), visit)
		}
	case string:
		visit(path, node)
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// Len is the number of documents.
func (e *Estate) Len() int { return len(e.resources) }

// All are the documents, ordered by id.
func (e *Estate) All() []Resource { return e.resources }

// Get finds a document.
func (e *Estate) Get(id ID) (Resource, bool) {
	var key [idSize]byte
	i, ok := e.index[string(id.AppendKey(key[:0]))]
	if !ok {
		return Resource{}, false
	}
	return e.resources[i], true
}

// OfType are the documents of one type, ordered by id. They are not to be changed.
func (e *Estate) OfType(typ string) []Resource {
	all := e.byType[strings.ToLower(typ)]
	return all[:len(all):len(all)]
}

// Children are the documents of one child type whose parent is id.
func (e *Estate) Children(id ID, typ string) []Resource {
	return e.at(e.children[child{id.Key(), strings.ToLower(typ)}])
}

func (e *Estate) at(places []int) []Resource {
	if len(places) == 0 {
		return nil
	}
	out := make([]Resource, len(places))
	for i, place := range places {
		out[i] = e.resources[place]
	}
	return out
}

// Edges are the references, ordered by referring document and path.
func (e *Estate) Edges() []Edge { return e.edges }

// ReferencesTo are the references that point at id.
func (e *Estate) ReferencesTo(id ID) []Edge {
	var out []Edge
	for _, i := range e.incoming[id.Key()] {
		out = append(out, e.edges[i])
	}
	return out
}

// InOrder are the documents so that each follows those that it refers to, by its own
// edges or by more of them; a circle (as two peered networks make) is cut at its first
// member by id.
func (e *Estate) InOrder(more ...Edge) []Resource {
	const (
		unseen = iota
		open
		done
	)
	state := make([]int, len(e.resources))
	needs := make([][]int, len(e.resources))
	for _, edge := range slices.Concat(e.edges, more) {
		if !edge.Dangling {
			from := e.index[edge.From.Key()]
			needs[from] = append(needs[from], e.index[edge.To.Key()])
		}
	}
	out := make([]Resource, 0, len(e.resources))
	var visit func(int)
	visit = func(i int) {
		if state[i] != unseen {
			return
		}
		state[i] = open
		for _, n := range needs[i] {
			visit(n)
		}
		state[i] = done
		out = append(out, e.resources[i])
	}
	for i := range e.resources {
		visit(i)
	}
	return out
}
