package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/durable"
)

// SQLite keeps everything in one file.
type SQLite struct{ db *durable.DB }

var _ Store = (*SQLite)(nil)

// OpenSQLite opens the file, makes it (0600) where it is missing and brings its
// schema to this version.
func OpenSQLite(path string) (*SQLite, error) {
	db, err := durable.OpenDB(path, migrations...)
	if err != nil {
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	return &SQLite{db: db}, nil
}

// Close releases the file.
func (s *SQLite) Close() error { return s.db.Close() }

// Load implements Store.
func (s *SQLite) Load(ctx context.Context) ([]*Row, error) {
	rows, err := s.db.Reader().QueryContext(ctx, `SELECT document, extra, version, applied, state, conditions, created, created_by, changed, changed_by FROM resources`)
	if err != nil {
		return nil, fmt.Errorf("loading the store: %w", err)
	}
	defer rows.Close()
	var out []*Row
	for rows.Next() {
		var r Row
		var document, extra, conditions []byte
		var created, changed int64
		if err := rows.Scan(&document, &extra, &r.Version, &r.Applied, &r.State, &conditions, &created, &r.CreatedBy, &changed, &r.ChangedBy); err != nil {
			return nil, fmt.Errorf("loading the store: %w", err)
		}
		err := errors.Join(json.Unmarshal(document, &r.Resource), json.Unmarshal(extra, &r.Extra), json.Unmarshal(conditions, &r.Conditions))
		if err != nil {
			return nil, fmt.Errorf("loading the store: a document cannot be read: %w", err)
		}
		r.Created, r.Changed = time.UnixMicro(created).UTC(), time.UnixMicro(changed).UTC()
		out = append(out, &r)
	}
	return out, rows.Err()
}

// Commit implements Store.
func (s *SQLite) Commit(ctx context.Context, b Batch) error {
	err := s.db.Update(ctx, func(tx *sql.Tx) error {
		for _, c := range b.Changes {
			if err := writeRow(ctx, tx, c); err != nil {
				return err
			}
		}
		for _, e := range b.Log {
			if err := writeEntry(ctx, tx, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("writing to the store: %w", err)
	}
	return nil
}

func writeRow(ctx context.Context, tx *sql.Tx, c Change) error {
	res, err := func() (sql.Result, error) {
		if c.Row == nil {
			return tx.ExecContext(ctx, `DELETE FROM resources WHERE key = ? AND version = ?`, c.Key, c.Was)
		}
		r := c.Row
		document, err := json.Marshal(r.Resource)
		if err != nil {
			return nil, err
		}
		extra, err := json.Marshal(r.Extra)
		if err != nil {
			return nil, err
		}
		conditions, err := json.Marshal(r.Conditions)
		if err != nil {
			return nil, err
		}
		args := []any{document, extra, r.Version, r.Applied, r.State, conditions, r.Created.UnixMicro(), r.CreatedBy, r.Changed.UnixMicro(), r.ChangedBy, c.Key, c.Was}
		if c.Was == 0 {
			return tx.ExecContext(ctx, `INSERT INTO resources (document, extra, version, applied, state, conditions, created, created_by, changed, changed_by, key)
				VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`, args[:len(args)-1]...)
		}
		return tx.ExecContext(ctx, `UPDATE resources SET document = ?, extra = ?, version = ?, applied = ?, state = ?, conditions = ?,
			created = ?, created_by = ?, changed = ?, changed_by = ? WHERE key = ? AND version = ?`, args...)
	}()
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return errors.Join(fmt.Errorf("%s: %w", c.Key, ErrConflict), err)
	}
	return nil
}

func writeEntry(ctx context.Context, tx *sql.Tx, e Entry) error {
	res, err := tx.ExecContext(ctx, `INSERT INTO activity (time, caller, app, action, scope, allowed, status, correlation, source, reason)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		e.Time.UnixMicro(), e.Caller, e.App, e.Action, e.Scope.Key(), e.Allowed, e.Status, e.Correlation, e.Source, e.Reason)
	if err != nil {
		return err
	}
	n, err := res.LastInsertId()
	if err != nil || n%activityPruned != 0 {
		return err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM activity WHERE n <= ?`, n-activityKept)
	return err
}

// Log implements Store.
func (s *SQLite) Log(ctx context.Context, scope arm.ID, limit int) ([]Entry, error) {
	under := scope.Key() + "/"
	if scope == "/" || scope == "" {
		under = "/"
	}
	rows, err := s.db.Reader().QueryContext(ctx, `SELECT time, caller, app, action, scope, allowed, status, correlation, source, reason FROM activity
		WHERE scope = ? OR substr(scope, 1, length(?)) = ? ORDER BY n DESC LIMIT ?`, scope.Key(), under, under, limit)
	if err != nil {
		return nil, fmt.Errorf("reading the activity log: %w", err)
	}
	defer rows.Close()
	var out []Entry
	for rows.Next() {
		var e Entry
		var at int64
		if err := rows.Scan(&at, &e.Caller, &e.App, &e.Action, &e.Scope, &e.Allowed, &e.Status, &e.Correlation, &e.Source, &e.Reason); err != nil {
			return nil, fmt.Errorf("reading the activity log: %w", err)
		}
		e.Time = time.UnixMicro(at).UTC()
		out = append(out, e)
	}
	return out, rows.Err()
}

// Principals implements Store.
func (s *SQLite) Principals(ctx context.Context) ([]Principal, error) {
	rows, err := s.db.Reader().QueryContext(ctx, `SELECT app_id, object_id, name, hash, owner, created FROM principals ORDER BY created, app_id`)
	if err != nil {
		return nil, fmt.Errorf("reading the principals: %w", err)
	}
	defer rows.Close()
	var out []Principal
	for rows.Next() {
		var p Principal
		var created int64
		if err := rows.Scan(&p.AppID, &p.ObjectID, &p.Name, &p.Hash, &p.Owner, &created); err != nil {
			return nil, fmt.Errorf("reading the principals: %w", err)
		}
		p.Created = time.UnixMicro(created).UTC()
		out = append(out, p)
	}
	return out, rows.Err()
}

// PutPrincipal implements Store.
func (s *SQLite) PutPrincipal(ctx context.Context, p Principal) error {
	err := s.exec(ctx, `INSERT INTO principals (app_id, object_id, name, hash, owner, created) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (app_id) DO UPDATE SET object_id = excluded.object_id, name = excluded.name, hash = excluded.hash, owner = excluded.owner`,
		p.AppID, p.ObjectID, p.Name, p.Hash, p.Owner, p.Created.UnixMicro())
	if err != nil {
		return fmt.Errorf("writing a principal: %w", err)
	}
	return nil
}

// Setting implements Store.
func (s *SQLite) Setting(ctx context.Context, name string) (string, error) {
	var value string
	err := s.db.Reader().QueryRowContext(ctx, `SELECT value FROM settings WHERE name = ?`, name).Scan(&value)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("reading the setting %s: %w", name, err)
	}
	return value, nil
}

// Set implements Store.
func (s *SQLite) Set(ctx context.Context, name, value string) error {
	err := s.exec(ctx, `INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
	if err != nil {
		return fmt.Errorf("writing the setting %s: %w", name, err)
	}
	return nil
}

// exec runs one statement in a transaction of its own.
func (s *SQLite) exec(ctx context.Context, statement string, args ...any) error {
	return s.db.Update(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, statement, args...)
		return err
	})
}
