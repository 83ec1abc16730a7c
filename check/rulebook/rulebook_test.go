package rulebook

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/check"
	"github.com/cloister-ml/cloister/internal/remark"
	"github.com/cloister-ml/cloister/source"
)

// prove writes Terraform to a folder, reads it and proves it.
func prove(t *testing.T, parts ...Part) *check.Report {
	t.Helper()
	dir := t.TempDir()
	for _, p := range parts {
		name := filepath.Join(dir, filepath.FromSlash(p.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(p.Content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	e, diags := source.Load(dir, source.Options{})
	if diags.HasErrors() {
		t.Fatalf("the Terraform is not read: %v", diags)
	}
	remarks, err := remark.Read(e)
	if err != nil {
		t.Fatal(err)
	}
	return check.Prove(e, check.Options{Remarks: remarks})
}

// Each example breaks its rule and nothing else; mended it is silent.
func TestEveryRuleHasAnExampleThatBreaksItAlone(t *testing.T) {
	for _, rule := range check.Rules() {
		examples, err := Of(rule.ID)
		if err != nil {
			t.Fatal(err)
		}
		if len(examples) == 0 && rule.ID != check.OwnRule { // the user's, so there is none
			t.Errorf("%s has no example", rule.ID)
		}
		for _, e := range examples {
			t.Run(e.Name, func(t *testing.T) {
				t.Parallel()
				broken := prove(t, append(slices.Clone(e.Base), Part{"broken.tf", e.Broken})...)
				found(t, e, broken)
				fixed := prove(t, append(slices.Clone(e.Base), Part{"fixed.tf", e.Fixed})...)
				for _, q := range fixed.With(check.Violated) {
					t.Errorf("mended, %s falls: %s", q.ID, q.Reason)
				}
			})
		}
	}
}

func found(t *testing.T, e Example, r *check.Report) {
	t.Helper()
	findings := r.Findings()
	if len(findings) == 0 {
		t.Fatal("nothing is found")
	}
	for _, q := range findings {
		if !slices.ContainsFunc(e.Want.Findings, func(p string) bool { return matches(p, q.ID) }) {
			t.Errorf("%s is found too: %s", q.ID, q.Reason)
		}
	}
	for _, p := range e.Want.Findings {
		if !slices.ContainsFunc(findings, func(q check.Requirement) bool { return matches(p, q.ID) }) {
			t.Errorf("%s is not found", p)
		}
	}
	first := findings[0]
	for _, p := range e.Want.Follows {
		if !slices.ContainsFunc(r.With(check.Violated), func(q check.Requirement) bool { return matches(p, q.ID) && q.Because == first.ID }) {
			t.Errorf("%s does not follow from %s", p, first.ID)
		}
	}
	if first.Rule != e.Rule && len(e.Want.Follows) == 0 {
		t.Errorf("%s is found by the rule %s", e.Rule, first.Rule)
	}
	for _, words := range e.Want.Reason {
		if !strings.Contains(first.Reason, words) {
			t.Errorf("the reason %q lacks %q", first.Reason, words)
		}
	}
	if !strings.Contains(first.Remedy, e.Want.Remedy) {
		t.Errorf("the remedy %q lacks %q", first.Remedy, e.Want.Remedy)
	}
	if first.Source.File == "" || first.Source.Line == 0 {
		t.Errorf("%s says no file and line", first.ID)
	}
	for _, q := range r.With(check.Unknown) {
		if q.Because == "" {
			t.Errorf("%s is unknown: %s", q.ID, q.Reason)
		}
	}
}

func matches(pattern, id string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(id, prefix)
	}
	return pattern == id
}

func TestEveryExampleIsOfARule(t *testing.T) {
	for _, id := range Rules() {
		if _, ok := check.RuleByID(id); !ok {
			t.Errorf("there is an example of %s, which is no rule", id)
		}
	}
}

// What looks like a fault to who looks at single documents, and is none. What cannot
// be known is in the part unknown of a case: that, and no more.
func TestSilent(t *testing.T) {
	names, err := filepath.Glob("silent/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("there are no silent cases: %v", err)
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			files := sections(string(text))
			var parts []Part
			for name, content := range files {
				if strings.HasSuffix(name, ".tf") {
					parts = append(parts, Part{name, content})
				}
			}
			for _, part := range strings.Fields(files["use"]) {
				content, err := os.ReadFile("base/" + part + ".tf")
				if err != nil {
					t.Fatal(err)
				}
				parts = append(parts, Part{part + ".tf", string(content)})
			}
			silent(t, prove(t, parts...), strings.Fields(files["unknown"]))
		})
	}
}

func silent(t *testing.T, r *check.Report, unknown []string) {
	t.Helper()
	for _, q := range r.With(check.Violated) {
		t.Errorf("%s falls: %s", q.ID, q.Reason)
	}
	if r.Count(check.Holds) == 0 {
		t.Error("nothing is required, so nothing is shown")
	}
	open := r.With(check.Unknown)
	for _, q := range open {
		if q.Because == "" && !slices.ContainsFunc(unknown, func(p string) bool { return matches(p, q.ID) }) {
			t.Errorf("%s is unknown: %s", q.ID, q.Reason)
		}
	}
	for _, p := range unknown {
		if !slices.ContainsFunc(open, func(q check.Requirement) bool { return matches(p, q.ID) }) {
			t.Errorf("%s is not unknown", p)
		}
	}
}
