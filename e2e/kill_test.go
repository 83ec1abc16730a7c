//go:build e2e

package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cloister-ml/cloister/internal/daemon"
)

// killed ends every process of the cloud at once, in the middle of a run, and
// brings it up again: what was accepted is there, and the job is done.
func killed(t *testing.T, c cloud) {
	up := exec.Command("../bin/cloister", "up", example)
	up.Env = append(os.Environ(), "CLOISTER_NAME="+c.name, "CLOISTER_DATA="+c.dir)
	if err := up.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(6 * time.Second) // the pipelines are running
	for _, pid := range append(processes(t, c), up.Process.Pid) {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && err != syscall.ESRCH {
			t.Fatal(err)
		}
	}
	_ = up.Wait() // it was killed
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if _, err := daemon.Dial(c.dir); err != nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the daemon still answers")
		}
	}
	c.must(t, "up", example)
	allHold(t, c.claims(t))
}

// processes are those of the cloud: its daemon and all that it has started, which
// run in the cloud's namespaces or have its folder on their command line.
func processes(t *testing.T, c cloud) []int {
	t.Helper()
	spaces := map[string]bool{}
	names, err := filepath.Glob("/run/netns/cl-" + c.name + "-*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		var st syscall.Stat_t
		if syscall.Stat(name, &st) == nil {
			spaces["net:["+strconv.FormatUint(st.Ino, 10)+"]"] = true
		}
	}
	var pids []int
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		space, _ := os.Readlink(filepath.Join("/proc", entry.Name(), "ns/net"))
		line, _ := os.ReadFile(filepath.Join("/proc", entry.Name(), "cmdline"))
		if spaces[space] || strings.Contains(string(line), c.dir) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// noNodes waits until the cluster has given its nodes back.
func noNodes(t *testing.T, c cloud) { awaitNodes(t, c, 0) }

// awaitNodes waits until so many compute nodes run.
func awaitNodes(t *testing.T, c cloud, want int) {
	t.Helper()
	d, err := daemon.Dial(c.dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	for {
		s, err := d.Status(ctx)
		if err != nil {
			t.Fatalf("waiting for %d nodes: %v", want, err)
		}
		nodes := 0
		for _, m := range s.Machines {
			if m.Kind == "compute node" {
				nodes++
			}
		}
		if nodes == want {
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// nothingIsLeft takes the cloud down and looks for what it may have left.
func nothingIsLeft(t *testing.T, c cloud) {
	c.must(t, "down")
	if pids := processes(t, c); len(pids) > 0 {
		t.Errorf("processes are left: %v", pids)
	}
	if names, _ := filepath.Glob("/run/netns/cl-" + c.name + "-*"); len(names) > 0 {
		t.Errorf("network namespaces are left: %v", names)
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(mounts), c.dir) {
		t.Errorf("mounts are left: %s", mounts)
	}
	if groups, _ := filepath.Glob("/sys/fs/cgroup/*/cloister/" + c.name + "-*"); len(groups) > 0 {
		t.Errorf("control groups are left: %v", groups)
	}
	if _, err := os.Stat(c.dir); !os.IsNotExist(err) {
		t.Errorf("the folder %s is left: %v", c.dir, err)
	}
}
