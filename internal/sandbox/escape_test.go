package sandbox_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// attempt is a program in Python that tries something with the kernel's calls, and
// says "escaped" where it could; call(n, ...) is syscall(2) and gives the error's
// number, 0 for none.
const attempt = `
import ctypes, os, sys, socket, errno, struct, platform
libc = ctypes.CDLL(None, use_errno=True)
arm = platform.machine() == "aarch64"
def call(x86, arm64, *args):
    ctypes.set_errno(0)
    r = libc.syscall(ctypes.c_long(arm64 if arm else x86), *[ctypes.c_void_p(a) if isinstance(a, int) else a for a in args])
    return ctypes.get_errno() if r == -1 else 0
def escaped(yes, what=""):
    print("escaped" if yes else "held", what)
    sys.exit(0)
def opens(path, flags=os.O_RDWR):
    try:
        os.close(os.open(path, flags))
        return True
    except OSError:
        return False
`

// Escapes that a workload may try, each from a machine, which has the more rights,
// and from a job. The attempt must get to its end and say that the sandbox held.
var escapes = []struct{ name, python string }{
	{"mounting a file system", `escaped(call(165, 40, b"none", b"/mnt", b"tmpfs", 0, 0) == 0)`},
	{"mounting by the new calls", `escaped(call(430, 430, b"tmpfs", 0) == 0)`},
	{"remounting the root", `escaped(call(165, 40, b"none", b"/proc/sys", b"", 32 | 4096, 0) == 0)`},
	{"unmounting what hides something", `escaped(call(166, 39, b"/proc/kcore", 2) == 0)`},
	{"changing the root", `escaped(call(155, 41, b"/", b"/mnt") == 0)`},
	{"seeing processes outside", `escaped(any(p.isdigit() and "cloister-" + "escape-host" in open("/proc/%s/cmdline" % p).read() for p in os.listdir("/proc")))`},
	{"reading another process's memory", `escaped(call(310, 270, os.getppid(), 0, 0, 0, 0, 0) == 0)`},
	{"writing kernel parameters", `escaped(opens("/proc/sys/kernel/core_pattern") or opens("/proc/sys/net/ipv4/ip_forward") or opens("/proc/sysrq-trigger", os.O_WRONLY))`},
	{"writing to /sys", `
found = [os.path.join(d, f) for d, _, fs in os.walk("/sys/kernel") for f in fs][:400]
escaped(any(opens(f, os.O_WRONLY) for f in found) or opens("/sys/power/state", os.O_WRONLY), len(found))`},
	{"seeing control groups", `escaped(os.path.isdir("/sys/fs/cgroup") and any(opens(os.path.join(d, f), os.O_WRONLY) for d, _, fs in os.walk("/sys/fs/cgroup") for f in fs))`},
	{"mounting control groups", `escaped(call(165, 40, b"none", b"/mnt", b"cgroup", 0, b"memory") == 0 or call(165, 40, b"none", b"/mnt", b"cgroup2", 0, 0) == 0)`},
	{"making a device", `
try:
    os.mknod("/tmp/disk", 0o600 | 0o060000, os.makedev(254, 0))
    escaped(opens("/tmp/disk", os.O_RDONLY))
except OSError:
    escaped(False)`},
	{"using the host's devices", `escaped(any(opens(d, os.O_RDONLY) for d in ("/dev/mem", "/dev/kmsg", "/dev/vda", "/dev/sda", "/dev/kvm", "/dev/net/tun", "/dev/fuse")))`},
	{"loading a kernel module", `escaped(call(175, 105, b"x", 1, b"") != errno.EPERM or call(313, 273, 0, b"", 0) != errno.EPERM)`},
	{"loading a kernel", `escaped(call(246, 104, 0, 0, 0, 0) != errno.EPERM)`},
	{"the keyring", `escaped(call(250, 219, 0, -3, 0) != errno.EPERM or call(248, 217, b"user", b"k", b"v", 1, -3) != errno.EPERM)`},
	{"userfaultfd", `escaped(call(323, 282, 0) != errno.EPERM)`},
	{"bpf", `escaped(call(321, 280, 0, 0, 0) != errno.EPERM)`},
	{"watching the whole machine's performance", `escaped(call(298, 241, 0, 0, -1, -1, 0) != errno.EPERM)`},
	{"io_uring", `escaped(call(425, 425, 1, 0) != errno.EPERM)`},
	{"opening a file by its handle", `escaped(call(304, 265, 0, 0, 0) != errno.EPERM)`},
	{"new namespaces", `escaped(any(call(272, 97, flag) == 0 for flag in (0x10000000, 0x20000, 0x40000000, 0x20000000, 0x8000000, 0x4000000, 0x2000000)))`},
	{"another network namespace", `
fd = os.open("/proc/self/ns/net", os.O_RDONLY)
escaped(call(308, 268, fd, 0x40000000) == 0)`},
	{"an address of its own choice", `
s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
lo = socket.if_nametoindex("lo")
body = struct.pack("BBBBi", 2, 32, 0, 0, lo) + struct.pack("HH4s", 8, 2, socket.inet_aton("10.9.9.9"))
s.send(struct.pack("IHHII", 16 + len(body), 20, 0x401 | 4, 1, 0) + body)
answer = s.recv(4096)
code = struct.unpack_from("i", answer, 16)[0]
escaped(code != -errno.EPERM, code)`},
	{"a route of its own choice", `
s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
lo = socket.if_nametoindex("lo")
body = struct.pack("BBBBBBBBI", 2, 8, 0, 0, 254, 3, 253, 1, 0) + struct.pack("HH4s", 8, 1, socket.inet_aton("10.0.0.0")) + struct.pack("HHi", 8, 4, lo)
s.send(struct.pack("IHHII", 16 + len(body), 24, 0x401 | 4, 1, 0) + body)
code = struct.unpack_from("i", s.recv(4096), 16)[0]
escaped(code != -errno.EPERM, code)`},
	{"raw sockets", `
def raw(*args):
    try:
        socket.socket(*args).close()
        return True
    except OSError:
        return False
escaped(raw(socket.AF_INET, socket.SOCK_RAW, 1) or raw(socket.AF_PACKET, socket.SOCK_RAW, 3) or raw(socket.AF_PACKET, socket.SOCK_DGRAM, 3))`},
	{"the clock", `escaped(call(227, 112, 0, (ctypes.c_long * 2)(1, 0)) == 0)`},
	{"rebooting", `escaped(call(169, 142, 0xfee1dead, 672274793, 0, 0) != errno.EPERM)`},
	{"becoming a user of the host", `
outside = int(open("/proc/self/uid_map").read().split()[1])
def becomes(uid):
    try:
        os.setresuid(uid, uid, uid)
        return True
    except OSError:
        return False
escaped(outside != 0 and any(becomes(n) for n in (65536, 1 << 30, outside)), outside)`},
	{"mapping more users", `
before = open("/proc/self/uid_map").read()
try:
    os.write(os.open("/proc/self/uid_map", os.O_WRONLY), b"0 0 4294967295")
except OSError:
    pass
escaped(open("/proc/self/uid_map").read() != before)`},
	{"writing to the system", `
escaped(any(opens(f, os.O_WRONLY | os.O_CREAT) for f in ("/usr/bin/python3", "/usr/lib/x", "/usr/sbin/x", "/bin/x", "/lib/x")))`},
	{"another root for /proc", `escaped(call(165, 40, b"proc", b"/mnt", b"proc", 0, 0) == 0 or call(165, 40, b"sysfs", b"/mnt", b"sysfs", 0, 0) == 0)`},
	{"more privileges than it began with", `
bits = [int(l.split()[1], 16) for l in open("/proc/self/status") if l.startswith("CapBnd")][0]
never = {12: "net_admin", 13: "net_raw", 16: "sys_module", 17: "sys_rawio", 19: "sys_ptrace", 21: "sys_admin", 22: "sys_boot", 25: "sys_time", 27: "mknod", 38: "perfmon", 39: "bpf"}
escaped(any(bits >> n & 1 for n in never), hex(bits))`},
}

func TestEscapes(t *testing.T) {
	r := open(t)
	if _, err := os.Stat("/usr/bin/python3"); err != nil {
		t.Skip("python3 is not installed")
	}
	outside := exec.Command("/bin/sleep", "300")
	outside.Args[0] = "cloister-escape-host"
	if err := outside.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = outside.Process.Kill(); _ = outside.Wait() })
	for _, machine := range []bool{true, false} {
		kind := map[bool]string{true: "machine", false: "job"}[machine]
		for i, tt := range escapes {
			t.Run(kind+"/"+tt.name, func(t *testing.T) {
				t.Parallel()
				var out bytes.Buffer
				s := spec(fmt.Sprintf("escape-%s-%d", kind, i), "/usr/bin/python3", "-c", attempt+tt.python)
				s.Machine, s.Stdout, s.Stderr = machine, &out, &out
				code, err := r.Run(t.Context(), s)
				if err != nil || code != 0 || !strings.HasPrefix(out.String(), "held") {
					t.Errorf("status %d, error %v: %s", code, err, out.String())
				}
			})
		}
	}
}

// A program that would change its user when started does not: nothing in a sandbox
// gains privileges.
func TestSetuidProgramsGainNothing(t *testing.T) {
	r := open(t)
	disk := t.TempDir()
	if err := os.Chmod(disk, 0o755); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile("/usr/bin/id")
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(disk, "suid-id")
	if err := os.WriteFile(program, data, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(program, 0o755|os.ModeSetuid); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	s := spec("setuid", "/bin/sh", "-c", "test -u /suid-id && /suid-id -u")
	s.Upper, s.UID, s.GID, s.Stdout, s.Stderr = disk, 1000, 1000, &out, &out
	if code, err := r.Run(t.Context(), s); err != nil || code != 0 || out.String() != "1000\n" {
		t.Errorf("status %d, error %v: %s", code, err, out.String())
	}
}

// Two sandboxes do not see each other's processes, files or shared memory.
func TestSandboxesAreApart(t *testing.T) {
	r := open(t)
	s := spec("apart-a", "/bin/sh", "-c", "echo mine >/dev/shm/x; echo mine >/tmp/x; exec sleep 100")
	s.Machine = true
	a, err := r.Start(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Stop(t.Context(), 0) })
	var out bytes.Buffer
	b := spec("apart-b", "/bin/sh", "-c", "ls /proc | grep -c '^[0-9]'; cat /dev/shm/x /tmp/x 2>/dev/null; ipcs -m 2>/dev/null | grep -c 0x; true")
	b.Machine, b.Stdout = true, &out
	if _, err := r.Run(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "mine") {
		t.Errorf("it sees %q", out.String())
	}
}
