package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/postgrestest"
	"github.com/cloister-ml/cloister/internal/cloud/store"
)

func openPostgres(t *testing.T, dsn string) *store.Database {
	t.Helper()
	s, err := store.OpenPostgres(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestPostgres(t *testing.T) {
	server := postgrestest.Start(t)
	conformance(t, func(t *testing.T) *store.Database { return openPostgres(t, server.Database(t)) })
	t.Run("one process writes", func(t *testing.T) { oneWriter(t, server) })
	t.Run("what it refuses", func(t *testing.T) { refusals(t, server) })
	t.Run("the server is killed", func(t *testing.T) { killed(t, server) })
}

// A second process is kept out, also where it comes while the first has lost its
// connection.
func oneWriter(t *testing.T, server *postgrestest.Server) {
	ctx := t.Context()
	dsn := server.Database(t)
	first := openPostgres(t, dsn)
	if _, err := store.OpenPostgres(ctx, dsn); !errors.Is(err, store.ErrTaken) {
		t.Errorf("a second was let in: %v", err)
	}
	openPostgres(t, server.Database(t)) // another cloud's tables

	cut := func() {
		server.Exec(t, dsn, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()")
	}
	cut()
	if err := again(func() error { return first.Set(ctx, "a", "1") }); err != nil {
		t.Errorf("it does not come back after its connection broke: %v", err)
	}
	cut()
	second, err := store.OpenPostgres(ctx, dsn) // the lock is free until the first comes back
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	if err := again(func() error { return first.Set(ctx, "a", "2") }); !errors.Is(err, store.ErrTaken) {
		t.Errorf("it writes though another had the database: %v", err)
	}
}

// again tries a second time: the first finds that the connection is broken.
func again(f func() error) error {
	if err := f(); err == nil {
		return nil
	}
	return f()
}

func refusals(t *testing.T, server *postgrestest.Server) {
	newer := server.Database(t)
	if err := openPostgres(t, newer).Close(); err != nil {
		t.Fatal(err)
	}
	server.Exec(t, newer, "INSERT INTO layout (version) VALUES (1000)")
	for _, tt := range []struct{ name, dsn, says string }{
		{"a newer layout", newer, "belongs to a newer version"},
		{"an address that is none", "postgres://u:s3cret@h:x/d", "cannot be read"},
		{"words that are none", "host=h password='s3cret", "cannot be read"},
		{"nobody there", "postgres://u:s3cret@127.0.0.1:1/d", "connect"},
		{"another database", strings.Replace(newer, "/postgres", "/none", 1), "does not exist"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := store.OpenPostgres(t.Context(), tt.dsn)
			if err == nil {
				s.Close()
				t.Fatal("it was opened")
			}
			if !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("it says %v", err)
			}
		})
	}
}

// What was acknowledged is there when the server has come back, and what was not
// is there whole or not at all.
func killed(t *testing.T, server *postgrestest.Server) {
	ctx := context.Background()
	s := openPostgres(t, server.Database(t))
	acknowledged := make(chan int)
	back := make(chan struct{})
	go func() {
		defer close(acknowledged)
		for n := 1; ; n++ {
			select {
			case <-back: // no write failed: the one that was cut had been committed
				return
			default:
			}
			var b store.Batch
			for part := range 3 {
				id := arm.ID(fmt.Sprintf("/n%d/p%d", n, part))
				b.Changes = append(b.Changes, store.Change{Key: id.Key(), Row: &store.Row{Resource: arm.Resource{ID: id}, Version: int64(n)}})
			}
			if err := s.Commit(ctx, b); err != nil {
				return
			}
			acknowledged <- n
		}
	}()
	last := 0
	time.AfterFunc(300*time.Millisecond, func() { defer close(back); server.Restart(t) })
	for n := range acknowledged {
		last = n
	}
	<-back
	var rows []*store.Row
	err := again(func() (err error) { rows, err = s.Load(ctx); return err })
	if err != nil {
		t.Fatal(err)
	}
	if last == 0 || len(rows)%3 != 0 || len(rows) < 3*last || len(rows) > 3*(last+1) {
		t.Errorf("%d rows of %d acknowledged changes of three", len(rows), last)
	}
}
