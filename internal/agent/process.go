package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// lookupVariable marks every process of a job, so that those that it leaves behind
// can be found, even by the next agent process after a kill.
const lookupVariable = "VSTS_PROCESS_LOOKUP_ID"

// How long a step's processes get after each signal, before the next.
const (
	afterInterrupt = 5 * time.Second
	afterTerminate = 2 * time.Second
)

// process is a program to run to its end.
type process struct {
	args   []string
	dir    string
	env    []string
	stdout func(line string)
	stderr func(line string)
}

// errStopped says that a process was stopped because its context ended.
var errStopped = errors.New("stopped")

// run runs a program in a process group of its own. When ctx ends the group is
// interrupted, then terminated, then killed.
func (p process) run(ctx context.Context) (exitCode int, err error) {
	if ctx.Err() != nil {
		return -1, errStopped
	}
	cmd := exec.Command(p.args[0], p.args[1:]...)
	cmd.Dir, cmd.Env = p.dir, p.env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = 2 * time.Second // for what the program left running with its output open
	out := &lineWriter{yield: p.stdout}
	complaint := out
	cmd.Stdout, cmd.Stderr = out, out
	if p.stderr != nil {
		complaint = &lineWriter{yield: p.stderr}
		cmd.Stderr = complaint
	}
	if err := cmd.Start(); err != nil {
		return -1, err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	stopped := false
	select {
	case err = <-done:
	case <-ctx.Done():
		stopped = true
		err = stopGroup(cmd.Process.Pid, done)
	}
	out.close()
	complaint.close()
	if stopped {
		return -1, errStopped
	}
	return exitCodeOf(cmd, err)
}

func exitCodeOf(cmd *exec.Cmd, err error) (int, error) {
	var exit *exec.ExitError
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay):
		return cmd.ProcessState.ExitCode(), nil
	case errors.As(err, &exit):
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			return 128 + int(status.Signal()), nil
		}
		return exit.ExitCode(), nil
	}
	return -1, err
}

func stopGroup(pid int, done <-chan error) error {
	for _, s := range []struct {
		signal syscall.Signal
		wait   time.Duration
	}{{syscall.SIGINT, afterInterrupt}, {syscall.SIGTERM, afterTerminate}} {
		_ = syscall.Kill(-pid, s.signal) // gone already: done tells
		t := time.NewTimer(s.wait)
		select {
		case err := <-done:
			t.Stop()
			_ = syscall.Kill(-pid, syscall.SIGKILL)
			return err
		case <-t.C:
		}
	}
	_ = syscall.Kill(-pid, syscall.SIGKILL)
	return <-done
}

// lineWriter cuts what is written into lines.
type lineWriter struct {
	mu     sync.Mutex
	rest   []byte
	closed bool // what the program left running may write no more
	yield  func(line string)
}

func (w *lineWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := len(p)
	if w.closed {
		return n, nil
	}
	for {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			break
		}
		w.yield(string(append(w.rest, p[:i]...)))
		w.rest, p = nil, p[i+1:]
	}
	w.rest = append(w.rest, p...)
	if len(w.rest) > maxLineLength { // a line without an end must not fill the memory
		w.yield(string(w.rest))
		w.rest = nil
	}
	return n, nil
}

// close gives the last line, where it has no end.
func (w *lineWriter) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.rest) > 0 {
		w.yield(string(w.rest))
		w.rest = nil
	}
	w.closed = true
}

// killLeftovers kills every process that carries the mark of a job, and says how
// many there were.
func killLeftovers(lookup string) int {
	mark := []byte(lookupVariable + "=" + lookup)
	killed := 0
	for range 3 { // a process may be starting another
		found := 0
		entries, err := os.ReadDir("/proc")
		if err != nil {
			return killed
		}
		for _, e := range entries {
			pid, err := strconv.Atoi(e.Name())
			if err != nil || pid == os.Getpid() || !hasEnvironment(pid, mark) {
				continue
			}
			if syscall.Kill(pid, syscall.SIGKILL) == nil {
				found++
			}
		}
		if found == 0 {
			break
		}
		killed = max(killed, found)
		time.Sleep(20 * time.Millisecond)
	}
	return killed
}

func hasEnvironment(pid int, mark []byte) bool {
	f, err := os.Open(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil {
		return false
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 1<<20))
	if err != nil {
		return false
	}
	for entry := range bytes.SplitSeq(text, []byte{0}) {
		if bytes.Equal(entry, mark) {
			return true
		}
	}
	return false
}

// environmentList makes what exec wants of a map.
func environmentList(env map[string]string) []string {
	out := make([]string, 0, len(env))
	for k, v := range env {
		if k != "" && !strings.ContainsAny(k, "=\x00") && !strings.Contains(v, "\x00") {
			out = append(out, k+"="+v)
		}
	}
	return out
}
