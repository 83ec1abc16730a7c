package network_test

import (
	"fmt"
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"github.com/cloister-ml/cloister/network"
	nt "github.com/cloister-ml/cloister/network/networktest"
	"github.com/cloister-ml/cloister/network/space"
	"github.com/cloister-ml/cloister/verdict"
)

func packet(f network.Flow) space.Packet {
	return space.Packet{Source: f.Source, Destination: f.Destination, SourcePort: f.SourcePort, Port: f.Port,
		Protocol: map[network.Protocol]uint8{network.TCP: 6, network.UDP: 17, network.ICMP: 1}[f.Protocol]}
}

// in is the verdict of the sets that hold a packet, which must be one of them.
func in(v network.Verdicts, p space.Packet) (verdict.Value, error) {
	var found []verdict.Value
	for _, s := range []struct {
		set   space.Set
		value verdict.Value
	}{{v.Passes, verdict.Yes}, {v.Refused, verdict.No}, {v.Unknown, verdict.Unknown}} {
		if s.set.Has(p) {
			found = append(found, s.value)
		}
	}
	if len(found) != 1 {
		return verdict.Unknown, fmt.Errorf("%+v is in %d of the three sets", p, len(found))
	}
	return found[0], nil
}

// The sets hold every packet just as the engine and the oracle answer for it.
func TestSpacesAgreeWithOracle(t *testing.T) {
	soak(t, func(t *rapid.T) {
		e := nt.Random(t, nt.Complete)
		top := network.FromEstate(e)
		o := oracle{e: e, top: top}
		host := rapid.SampledFrom([]string{"", "st.example"}).Draw(t, "host of all")
		spaces := top.Spaces(host)
		from := map[netip.Addr]network.Verdicts{}
		for range 20 {
			f := nt.CompleteFlow(t, top)
			f.Host = host
			if f.SourcePort == 0 {
				f.SourcePort = 50000
			}
			want := o.reach(f)
			v, ok := from[f.Source]
			if !ok {
				v = spaces.From(f.Source)
				from[f.Source] = v
			}
			got, err := in(v, packet(f))
			if err != nil {
				t.Fatal(err)
			}
			between, err := in(spaces.Between(f.Source, f.Destination), packet(f))
			if err != nil {
				t.Fatal(err)
			}
			if point := top.Reach(f).Value; got != want || between != want || point != want {
				t.Fatalf("%+v: from it %v, between %v, the engine %v, the oracle %v\n%s\n%s", f, got, between, point, want, story(top.Reach(f)), dump(e))
			}
		}
	})
}
