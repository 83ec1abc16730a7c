package network_test

import (
	"encoding/json"
	"testing"

	"pgregory.net/rapid"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	nt "github.com/cloister-ml/cloister/network/networktest"
)

func mustJSON(r arm.Resource) []byte {
	b, err := json.Marshal(r)
	if err != nil {
		panic(err)
	}
	return b
}

// The engine and the oracle agree about every flow of every estate.
func TestReachAgreesWithOracle(t *testing.T) {
	soak(t, func(t *rapid.T) {
		e := nt.Random(t, nt.Everything)
		top := network.FromEstate(e)
		o := oracle{e: e, top: top}
		for range 20 {
			o.check(t, nt.Flow(t, top))
		}
	})
}

// They agree about firewalls, load balancers, gateways and security admin rules.
func TestForwardingAgreesWithOracle(t *testing.T) {
	soak(t, func(t *rapid.T) {
		e := nt.Random(t, nt.Complete)
		top := network.FromEstate(e)
		o := oracle{e: e, top: top}
		for range 40 {
			o.check(t, nt.CompleteFlow(t, top))
		}
	})
}

// They agree about networks of both versions of IP.
func TestDualStackAgreesWithOracle(t *testing.T) {
	soak(t, func(t *rapid.T) {
		shape := nt.Complete
		shape.Dual, shape.Fronted6, shape.Lent6 = true, true, true
		e := nt.Random(t, shape)
		top := network.FromEstate(e)
		o := oracle{e: e, top: top}
		spaces := top.Spaces("")
		for range 30 {
			f := nt.Flow(t, top)
			f.SourcePort = 50000
			o.check(t, f)
			got, err := in(spaces.Between(f.Source, f.Destination), packet(f))
			if want := o.reach(f); err != nil || got != want {
				t.Fatalf("%+v: the sets say %v (%v), the oracle %v\n%s", f, got, err, want, dump(e))
			}
		}
	})
}

// They agree where virtual appliances are taken to forward what reaches them, and
// where they are taken to forward nothing.
func TestForwardingAppliancesAgreeWithOracle(t *testing.T) {
	soak(t, func(t *rapid.T) {
		e := nt.Random(t, nt.Complete)
		o := oracle{e: e, forwards: rapid.SampledFrom([]network.Assumption{network.IsSo, network.NotSo}).Draw(t, "appliances forward")}
		o.top = network.Settings{AppliancesForward: o.forwards}.FromEstate(e)
		spaces := o.top.Spaces("st.example")
		for range 30 {
			f := nt.CompleteFlow(t, o.top)
			o.check(t, f)
			if f.Host, f.SourcePort = "st.example", 50000; f.Source.IsValid() {
				got, err := in(spaces.Between(f.Source, f.Destination), packet(f))
				if want := o.reach(f); err != nil || got != want {
					t.Fatalf("%+v: the sets say %v (%v), the oracle %v\n%s", f, got, err, want, dump(e))
				}
			}
		}
	})
}

// They agree about the platform too, where every rule is about it.
func TestPlatformAgreesWithOracle(t *testing.T) {
	soak(t, func(t *rapid.T) {
		shape := nt.Everything
		shape.Platform = true
		e := nt.Random(t, shape)
		o := oracle{e: e, top: network.FromEstate(e)}
		for _, f := range nt.PlatformFlows(o.top) {
			o.check(t, f)
		}
	})
}

// check holds the topology's answer about a flow against the oracle's own.
func (o oracle) check(t *rapid.T, f network.Flow) {
	if got, want := o.top.Reach(f), o.reach(f); got.Value != want {
		t.Fatalf("%+v, %s from %s to %s: got %v, the oracle says %v\n%s\n%s", f, f.Protocol, f.Source, f.Destination, got.Value, want, story(got), dump(o.e))
	}
}

func story(v network.Answer) string {
	b, _ := json.MarshalIndent(v, "", " ")
	return string(b)
}

func dump(e *arm.Estate) string {
	b, _ := json.Marshal(e)
	return string(b)
}
