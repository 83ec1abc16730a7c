package nft

import (
	"encoding/binary"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// Registers of 32 bits; the verdict register is not among them.
const (
	firstRegister = unix.NFT_REG32_00
	nameWidth     = 16 // bytes of an interface name
	logged        = 64 // bytes of a packet that a listener gets: the headers
)

func width(t Type) int {
	switch t {
	case IfName:
		return nameWidth
	case Port, Zone:
		return 2
	case Proto:
		return 1
	case addr6:
		return 16
	}
	return 4
}

func datatype(t Type) nftables.SetDatatype {
	switch t {
	case IfName:
		return nftables.TypeIFName
	case Addr:
		return nftables.TypeIPAddr
	case addr6:
		return nftables.TypeIP6Addr
	case Port:
		return nftables.TypeInetService
	case Proto:
		return nftables.TypeInetProto
	case Mark:
		return nftables.TypeMark
	case Zone:
		return nftables.TypeInetService // of the same length: the kernel looks at nothing else
	case VerdictType:
		return nftables.TypeVerdict
	}
	return nftables.TypeInvalid
}

// bytes are a value as the kernel holds it in a register or a set.
func (v Value) bytes(t Type) []byte {
	switch t {
	case IfName:
		b := make([]byte, nameWidth)
		copy(b, v.Name)
		return b
	case Addr:
		return v.Addr.AsSlice() // 16 bytes too: a set is sealed before its table's version is filled in
	case addr6:
		a := v.Addr.As16()
		return a[:]
	case Port:
		return binary.BigEndian.AppendUint16(nil, uint16(v.Num))
	case Proto:
		return []byte{byte(v.Num)}
	case Zone:
		return binary.NativeEndian.AppendUint16(nil, uint16(v.Num))
	}
	return binaryutil.NativeEndian.PutUint32(v.Num)
}

// next is the value after v, and whether there is one: an interval in the kernel
// ends before its end marker.
func (v Value) next(t Type) (Value, bool) {
	if t == Addr || t == addr6 {
		n := v.Addr.Next()
		return Address(n), n.IsValid()
	}
	if t == Proto {
		return Num(v.Num + 1), v.Num < 255
	}
	return Num(v.Num + 1), v.Num < 65535
}

// load puts fields into consecutive registers, beginning with the first.
func load(fields []Field) []expr.Any {
	var out []expr.Any
	reg := uint32(firstRegister)
	for _, f := range fields {
		if f == RouteOut { // the kernel leaves of a register what it was where there is no route
			out = append(out, &expr.Immediate{Register: reg, Data: make([]byte, nameWidth)})
		}
		out = append(out, loadOne(f, reg))
		reg += uint32(width(fieldTypes[f])+3) / 4
	}
	return out
}

func loadOne(f Field, reg uint32) expr.Any {
	payload := func(base expr.PayloadBase, offset, length uint32) expr.Any {
		return &expr.Payload{OperationType: expr.PayloadLoad, DestRegister: reg, Base: base, Offset: offset, Len: length}
	}
	switch f {
	case InIf:
		return &expr.Meta{Key: expr.MetaKeyIIFNAME, Register: reg}
	case OutIf:
		return &expr.Meta{Key: expr.MetaKeyOIFNAME, Register: reg}
	case RouteOut:
		return &expr.Fib{Register: reg, ResultOIFNAME: true, FlagDADDR: true, FlagMARK: true}
	case Source:
		return payload(expr.PayloadBaseNetworkHeader, 12, 4)
	case Destination:
		return payload(expr.PayloadBaseNetworkHeader, 16, 4)
	case source6:
		return payload(expr.PayloadBaseNetworkHeader, 8, 16)
	case destination6:
		return payload(expr.PayloadBaseNetworkHeader, 24, 16)
	case SourcePort:
		return payload(expr.PayloadBaseTransportHeader, 0, 2)
	case DestinationPort:
		return payload(expr.PayloadBaseTransportHeader, 2, 2)
	case ICMPType, icmp6Type:
		return payload(expr.PayloadBaseTransportHeader, 0, 1)
	case ConnState:
		return &expr.Ct{Key: expr.CtKeySTATE, Register: reg}
	case ConnStatus:
		return &expr.Ct{Key: expr.CtKeySTATUS, Register: reg}
	case PacketMark:
		return &expr.Meta{Key: expr.MetaKeyMARK, Register: reg}
	}
	return &expr.Meta{Key: expr.MetaKeyL4PROTO, Register: reg}
}

func (m Match) encode(sets map[string]*nftables.Set) []expr.Any {
	out := load(m.Field)
	op := expr.CmpOpEq
	if m.Not {
		op = expr.CmpOpNeq
	}
	f := m.Field[0]
	switch {
	case m.Set != "":
		return append(out, &expr.Lookup{SourceRegister: firstRegister, SetName: m.Set, SetID: sets[m.Set].ID, Invert: m.Not})
	case m.Prefix != "":
		return append(out, &expr.Cmp{Op: op, Register: firstRegister, Data: []byte(m.Prefix)})
	case f == ConnState || f == ConnStatus:
		some := expr.CmpOpNeq
		if m.Not {
			some = expr.CmpOpEq
		}
		mask := binaryutil.NativeEndian.PutUint32(m.From.Num)
		return append(out,
			&expr.Bitwise{SourceRegister: firstRegister, DestRegister: firstRegister, Len: 4, Mask: mask, Xor: make([]byte, 4)},
			&expr.Cmp{Op: some, Register: firstRegister, Data: make([]byte, 4)})
	case f == ICMPType || f == icmp6Type:
		return append(out, &expr.Cmp{Op: op, Register: firstRegister, Data: []byte{byte(m.From.Num)}})
	}
	t := fieldTypes[f]
	if m.From == m.To {
		return append(out, &expr.Cmp{Op: op, Register: firstRegister, Data: m.From.bytes(t)})
	}
	return append(out, &expr.Range{Op: op, Register: firstRegister, FromData: m.From.bytes(t), ToData: m.To.bytes(t)})
}

func (a Action) encode(sets map[string]*nftables.Set) []expr.Any {
	switch a.Verb {
	case Reject:
		code := uint8(13) // ICMP_PKT_FILTERED
		if a.six {
			code = 1 // ICMPV6_ADM_PROHIBITED (RFC 4443, 3.1)
		}
		return []expr.Any{&expr.Reject{Type: unix.NFT_REJECT_ICMP_UNREACH, Code: code}}
	case Continue:
		return nil
	case Accept, Drop, Return, Jump, Goto:
		return []expr.Any{a.verdict()}
	case Log:
		return []expr.Any{&expr.Log{Key: 1<<unix.NFTA_LOG_GROUP | 1<<unix.NFTA_LOG_PREFIX | 1<<unix.NFTA_LOG_SNAPLEN, Group: a.Group, Data: []byte(a.Prefix), Snaplen: logged}}
	case SendTo, SendAs:
		return a.translation()
	case Balance:
		return a.balance(sets)
	}
	out := load(a.Fields)
	lookup := &expr.Lookup{SourceRegister: firstRegister, SetName: a.Map, SetID: sets[a.Map].ID, IsDestRegSet: true}
	if a.Verb == Dispatch {
		lookup.DestRegister = unix.NFT_REG_VERDICT
		return append(out, lookup)
	}
	lookup.DestRegister = firstRegister
	out = append(out, lookup)
	nat := &expr.NAT{Type: expr.NATTypeSourceNAT, Family: a.nfproto(), RegAddrMin: firstRegister}
	switch a.Verb {
	case SetZone:
		return append(out, &expr.Ct{Key: expr.CtKeyZONE, SourceRegister: true, Register: firstRegister})
	case SetMark:
		return append(out, &expr.Meta{Key: expr.MetaKeyMARK, SourceRegister: true, Register: firstRegister})
	case TranslateDestination:
		nat.Type = expr.NATTypeDestNAT
	}
	return append(out, nat)
}

// translation is to an address that is the same for all packets.
func (a Action) translation() []expr.Any {
	to, family := a.address()
	nat := &expr.NAT{Type: expr.NATTypeSourceNAT, Family: family, RegAddrMin: firstRegister}
	out := []expr.Any{&expr.Immediate{Register: firstRegister, Data: to}}
	if a.Verb == SendTo {
		nat.Type = expr.NATTypeDestNAT
	}
	if a.Port != 0 {
		port := firstRegister + uint32(len(to))/4
		out = append(out, &expr.Immediate{Register: port, Data: binaryutil.BigEndian.PutUint16(a.Port)})
		nat.RegProtoMin, nat.Specified = port, true
	}
	return append(out, nat)
}

// registers is how many bytes of registers fields fill.
func registers(fields []Field) uint32 {
	n := 0
	for _, f := range fields {
		n += (width(fieldTypes[f]) + 3) / 4 * 4
	}
	return uint32(n)
}

// balance is a verdict by a hash, the same for all packets of a connection.
func (a Action) balance(sets map[string]*nftables.Set) []expr.Any {
	return append(load(a.Fields),
		&expr.Hash{SourceRegister: firstRegister, DestRegister: firstRegister, Length: registers(a.Fields), Modulus: a.Number, Type: expr.HashTypeJenkins},
		&expr.Lookup{SourceRegister: firstRegister, SetName: a.Map, SetID: sets[a.Map].ID, IsDestRegSet: true, DestRegister: unix.NFT_REG_VERDICT})
}

func (a Action) verdict() *expr.Verdict {
	switch a.Verb {
	case Accept:
		return &expr.Verdict{Kind: expr.VerdictAccept}
	case Return:
		return &expr.Verdict{Kind: expr.VerdictReturn}
	case Jump:
		return &expr.Verdict{Kind: expr.VerdictJump, Chain: a.Chain}
	case Goto:
		return &expr.Verdict{Kind: expr.VerdictGoto, Chain: a.Chain}
	}
	return &expr.Verdict{Kind: expr.VerdictDrop}
}

func (r Rule) encode(sets map[string]*nftables.Set, start Count) []expr.Any {
	var out []expr.Any
	for _, m := range r.Match {
		out = append(out, m.encode(sets)...)
	}
	for _, a := range r.Steps {
		out = append(out, a.encode(sets)...)
	}
	if r.Count {
		out = append(out, &expr.Counter{Packets: start.Packets, Bytes: start.Bytes})
	}
	return append(out, r.Do.encode(sets)...)
}

// encode are the elements as the kernel wants them. A range of one field is its
// first value and a marker after its last; one of several fields has both ends.
func (s Set) encode() []nftables.SetElement {
	out := make([]nftables.SetElement, 0, len(s.Elems))
	for _, e := range s.Elems {
		out = append(out, s.encodeOne(e)...)
	}
	return out
}

func (s Set) encodeOne(e Elem) []nftables.SetElement {
	elem := nftables.SetElement{Key: s.key(e.Key), Comment: e.Comment}
	switch s.Data {
	case NoType:
	case VerdictType:
		elem.VerdictData = e.Verdict.verdict()
	default:
		elem.Val = e.Value.bytes(s.Data)
	}
	if !s.Interval {
		return []nftables.SetElement{elem}
	}
	if len(s.Key) > 1 {
		elem.KeyEnd = s.key(e.To)
		return []nftables.SetElement{elem}
	}
	if end, ok := e.To[0].next(s.Key[0]); ok {
		return []nftables.SetElement{elem, {Key: end.bytes(s.Key[0]), IntervalEnd: true}}
	}
	return []nftables.SetElement{elem}
}

// key is the values of a key; in a concatenation each fills whole registers.
func (s Set) key(values []Value) []byte {
	var key []byte
	for i, k := range s.Key {
		key = append(key, values[i].bytes(k)...)
		for len(s.Key) > 1 && len(key)%4 != 0 {
			key = append(key, 0)
		}
	}
	return key
}
