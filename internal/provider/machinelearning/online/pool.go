package online

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"
)

// Process is a running instance.
type Process interface {
	Dial(ctx context.Context) (net.Conn, error)
	Done() <-chan struct{} // closed when it has ended
	Stop()                 // ends it and waits; may be called more than once
}

// Spec is how a deployment is run.
type Spec struct {
	ID             string // deployments of one id replace each other
	Version        string // one that runs with the same version is left as it is
	Instances      int
	MaxConcurrent  int           // requests in one instance at a time
	RequestTimeout time.Duration // of one request
	QueueWait      time.Duration // until an instance is free
	ReadyTimeout   time.Duration // until a new instance answers
	// Start starts instance index and gives its output to log.
	Start func(ctx context.Context, index int, log io.Writer) (Process, error)
}

// NotReadyError says why a deployment did not come up, with its last words.
type NotReadyError struct {
	Why string
	Log string
}

func (e *NotReadyError) Error() string {
	if e.Log == "" {
		return e.Why
	}
	return e.Why + "; the end of its log:\n" + e.Log
}

// Pool holds the running deployments.
type Pool struct {
	log    *slog.Logger
	ctx    context.Context // ends with the pool
	cancel context.CancelFunc

	mu   sync.Mutex
	live map[string]*deployment
	logs map[string]*tail // outlive their deployments, so that a failure can be read
}

// NewPool makes an empty pool.
func NewPool(log *slog.Logger) *Pool {
	ctx, cancel := context.WithCancel(context.Background())
	return &Pool{log: log, ctx: ctx, cancel: cancel, live: map[string]*deployment{}, logs: map[string]*tail{}}
}

// deployment is a set of instances of one version.
type deployment struct {
	spec      Spec
	pool      *Pool
	log       *tail
	instances []*instance
	slots     chan struct{} // one for each request that may run
	cancel    context.CancelFunc
	wg        sync.WaitGroup
}

// Apply brings a deployment to its spec and returns when all its instances
// answer. The former version serves until then, and goes on when the new one does
// not come up.
func (p *Pool) Apply(ctx context.Context, spec Spec) error {
	p.mu.Lock()
	old, log := p.live[spec.ID], p.logs[spec.ID]
	if log == nil {
		log = newTail()
		p.logs[spec.ID] = log
	}
	p.mu.Unlock()
	if old != nil && old.spec.Version == spec.Version {
		return nil
	}
	d := p.start(spec, log)
	if err := d.ready(ctx); err != nil {
		d.stop()
		return err
	}
	p.mu.Lock()
	old = p.live[spec.ID]
	p.live[spec.ID] = d
	p.mu.Unlock()
	if old != nil {
		old.stop()
	}
	return nil
}

func (p *Pool) start(spec Spec, log *tail) *deployment {
	ctx, cancel := context.WithCancel(p.ctx)
	d := &deployment{spec: spec, pool: p, log: log, cancel: cancel, slots: make(chan struct{}, spec.Instances*spec.MaxConcurrent)}
	for i := range spec.Instances {
		in := newInstance(d, i)
		d.instances = append(d.instances, in)
		d.wg.Go(func() { in.run(ctx) })
	}
	return d
}

// ready waits until every instance has answered once.
func (d *deployment) ready(ctx context.Context) error {
	for _, in := range d.instances {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-in.first:
			if err != nil {
				var not *NotReadyError
				if errors.As(err, &not) {
					not.Log = d.log.last(30)
				}
				return err
			}
		}
	}
	return nil
}

func (d *deployment) stop() {
	d.cancel()
	d.wg.Wait()
}

// Remove ends a deployment and forgets its log.
func (p *Pool) Remove(id string) {
	p.mu.Lock()
	d := p.live[id]
	delete(p.live, id)
	delete(p.logs, id)
	p.mu.Unlock()
	if d != nil {
		d.stop()
	}
}

// Running reports whether a deployment has an instance that answers.
func (p *Pool) Running(id string) bool {
	d := p.get(id)
	if d == nil {
		return false
	}
	for _, in := range d.instances {
		if in.transport() != nil {
			return true
		}
	}
	return false
}

func (p *Pool) get(id string) *deployment {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.live[id]
}

// Log is the end of a deployment's output.
func (p *Pool) Log(id string, lines int) string {
	p.mu.Lock()
	t := p.logs[id]
	p.mu.Unlock()
	if t == nil {
		return ""
	}
	return t.last(lines)
}

// Close ends every deployment.
func (p *Pool) Close() {
	p.cancel()
	p.mu.Lock()
	all := p.live
	p.live = map[string]*deployment{}
	p.mu.Unlock()
	for _, d := range all {
		d.stop()
	}
}

func notReady(format string, args ...any) error {
	return &NotReadyError{Why: fmt.Sprintf(format, args...)}
}
