package arm_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/cloister-ml/cloister/arm"
)

// What parses prints as itself, and leads up to a scope in finitely many steps.
func FuzzParseID(f *testing.F) {
	for _, s := range []string{"/", sub, rg, account, blobs, grant, group, "/subscriptions/x/resourceGroups/rg/providers/A/b", "/Subscriptions/İ/RESOURCEGROUPS/ſ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, err := arm.ParseID(s)
		if err != nil {
			return
		}
		again, err := arm.ParseID(string(id))
		if err != nil || again != id {
			t.Fatalf("%q parses as %q, which parses as %q, %v", s, id, again, err)
		}
		if !id.Equal(arm.ID(id.Key())) || !id.Within(id.Scope()) {
			t.Fatalf("%q: key %q, scope %q", id, id.Key(), id.Scope())
		}
		if arm.IsID(s) && id.Subscription() == "" {
			t.Fatalf("%q is in no subscription", id)
		}
		steps := 0
		for up := id; up != ""; up = up.Parent() {
			if steps++; steps > 2048 {
				t.Fatalf("%q has no end upwards", id)
			}
			if up.Level() > id.Level() {
				t.Fatalf("%q is above %q", up, id)
			}
		}
	})
}

// What is read is written so that it reads the same.
func FuzzReadEstate(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"resources":[]}`, `{"resources":[{"id":"` + account + `","properties":{"a":{"$unknown":{"expression":"x","file":"f","line":1}}}}]}`,
		`{"resources":[{"id":"` + grant + `","sku":{"$unknown":{}}}],"unread":[{"address":"a.b","type":"a","reason":"r","source":{"file":"f","line":2},"attributes":{"x":[{"$unknown":{}}]}}]}`,
		`{"resources":[{"id":"x"}]}`, `[`, `{"resources":[{"id":"` + rg + `"},{"id":"` + rg + `"}]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := arm.ReadEstate(bytes.NewReader(data))
		if err != nil {
			return
		}
		first, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		back, err := arm.ReadEstate(bytes.NewReader(first))
		if err != nil {
			t.Fatalf("%v\n%s", err, first)
		}
		if second, err := json.Marshal(back); err != nil || !bytes.Equal(first, second) {
			t.Fatalf("%v\n%s\n%s", err, first, second)
		}
	})
}
