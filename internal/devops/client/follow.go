package client

import (
	"context"
	"strings"
	"time"

	"github.com/cloister-ml/cloister/internal/devops/wire"
)

// Watcher is told what happens in a run, in order.
type Watcher interface {
	// Started is called once for each stage, job and step that begins.
	Started(r wire.Record)
	// Line is called for each line of a step's log, without its time.
	Line(step wire.Record, line string)
	// Ended is called once for each stage, job and step that is done, or that will
	// not run.
	Ended(r wire.Record)
}

const followInterval = 300 * time.Millisecond

// Follow tells the watcher what happened in a run and what happens, until the run
// is done.
func (c *Client) Follow(ctx context.Context, id int, w Watcher) (wire.Build, error) {
	f := &follower{client: c, id: id, watcher: w, started: map[string]bool{}, ended: map[string]bool{}, lines: map[string]int{}}
	for {
		b, err := c.Build(ctx, id) // first: what is done now has its whole timeline
		if err != nil {
			return b, err
		}
		if err := f.look(ctx); err != nil {
			return b, err
		}
		if b.Status == wire.RunCompleted {
			return b, nil
		}
		select {
		case <-ctx.Done():
			return b, ctx.Err()
		case <-time.After(followInterval):
		}
	}
}

type follower struct {
	client  *Client
	id      int
	watcher Watcher
	started map[string]bool
	ended   map[string]bool
	lines   map[string]int // of a step's log that were told
}

func (f *follower) look(ctx context.Context) error {
	t, err := f.client.Timeline(ctx, f.id)
	if err != nil {
		return err
	}
	children := map[string][]wire.Record{}
	for _, r := range t.Records {
		children[r.ParentID] = append(children[r.ParentID], r)
	}
	for _, r := range children[""] {
		if err := f.tell(ctx, r, children, 0); err != nil {
			return err
		}
	}
	return nil
}

// tell goes through a record and what is in it, so that a whole begins before its
// parts and ends after them.
func (f *follower) tell(ctx context.Context, r wire.Record, children map[string][]wire.Record, depth int) error {
	if f.ended[r.ID] || depth > 3 {
		return nil
	}
	begun := r.State == wire.StateInProgress || r.State == wire.StateCompleted && r.StartTime != nil
	if begun && !f.started[r.ID] {
		f.started[r.ID] = true
		f.watcher.Started(r)
	}
	if err := f.tellLines(ctx, r); err != nil {
		return err
	}
	for _, child := range children[r.ID] {
		if err := f.tell(ctx, child, children, depth+1); err != nil {
			return err
		}
	}
	if r.State == wire.StateCompleted {
		f.ended[r.ID] = true
		f.watcher.Ended(r)
	}
	return nil
}

func (f *follower) tellLines(ctx context.Context, r wire.Record) error {
	if r.Log == nil {
		return nil
	}
	lines, err := f.client.Log(ctx, f.id, r.Log.ID, f.lines[r.ID])
	if err != nil {
		return err
	}
	f.lines[r.ID] += len(lines)
	for _, line := range lines {
		_, text, _ := strings.Cut(line, " ")
		f.watcher.Line(r, text)
	}
	return nil
}
