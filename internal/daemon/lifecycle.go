package daemon

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/fabric"
	"github.com/cloister-ml/cloister/internal/rootless"
	"github.com/cloister-ml/cloister/internal/sandbox"
)

// readyEnv names the descriptor over which a daemon in the background says that
// it answers.
const readyEnv = "CLOISTER_READY_FD"

// SignalReady tells who started the daemon in the background that it answers.
func SignalReady() {
	if os.Getenv(readyEnv) == "" {
		return
	}
	f := os.NewFile(3, "ready")
	fmt.Fprintln(f, "ready")
	f.Close()
}

// Requirements says what this machine lacks to run a cloud, each with what to do.
func Requirements() []string {
	var missing []string
	if !rootless.Needed() {
		missing = fabric.Check()
	} else if err := CheckNamespaces(); err != nil { // the networks are tried in there, when the daemon starts
		missing = append(missing, err.Error())
	}
	for _, need := range []struct{ program, packages string }{
		{"runc", "runc"}, {"mmdebstrap", "mmdebstrap"}, {"git", "git"}, {"python3", "python3 python3-pip"}, {"nsenter", "util-linux"},
	} {
		if _, err := exec.LookPath(need.program); err != nil {
			missing = append(missing, need.program+" is not installed: apt-get install "+need.packages)
		}
	}
	return missing
}

// startTime is how long a daemon may take until it answers.
const startTime = 60 * time.Second

// Start starts a daemon in the background, with its control plane at listen and args
// after `cloister serve`, and
// returns when it answers. What it says goes to daemon.log in dir. store, which may
// have a password in it, is given to it where other users cannot see it.
func Start(ctx context.Context, dir, store, listen string, args ...string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the cloud's folder: %w", err)
	}
	logName := filepath.Join(dir, "daemon.log")
	log, err := os.OpenFile(logName, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("opening the daemon's log: %w", err)
	}
	defer log.Close()
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	args = append([]string{"serve", "--listen", listen}, args...)
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.SysProcAttr, cmd.Env, cmd.ExtraFiles = &syscall.SysProcAttr{Setsid: true}, os.Environ(), []*os.File{w}
	if rootless.Needed() {
		var done func()
		if cmd, done, err = inNamespaces(w, listen, args...); err != nil {
			return err
		}
		defer done()
	}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = append(cmd.Env, readyEnv+"=3", "CLOISTER_STORE="+store)
	cmd.Dir = "/"
	err = cmd.Start()
	w.Close()
	if err != nil {
		return fmt.Errorf("starting the daemon: %w", err)
	}
	return awaitReady(ctx, cmd, r, logName)
}

func awaitReady(outer context.Context, cmd *exec.Cmd, r *os.File, logName string) error {
	ctx, cancel := context.WithTimeout(outer, startTime)
	defer cancel()
	context.AfterFunc(ctx, func() { _ = r.SetReadDeadline(time.Now()) })
	line, _ := bufio.NewReader(r).ReadString('\n')
	if line == "ready\n" {
		go func() { _ = cmd.Wait() }() // should it end while we are here, it is not to stay a zombie
		return nil
	}
	if ctx.Err() != nil {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it cleans up and ends; there is nobody to tell
	}
	_ = cmd.Wait() // its status says less than its log
	if err := outer.Err(); err != nil {
		return fmt.Errorf("starting the cloud: %w", err)
	}
	return fmt.Errorf("the cloud did not start: %s", lastWords(logName))
}

// lastWords is the daemon's own error, from the end of its log.
func lastWords(name string) string {
	data, err := os.ReadFile(name)
	if err != nil {
		return err.Error()
	}
	text := string(data)
	if i := strings.LastIndex(text, "cloister: "); i >= 0 {
		return strings.TrimSpace(text[i+len("cloister: "):])
	}
	return "see " + name
}

// Stop asks the daemon in dir to end with all that runs, and waits until it has.
// A cloud that does not run is fine.
func Stop(ctx context.Context, dir string) error {
	c, err := Dial(dir)
	if errors.Is(err, ErrNotRunning) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := c.Down(ctx); err != nil {
		return err
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for alive(c.State.PID) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the daemon (process %d) to end: %w", c.State.PID, ctx.Err())
		case <-tick.C:
		}
	}
	return nil
}

// alive reports whether a process runs; one that only waits for its parent to take
// note of its end does not.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // the command's name is before, in parentheses
	return !strings.HasPrefix(rest, "Z")
}

// Down ends the cloud called name in dir and removes what it has put into the
// kernel, also where its daemon was killed; and its folder, unless keep. The folder
// is gone at once; its bytes are deleted in the background.
func Down(ctx context.Context, name, dir string, keep bool) error {
	if err := Stop(ctx, dir); err != nil {
		return err
	}
	if rootless.Needed() {
		// What an ordinary user's daemon made has gone with its namespaces.
		return removeFolder(ctx, dir, keep)
	}
	f, err := fabric.New(fabric.Options{Name: name})
	if err != nil {
		return err
	}
	if exists(filepath.Join(dir, "sandboxes")) {
		boxes, err := sandbox.Open(filepath.Join(dir, "sandboxes"))
		if err != nil {
			return err
		}
		left := nodes{d: &Daemon{options: Options{Dir: dir}}}
		if err := errors.Join(left.endLeftOver(), boxes.RemoveAll(ctx)); err != nil {
			return err
		}
	}
	if err := f.Remove(ctx); err != nil {
		return err
	}
	return removeFolder(ctx, dir, keep)
}

func removeFolder(ctx context.Context, dir string, keep bool) error {
	if keep || !exists(filepath.Join(dir, "cloud")) {
		return nil // no cloud has been here: the folder is somebody else's
	}
	if err := cloud.RemoveStore(ctx, filepath.Join(dir, "cloud")); err != nil {
		return err
	}
	return discard(dir, removeLater)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// Command is run in a machine by Exec.
type Command struct {
	Args   []string
	UID    uint32
	TTY    bool
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
}

// Exec runs a command in the machine called name and returns its exit status.
func Exec(ctx context.Context, c *Client, name string, cmd Command) (int, error) {
	if c.elsewhere() {
		args := []string{"exec", "--name", c.State.Name, "--data", c.dir, "--uid", fmt.Sprint(cmd.UID), "--", name}
		return c.inside(ctx, append(args, cmd.Args...), cmd.Stdin, cmd.Stdout, cmd.Stderr)
	}
	s, err := c.Status(ctx)
	if err != nil {
		return 0, err
	}
	var known []string
	for _, m := range s.Machines {
		if m.Sandbox == "" {
			continue
		}
		known = append(known, m.Name)
		if m.Name != name {
			continue
		}
		if !m.Running {
			return 0, fmt.Errorf("the machine %s does not run; see `cloister status`", name)
		}
		boxes, err := sandbox.Open(filepath.Join(c.dir, "sandboxes"))
		if err != nil {
			return 0, err
		}
		return boxes.Exec(ctx, m.Sandbox, sandbox.Exec{
			Args: cmd.Args, UID: cmd.UID, TTY: cmd.TTY, Stdin: cmd.Stdin, Stdout: cmd.Stdout, Stderr: cmd.Stderr,
		})
	}
	return 0, fmt.Errorf("there is no machine %q; there are %s", name, strings.Join(known, ", "))
}
