package bgp

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// nobody is the user and group that speakers run as.
const nobody = 65534

// again is how long a speaker that ended is waited for before it is started again.
const again = 500 * time.Millisecond

// Options of a process.
type Options struct {
	Args []string // command that calls [Run]
	// Within runs a function on a thread in the speaker's network namespace.
	Within func(func() error) error
	// Changed is called when the state has changed in what decides about packets.
	Changed func()
	Log     *slog.Logger
}

// Process is a speaker in a process of its own, which is started again when it ends.
type Process struct {
	o    Options
	stop context.CancelFunc
	done chan struct{}
	wake chan struct{}

	mu    sync.Mutex // guards what follows
	want  Speaker
	state State
	pid   int
}

// Start starts a speaker.
func Start(ctx context.Context, want Speaker, o Options) *Process {
	ctx, stop := context.WithCancel(ctx)
	p := &Process{o: o, stop: stop, done: make(chan struct{}), wake: make(chan struct{}, 1), want: want}
	go p.keep(ctx)
	return p
}

// Be tells the speaker what to be from now on.
func (p *Process) Be(want Speaker) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.want.Equal(want) {
		return
	}
	p.want = want
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Speaker is what it is to be.
func (p *Process) Speaker() Speaker {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.want
}

// State is what the speaker knows; the zero State while it does not run.
func (p *Process) State() State {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state
}

// PID is the process's id, 0 while it does not run.
func (p *Process) PID() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pid
}

// Stop ends the speaker.
func (p *Process) Stop() {
	p.stop()
	<-p.done
}

// keep runs the process until ctx ends.
func (p *Process) keep(ctx context.Context) {
	defer close(p.done)
	for ctx.Err() == nil {
		err := p.once(ctx)
		p.set(State{}, 0)
		if ctx.Err() != nil {
			return
		}
		p.o.Log.Warn("a BGP speaker ended: its routes are withdrawn, and it is started again", "asn", p.Speaker().ASN, "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(again):
		}
	}
}

// once runs one process until it ends.
func (p *Process) once(ctx context.Context) error {
	cmd := exec.Command(p.o.Args[0], p.o.Args[1:]...)
	cmd.Env, cmd.Dir = []string{}, "/"
	// It runs as nobody, and may bind the port below 1024 and nothing else.
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Setpgid: true, Credential: &syscall.Credential{Uid: nobody, Gid: nobody},
		AmbientCaps: []uintptr{unix.CAP_NET_BIND_SERVICE},
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	var said tail
	cmd.Stderr = &said
	if err := p.o.Within(cmd.Start); err != nil {
		return fmt.Errorf("starting a BGP speaker: %w", err)
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	context.AfterFunc(ctx, func() {
		in.Close()
		_ = cmd.Process.Kill() // it holds nothing that must be put away
	})
	p.mu.Lock()
	p.pid = cmd.Process.Pid
	p.mu.Unlock()
	go p.write(ctx, in)
	p.read(out)
	end()
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("%w: %s", err, said.text)
	}
	return nil
}

func (p *Process) write(ctx context.Context, in io.Writer) {
	lines := json.NewEncoder(in)
	for {
		if err := lines.Encode(p.Speaker()); err != nil {
			return // it has ended, and whoever reads from it notices
		}
		select {
		case <-ctx.Done():
			return
		case <-p.wake:
		}
	}
}

func (p *Process) read(out io.Reader) {
	scan := bufio.NewScanner(out)
	scan.Buffer(nil, maxLine)
	for scan.Scan() {
		var s State
		if err := json.Unmarshal(scan.Bytes(), &s); err != nil {
			return
		}
		p.set(s, p.PID())
	}
}

func (p *Process) set(s State, pid int) {
	p.mu.Lock()
	changed := !p.state.same(s)
	p.state, p.pid = s, pid
	p.mu.Unlock()
	if changed {
		p.o.Changed()
	}
}

// tail keeps the end of what a process says.
type tail struct{ text string }

const maxSaid = 1 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.text += string(b)
	if n := len(t.text); n > maxSaid {
		t.text = t.text[n-maxSaid:]
	}
	return len(b), nil
}
