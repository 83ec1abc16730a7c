package fabric

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/cloister-ml/cloister/internal/rootless"
)

// namespaceDir is where `ip netns` looks.
const namespaceDir = "/run/netns"

// nsfsMagic is the file system type of a namespace that is mounted on a file.
const nsfsMagic = 0x6e736673

// NamespacePath is the file that a namespace is mounted on.
func NamespacePath(name string) string { return filepath.Join(namespaceDir, name) }

// onThread runs fn on an operating system thread that may be moved to another
// network namespace. A thread that does not come back is not used again: it ends
// with its goroutine.
func onThread(fn func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		home, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			runtime.UnlockOSThread()
			done <- fmt.Errorf("opening the thread's own network namespace: %w", err)
			return
		}
		defer unix.Close(home)
		err = fn()
		if back := unix.Setns(home, unix.CLONE_NEWNET); back != nil {
			done <- errors.Join(err, fmt.Errorf("returning to the thread's own network namespace: %w", back))
			return
		}
		runtime.UnlockOSThread()
		done <- err
	}()
	return <-done
}

// within runs fn in the network namespace that the file descriptor is of.
// Sockets that fn opens belong to that namespace for ever.
func within(namespace int, fn func() error) error {
	return onThread(func() error {
		if err := unix.Setns(namespace, unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("entering a network namespace: %w", err)
		}
		return fn()
	})
}

// openNamespace opens a namespace by name; the caller closes it.
func openNamespace(name string) (int, error) {
	path := NamespacePath(name)
	if !isNamespace(path) {
		return -1, fmt.Errorf("the network namespace %s does not exist: %w", name, os.ErrNotExist)
	}
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("opening the network namespace %s: %w", name, err)
	}
	return fd, nil
}

func isNamespace(path string) bool {
	var st unix.Statfs_t
	return unix.Statfs(path, &st) == nil && st.Type == nsfsMagic
}

// createNamespace makes a namespace, prepares it from within, and only then
// gives it its name: a name never stands for a namespace that is half prepared.
func createNamespace(name string, prepare func() error) error {
	path := NamespacePath(name)
	if err := os.WriteFile(path, nil, 0o444); err != nil {
		return fmt.Errorf("naming the network namespace %s: %w", name, err)
	}
	err := onThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("making the network namespace %s: %w", name, err)
		}
		if err := prepare(); err != nil {
			return fmt.Errorf("preparing the network namespace %s: %w", name, err)
		}
		if err := unix.Mount("/proc/thread-self/ns/net", path, "none", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("naming the network namespace %s: %w", name, err)
		}
		return nil
	})
	if err != nil && !isNamespace(path) {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}

// removeNamespace takes a namespace's name away; the kernel ends the namespace
// when nothing runs in it any more.
func removeNamespace(name string) error {
	path := NamespacePath(name)
	for isNamespace(path) {
		if err := unix.Unmount(path, unix.MNT_DETACH); err != nil {
			return fmt.Errorf("unmounting the network namespace %s: %w", name, err)
		}
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("removing the network namespace %s: %w", name, err)
	}
	return nil
}

// namespacesOf are the names under a prefix, those included that a killed
// process left without a namespace behind them.
func namespacesOf(prefix string) ([]string, error) {
	entries, err := os.ReadDir(namespaceDir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing network namespaces: %w", err)
	}
	var out []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), prefix) {
			out = append(out, e.Name())
		}
	}
	return out, nil
}

// prepareDir makes the folder for namespaces as `ip netns` would: a mount that
// is shared, so that a name removed here is removed everywhere.
func prepareDir() error {
	if err := os.MkdirAll(namespaceDir, 0o755); err != nil {
		return fmt.Errorf("making %s: %w", namespaceDir, err)
	}
	share := func() error { return unix.Mount("", namespaceDir, "none", unix.MS_SHARED|unix.MS_REC, "") }
	err := share()
	if errors.Is(err, unix.EINVAL) { // it is no mount yet
		if err = unix.Mount(namespaceDir, namespaceDir, "none", unix.MS_BIND|unix.MS_REC, ""); err == nil {
			err = share()
		}
	}
	if err != nil {
		return fmt.Errorf("sharing %s: %w", namespaceDir, err)
	}
	return nil
}

// setting is a kernel parameter below /proc/sys/net.
type setting struct{ path, value string }

// settings of a new namespace; the first two may change later. A cable has no IPv6
// until it is given an address of it: what is not built must not carry packets.
// Then it has the addresses that it is given, and none that it makes up itself or
// hears of from a router (RFC 4862).
func settings(r Role, forward bool) []setting {
	list := []setting{
		{"ipv4/ip_forward", map[bool]string{true: "1", false: "0"}[forward]},
		{"ipv6/conf/all/forwarding", map[bool]string{true: "1", false: "0"}[forward]},
		{"ipv6/conf/default/disable_ipv6", "1"},
		{"ipv6/conf/default/addr_gen_mode", "1"}, // none (linux/if_link.h)
		{"ipv6/conf/default/accept_ra", "0"},
		{"ipv6/conf/default/autoconf", "0"},
		{"ipv6/conf/all/accept_redirects", "0"},
		{"ipv6/conf/default/accept_redirects", "0"},
		{"ipv4/conf/all/accept_redirects", "0"},
		{"ipv4/conf/default/accept_redirects", "0"},
		{"ipv4/conf/all/send_redirects", "0"},
		{"ipv4/conf/default/send_redirects", "0"},
		// The routers' filter knows each interface's addresses exactly; the reverse
		// path would also refuse what Azure lets pass on a way back that differs.
		{"ipv4/conf/all/rp_filter", "0"},
		{"ipv4/conf/default/rp_filter", "0"},
	}
	switch r {
	case RoleRouter, RoleInternet, RoleFirewall:
		// Whoever is refused should hear of it at once, each time.
		return append(list, setting{"ipv6/conf/all/disable_ipv6", "1"}, setting{"ipv4/icmp_ratelimit", "0"}, setting{"ipv6/icmp/ratelimit", "0"},
			// A connection begins with a handshake: what was ended must not come back
			// by a packet from its middle.
			setting{"netfilter/nf_conntrack_tcp_loose", "0"})
	}
	// A machine's root has no right over its network, so neither of these asks for one.
	return append(list, setting{"ipv4/ping_group_range", pingGroups()}, setting{"ipv4/ip_unprivileged_port_start", "0"})
}

// pingGroups are all groups that this process knows of: the kernel takes no other
// (icmp(7), ping_group_range).
func pingGroups() string {
	last := uint64(1<<31 - 1)
	if n, err := rootless.IDs(); err == nil && n > 0 {
		last = min(last, n-1)
	}
	return fmt.Sprint("0 ", last)
}

func writeSettings(list []setting) error {
	for _, s := range list {
		err := os.WriteFile("/proc/sys/net/"+s.path, []byte(s.value), 0)
		if errors.Is(err, os.ErrNotExist) && strings.HasPrefix(s.path, "ipv6/") {
			continue // a kernel without IPv6 has none to switch off
		}
		if err != nil {
			return fmt.Errorf("setting net/%s to %s: %w", s.path, s.value, err)
		}
	}
	return nil
}
