package durable_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/internal/durable"
)

func TestDatabaseKeepsCommittedAndForgetsFailed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "with space #1", "x.db")
	ctx := context.Background()
	db, err := durable.OpenDB(path, "CREATE TABLE t (v TEXT)")
	if err != nil {
		t.Fatal(err)
	}
	insert := func(v string, fail error) error {
		return db.Update(ctx, func(tx *sql.Tx) error {
			if _, err := tx.Exec("INSERT INTO t VALUES (?)", v); err != nil {
				return err
			}
			return fail
		})
	}
	if err := insert("kept", nil); err != nil {
		t.Fatal(err)
	}
	boom := errors.New("boom")
	if err := insert("lost", boom); !errors.Is(err, boom) {
		t.Fatalf("got %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	db, err = durable.OpenDB(path, "CREATE TABLE t (v TEXT)", "ALTER TABLE t ADD COLUMN w TEXT")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var all string
	err = db.View(ctx, func(tx *sql.Tx) error {
		return tx.QueryRow("SELECT group_concat(v || coalesce(w, '')) FROM t").Scan(&all)
	})
	if err != nil || all != "kept" {
		t.Fatalf("got %q, %v", all, err)
	}
	if _, err := durable.OpenDB(path, "CREATE TABLE t (v TEXT)"); err == nil || !strings.Contains(err.Error(), "newer") {
		t.Fatalf("an older program opened it: %v", err)
	}
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) < 2 {
		t.Fatalf("files %v, %v", files, err)
	}
	for _, f := range files {
		if info, err := os.Stat(f); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", f, info.Mode(), err)
		}
	}
}

func TestReadOrCreateMakesOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sub", "key")
	made := 0
	create := func() ([]byte, error) { made++; return []byte("secret"), nil }
	for range 2 {
		if got, err := durable.ReadOrCreate(path, create); err != nil || string(got) != "secret" {
			t.Fatalf("got %q, %v", got, err)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 || made != 1 {
		t.Fatalf("mode %v, made %d, %v", info.Mode(), made, err)
	}
}
