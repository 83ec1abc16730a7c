//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// largestShare is how much of an apply's time the control plane may be at work.
const largestShare = 0.02

// TestShareOfApply applies the example and judges by the clock, so it is no part
// of a run of all tests: `make bench-terraform`.
func TestShareOfApply(t *testing.T) {
	if os.Getenv("CLOISTER_BENCH") == "" {
		t.Skip("CLOISTER_BENCH is not set: run `make bench-terraform`")
	}
	c, program := emptyCloud(t, "s")
	tf := newTerraform(t, program, c, filepath.Join(example, "terraform"))
	tf.must("init", "-input=false")
	start, before := time.Now(), c.effort(t)
	tf.must("apply", "-auto-approve", "-input=false", atOnce)
	took := time.Since(start)
	if share := c.effort(t).since(t, before, took); share > largestShare {
		t.Errorf("the control plane is at work in %.1f %% of the apply, and should be in less than %.0f %%", 100*share, 100*largestShare)
	}
}
