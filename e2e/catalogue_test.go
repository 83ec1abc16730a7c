//go:build e2e

package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/check/rulebook"
	"github.com/cloister-ml/cloister/internal/probe"
)

// TestCatalogue runs each broken estate of the rulebook, and the same mended: what
// check proves of it is what packets do. An estate that the control plane refuses,
// as Azure would, is one that no packet can be tried in.
func TestCatalogue(t *testing.T) {
	if os.Getenv("CLOISTER_CATALOGUE") == "" {
		t.Skip("takes minutes: make e2e-catalogue")
	}
	t.Setenv("TF_VAR_agent_token", "a-token") // that some of them ask for
	t.Setenv("TF_VAR_ADO_PAT", "a-token")
	for _, rule := range rulebook.Rules() {
		examples, err := rulebook.Of(rule)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range examples {
			if strings.Contains(e.Broken, `script = base64encode(`) {
				continue // it fetches what is not there
			}
			t.Run(e.Name, func(t *testing.T) {
				t.Run("broken", func(t *testing.T) { packetsAgree(t, e.Base, e.Broken, true) })
				t.Run("fixed", func(t *testing.T) { packetsAgree(t, e.Base, e.Fixed, false) })
			})
		}
	}
}

// command begins what an extension of the rulebook runs: scripts that are not there.
const command = `commandToExecute = "`

// What up cannot write, broken or mended: values that only a deployment decides, and
// deployments of models of a registry elsewhere.
const (
	later     = "unknown until deployment"
	elsewhere = "a deployment has a model, an environment"
)

// packetsAgree brings an estate up and holds each cell against the proof.
func packetsAgree(t *testing.T, base []rulebook.Part, own string, mayRefuse bool) {
	dir := t.TempDir()
	own = strings.ReplaceAll(own, command, command+"echo ")
	for _, part := range append(base[:len(base):len(base)], rulebook.Part{Name: "own.tf", Content: own}) {
		if err := os.WriteFile(filepath.Join(dir, part.Name), []byte(part.Content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c := newCloud(t, "c")
	if out, status := c.cloister(t, "up", "--no-run", dir); status > 1 { // 1: requirements fall
		if mayRefuse || strings.Contains(out, later) || strings.Contains(out, elsewhere) {
			t.Skipf("refused: %s", out)
		}
		t.Fatalf("up ends with %d: %s", status, out)
	}
	cmd := exec.Command("../bin/cloister", "probe", "--json")
	cmd.Env = append(os.Environ(), "CLOISTER_NAME="+c.name, "CLOISTER_DATA="+c.dir)
	out, err := cmd.Output()
	var cells []probe.Comparison
	if jsonErr := json.Unmarshal(out, &cells); jsonErr != nil {
		t.Fatalf("probe says %q: %v, %v", out, err, jsonErr)
	}
	t.Logf("%d cells", len(cells))
	for _, cell := range cells {
		if !cell.Agrees {
			t.Errorf("%s to %s: %s; the proof: %s", cell.Place, cell.Host, cell.Disagree, cell.Reason)
		}
	}
}
