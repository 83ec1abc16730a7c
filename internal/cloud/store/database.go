package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cloister-ml/cloister/arm"
)

// Database is a Store in the tables of a relational database.
type Database struct {
	engine engine
	kind   string
}

var _ Store = (*Database)(nil)

// engine is the database that the tables are in.
type engine interface {
	// Update runs one write transaction, which is durable when Update returns nil.
	// An error leaves nothing behind, unless it wraps [durable.ErrUncertain].
	Update(ctx context.Context, do func(*sql.Tx) error) error
	// View runs do over one consistent state.
	View(ctx context.Context, do func(*sql.Tx) error) error
	// Reader is for single queries.
	Reader() *sql.DB
	Close() error
}

// Kind is what the tables are in: "sqlite" or "postgres".
func (s *Database) Kind() string { return s.kind }

// Close releases the database.
func (s *Database) Close() error { return s.engine.Close() }

// Load implements Store.
func (s *Database) Load(ctx context.Context) ([]*Row, error) {
	rows, err := s.engine.Reader().QueryContext(ctx, `SELECT document, extra, version, applied, state, conditions, created, created_by, changed, changed_by FROM resources`)
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
func (s *Database) Commit(ctx context.Context, b Batch) error {
	err := s.engine.Update(ctx, func(tx *sql.Tx) error {
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
			return tx.ExecContext(ctx, `DELETE FROM resources WHERE key = $1 AND version = $2`, c.Key, c.Was)
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
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING`, args[:len(args)-1]...)
		}
		return tx.ExecContext(ctx, `UPDATE resources SET document = $1, extra = $2, version = $3, applied = $4, state = $5, conditions = $6,
			created = $7, created_by = $8, changed = $9, changed_by = $10 WHERE key = $11 AND version = $12`, args...)
	}()
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err == nil && n != 1 {
		err = fmt.Errorf("%s: %w", c.Key, ErrConflict)
	}
	return err
}

// text is s as every database can keep it: the log is of requests as they came.
func text(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

func writeEntry(ctx context.Context, tx *sql.Tx, e Entry) error {
	var n int64
	err := tx.QueryRowContext(ctx, `INSERT INTO activity (time, caller, app, action, scope, allowed, status, correlation, source, reason)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING n`,
		e.Time.UnixMicro(), text(e.Caller), text(e.App), text(e.Action), text(e.Scope.Key()), e.Allowed, e.Status,
		text(e.Correlation), text(e.Source), text(e.Reason)).Scan(&n)
	if err != nil || n%activityPruned != 0 {
		return err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM activity WHERE n <= $1`, n-activityKept)
	return err
}

// Log implements Store.
func (s *Database) Log(ctx context.Context, scope arm.ID, limit int) ([]Entry, error) {
	// What is below comes between these two: '0' follows '/'.
	from, to := scope.Key()+"/", scope.Key()+"0"
	if scope == "/" || scope == "" {
		from, to = "/", "0"
	}
	rows, err := s.engine.Reader().QueryContext(ctx, `SELECT time, caller, app, action, scope, allowed, status, correlation, source, reason FROM activity
		WHERE scope = $1 OR scope >= $2 AND scope < $3 ORDER BY n DESC LIMIT $4`, scope.Key(), from, to, limit)
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
func (s *Database) Principals(ctx context.Context) ([]Principal, error) {
	rows, err := s.engine.Reader().QueryContext(ctx, `SELECT app_id, object_id, name, hash, owner, created FROM principals ORDER BY created, app_id`)
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
func (s *Database) PutPrincipal(ctx context.Context, p Principal) error {
	err := s.exec(ctx, `INSERT INTO principals (app_id, object_id, name, hash, owner, created) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (app_id) DO UPDATE SET object_id = excluded.object_id, name = excluded.name, hash = excluded.hash, owner = excluded.owner`,
		p.AppID, p.ObjectID, p.Name, p.Hash, p.Owner, p.Created.UnixMicro())
	if err != nil {
		return fmt.Errorf("writing a principal: %w", err)
	}
	return nil
}

// Setting implements Store.
func (s *Database) Setting(ctx context.Context, name string) (string, error) {
	var value string
	err := s.engine.Reader().QueryRowContext(ctx, `SELECT value FROM settings WHERE name = $1`, name).Scan(&value)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("reading the setting %s: %w", name, err)
	}
	return value, nil
}

// Set implements Store.
func (s *Database) Set(ctx context.Context, name, value string) error {
	err := s.exec(ctx, `INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
	if err != nil {
		return fmt.Errorf("writing the setting %s: %w", name, err)
	}
	return nil
}

// exec runs one statement in a transaction of its own.
func (s *Database) exec(ctx context.Context, statement string, args ...any) error {
	return s.engine.Update(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, statement, args...)
		return err
	})
}
