package nft

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// String writes the table in nft's language.
func (t Table) String() string {
	var b strings.Builder
	t = t.versioned()
	version := "ip"
	if t.Six {
		version = "ip6"
	}
	fmt.Fprintf(&b, "table %s %s {\n", version, t.Name)
	for _, s := range t.Sets {
		s.write(&b)
	}
	for _, c := range t.Chains {
		c.write(&b)
	}
	b.WriteString("}\n")
	return b.String()
}

var typeNames = map[Type]string{
	IfName: "ifname", Addr: "ipv4_addr", Port: "inet_service", Proto: "inet_proto", Mark: "mark", Zone: "ct zone", VerdictType: "verdict", addr6: "ipv6_addr",
}

func (s Set) write(b *strings.Builder) {
	keys := make([]string, len(s.Key))
	for i, k := range s.Key {
		keys[i] = typeNames[k]
	}
	kind, typ := "set", strings.Join(keys, " . ")
	if s.Data != NoType {
		kind, typ = "map", typ+" : "+typeNames[s.Data]
	}
	fmt.Fprintf(b, "\t%s %s {\n\t\ttype %s\n", kind, s.Name, typ)
	if s.Interval {
		b.WriteString("\t\tflags interval\n")
	}
	if s.Count {
		b.WriteString("\t\tcounter\n")
	}
	if len(s.Elems) > 0 {
		elems := make([]string, len(s.Elems))
		for i, e := range s.Elems {
			elems[i] = s.element(e)
		}
		fmt.Fprintf(b, "\t\telements = { %s }\n", strings.Join(elems, ",\n\t\t\t     "))
	}
	b.WriteString("\t}\n")
}

func (s Set) element(e Elem) string {
	parts := make([]string, len(e.Key))
	for i, k := range e.Key {
		parts[i] = k.text(s.Key[i])
		if s.Interval && e.To[i] != k {
			parts[i] += "-" + e.To[i].text(s.Key[i])
		}
	}
	out := strings.Join(parts, " . ")
	if s.Count {
		out += " counter packets 0 bytes 0"
	}
	if e.Comment != "" {
		out += " comment " + strconv.Quote(e.Comment)
	}
	switch s.Data {
	case NoType:
		return out
	case VerdictType:
		return out + " : " + e.Verdict.text()
	}
	return out + " : " + e.Value.text(s.Data)
}

func (v Value) text(t Type) string {
	switch t {
	case IfName:
		return strconv.Quote(v.Name)
	case Addr, addr6:
		return v.Addr.String()
	case Mark:
		return fmt.Sprintf("0x%08x", v.Num)
	}
	return strconv.Itoa(int(v.Num))
}

var hookNames = map[Hook]string{
	Prerouting: "prerouting", Input: "input", Forward: "forward", Output: "output", Postrouting: "postrouting",
}

func (c Chain) write(b *strings.Builder) {
	fmt.Fprintf(b, "\tchain %s {\n", c.Name)
	if c.Hook != NoHook {
		typ, policy := "filter", "accept"
		if c.NAT {
			typ = "nat"
		}
		if c.Drop {
			policy = "drop"
		}
		fmt.Fprintf(b, "\t\ttype %s hook %s priority %d; policy %s;\n", typ, hookNames[c.Hook], c.Priority, policy)
	}
	for _, r := range c.Rules {
		fmt.Fprintf(b, "\t\t%s\n", r)
	}
	b.WriteString("\t}\n")
}

func (r Rule) String() string {
	var parts []string
	for _, m := range r.Match {
		parts = append(parts, m.String())
	}
	for _, a := range r.Steps {
		parts = append(parts, a.text())
	}
	if r.Count {
		parts = append(parts, "counter")
	}
	if r.Do.Verb != Continue {
		parts = append(parts, r.Do.text())
	}
	if r.Comment != "" {
		parts = append(parts, "comment "+strconv.Quote(r.Comment))
	}
	return strings.Join(parts, " ")
}

var fieldNames = map[Field]string{
	InIf: "iifname", OutIf: "oifname", Source: "ip saddr", Destination: "ip daddr", Protocol: "meta l4proto",
	SourcePort: "th sport", DestinationPort: "th dport", ICMPType: "icmp type", ConnState: "ct state", PacketMark: "meta mark",
	ConnStatus: "ct status", source6: "ip6 saddr", destination6: "ip6 daddr", icmp6Type: "icmpv6 type", RouteOut: "fib daddr . mark oifname",
}

var fieldTypes = map[Field]Type{
	InIf: IfName, OutIf: IfName, RouteOut: IfName, Source: Addr, Destination: Addr, SourcePort: Port, DestinationPort: Port, Protocol: Proto, PacketMark: Mark, source6: addr6, destination6: addr6,
}

// Type is the type of the field's values.
func (f Field) Type() Type { return fieldTypes[f] }

func fieldsText(fields []Field) string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = fieldNames[f]
	}
	return strings.Join(names, " . ")
}

func (m Match) String() string {
	what := fieldsText(m.Field)
	if m.Not {
		what += " !="
	}
	typ := fieldTypes[m.Field[0]]
	switch {
	case m.Set != "":
		return what + " @" + m.Set
	case m.Prefix != "":
		return what + " " + strconv.Quote(m.Prefix+"*")
	case m.Field[0] == ConnStatus:
		return what + " dnat"
	case m.Field[0] == ConnState:
		return what + " " + stateText(m.From.Num)
	case m.From == m.To:
		return what + " " + m.From.text(typ)
	}
	return what + " " + m.From.text(typ) + "-" + m.To.text(typ)
}

func stateText(bits uint32) string {
	var names []string
	for _, s := range []struct {
		bit  uint32
		name string
	}{{Invalid, "invalid"}, {Established, "established"}, {Related, "related"}, {New, "new"}} {
		if bits&s.bit != 0 {
			names = append(names, s.name)
		}
	}
	return strings.Join(names, ",")
}

func (a Action) text() string {
	switch a.Verb {
	case Accept:
		return "accept"
	case Drop:
		return "drop"
	case Return:
		return "return"
	case Reject:
		if a.six {
			return "reject with icmpv6 admin-prohibited"
		}
		return "reject with icmp admin-prohibited"
	case Jump:
		return "jump " + a.Chain
	case Goto:
		return "goto " + a.Chain
	case Log:
		return fmt.Sprintf("log prefix %q group %d snaplen %d", a.Prefix, a.Group, logged)
	case SendTo:
		if a.Port != 0 {
			return "dnat to " + netip.AddrPortFrom(a.Addr, a.Port).String()
		}
		return "dnat to " + a.Addr.String()
	case SendAs:
		return "snat to " + a.Addr.String()
	case Balance:
		return fmt.Sprintf("jhash %s mod %d vmap @%s", fieldsText(a.Fields), a.Number, a.Map)
	}
	lookup := fieldsText(a.Fields) + " map @" + a.Map
	switch a.Verb {
	case Dispatch:
		return fieldsText(a.Fields) + " vmap @" + a.Map
	case SetMark:
		return "meta mark set " + lookup
	case SetZone:
		return "ct zone set " + lookup
	case TranslateSource:
		return "snat to " + lookup
	}
	return "dnat to " + lookup
}
