package durable

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// DB is a SQLite database with one writer and many readers. A transaction that
// Update has committed is on the disk.
type DB struct {
	write *sql.DB
	read  *sql.DB
}

// OpenDB opens or creates the database at path. migrations are SQL scripts that
// are run once each, in order; a database that has had more of them than are
// given belongs to a newer program and is refused.
func OpenDB(path string, migrations ...string) (*DB, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	// SQLite gives its journal files the database's mode, so the mode is settled here.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(f.Chmod(0o600), f.Close()); err != nil {
		return nil, err
	}
	db := &DB{}
	if db.write, err = sql.Open("sqlite", dsn(path, "immediate", "query_only(0)")); err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	db.write.SetMaxOpenConns(1)
	if db.read, err = sql.Open("sqlite", dsn(path, "deferred", "query_only(1)")); err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	db.read.SetMaxOpenConns(max(4, runtime.NumCPU()))
	if err := db.migrate(migrations); err != nil {
		_ = db.Close() // the migration's error is the one to tell
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	return db, SyncDir(filepath.Dir(path))
}

func dsn(path, lock, mode string) string {
	q := url.Values{"_txlock": {lock}, "_pragma": {
		"busy_timeout(30000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", mode,
	}}
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: q.Encode()}).String()
}

func (d *DB) migrate(migrations []string) error {
	return d.Update(context.Background(), func(tx *sql.Tx) error {
		var version int
		if err := tx.QueryRow("PRAGMA user_version").Scan(&version); err != nil {
			return err
		}
		if version > len(migrations) {
			return fmt.Errorf("it has the layout %d, and this program knows only %d: it belongs to a newer version", version, len(migrations))
		}
		for _, script := range migrations[version:] {
			if _, err := tx.Exec(script); err != nil {
				return err
			}
		}
		_, err := tx.Exec(fmt.Sprintf("PRAGMA user_version = %d", len(migrations)))
		return err
	})
}

// ErrUncertain is wrapped by the error of a commit that failed: whether the
// transaction is on the disk will be known when the database is next opened.
var ErrUncertain = errors.New("the commit failed")

// Update runs one write transaction. It is on the disk when Update returns nil,
// and has left nothing behind when it returns an error, unless that wraps
// [ErrUncertain].
func (d *DB) Update(ctx context.Context, do func(*sql.Tx) error) error {
	return transact(ctx, d.write, do)
}

// View runs do over one consistent state of the database.
func (d *DB) View(ctx context.Context, do func(*sql.Tx) error) error {
	return transact(ctx, d.read, do)
}

// Reader is for single queries outside of a transaction. It refuses to write.
func (d *DB) Reader() *sql.DB { return d.read }

func transact(ctx context.Context, db *sql.DB, do func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		_ = tx.Rollback() // err is the one to tell; SQLite forgets the transaction either way
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("%w: %w", ErrUncertain, err)
	}
	return nil
}

// Close waits for running transactions.
func (d *DB) Close() error {
	var first error
	for _, db := range []*sql.DB{d.read, d.write} {
		if db == nil {
			continue
		}
		if err := db.Close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// Hold keeps every writer of the database at path waiting, in whatever process,
// until it is released. Who reads is not held up.
func Hold(ctx context.Context, path string) (release func() error, err error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", dsn(path, "immediate", "query_only(0)"))
	if err != nil {
		return nil, err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("waiting for the writers of %s: %w", path, err), db.Close())
	}
	return func() error { return errors.Join(tx.Rollback(), db.Close()) }, nil
}

// CopyDB writes one consistent state of the database at from, which may be in use,
// into a new file.
func CopyDB(ctx context.Context, from, to string) error {
	if _, err := os.Stat(from); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", dsn(from, "deferred", "query_only(0)"))
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "VACUUM INTO ?", to)
	if err = errors.Join(err, db.Close()); err != nil {
		return fmt.Errorf("copying the database %s: %w", from, err)
	}
	return os.Chmod(to, 0o600)
}
