package terraform_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/cloister-ml/cloister/source/terraform"
)

// Each archive holds Terraform and, in its last file, the documents and the
// warnings that it comes to.
func TestMapping(t *testing.T) {
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, path := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			for _, f := range a.Files {
				write(t, dir, f.Name, string(f.Data))
			}
			got := documents(t, dir)
			last := &a.Files[len(a.Files)-1]
			if *update {
				last.Data = []byte(got)
				if err := os.WriteFile(path, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != string(last.Data) {
				t.Errorf("%s\ngot:\n%s", firstDifference([]byte(got), last.Data), got)
			}
		})
	}
}

// documents is a line for each document's head and one for each of its parts, ids
// without what all of them begin with.
func documents(t *testing.T, dir string) string {
	t.Helper()
	e, diags := terraform.Load(dir, terraform.Options{})
	var out strings.Builder
	if e != nil {
		for _, r := range e.All() {
			out.WriteString(string(r.ID) + "\n  from " + r.Source.Address + "\n")
			for _, part := range []struct {
				name string
				v    any
			}{{"location", r.Location}, {"kind", r.Kind}, {"tags", r.Tags}, {"sku", r.SKU}, {"zones", r.Zones}, {"identity", r.Identity}, {"properties", r.Properties}} {
				raw, err := json.Marshal(part.v)
				if err != nil {
					t.Fatal(err)
				}
				if s := string(raw); s != `""` && s != "null" {
					out.WriteString("  " + part.name + " " + s + "\n")
				}
			}
		}
	}
	for _, d := range diags.All() {
		out.WriteString(string(d.Severity) + " " + d.String() + "\n")
	}
	return strings.NewReplacer("/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/", "~", dir+"/", "").Replace(out.String())
}
