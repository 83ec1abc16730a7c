package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/cloister-ml/cloister/internal/durable"
)

// ErrTaken is returned where another process writes to the database, or has
// written to it since it was opened.
var ErrTaken = errors.New("the database is another control plane's")

const (
	// lockClass is the first half of the advisory lock's key: "CLST". The second
	// is of the schema, so that several clouds may share a database.
	lockClass    = 0x434c5354
	lockPatience = 10 * time.Second // for the lock of our own broken connection
	openPatience = 2 * time.Second  // for that of a process that was just killed
	writeTime    = 30 * time.Second // that one transaction may take
	settleTime   = 30 * time.Second // to learn how a transaction ended whose connection broke
	oldestServer = 130000           // pg_xact_status and the 64-bit ids that it takes
)

// postgres is the tables in a PostgreSQL database. All that is written goes over
// the one connection that holds the advisory lock, so that who has lost the lock
// cannot write.
type postgres struct {
	write *sql.DB
	read  *sql.DB

	mu     sync.Mutex
	writer string // what this process has written into the database at its opening
}

// OpenPostgres opens the tables in the database at dsn, a postgres:// URL or the
// words that libpq knows, makes them where they are missing and brings them to
// this version's schema. It fails with [ErrTaken] while another process has them
// open.
func OpenPostgres(ctx context.Context, dsn string) (*Database, error) {
	p, err := openPostgres(ctx, dsn, postgresMigrations)
	if err != nil {
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	return &Database{engine: p, kind: "postgres"}, nil
}

func openPostgres(ctx context.Context, dsn string, migrations []string) (*postgres, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, withoutPassword(dsn, err)
	}
	config.RuntimeParams["application_name"] = "cloister"
	p := &postgres{}
	p.write = stdlib.OpenDB(*config, stdlib.OptionAfterConnect(p.take))
	p.write.SetMaxOpenConns(1)
	p.read = stdlib.OpenDB(*config)
	p.read.SetMaxOpenConns(4)
	err = p.migrate(ctx, migrations)
	if err == nil {
		err = p.sign(ctx)
	}
	if err != nil {
		return nil, errors.Join(withoutPassword(dsn, err), p.Close())
	}
	return p, nil
}

// withoutPassword is the error without the password that the address has: errors
// are shown and logged.
func withoutPassword(dsn string, err error) error {
	var parse *pgconn.ParseConfigError
	if errors.As(err, &parse) { // it quotes what it was given
		return errors.New("the address of the PostgreSQL database cannot be read: write it as postgres://USER@HOST:PORT/DATABASE")
	}
	if u, bad := url.Parse(dsn); bad == nil {
		if password, ok := u.User.Password(); ok && password != "" && strings.Contains(err.Error(), password) {
			return errors.New(strings.ReplaceAll(err.Error(), password, "xxxxx"))
		}
	}
	return err
}

// take prepares a new connection for writing, or closes it: left open, it would
// keep the lock.
func (p *postgres) take(ctx context.Context, conn *pgx.Conn) error {
	err := p.prepare(ctx, conn)
	if err != nil {
		return errors.Join(err, conn.Close(context.WithoutCancel(ctx)))
	}
	return nil
}

// prepare sees to it that the connection has the lock, and that nobody else had it
// since this process signed.
func (p *postgres) prepare(ctx context.Context, conn *pgx.Conn) error {
	var version int
	var fsync, synchronous string
	err := conn.QueryRow(ctx, `SELECT current_setting('server_version_num')::int, current_setting('fsync'), current_setting('synchronous_commit')`).Scan(&version, &fsync, &synchronous)
	switch {
	case err != nil:
		return err
	case version < oldestServer:
		return fmt.Errorf("the server is PostgreSQL %d: 13 is the oldest that is supported", version/10000)
	case fsync != "on":
		return errors.New("the server runs with fsync off, and so loses what it has acknowledged when its machine fails: turn it on")
	}
	if synchronous == "off" {
		if _, err := conn.Exec(ctx, `SET synchronous_commit TO on`); err != nil {
			return err
		}
	}
	p.mu.Lock()
	writer := p.writer
	p.mu.Unlock()
	patience := lockPatience
	if writer == "" {
		patience = openPatience
	}
	if err := lock(ctx, conn, patience); err != nil || writer == "" {
		return err
	}
	var last string
	if err := conn.QueryRow(ctx, `SELECT value FROM settings WHERE name = 'writer'`).Scan(&last); err != nil {
		return err
	}
	if last != writer {
		return fmt.Errorf("%w: it was opened by another while the connection was lost; restart this one", ErrTaken)
	}
	return nil
}

// lock takes the advisory lock. A server may take a while to see that a connection
// is gone, so it is asked again for a while.
func lock(ctx context.Context, conn *pgx.Conn, patience time.Duration) error {
	deadline := time.Now().Add(patience)
	for {
		var ours bool
		if err := conn.QueryRow(ctx, `SELECT pg_try_advisory_lock($1, hashtext(current_schema()))`, lockClass).Scan(&ours); err != nil || ours {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%w: one is running against it", ErrTaken)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (p *postgres) migrate(ctx context.Context, migrations []string) error {
	return transaction(ctx, p.write, nil, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS layout (version BIGINT NOT NULL)`); err != nil {
			return err
		}
		var version int
		if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(version), 0) FROM layout`).Scan(&version); err != nil {
			return err
		}
		if version > len(migrations) {
			return fmt.Errorf("it has the layout %d, and this program knows only %d: it belongs to a newer version", version, len(migrations))
		}
		for n := version; n < len(migrations); n++ {
			if _, err := tx.ExecContext(ctx, migrations[n]); err != nil {
				return fmt.Errorf("bringing it to layout %d: %w", n+1, err)
			}
			if _, err := tx.ExecContext(ctx, `INSERT INTO layout (version) VALUES ($1)`, n+1); err != nil {
				return err
			}
		}
		return nil
	})
}

// sign says in the database that this process is the one that writes to it.
func (p *postgres) sign(ctx context.Context) error {
	writer := uuid.NewString()
	err := p.Update(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES ('writer', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, writer)
		return err
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	p.writer = writer
	return err
}

// Update implements engine. Where the connection breaks at the commit, the server
// is asked how it ended.
func (p *postgres) Update(ctx context.Context, do func(*sql.Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	var id string
	err := transaction(ctx, p.write, nil, func(tx *sql.Tx) error {
		if err := tx.QueryRowContext(ctx, `SELECT pg_current_xact_id()::text`).Scan(&id); err != nil {
			return err
		}
		return do(tx)
	})
	if errors.Is(err, durable.ErrUncertain) {
		return p.settle(context.WithoutCancel(ctx), id, err)
	}
	return err
}

// settle is how the transaction ended whose commit failed with uncertain.
func (p *postgres) settle(ctx context.Context, id string, uncertain error) error {
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	for {
		var status sql.NullString
		err := p.write.QueryRowContext(ctx, `SELECT pg_xact_status($1::text::xid8)`, id).Scan(&status)
		switch {
		case err == nil && status.String == "committed":
			return nil
		case err == nil && status.String == "aborted":
			return fmt.Errorf("the database has undone it: %s", uncertain.Error()) // certain now
		case errors.Is(err, ErrTaken):
			return errors.Join(err, uncertain)
		}
		select {
		case <-ctx.Done():
			return uncertain
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// View implements engine.
func (p *postgres) View(ctx context.Context, do func(*sql.Tx) error) error {
	return transaction(ctx, p.read, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}, do)
}

// Reader implements engine.
func (p *postgres) Reader() *sql.DB { return p.read }

// Close implements engine.
func (p *postgres) Close() error { return errors.Join(p.read.Close(), p.write.Close()) }

func transaction(ctx context.Context, db *sql.DB, o *sql.TxOptions, do func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, o)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		_ = tx.Rollback() // err is the one to tell; a broken connection undoes it as well
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("%w: %w", durable.ErrUncertain, err)
	}
	return nil
}

// Drop deletes the tables of a PostgreSQL store. Of SQLite, the file is deleted.
func (s *Database) Drop(ctx context.Context) error {
	p, ok := s.engine.(*postgres)
	if !ok {
		return errors.New("only a PostgreSQL store is dropped: the file of this one can be deleted")
	}
	return transaction(ctx, p.write, nil, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DROP TABLE resources, activity, principals, settings, objects, layout`)
		return err
	})
}

// ExportPostgres is [Database.Export] of the store at dsn, which another process
// may have open.
func ExportPostgres(ctx context.Context, dsn, path string) error {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return withoutPassword(dsn, err)
	}
	config.RuntimeParams["application_name"] = "cloister"
	p := &postgres{read: stdlib.OpenDB(*config)}
	defer p.read.Close() // nothing was written
	var version int
	if err := p.read.QueryRowContext(ctx, `SELECT coalesce(max(version), 0) FROM layout`).Scan(&version); err != nil {
		return fmt.Errorf("reading the store: %w", withoutPassword(dsn, err))
	}
	if version != len(postgresMigrations) {
		return fmt.Errorf("the store has the layout %d, and this program's is %d: use the program that runs the cloud", version, len(postgresMigrations))
	}
	return (&Database{engine: p, kind: "postgres"}).Export(ctx, path)
}
