package sshd

import (
	"errors"
	"io"
	"os/exec"
	"regexp"
	"sync"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sys/unix"
)

// session is one session channel: at most one process (RFC 4254, section 6).
type session struct {
	server  *Server
	user    account
	channel ssh.Channel
	env     []string
	tty     *terminal
	cmd     *exec.Cmd

	mu    sync.Mutex
	ended bool
}

const (
	maxEnv   = 64
	maxValue = 4 << 10
)

// envName lets a client set what changes a program's language and looks, and
// nothing that changes which program or library runs.
var envName = regexp.MustCompile(`^(LANG|LC_[A-Z]+|TERM|COLORTERM|NO_COLOR|TZ)$`)

func (s *session) serve(requests <-chan *ssh.Request) {
	defer s.channel.Close()
	for r := range requests {
		ok := s.request(r)
		if r.WantReply {
			_ = r.Reply(ok, nil) // the client has gone: requests end
		}
	}
	s.signal(unix.SIGHUP)
}

func (s *session) request(r *ssh.Request) bool {
	switch r.Type {
	case "env":
		e, ok := decode[envRequest](r.Payload)
		if !ok || !envName.MatchString(e.Name) || len(e.Value) > maxValue || len(s.env) >= maxEnv {
			return false
		}
		s.env = append(s.env, e.Name+"="+e.Value)
		return true
	case "pty-req":
		p, ok := decode[ptyRequest](r.Payload)
		if !ok || s.tty != nil || s.cmd != nil || len(p.Term) > 64 {
			return false
		}
		var err error
		if s.tty, err = openTerminal(p, s.user); err != nil {
			s.server.log.Warn("opening a terminal", "account", s.user.name, "error", err)
		}
		return err == nil
	case "window-change":
		w, ok := decode[windowChange](r.Payload)
		if ok && s.tty != nil {
			s.tty.resize(w)
		}
		return ok
	case "signal":
		n, ok := decode[sigRequest](r.Payload)
		if sig, known := signals[n.Name]; ok && known {
			s.signal(sig)
			return true
		}
		return false
	case "shell":
		return s.start("-"+base(s.user.shell), nil)
	case "exec":
		e, ok := decode[execRequest](r.Payload)
		return ok && s.start(base(s.user.shell), []string{"-c", e.Command})
	}
	return false
}

func base(path string) string {
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '/' {
			return path[i+1:]
		}
	}
	return path
}

// start starts the account's shell under a name: one that begins with a hyphen
// makes it a login shell.
func (s *session) start(name string, args []string) bool {
	if s.cmd != nil {
		return false
	}
	cmd := &exec.Cmd{
		Path: s.user.shell, Args: append([]string{name}, args...), Dir: s.user.folder(),
		Env:         append(s.user.environment(), s.env...),
		SysProcAttr: &syscall.SysProcAttr{Setsid: true, Credential: s.user.credential()},
	}
	var err error
	if s.tty != nil {
		err = s.onTerminal(cmd)
	} else {
		err = s.onPipes(cmd)
	}
	if err != nil {
		s.server.log.Warn("starting a shell", "account", s.user.name, "error", err)
		return false
	}
	return true
}

func (s *session) onTerminal(cmd *exec.Cmd) error {
	cmd.Stdin, cmd.Stdout, cmd.Stderr = s.tty.slave, s.tty.slave, s.tty.slave
	cmd.Env = append(cmd.Env, "TERM="+s.tty.name)
	cmd.SysProcAttr.Setctty = true
	if err := cmd.Start(); err != nil {
		return err
	}
	s.tty.slave.Close() // so that reading ends with the process
	s.cmd = cmd
	go func() { _, _ = io.Copy(s.tty.master, s.channel) }() // either end may go first
	said := make(chan struct{})
	go func() {
		defer close(said)
		_, _ = io.Copy(s.channel, s.tty.master) // EIO says that the process has gone
	}()
	go func() {
		err := cmd.Wait()
		s.hasEnded()
		select {
		case <-said:
		case <-time.After(outputDelay): // something in the background holds the terminal
		}
		s.finish(err)
		s.tty.close()
	}()
	return nil
}

func (s *session) onPipes(cmd *exec.Cmd) error {
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	cmd.Stdout, cmd.Stderr = s.channel, s.channel.Stderr()
	cmd.WaitDelay = outputDelay
	if err := cmd.Start(); err != nil {
		return err
	}
	s.cmd = cmd
	go func() {
		_, _ = io.Copy(in, s.channel) // the process may not want all of it
		in.Close()
	}()
	go func() {
		err := cmd.Wait()
		s.hasEnded()
		s.finish(err)
	}()
	return nil
}

func (s *session) hasEnded() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
}

// signal reaches the process and all that it started in its session. One that has
// ended is not signalled: its number may be another's.
func (s *session) signal(sig unix.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd != nil && s.cmd.Process != nil && !s.ended {
		_ = unix.Kill(-s.cmd.Process.Pid, sig) // it may end just now
	}
}

// finish says how the process ended, and closes the channel.
func (s *session) finish(err error) {
	var exit *exec.ExitError
	status := exitStatus{}
	if errors.As(err, &exit) {
		if ws, ok := exit.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
			_, _ = s.channel.SendRequest("exit-signal", false, ssh.Marshal(exitSignal{Name: signalName(ws.Signal())})) // nobody may listen
			_ = s.channel.Close()
			return
		}
		status.Status = uint32(exit.ExitCode())
	}
	_ = s.channel.CloseWrite()
	_, _ = s.channel.SendRequest("exit-status", false, ssh.Marshal(status))
	_ = s.channel.Close()
}
