package insights

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/durable"
)

const schema = `
CREATE TABLE items (
	id        INTEGER PRIMARY KEY,
	component TEXT NOT NULL,    -- the key of its id
	tbl       TEXT NOT NULL,
	at        INTEGER NOT NULL, -- in Unix microseconds
	doc       TEXT NOT NULL     -- the envelope as it came
);
CREATE INDEX by_table ON items(component, tbl, at);
CREATE INDEX by_time  ON items(component, at);
CREATE TABLE billing (component TEXT PRIMARY KEY, doc TEXT NOT NULL);
`

// Store keeps telemetry.
type Store struct {
	dir string

	mu   sync.Mutex
	open *durable.DB
}

// Item is one piece of telemetry.
type Item struct {
	Component arm.ID
	Table     string // requests, traces, ...
	Time      time.Time
	Doc       json.RawMessage // the envelope as it came
}

// Filter chooses items.
type Filter struct {
	Component arm.ID
	Table     string    // "" for all
	Since     time.Time // zero for all
	Contains  string    // text anywhere in the item, whatever its case
	Limit     int       // the latest so many
}

func newStore(dir string) *Store { return &Store{dir: dir} }

// db opens the database when it is first asked for.
func (s *Store) db() (*durable.DB, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		db, err := durable.OpenDB(filepath.Join(s.dir, "telemetry.db"), schema)
		if err != nil {
			return nil, err
		}
		s.open = db
	}
	return s.open, nil
}

// Close ends the store; it opens again when it is used.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		return nil
	}
	err := s.open.Close()
	s.open = nil
	return err
}

// Add keeps items, all or none.
func (s *Store) Add(ctx context.Context, items []Item) error {
	return s.update(ctx, func(tx *sql.Tx) error {
		stmt, err := tx.Prepare("INSERT INTO items (component, tbl, at, doc) VALUES (?, ?, ?, ?)")
		if err != nil {
			return err
		}
		defer stmt.Close()
		for _, i := range items {
			if _, err := stmt.Exec(i.Component.Key(), i.Table, i.Time.UnixMicro(), string(i.Doc)); err != nil {
				return err
			}
		}
		return nil
	})
}

// Query gives the latest items that the filter chooses, in order of time.
func (s *Store) Query(ctx context.Context, f Filter) ([]Item, error) {
	db, err := s.db()
	if err != nil {
		return nil, err
	}
	query, args := "SELECT tbl, at, doc FROM items WHERE component = ?", []any{f.Component.Key()}
	if f.Table != "" {
		query, args = query+" AND tbl = ?", append(args, f.Table)
	}
	if !f.Since.IsZero() {
		query, args = query+" AND at >= ?", append(args, f.Since.UnixMicro())
	}
	if f.Contains != "" {
		query, args = query+` AND doc LIKE ? ESCAPE '\'`, append(args, "%"+likeText.Replace(f.Contains)+"%")
	}
	query, args = query+" ORDER BY at DESC, id DESC LIMIT ?", append(args, f.Limit)
	var out []Item
	err = db.View(ctx, func(tx *sql.Tx) error {
		rows, err := tx.Query(query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			i := Item{Component: f.Component}
			var at int64
			var doc string
			if err := rows.Scan(&i.Table, &at, &doc); err != nil {
				return err
			}
			i.Time, i.Doc = time.UnixMicro(at).UTC(), json.RawMessage(doc)
			out = append(out, i)
		}
		return rows.Err()
	})
	slices.Reverse(out)
	return out, err
}

// likeText writes text for LIKE with the escape character \.
var likeText = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// Forget removes all that is kept of a component.
func (s *Store) Forget(ctx context.Context, component arm.ID) error {
	return s.update(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec("DELETE FROM items WHERE component = ?", component.Key()); err != nil {
			return err
		}
		_, err := tx.Exec("DELETE FROM billing WHERE component = ?", component.Key())
		return err
	})
}

// Expire removes a component's items that are older than before.
func (s *Store) Expire(ctx context.Context, component arm.ID, before time.Time) error {
	return s.update(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec("DELETE FROM items WHERE component = ? AND at < ?", component.Key(), before.UnixMicro())
		return err
	})
}

func (s *Store) update(ctx context.Context, do func(*sql.Tx) error) error {
	db, err := s.db()
	if err != nil {
		return err
	}
	return db.Update(ctx, do)
}

// billing is the billing document that was put for a component, or nil.
func (s *Store) billing(ctx context.Context, component arm.ID) (json.RawMessage, error) {
	db, err := s.db()
	if err != nil {
		return nil, err
	}
	var doc string
	err = db.View(ctx, func(tx *sql.Tx) error {
		return tx.QueryRow("SELECT doc FROM billing WHERE component = ?", component.Key()).Scan(&doc)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return json.RawMessage(doc), err
}

func (s *Store) setBilling(ctx context.Context, component arm.ID, doc json.RawMessage) error {
	return s.update(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec("INSERT INTO billing (component, doc) VALUES (?, ?) ON CONFLICT (component) DO UPDATE SET doc = excluded.doc",
			component.Key(), string(doc))
		return err
	})
}
