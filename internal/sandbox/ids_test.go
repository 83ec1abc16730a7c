package sandbox_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cloister-ml/cloister/internal/sandbox"
)

// mapped skips where this host does not give machines user ids of their own.
func mapped(t *testing.T, r *sandbox.Runtime) {
	t.Helper()
	for _, lack := range r.Unenforced() {
		if strings.HasPrefix(lack, "user ids") {
			t.Skip(lack)
		}
	}
}

// hostIDs are the host's user ids of the processes whose command line is given.
func hostIDs(t *testing.T, cmdline string) []int {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var out []int
	for _, f := range files {
		if text, err := os.ReadFile(f); err != nil || string(text) != cmdline {
			continue
		}
		status, err := os.ReadFile(filepath.Join(filepath.Dir(f), "status"))
		if err != nil {
			continue
		}
		_, rest, _ := strings.Cut(string(status), "\nUid:")
		id, err := strconv.Atoi(strings.Fields(rest)[0])
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, id)
	}
	return out
}

func owner(t *testing.T, path string) int {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return int(info.Sys().(*syscall.Stat_t).Uid)
}

// A machine's root is not the host's, nor another machine's.
func TestRootIsNotTheHosts(t *testing.T) {
	r := open(t)
	mapped(t, r)
	seen := map[int]string{0: "the host's root"}
	for i, duration := range []string{"4711.25", "4711.75"} {
		s := spec("root-"+strconv.Itoa(i), "/bin/sleep", duration)
		s.Machine = true
		sb, err := r.Start(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = sb.Stop(t.Context(), 0) })
		var found []int
		for end := time.Now().Add(10 * time.Second); len(found) == 0 && time.Now().Before(end); time.Sleep(time.Millisecond) {
			found = hostIDs(t, "/bin/sleep\x00"+duration+"\x00")
		}
		if len(found) != 1 {
			t.Fatalf("%d processes, want 1", len(found))
		}
		if whose, ok := seen[found[0]]; ok {
			t.Errorf("the root of %s is %s", s.Name, whose)
		}
		seen[found[0]] = "the root of " + s.Name
		var out bytes.Buffer
		if _, err := r.Exec(t.Context(), s.Name, sandbox.Exec{Args: []string{"/bin/sh", "-c", "id -u; stat -c %u /usr/bin /etc/passwd /proc/1"}, Stdout: &out}); err != nil {
			t.Fatal(err)
		}
		if out.String() != "0\n0\n0\n0\n" {
			t.Errorf("in the machine the ids are %q", out.String())
		}
	}
}

// What a machine writes belongs on the host to its own ids, keeps them when it
// starts again, and no set-id program of its root is one of the host's root.
func TestDiskBelongsToTheMachine(t *testing.T) {
	r := open(t)
	mapped(t, r)
	disk := filepath.Join(t.TempDir(), "disk")
	if err := os.MkdirAll(filepath.Join(disk, "opt"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(disk, "opt/before"), nil, 0o600); err != nil { // as a disk from before
		t.Fatal(err)
	}
	run := func(script string) {
		t.Helper()
		var out bytes.Buffer
		s := spec("disk", "/bin/sh", "-c", script)
		s.Machine, s.Upper, s.Stdout, s.Stderr = true, disk, &out, &out
		s.Files = map[string]sandbox.File{"/etc/cloister/laid": {Data: []byte("x"), Mode: 0o600}}
		if code, err := r.Run(t.Context(), s); err != nil || code != 0 {
			t.Fatalf("status %d, error %v: %s", code, err, out.String())
		}
	}
	run("cat /opt/before /etc/cloister/laid && cp /usr/bin/id /opt/id && chmod 4755 /opt/id && echo >/opt/other && chown 1000:1000 /opt/other && chown 0:0 /etc/passwd")
	root := owner(t, disk)
	if root == 0 {
		t.Fatal("the disk belongs to the host's root")
	}
	for path, want := range map[string]int{"opt": 0, "opt/before": 0, "opt/id": 0, "opt/other": 1000, "etc/cloister": 0, "etc/cloister/laid": 0, "etc/passwd": 0} {
		if got := owner(t, filepath.Join(disk, path)); got != root+want {
			t.Errorf("%s belongs to %d, want %d", path, got, root+want)
		}
	}
	run("test -u /opt/id && test $(stat -c %u /opt/other) = 1000")
	if again := owner(t, disk); again != root {
		t.Errorf("the disk belonged to %d, and now to %d", root, again)
	}
}

// The system is as it was installed; a machine's own places take what is written.
func TestSystemIsReadOnly(t *testing.T) {
	r := open(t)
	script := `
for f in /usr/x /usr/bin/sh /usr/lib/x /bin/x /lib/x /sys/x /proc/sys/kernel/hostname; do
	if (echo x >>$f) 2>/dev/null; then echo "written: $f"; fi
done
mv /usr /old 2>/dev/null && echo moved
for d in /etc /opt /var /home /root /usr/local/bin /srv /run /tmp; do
	(echo x >$d/cloister-test) 2>/dev/null || echo "not written: $d"
done`
	for _, machine := range []bool{true, false} {
		var out bytes.Buffer
		s := spec("readonly", "/bin/sh", "-c", script)
		s.Machine, s.Stdout, s.Stderr = machine, &out, &out
		want := ""
		if !machine { // a job has its mounts and what goes with it
			for _, d := range []string{"/etc", "/opt", "/var", "/home", "/root", "/usr/local/bin", "/srv"} {
				want += "not written: " + d + "\n"
			}
		}
		if code, err := r.Run(t.Context(), s); err != nil || out.String() != want {
			t.Errorf("machine %t: status %d, error %v, said %q, want %q", machine, code, err, out.String(), want)
		}
	}
}

// A machine is put into a network that it has no right over, and so is every further
// process of it.
func TestNetworkIsNotTheMachines(t *testing.T) {
	r := open(t)
	mapped(t, r)
	holder := exec.Command("/bin/sleep", "300")
	holder.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = holder.Process.Kill(); _ = holder.Wait() })
	netns := fmt.Sprintf("/proc/%d/ns/net", holder.Process.Pid)
	want, err := os.Readlink(netns)
	if err != nil {
		t.Fatal(err)
	}
	s := spec("network", "/bin/sleep", "300")
	s.Machine, s.NetNS = true, netns
	sb, err := r.Start(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sb.Stop(t.Context(), 0) })
	var out bytes.Buffer
	script := "readlink /proc/1/ns/net /proc/self/ns/net; ls /sys/class/net"
	code, err := r.Exec(t.Context(), s.Name, sandbox.Exec{Args: []string{"/bin/sh", "-c", script}, Stdout: &out, Stderr: &out})
	if err != nil || code != 0 || out.String() != want+"\n"+want+"\nlo\n" {
		t.Errorf("status %d, error %v, said %q, want %s", code, err, out.String(), want)
	}
}
