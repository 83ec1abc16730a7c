//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// TestTerraformWide applies one of each type that solutions are made of, twice,
// and destroys them: the sub-calls that the provider makes for each must be served.
// `make e2e-terraform-wide` builds what it needs.
func TestTerraformWide(t *testing.T) {
	c, program := emptyCloud(t, "w")
	tf := newTerraform(t, program, c, "testdata/wide")
	tf.must("init", "-input=false")
	start := time.Now()
	tf.must("apply", "-auto-approve", "-input=false", atOnce)
	t.Logf("apply took %.0f s", time.Since(start).Seconds())
	tf.wantNoChanges("after the first apply")
	tf.must("destroy", "-auto-approve", "-input=false", atOnce)
	for _, r := range c.estate(t).All() {
		t.Errorf("destroy leaves %s", r.ID)
	}
}

// together is how many applies run at one time.
const together = 10

// TestTerraformTogether applies ten configurations to ten groups of one cloud at
// the same time: each must succeed, and find nothing to change afterwards.
func TestTerraformTogether(t *testing.T) {
	c, program := emptyCloud(t, "p")
	runs := make([]*terraform, together)
	for i := range runs {
		runs[i] = newTerraform(t, program, c, "testdata/together")
		runs[i].env = append(runs[i].env, fmt.Sprintf("TF_VAR_name=t%d", i))
		runs[i].must("init", "-input=false")
	}
	start, before := time.Now(), c.effort(t)
	atOneTime(runs, func(tf *terraform) {
		if out, status := tf.run("apply", "-auto-approve", "-input=false"); status != 0 {
			t.Errorf("apply ends with %d:\n%s", status, tail(out, 3000))
		}
	})
	took := time.Since(start)
	t.Logf("%d applies at one time took %.0f s", together, took.Seconds())
	_ = c.effort(t).since(t, before, took)
	if t.Failed() {
		return
	}
	atOneTime(runs, func(tf *terraform) {
		if out, status := tf.run("plan", "-input=false", "-detailed-exitcode"); status != 0 {
			t.Errorf("the second plan ends with %d:\n%s", status, tail(out, 3000))
		}
	})
	perGroup := map[string]int{}
	for _, r := range c.estate(t).All() {
		perGroup[r.ID.ResourceGroup()]++
	}
	for i := range runs {
		if name := fmt.Sprintf("rg-t%d", i); perGroup[name] != perGroup["rg-t0"] || perGroup[name] < 8 {
			t.Errorf("%s has %d documents, and rg-t0 %d", name, perGroup[name], perGroup["rg-t0"])
		}
	}
}

func atOneTime(runs []*terraform, f func(*terraform)) {
	var wg sync.WaitGroup
	for _, tf := range runs {
		wg.Go(func() { f(tf) })
	}
	wg.Wait()
}

// emptyCloud is a cloud with nothing in it, and the program to fill it with.
func emptyCloud(t *testing.T, suffix string) (cloud, string) {
	t.Helper()
	program := os.Getenv("TERRAFORM")
	if program == "" {
		t.Skip("TERRAFORM names no program: run `make e2e-terraform-wide`")
	}
	c := newCloud(t, suffix)
	c.must(t, "up", "--empty", filepath.Clean(example))
	return c, program
}
