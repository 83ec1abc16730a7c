package devops

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"
)

const schema = `
CREATE TABLE IF NOT EXISTS setting (key TEXT PRIMARY KEY, value BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS token (
	name TEXT PRIMARY KEY, scope TEXT NOT NULL, hash BLOB NOT NULL, created INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS pool (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE COLLATE NOCASE);
CREATE TABLE IF NOT EXISTS agent (
	id INTEGER PRIMARY KEY AUTOINCREMENT, pool_id INTEGER NOT NULL REFERENCES pool(id),
	name TEXT NOT NULL COLLATE NOCASE, client_id TEXT NOT NULL UNIQUE,
	exponent BLOB NOT NULL, modulus BLOB NOT NULL,
	version TEXT NOT NULL, os TEXT NOT NULL, capabilities TEXT NOT NULL, created INTEGER NOT NULL,
	UNIQUE (pool_id, name));
CREATE TABLE IF NOT EXISTS session (
	id TEXT PRIMARY KEY, agent_id INTEGER NOT NULL UNIQUE REFERENCES agent(id) ON DELETE CASCADE,
	owner TEXT NOT NULL, key BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS project (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE COLLATE NOCASE);
CREATE TABLE IF NOT EXISTS repository (
	id TEXT PRIMARY KEY, project_id TEXT NOT NULL REFERENCES project(id),
	name TEXT NOT NULL COLLATE NOCASE, branch TEXT NOT NULL, UNIQUE (project_id, name));
CREATE TABLE IF NOT EXISTS pipeline (
	id INTEGER PRIMARY KEY AUTOINCREMENT, project_id TEXT NOT NULL REFERENCES project(id),
	name TEXT NOT NULL COLLATE NOCASE, folder TEXT NOT NULL, repository_id TEXT NOT NULL REFERENCES repository(id),
	path TEXT NOT NULL, variables TEXT NOT NULL, revision INTEGER NOT NULL, UNIQUE (project_id, name));
CREATE TABLE IF NOT EXISTS counter (
	pipeline_id INTEGER NOT NULL, prefix TEXT NOT NULL, value INTEGER NOT NULL, PRIMARY KEY (pipeline_id, prefix));
CREATE TABLE IF NOT EXISTS run (
	id INTEGER PRIMARY KEY AUTOINCREMENT, pipeline_id INTEGER NOT NULL REFERENCES pipeline(id),
	plan_id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, state TEXT NOT NULL, result TEXT NOT NULL,
	reason TEXT NOT NULL, branch TEXT NOT NULL, commit_id TEXT NOT NULL,
	created INTEGER NOT NULL, finished INTEGER NOT NULL,
	definition TEXT NOT NULL, variables TEXT NOT NULL, parameters TEXT NOT NULL, resources TEXT NOT NULL,
	skip TEXT NOT NULL, secrets TEXT NOT NULL, issues TEXT NOT NULL,
	trigger_key TEXT UNIQUE, announced INTEGER NOT NULL DEFAULT 0, change INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS run_pipeline ON run (pipeline_id, id);
CREATE INDEX IF NOT EXISTS run_unannounced ON run (announced) WHERE announced = 0;
CREATE TABLE IF NOT EXISTS progress (
	run_id INTEGER NOT NULL REFERENCES run(id), kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
	PRIMARY KEY (run_id, kind, key));
CREATE TABLE IF NOT EXISTS request (
	id INTEGER PRIMARY KEY AUTOINCREMENT, run_id INTEGER NOT NULL REFERENCES run(id),
	job_id TEXT NOT NULL UNIQUE, stage TEXT NOT NULL, job TEXT NOT NULL, pool_id INTEGER NOT NULL,
	agent_id INTEGER, state TEXT NOT NULL, result TEXT NOT NULL, message TEXT NOT NULL,
	queued INTEGER NOT NULL, assigned INTEGER NOT NULL, finished INTEGER NOT NULL, locked_until INTEGER NOT NULL,
	stopping INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS request_open ON request (state) WHERE state <> 'completed';
CREATE TABLE IF NOT EXISTS message (
	id INTEGER PRIMARY KEY AUTOINCREMENT, agent_id INTEGER NOT NULL, request_id INTEGER NOT NULL REFERENCES request(id),
	type TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS record (
	run_id INTEGER NOT NULL REFERENCES run(id), id TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (run_id, id));
CREATE TABLE IF NOT EXISTS log (
	run_id INTEGER NOT NULL REFERENCES run(id), id INTEGER NOT NULL, job_id TEXT NOT NULL, path TEXT NOT NULL,
	lines INTEGER NOT NULL, size INTEGER NOT NULL, created INTEGER NOT NULL, PRIMARY KEY (run_id, id));
CREATE TABLE IF NOT EXISTS log_chunk (
	run_id INTEGER NOT NULL, log_id INTEGER NOT NULL, first INTEGER NOT NULL, lines INTEGER NOT NULL, text TEXT NOT NULL,
	PRIMARY KEY (run_id, log_id, first));
CREATE TABLE IF NOT EXISTS artifact (
	id INTEGER PRIMARY KEY AUTOINCREMENT, run_id INTEGER NOT NULL REFERENCES run(id), name TEXT NOT NULL,
	source TEXT NOT NULL, UNIQUE (run_id, name));
CREATE TABLE IF NOT EXISTS artifact_file (
	artifact_id INTEGER NOT NULL REFERENCES artifact(id), path TEXT NOT NULL, size INTEGER NOT NULL,
	PRIMARY KEY (artifact_id, path));
`

// update carries out a transaction; when it returns nil the change is on disk.
func (s *Server) update(ctx context.Context, do func(tx *sql.Tx) error) error {
	return s.store.Update(ctx, do)
}

// querier is a database or a transaction.
type querier interface {
	Query(query string, args ...any) (*sql.Rows, error)
	QueryRow(query string, args ...any) *sql.Row
}

// collect reads all rows of a query.
func collect[T any](q querier, scan func(row scanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := q.Query(query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

type scanner interface{ Scan(...any) error }

func millis(t time.Time) int64 { return t.UnixMilli() }

func fromMillis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// timeOrNil is nil for a time that has not come.
func timeOrNil(ms int64) *time.Time {
	if ms == 0 {
		return nil
	}
	t := fromMillis(ms)
	return &t
}

// encode is JSON of our own values, which can always be written.
func encode(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return "null"
	}
	return string(text)
}

func decode[T any](text string) (T, error) {
	var v T
	err := json.Unmarshal([]byte(text), &v)
	return v, err
}

func decodeInto(text string, into any) error { return json.Unmarshal([]byte(text), into) }
