package cloud

import (
	"context"
	"errors"
	"fmt"

	"github.com/cloister-ml/cloister/internal/cloud/store"
	"github.com/cloister-ml/cloister/internal/durable"
)

// commits are the changes on their way to the store. What one transaction costs is
// the disk's time, so those that come while one is written share the next. All of
// it is guarded by Cloud.writing.
type commits struct {
	staged  *snapshot // what will be when all that waits is written; nil: what is
	waiting []*write
	running bool
	stale   bool // the store may have what is not known here
}

// write is a change that was drafted and is not yet in the store.
type write struct {
	batch   store.Batch
	next    *snapshot
	touched []*store.Row
	done    chan error
}

// base is what the next change is made from. The caller holds c.writing.
func (c *Cloud) base(ctx context.Context) (*snapshot, error) {
	if c.commits.staged != nil {
		return c.commits.staged, nil
	}
	if c.commits.stale {
		if err := c.load(ctx); err != nil {
			return nil, fmt.Errorf("what the store holds is not certain: %w", err)
		}
		c.commits.stale = false
	}
	return c.snapshot(), nil
}

// stage puts a change in the row to be written. The caller holds c.writing.
func (c *Cloud) stage(w *write) {
	c.commits.staged = w.next
	c.commits.waiting = append(c.commits.waiting, w)
	if !c.commits.running {
		c.commits.running = true
		go c.commit()
	}
}

// commit writes what waits, until nothing does.
func (c *Cloud) commit() {
	for {
		c.writing.Lock()
		group := c.commits.waiting
		c.commits.waiting = nil
		if len(group) == 0 {
			c.commits.staged, c.commits.running = nil, false
			c.writing.Unlock()
			return
		}
		c.writing.Unlock()
		if err := c.writeGroup(group); err == nil {
			c.publish(group)
			continue
		} else if len(group) == 1 || errors.Is(err, durable.ErrUncertain) {
			c.refuse(group, err)
			continue
		}
		for i := range group { // one of them is at fault; those before it are not
			if err := c.writeGroup(group[i : i+1]); err != nil {
				c.refuse(group[i:], err)
				break
			}
			c.publish(group[i : i+1])
		}
	}
}

func (c *Cloud) writeGroup(group []*write) error {
	var all store.Batch
	for _, w := range group {
		all.Changes = append(all.Changes, w.batch.Changes...)
		all.Log = append(all.Log, w.batch.Log...)
	}
	return c.store.Commit(context.Background(), all) // a client that goes away does not undo it
}

// publish shows what was written.
func (c *Cloud) publish(group []*write) {
	c.current.Store(group[len(group)-1].next)
	for _, w := range group {
		c.reconciler.touch(w.touched...)
		w.done <- nil
	}
}

// refuse ends changes that were not written, and those that were made from them.
func (c *Cloud) refuse(group []*write, err error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	group = append(group, c.commits.waiting...)
	c.commits.waiting, c.commits.staged = nil, nil
	c.commits.stale = c.commits.stale || errors.Is(err, durable.ErrUncertain)
	for _, w := range group {
		w.done <- fmt.Errorf("the change was not accepted: %w", err)
	}
}
