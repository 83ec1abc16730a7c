package template_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/cloister-ml/cloister/source/template"
)

// FuzzRead holds that no template, however made, ends in anything but an estate
// or diagnostics.
func FuzzRead(f *testing.F) {
	f.Add([]byte(inOrder))
	f.Add([]byte(nestedDeep(3)))
	f.Add([]byte(manyTimes(8)))
	paths, _ := filepath.Glob("testdata/*.json")
	for _, p := range paths {
		text, err := os.ReadFile(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		e, diags := template.Read("fuzz.json", text, template.Options{Name: "fuzz"})
		if (e == nil) != diags.HasErrors() {
			t.Fatalf("estate %v with the diagnostics %v", e, diags)
		}
		if e != nil {
			if _, err := e.MarshalJSON(); err != nil {
				t.Fatal(err)
			}
		}
	})
}
