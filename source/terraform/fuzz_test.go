package terraform_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/source/terraform"
)

// Whatever the bytes, reading ends with an estate or with errors, and an estate
// can be written and read back.
func FuzzLoad(f *testing.F) {
	seeds, _ := filepath.Glob(filepath.Join(example, "terraform", "*.tf"))
	for _, path := range seeds {
		src, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	for _, pattern := range []string{"testdata/*.txtar", "internal/lang/testdata/*.txtar"} {
		archives, _ := filepath.Glob(pattern)
		for _, path := range archives {
			a, err := txtar.ParseFile(path)
			if err != nil {
				f.Fatal(err)
			}
			for _, file := range a.Files {
				if filepath.Ext(file.Name) == ".tf" {
					f.Add(file.Data)
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		if len(src) > 1<<14 {
			return
		}
		dir := t.TempDir()
		write(t, dir, "main.tf", string(src))
		e, diags := terraform.Load(dir, terraform.Options{})
		if (e == nil) != diags.HasErrors() {
			t.Fatalf("an estate and errors, or neither: %v", diags.Error())
		}
		if e == nil {
			return
		}
		raw, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range e.All() {
			if _, err := arm.ParseID(string(r.ID)); err != nil {
				t.Fatal(err)
			}
		}
		if len(raw) == 0 {
			t.Fatal("no JSON")
		}
	})
}
