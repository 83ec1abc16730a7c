package sandbox

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// controllers says which cgroup controllers the host gives, under cgroup v2 or
// v1 (a hybrid layout is v1 for limits): those in which this process can make
// groups.
func controllers() map[string]bool {
	out := map[string]bool{}
	writable := func(dir string) bool { return unix.Access(dir, unix.W_OK) == nil }
	if !writable(cgroups) && exists(cgroups+"/cgroup.controllers") {
		return out
	}
	if data, err := os.ReadFile("/sys/fs/cgroup/cgroup.controllers"); err == nil {
		for _, c := range strings.Fields(string(data)) {
			out[c] = true
		}
		return out
	}
	for _, c := range []string{"cpu", "memory", "pids"} {
		out[c] = writable(cgroups + "/" + c)
	}
	return out
}

const cgroups = "/sys/fs/cgroup"

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// groupPath is where the control group of a sandbox is; "" leaves it to runc, which
// then goes without.
func groupPath(name string, limits *specs.LinuxResources) string {
	if limits == nil {
		return ""
	}
	return "/" + cgroupParent + "/" + name
}

// cgroupParent holds the control groups of all sandboxes.
const cgroupParent = "cloister"

// removeParents removes the parents of control groups that hold none any more.
func removeParents() {
	for _, pattern := range []string{"/sys/fs/cgroup/*/" + cgroupParent, "/sys/fs/cgroup/" + cgroupParent} {
		dirs, _ := filepath.Glob(pattern) // the pattern is well formed
		for _, dir := range dirs {
			_ = unix.Rmdir(dir) // refused while another runtime has sandboxes
		}
	}
}

// resources turns limits into those that the host can enforce, and names the rest.
func resources(l Limits, have map[string]bool) (r *specs.LinuxResources, missing []string) {
	r = &specs.LinuxResources{}
	want := func(controller string, asked bool) bool {
		if asked && !have[controller] {
			missing = append(missing, controller)
		}
		return asked && have[controller]
	}
	if want("cpu", l.CPUs > 0) {
		period := uint64(100_000)
		quota := int64(l.CPUs * float64(period))
		r.CPU = &specs.LinuxCPU{Period: &period, Quota: &quota}
	}
	if want("memory", l.Memory > 0) {
		r.Memory = &specs.LinuxMemory{Limit: &l.Memory}
	}
	if want("pids", l.PIDs > 0) {
		r.Pids = &specs.LinuxPids{Limit: &l.PIDs}
	}
	return r, missing
}
