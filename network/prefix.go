package network

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

var (
	any4 = netip.MustParsePrefix("0.0.0.0/0")
	any6 = netip.MustParsePrefix("::/0")
)

// parsePrefix reads a prefix or a single address. Host bits, zones and
// IPv4-mapped addresses are refused, as Azure refuses them.
func parsePrefix(s string) (netip.Prefix, error) {
	s = strings.TrimSpace(s)
	if !strings.Contains(s, "/") {
		a, err := parseAddr(s)
		if err != nil {
			return netip.Prefix{}, err
		}
		return single(a), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil || p.Addr().Is4In6() {
		return netip.Prefix{}, fmt.Errorf("%q is not an address prefix", s)
	}
	if p != p.Masked() {
		return netip.Prefix{}, fmt.Errorf("%q has bits set beyond its length; write %s", s, p.Masked())
	}
	return p, nil
}

// parseTerm reads an address or prefix of a rule, where host bits are no error:
// they are not looked at.
func parseTerm(s string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(strings.TrimSpace(s)); err == nil && !p.Addr().Is4In6() {
		return p.Masked(), nil
	}
	return parsePrefix(s)
}

func parseAddr(s string) (netip.Addr, error) {
	a, err := netip.ParseAddr(strings.TrimSpace(s))
	if err != nil || a.Zone() != "" || a.Is4In6() {
		return netip.Addr{}, fmt.Errorf("%q is not an IP address", s)
	}
	return a, nil
}

var allAddresses = []netip.Prefix{any4, any6}

// single is the prefix that holds only a.
func single(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }

func contains(list []netip.Prefix, a netip.Addr) bool {
	for _, p := range list {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// within reports whether p lies wholly in one prefix of the list.
func within(p netip.Prefix, list []netip.Prefix) bool {
	return slices.ContainsFunc(list, func(q netip.Prefix) bool {
		return q.Bits() <= p.Bits() && q.Contains(p.Addr())
	})
}

// subtract is space without what remove covers, as the fewest prefixes.
func subtract(space, remove []netip.Prefix) []netip.Prefix {
	var out []netip.Prefix
	for _, p := range space {
		out = cut(out, p, remove)
	}
	return out
}

func cut(out []netip.Prefix, p netip.Prefix, remove []netip.Prefix) []netip.Prefix {
	touched := false
	for _, r := range remove {
		if !p.Overlaps(r) {
			continue
		}
		if r.Bits() <= p.Bits() {
			return out
		}
		touched = true
	}
	if !touched {
		return append(out, p)
	}
	low, high := halves(p)
	return cut(cut(out, low, remove), high, remove)
}

// halves splits a prefix that is longer than one address.
func halves(p netip.Prefix) (low, high netip.Prefix) {
	bits := p.Bits() + 1
	b := p.Addr().AsSlice()
	b[p.Bits()/8] |= 0x80 >> (p.Bits() % 8)
	top, _ := netip.AddrFromSlice(b)
	return netip.PrefixFrom(p.Addr(), bits), netip.PrefixFrom(top, bits)
}

// last is the highest address of a prefix.
func last(p netip.Prefix) netip.Addr {
	b := p.Masked().Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// comparePrefix orders longer prefixes first, then by address.
func comparePrefix(a, b netip.Prefix) int {
	if a.Bits() != b.Bits() {
		return b.Bits() - a.Bits()
	}
	return a.Addr().Compare(b.Addr())
}

func join(list []netip.Prefix) string {
	words := make([]string, len(list))
	for i, p := range list {
		words[i] = p.String()
	}
	return strings.Join(words, ", ")
}

// between is the range from first to final, as the fewest prefixes.
func between(first, final netip.Addr) []netip.Prefix {
	var out []netip.Prefix
	for a := first; a.IsValid() && a.Compare(final) <= 0; {
		p := single(a)
		for p.Bits() > 0 {
			q := netip.PrefixFrom(a, p.Bits()-1)
			if q.Masked().Addr() != a || last(q).Compare(final) > 0 {
				break
			}
			p = q
		}
		out = append(out, p)
		a = last(p).Next()
	}
	return out
}
