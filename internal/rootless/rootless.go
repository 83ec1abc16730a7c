package rootless

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Inside is in the environment of what runs in the namespaces; its value is the
// user's id on the host.
const Inside = "CLOISTER_ROOTLESS"

// Needed reports whether this process has to go into namespaces to be root.
func Needed() bool { return os.Geteuid() != 0 }

// User is the id on the host of the user as whom this process runs in namespaces;
// false where it does not.
func User() (string, bool) {
	id := os.Getenv(Inside)
	return id, id != ""
}

// Ordinary reports whether this process has no more rights on the host than an
// ordinary user, be it root in namespaces or not.
func Ordinary() bool {
	_, inside := User()
	return inside || Needed()
}

// attributes of a process that is root in new namespaces, with the one id that an
// ordinary user can map (user_namespaces(7), "Defining user and group ID mappings").
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
		Setsid:      true,
	}
}

// Passed is how many files, from descriptor 3 on, [Init] passes on.
const Passed = 3

// Command is this program with args, to be the first process of new namespaces, as
// which it calls [Init]. It gets [Passed] files: what it is to use of the host's
// network must be opened by who starts it.
func Command(files [Passed]*os.File, args ...string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.SysProcAttr, cmd.ExtraFiles = attributes(), files[:]
	cmd.Env = append(os.Environ(), Inside+"="+strconv.Itoa(os.Geteuid()))
	return cmd
}

// Check tries whether this user may be root in namespaces, by running this program
// there with args, which call [Init]. It says what stands against it and what to do.
func Check(args ...string) error {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	defer null.Close()
	var said bytes.Buffer
	cmd := Command([Passed]*os.File{null, null, null}, args...)
	cmd.Stderr = &said
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return errors.New(strings.TrimPrefix(strings.TrimSpace(said.String()), "cloister: ")) // it has explained itself
	}
	if err != nil {
		return Explain(err)
	}
	return nil
}

// restrictions are settings by which a host keeps users out of namespaces.
var restrictions = []struct{ setting, forbids, allows string }{
	{"kernel.unprivileged_userns_clone", "0", "1"},
	{"kernel.apparmor_restrict_unprivileged_userns", "1", "0"},
	{"user.max_user_namespaces", "0", "15000"},
	{"user.max_net_namespaces", "0", "15000"},
}

// Explain says why an ordinary user cannot be root in namespaces here.
func Explain(err error) error {
	for _, r := range restrictions {
		value, readErr := os.ReadFile("/proc/sys/" + strings.ReplaceAll(r.setting, ".", "/"))
		if readErr == nil && strings.TrimSpace(string(value)) == r.forbids {
			return fmt.Errorf("this host lets no ordinary user make namespaces (%s = %s): run this as root, as with sudo, or have root allow it with `sysctl -w %s=%s` (%w)",
				r.setting, r.forbids, r.setting, r.allows, err)
		}
	}
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("this kernel has no user namespaces (CONFIG_USER_NS): run this as root, as with sudo (%w)", err)
	}
	return fmt.Errorf("an ordinary user cannot make namespaces here, as in a container without rights: run this as root, as with sudo (%w)", err)
}

// IDs is how many user ids this process can give to others.
func IDs() (uint64, error) {
	f, err := os.Open("/proc/self/uid_map")
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var n uint64
	for s := bufio.NewScanner(f); s.Scan(); {
		fields := strings.Fields(s.Text())
		if len(fields) != 3 {
			return 0, fmt.Errorf("%s is not a mapping of user ids", s.Text())
		}
		size, err := strconv.ParseUint(fields[2], 10, 64)
		if err != nil {
			return 0, err
		}
		n += size
	}
	return n, nil
}

// Enter is this program with args, in the namespaces that the process pid is in and
// in this process's folder. nsenter (util-linux) takes it there: a process with
// threads cannot enter a user namespace.
func Enter(ctx context.Context, pid int, args ...string) (*exec.Cmd, error) {
	nsenter, err := exec.LookPath("nsenter")
	if err != nil {
		return nil, errors.New("nsenter is not installed: apt-get install util-linux")
	}
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, nsenter, append([]string{
		"--target", strconv.Itoa(pid), "--user", "--mount", "--pid", "--net", "--ipc", "--uts", "--preserve-credentials", "--wd=" + dir, "--", exe,
	}, args...)...)
	cmd.Env = append(os.Environ(), Inside+"="+strconv.Itoa(os.Geteuid()))
	return cmd, nil
}
