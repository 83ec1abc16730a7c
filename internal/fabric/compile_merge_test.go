package fabric

import (
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/cloister-ml/cloister/network"
)

func TestOneTableWhereSubnetsAgree(t *testing.T) {
	none := []network.Route{{Prefix: prefix("10.9.0.0/16"), NextHop: network.HopNone}}
	for _, c := range []struct {
		name   string
		change func(*handmade)
		rules  int
	}{
		{"a network without route tables", func(*handmade) {}, 0},
		{"a route of all subnets that leads nowhere", func(h *handmade) { h.routes[h.subnets[0].ID] = none }, 0},
		{"a route that keeps packets from a peer", func(h *handmade) {
			h.routes[h.subnets[0].ID] = []network.Route{{Prefix: prefix("10.2.0.0/16"), NextHop: network.HopNone}}
		}, 2}, // the private endpoint still answers there
		{"subnets of which one has a route table", func(h *handmade) {
			second := network.Subnet{ID: h.vnets[0].ID.Child("subnets", "second"), Name: "second", VNet: h.vnets[0].ID, Prefixes: []netip.Prefix{prefix("10.1.1.0/24")}}
			h.subnets = append(h.subnets, second)
			h.routes[second.ID] = none
			h.nics[1].Subnet, h.nics[1].Addrs = second.ID, []netip.Addr{addr("10.1.1.5")}
		}, 3},
		{"a route to a machine that forwards", func(h *handmade) {
			h.nics[1].IPForwarding = true
			h.routes[h.subnets[0].ID] = []network.Route{{Prefix: prefix("10.8.0.0/16"), NextHop: network.HopAppliance, Address: addr("10.1.0.5")}}
		}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := twoNetworks()
			c.change(h)
			hub := spaceOf(t, h.plan(), RoleRouter, "hub")
			if len(hub.Rules) != c.rules {
				t.Errorf("rules: %v, want %d", hub.Rules, c.rules)
			}
			apart := slices.ContainsFunc(hub.Routes, func(r Route) bool { return r.Table != mainTable })
			if apart != (c.rules > 0) {
				t.Errorf("routes: %v", hub.Routes)
			}
		})
	}
}

// One table leads every packet where the several led it.
func TestOneTableIsTheSame(t *testing.T) {
	v := &vnetPlan{}
	const own, endpoints = 70000, 90000
	prefixes := rapid.Custom(func(t *rapid.T) netip.Prefix {
		a := netip.AddrFrom4([4]byte{10, byte(rapid.IntRange(0, 2).Draw(t, "b")), byte(rapid.IntRange(0, 1).Draw(t, "c")), byte(rapid.IntRange(0, 3).Draw(t, "d"))})
		return netip.PrefixFrom(a, rapid.SampledFrom([]int{0, 8, 16, 24, 31, 32}).Draw(t, "bits")).Masked()
	})
	routes := rapid.Custom(func(t *rapid.T) Route {
		r := Route{Dst: prefixes.Draw(t, "dst"), Table: rapid.SampledFrom([]int{mainTable, own, own + 1, endpoints}).Draw(t, "table"),
			Type: rapid.SampledFrom([]RouteType{Unicast, Unreachable, Throw}).Draw(t, "type")}
		if r.Type == Throw && r.Table == mainTable {
			r.Type = Unreachable
		}
		if r.Type == Unicast {
			r.Via = addr("169.254.1.1")
			r.Dev = rapid.SampledFrom([]string{internetLink, peeringPrefix + "1", peeringPrefix + "2"}).Draw(t, "dev")
		}
		return r
	})
	merged := 0
	rapid.Check(t, func(t *rapid.T) {
		before := rapid.SliceOfN(routes, 1, 6).Draw(t, "routes")
		rules := []Rule{{Table: own}, {Table: endpoints}}
		if rapid.Bool().Draw(t, "two subnets") {
			rules = append(rules, Rule{Table: own + 1})
		}
		after, left := v.merge(before, rules, endpoints)
		if len(left) > 0 {
			return
		}
		merged++
		several, one := newLookupTables(before), newLookupTables(after)
		a := prefixes.Draw(t, "address").Addr()
		for _, r := range rules {
			want, got := several.find(r.Table, a), one.find(mainTable, a)
			if want != got && (r.Table != endpoints || want.Type != Unreachable) {
				t.Fatalf("%s by table %d: %v, want %v", a, r.Table, got, want)
			}
		}
	})
	if merged == 0 {
		t.Error("nothing was ever merged")
	}
}
