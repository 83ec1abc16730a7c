package nft

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
)

// Table is a table of one version of IP: IPv4, or with Six IPv6. Addresses and
// ICMP in it are of that version.
type Table struct {
	Name   string
	Six    bool
	Sets   []Set
	Chains []Chain

	fingerprint string // of a sealed one
}

// Sealed is the table with its fingerprint worked out once. It must not be
// changed any more.
func (t Table) Sealed() Table {
	t = t.versioned()
	t.Sets = slices.Clone(t.Sets)
	for i, s := range t.Sets {
		t.Sets[i] = s.Sealed()
	}
	t.fingerprint = t.Fingerprint()
	return t
}

// Fingerprint is equal for equal tables.
func (t Table) Fingerprint() string {
	if t.fingerprint != "" {
		return t.fingerprint
	}
	t = t.versioned()
	h := sha256.New()
	for _, s := range t.Sets {
		h.Write(s.Sealed().sum)
	}
	h.Write([]byte(Table{Name: t.Name, Six: t.Six, Chains: t.Chains}.String()))
	return hex.EncodeToString(h.Sum(nil)[:12])
}

// Sealed is the set with its digest worked out once. It must not be changed any
// more.
func (s Set) Sealed() Set {
	if s.sum != nil {
		return s
	}
	h := sha256.New()
	fmt.Fprintf(h, "%q %v %v %v %v\n", s.Name, s.Key, s.Data, s.Interval, s.Count)
	var b []byte
	for _, e := range s.Elems {
		b = s.appendTo(b[:0], e)
		h.Write(binary.BigEndian.AppendUint32(b, uint32(len(b))))
	}
	s.sum = h.Sum(nil)
	return s
}

// appendTo appends what tells an element from others.
func (s Set) appendTo(b []byte, e Elem) []byte {
	for _, values := range [][]Value{e.Key, e.To} {
		for i, v := range values {
			b = append(b, v.bytes(s.Key[i])...)
		}
	}
	switch s.Data {
	case NoType:
	case VerdictType:
		b = append(append(b, byte(e.Verdict.Verb)), e.Verdict.Chain...)
	default:
		b = append(b, e.Value.bytes(s.Data)...)
	}
	return append(append(b, 0), e.Comment...)
}

// Type is the type of a value in a set.
type Type int

// Types of values.
const (
	NoType Type = iota
	IfName
	Addr
	Port
	Proto
	Mark
	Zone
	VerdictType
	addr6 // what Addr is in a table of IPv6
)

// Value is an interface name, an address, a port, a protocol's number or a
// mark, by its [Type].
type Value struct {
	Name string
	Addr netip.Addr
	Num  uint32
}

// Name is the value of an interface's name.
func Name(s string) Value { return Value{Name: s} }

// Num is the value of a port, a protocol or a mark.
func Num(n uint32) Value { return Value{Num: n} }

// Address is the value of an address.
func Address(a netip.Addr) Value { return Value{Addr: a} }

// Set is a named set, or with Data a map.
type Set struct {
	Name     string
	Key      []Type // several: a concatenation
	Data     Type   // NoType for a set
	Interval bool   // elements are ranges, which must not overlap
	Count    bool   // each element counts the packets that find it
	Elems    []Elem

	sum []byte // of a sealed one
}

// Elem is an element: a key, in a set of ranges with To the last values of its
// fields; and a map's value.
type Elem struct {
	Key     []Value
	To      []Value
	Value   Value
	Verdict Action // of a verdict map
	Comment string
}

// Hook is where in a packet's way a base chain stands.
type Hook int

// Hooks.
const (
	NoHook Hook = iota
	Prerouting
	Input
	Forward
	Output
	Postrouting
)

// Chain is a list of rules. With a Hook it is a base chain.
type Chain struct {
	Name     string
	Hook     Hook
	NAT      bool // of type nat, else filter
	Priority int
	Drop     bool // policy
	Rules    []Rule
}

// Rule does something with the packets that match all of its matches. Steps are
// done before Do and in their order; where one looks up and finds nothing, the
// rule ends.
type Rule struct {
	Match   []Match
	Steps   []Action
	Count   bool
	Do      Action
	Comment string
}

// Field is a part of a packet or of what the kernel knows of it.
type Field int

// Fields. Ports are meaningful only after a match on the protocol.
const (
	InIf Field = iota
	OutIf
	Source
	Destination
	Protocol
	SourcePort
	DestinationPort
	ICMPType
	ConnState
	PacketMark
	ConnStatus
	RouteOut // the interface that the routes for the packet's mark lead to, "" for none; before it is routed
	source6  // what Source is in a table of IPv6, and so on
	destination6
	icmp6Type
)

// Connection states, a bit set for matches on [ConnState].
const (
	Invalid     = 1
	Established = 2
	Related     = 4
	New         = 8
)

// destinationChanged is the bit of a connection's status that says that its
// destination was translated (IPS_DST_NAT of the kernel's nf_conntrack_common.h).
const destinationChanged = 1 << 5

// Match compares fields. Exactly one of Set, Prefix and the range from From to
// To is used; for ConnState, From.Num holds the accepted states.
type Match struct {
	Field    []Field // several only with Set
	Not      bool
	Set      string // a named set that holds the fields
	Prefix   string // an interface name begins with it
	From, To Value
}

// Verb is what a rule does.
type Verb int

// Verbs. Those from Dispatch on look the Fields up in Map, and do nothing where it
// has no such element.
const (
	Accept Verb = iota
	Drop
	Return
	Reject // with ICMP administratively prohibited
	Jump
	Goto     // like Jump, but what follows is not looked at afterwards
	Log      // hand the packet's beginning to the listeners of Group
	Continue // with the next rule
	SendTo   // translate the destination to Addr, and with a Port to that
	SendAs   // translate the source to Addr
	Dispatch // the verdict that Map holds
	Balance  // the verdict that Map holds for the Fields' hash, of Number
	SetMark  // the mark that Map holds
	SetZone  // the zone of connection tracking that Map holds; before connections are tracked
	TranslateSource
	TranslateDestination
)

// Action is a verb with what it needs.
type Action struct {
	Verb   Verb
	Chain  string  // of Jump and Goto
	Group  uint16  // of Log
	Prefix string  // of Log
	Fields []Field // of the verbs that look up
	Map    string
	Addr   netip.Addr // of SendTo and SendAs
	Port   uint16     // of SendTo; 0 for the packet's own
	Number uint32     // of Balance: how many verdicts there are

	six bool // in a table of IPv6
}

// Equals matches one value of a field.
func Equals(f Field, v Value) Match { return Match{Field: []Field{f}, From: v, To: v} }

// Between matches a range, both ends included.
func Between(f Field, from, to Value) Match { return Match{Field: []Field{f}, From: from, To: to} }

// In matches what a named set holds.
func In(set string, fields ...Field) Match { return Match{Field: fields, Set: set} }

// NotIn matches what a named set does not hold.
func NotIn(set string, fields ...Field) Match { return Match{Field: fields, Set: set, Not: true} }

// Begins matches interface names by their beginning.
func Begins(f Field, prefix string) Match { return Match{Field: []Field{f}, Prefix: prefix} }

// BeginsNot matches interface names that begin otherwise.
func BeginsNot(f Field, prefix string) Match {
	return Match{Field: []Field{f}, Not: true, Prefix: prefix}
}

// Redirected matches connections whose destination was translated.
func Redirected() Match {
	return Match{Field: []Field{ConnStatus}, From: Num(destinationChanged)}
}

// NotRedirected matches connections whose destination is what it was.
func NotRedirected() Match {
	return Match{Field: []Field{ConnStatus}, Not: true, From: Num(destinationChanged)}
}

// State matches connections in one of the given states.
func State(bits uint32) Match { return Match{Field: []Field{ConnState}, From: Num(bits)} }
