//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/client"
	"github.com/cloister-ml/cloister/internal/daemon"
	"github.com/cloister-ml/cloister/internal/mission"
)

const example = "../examples/secure-mlops"

// cloud is one that a test has brought up, in a folder of its own.
type cloud struct {
	name string
	dir  string
}

// newCloud names a cloud after this process; it is taken down when the test ends,
// whatever happens.
func newCloud(t *testing.T, suffix string) cloud {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("running the example needs root")
	}
	c := cloud{name: fmt.Sprintf("e%d%s", os.Getpid()%1_000_000, suffix), dir: filepath.Join(t.TempDir(), "cloud")}
	t.Cleanup(func() {
		if out, status := c.cloister(t, "down"); status != 0 {
			t.Errorf("down ends with %d: %s", status, out)
		}
	})
	return c
}

// cloister runs the built program on this cloud and returns what it said and its
// exit status.
func (c cloud) cloister(t *testing.T, args ...string) (string, int) {
	t.Helper()
	cmd := exec.Command("../bin/cloister", args...)
	cmd.Env = append(os.Environ(), "CLOISTER_NAME="+c.name, "CLOISTER_DATA="+c.dir)
	out, err := cmd.CombinedOutput()
	status := cmd.ProcessState.ExitCode()
	if err != nil && status < 0 {
		t.Fatalf("cloister %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return string(out), status
}

// must runs the program, which must succeed.
func (c cloud) must(t *testing.T, args ...string) string {
	t.Helper()
	out, status := c.cloister(t, args...)
	if status != 0 {
		t.Fatalf("cloister %s ends with %d: %s", strings.Join(args, " "), status, out)
	}
	return out
}

// in runs a command in a machine, with input.
func (c cloud) in(t *testing.T, machine string, input []byte, args ...string) (string, int) {
	t.Helper()
	cmd := exec.Command("../bin/cloister", append([]string{"exec", machine, "--"}, args...)...)
	cmd.Env = append(os.Environ(), "CLOISTER_NAME="+c.name, "CLOISTER_DATA="+c.dir)
	cmd.Stdin = bytes.NewReader(input)
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// claims are what verify finds, by name.
func (c cloud) claims(t *testing.T) map[string]mission.Claim {
	t.Helper()
	cmd := exec.Command("../bin/cloister", "verify", "--json", example)
	cmd.Env = append(os.Environ(), "CLOISTER_NAME="+c.name, "CLOISTER_DATA="+c.dir)
	out, err := cmd.Output()
	var list []mission.Claim
	if jsonErr := json.Unmarshal(out, &list); jsonErr != nil {
		t.Fatalf("verify says %q: %v, %v", out, err, jsonErr)
	}
	claims := map[string]mission.Claim{}
	for _, claim := range list {
		claims[claim.Name] = claim
	}
	return claims
}

// owner calls the control plane as the cloud's owner.
func (c cloud) owner(t *testing.T) *client.Client {
	t.Helper()
	d, err := daemon.Dial(c.dir)
	if err != nil {
		t.Fatal(err)
	}
	owner, err := mission.Owner(d)
	if err != nil {
		t.Fatal(err)
	}
	return owner
}

// estate is what the cloud holds.
func (c cloud) estate(t *testing.T) *arm.Estate {
	t.Helper()
	d, err := daemon.Dial(c.dir)
	if err != nil {
		t.Fatal(err)
	}
	e, err := d.Estate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// find is the one document of a type that passes.
func find(t *testing.T, e *arm.Estate, typ string, pass func(arm.Resource) bool) arm.Resource {
	t.Helper()
	var found []arm.Resource
	for _, r := range e.OfType(typ) {
		if pass(r) {
			found = append(found, r)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d documents of the type %s pass, not one", len(found), typ)
	}
	return found[0]
}

func named(name string) func(arm.Resource) bool {
	return func(r arm.Resource) bool { return strings.EqualFold(r.Name, name) }
}
