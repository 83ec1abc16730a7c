package space_test

import (
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"github.com/cloister-ml/cloister/network/space"
)

var addresses = []string{"0.0.0.0", "10.0.0.1", "10.0.0.255", "10.1.0.0", "255.255.255.255", "::", "::1", "2001:db8::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}

func packet(t *rapid.T) space.Packet {
	return space.Packet{
		Source:      netip.MustParseAddr(rapid.SampledFrom(addresses).Draw(t, "source")),
		Destination: netip.MustParseAddr(rapid.SampledFrom(addresses).Draw(t, "destination")),
		Protocol:    rapid.SampledFrom([]uint8{0, 1, 6, 17, 255}).Draw(t, "protocol"),
		SourcePort:  rapid.SampledFrom([]uint16{0, 443, 65535}).Draw(t, "source port"),
		Port:        rapid.SampledFrom([]uint16{0, 22, 443, 444, 65535}).Draw(t, "port"),
	}
}

var prefixes = []string{"10.0.0.0/24", "10.0.0.0/8", "0.0.0.0/0", "::/0", "2001:db8::/32", "::/128", "10.0.0.1/32"}

// term is a random set, beside the same as a question about one packet.
type term struct {
	set space.Set
	has func(space.Packet) bool
}

func terms(t *rapid.T, a space.Algebra, depth int) term {
	if depth == 0 || rapid.IntRange(0, 3).Draw(t, "leaf") == 0 {
		if rapid.Bool().Draw(t, "address") {
			p := netip.MustParsePrefix(rapid.SampledFrom(prefixes).Draw(t, "prefix"))
			return term{a.Where(space.Destination, space.Prefixes([]netip.Prefix{p})...), func(x space.Packet) bool { return p.Contains(x.Destination) }}
		}
		first := rapid.SampledFrom([]uint16{0, 22, 443}).Draw(t, "first")
		return term{a.Where(space.Port, space.Numbers(first, first+1)), func(x space.Packet) bool { return x.Port == first || x.Port == first+1 }}
	}
	x, y := terms(t, a, depth-1), terms(t, a, depth-1)
	switch rapid.IntRange(0, 3).Draw(t, "operation") {
	case 0:
		return term{x.set.And(y.set), func(p space.Packet) bool { return x.has(p) && y.has(p) }}
	case 1:
		return term{x.set.Or(y.set), func(p space.Packet) bool { return x.has(p) || y.has(p) }}
	case 2:
		return term{x.set.Minus(y.set), func(p space.Packet) bool { return x.has(p) && !y.has(p) }}
	}
	return term{x.set.Not(), func(p space.Packet) bool { return !x.has(p) }}
}

// Sets hold what their terms say, and equal sets are one.
func TestAlgebra(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := space.NewAlgebra(&space.Store{})
		x := terms(t, a, 4)
		for range 20 {
			p := packet(t)
			if x.set.Has(p) != x.has(p) {
				t.Fatalf("%+v: %v, in %v", p, x.set.Has(p), x.set)
			}
		}
		if !x.set.Not().Not().Equal(x.set) || !x.set.Minus(x.set).IsEmpty() || !x.set.Or(x.set.Not()).Equal(a.All()) {
			t.Fatalf("%v does not keep the laws of sets", x.set)
		}
		whole := a.Empty()
		n := 0
		x.set.Boxes(func(b space.Box) bool {
			one := a.All()
			for f := range b {
				one = one.And(a.Where(space.Field(f), b[f]))
			}
			if !one.And(whole).IsEmpty() {
				t.Fatal("two boxes overlap")
			}
			whole = whole.Or(one)
			n++
			return true
		})
		if !whole.Equal(x.set) {
			t.Fatal("the boxes are not the set")
		}
		if p, ok := x.set.Sample(); ok != (n > 0) || ok && !x.set.Has(p) {
			t.Fatalf("the sample %+v, %v of %v", p, ok, x.set)
		}
	})
}
