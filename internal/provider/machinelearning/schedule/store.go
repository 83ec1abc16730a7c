package schedule

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/durable"
)

const layout = `
CREATE TABLE jobs (
	workspace TEXT NOT NULL, -- key of the id
	name TEXT NOT NULL,
	workspace_id TEXT NOT NULL,
	parent TEXT NOT NULL,
	step TEXT NOT NULL,
	kind TEXT NOT NULL,
	body TEXT NOT NULL,
	work TEXT NOT NULL,
	needs TEXT NOT NULL,
	keep_going INTEGER NOT NULL,
	cluster TEXT NOT NULL,
	submitter TEXT NOT NULL,
	state TEXT NOT NULL,
	error TEXT NOT NULL DEFAULT '',
	cancel INTEGER NOT NULL DEFAULT 0,
	image TEXT NOT NULL DEFAULT '',
	attempt INTEGER NOT NULL DEFAULT 0,
	node INTEGER NOT NULL DEFAULT -1,
	lease TEXT NOT NULL DEFAULT '',
	lease_until INTEGER NOT NULL DEFAULT 0,
	created INTEGER NOT NULL,
	started INTEGER NOT NULL DEFAULT 0,
	ended INTEGER NOT NULL DEFAULT 0,
	tracked INTEGER NOT NULL DEFAULT 0, -- 1: its end was told to the tracking store
	PRIMARY KEY (workspace, name)
);
CREATE INDEX jobs_by_state ON jobs (state);
CREATE INDEX jobs_by_parent ON jobs (workspace, parent);
CREATE INDEX jobs_by_lease ON jobs (lease);
CREATE TABLE events (
	seq INTEGER PRIMARY KEY AUTOINCREMENT,
	workspace TEXT NOT NULL,
	job TEXT NOT NULL,
	at INTEGER NOT NULL,
	state TEXT NOT NULL,
	message TEXT NOT NULL
);
CREATE INDEX events_by_job ON events (workspace, job, seq);
CREATE TABLE nodes (
	cluster TEXT NOT NULL,
	cluster_id TEXT NOT NULL,
	n INTEGER NOT NULL,
	state TEXT NOT NULL,
	since INTEGER NOT NULL,
	seen INTEGER NOT NULL,
	PRIMARY KEY (cluster, n)
);
`

// Store holds the jobs.
type Store struct {
	db        *durable.DB
	leaseTime time.Duration
}

// Open opens or creates the store at path. A lease lasts leaseTime without a sign
// of life.
func Open(path string, leaseTime time.Duration) (*Store, error) {
	db, err := durable.OpenDB(path, layout)
	if err != nil {
		return nil, err
	}
	return &Store{db: db, leaseTime: leaseTime}, nil
}

// Close closes the store.
func (s *Store) Close() error { return s.db.Close() }

const columns = `workspace_id, name, parent, step, kind, body, work, needs, keep_going, cluster, submitter,
	state, error, cancel, image, attempt, node, lease, lease_until, created, started, ended`

func scan(row interface{ Scan(...any) error }) (Job, error) {
	var j Job
	var ws, body, work, needs, cluster, submitter, state string
	var until, created, started, ended int64
	err := row.Scan(&ws, &j.Name, &j.Parent, &j.Step, &j.Kind, &body, &work, &needs, &j.Continue, &cluster, &submitter,
		&state, &j.Error, &j.CancelAsked, &j.Image, &j.Attempt, &j.Node, &j.Lease, &until, &created, &started, &ended)
	if err != nil {
		return Job{}, err
	}
	j.Workspace, j.Cluster, j.State = arm.ID(ws), arm.ID(cluster), State(state)
	j.Body, j.Work, j.Submitter = json.RawMessage(body), json.RawMessage(work), json.RawMessage(submitter)
	j.LeaseUntil, j.Created, j.Started, j.Ended = instant(until), instant(created), instant(started), instant(ended)
	return j, json.Unmarshal([]byte(needs), &j.Needs)
}

func instant(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func query(tx *sql.Tx, where string, args ...any) ([]Job, error) {
	rows, err := tx.Query("SELECT "+columns+" FROM jobs WHERE "+where, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Job
	for rows.Next() {
		j, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, j)
	}
	return out, rows.Err()
}

func get(tx *sql.Tx, workspace arm.ID, name string) (Job, error) {
	j, err := scan(tx.QueryRow("SELECT "+columns+" FROM jobs WHERE workspace = ? AND name = ?", workspace.Key(), name))
	if errors.Is(err, sql.ErrNoRows) {
		return Job{}, fmt.Errorf("%w: %s", ErrNotFound, name)
	}
	return j, err
}

// Submit stores a job, and with a pipeline its steps, all or none.
func (s *Store) Submit(ctx context.Context, now time.Time, jobs ...Job) error {
	return s.db.Update(ctx, func(tx *sql.Tx) error {
		for _, j := range jobs {
			if err := insert(tx, j, now); err != nil {
				return err
			}
		}
		return nil
	})
}

func insert(tx *sql.Tx, j Job, now time.Time) error {
	needs, err := json.Marshal(append([]string{}, j.Needs...))
	if err != nil {
		return err
	}
	res, err := tx.Exec(`INSERT INTO jobs (workspace, workspace_id, name, parent, step, kind, body, work, needs, keep_going, cluster, submitter, state, created)
		VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING`,
		j.Workspace.Key(), string(j.Workspace), j.Name, j.Parent, j.Step, j.Kind, text(j.Body), text(j.Work), string(needs),
		j.Continue, string(j.Cluster), text(j.Submitter), string(NotStarted), millis(now))
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, fmt.Errorf("%w: %s", ErrExists, j.Name))
	}
	return event(tx, j, NotStarted, "", now)
}

func text(raw json.RawMessage) string {
	if len(raw) == 0 {
		return "{}"
	}
	return string(raw)
}

func event(tx *sql.Tx, j Job, state State, message string, now time.Time) error {
	_, err := tx.Exec("INSERT INTO events (workspace, job, at, state, message) VALUES (?,?,?,?,?)",
		j.Workspace.Key(), j.Name, millis(now), string(state), message)
	return err
}

// Get finds a job.
func (s *Store) Get(ctx context.Context, workspace arm.ID, name string) (j Job, err error) {
	err = s.db.View(ctx, func(tx *sql.Tx) error {
		j, err = get(tx, workspace, name)
		return err
	})
	return j, err
}

// List gives the jobs that stand alone and the pipelines, newest first.
func (s *Store) List(ctx context.Context, workspace arm.ID) (out []Job, err error) {
	err = s.db.View(ctx, func(tx *sql.Tx) error {
		out, err = query(tx, "workspace = ? AND parent = '' ORDER BY created DESC, name", workspace.Key())
		return err
	})
	return out, err
}

// Steps gives a pipeline's steps in the order in which they were submitted,
// which is one that their needs allow.
func (s *Store) Steps(ctx context.Context, workspace arm.ID, pipeline string) (out []Job, err error) {
	err = s.db.View(ctx, func(tx *sql.Tx) error {
		out, err = steps(tx, workspace, pipeline)
		return err
	})
	return out, err
}

func steps(tx *sql.Tx, workspace arm.ID, pipeline string) ([]Job, error) {
	return query(tx, "workspace = ? AND parent = ? ORDER BY rowid", workspace.Key(), pipeline)
}

// Events gives what happened to the named jobs after the event with the number after.
func (s *Store) Events(ctx context.Context, workspace arm.ID, after int64, jobs ...string) (out []Event, err error) {
	args := []any{workspace.Key(), after}
	for _, j := range jobs {
		args = append(args, j)
	}
	marks := strings.TrimSuffix(strings.Repeat("?,", len(jobs)), ",")
	err = s.db.View(ctx, func(tx *sql.Tx) error {
		rows, err := tx.Query("SELECT seq, job, at, state, message FROM events WHERE workspace = ? AND seq > ? AND job IN ("+marks+") ORDER BY seq", args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var e Event
			var at int64
			if err := rows.Scan(&e.Seq, &e.Job, &at, &e.State, &e.Message); err != nil {
				return err
			}
			e.Time = instant(at)
			out = append(out, e)
		}
		return rows.Err()
	})
	return out, err
}

// Delete forgets a job that has ended, and a pipeline's steps with it.
func (s *Store) Delete(ctx context.Context, workspace arm.ID, name string) error {
	return s.db.Update(ctx, func(tx *sql.Tx) error {
		j, err := get(tx, workspace, name)
		if err != nil {
			return err
		}
		if !j.State.Ended() {
			return fmt.Errorf("%s is %s", name, j.State)
		}
		_, err = tx.Exec(`DELETE FROM events WHERE workspace = ?1 AND job IN (SELECT name FROM jobs WHERE workspace = ?1 AND (name = ?2 OR parent = ?2))`, workspace.Key(), name)
		if err != nil {
			return err
		}
		_, err = tx.Exec("DELETE FROM jobs WHERE workspace = ?1 AND (name = ?2 OR parent = ?2)", workspace.Key(), name)
		return err
	})
}

// Forget removes everything of a workspace.
func (s *Store) Forget(ctx context.Context, workspace arm.ID) error {
	return s.db.Update(ctx, func(tx *sql.Tx) error {
		for _, table := range []string{"jobs", "events"} {
			if _, err := tx.Exec("DELETE FROM "+table+" WHERE workspace = ?", workspace.Key()); err != nil {
				return err
			}
		}
		return nil
	})
}
