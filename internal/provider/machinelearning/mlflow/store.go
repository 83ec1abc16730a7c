package mlflow

import (
	"context"
	"database/sql"
	"net/http"
	"strconv"
	"time"

	"github.com/cloister-ml/cloister/internal/durable"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning"
)

// Store is one workspace's tracking store.
type Store struct {
	db        *durable.DB
	artifacts machinelearning.Artifacts
	mux       *http.ServeMux
}

const schema = `
CREATE TABLE experiments (
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, stage TEXT NOT NULL DEFAULT 'active',
  created INTEGER NOT NULL, updated INTEGER NOT NULL);
CREATE TABLE experiment_tags (
  experiment INTEGER NOT NULL REFERENCES experiments(id), key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (experiment, key)) WITHOUT ROWID;
CREATE TABLE runs (
  id TEXT PRIMARY KEY, experiment INTEGER NOT NULL REFERENCES experiments(id), name TEXT NOT NULL, user TEXT NOT NULL,
  status TEXT NOT NULL, stage TEXT NOT NULL DEFAULT 'active', started INTEGER NOT NULL, ended INTEGER) WITHOUT ROWID;
CREATE INDEX runs_of_experiment ON runs (experiment, started DESC);
CREATE TABLE params (run TEXT NOT NULL REFERENCES runs(id), key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (run, key)) WITHOUT ROWID;
CREATE TABLE tags (run TEXT NOT NULL REFERENCES runs(id), key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (run, key)) WITHOUT ROWID;
-- value is NULL for NaN, which SQLite cannot hold.
CREATE TABLE metrics (
  run TEXT NOT NULL REFERENCES runs(id), key TEXT NOT NULL, step INTEGER NOT NULL, timestamp INTEGER NOT NULL, value REAL);
CREATE INDEX metrics_of_run ON metrics (run, key, step, timestamp);
CREATE UNIQUE INDEX metrics_once ON metrics (run, key, step, timestamp, ifnull(value, 'NaN'));
CREATE TABLE models (
  name TEXT PRIMARY KEY, description TEXT NOT NULL DEFAULT '', created INTEGER NOT NULL, updated INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE model_tags (model TEXT NOT NULL REFERENCES models(name) ON UPDATE CASCADE ON DELETE CASCADE, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (model, key)) WITHOUT ROWID;
CREATE TABLE aliases (model TEXT NOT NULL REFERENCES models(name) ON UPDATE CASCADE ON DELETE CASCADE, alias TEXT NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (model, alias)) WITHOUT ROWID;
CREATE TABLE versions (
  model TEXT NOT NULL REFERENCES models(name) ON UPDATE CASCADE ON DELETE CASCADE, version INTEGER NOT NULL, description TEXT NOT NULL DEFAULT '',
  type TEXT NOT NULL, source TEXT NOT NULL, run TEXT NOT NULL DEFAULT '', stage TEXT NOT NULL DEFAULT 'None',
  created INTEGER NOT NULL, updated INTEGER NOT NULL, PRIMARY KEY (model, version)) WITHOUT ROWID;
CREATE TABLE version_tags (
  model TEXT NOT NULL, version INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (model, version, key),
  FOREIGN KEY (model, version) REFERENCES versions(model, version) ON UPDATE CASCADE ON DELETE CASCADE) WITHOUT ROWID;
-- the highest number a model has had: a deleted version's number is not given again
CREATE TABLE numbers (model TEXT PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO experiments (id, name, created, updated) VALUES (0, 'Default', 0, 0);
`

// Open opens or creates the store at path.
func Open(path string, artifacts machinelearning.Artifacts) (*Store, error) {
	db, err := durable.OpenDB(path, schema)
	if err != nil {
		return nil, err
	}
	s := &Store{db: db, artifacts: artifacts}
	s.mux = s.routes()
	return s, nil
}

// Close closes the store.
func (s *Store) Close() error { return s.db.Close() }

// Handler serves MLflow's REST API.
func (s *Store) Handler() http.Handler { return s.mux }

func now() int64 { return time.Now().UnixMilli() }

// tagJSON is how MLflow writes tags and parameters.
type tagJSON struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// pairs reads rows of key and value.
func pairs(ctx context.Context, tx *sql.Tx, query string, args ...any) ([]tagJSON, error) {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := []tagJSON{}
	for rows.Next() {
		var t tagJSON
		if err := rows.Scan(&t.Key, &t.Value); err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, rows.Err()
}

// page turns a page token and a size into an offset and a limit.
func page(token string, size, def, most int) (offset, limit int, err error) {
	if size == 0 {
		size = def
	}
	if size < 0 || size > most {
		return 0, 0, invalid("max_results must be between 1 and %d, and is %d", most, size)
	}
	if token != "" {
		if offset, err = strconv.Atoi(token); err != nil || offset < 0 {
			return 0, 0, invalid("the page token is not one of ours")
		}
	}
	return offset, size, nil
}

// nextPage is the token after a page that was read with one row more than its
// limit, and the rows of the page.
func nextPage[T any](rows []T, offset, limit int) ([]T, string) {
	if len(rows) <= limit {
		return rows, ""
	}
	return rows[:limit], strconv.Itoa(offset + limit)
}
