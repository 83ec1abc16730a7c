package schedule

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/cloister-ml/cloister/arm"
)

const live = "state NOT IN ('Completed','Failed','Canceled')"

// Todo is what the caller has to do next.
type Todo struct {
	Prepare []Job // make their images, then call Prepared
	Track   []Job // have ended: tell the tracking store, then call Tracked
	Changed bool  // something changed; there may be more to do
}

// Advance moves every job on that can move: what it waits for has happened, its
// node has fallen silent, somebody wants it cancelled.
func (s *Store) Advance(ctx context.Context, now time.Time) (todo Todo, err error) {
	err = s.db.Update(ctx, func(tx *sql.Tx) error {
		todo = Todo{}
		a := advance{tx: tx, now: now}
		if err := a.leases(); err != nil {
			return err
		}
		if err := a.alone(); err != nil {
			return err
		}
		if err := a.pipelines(); err != nil {
			return err
		}
		todo.Changed = a.changed
		if todo.Prepare, err = query(tx, "state = 'Preparing' AND kind = 'Command' AND lease = '' AND image = '' ORDER BY rowid"); err != nil {
			return err
		}
		todo.Track, err = query(tx, "NOT ("+live+") AND tracked = 0 ORDER BY rowid LIMIT 100")
		return err
	})
	return todo, err
}

type advance struct {
	tx      *sql.Tx
	now     time.Time
	changed bool
}

// set moves a job to a state.
func (a *advance) set(j *Job, state State, message string) error {
	if j.State == state {
		return nil
	}
	a.changed = true
	j.State = state
	ended := int64(0)
	if state.Ended() {
		ended = millis(a.now)
	}
	if state == Failed || state == Canceled {
		j.Error = message
	}
	_, err := a.tx.Exec("UPDATE jobs SET state = ?, error = ?, ended = ? WHERE workspace = ? AND name = ?",
		string(state), j.Error, ended, j.Workspace.Key(), j.Name)
	if err != nil {
		return err
	}
	return event(a.tx, *j, state, message, a.now)
}

// leases takes back the jobs of nodes that have fallen silent.
func (a *advance) leases() error {
	lapsed, err := query(a.tx, "lease != '' AND lease_until < ? AND "+live, millis(a.now))
	if err != nil {
		return err
	}
	for i := range lapsed {
		j := &lapsed[i]
		if _, err := a.tx.Exec("UPDATE jobs SET lease = '', node = -1 WHERE workspace = ? AND name = ?", j.Workspace.Key(), j.Name); err != nil {
			return err
		}
		what := fmt.Sprintf("node %d has not reported", j.Node)
		switch {
		case j.CancelAsked:
			err = a.set(j, Canceled, "cancelled")
		case j.Attempt >= MaxAttempts:
			err = a.set(j, Failed, fmt.Sprintf("%s; it was tried %d times", what, j.Attempt))
		default:
			err = a.set(j, Queued, what+"; it is tried again")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// alone moves jobs that are no step.
func (a *advance) alone() error {
	jobs, err := query(a.tx, "parent = '' AND kind = 'Command' AND "+live)
	if err != nil {
		return err
	}
	for i := range jobs {
		switch j := &jobs[i]; {
		case j.CancelAsked && !j.Leased():
			err = a.set(j, Canceled, "cancelled")
		case j.State == NotStarted:
			err = a.set(j, Preparing, "")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *advance) pipelines() error {
	roots, err := query(a.tx, "kind = 'Pipeline' AND "+live)
	if err != nil {
		return err
	}
	for i := range roots {
		children, err := steps(a.tx, roots[i].Workspace, roots[i].Name)
		if err != nil {
			return err
		}
		if err := a.pipeline(&roots[i], children); err != nil {
			return err
		}
	}
	return nil
}

func (a *advance) pipeline(root *Job, children []Job) error {
	if root.State == NotStarted {
		if err := a.set(root, Preparing, ""); err != nil {
			return err
		}
	}
	state := make(map[string]State, len(children))
	failed := ""
	for _, c := range children {
		state[c.Step] = c.State
		if c.State == Failed || c.State == Canceled && c.CancelAsked {
			failed = c.Step
		}
	}
	stop := ""
	switch {
	case root.CancelAsked:
		stop = "cancelled"
	case failed != "" && !root.Continue:
		stop = "not run, because the step " + failed + " did not complete"
	}
	for i := range children {
		if err := a.step(&children[i], state, stop); err != nil {
			return err
		}
	}
	return a.root(root, children)
}

// step moves one step. state is what the steps were at the beginning, and is
// kept up to date; stop says why nothing more is to run.
func (a *advance) step(c *Job, state map[string]State, stop string) error {
	if c.State.Ended() {
		return nil
	}
	defer func() { state[c.Step] = c.State }()
	if stop != "" || c.CancelAsked {
		if stop == "" {
			stop = "cancelled"
		}
		if c.Leased() {
			return a.askCancel(c)
		}
		return a.set(c, Canceled, stop)
	}
	if c.State != NotStarted {
		return nil
	}
	for _, need := range c.Needs {
		switch state[need] {
		case Completed:
		case Failed, Canceled:
			return a.set(c, Canceled, "not run, because the step "+need+" did not complete")
		default:
			return nil
		}
	}
	return a.set(c, Preparing, "")
}

func (a *advance) askCancel(c *Job) error {
	if c.CancelAsked {
		return nil
	}
	c.CancelAsked, a.changed = true, true
	_, err := a.tx.Exec("UPDATE jobs SET cancel = 1 WHERE workspace = ? AND name = ?", c.Workspace.Key(), c.Name)
	return err
}

// root gives a pipeline the state that follows from its steps'.
func (a *advance) root(root *Job, children []Job) error {
	running, ended := false, 0
	var failed *Job
	for i, c := range children {
		if c.State.Ended() {
			ended++
		}
		running = running || c.Leased() || c.State == Queued || c.State.Ended()
		if c.State == Failed && failed == nil {
			failed = &children[i]
		}
	}
	if ended < len(children) {
		if running {
			return a.set(root, Running, "")
		}
		return nil
	}
	switch {
	case root.CancelAsked:
		return a.set(root, Canceled, "cancelled")
	case failed != nil:
		return a.set(root, Failed, fmt.Sprintf("the step %s failed: %s", failed.Step, failed.Error))
	}
	for _, c := range children {
		if c.State == Canceled {
			return a.set(root, Canceled, "the step "+c.Step+" was cancelled")
		}
	}
	return a.set(root, Completed, "")
}

// Prepared says that a job has its image and may go to a node.
func (s *Store) Prepared(ctx context.Context, j Job, image string, now time.Time) error {
	return s.db.Update(ctx, func(tx *sql.Tx) error {
		cur, err := get(tx, j.Workspace, j.Name)
		if err != nil || cur.State != Preparing || cur.Lease != "" {
			return err // it was cancelled meanwhile
		}
		if _, err := tx.Exec("UPDATE jobs SET image = ? WHERE workspace = ? AND name = ?", image, j.Workspace.Key(), j.Name); err != nil {
			return err
		}
		return (&advance{tx: tx, now: now}).set(&cur, Queued, "")
	})
}

// Fail ends a job that no node has, because it cannot be run.
func (s *Store) Fail(ctx context.Context, j Job, why string, now time.Time) error {
	return s.db.Update(ctx, func(tx *sql.Tx) error {
		cur, err := get(tx, j.Workspace, j.Name)
		if err != nil || cur.State.Ended() || cur.Lease != "" {
			return err
		}
		return (&advance{tx: tx, now: now}).set(&cur, Failed, why)
	})
}

// Cancel asks for a job's end, of a pipeline for that of its steps. A job that
// has ended is left as it is.
func (s *Store) Cancel(ctx context.Context, workspace arm.ID, name string) error {
	return s.db.Update(ctx, func(tx *sql.Tx) error {
		if _, err := get(tx, workspace, name); err != nil {
			return err
		}
		_, err := tx.Exec("UPDATE jobs SET cancel = 1 WHERE workspace = ? AND name = ? AND "+live, workspace.Key(), name)
		return err
	})
}

// Tracked says that the tracking store knows of a job's end.
func (s *Store) Tracked(ctx context.Context, j Job) error {
	return s.db.Update(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec("UPDATE jobs SET tracked = 1 WHERE workspace = ? AND name = ?", j.Workspace.Key(), j.Name)
		return err
	})
}
