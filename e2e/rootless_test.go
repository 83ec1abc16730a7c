//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cloister-ml/cloister/internal/image"
)

// visitor is an ordinary user of this host, with no entry in /etc/passwd and no right
// that others have not.
type visitor struct {
	id   uint32
	home string
}

// newVisitor gives a user a home with the program and what root's cache has of base
// roots: building one is not what these tests are about.
func newVisitor(t *testing.T) visitor {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("becoming another user needs root")
	}
	home, err := os.MkdirTemp("", "cloister-visitor-") // what t.TempDir makes is root's alone
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(home); err != nil {
			t.Error(err)
		}
	})
	v := visitor{id: 40000 + uint32(os.Getpid()%20000), home: home}
	cache := filepath.Join(v.home, ".cache")
	if err := os.MkdirAll(cache, 0o755); err != nil {
		t.Fatal(err)
	}
	own, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (image.Cache{Dir: filepath.Join(own, "cloister")}).Base(t.Context()); err != nil {
		t.Fatal(err)
	}
	script := `mkdir $2/cloister && for d in "$1"/cloister/base-* "$1"/cloister/python-3*; do [ ! -e "$d" ] || cp -a "$d" $2/cloister/; done
cp ../bin/cloister ../bin/cloisterd $3/ && cp -a ../examples/secure-mlops $3/ && chown -R $4:$4 $3`
	cmd := exec.Command("/bin/sh", "-ec", script, "sh", own, cache, v.home, fmt.Sprint(v.id))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("making the user's home: %v: %s", err, out)
	}
	t.Cleanup(func() { // also where the test did not get to its own down
		if out, status := v.cloister(t, "down"); status != 0 {
			t.Errorf("down ends with %d: %s", status, out)
		}
	})
	return v
}

func (v visitor) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: v.id, Gid: v.id}}
	cmd.Dir = v.home
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + v.home, "CLOISTER_NAME=visitor"}
	return cmd
}

func (v visitor) cloister(t *testing.T, args ...string) (string, int) {
	t.Helper()
	cmd := v.command(context.WithoutCancel(t.Context()), filepath.Join(v.home, "cloister"), args...)
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatalf("cloister %s: %v", strings.Join(args, " "), err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

func (v visitor) must(t *testing.T, args ...string) string {
	t.Helper()
	out, status := v.cloister(t, args...)
	if status != 0 {
		t.Fatalf("cloister %s ends with %d: %s", strings.Join(args, " "), status, out)
	}
	return out
}

// processes are those of the user that have not ended.
func (v visitor) processes(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/status")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err == nil && strings.Contains(string(text), fmt.Sprintf("\nUid:\t%d\t", v.id)) && !strings.Contains(string(text), "\nState:\tZ") {
			name, _, _ := strings.Cut(string(text), "\n")
			out = append(out, filepath.Base(filepath.Dir(f))+" "+name)
		}
	}
	return out
}

// gone waits until the kernel has ended and removed everything of the user's.
func (v visitor) gone(t *testing.T) {
	t.Helper()
	var left []string
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		left = v.processes(t)
		folders, err := filepath.Glob(filepath.Join(v.home, ".local/share/cloister/*"))
		if err != nil {
			t.Fatal(err)
		}
		if left = append(left, folders...); len(left) == 0 {
			return
		}
	}
	t.Errorf("left over: %q", left)
}

var daemonLine = regexp.MustCompile(`process (\d+), rootless, in a user namespace of user (\d+)`)

// daemon is the host's number of the process that runs the user's cloud.
func (v visitor) daemon(t *testing.T) int {
	t.Helper()
	m := daemonLine.FindStringSubmatch(v.must(t, "status"))
	if m == nil || m[2] != fmt.Sprint(v.id) {
		t.Fatalf("status says %q", m)
	}
	pid, err := strconv.Atoi(m[1])
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// refused tries it where the kernel lets nobody make namespaces: in one in which that
// is switched off.
func (v visitor) refused(t *testing.T) {
	t.Helper()
	script := `echo 0 >/proc/sys/user/max_user_namespaces
exec setpriv --reuid=$1 --regid=$1 --clear-groups ./cloister up --empty secure-mlops`
	cmd := v.command(t.Context(), "/bin/sh", "-ec", script, "sh", fmt.Sprint(v.id))
	all := []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 1 << 16}}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWUSER, UidMappings: all, GidMappings: all, GidMappingsEnableSetgroups: true,
		Credential: &syscall.Credential{},
	}
	out, _ := cmd.CombinedOutput() // its status is looked at
	if status := cmd.ProcessState.ExitCode(); status != 2 || !strings.Contains(string(out), "user.max_user_namespaces = 0") || !strings.Contains(string(out), "sysctl -w") {
		t.Errorf("status %d: %s", status, out)
	}
}

// TestRootless runs the example as an ordinary user: packets do what was proved, no
// process has more rights than the user, and nothing is left.
func TestRootless(t *testing.T) {
	v := newVisitor(t)
	v.refused(t)
	out := v.must(t, "up", "--empty", "secure-mlops")
	for _, said := range []string{fmt.Sprintf("rootless, in a user namespace of user %d", v.id), "rootless: one user id", "user ids of its own"} {
		if !strings.Contains(out, said) {
			t.Errorf("up does not say %q: %s", said, out)
		}
	}
	v.must(t, "up", "--no-run", "secure-mlops")
	if out := v.must(t, "probe"); !strings.Contains(out, " cells agree with the proof.") {
		t.Errorf("the probe says %s", out)
	}
	if out := v.must(t, "exec", "vm-jump", "--", "sh", "-c", "id -u; ls /sys/class/net; (echo x >/usr/x) 2>/dev/null || echo refused"); out != "0\neth0\nlo\nrefused\n" {
		t.Errorf("in the machine: %q", out)
	}
	if out := v.must(t, "bastion", "ssh", "vm-jump", "--assign-login-role", "--", "echo $USER@$(hostname)"); !strings.Contains(out, "azureuser@vm-jump") {
		t.Errorf("by Bastion: %q", out)
	}
	pid := v.daemon(t)
	network, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/dev", pid))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(network), ":"); n != 1 { // lo
		t.Errorf("the daemon's network has %d interfaces: %s", n, network)
	}
	if len(v.processes(t)) < 5 {
		t.Errorf("the machines' processes are not the user's: %q", v.processes(t))
	}
	v.must(t, "down")
	v.gone(t)

	// A daemon that is killed takes everything with it, and the next goes on with the
	// same data.
	v.must(t, "up", "--empty", "secure-mlops")
	if err := syscall.Kill(v.daemon(t), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); len(v.processes(t)) > 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("still there: %q", v.processes(t))
		}
	}
	v.must(t, "up", "--empty", "secure-mlops")
	v.must(t, "down")
	v.gone(t)
}
