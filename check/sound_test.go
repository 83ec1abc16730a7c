package check

import (
	"maps"
	"slices"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"pgregory.net/rapid"
)

// places are the paths to every value of a document, inner ones included.
func places(v any, path []any) [][]any {
	var out [][]any
	if len(path) > 0 {
		out = append(out, path)
	}
	switch v := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			out = append(out, places(v[k], append(slices.Clone(path), k))...)
		}
	case []any:
		for i, e := range v {
			out = append(out, places(e, append(slices.Clone(path), i))...)
		}
	}
	return out
}

// put replaces the value at a path.
func put(v any, path []any, with any) any {
	if len(path) == 0 {
		return with
	}
	switch v := v.(type) {
	case map[string]any:
		k := path[0].(string)
		v[k] = put(v[k], path[1:], with)
	case []any:
		i := path[0].(int)
		v[i] = put(v[i], path[1:], with)
	}
	return v
}

// change puts a value somewhere into the estate.
func (d *draft) change(t *rapid.T, with any) {
	i := rapid.IntRange(0, len(d.docs)-1).Draw(t, "document")
	if all := places(d.docs[i].Properties, nil); len(all) > 0 {
		path := all[rapid.IntRange(0, len(all)-1).Draw(t, "value")]
		d.docs[i].Properties, _ = put(d.docs[i].Properties, path, with).(map[string]any)
	}
}

func outcomes(e *arm.Estate) map[string]Requirement {
	out := map[string]Requirement{}
	for _, q := range Prove(e, Options{}).Requirements {
		out[q.ID] = q
	}
	return out
}

// What is said of an estate with a value that is not known is true of the estate
// whatever the value turns out to be: so it is true of the value it had. Each
// value of the secured estate, and of a broken one, is made unknown in turn.
func TestUnknownIsNeverGuessed(t *testing.T) {
	broken := func() *draft {
		d := secured()
		d.remove("privatelink.azurecr.io/virtualNetworkLinks/link-vnet-bastion")
		d.get(storageID).Properties["publicNetworkAccess"] = "Enabled"
		d.remove("vm-agent-1.7f951dda.crmlops")
		delete(d.get(subnetID("vnet-aml", "training")).Properties, "networkSecurityGroup")
		return d
	}
	for name, make := range map[string]func() *draft{"secured": secured, "broken": broken} {
		known := outcomes(make().estate(t))
		for i, doc := range make().docs {
			for _, path := range places(doc.Properties, nil) {
				d := make()
				d.docs[i].Properties, _ = put(d.docs[i].Properties, path, arm.Unknown{Expression: "var.x"}).(map[string]any)
				for id, q := range outcomes(d.estate(t)) {
					was, ok := known[id]
					if ok && q.Outcome != Unknown && q.Outcome != was.Outcome {
						t.Errorf("%s: with %v of %s unknown, %s is said to be %s: %s", name, path, doc.ID.Name(), id, q.Outcome, q.Reason)
					}
				}
			}
		}
	}
}

// Documents of any shape are answered.
func TestAnyEstateIsAnswered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := secured()
		for range rapid.IntRange(0, 6).Draw(t, "removed") {
			i := rapid.IntRange(0, len(d.docs)-1).Draw(t, "document")
			d.docs = slices.Delete(d.docs, i, i+1)
		}
		for range rapid.IntRange(0, 6).Draw(t, "changed") {
			d.change(t, rapid.SampledFrom([]any{nil, "", "*", "10.0.0.0/8", "300.1.1.1", 4.0, -1.0, true, []any{}, arm.Object{}, arm.Unknown{Expression: "x"}}).Draw(t, "with"))
		}
		e, err := arm.NewEstate(d.docs...)
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range Prove(e, Options{}).Requirements {
			if q.Reason == "" || q.Title == "" || q.Severity == "" || len(q.Stages) == 0 {
				t.Errorf("%s is not explained: %+v", q.ID, q)
			}
			if q.Outcome == Holds && q.Remedy != "" {
				t.Errorf("%s holds and has a remedy", q.ID)
			}
		}
		for _, c := range Matrix(e) {
			if c.Outcome() == "" || c.Decisive().Reason == "" {
				t.Errorf("%s to %s is not explained", c.From.Name, c.To.Host)
			}
		}
	})
}
