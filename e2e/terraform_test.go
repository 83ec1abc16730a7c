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

// atOnce lets Terraform wait for many resources together. The provider waits longer
// than the cloud takes: two minutes after the deletion of each link of a private DNS
// zone, three for a policy assignment, and ten resources at a time is the default.
const atOnce = "-parallelism=100"

// TestTerraform applies the example with the real Terraform and the real providers
// to a cloud that runs. `make e2e-terraform` builds them and says where they are.
func TestTerraform(t *testing.T) {
	program := os.Getenv("TERRAFORM")
	if program == "" {
		t.Skip("TERRAFORM names no program: run `make e2e-terraform`")
	}
	c := newCloud(t, "t")
	t.Log(c.must(t, "up", "--empty", example))
	tf := newTerraform(t, program, c, filepath.Join(example, "terraform"))

	tf.must("init", "-input=false")
	start, before := time.Now(), c.effort(t)
	tf.must("apply", "-auto-approve", "-input=false", atOnce)
	t.Logf("apply took %.0f s", time.Since(start).Seconds())
	_ = c.effort(t).since(t, before, time.Since(start))
	tf.wantNoChanges("after the first apply")
	sameEstate(t, tf, c.estate(t))

	tf.planEach(plannedChanges)
	tf.refuse(refusedChanges)
	tf.change(singleChanges)

	t.Log("the estate that Terraform has made runs as the one that up makes")
	if out, status := c.cloister(t, "probe"); status != 0 {
		t.Errorf("probe ends with %d: %s", status, out)
	}
	tf.changeAttributes()
	start = time.Now()
	tf.must("destroy", "-auto-approve", "-input=false", atOnce)
	t.Logf("destroy took %.0f s", time.Since(start).Seconds())
	for _, r := range c.estate(t).All() {
		t.Errorf("destroy leaves %s", r.ID)
	}
}

// terraform is the program, with a copy of a configuration and the environment that
// `cloister env` prints.
type terraform struct {
	t       *testing.T
	program string
	dir     string
	env     []string
}

func newTerraform(t *testing.T, program string, c cloud, config string) *terraform {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "terraform")
	if err := os.CopyFS(dir, os.DirFS(config)); err != nil {
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

// planned are the actions of a plan, by address.
func (tf *terraform) planned(plan string) (map[string]string, error) {
	cmd := exec.CommandContext(tf.t.Context(), tf.program, "show", "-json", plan)
	cmd.Dir, cmd.Env = tf.dir, tf.env
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("showing a plan: %w", err)
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
		return nil, fmt.Errorf("showing a plan: %w", err)
	}
	actions := map[string]string{}
	for _, c := range shown.Changes {
		actions[c.Address] = strings.Join(c.Change.Actions, " ")
	}
	return actions, nil
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
		for _, field := range writeOnly[want.Type] {
			delete(want.Properties, field)
		}
		for _, d := range differences(string(want.ID), want.Properties, got.Properties) {
			t.Error(d)
		}
	}
	for _, r := range byKey {
		t.Errorf("the store has %s, which is not read", r.ID)
	}
}

// writeOnly are properties that say how a document is made, and are not kept.
var writeOnly = map[string][]string{"Microsoft.KeyVault/vaults": {"createMode"}}

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
