package network

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

func (b *builder) problem(r arm.Resource, format string, args ...any) {
	b.problemAt(r, "", format, args...)
}

// problemAt is a problem of a part of a document.
func (b *builder) problemAt(r arm.Resource, part, format string, args ...any) {
	b.t.Problems = append(b.t.Problems, Problem{Resource: r.ID, Part: part, Source: r.Place(part), Message: fmt.Sprintf(format, args...)})
}

// problemOf is a problem of the document id.
func (b *builder) problemOf(id arm.ID, format string, args ...any) {
	r, ok := b.e.Get(id)
	if !ok {
		r.ID = id
	}
	b.problem(r, format, args...)
}

// dangling notes a reference that leads out of the estate.
func (b *builder) dangling(r arm.Resource, path string, to arm.ID) {
	b.problem(r, "%s names %s, which is not in the estate; declare it, or correct the reference", path, to)
}

// checkAddressing finds what Azure refuses of address spaces and subnets.
func (b *builder) checkAddressing() {
	for _, v := range b.t.VNets {
		b.checkSpace(v)
	}
	byVNet := map[string][]Subnet{}
	for _, s := range b.t.Subnets {
		byVNet[s.VNet.Key()] = append(byVNet[s.VNet.Key()], s)
	}
	for _, s := range b.t.Subnets {
		b.checkSubnet(s)
		for _, other := range byVNet[s.VNet.Key()] {
			if other.ID.Key() >= s.ID.Key() {
				break
			}
			if p, q, ok := Overlap(s.Prefixes, other.Prefixes); ok {
				b.problemOf(s.ID, "subnet %s (%s) overlaps subnet %s (%s); give each a prefix of its own", s.Name, p, other.Name, q)
			}
		}
	}
}

func (b *builder) checkSpace(v VNet) {
	for i, p := range v.AddressSpace {
		for _, q := range v.AddressSpace[:i] {
			if p.Overlaps(q) {
				b.problemOf(v.ID, "address space %s overlaps %s of the same network; leave one out", p, q)
			}
		}
	}
}

func (b *builder) checkSubnet(s Subnet) {
	v, ok := b.t.VNet(s.VNet)
	if !ok {
		b.problemOf(s.ID, "the virtual network %s of subnet %s is not in the estate; declare it", s.VNet, s.Name)
		return
	}
	_, spaceUnknown := v.Doubts.About(aboutSpace)
	for _, p := range s.Prefixes {
		if !within(p, v.AddressSpace) && !spaceUnknown {
			b.problemOf(s.ID, "subnet %s (%s) lies outside the address space of %s (%s); choose a prefix within it, or add one to the network", s.Name, p, v.Name, join(v.AddressSpace))
		}
		if p.Addr().Is4() && p.Bits() > 29 {
			b.problemOf(s.ID, "subnet %s (%s) is too small: Azure keeps five addresses of each subnet, so the smallest is a /29", s.Name, p)
		}
		if p.Addr().Is6() && p.Bits() != 64 {
			b.problemOf(s.ID, "subnet %s (%s) must be exactly a /64", s.Name, p)
		}
	}
}

// Overlap finds the first two prefixes that have an address in common.
func Overlap(a, b []netip.Prefix) (p, q netip.Prefix, ok bool) {
	for _, p := range a {
		for _, q := range b {
			if p.Overlaps(q) {
				return p, q, true
			}
		}
	}
	return netip.Prefix{}, netip.Prefix{}, false
}

func sortProblems(list []Problem) []Problem {
	slices.SortStableFunc(list, func(a, b Problem) int {
		if c := strings.Compare(a.Resource.Key(), b.Resource.Key()); c != 0 {
			return c
		}
		return strings.Compare(a.Message, b.Message)
	})
	return slices.CompactFunc(list, func(a, b Problem) bool {
		return a.Resource.Equal(b.Resource) && a.Message == b.Message
	})
}
