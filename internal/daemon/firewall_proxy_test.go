package daemon

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestShutIn runs this test's own program shut in, as a proxy is, and sees what it
// still may.
func TestShutIn(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("a process can be shut in by root alone")
	}
	if root := os.Getenv("CLOISTER_SHUT_IN"); root != "" {
		err := shutIn(root)
		if errors.Is(err, syscall.ENOTSUP) {
			fmt.Println("cgo")
			os.Exit(0)
		}
		fmt.Println("shut in:", err)
		chroot, exec := unix.Chroot("/"), syscall.Exec("/proc/self/exe", nil, nil)
		fmt.Println("user:", unix.Getuid(), "chroot:", errors.Is(chroot, unix.EPERM), "exec:", errors.Is(exec, unix.EPERM))
		entries, err := os.ReadDir("/")
		fmt.Println("files:", len(entries), err, "unshare:", errors.Is(unix.Unshare(unix.CLONE_NEWUSER), unix.EPERM))
		os.Exit(0)
	}
	empty := t.TempDir()
	if err := os.Chmod(empty, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestShutIn$")
	cmd.Env = []string{"CLOISTER_SHUT_IN=" + empty}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if strings.Contains(string(out), "cgo") {
		t.Skip("a program with cgo does not know its threads: programs are built without")
	}
	for _, want := range []string{"shut in: <nil>", "user: 65534 chroot: true exec: true", "files: 0 <nil> unshare: true"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("it did not say %q:\n%s", want, out)
		}
	}
}
