package network_test

import (
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"github.com/cloister-ml/cloister/network"
	nt "github.com/cloister-ml/cloister/network/networktest"
	"github.com/cloister-ml/cloister/network/space"
)

// What an address reaches of some destinations is what it reaches at all, as far as
// it is there; and addresses of one kind reach the same.
func TestTowardIsPartOfFrom(t *testing.T) {
	soak(t, func(t *rapid.T) {
		top := network.FromEstate(nt.Random(t, nt.Complete))
		s, alike := top.Spaces(""), top.Alike()
		outside := rapid.Bool().Draw(t, "outside networks")
		prefixes := []netip.Prefix{netip.MustParsePrefix("8.0.0.0/7"), netip.MustParsePrefix("64.0.0.0/2"), netip.MustParsePrefix("168.63.129.16/32")}
		if !outside {
			prefixes = append(prefixes, netip.MustParsePrefix("10.1.0.0/24"), netip.MustParsePrefix("192.168.0.0/16"))
		}
		to := space.Union(space.Prefixes(prefixes))
		asked := s.Algebra().Where(space.Destination, to...)
		kinds := map[int]network.Verdicts{}
		for _, n := range top.NICs {
			for _, a := range n.Addrs {
				got, all := s.Toward(a, to), s.From(a)
				if !got.Passes.Equal(all.Passes.And(asked)) || !got.Refused.Equal(all.Refused.And(asked)) || !got.Unknown.Equal(all.Unknown.And(asked)) {
					t.Fatalf("from %s %s: %v, of %v", n.Name, a, got, all)
				}
				kind, ok := alike.Kind(n.ID, a)
				if !ok {
					t.Fatalf("%s %s is of no kind", n.Name, a)
				}
				if same, ok := kinds[kind]; ok && outside && !same.Passes.Equal(got.Passes) {
					t.Fatalf("%s %s is of a kind with another and reaches %v, not %v", n.Name, a, got.Passes, same.Passes)
				}
				kinds[kind] = got
			}
		}
	})
}
