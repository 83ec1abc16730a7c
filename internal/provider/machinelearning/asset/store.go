package asset

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/durable"
)

const layout = `
CREATE TABLE versions (
	workspace TEXT NOT NULL,
	kind TEXT NOT NULL,
	name TEXT NOT NULL COLLATE NOCASE,
	version TEXT NOT NULL COLLATE NOCASE,
	properties TEXT NOT NULL,
	author TEXT NOT NULL,
	created INTEGER NOT NULL,
	modified INTEGER NOT NULL,
	PRIMARY KEY (workspace, kind, name, version)
);
CREATE TABLE images (
	workspace TEXT NOT NULL,
	hash TEXT NOT NULL,
	ref TEXT NOT NULL,
	PRIMARY KEY (workspace, hash)
);
`

// Kinds of assets, by the name of their collection.
const (
	Environments = "environments"
	Codes        = "codes"
	Components   = "components"
	Data         = "data"
	Datastores   = "datastores" // each has the one version "1"
)

// Version is one version of an asset.
type Version struct {
	Workspace         arm.ID
	Kind, Name, Label string // Label is the version
	Properties        json.RawMessage
	Author            string
	Created, Modified time.Time
}

// Errors of this package.
var (
	ErrNotFound = errors.New("no such asset")
	ErrDiffers  = errors.New("this version exists and is different")
)

// Store holds the assets.
type Store struct{ db *durable.DB }

// Open opens or creates the store at path.
func Open(path string) (*Store, error) {
	db, err := durable.OpenDB(path, layout)
	if err != nil {
		return nil, err
	}
	return &Store{db}, nil
}

// Close closes the store.
func (s *Store) Close() error { return s.db.Close() }

const columns = "kind, name, version, properties, author, created, modified"

func scan(row interface{ Scan(...any) error }, ws arm.ID) (Version, error) {
	v := Version{Workspace: ws}
	var props string
	var created, modified int64
	err := row.Scan(&v.Kind, &v.Name, &v.Label, &props, &v.Author, &created, &modified)
	v.Properties = json.RawMessage(props)
	v.Created, v.Modified = time.UnixMilli(created).UTC(), time.UnixMilli(modified).UTC()
	return v, err
}

// Put stores a version. One that exists keeps its definition: ErrDiffers when
// the new one is another. created is false when it existed.
func (s *Store) Put(ctx context.Context, v Version, now time.Time) (out Version, created bool, err error) {
	err = s.db.Update(ctx, func(tx *sql.Tx) error {
		old, err := get(tx, v.Workspace, v.Kind, v.Name, v.Label)
		created = errors.Is(err, ErrNotFound)
		switch {
		case created:
			v.Created = now
		case err != nil:
			return err
		case v.Kind != Datastores && !same(old.Properties, v.Properties):
			return fmt.Errorf("%w: %s %s:%s", ErrDiffers, v.Kind, v.Name, v.Label)
		default:
			v.Name, v.Label, v.Created, v.Author = old.Name, old.Label, old.Created, old.Author
		}
		v.Modified = now
		out = v
		_, err = tx.Exec(`INSERT INTO versions (workspace, kind, name, version, properties, author, created, modified) VALUES (?,?,?,?,?,?,?,?)
			ON CONFLICT DO UPDATE SET properties = excluded.properties, modified = excluded.modified`,
			v.Workspace.Key(), v.Kind, v.Name, v.Label, string(v.Properties), v.Author, v.Created.UnixMilli(), now.UnixMilli())
		return err
	})
	return out, created, err
}

// same reports whether two definitions are one, but for what may change.
func same(a, b json.RawMessage) bool {
	strip := func(raw json.RawMessage) []byte {
		var m map[string]any
		if json.Unmarshal(raw, &m) != nil {
			return raw
		}
		for _, k := range []string{"description", "tags", "isArchived", "isAnonymous", "properties", "provisioningState", "stage"} {
			delete(m, k)
		}
		for k, v := range m {
			if v == nil {
				delete(m, k)
			}
		}
		out, err := json.Marshal(m)
		if err != nil {
			return raw
		}
		return out
	}
	return bytes.Equal(strip(a), strip(b))
}

func get(tx *sql.Tx, ws arm.ID, kind, name, label string) (Version, error) {
	v, err := scan(tx.QueryRow("SELECT "+columns+" FROM versions WHERE workspace = ? AND kind = ? AND name = ? AND version = ?", ws.Key(), kind, name, label), ws)
	if errors.Is(err, sql.ErrNoRows) {
		return Version{}, fmt.Errorf("%w: %s %s:%s", ErrNotFound, kind, name, label)
	}
	return v, err
}

// Get finds a version; "@latest" is the one that was made last.
func (s *Store) Get(ctx context.Context, ws arm.ID, kind, name, label string) (v Version, err error) {
	err = s.db.View(ctx, func(tx *sql.Tx) error {
		if !strings.HasPrefix(label, "@") {
			v, err = get(tx, ws, kind, name, label)
			return err
		}
		if label != "@latest" {
			return fmt.Errorf("%w: %s %s has no label %s", ErrNotFound, kind, name, label[1:])
		}
		versions, err := list(tx, ws, kind, name)
		if err == nil && len(versions) == 0 {
			err = fmt.Errorf("%w: %s %s", ErrNotFound, kind, name)
		}
		if err == nil {
			v = versions[0]
		}
		return err
	})
	return v, err
}

// List gives the versions of an asset, newest first; with an empty name those of
// every asset of the kind.
func (s *Store) List(ctx context.Context, ws arm.ID, kind, name string) (out []Version, err error) {
	err = s.db.View(ctx, func(tx *sql.Tx) error {
		out, err = list(tx, ws, kind, name)
		return err
	})
	return out, err
}

func list(tx *sql.Tx, ws arm.ID, kind, name string) ([]Version, error) {
	rows, err := tx.Query("SELECT "+columns+" FROM versions WHERE workspace = ?1 AND kind = ?2 AND (?3 = '' OR name = ?3) ORDER BY created DESC, rowid DESC", ws.Key(), kind, name)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Version
	for rows.Next() {
		v, err := scan(rows, ws)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// Delete forgets a version, or with an empty label all of an asset's.
func (s *Store) Delete(ctx context.Context, ws arm.ID, kind, name, label string) (found bool, err error) {
	err = s.db.Update(ctx, func(tx *sql.Tx) error {
		res, err := tx.Exec("DELETE FROM versions WHERE workspace = ?1 AND kind = ?2 AND name = ?3 AND (?4 = '' OR version = ?4)", ws.Key(), kind, name, label)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		found = n > 0
		return err
	})
	return found, err
}

// Image is the reference that an environment's definition was built to, or "".
func (s *Store) Image(ctx context.Context, ws arm.ID, hash string) (ref string, err error) {
	err = s.db.View(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRow("SELECT ref FROM images WHERE workspace = ? AND hash = ?", ws.Key(), hash).Scan(&ref)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return ref, err
}

// SetImage notes what an environment's definition was built to; "" forgets it.
func (s *Store) SetImage(ctx context.Context, ws arm.ID, hash, ref string) error {
	return s.db.Update(ctx, func(tx *sql.Tx) error {
		if ref == "" {
			_, err := tx.Exec("DELETE FROM images WHERE workspace = ? AND hash = ?", ws.Key(), hash)
			return err
		}
		_, err := tx.Exec("INSERT INTO images (workspace, hash, ref) VALUES (?,?,?) ON CONFLICT DO UPDATE SET ref = excluded.ref", ws.Key(), hash, ref)
		return err
	})
}

// Forget removes everything of a workspace.
func (s *Store) Forget(ctx context.Context, ws arm.ID) error {
	return s.db.Update(ctx, func(tx *sql.Tx) error {
		for _, table := range []string{"versions", "images"} {
			if _, err := tx.Exec("DELETE FROM "+table+" WHERE workspace = ?", ws.Key()); err != nil {
				return err
			}
		}
		return nil
	})
}

// Next is the number that follows the highest numbered of the versions.
func Next(versions []string) string {
	highest := 0
	for _, v := range versions {
		if n, err := strconv.Atoi(v); err == nil && n > highest {
			highest = n
		}
	}
	return strconv.Itoa(highest + 1)
}
