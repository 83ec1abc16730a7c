package cloud

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/store"
)

// journal writes the entries of the activity log that belong to no change:
// refusals and actions. They are gathered, so that a flood of refused requests
// costs a few writes and not one each.
type journal struct {
	store  store.Store
	log    *slog.Logger
	mu     sync.Mutex
	wait   []store.Entry
	lost   int
	closed bool
	wake   chan struct{}
	done   chan struct{}
}

const (
	journalPause = 250 * time.Millisecond
	journalRoom  = 10_000 // entries held while the disk is slow
)

func newJournal(s store.Store, log *slog.Logger) *journal {
	j := &journal{store: s, log: log, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go j.run()
	return j
}

func (j *journal) add(e store.Entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed || len(j.wait) >= journalRoom {
		j.lost++
		return
	}
	j.wait = append(j.wait, e)
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

func (j *journal) run() {
	defer close(j.done)
	for range j.wake {
		time.Sleep(journalPause)
		j.flush()
	}
	j.flush()
}

func (j *journal) flush() {
	j.mu.Lock()
	entries, lost := j.wait, j.lost
	j.wait, j.lost = nil, 0
	j.mu.Unlock()
	if len(entries) == 0 {
		return
	}
	if err := j.store.Commit(context.Background(), store.Batch{Log: entries}); err != nil {
		j.log.Error("writing the activity log", "entries", len(entries), "error", err)
	}
	if lost > 0 {
		j.log.Error("the activity log could not hold every entry", "lost", lost)
	}
}

func (j *journal) close() {
	j.mu.Lock()
	j.closed = true
	close(j.wake)
	j.mu.Unlock()
	<-j.done
}

// Activity are the latest entries of the activity log within scope ("/" for all),
// newest first.
func (c *Cloud) Activity(ctx context.Context, scope arm.ID, limit int) ([]store.Entry, error) {
	c.journal.flush()
	return c.store.Log(ctx, scope, limit)
}
