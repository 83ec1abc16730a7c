package keyvault

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/durable"
)

const schema = `
-- The vault's own key, wrapped by the provider's.
CREATE TABLE vault (dek BLOB NOT NULL);
CREATE TABLE secrets (
	name    TEXT NOT NULL COLLATE NOCASE PRIMARY KEY,
	deleted INTEGER NOT NULL DEFAULT 0, -- when, in Unix seconds
	purge   INTEGER NOT NULL DEFAULT 0  -- when it goes for good
);
CREATE TABLE versions (
	seq     INTEGER PRIMARY KEY AUTOINCREMENT,
	name    TEXT NOT NULL COLLATE NOCASE REFERENCES secrets(name) ON DELETE CASCADE,
	version TEXT NOT NULL,
	sealed  BLOB NOT NULL,
	doc     TEXT NOT NULL,
	UNIQUE (name, version)
);
CREATE INDEX latest ON versions(name, seq);
`

// vaults are the vaults' data, and beside it the key that theirs are wrapped by.
type vaults struct {
	dir     string
	deleted *graveyard
	folders *durable.Folders[*vault]
}

// vault is one vault's secrets.
type vault struct {
	db   *durable.DB
	seal sealer
}

func newVaults(host cloud.Host) *vaults {
	dir := host.Dir("keyvault")
	return &vaults{dir, &graveyard{dir: filepath.Join(dir, "deleted")}, durable.NewFolders[*vault](dir)}
}

func (vs *vaults) get(id arm.ID) (*vault, error) {
	v, err := vs.folders.Get(id.Key(), func(dir string) (*vault, error) { return vs.open(id, dir) })
	if err != nil {
		return nil, fmt.Errorf("opening the vault %s: %w", id.Name(), err)
	}
	return v, nil
}

func (vs *vaults) open(id arm.ID, dir string) (*vault, error) {
	kek, err := durable.ReadOrCreate(filepath.Join(vs.dir, "kek"), func() ([]byte, error) { return newKey(), nil })
	if err != nil {
		return nil, err
	}
	wrap, err := newSealer(kek)
	if err != nil {
		return nil, fmt.Errorf("reading the key of keys: %w", err)
	}
	db, err := durable.OpenDB(filepath.Join(dir, "secrets.db"), schema)
	if err != nil {
		return nil, err
	}
	dek, err := unwrap(db, wrap, "vault "+id.Key())
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	seal, err := newSealer(dek)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &vault{db: db, seal: seal}, nil
}

// unwrap is the vault's own key, which is made the first time.
func unwrap(db *durable.DB, wrap sealer, place string) ([]byte, error) {
	var dek []byte
	err := db.Update(context.Background(), func(tx *sql.Tx) error {
		var wrapped []byte
		err := tx.QueryRow("SELECT dek FROM vault").Scan(&wrapped)
		if errors.Is(err, sql.ErrNoRows) {
			dek = newKey()
			_, err = tx.Exec("INSERT INTO vault (dek) VALUES (?)", wrap.seal(dek, place))
			return err
		}
		if err != nil {
			return err
		}
		dek, err = wrap.open(wrapped, place)
		return err
	})
	return dek, err
}

// reconcile opens a vault, which is then no deleted one.
func (vs *vaults) reconcile(_ context.Context, r arm.Resource) error {
	if _, err := vs.get(r.ID); err != nil {
		return err
	}
	return vs.deleted.forget(r.Name)
}

// remove deletes a vault's data.
func (vs *vaults) remove(id arm.ID) error {
	if err := vs.folders.Remove(id.Key()); err != nil {
		return fmt.Errorf("removing the vault %s: %w", id.Name(), err)
	}
	return nil
}

// Close ends the open vault.
func (v *vault) Close() error { return v.db.Close() }
