package cloud

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/store"
)

const (
	firstPause = 200 * time.Millisecond // before the second attempt; doubled for each further one
	longPause  = 30 * time.Second
	// atOnce bounds how many documents are made real at one time. Most wait for a
	// change of the whole network that they share, so it is large.
	atOnce = 256
)

// reconciler brings what is real to what the store says: level-triggered, so
// that it does not matter how a document came to differ.
type reconciler struct {
	c      *Cloud
	ctx    context.Context
	cancel context.CancelFunc
	group  sync.WaitGroup
	wake   chan struct{}
	done   chan outcome

	mu      sync.Mutex
	started bool
	tasks   map[string]*task // what is to do, by key
	ready   map[string]int64 // versions that this process has made real
	running int
	changed chan struct{} // closed at the next change of any state
}

// task is a document that is not known to be real.
type task struct {
	id       arm.ID
	running  bool
	again    bool // changed while running
	attempts int
	since    time.Time // of the first failure
	next     time.Time
	err      error
	stopped  bool // failed for good, until it changes
	stop     context.CancelFunc
}

func newReconciler(c *Cloud) *reconciler {
	ctx, cancel := context.WithCancel(context.Background())
	return &reconciler{
		c: c, ctx: ctx, cancel: cancel,
		wake: make(chan struct{}, 1), done: make(chan outcome, atOnce),
		tasks: map[string]*task{}, ready: map[string]int64{}, changed: make(chan struct{}),
	}
}

func (r *reconciler) start() {
	r.mu.Lock()
	if r.started || r.ctx.Err() != nil {
		r.mu.Unlock()
		return
	}
	r.started = true
	for _, row := range r.c.snapshot().rows {
		r.enqueue(row)
	}
	r.mu.Unlock()
	r.group.Go(r.schedule)
	r.group.Go(r.settle)
}

func (r *reconciler) stop() {
	r.cancel()
	r.group.Wait()
}

// touch is told of every row that a change has written.
func (r *reconciler) touch(rows ...*store.Row) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, row := range rows {
		r.enqueue(row)
	}
	r.announce()
}

// enqueue makes a task where the row needs one. The caller holds r.mu.
func (r *reconciler) enqueue(row *store.Row) {
	t := r.c.types.lookup(row.Resource.Type)
	key := row.Key()
	if row.State != store.Deleting && t.Reconcile == nil {
		return
	}
	if row.State != store.Deleting && r.ready[key] == row.Version {
		return
	}
	known, ok := r.tasks[key]
	if !ok {
		r.tasks[key] = &task{id: row.Resource.ID}
	} else {
		known.again, known.stopped, known.attempts, known.since, known.next = known.running, false, 0, time.Time{}, time.Time{}
		if row.State == store.Deleting && known.stop != nil {
			known.stop()
		}
	}
	r.nudge()
}

// announce wakes those who wait for a state. The caller holds r.mu.
func (r *reconciler) announce() {
	close(r.changed)
	r.changed = make(chan struct{})
}

func (r *reconciler) nudge() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// schedule starts whatever can be started, whenever something has changed.
func (r *reconciler) schedule() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-r.ctx.Done():
			return
		case <-r.wake:
		case <-timer.C:
		}
		if pause := r.launch(); pause > 0 {
			timer.Reset(pause)
		}
	}
}

// launch starts the tasks that are due and wait for no other, and says when to
// look again; 0: when woken.
func (r *reconciler) launch() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	s, now := r.c.snapshot(), r.c.now()
	var pause time.Duration
	for key, t := range r.tasks {
		if t.running || t.stopped || r.running >= atOnce {
			continue
		}
		row := s.rows[key]
		if row == nil {
			delete(r.tasks, key)
			continue
		}
		if wait := t.next.Sub(now); wait > 0 {
			if pause == 0 || wait < pause {
				pause = wait
			}
			continue
		}
		if r.blocked(s.docs.graph(), row) {
			continue
		}
		r.run(t, row)
	}
	return pause
}

// blocked reports whether the row must wait for another that is still to do:
// making for what it refers to, removing for what refers to it. In a circle of
// references the graph's order decides who is first.
func (r *reconciler) blocked(g *graph, row *store.Row) bool {
	key := row.Key()
	removing := row.State == store.Deleting
	typ := r.c.types.lookup(row.Resource.Type)
	if !removing && typ.Unordered {
		return false
	}
	if !removing && typ.After != "" && r.pending(typ.After) {
		return true
	}
	others := g.deps[key]
	if removing {
		others = g.uses[key]
	}
	for _, other := range others {
		t, ok := r.tasks[other]
		if !ok || !t.running && r.hopeless(t) {
			continue
		}
		if before := g.rank[other] < g.rank[key]; before != removing {
			return true
		}
	}
	return false
}

// pending reports whether a document of the namespace is still to be made real, or
// removed, by an attempt that may succeed. The caller holds r.mu.
func (r *reconciler) pending(namespace string) bool {
	for _, t := range r.tasks {
		of, _, _ := strings.Cut(t.id.Type(), "/")
		if strings.EqualFold(of, namespace) && (t.running || !r.hopeless(t)) {
			return true
		}
	}
	return false
}

// run starts an attempt. The caller holds r.mu.
func (r *reconciler) run(t *task, row *store.Row) {
	ctx, cancel := context.WithCancel(r.ctx)
	t.running, t.again, t.stop = true, false, cancel
	t.attempts++
	r.running++
	r.group.Go(func() {
		defer cancel()
		out := outcome{id: row.Resource.ID, version: row.Version, removed: row.State == store.Deleting}
		out.err = r.attempt(ctx, row)
		select {
		case r.done <- out:
		case <-r.ctx.Done():
		}
	})
}

// attempt calls the provider. A provider that panics has failed, and the cloud
// goes on.
func (r *reconciler) attempt(ctx context.Context, row *store.Row) (err error) {
	defer func() {
		if p := recover(); p != nil {
			r.c.log.Error("a provider panicked", "resource", row.Resource.ID, "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("the provider panicked: %v", p)
		}
	}()
	t := r.c.types.lookup(row.Resource.Type)
	work := t.Reconcile
	if row.State == store.Deleting {
		work = t.Remove
	}
	if work == nil {
		return nil
	}
	doc := row.Resource
	doc.Properties = arm.Clone(doc.Properties)
	return work(ctx, doc)
}

// finish ends the attempts and arranges for the next where one is needed.
func (r *reconciler) finish(outs []outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, out := range outs {
		key := out.id.Key()
		r.running--
		t, ok := r.tasks[key]
		if !ok {
			continue
		}
		t.running, t.stop = false, nil
		if out.err == nil {
			r.ready[key] = out.version
			if out.removed {
				delete(r.ready, key)
			}
			if !t.again {
				delete(r.tasks, key)
			}
			continue
		}
		if t.again {
			continue
		}
		t.err = out.err
		if t.since.IsZero() {
			t.since = r.c.now()
		}
		if errors.Is(out.err, ErrPermanent) {
			t.stopped = true
			continue
		}
		t.next = r.c.now().Add(backOff(t.attempts))
		r.c.log.Warn("will try again", "resource", out.id, "attempt", t.attempts, "error", out.err)
	}
	r.announce()
	r.nudge()
}

// backOff is the pause after so many failures, with a tenth of chance in it so
// that what failed together is not tried together.
func backOff(attempts int) time.Duration {
	pause := longPause
	if attempts < 9 {
		pause = min(firstPause<<(attempts-1), longPause)
	}
	return pause + rand.N(pause/10)
}
