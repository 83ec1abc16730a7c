package store_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/store"
)

// conformance is what every Store must do.
func conformance(t *testing.T, open func(t *testing.T) store.Store) {
	ctx := context.Background()
	at := time.Date(2026, 11, 23, 12, 0, 0, 5000, time.UTC)
	id := arm.ID("/subscriptions/S/resourceGroups/RG/providers/A.B/c/One")
	row := func(version int64) *store.Row {
		return &store.Row{
			Resource: arm.Resource{ID: id, Name: "One", Type: "A.B/c", Tags: map[string]string{"a": "b"}, Properties: arm.Object{"n": 1.5, "list": []any{"x"}}},
			Extra:    arm.Object{"zones": []any{"1"}}, Version: version, Applied: 1, State: store.Updating,
			Conditions: []store.Condition{{Type: "Ready", Reason: "Why", Message: "because", Since: at}},
			Created:    at, CreatedBy: "me", Changed: at, ChangedBy: "you",
		}
	}
	t.Run("what is committed is loaded", func(t *testing.T) {
		s := open(t)
		if err := s.Commit(ctx, store.Batch{Changes: []store.Change{{Key: id.Key(), Row: row(7)}}}); err != nil {
			t.Fatal(err)
		}
		rows, err := s.Load(ctx)
		if err != nil || len(rows) != 1 || !reflect.DeepEqual(rows[0], row(7)) {
			t.Errorf("loaded %+v, %v", rows, err)
		}
	})
	t.Run("a change from another version is refused, and all of its batch", func(t *testing.T) {
		s := open(t)
		if err := s.Commit(ctx, store.Batch{Changes: []store.Change{{Key: id.Key(), Row: row(7)}}}); err != nil {
			t.Fatal(err)
		}
		for name, c := range map[string]store.Change{
			"from an older version": {Key: id.Key(), Was: 6, Row: row(8)},
			"creating it again":     {Key: id.Key(), Row: row(8)},
			"deleting an older one": {Key: id.Key(), Was: 6},
			"changing what is not":  {Key: id.Key() + "x", Was: 7, Row: row(8)},
		} {
			err := s.Commit(ctx, store.Batch{
				Changes: []store.Change{{Key: "other", Row: row(9)}, c},
				Log:     []store.Entry{{Time: at, Scope: id}},
			})
			if !errors.Is(err, store.ErrConflict) {
				t.Errorf("%s: %v", name, err)
			}
		}
		rows, err := s.Load(ctx)
		log, logErr := s.Log(ctx, "/", 10)
		if err != nil || logErr != nil || len(rows) != 1 || rows[0].Version != 7 || len(log) != 0 {
			t.Errorf("rows %+v, log %+v, %v %v", rows, log, err, logErr)
		}
	})
	t.Run("a row goes", func(t *testing.T) {
		s := open(t)
		for _, c := range []store.Change{{Row: row(7)}, {Was: 7, Row: row(8)}, {Was: 8}} {
			c.Key = id.Key()
			if err := s.Commit(ctx, store.Batch{Changes: []store.Change{c}}); err != nil {
				t.Fatal(err)
			}
		}
		if rows, err := s.Load(ctx); err != nil || len(rows) != 0 {
			t.Errorf("rows %+v, %v", rows, err)
		}
	})
	t.Run("the log is newest first, within a scope", func(t *testing.T) {
		s := open(t)
		e := store.Entry{Time: at, Caller: "c", App: "a", Action: "x/write", Scope: arm.ID(id.Key()), Allowed: true, Status: 201, Correlation: "k", Source: "127.0.0.1:1", Reason: "r"}
		beside := e
		beside.Scope = arm.ID(id.Key() + "beside")
		if err := s.Commit(ctx, store.Batch{Log: []store.Entry{{Time: at, Scope: "/"}, e, beside}}); err != nil {
			t.Fatal(err)
		}
		if log, err := s.Log(ctx, id, 10); err != nil || len(log) != 1 || log[0] != e {
			t.Errorf("within: %+v, %v", log, err)
		}
		if log, err := s.Log(ctx, "/", 2); err != nil || len(log) != 2 || log[0] != beside {
			t.Errorf("all: %+v, %v", log, err)
		}
	})
	t.Run("principals and settings", func(t *testing.T) {
		s := open(t)
		p := store.Principal{AppID: "a", ObjectID: "o", Name: "n", Hash: []byte{1, 2}, Owner: true, Created: at}
		next := p
		next.Hash = []byte{3}
		for _, v := range []store.Principal{p, next} {
			if err := s.PutPrincipal(ctx, v); err != nil {
				t.Fatal(err)
			}
		}
		if list, err := s.Principals(ctx); err != nil || len(list) != 1 || !reflect.DeepEqual(list[0], next) {
			t.Errorf("principals %+v, %v", list, err)
		}
		for _, v := range []string{"one", "two"} {
			if err := s.Set(ctx, "k", v); err != nil {
				t.Fatal(err)
			}
		}
		if v, err := s.Setting(ctx, "k"); err != nil || v != "two" {
			t.Errorf("setting %q, %v", v, err)
		}
		if v, err := s.Setting(ctx, "none"); err != nil || v != "" {
			t.Errorf("missing setting %q, %v", v, err)
		}
	})
}

func TestSQLite(t *testing.T) {
	conformance(t, func(t *testing.T) store.Store {
		file := filepath.Join(t.TempDir(), "with space & ?#.db")
		s, err := store.OpenSQLite(file)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		for _, f := range []string{file, file + "-wal"} {
			if info, err := os.Stat(f); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v, %v", f, info, err)
			}
		}
		return s
	})
}

func TestSQLiteRefusesWhatIsNoDatabase(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cloud.db")
	if err := os.WriteFile(file, []byte("this is not a database, and long enough to be looked at as one"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.OpenSQLite(file); err == nil {
		t.Error("a file that is no database is opened")
	}
}
