package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
)

// ErrNotEmpty says that a store that was to be filled from a copy has something
// in it.
var ErrNotEmpty = errors.New("the store is not empty")

// Place is the setting that says which folder a PostgreSQL store belongs to. It and
// who writes at the moment are no part of a copy.
const Place = "folder"

// column is a column and the kind of its values.
type column struct {
	name  string
	value func() any // a place for one
}

// table is one that is copied, in an order that keeps what the order means.
type table struct {
	name    string
	order   string
	columns []column
}

func integer() any { return new(int64) }
func words() any   { return new(string) }
func blob() any    { return new([]byte) }
func truth() any   { return new(bool) }

// tables are what a copy has: everything but who writes at the moment.
func tables() []table {
	return []table{
		{"resources", "key", []column{
			{"key", words}, {"document", blob}, {"extra", blob}, {"version", integer}, {"applied", integer}, {"state", words},
			{"conditions", blob}, {"created", integer}, {"created_by", words}, {"changed", integer}, {"changed_by", words},
		}},
		{"activity", "n", []column{
			{"time", integer}, {"caller", words}, {"app", words}, {"action", words}, {"scope", words}, {"allowed", truth},
			{"status", integer}, {"correlation", words}, {"source", words}, {"reason", words},
		}},
		{"principals", "app_id", []column{
			{"app_id", words}, {"object_id", words}, {"name", words}, {"hash", blob}, {"owner", truth}, {"created", integer},
		}},
		{"settings", "name", []column{{"name", words}, {"value", words}}},
		{"objects", "kind, id", []column{{"kind", words}, {"id", words}, {"value", blob}}},
	}
}

// Export writes one consistent state of the store into a new SQLite file, from
// which [Database.Import] makes it again in either form. It does not hold up who
// writes.
func (s *Database) Export(ctx context.Context, path string) error {
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		return errors.Join(fmt.Errorf("%s: %w", path, os.ErrExist), err)
	}
	to, err := OpenSQLite(path)
	if err != nil {
		return err
	}
	err = s.engine.View(ctx, func(from *sql.Tx) error { return to.fill(ctx, from) })
	if err := errors.Join(err, to.Close()); err != nil {
		return fmt.Errorf("copying the store: %w", err)
	}
	return nil
}

// Import fills the store, which must be empty, from a file that Export has
// written: all of it, or nothing.
func (s *Database) Import(ctx context.Context, path string) error {
	if _, err := os.Stat(path); err != nil {
		return err
	}
	from, err := OpenSQLite(path)
	if err != nil {
		return err
	}
	err = from.engine.View(ctx, func(tx *sql.Tx) error { return s.fill(ctx, tx) })
	if err := errors.Join(err, from.Close()); err != nil {
		return fmt.Errorf("filling the store: %w", err)
	}
	return nil
}

// Empty reports whether nothing was ever kept in the store.
func (s *Database) Empty(ctx context.Context) (bool, error) {
	return empty(ctx, s.engine.Reader())
}

// fill copies every table into this store.
func (s *Database) fill(ctx context.Context, from *sql.Tx) error {
	return s.engine.Update(ctx, func(to *sql.Tx) error {
		if is, err := empty(ctx, to); err != nil || !is {
			return errors.Join(ErrNotEmpty, err)
		}
		for _, t := range tables() {
			if err := t.copy(ctx, to, from); err != nil {
				return fmt.Errorf("table %s: %w", t.name, err)
			}
		}
		return nil
	})
}

// queryer is a database, or a transaction.
type queryer interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func empty(ctx context.Context, db queryer) (bool, error) {
	var rows int
	err := db.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM resources) + (SELECT count(*) FROM principals) + (SELECT count(*) FROM objects)
		+ (SELECT count(*) FROM settings WHERE name NOT IN ('writer', 'folder'))`).Scan(&rows)
	return rows == 0, err
}

func (t table) copy(ctx context.Context, to, from *sql.Tx) error {
	var names, places []string
	var values []any
	for i, c := range t.columns {
		names, places = append(names, c.name), append(places, fmt.Sprintf("$%d", i+1))
		values = append(values, c.value())
	}
	list := strings.Join(names, ", ")
	where := ""
	if t.name == "settings" {
		where = " WHERE name NOT IN ('writer', 'folder')"
	}
	insert, err := to.PrepareContext(ctx, fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", t.name, list, strings.Join(places, ", ")))
	if err != nil {
		return err
	}
	defer insert.Close()
	rows, err := from.QueryContext(ctx, fmt.Sprintf("SELECT %s FROM %s%s ORDER BY %s", list, t.name, where, t.order))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(values...); err != nil {
			return err
		}
		for _, v := range values {
			if b, ok := v.(*[]byte); ok && *b == nil {
				*b = []byte{} // SQLite's driver says so of what is empty
			}
		}
		if _, err := insert.ExecContext(ctx, values...); err != nil {
			return err
		}
	}
	return rows.Err()
}
