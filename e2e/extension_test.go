//go:build e2e

package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/cloister-ml/cloister/arm"
)

// A script that fails is said at once, with its status and its last words; all else
// stays up, and the next up with a mended script makes it whole.
func TestExtensionFails(t *testing.T) {
	c := newCloud(t, "x")
	began := time.Now()
	out, status := c.cloister(t, "up", "testdata/extension")
	if status != 1 {
		t.Errorf("up ends with %d", status)
	}
	if took := time.Since(began); took > time.Minute { // it was five
		t.Errorf("up took %s", took)
	}
	for _, want := range []string{
		"The extension install of vm-bad has failed", "VMExtensionProvisioningError", "exit status 7", "unpacking", "no such package",
		"/var/lib/waagent/custom-script/download/0",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("up does not say %q:\n%s", want, out)
		}
	}
	if said, status := c.in(t, "vm-good", nil, "cat", "/opt/installed"); status != 0 || said != "installed\n" {
		t.Errorf("the other machine: %d, %s", status, said)
	}
	if said, status := c.in(t, "vm-bad", nil, "cat", "/var/lib/waagent/custom-script/download/0/stderr"); status != 0 || said != "no such package\n" {
		t.Errorf("the log: %d, %s", status, said)
	}
	state := func() string {
		r, err := c.owner(t).Get(t.Context(), find(t, c.estate(t), "Microsoft.Compute/virtualMachines/extensions", func(r arm.Resource) bool {
			return r.ID.Parent().Name() == "vm-bad"
		}).ID)
		if err != nil {
			t.Fatal(err)
		}
		return arm.String(r.Properties, "provisioningState")
	}
	if got := state(); got != "Failed" {
		t.Errorf("the extension is %s", got)
	}

	if out, status := c.cloister(t, "up", "testdata/extension"); status != 1 || !strings.Contains(out, "1 documents written") {
		t.Errorf("the same again ends with %d: %s", status, out)
	}
	c.must(t, "up", "testdata/extension", "--var", "mended=true")
	if got := state(); got != "Succeeded" {
		t.Errorf("mended, the extension is %s", got)
	}
}
