package network_test

import (
	"maps"
	"slices"
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
		known, err := nt.Pinned(nt.Random(t, shape))
		if err != nil {
			t.Fatal(err)
		}
		top := network.FromEstate(known)
		hidden, where := hideSomething(t, known)
		dim := network.FromEstate(hidden)
		for range 20 {
			f := nt.Flow(t, top)
			got, want := dim.Reach(f), top.Reach(f)
			if got.Value != verdict.Unknown && got.Value != want.Value {
				t.Fatalf("with %s unknown, %s from %s to %s is %v, but %v with its value\n%s\n%s\n%s",
					where, f.Protocol, f.Source, f.Destination, got.Value, want.Value, story(got), story(want), dump(known))
			}
		}
	})
}

// hideSomething replaces one value of one document by an unknown.
func hideSomething(t *rapid.T, e *arm.Estate) (*arm.Estate, string) {
	docs := slices.Clone(e.All())
	i := rapid.IntRange(0, len(docs)-1).Draw(t, "document")
	docs[i].Properties = arm.Clone(docs[i].Properties)
	where := docs[i].ID.Name()
	if len(docs[i].Properties) > 0 {
		where += hideIn(t, docs[i].Properties)
	}
	out, err := arm.NewEstate(docs...)
	if err != nil {
		t.Fatal(err)
	}
	return out, where
}

func hideIn(t *rapid.T, o arm.Object) string {
	key := rapid.SampledFrom(slices.Sorted(maps.Keys(o))).Draw(t, "key")
	if rapid.IntRange(0, 3).Draw(t, "deeper") > 0 {
		switch v := o[key].(type) {
		case map[string]any:
			if len(v) > 0 {
				return "." + key + hideIn(t, v)
			}
		case []any:
			if len(v) > 0 {
				i := rapid.IntRange(0, len(v)-1).Draw(t, "element")
				if inner, ok := v[i].(map[string]any); ok && len(inner) > 0 {
					return "." + key + "[]" + hideIn(t, inner)
				}
				v[i] = arm.Unknown{Expression: "var.hidden"}
				return "." + key + "[]"
			}
		}
	}
	o[key] = arm.Unknown{Expression: "var.hidden"}
	return "." + key
}
