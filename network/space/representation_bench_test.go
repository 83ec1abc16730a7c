package space_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/cloister-ml/cloister/network/space"
)

// The benchmark that decided how sets of packets are kept: the packets that a
// group of n rules allows, worked out with boxes, with binary diagrams and with
// this package's. Each rule has a source, a destination and a range of ports.

type rule struct {
	from, to    [2]uint32 // inclusive
	first, last uint16
	allow       bool
}

func group(n int) []rule {
	r := rand.New(rand.NewPCG(1, 2))
	prefix := func() [2]uint32 {
		bits := 8 + r.IntN(20)
		first := (10<<24 | r.Uint32()&0xffffff) &^ (1<<(32-bits) - 1)
		return [2]uint32{first, first | 1<<(32-bits) - 1}
	}
	out := make([]rule, n)
	for i := range out {
		first := uint16(r.IntN(2000))
		out[i] = rule{prefix(), prefix(), first, first + uint16(r.IntN(500)), i%4 != 0}
	}
	return out
}

func addr(n uint32) netip.Addr {
	return netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
}

func diagram(rules []rule) (*space.Store, space.Node) {
	s := &space.Store{}
	var list []space.Rule
	for _, r := range rules {
		var x space.Rule
		x.Certain, x.Outcome = true, 1
		if r.allow {
			x.Outcome = 2
		}
		x.Sure = [5][]space.Interval{
			{{First: space.Address(addr(r.from[0])), Last: space.Address(addr(r.from[1]))}},
			{{First: space.Address(addr(r.to[0])), Last: space.Address(addr(r.to[1]))}},
			{space.Numbers(6, 6)}, space.Whole(space.SourcePort), {space.Numbers(r.first, r.last)},
		}
		list = append(list, x)
	}
	return s, s.Decide(list, 1)
}

// box is a product of intervals.
type box [3][2]uint32

func (r rule) box() box { return box{r.from, r.to, {uint32(r.first), uint32(r.last)}} }

// minus adds the parts of b that are outside c to out.
func minus(out []box, b, c box) []box {
	for d := range b {
		if b[d][1] < c[d][0] || c[d][1] < b[d][0] {
			return append(out, b)
		}
	}
	for d := range b {
		if b[d][0] < c[d][0] {
			low := b
			low[d][1] = c[d][0] - 1
			out, b[d][0] = append(out, low), c[d][0]
		}
		if c[d][1] < b[d][1] {
			high := b
			high[d][0] = c[d][1] + 1
			out, b[d][1] = append(out, high), c[d][1]
		}
	}
	return out
}

// boxes are the packets that rules allow, as disjoint boxes.
func boxes(rules []rule) []box {
	var allowed, decided []box
	for _, r := range rules {
		left := []box{r.box()}
		for _, d := range decided {
			var next []box
			for _, b := range left {
				next = minus(next, b, d)
			}
			left = next
		}
		decided = append(decided, left...)
		if r.allow {
			allowed = append(allowed, left...)
		}
	}
	return allowed
}

// binary is a store of binary decision diagrams over 80 bits: two addresses of
// IPv4 and a port.
type binary struct {
	nodes [][3]int32 // variable, if 0, if 1
	index map[[3]int32]int32
	memo  map[[3]int32]int32
}

func newBinary() *binary {
	return &binary{nodes: [][3]int32{{80}, {80}}, index: map[[3]int32]int32{}, memo: map[[3]int32]int32{}}
}

func (s *binary) make(v, low, high int32) int32 {
	if low == high {
		return low
	}
	key := [3]int32{v, low, high}
	if n, ok := s.index[key]; ok {
		return n
	}
	s.nodes = append(s.nodes, key)
	s.index[key] = int32(len(s.nodes) - 1)
	return s.index[key]
}

// choose is y where x is 1 and z where it is 0.
func (s *binary) choose(x, y, z int32) int32 {
	switch {
	case x == 1 || y == z:
		return y
	case x == 0:
		return z
	}
	key := [3]int32{x, y, z}
	if n, ok := s.memo[key]; ok {
		return n
	}
	v := min(s.nodes[x][0], s.nodes[y][0], s.nodes[z][0])
	at := func(n int32, side int) int32 {
		if s.nodes[n][0] == v {
			return s.nodes[n][1+side]
		}
		return n
	}
	n := s.make(v, s.choose(at(x, 0), at(y, 0), at(z, 0)), s.choose(at(x, 1), at(y, 1), at(z, 1)))
	s.memo[key] = n
	return n
}

// between is 1 for the numbers of an interval, from variable v with some bits.
func (s *binary) between(v, bits int32, first, last uint32, beyond int32) int32 {
	if bits == 0 {
		return beyond
	}
	if first == 0 && uint64(last) == uint64(1)<<bits-1 {
		return beyond
	}
	half := uint32(1) << (bits - 1)
	low, high := int32(0), int32(0)
	if first < half {
		low = s.between(v+1, bits-1, first, min(last, half-1), beyond)
	}
	if last >= half {
		high = s.between(v+1, bits-1, max(first, half)-half, last-half, beyond)
	}
	return s.make(v, low, high)
}

func (s *binary) allowed(rules []rule) int32 {
	n := int32(0)
	for i := len(rules) - 1; i >= 0; i-- {
		r := rules[i]
		match := s.between(0, 32, r.from[0], r.from[1], s.between(32, 32, r.to[0], r.to[1], s.between(64, 16, uint32(r.first), uint32(r.last), 1)))
		verdict := int32(0)
		if r.allow {
			verdict = 1
		}
		n = s.choose(match, verdict, n)
	}
	return n
}

func BenchmarkRepresentation(b *testing.B) {
	for _, n := range []int{10, 50, 200} {
		rules := group(n)
		b.Run(fmt.Sprint("interval diagrams ", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s, _ := diagram(rules)
				b.ReportMetric(float64(s.Len()), "nodes")
			}
		})
		b.Run(fmt.Sprint("binary diagrams ", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s := newBinary()
				s.allowed(rules)
				b.ReportMetric(float64(len(s.nodes)), "nodes")
			}
		})
		b.Run(fmt.Sprint("boxes ", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				b.ReportMetric(float64(len(boxes(rules))), "boxes")
			}
		})
	}
}

// A look-up in a finished diagram.
func BenchmarkAt(b *testing.B) {
	s, n := diagram(group(200))
	from, to := space.Address(addr(10<<24|7)), space.Address(addr(10<<24|9))
	for b.Loop() {
		s.At(s.At(n, space.Source, from), space.Destination, to)
	}
}
