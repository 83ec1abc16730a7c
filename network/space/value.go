package space

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
)

// Field is a field of a packet, in the order in which diagrams look at them.
type Field uint8

// The fields.
const (
	Source Field = iota
	Destination
	Protocol
	SourcePort
	Port
	fields
)

// Value is the value of a field. Addresses are 128 bits, those of IPv4 as they
// are mapped into IPv6 (RFC 4291, 2.5.5.2).
type Value struct{ hi, lo uint64 }

// Number is the value of a protocol or a port.
func Number(n uint16) Value { return Value{0, uint64(n)} }

// Address is the value of an address.
func Address(a netip.Addr) Value {
	b := a.As16()
	var v Value
	for i := range 8 {
		v.hi, v.lo = v.hi<<8|uint64(b[i]), v.lo<<8|uint64(b[i+8])
	}
	return v
}

// Addr is the address of which v is the value.
func (v Value) Addr() netip.Addr {
	var b [16]byte
	for i := range 8 {
		b[i], b[i+8] = byte(v.hi>>(56-8*i)), byte(v.lo>>(56-8*i))
	}
	return netip.AddrFrom16(b).Unmap()
}

// Number is the value as a protocol or a port.
func (v Value) Number() uint16 { return uint16(v.lo) }

// Less orders values.
func (v Value) Less(w Value) bool { return v.hi < w.hi || v.hi == w.hi && v.lo < w.lo }

// AppendTo appends the 16 bytes of the value, the most significant first.
func (v Value) AppendTo(b []byte) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, v.hi), v.lo)
}

// Next is the value after v; that of the highest is the lowest.
func (v Value) Next() Value {
	lo, carry := bits.Add64(v.lo, 1, 0)
	return Value{v.hi + carry, lo}
}

// Previous is the value before v; that of the lowest is the highest.
func (v Value) Previous() Value {
	lo, borrow := bits.Sub64(v.lo, 1, 0)
	return Value{v.hi - borrow, lo}
}

// highest is the highest value of a field.
func highest(f Field) Value {
	switch f {
	case Source, Destination:
		return Value{^uint64(0), ^uint64(0)}
	case Protocol:
		return Value{0, 255}
	}
	return Value{0, 65535}
}

// Interval is inclusive at both ends.
type Interval struct{ First, Last Value }

// Whole is every value of a field.
func Whole(f Field) []Interval { return []Interval{{Value{}, highest(f)}} }

// Numbers is an interval of protocols or ports.
func Numbers(first, last uint16) Interval { return Interval{Number(first), Number(last)} }

var (
	mapped4 = Address(netip.MustParseAddr("::ffff:0.0.0.0"))
	end4    = Address(netip.MustParseAddr("::ffff:255.255.255.255"))
)

// Prefixes are the intervals of prefixes. Those of ::/0 are all but IPv4's.
func Prefixes(list []netip.Prefix) []Interval {
	out := make([]Interval, 0, len(list))
	for _, p := range list {
		p = p.Masked()
		first := Address(p.Addr())
		last := end(first, p)
		if p.Addr().Is6() && !mapped4.Less(first) && !last.Less(end4) {
			if first.Less(mapped4) {
				out = append(out, Interval{first, mapped4.Previous()})
			}
			if end4.Less(last) {
				out = append(out, Interval{end4.Next(), last})
			}
			continue
		}
		out = append(out, Interval{first, last})
	}
	return out
}

// ByVersion divides intervals of addresses into those of IPv4 and those of IPv6.
func ByVersion(list []Interval) (four, six []Interval) {
	part := func(to *[]Interval, i Interval, first, last Value) {
		if i.First.Less(first) {
			i.First = first
		}
		if last.Less(i.Last) {
			i.Last = last
		}
		if !i.Last.Less(i.First) {
			*to = append(*to, i)
		}
	}
	for _, i := range list {
		part(&six, i, Value{}, mapped4.Previous())
		part(&four, i, mapped4, end4)
		part(&six, i, end4.Next(), highest(Source))
	}
	return four, six
}

// end is the last value of a prefix that begins at first.
func end(first Value, p netip.Prefix) Value {
	host := p.Addr().BitLen() - p.Bits()
	switch {
	case host == 0:
		return first
	case host >= 128:
		return highest(Source)
	case host >= 64:
		return Value{first.hi | (uint64(1)<<(host-64) - 1), ^uint64(0)}
	}
	return Value{first.hi, first.lo | (uint64(1)<<host - 1)}
}
