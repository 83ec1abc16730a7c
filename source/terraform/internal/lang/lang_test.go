package lang_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/cloister-ml/cloister/source/terraform/internal/lang"
	"github.com/cloister-ml/cloister/source/terraform/internal/schema"
)

var update = flag.Bool("update", false, "write what the archives should say")

// plain decides nothing.
type plain struct{}

func (plain) Decide(*lang.Resource, func(string) []*lang.Resource) map[string]cty.Value { return nil }
func (plain) Strict(string) bool                                                        { return true }

// Each archive is a directory of Terraform. What it comes to is in its last file:
// outputs, diagnostics and, where the archive says so, resources.
func TestLanguage(t *testing.T) {
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
			got := evaluate(t, a)
			last := &a.Files[len(a.Files)-1]
			if last.Name != "want" {
				t.Fatalf("the last file is %s, not want", last.Name)
			}
			if *update {
				last.Data = []byte(got)
				if err := os.WriteFile(path, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != string(last.Data) {
				t.Errorf("got:\n%s\nwant:\n%s", got, last.Data)
			}
		})
	}
}

// evaluate runs an archive. Its comment may hold lines "var NAME=VALUE", "env
// NAME=VALUE", "var-file NAME", "require" and "resources".
func evaluate(t *testing.T, a *txtar.Archive) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range a.Files {
		at := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	opts := lang.Options{Vars: map[string]string{}, Schemas: schema.New(), Decider: plain{}}
	showResources := false
	for line := range strings.Lines(string(a.Comment)) {
		verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch verb {
		case "var":
			name, value, _ := strings.Cut(rest, "=")
			opts.Vars[name] = value
		case "env":
			opts.Environ = append(opts.Environ, rest)
		case "var-file":
			opts.VarFiles = append(opts.VarFiles, filepath.Join(dir, rest))
		case "require":
			opts.RequireVars = true
		case "resources":
			showResources = true
		}
	}
	r := lang.Run(dir, opts)
	var out bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(r.Outputs)) {
		fmt.Fprintf(&out, "%s = %s\n", name, shown(t, r.Outputs[name]))
	}
	if showResources {
		for _, res := range r.Resources {
			fmt.Fprintf(&out, "resource %s\n", res.Address)
		}
		for _, u := range r.Missing {
			fmt.Fprintf(&out, "missing %s (%s) at %s:%d: %s\n", u.Address, u.Type, u.Range.Filename, u.Range.Start.Line, u.Reason)
		}
	}
	for _, d := range r.Diags {
		fmt.Fprintln(&out, diagnostic(d))
	}
	return strings.NewReplacer(dir+"/", "", dir, ".").Replace(out.String())
}

func diagnostic(d *hcl.Diagnostic) string {
	kind := "error"
	if d.Severity == hcl.DiagWarning {
		kind = "warning"
	}
	at := ""
	if d.Subject != nil {
		at = fmt.Sprintf("%s:%d,%d: ", d.Subject.Filename, d.Subject.Start.Line, d.Subject.Start.Column)
	}
	return fmt.Sprintf("%s: %s%s: %s", kind, at, d.Summary, strings.ReplaceAll(d.Detail, "\n", " "))
}

// shown is a value as JSON, or where it comes from.
func shown(t *testing.T, v cty.Value) string {
	t.Helper()
	bare, from, secret := lang.MarksDeep(v)
	suffix := ""
	if secret {
		suffix = " (sensitive)"
	}
	if !bare.IsWhollyKnown() {
		return fmt.Sprintf("unknown: %s at %s:%d%s", from.Expression, from.File, from.Line, suffix)
	}
	raw, err := ctyjson.Marshal(bare, bare.Type())
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	if err := json.Compact(&buf, raw); err != nil {
		t.Fatal(err)
	}
	return buf.String() + suffix
}
