package schedule

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/cloister-ml/cloister/arm"
)

// Claim gives the oldest queued job of a cluster to its node n. ok is false when
// there is none, or the node is to go.
func (s *Store) Claim(ctx context.Context, cluster arm.ID, n int, now time.Time) (j Job, ok bool, err error) {
	err = s.db.Update(ctx, func(tx *sql.Tx) error {
		ok = false
		stay, err := seen(tx, cluster, n, now)
		if err != nil || !stay {
			return err
		}
		queued, err := query(tx, "state = 'Queued' AND cancel = 0 AND lower(cluster) = ? ORDER BY rowid LIMIT 1", cluster.Key())
		if err != nil || len(queued) == 0 {
			return err
		}
		j, ok = queued[0], true
		return s.lease(tx, &j, n, now)
	})
	return j, ok, err
}

func (s *Store) lease(tx *sql.Tx, j *Job, n int, now time.Time) error {
	j.Lease, j.LeaseUntil, j.Node, j.Started = uuid.NewString(), now.Add(s.leaseTime), n, now
	j.Attempt++
	_, err := tx.Exec("UPDATE jobs SET lease = ?, lease_until = ?, node = ?, attempt = ?, started = ? WHERE workspace = ? AND name = ?",
		j.Lease, millis(j.LeaseUntil), n, j.Attempt, millis(now), j.Workspace.Key(), j.Name)
	if err != nil {
		return err
	}
	if err := setNode(tx, j.Cluster, n, Busy, now); err != nil {
		return err
	}
	return (&advance{tx: tx, now: now}).set(j, Preparing, fmt.Sprintf("on node %d", n))
}

// held finds the job of a lease that node n holds.
func held(tx *sql.Tx, cluster arm.ID, lease string) (Job, error) {
	if lease == "" {
		return Job{}, ErrLeaseLost
	}
	j, err := scan(tx.QueryRow("SELECT "+columns+" FROM jobs WHERE lease = ? AND lower(cluster) = ?", lease, cluster.Key()))
	if errors.Is(err, sql.ErrNoRows) {
		return Job{}, ErrLeaseLost
	}
	return j, err
}

// Leased finds the job of a lease.
func (s *Store) Leased(ctx context.Context, cluster arm.ID, lease string) (j Job, err error) {
	err = s.db.View(ctx, func(tx *sql.Tx) error {
		j, err = held(tx, cluster, lease)
		if err == nil && j.State.Ended() {
			err = ErrLeaseLost
		}
		return err
	})
	return j, err
}

// Renew lengthens a lease and notes how far the node is. It says whether the job
// is to be ended.
func (s *Store) Renew(ctx context.Context, cluster arm.ID, lease string, state State, now time.Time) (cancel bool, err error) {
	err = s.db.Update(ctx, func(tx *sql.Tx) error {
		j, err := held(tx, cluster, lease)
		if err != nil {
			return err
		}
		if j.State.Ended() {
			return ErrLeaseLost
		}
		cancel = j.CancelAsked
		if _, err := seen(tx, cluster, j.Node, now); err != nil {
			return err
		}
		_, err = tx.Exec("UPDATE jobs SET lease_until = ? WHERE workspace = ? AND name = ?", millis(now.Add(s.leaseTime)), j.Workspace.Key(), j.Name)
		if err != nil || rank(state) <= rank(j.State) {
			return err
		}
		return (&advance{tx: tx, now: now}).set(&j, state, "")
	})
	return cancel, err
}

// rank orders the states that a node may report.
func rank(s State) int {
	switch s {
	case Preparing:
		return 1
	case Running:
		return 2
	case Finalizing:
		return 3
	}
	return 0
}

// Result is how a job ended on its node.
type Result struct {
	ExitCode int
	Error    string
	Canceled bool
}

// Complete ends a leased job. To say it twice is no error: the first answer may
// have been lost.
func (s *Store) Complete(ctx context.Context, cluster arm.ID, lease string, r Result, now time.Time) (j Job, err error) {
	err = s.db.Update(ctx, func(tx *sql.Tx) error {
		if j, err = held(tx, cluster, lease); err != nil || j.State.Ended() {
			return err
		}
		if err := setNode(tx, cluster, j.Node, Idle, now); err != nil {
			return err
		}
		a := &advance{tx: tx, now: now}
		switch {
		case r.Canceled && j.CancelAsked:
			return a.set(&j, Canceled, "cancelled")
		case r.Error != "":
			return a.set(&j, Failed, r.Error)
		case r.Canceled:
			return a.set(&j, Failed, "the node ended it")
		case r.ExitCode != 0:
			return a.set(&j, Failed, fmt.Sprintf("the command ended with exit code %d", r.ExitCode))
		}
		return a.set(&j, Completed, "")
	})
	return j, err
}

// Grace gives every lease its full time again. It is called when the workspace
// comes back after an absence, in which nodes could not renew them.
func (s *Store) Grace(ctx context.Context, now time.Time) error {
	return s.db.Update(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec("UPDATE jobs SET lease_until = max(lease_until, ?) WHERE lease != '' AND "+live, millis(now.Add(s.leaseTime)))
		return err
	})
}
