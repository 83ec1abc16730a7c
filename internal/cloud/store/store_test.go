package store_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/store"
)

// conformance is what every Store must do.
func conformance(t *testing.T, open func(t *testing.T) *store.Database) {
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
	t.Run("objects", func(t *testing.T) {
		s := open(t)
		if err := s.WriteObjects(ctx, store.Object{Kind: "user", ID: "a", Value: []byte("1")}, store.Object{Kind: "group", ID: "a", Value: []byte("2")},
			store.Object{Kind: "user", ID: "b", Value: []byte("3")}); err != nil {
			t.Fatal(err)
		}
		if err := s.WriteObjects(ctx, store.Object{Kind: "user", ID: "a", Value: []byte("4")}, store.Object{Kind: "user", ID: "b"}, store.Object{Kind: "user", ID: "none"}); err != nil {
			t.Fatal(err)
		}
		for kind, want := range map[string]map[string][]byte{"user": {"a": []byte("4")}, "group": {"a": []byte("2")}, "none": {}} {
			if got, err := s.Objects(ctx, kind); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %q, %v", kind, got, err)
			}
		}
	})
	t.Run("two writers of one document: one wins", func(t *testing.T) {
		s := open(t)
		commit(t, s, store.Change{Key: id.Key(), Row: row(1)})
		var won atomic.Int64
		var group sync.WaitGroup
		for n := range int64(8) {
			group.Go(func() {
				err := s.Commit(ctx, store.Batch{Changes: []store.Change{{Key: id.Key(), Was: 1, Row: row(10 + n)}}})
				if err == nil {
					won.Add(1)
				} else if !errors.Is(err, store.ErrConflict) {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if won.Load() != 1 {
			t.Errorf("%d writers won", won.Load())
		}
	})
	t.Run("two who make one document: one wins", func(t *testing.T) {
		s := open(t)
		var won atomic.Int64
		var group sync.WaitGroup
		for n := range int64(8) {
			group.Go(func() {
				if err := s.Commit(ctx, store.Batch{Changes: []store.Change{{Key: id.Key(), Row: row(10 + n)}}}); err == nil {
					won.Add(1)
				}
			})
		}
		group.Wait()
		if won.Load() != 1 {
			t.Errorf("%d writers won", won.Load())
		}
	})
	t.Run("a big document, a long id and every script are as they were", func(t *testing.T) {
		s := open(t)
		random := make([]byte, 24<<10)
		for i := range random {
			random[i] = "0123456789abcdefghijklmnopqrstuvwxyz"[rand.IntN(36)]
		}
		for name, properties := range map[string]arm.Object{
			"big":          {"text": strings.Repeat("x", 4<<20), "deep": arm.Object{"list": []any{1.0, nil, true, "a"}}},
			string(random): {"n": 1.0},
			"Größe-日本-🜚":   {"γλώσσα": "Ελληνικά", "rtl": "עברית", "null": "a\x00b", "quote": `'"\$1;--`, "zwj": "👩\u200d🔬"},
			"number":       {"n": 1e300, "small": 5e-324, "whole": 9007199254740991.0},
		} {
			r := row(7)
			r.Resource.ID, r.Resource.Name, r.Resource.Properties = arm.ID("/subscriptions/S/providers/A.B/c/"+name), name, properties
			commit(t, s, store.Change{Key: r.Key(), Row: r})
			rows, err := s.Load(ctx)
			if err != nil || len(rows) != 1 || !reflect.DeepEqual(rows[0], r) {
				t.Errorf("%.20s: it is not as it was (%v)", name, err)
			}
			commit(t, s, store.Change{Key: r.Key(), Was: 7})
		}
	})
	t.Run("the log takes requests as they came", func(t *testing.T) {
		s := open(t)
		if err := s.Commit(ctx, store.Batch{Log: []store.Entry{{Time: at, Scope: "/a\x00\xff", Reason: "\xc3(", Source: "\x00"}}}); err != nil {
			t.Fatal(err)
		}
		if log, err := s.Log(ctx, "/", 10); err != nil || len(log) != 1 {
			t.Errorf("log %+v, %v", log, err)
		}
	})
	t.Run("a scope is not those that begin with its name", func(t *testing.T) {
		s := open(t)
		scopes := []arm.ID{"/a", "/a/b", "/a/b/c", "/a-b", "/a0", "/ab", "/a.b/c", "/"}
		for _, scope := range scopes {
			if err := s.Commit(ctx, store.Batch{Log: []store.Entry{{Time: at, Scope: scope}}}); err != nil {
				t.Fatal(err)
			}
		}
		for scope, want := range map[arm.ID]int{"/a": 3, "/a/b": 2, "/A/B": 2, "/": len(scopes), "": len(scopes), "/b": 0} {
			if log, err := s.Log(ctx, scope, 100); err != nil || len(log) != want {
				t.Errorf("%q: %d entries, %v; want %d", scope, len(log), err, want)
			}
		}
	})
	t.Run("a cancelled commit leaves nothing", func(t *testing.T) {
		s := open(t)
		gone, cancel := context.WithCancel(ctx)
		cancel()
		if err := s.Commit(gone, store.Batch{Changes: []store.Change{{Key: id.Key(), Row: row(7)}}}); err == nil {
			t.Error("it was committed")
		}
		if rows, err := s.Load(ctx); err != nil || len(rows) != 0 {
			t.Errorf("rows %+v, %v", rows, err)
		}
		commit(t, s, store.Change{Key: id.Key(), Row: row(7)}) // and the store goes on
	})
	t.Run("a copy in the other form of store is the same", func(t *testing.T) {
		s := open(t)
		fill(t, s, row(7))
		file := filepath.Join(t.TempDir(), "copy.db")
		if err := s.Export(ctx, file); err != nil {
			t.Fatal(err)
		}
		back := open(t)
		if err := back.Import(ctx, file); err != nil {
			t.Fatal(err)
		}
		same(t, back, s)
		if err := back.Import(ctx, file); err == nil {
			t.Error("a store that is not empty was written over")
		}
		same(t, back, s)
	})
}

func commit(t *testing.T, s store.Store, changes ...store.Change) {
	t.Helper()
	if err := s.Commit(context.Background(), store.Batch{Changes: changes}); err != nil {
		t.Fatal(err)
	}
}

// fill puts something into each part of a store.
func fill(t *testing.T, s store.Store, row *store.Row) {
	t.Helper()
	ctx := context.Background()
	err := errors.Join(
		s.Commit(ctx, store.Batch{
			Changes: []store.Change{{Key: row.Key(), Row: row}},
			Log:     []store.Entry{{Time: row.Created, Caller: "c", Action: "x/write", Scope: arm.ID(row.Key()), Allowed: true, Status: 201}, {Time: row.Created, Scope: "/", Reason: "né"}},
		}),
		s.PutPrincipal(ctx, store.Principal{AppID: "a", ObjectID: "o", Name: "n", Hash: []byte{0, 1, 255}, Owner: true, Created: row.Created}),
		s.PutPrincipal(ctx, store.Principal{AppID: "b", ObjectID: "p", Name: "m", Hash: []byte{}, Created: row.Created}),
		s.Set(ctx, "tenant", "t"),
		s.WriteObjects(ctx, store.Object{Kind: "user", ID: "ada", Value: []byte("{}")}),
	)
	if err != nil {
		t.Fatal(err)
	}
}

// same checks that two stores hold the same.
func same(t *testing.T, got, want store.Store) {
	t.Helper()
	if a, b := contents(t, got), contents(t, want); !reflect.DeepEqual(a, b) {
		t.Errorf("got  %+v\nwant %+v", a, b)
	}
}

func contents(t *testing.T, s store.Store) []any {
	t.Helper()
	ctx := context.Background()
	rows, err1 := s.Load(ctx)
	log, err2 := s.Log(ctx, "/", 100)
	principals, err3 := s.Principals(ctx)
	tenant, err4 := s.Setting(ctx, "tenant")
	users, err5 := s.Objects(ctx, "user")
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		t.Fatal(err)
	}
	return []any{rows, log, principals, tenant, users}
}

func TestSQLite(t *testing.T) {
	conformance(t, func(t *testing.T) *store.Database {
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
