package cloud

import (
	"slices"
	"strings"
	"sync"

	"github.com/cloister-ml/cloister/access"
	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/store"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/service"
)

// snapshot is the whole store at one moment. It is never changed, so it is read
// without a lock. It is a View.
type snapshot struct {
	rows map[string]*store.Row
	docs *documents // shared by snapshots whose documents are the same
	root arm.ID     // the tenant's management group, which is above all others
}

// documents are what follows from the documents alone, made when first asked for.
type documents struct {
	estate   func() *arm.Estate       // what is meant to be: without what is being deleted
	graph    func() *graph            // what waits for what, with what is being deleted
	hosts    func() map[string]served // every host name that is served, by lower-case name
	roles    func() *access.Model
	topology func() *network.Topology
	locks    func() []arm.Resource
	// connections of private endpoints, by the key of their target
	connections func() map[string][]connection
}

// served is a host name and the document behind it, zero for a platform host.
type served struct {
	endpoint service.Endpoint
	resource arm.Resource
}

func newSnapshot(rows map[string]*store.Row, root arm.ID) *snapshot {
	d := &documents{}
	d.estate = sync.OnceValue(func() *arm.Estate { return estateOf(rows, false) })
	d.graph = sync.OnceValue(func() *graph {
		for _, r := range rows {
			if r.State == store.Deleting {
				return newGraph(estateOf(rows, true))
			}
		}
		return newGraph(d.estate())
	})
	d.hosts = sync.OnceValue(func() map[string]served { return hostsOf(d.estate()) })
	d.roles = sync.OnceValue(func() *access.Model { return access.FromEstate(d.estate()).UnderRoot(root) })
	d.topology = sync.OnceValue(func() *network.Topology { return network.FromEstate(d.estate()) })
	// Asked at every write, which is too often to make the estate for it.
	d.locks = sync.OnceValue(func() []arm.Resource { return documentsOf(rows, typeLock) })
	d.connections = sync.OnceValue(func() map[string][]connection {
		return connectionsOf(documentsOf(rows, service.TypePrivateEndpoint))
	})
	return &snapshot{rows: rows, docs: d, root: root}
}

// with is the snapshot after rows were replaced; documents says whether any
// document was.
func (s *snapshot) with(rows map[string]*store.Row, documents bool) *snapshot {
	next := newSnapshot(rows, s.root)
	if !documents {
		next.docs = s.docs
	}
	return next
}

// Get implements View.
func (s *snapshot) Get(id arm.ID) (arm.Resource, bool) {
	row, ok := s.rows[id.Key()]
	if !ok || row.State == store.Deleting {
		return arm.Resource{}, false
	}
	return row.Resource, true
}

// Estate implements View.
func (s *snapshot) Estate() *arm.Estate { return s.docs.estate() }

// ordered are the rows that pass, by key.
func (s *snapshot) ordered(pass func(*store.Row) bool) []*store.Row {
	return orderedRows(s.rows, pass)
}

func orderedRows(rows map[string]*store.Row, pass func(*store.Row) bool) []*store.Row {
	var out []*store.Row
	for _, r := range rows {
		if pass(r) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b *store.Row) int { return strings.Compare(a.Key(), b.Key()) })
	return out
}

// documentsOf are the documents of a type that are not being deleted, by key.
func documentsOf(rows map[string]*store.Row, typ string) []arm.Resource {
	var out []arm.Resource
	for _, row := range orderedRows(rows, func(r *store.Row) bool { return r.State != store.Deleting && r.Resource.IsType(typ) }) {
		out = append(out, row.Resource)
	}
	return out
}

// estateOf is the estate of the rows, with or without those being deleted.
func estateOf(rows map[string]*store.Row, deleting bool) *arm.Estate {
	resources := make([]arm.Resource, 0, len(rows))
	for _, r := range rows {
		if deleting || r.State != store.Deleting {
			resources = append(resources, r.Resource)
		}
	}
	e, err := arm.NewEstate(resources...)
	if err != nil {
		// NewEstate refuses only an id that is there twice, and rows is keyed by id.
		panic("the store's rows are keyed by id: " + err.Error())
	}
	return e
}

func hostsOf(e *arm.Estate) map[string]served {
	hosts := map[string]served{}
	for _, ep := range service.All(e) {
		host := strings.ToLower(ep.Host)
		if _, ok := hosts[host]; host == "" || ok {
			continue // a host that several documents share is known by the first
		}
		r, _ := e.Get(ep.Resource)
		hosts[host] = served{endpoint: ep, resource: r}
	}
	return hosts
}

// graph is what waits for what.
type graph struct {
	rank map[string]int      // place in an order in which each document follows what it refers to
	deps map[string][]string // keys that a key refers to, its parent among them
	uses map[string][]string // the other way round
}

func newGraph(e *arm.Estate) *graph {
	g := &graph{rank: make(map[string]int, e.Len()), deps: map[string][]string{}, uses: map[string][]string{}}
	for i, r := range e.InOrder() {
		g.rank[r.ID.Key()] = i
	}
	for _, edge := range e.Edges() {
		from, to := edge.From.Key(), edge.To.Key()
		if !edge.Dangling {
			g.deps[from] = append(g.deps[from], to)
			g.uses[to] = append(g.uses[to], from)
		}
	}
	return g
}
