package network_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	nt "github.com/cloister-ml/cloister/network/networktest"
	"github.com/cloister-ml/cloister/verdict"
)

// Whatever is taken for unknown, an answer that is still yes or no is the answer
// that the value would have given: nothing is replaced by a default.
func TestUnknownIsNeverADefault(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// Overlapping networks are left out: Azure refuses them once it sees them.
		shape := nt.Everything
		shape.Overlap = false
		shape.Platform = rapid.IntRange(0, 4).Draw(t, "platform") == 0
		known, err := nt.Pinned(nt.Random(t, shape))
		if err != nil {
			t.Fatal(err)
		}
		top := network.FromEstate(known)
		hidden, where := change(t, known, hide)
		dim := network.FromEstate(hidden)
		for range 20 {
			f := nt.Flow(t, top)
			if shape.Platform {
				f = rapid.SampledFrom(nt.PlatformFlows(top)).Draw(t, "platform flow")
			}
			got, want := dim.Reach(f), top.Reach(f)
			if got.Value != verdict.Unknown && got.Value != want.Value {
				t.Fatalf("with %s unknown, %s from %s to %s is %v, but %v with its value\n%s\n%s\n%s",
					where, f.Protocol, f.Source, f.Destination, got.Value, want.Value, story(got), story(want), dump(known))
			}
		}
	})
}

// Nor does it replace one of what stands between networks.
func TestUnknownInTheMiddleIsNeverADefault(t *testing.T) {
	soak(t, func(t *rapid.T) {
		shape := nt.Complete
		shape.Overlap = false
		known, err := nt.Pinned(nt.Random(t, shape))
		if err != nil {
			t.Fatal(err)
		}
		top := network.FromEstate(known)
		hidden, where := change(t, known, hide)
		if strings.Contains(where, "ipAddress") {
			return // the plan gives out other public addresses then, which is not a default
		}
		dim := network.FromEstate(hidden)
		for range 30 {
			f := nt.CompleteFlow(t, top)
			got, want := dim.Reach(f), top.Reach(f)
			if got.Value != verdict.Unknown && got.Value != want.Value {
				t.Fatalf("with %s unknown, %+v is %v, but %v with its value\n%s\n%s\n%s", where, f, got.Value, want.Value, story(got), story(want), dump(known))
			}
		}
	})
}

// hide is the unknown that takes a value's place.
func hide() any { return arm.Unknown{Expression: "var.hidden"} }

// Documents of any shape are read to an answer.
func TestGarbageNeverPanics(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := nt.Random(t, nt.Complete)
		garbage := func() any {
			return rapid.SampledFrom([]any{nil, "", "x", "/", "*", "::/0", "0.0.0.0/0", "10.1.0.0/31", "fe80::1%eth0", "::ffff:10.0.0.1", -1.0, 1e300, true,
				[]any{}, []any{nil, 1.0, "x", []any{}}, arm.Object{}, arm.Object{"id": 1.0, "name": true, "properties": "x"}, string(nt.VNetID("a")), hide(),
			}).Draw(t, "garbage")
		}
		for range rapid.IntRange(1, 5).Draw(t, "changes") {
			e, _ = change(t, e, garbage)
		}
		askEverything(e)
	})
}

// change replaces one value of one document.
func change(t *rapid.T, e *arm.Estate, to func() any) (*arm.Estate, string) {
	docs := slices.Clone(e.All())
	i := rapid.IntRange(0, len(docs)-1).Draw(t, "document")
	docs[i].Properties = arm.Clone(docs[i].Properties)
	where := docs[i].ID.Name()
	if len(docs[i].Properties) > 0 {
		where += changeIn(t, docs[i].Properties, to)
	}
	out, err := arm.NewEstate(docs...)
	if err != nil {
		t.Fatal(err)
	}
	return out, where
}

func changeIn(t *rapid.T, o arm.Object, to func() any) string {
	key := rapid.SampledFrom(slices.Sorted(maps.Keys(o))).Draw(t, "key")
	if rapid.IntRange(0, 3).Draw(t, "deeper") > 0 {
		switch v := o[key].(type) {
		case map[string]any:
			if len(v) > 0 {
				return "." + key + changeIn(t, v, to)
			}
		case []any:
			if len(v) > 0 {
				i := rapid.IntRange(0, len(v)-1).Draw(t, "element")
				if inner, ok := v[i].(map[string]any); ok && len(inner) > 0 {
					return "." + key + "[]" + changeIn(t, inner, to)
				}
				v[i] = to()
				return "." + key + "[]"
			}
		}
	}
	o[key] = to()
	return "." + key
}
