package rootless

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Init is the first process of namespaces that [Command] made: it prepares them,
// runs this program with args, and returns its exit status.
func Init(args []string) (int, error) {
	if os.Getpid() != 1 {
		return 0, errors.New("only the first process of its namespaces prepares them")
	}
	if err := prepare(); err != nil {
		return 0, Explain(err)
	}
	signals := make(chan os.Signal, 64)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGCHLD)
	null, err := os.Open(os.DevNull)
	if err != nil {
		return 0, err
	}
	files := []uintptr{null.Fd(), 1, 2}
	for fd := range uintptr(Passed) {
		files = append(files, 3+fd)
	}
	// Not os/exec: this process waits for every child, and two must not wait for one.
	pid, err := syscall.ForkExec("/proc/self/exe", append([]string{"cloister"}, args...), &syscall.ProcAttr{
		Dir: "/", Env: os.Environ(), Files: files, Sys: &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return 0, fmt.Errorf("starting the cloud in its namespaces: %w", err)
	}
	for _, fd := range files[3:] {
		_ = syscall.Close(int(fd)) // the other side waits until nobody has it
	}
	for s := range signals {
		if s != syscall.SIGCHLD {
			_ = syscall.Kill(pid, s.(syscall.Signal)) // it may have ended: reap tells
			continue
		}
		if status, ended := reap(pid); ended {
			return status, nil
		}
	}
	return 0, nil
}

// reap takes note of every process that ended, and says whether pid is among them.
func reap(pid int) (status int, ended bool) {
	for {
		var ws syscall.WaitStatus
		switch got, err := syscall.Wait4(-1, &ws, syscall.WNOHANG, nil); {
		case errors.Is(err, syscall.EINTR):
		case err != nil || got <= 0:
			return status, ended
		case got == pid && ws.Signaled():
			status, ended = 128+int(ws.Signal()), true
		case got == pid:
			status, ended = ws.ExitStatus(), true
		}
	}
}

// prepare makes the namespaces a place for a cloud: what is mounted here is seen
// nowhere else, /proc shows the processes in here, /run can be written to, and the
// network is a loopback interface.
func prepare() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SLAVE, ""); err != nil {
		return fmt.Errorf("parting from the host's mounts: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mounting /proc: %w", err)
	}
	if err := ownRun(); err != nil {
		return err
	}
	lo, err := netlink.LinkByName("lo")
	if err == nil {
		err = netlink.LinkSetUp(lo)
	}
	if err != nil {
		return fmt.Errorf("setting up the loopback interface: %w", err)
	}
	return nil
}

// ownRun mounts an empty /run, in which the folders of the host's are as they were:
// the resolver's configuration and the sockets of other services.
func ownRun() error {
	old, err := os.Open("/run")
	if err != nil {
		return err
	}
	defer old.Close()
	entries, err := old.ReadDir(-1)
	if err != nil {
		return err
	}
	if err := unix.Mount("tmpfs", "/run", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=755"); err != nil {
		return fmt.Errorf("mounting /run: %w", err)
	}
	for _, e := range entries {
		if !e.IsDir() || e.Name() == "netns" || e.Name() == "cloister" { // the cloud makes its own
			continue
		}
		at := filepath.Join("/run", e.Name())
		if err := os.Mkdir(at, 0o755); err != nil {
			return err
		}
		from := "/proc/self/fd/" + strconv.Itoa(int(old.Fd())) + "/" + e.Name()
		if err := unix.Mount(from, at, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
			_ = os.Remove(at) // one that the user may not see is not there
		}
	}
	return nil
}
