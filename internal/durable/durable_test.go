package durable_test

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

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

// thing is what a folder of Folders is opened as.
type thing struct {
	dir    string
	closed int
	fail   error
}

func (t *thing) Close() error { t.closed++; return t.fail }

func TestFoldersOpenOnce(t *testing.T) {
	dir := t.TempDir()
	f := durable.NewFolders[*thing](dir)
	opened := 0
	open := func(dir string) (*thing, error) { opened++; return &thing{dir: dir}, os.MkdirAll(dir, 0o700) }
	get := func(key string) *thing {
		t.Helper()
		got, err := f.Get(key, open)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	a, up := get("a"), get("../../up")
	if get("a") != a || opened != 2 {
		t.Errorf("opened %d times", opened)
	}
	if filepath.Dir(a.dir) != dir || filepath.Dir(up.dir) != dir || a.dir == up.dir {
		t.Errorf("the folders are %s and %s", a.dir, up.dir)
	}

	boom := errors.New("boom")
	if _, err := f.Get("b", func(string) (*thing, error) { return nil, boom }); !errors.Is(err, boom) {
		t.Errorf("got %v", err)
	}
	if b := get("b"); b == nil {
		t.Error("what could not be opened was kept")
	}

	if err := f.Remove("a"); err != nil || a.closed != 1 {
		t.Errorf("closed %d times, %v", a.closed, err)
	}
	if _, err := os.Stat(a.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder stays: %v", err)
	}
	if again := get("a"); again == a {
		t.Error("a removed thing was given again")
	}
	if err := f.Remove("never there"); err != nil {
		t.Error(err)
	}

	up.fail = boom
	if err := f.Close(); !errors.Is(err, boom) || up.closed != 1 {
		t.Errorf("closed %d times, %v", up.closed, err)
	}
}

func TestDatabaseIsPrivateAndItsReaderReads(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	db, err := durable.OpenDB(path, "CREATE TABLE t (v TEXT)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	var n int
	if err := db.Reader().QueryRow("SELECT count(*) FROM t").Scan(&n); err != nil || n != 0 {
		t.Errorf("%d rows, %v", n, err)
	}
	if _, err := db.Reader().Exec("INSERT INTO t VALUES ('x')"); err == nil {
		t.Error("the reader wrote")
	}
}

func TestWriteFromIsWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	if n, err := durable.WriteFrom(path, strings.NewReader("first"), 0o644); err != nil || n != 5 {
		t.Fatalf("%d bytes, %v", n, err)
	}
	boom := errors.New("boom")
	if _, err := durable.WriteFrom(path, io.MultiReader(strings.NewReader("sec"), iotest.ErrReader(boom)), 0o600); !errors.Is(err, boom) {
		t.Fatalf("got %v", err)
	}
	data, err := os.ReadFile(path)
	if err != nil || string(data) != "first" {
		t.Errorf("it holds %q, %v", data, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("left %v, %v", entries, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}
