package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/cloister-ml/cloister/internal/rootless"
)

// Runtime runs sandboxes whose bundles and state are below one folder.
type Runtime struct {
	dir         string
	runc        string
	controllers map[string]bool
	mapping     func() (mapping, error) // tried once
}

// mapping says which user ids sandboxes get.
type mapping struct {
	own    bool   // a range for each
	shared ids    // for all of them where not
	lacks  string // why not
}

// Open prepares a runtime below dir, which is made with mode 0700. It says what
// is missing where the host cannot run sandboxes.
func Open(dir string) (*Runtime, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("preparing sandboxes: %w", err)
	}
	if !mountable(dir) {
		return nil, fmt.Errorf("sandboxes cannot be kept in %q: its path must not hold ':', ',' or '\\'", dir)
	}
	if os.Geteuid() != 0 {
		return nil, errors.New("sandboxes need root, or namespaces in which this user is root")
	}
	runc, err := exec.LookPath("runc")
	if err != nil {
		return nil, errors.New("runc is not installed: apt-get install runc")
	}
	for _, d := range []string{dir, filepath.Join(dir, "state"), filepath.Join(dir, "bundles")} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return nil, fmt.Errorf("preparing sandboxes: %w", err)
		}
	}
	return &Runtime{dir: dir, runc: runc, controllers: controllers(), mapping: sync.OnceValues(func() (mapping, error) { return tryMapping(dir) })}, nil
}

// tryMapping finds out which user ids sandboxes can have here.
func tryMapping(dir string) (mapping, error) {
	n, err := rootless.IDs()
	switch {
	case err != nil:
		return mapping{}, fmt.Errorf("finding out which user ids there are: %w", err)
	case n < firstRange+rangeSize:
		size := uint32(min(n, rangeSize))
		return mapping{shared: ids{0, size}, lacks: fmt.Sprintf("user ids of its own for each machine: all share %d of this host's", size)}, nil
	}
	if err := canMap(dir); err != nil {
		return mapping{lacks: fmt.Sprintf("user ids of its own for each machine: a machine's root is this host's (%v)", err)}, nil
	}
	return mapping{own: true}, nil
}

// Unenforced names the limits that this host does not enforce: cpu, memory, pids,
// and that each sandbox has user ids of its own.
func (r *Runtime) Unenforced() []string {
	_, missing := resources(Limits{CPUs: 1, Memory: 1, PIDs: 1}, r.controllers)
	if w, err := r.mapping(); err == nil && w.lacks != "" {
		missing = append(missing, w.lacks)
	}
	return missing
}

func (r *Runtime) bundle(name string) string { return filepath.Join(r.dir, "bundles", name) }

func (r *Runtime) command(ctx context.Context, args ...string) *exec.Cmd {
	global := []string{"--root", filepath.Join(r.dir, "state")}
	if _, ok := rootless.User(); ok { // it finds no control groups of its own
		global = append(global, "--rootless", "true")
	}
	return exec.CommandContext(ctx, r.runc, append(global, args...)...)
}

// Sandbox is a running process tree.
type Sandbox struct {
	name    string
	runtime *Runtime
	done    chan struct{}
	code    int
	err     error
}

// Start starts the process tree of s and returns once runc has set it up. A
// sandbox of the same name that is left from before is removed first.
func (r *Runtime) Start(ctx context.Context, s Spec) (*Sandbox, error) {
	if err := s.validate(); err != nil {
		return nil, fmt.Errorf("starting sandbox: %w", err)
	}
	if err := r.Remove(ctx, s.Name); err != nil {
		return nil, err
	}
	if err := r.prepare(s); err != nil {
		return nil, errors.Join(err, r.Remove(context.WithoutCancel(ctx), s.Name))
	}
	sb, err := r.run(ctx, s)
	if err != nil {
		return nil, errors.Join(err, r.Remove(context.WithoutCancel(ctx), s.Name))
	}
	return sb, nil
}

func (r *Runtime) prepare(s Spec) error {
	dir := r.bundle(s.Name)
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return fmt.Errorf("preparing sandbox %s: %w", s.Name, err)
	}
	h, err := r.home(dir, s)
	if err != nil {
		return fmt.Errorf("preparing sandbox %s: %w", s.Name, err)
	}
	for _, m := range s.Mounts {
		if m.ReadOnly || !h.ids.own() && s.UID == 0 && s.GID == 0 {
			continue
		}
		if err := os.Lchown(m.Source, h.ids.of(s.UID), h.ids.of(s.GID)); err != nil {
			return fmt.Errorf("giving %s to the sandbox %s: %w", m.Source, s.Name, err)
		}
	}
	if err := mountRoot(dir, h, s); err != nil {
		return err
	}
	limits, _ := resources(s.Limits, r.controllers)
	if !slices.Contains(slices.Collect(maps.Values(r.controllers)), true) {
		limits = nil
	}
	return writeBundle(dir, s, h, limits)
}

// home gives the sandbox whose bundle is in dir its user ids, those that its disk
// belongs to already if they are free, and a place for its root.
func (r *Runtime) home(dir string, s Spec) (home, error) {
	w, err := r.mapping()
	if err != nil || !w.own {
		return home{dir: dir, ids: w.shared}, err
	}
	var wanted uint32
	if s.Upper != "" {
		wanted = ownerOf(s.Upper)
	}
	c, err := takeRange(dir, wanted)
	return home{dir: c.dir, ids: c.ids}, err
}

// run starts runc in the foreground: it stays the parent of the sandbox's first
// process and ends with its exit status.
func (r *Runtime) run(ctx context.Context, s Spec) (*Sandbox, error) {
	pidFile := filepath.Join(r.bundle(s.Name), "pid")
	log := filepath.Join(r.bundle(s.Name), "runc.log")
	// Not CommandContext: the sandbox outlives the call that starts it.
	cmd := r.command(context.WithoutCancel(ctx), "--log", log, "--log-format", "json",
		"run", "--bundle", r.bundle(s.Name), "--pid-file", pidFile, s.Name)
	cmd.Stdout, cmd.Stderr = s.Stdout, s.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a Ctrl-C on the terminal is not for it
	cmd.WaitDelay = 2 * time.Second                       // a grandchild that holds the pipes does not hold us
	start := cmd.Start
	if s.NetNS != "" {
		start = func() error { return inNetwork(s.NetNS, cmd.Start) }
	}
	if err := start(); err != nil {
		return nil, fmt.Errorf("starting sandbox %s: %w", s.Name, err)
	}
	sb := &Sandbox{name: s.Name, runtime: r, done: make(chan struct{})}
	go func() {
		sb.code, sb.err = exitCode(cmd.Wait())
		close(sb.done)
	}()
	return sb, sb.awaitSetup(ctx, pidFile, log)
}

// awaitSetup returns when runc has written the pid file, which it does once the
// sandbox is set up, or with runc's own message when it ends before that.
func (s *Sandbox) awaitSetup(ctx context.Context, pidFile, log string) error {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := os.Stat(pidFile); err == nil {
			return nil
		}
		select {
		case <-s.done:
			if _, err := os.Stat(pidFile); err == nil {
				return nil // it was quick
			}
			return fmt.Errorf("starting sandbox %s: %s", s.name, runcMessage(log))
		case <-ctx.Done():
			return fmt.Errorf("starting sandbox %s: %w", s.name, ctx.Err())
		case <-tick.C:
		}
	}
}

// runcMessage is the last error in runc's JSON log.
func runcMessage(log string) string {
	data, _ := os.ReadFile(log)
	msg := "runc ended without a message"
	for line := range strings.Lines(string(data)) {
		var entry struct{ Level, Msg string }
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Level == "error" {
			msg = entry.Msg
		}
	}
	return msg
}

// exitCode takes a process's exit status apart from a failure to run it. A
// process that a signal ended has 128 and the signal's number.
func exitCode(err error) (int, error) {
	if err == nil || errors.Is(err, exec.ErrWaitDelay) {
		return 0, nil
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return -1, err
	}
	if ws, ok := exit.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return 128 + int(ws.Signal()), nil
	}
	return exit.ExitCode(), nil
}

// Wait returns the exit status of the sandbox's first process; 128+n when signal
// n ended it.
func (s *Sandbox) Wait() (int, error) {
	<-s.done
	return s.code, s.err
}

// Done is closed when the first process has ended.
func (s *Sandbox) Done() <-chan struct{} { return s.done }

// Stop asks the process tree to end (SIGTERM), ends it after grace (SIGKILL) and
// removes the sandbox.
func (s *Sandbox) Stop(ctx context.Context, grace time.Duration) error {
	if grace > 0 {
		_ = s.runtime.command(ctx, "kill", s.name, "TERM").Run() // it may have ended already
		select {
		case <-s.done:
		case <-time.After(grace):
		case <-ctx.Done():
		}
	}
	return s.runtime.Remove(context.WithoutCancel(ctx), s.name)
}

// Run starts a sandbox, waits for its end and removes it. When ctx ends first
// the whole process tree is ended and the error is ctx's.
func (r *Runtime) Run(ctx context.Context, s Spec) (int, error) {
	sb, err := r.Start(ctx, s)
	if err != nil {
		return -1, err
	}
	select {
	case <-sb.done:
	case <-ctx.Done():
		return -1, errors.Join(ctx.Err(), r.Remove(context.WithoutCancel(ctx), s.Name))
	}
	code, err := sb.Wait()
	return code, errors.Join(err, r.Remove(context.WithoutCancel(ctx), s.Name))
}

// Exec describes a further process in a running sandbox. What is secret goes to
// its Stdin: its arguments can be read by other users of the host.
type Exec struct {
	Args   []string
	UID    uint32
	TTY    bool // Stdin, Stdout and Stderr are the caller's terminal
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
}

// Exec runs a process in the sandbox called name and returns its exit status.
func (r *Runtime) Exec(ctx context.Context, name string, e Exec) (int, error) {
	args := []string{"exec"}
	if e.TTY {
		args = append(args, "--tty")
	}
	args = append(args, "--user", fmt.Sprint(e.UID), name)
	cmd := r.command(ctx, append(args, e.Args...)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = e.Stdin, e.Stdout, e.Stderr
	cmd.WaitDelay = 2 * time.Second
	pid, err := os.ReadFile(filepath.Join(r.bundle(name), "pid"))
	if err != nil {
		return -1, fmt.Errorf("the sandbox %s does not run: %w", name, err)
	}
	if err := inNetwork("/proc/"+strings.TrimSpace(string(pid))+"/ns/net", cmd.Start); err != nil {
		return -1, fmt.Errorf("running a command in the sandbox %s: %w", name, err)
	}
	code, err := exitCode(cmd.Wait())
	if err == nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	return code, err
}

// Names are the sandboxes that exist, running or left over.
func (r *Runtime) Names() ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(r.dir, "bundles"))
	if err != nil {
		return nil, fmt.Errorf("listing sandboxes: %w", err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, nil
}

// Remove ends the sandbox called name with all its processes and removes what
// was made for it; a kept upper folder stays. One that is not there is fine.
func (r *Runtime) Remove(ctx context.Context, name string) error {
	if _, err := os.Stat(r.bundle(name)); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if out, err := r.command(ctx, "delete", "--force", name).CombinedOutput(); err != nil {
		return fmt.Errorf("ending sandbox %s: %w: %s", name, err, strings.TrimSpace(string(out)))
	}
	at, err := claimOf(r.bundle(name))
	if err != nil {
		return fmt.Errorf("removing sandbox %s: %w", name, err)
	}
	for _, dir := range []string{r.bundle(name), at} {
		if dir == "" {
			continue
		}
		if err := unmountRoot(dir); err != nil {
			return err
		}
	}
	if err := giveBack(r.bundle(name)); err != nil {
		return err
	}
	if err := os.RemoveAll(r.bundle(name)); err != nil {
		return fmt.Errorf("removing sandbox %s: %w", name, err)
	}
	return nil
}

// RemoveAll removes every sandbox of the runtime, also those that a killed
// process left.
func (r *Runtime) RemoveAll(ctx context.Context) error {
	names, err := r.Names()
	if err != nil {
		return err
	}
	errs := make([]error, len(names))
	var wg sync.WaitGroup
	for i, name := range names {
		wg.Go(func() { errs[i] = r.Remove(ctx, name) })
	}
	wg.Wait()
	removeParents()
	return errors.Join(errs...)
}
