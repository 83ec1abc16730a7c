package cloud

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/store"
)

// Status is how far one document is real.
type Status struct {
	ID       arm.ID      `json:"id"`
	Type     string      `json:"type"`
	State    store.State `json:"state"`    // as ARM shows it
	Ready    bool        `json:"ready"`    // made real by this process, in its present version
	Kept     bool        `json:"kept"`     // no provider runs it: the document is kept, not run
	Attempts int         `json:"attempts"` // so far, where it is not ready
	Error    string      `json:"error,omitempty"`
	Next     time.Time   `json:"next,omitzero"` // the next attempt
}

// Status is the state of every document, ordered by id.
func (c *Cloud) Status() []Status {
	s, r := c.snapshot(), c.reconciler
	rows := s.ordered(func(*store.Row) bool { return true })
	out := make([]Status, 0, len(rows))
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, row := range rows {
		out = append(out, r.status(row))
	}
	return out
}

// status of one row. The caller holds r.mu.
func (r *reconciler) status(row *store.Row) Status {
	t := r.c.types.typ(row.Resource.Type)
	st := Status{ID: row.Resource.ID, Type: row.Resource.Type, State: row.State}
	st.Kept = t == nil || t.Runs != nil && !t.Runs(row.Resource)
	st.Ready = row.State != store.Deleting && (t == nil || t.Reconcile == nil || r.ready[row.Key()] == row.Version)
	if task, ok := r.tasks[row.Key()]; ok {
		st.Attempts, st.Next = task.attempts, task.next
		if task.err != nil {
			st.Error = task.err.Error()
		}
	}
	return st
}

// Wait returns when the documents, or all where none is named, are made real by
// this process or gone; or with an error when one has failed. A document that is
// named and does not exist counts as gone.
func (c *Cloud) Wait(ctx context.Context, ids ...arm.ID) error {
	for {
		waiting, changed, err := c.waiting(ids)
		if err != nil || waiting == "" {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", waiting, ctx.Err())
		case <-c.reconciler.ctx.Done():
			return errors.New("the cloud was closed while waiting for " + string(waiting))
		case <-changed:
		}
	}
}

// waiting is one document that is not ready, and what is closed when that may
// have changed.
func (c *Cloud) waiting(ids []arm.ID) (arm.ID, <-chan struct{}, error) {
	r := c.reconciler
	r.mu.Lock()
	defer r.mu.Unlock()
	s := c.snapshot()
	var rows []*store.Row
	if len(ids) == 0 {
		rows = s.ordered(func(*store.Row) bool { return true })
	}
	for _, id := range ids {
		if row := s.rows[id.Key()]; row != nil {
			rows = append(rows, row)
		}
	}
	var first arm.ID
	for _, row := range rows {
		st := r.status(row)
		task, pending := r.tasks[row.Key()]
		if st.State == store.Failed && (!pending || r.hopeless(task)) {
			return "", nil, fmt.Errorf("%s: %s", st.ID, failureOf(row).Message)
		}
		if !st.Ready && first == "" {
			first = st.ID
		}
	}
	return first, r.changed, nil
}

// failureOf is the error of a document that has failed, as ARM shows it.
func failureOf(row *store.Row) *Error {
	for _, cond := range row.Conditions {
		if cond.Type == "Ready" && !cond.Status {
			return Errorf(409, cond.Reason, "%s", cond.Message)
		}
	}
	return Errorf(409, "ProvisioningFailed", "the resource could not be made real")
}
