package check

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network/networktest"
)

// Calls are compared once for all places that are alike, and read from the classes of
// a matrix: they are what asking each place about each service says, in both estates.
func TestDiffOfCallsAsksEachPair(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before, after := secured(), secured()
		if rapid.Bool().Draw(t, "behind a gateway") {
			before, after = behindGateway(), behindGateway()
		}
		for range rapid.IntRange(1, 4).Draw(t, "changed") {
			after.change(t, rapid.SampledFrom([]any{"", "*", "10.0.0.0/8", "10.1.1.0/24", "Deny", "Allow", "Enabled", "Disabled", true, false, arm.Object{}, arm.Unknown{Expression: "x"}}).Draw(t, "with"))
		}
		was, err := arm.NewEstate(before.docs...)
		if err != nil {
			t.Fatal(err)
		}
		now, err := arm.NewEstate(after.docs...)
		if err != nil {
			t.Fatal(err)
		}
		holdCalls(t, was, now)
	})
}

// So they are where the networks are any: with firewalls and appliances on the way,
// gateways, and rules for some of the ports that clients call from.
func TestDiffOfCallsInAnyNetworks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		was, now := networktest.Random(t, networktest.Complete), networktest.Random(t, networktest.Complete)
		holdCalls(t, was, now)
	})
}

func holdCalls(t *rapid.T, was, now *arm.Estate) {
	got := map[string]CallChange{}
	for _, c := range Diff(was, now, Options{}, Options{}).Calls {
		got[c.From+" > "+c.To] = c
	}
	want := pairwise(was, now)
	for key, c := range want {
		if g, ok := got[key]; !ok || g.Before != c.Before || g.After != c.After {
			t.Errorf("%s: %s, then %s; the difference says %+v", key, c.Before, c.After, got[key])
		}
	}
	for key, g := range got {
		if _, ok := want[key]; !ok {
			t.Errorf("%s does not change, and the difference says %+v", key, g)
		}
	}
}

// pairwise follows every place to every service, before and after.
func pairwise(before, after *arm.Estate) map[string]CallChange {
	outcome := map[string]Meeting{}
	key := func(c Cell) string { return fmt.Sprintf("%s|%s|%s", c.From.NIC.Key(), c.From.Name, c.To.Host) }
	for _, c := range Matrix(before) {
		outcome[key(c)] = c.Outcome()
	}
	out := map[string]CallChange{}
	for _, c := range Matrix(after) {
		if was, ok := outcome[key(c)]; ok && was != c.Outcome() {
			out[c.From.Name+" > "+endpointSlug(c.To)] = CallChange{Before: was, After: c.Outcome()}
		}
	}
	return out
}
