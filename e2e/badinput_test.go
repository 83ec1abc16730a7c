//go:build e2e

package e2e

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestBadInput gives `up` what cannot work: it says what and where in one error,
// ends with status 2 and leaves nothing.
func TestBadInput(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()

	tests := []struct {
		name string
		args func(t *testing.T, c *cloud) []string
		want []string
	}{
		{"no such folder", func(*testing.T, *cloud) []string { return []string{"/no/such/folder"} }, []string{"no folder /no/such/folder"}},
		{"a folder without Terraform", func(t *testing.T, _ *cloud) []string { return []string{t.TempDir()} }, []string{".tf"}},
		{"broken Terraform", func(t *testing.T, _ *cloud) []string {
			return []string{changed(t, "terraform/modules/network/main.tf", func(s string) string { return s + "\nresource \"azurerm_subnet\" {\n" })}
		}, []string{"modules/network/main.tf"}},
		{"an attribute that does not exist", func(t *testing.T, _ *cloud) []string {
			return []string{changed(t, "terraform/modules/network/main.tf", func(s string) string {
				return strings.Replace(s, "private_endpoint_network_policies", "private_endpoint_networks_policies", 1)
			})}
		}, []string{"\"private_endpoint_networks_policies\"", "\"private_endpoint_network_policies\"", "modules/network/main.tf"}},
		{"address spaces that overlap", func(t *testing.T, _ *cloud) []string {
			return []string{changed(t, "terraform/variables.tf", func(s string) string { return strings.ReplaceAll(s, "10.20.", "10.10.") })}
		}, []string{"overlap"}},
		{"a port that is taken", func(*testing.T, *cloud) []string { return []string{"--listen", taken.Addr().String(), example} },
			[]string{taken.Addr().String(), "--listen", "in use"}},
		{"a name that cannot be one", func(*testing.T, *cloud) []string { return []string{"--name", "Not/One", example} }, []string{"lower-case"}},
		{"a full disk", func(t *testing.T, c *cloud) []string {
			c.dir = filepath.Join(smallDisk(t), "cloud")
			return []string{"--data", c.dir, example}
		}, []string{"full"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newCloud(t, "b")
			args := tt.args(t, &c)
			out, status := c.cloister(t, append([]string{"up", "--no-run"}, args...)...)
			t.Log(out)
			if status != 2 {
				t.Errorf("the status is %d", status)
			}
			for _, want := range tt.want {
				if !strings.Contains(out, want) {
					t.Errorf("it does not say %q", want)
				}
			}
			if strings.Contains(out, "goroutine ") {
				t.Error("it panicked")
			}
			if n := strings.Count(out, "cloister: "); n > 1 {
				t.Errorf("it says %d errors", n)
			}
			if pids := processes(t, c); len(pids) > 0 {
				t.Errorf("processes are left: %v", pids)
			}
			if names, _ := filepath.Glob("/run/netns/cl-" + c.name + "-*"); len(names) > 0 {
				t.Errorf("network namespaces are left: %v", names)
			}
			if _, err := os.Stat(filepath.Join(c.dir, "cloud")); err == nil {
				t.Errorf("%s is left", c.dir)
			}
		})
	}
}

// changed is a copy of the example with one file changed.
func changed(t *testing.T, file string, change func(string) string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(example)); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, file)
	before, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	after := change(string(before))
	if after == string(before) {
		t.Fatalf("%s is as it was", file)
	}
	if err := os.WriteFile(name, []byte(after), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// smallDisk is a file system that the control plane's first writes fill.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"); err != nil {
		t.Skipf("a small file system cannot be mounted: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// Without root `up` says exactly what it lacks.
func TestWithoutRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can become somebody else")
	}
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	// A place that everybody may read, with the example beside the programs.
	place, err := os.MkdirTemp("/tmp", "cloister-e2e-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(place)
	if err := os.Chmod(place, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"cloister", "cloisterd"} {
		program, err := os.ReadFile(filepath.Join("../bin", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(place, name), program, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.CopyFS(filepath.Join(place, "example"), os.DirFS(example)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(place, "cloister"), "up", filepath.Join(place, "example"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "XDG_CACHE_HOME=" + place}
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != 2 || !strings.Contains(string(out), "root") {
		t.Errorf("it ends with %v: %s", err, out)
	}
}
