package fabric

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/cloister-ml/cloister/network"
	sets "github.com/cloister-ml/cloister/network/space"
)

func groupOf(list []terms) *group {
	g := &group{rules: map[uint32]groupRule{}}
	for i, r := range list {
		g.rules[uint32(i+1)] = groupRule{allow: r.allow}
		g.boxes = append(g.boxes, r.boxes(uint32(i+1))...)
	}
	g.sum = g.digest()
	return g
}

// Where a rule of many comes, goes or changes, looking only at what is around it
// finds what looking at all finds.
func TestOpensOnlyAroundAChange(t *testing.T) {
	rule := rapid.Custom(randomTerms)
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(rule, 1, 12).Draw(t, "rules")
		changed := slices.Clone(list)
		at := rapid.IntRange(0, len(list)-1).Draw(t, "at")
		switch rapid.IntRange(0, 2).Draw(t, "change") {
		case 0:
			changed[at] = rule.Draw(t, "another")
		case 1:
			changed = slices.Delete(changed, at, at+1)
		default:
			changed = slices.Insert(changed, at, rule.Draw(t, "one more"))
		}
		second := groupOf(rapid.SliceOfN(rule, 0, 4).Draw(t, "of the subnet"))
		before, after := gate{groups: []*group{groupOf(list), second}}, gate{groups: []*group{groupOf(changed), second}}
		var s sets.Store
		a := sets.NewAlgebra(&s)
		if want, got := before.passes(&s, a).Within(after.passes(&s, a)), opensOnly(before, after); got != want {
			t.Fatalf("opens only: %v, want %v", got, want)
		}
	})
}

// However many rules a group has, one that is added is known to close nothing.
func TestOpensOnlyOfManyRules(t *testing.T) {
	var list []terms
	for i := range 3 * mostExact {
		list = append(list, terms{allow: i%2 == 0, sure: true, protocol: "Tcp", to: []network.PortRange{port(uint16(1000 + i))},
			sources: everywhere()[:1], destinations: everywhere()[:1]})
	}
	more := append(slices.Clone(list), terms{allow: true, sure: true, protocol: "Tcp", to: []network.PortRange{port(22)}, sources: everywhere(), destinations: everywhere()})
	fewer := slices.Delete(slices.Clone(list), 0, 1)
	for i, c := range []struct {
		before, after []terms
		want          bool
	}{{list, more, true}, {more, list, false}, {list, fewer, false}, {list, list[:len(list)-1], true}} {
		if got := opensOnly(gate{groups: []*group{groupOf(c.before)}}, gate{groups: []*group{groupOf(c.after)}}); got != c.want {
			t.Error(fmt.Sprint("case ", i, ": "), got)
		}
	}
}
