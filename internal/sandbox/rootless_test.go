package sandbox_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/cloister-ml/cloister/internal/rootless"
)

// The test binary is also the first process of an ordinary user's namespaces, and
// before that what such a user starts.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "visit":
			os.Exit(report(0, visit(os.Args[2:])))
		case "namespaces":
			os.Exit(report(rootless.Init(os.Args[2:])))
		}
	}
	os.Exit(m.Run())
}

func visit(args []string) error {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	cmd := rootless.Command([rootless.Passed]*os.File{null, null, null}, append([]string{"namespaces"}, args...)...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		return rootless.Explain(err)
	}
	return cmd.Wait()
}

func report(status int, err error) int {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return status
}

// layerEnv names the layer of sandboxes that cannot have the host's whole root: in a
// user namespace its mounts cannot be parted from one another.
const layerEnv = "SANDBOX_LAYER"

// newLayer is the root of a system whose programs are all in /usr, which is mounted.
func newLayer(t *testing.T, dir string) {
	t.Helper()
	for _, d := range []string{"bin", "sbin", "lib", "lib64"} {
		target, err := os.Readlink("/" + d)
		if err != nil {
			t.Skip("the programs of this host are not all in /usr")
		}
		if err := os.Symlink(target, filepath.Join(dir, d)); err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range []string{"usr", "etc", "proc", "dev", "sys", "tmp", "run", "mnt", "opt", "var"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// Whatever is tried from a machine or job of an ordinary user's cloud is held as it is
// in root's.
func TestEscapesWithoutRoot(t *testing.T) {
	open(t)
	if rootless.Ordinary() {
		t.Skip("this is without root")
	}
	dir, err := os.MkdirTemp("", "cloister-escapes-") // what t.TempDir makes is root's alone
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	program, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	const visitor = 43210
	name := filepath.Join(dir, "sandbox.test")
	if err := os.WriteFile(name, program, 0o755); err != nil {
		t.Fatal(err)
	}
	layer := filepath.Join(dir, "layer")
	if err := os.Mkdir(layer, 0o755); err != nil {
		t.Fatal(err)
	}
	newLayer(t, layer)
	if out, err := exec.Command("chown", "-R", fmt.Sprint(visitor), dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	cmd := exec.Command(name, "visit", "-test.run=^(TestEscapes|TestSandboxesAreApart)$", "-test.v")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: visitor, Gid: visitor}}
	cmd.Dir, cmd.Env = dir, []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir, layerEnv + "=" + layer}
	out, err := cmd.CombinedOutput()
	if err != nil && strings.Contains(string(out), "lets no ordinary user") {
		t.Skip(string(out))
	}
	if err != nil || !strings.Contains(string(out), "--- PASS: TestEscapes ") || strings.Contains(string(out), "--- SKIP") {
		t.Errorf("%v: %s", err, out)
	}
}
