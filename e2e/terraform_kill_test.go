//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cloister-ml/cloister/internal/cloud/store"
	"github.com/cloister-ml/cloister/internal/daemon"
)

const (
	many    = 200         // resources of testdata/many
	killing = time.Minute // how long one kill may take to be over
)

// TestTerraformKilled applies two hundred resources with the real Terraform, and
// destroys them, again and again, while the daemon and all that it has started is
// killed at random instants and started again. What Terraform was told is made stays
// made, what it was told is gone stays gone, and in the end everything is as it was
// asked for, and nothing else. `make soak-terraform-kill` says how many kills.
func TestTerraformKilled(t *testing.T) {
	kills, err := strconv.Atoi(os.Getenv("CLOISTER_KILLS"))
	if err != nil {
		t.Skip("CLOISTER_KILLS is no number: run `make soak-terraform-kill`")
	}
	program := os.Getenv("TERRAFORM")
	if program == "" {
		t.Skip("TERRAFORM names no program: run `make soak-terraform-kill`")
	}
	k := &killer{t: t, cloud: newCloud(t, "k"), address: freeAddress(t), left: kills}
	k.up()
	k.tf = newTerraform(t, program, k.cloud, "testdata/many")
	k.tf.must("init", "-input=false")
	for {
		k.untilDone("apply")
		k.tf.wantNoChanges("after an apply with kills")
		k.settled(many)
		if k.left == 0 {
			break
		}
		k.untilDone("destroy")
		k.settled(0)
	}
	t.Logf("killed %d times, %d of them while Terraform waited for an answer; %d resources were accepted without Terraform having heard of it, and imported", kills, k.hit, k.imported)
}

// killer runs Terraform against a cloud that it kills.
type killer struct {
	t             *testing.T
	cloud         cloud
	address       string // of the control plane, the same after each start
	tf            *terraform
	left          int // kills
	hit, imported int
}

func freeAddress(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (k *killer) up() { k.cloud.must(k.t, "up", "--empty", "--listen", k.address, example) }

// untilDone runs Terraform until it ends well, and kills as long as kills are left.
func (k *killer) untilDone(verb string) {
	k.t.Helper()
	for range 10 + 2*k.left {
		before := k.known()
		out, status := k.once(verb)
		k.agrees(verb, before)
		if status == 0 {
			return
		}
		k.importMade(out)
		if k.left == 0 && !strings.Contains(out, "already exists") && status != 0 {
			k.t.Logf("terraform %s ends with %d, and nobody killed: %s", verb, status, tail(out, 1500))
		}
	}
	k.t.Fatalf("terraform %s does not come to an end", verb)
}

// once runs Terraform, and kills the cloud at a random instant of it, unless it is
// done before.
func (k *killer) once(verb string) (string, int) {
	cmd := exec.CommandContext(k.t.Context(), k.tf.program, verb, "-auto-approve", "-input=false", "-no-color", "-parallelism=20")
	var out bytes.Buffer
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = k.tf.dir, k.tf.env, &out, &out
	if err := cmd.Start(); err != nil {
		k.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var err error
	for running := true; running; {
		var kill <-chan time.Time
		if k.left > 0 {
			kill = time.After(time.Second + rand.N(9*time.Second))
		}
		select {
		case err = <-ended:
			running = false
		case <-kill:
			k.left--
			k.hit++
			k.kill()
			k.up()
		}
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		k.t.Fatal(err)
	}
	return out.String(), cmd.ProcessState.ExitCode()
}

// kill ends every process of the cloud at once.
func (k *killer) kill() {
	for _, pid := range processes(k.t, k.cloud) {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			k.t.Fatal(err)
		}
	}
	for deadline := time.Now().Add(killing); ; time.Sleep(10 * time.Millisecond) {
		if _, err := daemon.Dial(k.cloud.dir); err != nil {
			return
		}
		if time.Now().After(deadline) {
			k.t.Fatal("the daemon still answers")
		}
	}
}

// known are the ids of what Terraform knows to be made.
func (k *killer) known() map[string]bool {
	k.t.Helper()
	cmd := exec.CommandContext(k.t.Context(), k.tf.program, "show", "-json")
	cmd.Dir, cmd.Env = k.tf.dir, k.tf.env
	out, err := cmd.Output()
	if err != nil {
		k.t.Fatal(err)
	}
	var state struct {
		Values struct {
			Root struct {
				Resources []struct {
					Values struct {
						ID string `json:"id"`
					} `json:"values"`
				} `json:"resources"`
			} `json:"root_module"`
		} `json:"values"`
	}
	if err := json.Unmarshal(out, &state); err != nil {
		k.t.Fatal(err)
	}
	ids := map[string]bool{}
	for _, r := range state.Values.Root.Resources {
		ids[strings.ToLower(r.Values.ID)] = true
	}
	return ids
}

// agrees holds the cloud against what Terraform has been told in a run: what it has
// in its state was acknowledged when it was applied; what was in it before a destroy,
// and is not any more, was acknowledged to be gone.
func (k *killer) agrees(verb string, before map[string]bool) {
	k.t.Helper()
	stored := map[string]bool{}
	for _, r := range k.cloud.estate(k.t).All() {
		stored[strings.ToLower(string(r.ID))] = true
	}
	known := k.known()
	switch verb {
	case "apply":
		for id := range known {
			if !stored[id] {
				k.t.Errorf("%s was acknowledged, and is lost", id)
			}
		}
	case "destroy":
		for id := range before {
			if !known[id] && stored[id] {
				k.t.Errorf("%s was acknowledged to be gone, and is there", id)
			}
		}
	}
}

// exists is what the provider says of a resource that was accepted while the answer
// did not reach it, as it does on Azure.
var exists = regexp.MustCompile(`(?s)resource with the ID "([^"]+)"\s+already\s+exists.*?with (azurerm_\w+\.this(?:\[\d+\])?),`)

// importMade tells Terraform of what was accepted without its hearing of it.
func (k *killer) importMade(out string) {
	k.t.Helper()
	for _, match := range exists.FindAllStringSubmatch(out, -1) {
		if _, status := k.tf.run("import", "-input=false", match[2], match[1]); status == 0 {
			k.imported++
		}
	}
}

// settled waits until every document is real, and holds how many there are.
func (k *killer) settled(want int) {
	k.t.Helper()
	d, err := daemon.Dial(k.cloud.dir)
	if err != nil {
		k.t.Fatal(err)
	}
	var half []string
	for deadline := time.Now().Add(killing); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		s, err := d.Status(k.t.Context())
		if err != nil {
			k.t.Fatal(err)
		}
		half = half[:0]
		for _, r := range s.Resources {
			if r.State != store.Succeeded || !r.Ready {
				half = append(half, string(r.ID))
			}
		}
		if len(half) == 0 {
			break
		}
	}
	if len(half) > 0 {
		slices.Sort(half)
		k.t.Errorf("half made: %v", half)
	}
	if n := k.cloud.estate(k.t).Len(); n != want {
		k.t.Errorf("the cloud has %d documents, want %d", n, want)
	}
}
