package fabric

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/cloister-ml/cloister/network"
)

// randomGate is an interface with up to two groups of random rules.
func randomGate(t *rapid.T) gate {
	g := gate{guest: guest{link: "n-1"}, direction: network.Inbound}
	for range rapid.IntRange(0, 2).Draw(t, "groups") {
		one := &group{rules: map[uint32]groupRule{}}
		for i := range rapid.IntRange(0, 4).Draw(t, "rules") {
			r := randomTerms(t)
			one.rules[uint32(i+1)] = groupRule{allow: r.allow}
			one.boxes = append(one.boxes, r.boxes(uint32(i+1))...)
		}
		one.sum = one.digest()
		g.groups = append(g.groups, one)
	}
	return g
}

// Where no gate is said to close, every packet that passed before passes still.
func TestClosingMissesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before, after := randomGate(t), randomGate(t)
		if len(closing([]gate{before}, []gate{after})) > 0 {
			return
		}
		for range 60 {
			p := randomPacket(t)
			all := func(g gate) bool {
				for _, one := range g.groups {
					if !one.allows(p) {
						return false
					}
				}
				return true
			}
			if all(before) && !all(after) {
				t.Fatalf("%v passed before and does not now", p)
			}
		}
	})
}

func TestClosing(t *testing.T) {
	one := func(allow bool, ports ...network.PortRange) gate {
		g := &group{rules: map[uint32]groupRule{1: {allow: allow}}}
		g.boxes = terms{allow: allow, sure: true, protocol: "Tcp", to: ports, sources: everywhere(), destinations: everywhere()}.boxes(1)
		g.sum = g.digest()
		return gate{guest: guest{link: "n-1"}, direction: network.Inbound, groups: []*group{g}}
	}
	none := gate{guest: guest{link: "n-1"}, direction: network.Inbound}
	shut := none
	shut.closed = true
	for _, c := range []struct {
		name          string
		before, after []gate
		want          int
	}{
		{"the same", []gate{one(true, port(22))}, []gate{one(true, port(22))}, 0},
		{"another port", []gate{one(true, port(22))}, []gate{one(true, port(23))}, 1},
		{"one more port", []gate{one(true, port(22))}, []gate{one(true, port(22), port(80))}, 0},
		{"a group where there was none", []gate{none}, []gate{one(true, port(22))}, 1},
		{"no group any more", []gate{one(true, port(22))}, []gate{none}, 0},
		{"nothing is known of before", nil, []gate{one(true, port(22))}, 1},
		{"no longer approved", []gate{none}, []gate{shut}, 1},
	} {
		if got := closing(c.before, c.after); len(got) != c.want {
			t.Errorf("%s: %d gates close", c.name, len(got))
		}
	}
}
