package sshd

import (
	"fmt"
	"os"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sys/unix"
)

// Requests of a session channel (RFC 4254, section 6).
type (
	ptyRequest struct {
		Term                         string
		Columns, Rows, Width, Height uint32
		Modes                        string
	}
	windowChange struct{ Columns, Rows, Width, Height uint32 }
	envRequest   struct{ Name, Value string }
	execRequest  struct{ Command string }
	sigRequest   struct{ Name string }
	exitStatus   struct{ Status uint32 }
	exitSignal   struct {
		Name     string
		Core     bool
		Message  string
		Language string
	}
	forwardRequest struct {
		Host       string
		Port       uint32
		OriginHost string
		OriginPort uint32
	}
)

// terminal is a pseudo terminal: the server's side and that of the process.
type terminal struct {
	master, slave *os.File
	name          string
}

func openTerminal(r ptyRequest, owner account) (*terminal, error) {
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("opening a terminal: %w", err)
	}
	t := &terminal{master: master, name: r.Term}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		t.slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	}
	if err == nil && owner.credential() != nil {
		err = t.slave.Chown(int(owner.uid), int(owner.gid))
	}
	if err != nil {
		t.close()
		return nil, fmt.Errorf("opening a terminal: %w", err)
	}
	t.resize(windowChange{Columns: r.Columns, Rows: r.Rows, Width: r.Width, Height: r.Height})
	return t, nil
}

func (t *terminal) resize(w windowChange) {
	short := func(n uint32) uint16 { return uint16(min(n, 0xffff)) }
	_ = unix.IoctlSetWinsize(int(t.master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{
		Row: short(w.Rows), Col: short(w.Columns), Xpixel: short(w.Width), Ypixel: short(w.Height),
	}) // the process has ended: nobody looks
}

func (t *terminal) close() {
	t.master.Close()
	if t.slave != nil {
		t.slave.Close()
	}
}

// signals are those that a client may send (RFC 4254, section 6.10).
var signals = map[string]unix.Signal{
	"ABRT": unix.SIGABRT, "ALRM": unix.SIGALRM, "FPE": unix.SIGFPE, "HUP": unix.SIGHUP, "ILL": unix.SIGILL, "INT": unix.SIGINT, "KILL": unix.SIGKILL,
	"PIPE": unix.SIGPIPE, "QUIT": unix.SIGQUIT, "SEGV": unix.SIGSEGV, "TERM": unix.SIGTERM, "USR1": unix.SIGUSR1, "USR2": unix.SIGUSR2,
}

func signalName(s unix.Signal) string {
	for name, n := range signals {
		if n == s {
			return name
		}
	}
	return fmt.Sprintf("SIG%d@cloister", int(s))
}

func decode[T any](payload []byte) (T, bool) {
	var v T
	return v, ssh.Unmarshal(payload, &v) == nil
}
