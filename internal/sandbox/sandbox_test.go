package sandbox_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cloister-ml/cloister/internal/sandbox"
)

// open gives a runtime in a temporary folder; the host's own root, read-only
// below an overlay, is the sandboxes' root.
func open(t *testing.T) *sandbox.Runtime {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("sandboxes need root")
	}
	if _, err := exec.LookPath("runc"); err != nil {
		t.Skip("runc is not installed")
	}
	r, err := sandbox.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.RemoveAll(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return r
}

func spec(name string, args ...string) sandbox.Spec {
	s := sandbox.Spec{Name: fmt.Sprintf("t%d-%s", os.Getpid(), name), Layers: []string{"/"}, Hostname: "box", Args: args}
	if layer := os.Getenv(layerEnv); layer != "" {
		s.Layers, s.Mounts = []string{layer}, []sandbox.Mount{{Source: "/usr", Target: "/usr", ReadOnly: true}}
	}
	return s
}

func TestRun(t *testing.T) {
	r := open(t)
	keep := t.TempDir()
	if err := os.Chmod(keep, 0o755); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		script string
		change func(*sandbox.Spec)
		code   int
		want   string
	}{
		{name: "exit status is kept", script: "exit 7", code: 7},
		{name: "a signal is 128 and its number", script: "sh -c 'kill -9 $$'", code: 137},
		{name: "host name and process ids are its own", script: "hostname; echo $$", want: "box\n1\n"},
		{name: "files are laid in", script: "cat /etc/resolv.conf", want: "nameserver 168.63.129.16\n",
			change: func(s *sandbox.Spec) {
				s.Files = map[string]sandbox.File{"/etc/resolv.conf": {Data: []byte("nameserver 168.63.129.16\n"), Mode: 0o644}}
			}},
		{name: "the host's root is not written to", script: "echo x >/etc/cloister-test && cat /etc/cloister-test", want: "x\n",
			change: func(s *sandbox.Spec) { s.Machine = true }},
		{name: "a job has no capability", script: "grep CapEff /proc/self/status", want: "CapEff:\t0000000000000000\n"},
		{name: "mounting is refused", script: "mount -t tmpfs none /mnt 2>/dev/null || echo refused", want: "refused\n",
			change: func(s *sandbox.Spec) { s.Machine = true }},
		{name: "a new namespace is refused", script: "unshare -U true 2>/dev/null || echo refused", want: "refused\n"},
		{name: "without a network there is only loopback", script: "ls /sys/class/net", want: "lo\n"},
		{name: "a read-only mount cannot be written", script: "touch /data/x 2>/dev/null || echo refused", want: "refused\n",
			change: func(s *sandbox.Spec) {
				s.Mounts = []sandbox.Mount{{Source: keep, Target: "/data", ReadOnly: true}}
			}},
		{name: "a writable mount belongs to the process's user", script: "id -u; touch /data/x && echo written", want: "1000\nwritten\n",
			change: func(s *sandbox.Spec) {
				s.UID, s.GID, s.Mounts = 1000, 1000, []sandbox.Mount{{Source: keep, Target: "/data"}}
			}},
		{name: "a given variable wins over its default", script: "echo $HOME", want: "/data\n",
			change: func(s *sandbox.Spec) { s.Env = []string{"HOME=/data"} }},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			s := spec(fmt.Sprint(i), "/bin/sh", "-c", tt.script)
			s.Stdout, s.Stderr = &out, &out
			if tt.change != nil {
				tt.change(&s)
			}
			code, err := r.Run(t.Context(), s)
			if err != nil || code != tt.code {
				t.Fatalf("exit status %d, error %v, want %d; it said: %s", code, err, tt.code, out.String())
			}
			if tt.want != "" && out.String() != tt.want {
				t.Errorf("it said %q, want %q", out.String(), tt.want)
			}
		})
	}
	if names, _ := r.Names(); len(names) != 0 {
		t.Errorf("left over: %v", names)
	}
}

func TestLimits(t *testing.T) {
	r := open(t)
	if missing := r.Unenforced(); len(missing) > 0 {
		t.Skipf("this host does not enforce %v", missing)
	}
	var out bytes.Buffer
	s := spec("limits", "/bin/sh", "-c", "head -c 200000000 /dev/zero | tail -c 200000000 | wc -c")
	s.Limits, s.Stdout, s.Stderr = sandbox.Limits{CPUs: 1, Memory: 64 << 20, PIDs: 32}, &out, &out
	if _, err := r.Run(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "200000000") {
		t.Error("200 MB went through 64 MiB of memory")
	}
}

func TestExecAndStop(t *testing.T) {
	r := open(t)
	s := spec("machine", "/bin/sleep", "100")
	s.Machine, s.Upper = true, filepath.Join(t.TempDir(), "disk")
	sb, err := r.Start(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	code, err := r.Exec(t.Context(), s.Name, sandbox.Exec{Args: []string{"/bin/sh", "-c", "echo kept >/opt/kept; cat; exit 3"}, Stdin: strings.NewReader("in"), Stdout: &out})
	if err != nil || code != 3 || out.String() != "in" {
		t.Fatalf("status %d, error %v, said %q", code, err, out.String())
	}
	if err := sb.Stop(t.Context(), 100*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if _, err := sb.Wait(); err != nil {
		t.Fatal(err)
	}
	kept, err := os.ReadFile(filepath.Join(s.Upper, "opt/kept"))
	if err != nil || string(kept) != "kept\n" {
		t.Errorf("the machine's disk holds %q, error %v", kept, err)
	}
}

// A sandbox that cannot be set up as asked does not start, and leaves nothing.
func TestSetUpIsFatal(t *testing.T) {
	r := open(t)
	tests := map[string]func(*sandbox.Spec){
		"no such layer":             func(s *sandbox.Spec) { s.Layers = []string{"/no/such/layer"} },
		"no such network namespace": func(s *sandbox.Spec) { s.NetNS = "/no/such/netns" },
		"no such mount source":      func(s *sandbox.Spec) { s.Mounts = []sandbox.Mount{{Source: "/no/such", Target: "/data"}} },
		"a target outside":          func(s *sandbox.Spec) { s.Mounts = []sandbox.Mount{{Source: "/tmp", Target: "/../x"}} },
		"a file outside": func(s *sandbox.Spec) {
			s.Files = map[string]sandbox.File{"/../../etc/x": {}}
		},
		"an upper folder with an option": func(s *sandbox.Spec) { s.Upper = "/tmp/x,lowerdir=/etc" },
		"an upper folder from here":      func(s *sandbox.Spec) { s.Upper = "upper" },
		"a name with a slash":            func(s *sandbox.Spec) { s.Name = "../x" },
	}
	if _, err := sandbox.Open(filepath.Join(t.TempDir(), "a,lowerdir=b")); err == nil {
		t.Error("a folder that would be an option of the mount was taken")
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			s := spec("fatal", "/bin/true")
			change(&s)
			if _, err := r.Run(t.Context(), s); err == nil {
				t.Fatal("it ran")
			}
			if names, _ := r.Names(); len(names) != 0 {
				t.Errorf("left over: %v", names)
			}
		})
	}
}
