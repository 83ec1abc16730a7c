package nft

import (
	"slices"

	"github.com/google/nftables"
	"golang.org/x/sys/unix"
)

// versioned is the table with the types and fields of its own version of IP in
// place of those that are for either.
func (t Table) versioned() Table {
	if !t.Six || t.fingerprint != "" {
		return t
	}
	t.Sets = slices.Clone(t.Sets)
	for i, s := range t.Sets {
		t.Sets[i].Key, t.Sets[i].Data = types6(s.Key), type6(s.Data)
		t.Sets[i].Elems, t.Sets[i].sum = slices.Clone(s.Elems), nil
		for j := range t.Sets[i].Elems {
			t.Sets[i].Elems[j].Verdict = s.Elems[j].Verdict.in6()
		}
	}
	t.Chains = slices.Clone(t.Chains)
	for i, c := range t.Chains {
		t.Chains[i].Rules = slices.Clone(c.Rules)
		for j, r := range c.Rules {
			t.Chains[i].Rules[j] = r.in6()
		}
	}
	return t
}

func (r Rule) in6() Rule {
	r.Match, r.Steps, r.Do = slices.Clone(r.Match), slices.Clone(r.Steps), r.Do.in6()
	for i, m := range r.Match {
		r.Match[i].Field = fields6(m.Field)
	}
	for i, a := range r.Steps {
		r.Steps[i] = a.in6()
	}
	return r
}

func (a Action) in6() Action {
	a.Fields, a.six = fields6(a.Fields), true
	return a
}

func types6(list []Type) []Type {
	out := make([]Type, len(list))
	for i, t := range list {
		out[i] = type6(t)
	}
	return out
}

func type6(t Type) Type {
	if t == Addr {
		return addr6
	}
	return t
}

func fields6(list []Field) []Field {
	out := slices.Clone(list)
	for i, f := range list {
		switch f {
		case Source:
			out[i] = source6
		case Destination:
			out[i] = destination6
		case ICMPType:
			out[i] = icmp6Type
		}
	}
	return out
}

// family is the kernel's name of the table's version.
func (t Table) family() nftables.TableFamily {
	if t.Six {
		return nftables.TableFamilyIPv6
	}
	return nftables.TableFamilyIPv4
}

// address is a translation's address as the kernel holds it, with the family that
// the translation is told.
func (a Action) address() (bytes []byte, family uint32) {
	if a.six {
		b := a.Addr.As16()
		return b[:], unix.NFPROTO_IPV6
	}
	b := a.Addr.As4()
	return b[:], unix.NFPROTO_IPV4
}

// nfproto is the family that a translation is told.
func (a Action) nfproto() uint32 {
	if a.six {
		return unix.NFPROTO_IPV6
	}
	return unix.NFPROTO_IPV4
}
