package store_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/internal/cloud/postgrestest"
	"github.com/cloister-ml/cloister/internal/cloud/store"
)

// dump is a store of an older layout.
func dump(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// sqliteFrom makes a database file of statements.
func sqliteFrom(t *testing.T, statements string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "store.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), statements); err != nil {
		t.Fatal(err)
	}
	return path
}

// What the first layout holds is there in today's, and today's tables work.
func holdsWhatLayoutOneHeld(t *testing.T, s *store.Database) {
	t.Helper()
	ctx := t.Context()
	rows, err := s.Load(ctx)
	if err != nil || len(rows) != 1 {
		t.Fatalf("%d documents, %v", len(rows), err)
	}
	if r := rows[0]; r.Resource.Name != "One" || r.Version != 7 || r.Resource.Properties["n"] != 1.5 || r.State != store.Succeeded || r.CreatedBy != "me" {
		t.Errorf("the document is %+v", r)
	}
	log, err := s.Log(ctx, "/", 10)
	if err != nil || len(log) != 1 || log[0].Action != "A.B/c/write" || !log[0].Allowed {
		t.Errorf("the activity log is %+v, %v", log, err)
	}
	principals, err := s.Principals(ctx)
	if err != nil || len(principals) != 1 || principals[0].AppID != "app" || !principals[0].Owner {
		t.Errorf("the principals are %+v, %v", principals, err)
	}
	next := *rows[0]
	next.Version = 8
	if err := s.Commit(ctx, store.Batch{Changes: []store.Change{{Key: next.Key(), Was: 7, Row: &next}}}); err != nil {
		t.Errorf("changing what was migrated: %v", err)
	}
}

func TestFromLayoutOne(t *testing.T) {
	path := sqliteFrom(t, dump(t, "layout1.sqlite.sql"))
	for _, when := range []string{"migrated", "opened again"} {
		s, err := store.OpenSQLite(path)
		if err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		if when == "migrated" {
			holdsWhatLayoutOneHeld(t, s)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestNewerLayoutIsRefused(t *testing.T) {
	path := sqliteFrom(t, "PRAGMA user_version = 1000")
	if _, err := store.OpenSQLite(path); err == nil || !strings.Contains(err.Error(), "belongs to a newer version") {
		t.Errorf("a newer layout: %v", err)
	}
}

func TestFromLayoutOneOnPostgres(t *testing.T) {
	server := postgrestest.Start(t)
	dsn := server.Database(t)
	server.Exec(t, dsn, dump(t, "layout1.postgres.sql"))
	holdsWhatLayoutOneHeld(t, openPostgres(t, dsn))
}
