package space

import (
	"slices"
	"sort"
)

// Node is a diagram in a [Store]. The first ones are leaves: the numbers themselves.
type Node int32

// leaves is how many different leaves there may be.
const leaves = 64

// edge leads from the values above those of the edge before it, up to last.
type edge struct {
	last Value
	to   Node
}

type node struct {
	field Field
	edges []edge
}

// Store keeps diagrams, each once. The zero Store is empty. It is not safe for
// concurrent use.
type Store struct {
	nodes []node
	index map[uint64][]Node
	memo  map[pair]Node
	ops   int
	picks map[uint8]Op
}

type pair struct {
	op   int
	a, b Node
}

// Len is the number of nodes.
func (s *Store) Len() int { return len(s.nodes) }

func (s *Store) field(n Node) Field {
	if n < leaves {
		return fields
	}
	return s.nodes[n-leaves].field
}

func (s *Store) edges(n Node) []edge { return s.nodes[n-leaves].edges }

// make is the node with these edges: neighbours that lead to the same are one
// edge, and a node with one edge is what that leads to.
func (s *Store) make(f Field, edges []edge) Node {
	out := edges[:0]
	for _, e := range edges {
		if k := len(out); k > 0 && out[k-1].to == e.to {
			out[k-1].last = e.last
			continue
		}
		out = append(out, e)
	}
	if len(out) == 1 {
		return out[0].to
	}
	h := hash(f, out)
	for _, n := range s.index[h] {
		if s.field(n) == f && slices.Equal(s.edges(n), out) {
			return n
		}
	}
	if s.index == nil {
		s.index = map[uint64][]Node{}
	}
	n := Node(len(s.nodes) + leaves)
	s.nodes = append(s.nodes, node{f, slices.Clone(out)})
	s.index[h] = append(s.index[h], n)
	return n
}

func hash(f Field, edges []edge) uint64 {
	h := uint64(f) + 14695981039346656037
	for _, e := range edges {
		for _, x := range [3]uint64{e.last.hi, e.last.lo, uint64(e.to)} {
			h = (h ^ x) * 1099511628211
			h ^= h >> 29
		}
	}
	return h
}

// Op combines two leaves. Each must be made once and kept: results are
// remembered by it.
type Op struct {
	id int
	of func(a, b uint8) uint8
}

// Op is a new operation.
func (s *Store) Op(of func(a, b uint8) uint8) Op {
	s.ops++
	return Op{s.ops, of}
}

// Apply combines two diagrams leaf by leaf.
func (s *Store) Apply(op Op, a, b Node) Node {
	if a < leaves && b < leaves {
		return Node(op.of(uint8(a), uint8(b)))
	}
	key := pair{op.id, a, b}
	if n, ok := s.memo[key]; ok {
		return n
	}
	f := min(s.field(a), s.field(b))
	ea, eb := s.under(a, f), s.under(b, f)
	out := make([]edge, 0, len(ea)+len(eb))
	for i, j := 0, 0; i < len(ea) && j < len(eb); {
		last := ea[i].last
		if eb[j].last.Less(last) {
			last = eb[j].last
		}
		out = append(out, edge{last, s.Apply(op, ea[i].to, eb[j].to)})
		if ea[i].last == last {
			i++
		}
		if eb[j].last == last {
			j++
		}
	}
	n := s.make(f, out)
	if s.memo == nil {
		s.memo = map[pair]Node{}
	}
	s.memo[key] = n
	return n
}

// under are the edges of a node at a field: one where it does not look at it.
func (s *Store) under(n Node, f Field) []edge {
	if s.field(n) == f {
		return s.edges(n)
	}
	return []edge{{highest(f), n}}
}

// At is the diagram for one value of a field, which must be the first that the
// diagram looks at, or one that it does not look at.
func (s *Store) At(n Node, f Field, v Value) Node {
	if s.field(n) != f {
		return n
	}
	edges := s.edges(n)
	i := sort.Search(len(edges), func(i int) bool { return !edges[i].last.Less(v) })
	return edges[i].to
}

// AtNear is [Store.At] for values that are asked for one after the other, as those of a
// row of addresses in order: near is where the last one was found, and is set.
func (s *Store) AtNear(n Node, f Field, v Value, near *int) Node {
	if s.field(n) != f {
		return n
	}
	edges := s.edges(n)
	for i := *near; i < min(len(edges), *near+2); i++ {
		if !edges[i].last.Less(v) && (i == 0 || edges[i-1].last.Less(v)) {
			*near = i
			return edges[i].to
		}
	}
	i := sort.Search(len(edges), func(i int) bool { return !edges[i].last.Less(v) })
	*near = i
	return edges[i].to
}

// Fix is the diagram in which a field always has one value.
func (s *Store) Fix(n Node, f Field, v Value) Node {
	if s.field(n) > f {
		return n
	}
	if s.field(n) == f {
		return s.At(n, f, v)
	}
	var out []edge
	at := s.field(n)
	for _, e := range slices.Clone(s.edges(n)) {
		out = append(out, edge{e.last, s.Fix(e.to, f, v)})
	}
	return s.make(at, out)
}

// In is yes where a field has one of the values, and no elsewhere. The intervals
// may overlap.
func (s *Store) In(f Field, list []Interval, yes, no Node) Node {
	list = Union(list)
	var out []edge
	next := Value{}
	for _, i := range list {
		if next.Less(i.First) {
			out = append(out, edge{i.First.Previous(), no})
		}
		out = append(out, edge{i.Last, yes})
		if i.Last == highest(f) {
			return s.make(f, out)
		}
		next = i.Last.Next()
	}
	return s.make(f, append(out, edge{highest(f), no}))
}

// Union are intervals in order, and apart from each other.
func Union(list []Interval) []Interval {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b Interval) int {
		switch {
		case a.First.Less(b.First):
			return -1
		case b.First.Less(a.First):
			return 1
		}
		return 0
	})
	var out []Interval
	for _, i := range list {
		if k := len(out) - 1; k >= 0 && (!out[k].Last.Less(i.First) || out[k].Last.Next() == i.First) {
			if out[k].Last.Less(i.Last) {
				out[k].Last = i.Last
			}
			continue
		}
		out = append(out, i)
	}
	return out
}

// Piece is what a diagram is for some values of a field.
type Piece struct {
	Last Value // the highest of them; they begin above those of the piece before
	Node Node
}

// Join is the diagram that is each piece where the field has its values. The
// last piece must reach the highest value.
func (s *Store) Join(f Field, pieces []Piece) Node {
	var out []edge
	first := Value{}
	for _, p := range pieces {
		for _, e := range s.under(p.Node, f) {
			if e.last.Less(first) {
				continue
			}
			if !e.last.Less(p.Last) {
				out = append(out, edge{p.Last, e.to})
				break
			}
			out = append(out, e)
		}
		first = p.Last.Next()
	}
	return s.make(f, out)
}

// Leaf is the diagram with 1 where another has a leaf, and 0 elsewhere.
func (s *Store) Leaf(n Node, leaf uint8) Node {
	if s.picks == nil {
		s.picks = map[uint8]Op{}
	}
	op, ok := s.picks[leaf]
	if !ok {
		op = s.Op(func(x, _ uint8) uint8 {
			if x == leaf {
				return 1
			}
			return 0
		})
		s.picks[leaf] = op
	}
	return s.Apply(op, n, n)
}
