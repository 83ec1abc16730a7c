package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/cloister-ml/cloister/internal/rootless"
	"github.com/cloister-ml/cloister/internal/tunnel"
)

// Mode says as whom a cloud runs.
type Mode struct {
	User  string   `json:"user,omitempty"`  // id on the host of the ordinary user; "" for root
	Lacks []string `json:"lacks,omitempty"` // what is not as it is for root
}

// String says it in a few words.
func (m Mode) String() string {
	if m.User == "" {
		return "as root"
	}
	return "rootless, in a user namespace of user " + m.User
}

// mode says what an ordinary user's cloud goes without.
func (d *Daemon) mode() Mode {
	user, ok := rootless.User()
	if !ok {
		return Mode{}
	}
	m := Mode{User: user}
	if n, err := rootless.IDs(); err == nil && n == 1 {
		m.Lacks = append(m.Lacks,
			"one user id: in a machine or job every process, and whoever logs in, is its root, which on this host is user "+user)
	}
	m.Lacks = append(m.Lacks, "no network of the host: Python packages that are not in the cache cannot be fetched for environments")
	if !tunnel.Available() {
		for _, g := range d.fabric.Gateways() {
			m.Lacks = append(m.Lacks, "the VPN gateway "+g.Name()+" is kept, not run: no TUN device for user "+user)
		}
	}
	return m
}

// Descriptors of the sockets on the host that a daemon in namespaces is given, after
// the one by which it says that it answers.
const (
	controlFD = 4
	proxyFD   = 5
)

// inNamespaces is this program with args for an ordinary user, given the sockets that
// it has on this host. done closes them here, once it has been started.
func inNamespaces(ready *os.File, listen string, args ...string) (cmd *exec.Cmd, done func(), err error) {
	files := [rootless.Passed]*os.File{ready}
	done = func() {
		for _, f := range files[1:] {
			if f != nil {
				f.Close()
			}
		}
	}
	for i, address := range []string{listen, ""} {
		l, err := listenOnHost(address)
		if err != nil {
			done()
			return nil, nil, err
		}
		files[1+i], err = l.File() // a duplicate
		l.Close()
		if err != nil {
			done()
			return nil, nil, err
		}
	}
	return rootless.Command(files, append([]string{"machine", "namespaces", "--"}, args...)...), done, nil
}

// CheckNamespaces says why an ordinary user cannot run a cloud here.
func CheckNamespaces() error { return rootless.Check("machine", "namespaces", "--", "machine") }

// ServeInNamespaces runs `cloister serve` with args for an ordinary user until ctx
// ends, and returns its exit status.
func ServeInNamespaces(ctx context.Context, listen string, args ...string) (int, error) {
	if err := CheckNamespaces(); err != nil {
		return 0, err
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		return 0, err
	}
	defer null.Close()
	cmd, done, err := inNamespaces(null, listen, args...)
	if err != nil {
		return 0, err
	}
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	err = cmd.Start()
	done()
	if err != nil {
		return 0, rootless.Explain(err)
	}
	defer context.AfterFunc(ctx, func() { _ = cmd.Process.Signal(unix.SIGTERM) })() // Wait tells how it ended
	return exitStatus(cmd.Wait())
}

func exitStatus(err error) (int, error) {
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Exited() {
		return exit.ExitCode(), nil
	}
	return 0, err
}

// hostListener opens a socket on the host, or takes the one that was handed in.
func hostListener(address string, fd uintptr) (net.Listener, error) {
	if _, ok := rootless.User(); !ok {
		return listenOnHost(address)
	}
	f := os.NewFile(fd, "listener")
	defer f.Close() // FileListener has a duplicate
	return net.FileListener(f)
}

func listenOnHost(address string) (*net.TCPListener, error) {
	if address == "" {
		address = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("nothing can listen at %s (choose another with --listen): %w", address, err)
	}
	return l.(*net.TCPListener), nil // what "tcp" gives
}

// elsewhere reports whether the daemon is in namespaces that this process is not in.
func (c *Client) elsewhere() bool {
	_, inside := rootless.User()
	return c.State.User != "" && !inside
}

// inside runs this program with args where the daemon is, and returns its exit
// status.
func (c *Client) inside(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) (int, error) {
	if c.State.User != strconv.Itoa(os.Geteuid()) {
		return 0, fmt.Errorf("the cloud %s is user %s's: run this as that user", c.State.Name, c.State.User)
	}
	cmd, err := rootless.Enter(ctx, c.State.PID, args...)
	if err != nil {
		return 0, err
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, stdout, stderr
	return exitStatus(cmd.Run())
}

// peer is the process at the other end of a unix socket, as this process's namespace
// numbers it.
func peer(conn net.Conn) (int, error) {
	u, ok := conn.(*net.UnixConn)
	if !ok {
		return 0, errors.New("not a unix socket")
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return 0, err
	}
	var cred *unix.Ucred
	var got error
	if err := raw.Control(func(fd uintptr) { cred, got = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) }); err != nil {
		return 0, err
	}
	if got != nil {
		return 0, got
	}
	return int(cred.Pid), nil
}
