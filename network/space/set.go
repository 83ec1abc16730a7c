package space

import (
	"fmt"
	"net/netip"
	"strings"
)

// Set is a set of packets.
type Set struct {
	s *algebra
	n Node
}

// algebra are the operations on sets of one store.
type algebra struct {
	*Store
	and, or, minus Op
}

// Algebra makes the sets of a store.
type Algebra struct{ a *algebra }

// NewAlgebra is the algebra of the sets in a store.
func NewAlgebra(s *Store) Algebra {
	return Algebra{&algebra{
		Store: s,
		and:   s.Op(func(a, b uint8) uint8 { return a & b }),
		or:    s.Op(func(a, b uint8) uint8 { return a | b }),
		minus: s.Op(func(a, b uint8) uint8 { return a &^ b }),
	}}
}

// Empty is the set of no packets, All that of every packet.
func (a Algebra) Empty() Set { return Set{a.a, 0} }

// All is the set of every packet.
func (a Algebra) All() Set { return Set{a.a, 1} }

// Where is the set of packets of which a field has one of the values.
func (a Algebra) Where(f Field, list ...Interval) Set { return Set{a.a, a.a.In(f, list, 1, 0)} }

// Of is a diagram whose leaves are 0 and 1 as a set.
func (a Algebra) Of(n Node) Set { return Set{a.a, n} }

// And are the packets of both sets, which must be of one algebra.
func (x Set) And(y Set) Set { return Set{x.s, x.s.Apply(x.s.and, x.n, y.n)} }

// Or are the packets of either set.
func (x Set) Or(y Set) Set { return Set{x.s, x.s.Apply(x.s.or, x.n, y.n)} }

// Minus are the packets of x that are not of y.
func (x Set) Minus(y Set) Set { return Set{x.s, x.s.Apply(x.s.minus, x.n, y.n)} }

// Not are all other packets.
func (x Set) Not() Set { return Set{x.s, 1}.Minus(x) }

// IsEmpty reports whether there is no packet in the set.
func (x Set) IsEmpty() bool { return x.n == 0 }

// Equal reports whether the sets hold the same packets.
func (x Set) Equal(y Set) bool { return x.n == y.n }

// Within reports whether every packet of x is one of y.
func (x Set) Within(y Set) bool { return x.Minus(y).IsEmpty() }

// Packet is one packet.
type Packet struct {
	Source, Destination netip.Addr
	Protocol            uint8
	SourcePort, Port    uint16
}

func (p Packet) value(f Field) Value {
	switch f {
	case Source:
		return Address(p.Source)
	case Destination:
		return Address(p.Destination)
	case Protocol:
		return Number(uint16(p.Protocol))
	case SourcePort:
		return Number(p.SourcePort)
	}
	return Number(p.Port)
}

// Has reports whether a packet is in the set.
func (x Set) Has(p Packet) bool {
	n := x.n
	for n >= leaves {
		n = x.s.At(n, x.s.field(n), p.value(x.s.field(n)))
	}
	return n == 1
}

// Box is a product of intervals, one for each field.
type Box [fields]Interval

// Boxes calls give for boxes that together are the set and do not overlap, until
// it returns false. Their order is that of the fields.
func (x Set) Boxes(give func(Box) bool) {
	var box Box
	for f := range fields {
		box[f] = Interval{Value{}, highest(f)}
	}
	x.s.boxes(x.n, box, give)
}

func (a *algebra) boxes(n Node, box Box, give func(Box) bool) bool {
	if n < leaves {
		return n == 0 || give(box)
	}
	f := a.field(n)
	first := Value{}
	for _, e := range a.edges(n) {
		inner := box
		inner[f] = Interval{first, e.last}
		if !a.boxes(e.to, inner, give) {
			return false
		}
		first = e.last.Next()
	}
	return true
}

// Sample is one packet of the set, the first in order.
func (x Set) Sample() (p Packet, ok bool) {
	x.Boxes(func(b Box) bool {
		p = Packet{Source: b[Source].First.Addr(), Destination: b[Destination].First.Addr(), Protocol: uint8(b[Protocol].First.lo),
			SourcePort: b[SourcePort].First.Number(), Port: b[Port].First.Number()}
		ok = true
		return false
	})
	return p, ok
}

// String lists the set's boxes, the first few of them.
func (x Set) String() string {
	var out []string
	x.Boxes(func(b Box) bool {
		out = append(out, b.String())
		return len(out) < 8
	})
	if len(out) == 0 {
		return "nothing"
	}
	return strings.Join(out, "; ")
}

var names = map[uint16]string{1: "ICMP", 6: "TCP", 17: "UDP", 50: "ESP", 51: "AH"}

// String is a box without the fields that may have every value.
func (b Box) String() string {
	var out []string
	for f, name := range []string{"from", "to", "", "source port", "port"} {
		f := Field(f)
		if b[f] == (Interval{Value{}, highest(f)}) {
			continue
		}
		low, high := fmt.Sprint(b[f].First.Number()), fmt.Sprint(b[f].Last.Number())
		if f <= Destination {
			low, high = b[f].First.Addr().String(), b[f].Last.Addr().String()
		}
		if f == Protocol {
			low, high = protocolName(b[f].First), protocolName(b[f].Last)
		}
		if low != high {
			low += "-" + high
		}
		out = append(out, strings.TrimSpace(name+" "+low))
	}
	if len(out) == 0 {
		return "everything"
	}
	return strings.Join(out, " ")
}

func protocolName(v Value) string {
	if s, ok := names[v.Number()]; ok {
		return s
	}
	return fmt.Sprint("protocol ", v.Number())
}
