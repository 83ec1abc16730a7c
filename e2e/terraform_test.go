//go:build e2e

package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/source"
)

// TestTerraform applies the example with the real Terraform and the real providers
// to a cloud that runs. `make e2e-terraform` builds them and says where they are.
func TestTerraform(t *testing.T) {
	program := os.Getenv("TERRAFORM")
	if program == "" {
		t.Skip("TERRAFORM names no program: run `make e2e-terraform`")
	}
	c := newCloud(t, "t")
	t.Log(c.must(t, "up", "--empty", example))
	tf := newTerraform(t, program, c)

	tf.must("init", "-input=false")
	start := time.Now()
	tf.must("apply", "-auto-approve", "-input=false")
	t.Logf("apply took %.0f s", time.Since(start).Seconds())
	tf.wantNoChanges("after the first apply")
	sameEstate(t, tf, c.estate(t))

	for _, change := range singleChanges {
		t.Run(change.what, func(t *testing.T) { tf.change(t, change) })
	}

	t.Log("the estate that Terraform has made runs as the one that up makes")
	if out, status := c.cloister(t, "probe", "--against-proof"); status != 0 {
		t.Errorf("probe ends with %d: %s", status, out)
	}
	tf.must("destroy", "-auto-approve", "-input=false")
	for _, r := range c.estate(t).All() {
		t.Errorf("destroy leaves %s", r.ID)
	}
}

// terraform is the program, with a copy of the example and the environment that
// `cloister env` prints.
type terraform struct {
	t       *testing.T
	program string
	dir     string
	env     []string
}

func newTerraform(t *testing.T, program string, c cloud) *terraform {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "terraform")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(example, "terraform"))); err != nil {
		t.Fatal(err)
	}
	vars := map[string]string{}
	if err := json.Unmarshal([]byte(c.must(t, "env", "--json")), &vars); err != nil {
		t.Fatal(err)
	}
	env := os.Environ()
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		env = append(env, name+"="+vars[name])
	}
	return &terraform{t: t, program: program, dir: dir, env: env}
}

// run runs the program and returns what it said and its exit status.
func (tf *terraform) run(args ...string) (string, int) {
	cmd := exec.CommandContext(tf.t.Context(), tf.program, append(args, "-no-color")...)
	cmd.Dir, cmd.Env = tf.dir, tf.env
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		tf.t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

func (tf *terraform) must(args ...string) string {
	tf.t.Helper()
	out, status := tf.run(args...)
	if status != 0 {
		tf.t.Fatalf("terraform %s ends with %d:\n%s", strings.Join(args, " "), status, tail(out, 6000))
	}
	return out
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

func (tf *terraform) wantNoChanges(when string) {
	tf.t.Helper()
	if out, status := tf.run("plan", "-input=false", "-detailed-exitcode"); status != 0 {
		tf.t.Fatalf("the plan %s is not empty (%d):\n%s", when, status, tail(out, 6000))
	}
}

// singleChange is one attribute that is changed in a file of the example.
type singleChange struct {
	what     string
	file     string
	from, to string
	actions  string // of the plan, for the resource that is changed
	address  string
}

// What Azure changes in place, and what it must make anew.
var singleChanges = []singleChange{
	{
		"a NAT gateway's idle time", "modules/egress/nat.tf", `sku_name            = "Standard"`, "sku_name = \"Standard\"\n  idle_timeout_in_minutes = 10",
		"update", `module.egress.azurerm_nat_gateway.this["aml"]`,
	},
	{
		"a public address's name", "modules/egress/nat.tf", `"pip-nat-${each.key}"`, `"pip-out-${each.key}"`,
		"delete create", `module.egress.azurerm_public_ip.nat["aml"]`,
	},
}

// change changes one attribute, plans, applies, and plans again.
func (tf *terraform) change(t *testing.T, s singleChange) {
	path := filepath.Join(tf.dir, s.file)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), s.from) {
		t.Fatalf("%s does not say %q", s.file, s.from)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), s.from, s.to, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	plan := filepath.Join(t.TempDir(), "plan")
	tf.must("plan", "-input=false", "-out="+plan)
	if got := tf.planned(t, plan, s.address); got != s.actions {
		t.Errorf("%s is planned as %q, want %q", s.address, got, s.actions)
	}
	tf.must("apply", "-input=false", plan)
	tf.wantNoChanges("after " + s.what + " was changed")
}

// planned are the actions of a plan for one address.
func (tf *terraform) planned(t *testing.T, plan, address string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), tf.program, "show", "-json", plan)
	cmd.Dir, cmd.Env = tf.dir, tf.env
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var shown struct {
		Changes []struct {
			Address string `json:"address"`
			Change  struct {
				Actions []string `json:"actions"`
			} `json:"change"`
		} `json:"resource_changes"`
	}
	if err := json.Unmarshal(out, &shown); err != nil {
		t.Fatal(err)
	}
	for _, c := range shown.Changes {
		if c.Address == address {
			return strings.Join(c.Change.Actions, " ")
		}
	}
	return "nothing"
}

// sameEstate holds what the store has against what the reader says of the same
// files: every property that is read is there, with the same value.
func sameEstate(t *testing.T, tf *terraform, stored *arm.Estate) {
	t.Helper()
	read, diags := source.Load(tf.dir, source.Options{Environ: tf.env, Secrets: true})
	if diags.HasErrors() {
		t.Fatal("the example cannot be read")
	}
	byKey := map[string]arm.Resource{}
	for _, r := range stored.All() {
		byKey[keyOf(r)] = r
	}
	for _, want := range read.All() {
		got, ok := byKey[keyOf(want)]
		if !ok {
			t.Errorf("the store has no %s (%s)", want.ID, want.Source.Address)
			continue
		}
		delete(byKey, keyOf(want))
		for _, d := range differences(string(want.ID), want.Properties, got.Properties) {
			t.Error(d)
		}
	}
	for _, r := range byKey {
		t.Errorf("the store has %s, which is not read", r.ID)
	}
}

// keyOf is a document's id; an assignment of a role has a name by chance, and is
// known by who is given what where.
func keyOf(r arm.Resource) string {
	if !r.IsType("Microsoft.Authorization/roleAssignments") {
		return r.ID.Key()
	}
	role := arm.Ref(r.Properties, "roleDefinitionId")
	return strings.ToLower(fmt.Sprint(r.ID.Parent(), arm.String(r.Properties, "principalId"), role.Name()))
}

// differences are the places where got lacks or contradicts what is wanted.
func differences(at string, want, got any) []string {
	switch want := want.(type) {
	case arm.Unknown, nil:
		return nil
	case arm.Object:
		return objectDifferences(at, want, got)
	case []any:
		return listDifferences(at, want, got)
	case string:
		if s, ok := got.(string); ok && strings.EqualFold(s, want) {
			return nil
		}
	case float64:
		if n, ok := got.(float64); ok && n == want {
			return nil
		}
	case bool:
		if b, ok := got.(bool); ok && b == want {
			return nil
		}
	}
	return []string{fmt.Sprintf("%s is read as %v, and stored as %v", at, want, got)}
}

func objectDifferences(at string, want arm.Object, got any) []string {
	object, ok := got.(arm.Object)
	if !ok && len(want) > 0 {
		return []string{fmt.Sprintf("%s is read as an object, and stored as %v", at, got)}
	}
	var out []string
	for _, k := range slices.Sorted(maps.Keys(want)) {
		out = append(out, differences(at+"."+k, want[k], object[k])...)
	}
	return out
}

// listDifferences compares lists whose order says nothing: elements with names by
// their names, others as they come.
func listDifferences(at string, want []any, got any) []string {
	list, _ := got.([]any)
	if len(list) != len(want) {
		return []string{fmt.Sprintf("%s is read with %d elements, and stored with %d", at, len(want), len(list))}
	}
	order := func(list []any) []any {
		list = slices.Clone(list)
		slices.SortStableFunc(list, func(a, b any) int { return strings.Compare(nameIn(a), nameIn(b)) })
		return list
	}
	want, list = order(want), order(list)
	var out []string
	for i := range want {
		out = append(out, differences(fmt.Sprintf("%s[%d]", at, i), want[i], list[i])...)
	}
	return out
}

func nameIn(v any) string {
	switch v := v.(type) {
	case arm.Object:
		return strings.ToLower(arm.String(v, "name"))
	case string:
		return strings.ToLower(v)
	}
	return ""
}
