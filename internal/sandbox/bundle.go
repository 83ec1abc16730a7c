package sandbox

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// machineCapabilities are what an init with services needs, and no more: none of
// them reaches the network's configuration or the host, or makes packets by hand
// (ping needs none: the fabric lets every group open ICMP sockets).
var machineCapabilities = []string{
	"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL",
	"CAP_SETGID", "CAP_SETUID", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT",
}

// rlimits are no core dumps, and as many open files as services expect or, where
// that is less, as this process may have: raising it is not always ours to do.
func rlimits() []specs.POSIXRlimit {
	files := uint64(65536)
	var own unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &own) == nil {
		files = min(files, own.Max)
	}
	return []specs.POSIXRlimit{{Type: "RLIMIT_NOFILE", Soft: files, Hard: files}, {Type: "RLIMIT_CORE"}}
}

// environment is given with the defaults for what it leaves out.
func environment(given []string) []string {
	env := slices.Clone(given)
	for _, def := range []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8"} {
		name, _, _ := strings.Cut(def, "=")
		if !slices.ContainsFunc(given, func(v string) bool { return strings.HasPrefix(v, name+"=") }) {
			env = append(env, def)
		}
	}
	return env
}

// writeBundle writes the OCI runtime configuration (OCI Runtime Specification
// 1.0.2) of s into dir.
func writeBundle(dir string, s Spec, h home, limits *specs.LinuxResources) error {
	config, err := json.MarshalIndent(ociSpec(s, h, limits), "", " ")
	if err != nil {
		return fmt.Errorf("writing the bundle of %s: %w", s.Name, err)
	}
	return os.WriteFile(filepath.Join(dir, "config.json"), config, 0o600)
}

func ociSpec(s Spec, h home, limits *specs.LinuxResources) specs.Spec {
	cwd := s.Cwd
	if cwd == "" {
		cwd = "/"
	}
	var caps []string
	if s.Machine {
		caps = machineCapabilities
	}
	return specs.Spec{
		Version:  "1.0.2",
		Hostname: s.Hostname,
		Root:     &specs.Root{Path: h.rootfs(), Readonly: !s.Machine},
		Process: &specs.Process{
			User:            specs.User{UID: h.ids.within(s.UID), GID: h.ids.within(s.GID)},
			Args:            s.Args,
			Env:             environment(s.Env),
			Cwd:             cwd,
			NoNewPrivileges: true,
			Capabilities:    &specs.LinuxCapabilities{Bounding: caps, Effective: caps, Permitted: caps},
			Rlimits:         rlimits(),
		},
		Mounts: mounts(s, h),
		Linux: &specs.Linux{
			Namespaces:  namespaces(s.NetNS, h.ids),
			UIDMappings: h.ids.mappings(),
			GIDMappings: h.ids.mappings(),
			Resources:   limits,
			CgroupsPath: groupPath(s.Name, limits),
			Seccomp:     seccomp(),
			MaskedPaths: []string{
				"/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
				"/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/fs/selinux",
			},
			ReadonlyPaths: []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"},
		},
	}
}

func (i ids) mappings() []specs.LinuxIDMapping {
	if !i.mapped() {
		return nil
	}
	return []specs.LinuxIDMapping{{ContainerID: 0, HostID: i.host, Size: i.size}}
}

// namespaces are those that runc makes. A network that is given is not among them:
// runc is started in it, and the sandbox stays where runc is, because a user
// namespace that does not own a network cannot enter it.
func namespaces(netns string, i ids) []specs.LinuxNamespace {
	out := []specs.LinuxNamespace{
		{Type: specs.PIDNamespace}, {Type: specs.IPCNamespace}, {Type: specs.UTSNamespace}, {Type: specs.MountNamespace},
	}
	if netns == "" {
		out = append(out, specs.LinuxNamespace{Type: specs.NetworkNamespace})
	}
	if i.mapped() {
		out = append(out, specs.LinuxNamespace{Type: specs.UserNamespace})
	}
	if _, err := os.Stat("/proc/self/ns/cgroup"); err == nil { // Linux 4.6
		out = append(out, specs.LinuxNamespace{Type: specs.CgroupNamespace})
	}
	return out
}

func mounts(s Spec, h home) []specs.Mount {
	tmpfs := func(target, mode string) specs.Mount {
		return specs.Mount{Destination: target, Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "nodev", mode, "size=1g"}}
	}
	sys := specs.Mount{Destination: "/sys", Type: "sysfs", Source: "sysfs", Options: []string{"nosuid", "noexec", "nodev", "ro"}}
	if s.NetNS != "" && h.ids.mapped() {
		sys.Type, sys.Source, sys.Options = "bind", filepath.Join(h.dir, "sys"), append([]string{"rbind"}, sys.Options...)
	}
	var out []specs.Mount
	if s.Machine {
		out = fixed(h.rootfs())
	}
	out = append(out, []specs.Mount{
		{Destination: "/proc", Type: "proc", Source: "proc", Options: []string{"nosuid", "noexec", "nodev"}},
		{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "strictatime", "mode=755", "size=64k"}},
		{Destination: "/dev/pts", Type: "devpts", Source: "devpts", Options: []string{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"}},
		{Destination: "/dev/shm", Type: "tmpfs", Source: "shm", Options: []string{"nosuid", "noexec", "nodev", "mode=1777", "size=1g"}},
		sys,
		tmpfs("/tmp", "mode=1777"),
		tmpfs("/run", "mode=755"),
	}...)
	for _, m := range s.Mounts {
		options := []string{"rbind", "nosuid", "nodev"}
		if m.ReadOnly {
			options = append(options, "ro")
		}
		out = append(out, specs.Mount{Destination: m.Target, Type: "bind", Source: m.Source, Options: options})
	}
	return out
}

// fixed are the parts of a machine's root that it cannot write to: the system, as it
// was installed. All else is the machine's disk: extensions and agents install
// themselves into /opt, /usr/local, /etc and /var.
func fixed(rootfs string) []specs.Mount {
	var out []specs.Mount
	for _, dir := range []string{"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/boot"} {
		if isFolder(rootfs + dir) { // and no link into /usr, which merged systems have
			out = append(out, specs.Mount{Destination: dir, Type: "bind", Source: rootfs + dir, Options: []string{"bind", "ro", "nosuid", "nodev"}})
		}
	}
	if isFolder(rootfs+"/usr") && isFolder(rootfs+"/usr/local") {
		out = append(out, specs.Mount{Destination: "/usr/local", Type: "bind", Source: rootfs + "/usr/local", Options: []string{"bind", "nosuid", "nodev"}})
	}
	return out
}

func isFolder(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.IsDir()
}
