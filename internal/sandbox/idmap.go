package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// userNamespace opens a user namespace with ids. No process is in it: the one that
// it is made with is stopped before its first instruction, and ended.
func userNamespace(i ids) (*os.File, error) {
	runtime.LockOSThread() // only the tracer's thread can end what it traces
	defer runtime.UnlockOSThread()
	mapping := []syscall.SysProcIDMap{{ContainerID: 0, HostID: int(i.host), Size: int(i.size)}}
	p, err := os.StartProcess("/proc/self/exe", []string{"ids"}, &os.ProcAttr{Sys: &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWUSER, UidMappings: mapping, GidMappings: mapping, Ptrace: true, Pdeathsig: unix.SIGKILL,
	}})
	if err != nil {
		return nil, fmt.Errorf("making a user namespace: %w", err)
	}
	f, err := os.Open("/proc/" + strconv.Itoa(p.Pid) + "/ns/user")
	killed := p.Kill()
	_, waited := p.Wait()
	if err := errors.Join(err, killed, waited); err != nil {
		return nil, fmt.Errorf("making a user namespace: %w", err)
	}
	return f, nil
}

// mapLayers shows each layer once more below dir/layers, there as belonging to
// ids, so that no copy of it is needed (mount_setattr(2), MOUNT_ATTR_IDMAP). The
// caller unmounts them.
func mapLayers(dir string, layers []string, i ids) ([]string, error) {
	ns, err := userNamespace(i)
	if err != nil {
		return nil, err
	}
	defer ns.Close()
	out := make([]string, len(layers))
	for n, layer := range layers {
		out[n] = filepath.Join(dir, "layers", strconv.Itoa(n))
		if err := os.MkdirAll(out[n], 0o700); err != nil {
			return nil, err
		}
		if err := mapMount(layer, out[n], int(ns.Fd())); err != nil {
			return nil, fmt.Errorf("showing %s with other owners: %w", layer, err)
		}
	}
	return out, nil
}

func mapMount(from, to string, userns int) error {
	fd, err := unix.OpenTree(unix.AT_FDCWD, from, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_IDMAP, Userns_fd: uint64(userns)}
	if err := unix.MountSetattr(fd, "", unix.AT_EMPTY_PATH, &attr); err != nil {
		return err
	}
	return unix.MoveMount(fd, "", unix.AT_FDCWD, to, unix.MOVE_MOUNT_F_EMPTY_PATH)
}

// unmapLayers undoes mapLayers; the root that is mounted of them stays.
func unmapLayers(dir string) error {
	mounted, err := filepath.Glob(filepath.Join(dir, "layers", "*"))
	if err != nil {
		return err
	}
	for _, m := range mounted {
		if err := detach(m); err != nil {
			return err
		}
	}
	return nil
}

// canMap tries in dir whether the kernel mounts an overlay of a folder that is shown
// with other owners: it does since Linux 5.19, on most file systems.
func canMap(dir string) error {
	dir, err := os.MkdirTemp(dir, ".mapping-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for _, d := range []string{"lower", "upper", "work", "rootfs"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil {
			return err
		}
	}
	lower, err := mapLayers(dir, []string{filepath.Join(dir, "lower")}, ids{firstRange, rangeSize})
	if err == nil {
		err = mountOverlay(filepath.Join(dir, "rootfs"), lower, filepath.Join(dir, "upper"), filepath.Join(dir, "work"))
	}
	return errors.Join(err, detach(filepath.Join(dir, "rootfs")), unmapLayers(dir))
}

// mountSys mounts at dir/sys what /sys is in a network namespace: in a user namespace
// that does not own the network, the sandbox itself may not.
func mountSys(dir, netns string) error {
	at := filepath.Join(dir, "sys")
	if err := os.MkdirAll(at, 0o755); err != nil {
		return err
	}
	return inNetwork(netns, func() error {
		return unix.Mount("sysfs", at, "sysfs", unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NOEXEC|unix.MS_NODEV, "")
	})
}

// inNetwork runs fn on a thread that is in a network namespace: processes that it
// starts are there too.
func inNetwork(netns string, fn func() error) error {
	fd, err := unix.Open(netns, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("opening the network namespace %s: %w", netns, err)
	}
	defer unix.Close(fd)
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with its goroutine
		if err := unix.Setns(fd, unix.CLONE_NEWNET); err != nil {
			done <- fmt.Errorf("entering the network namespace %s: %w", netns, err)
			return
		}
		done <- fn()
	}()
	return <-done
}
