package keyvault

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

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

// vaults are the vaults' data, opened when first asked for.
type vaults struct {
	dir string

	mu   sync.Mutex
	open map[string]*vault
}

// vault is one vault's secrets.
type vault struct {
	db   *durable.DB
	seal sealer
}

func newVaults(host cloud.Host) *vaults {
	return &vaults{dir: host.Dir("keyvault"), open: map[string]*vault{}}
}

// folder is where a vault's data is: named by a hash of its id.
func (vs *vaults) folder(id arm.ID) string {
	sum := sha256.Sum256([]byte(id.Key()))
	return filepath.Join(vs.dir, hex.EncodeToString(sum[:16]))
}

func (vs *vaults) get(id arm.ID) (*vault, error) {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	if v, ok := vs.open[id.Key()]; ok {
		return v, nil
	}
	v, err := vs.openVault(id)
	if err != nil {
		return nil, fmt.Errorf("opening the vault %s: %w", id.Name(), err)
	}
	vs.open[id.Key()] = v
	return v, nil
}

func (vs *vaults) openVault(id arm.ID) (*vault, error) {
	kek, err := durable.ReadOrCreate(filepath.Join(vs.dir, "kek"), func() ([]byte, error) { return newKey(), nil })
	if err != nil {
		return nil, err
	}
	wrap, err := newSealer(kek)
	if err != nil {
		return nil, fmt.Errorf("reading the key of keys: %w", err)
	}
	db, err := durable.OpenDB(filepath.Join(vs.folder(id), "secrets.db"), schema)
	if err != nil {
		return nil, err
	}
	dek, err := unwrap(db, wrap, "vault "+id.Key())
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	seal, err := newSealer(dek)
	return &vault{db: db, seal: seal}, err
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

// remove deletes a vault's data.
func (vs *vaults) remove(id arm.ID) error {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	if v, ok := vs.open[id.Key()]; ok {
		delete(vs.open, id.Key())
		if err := v.db.Close(); err != nil {
			return fmt.Errorf("closing the vault %s: %w", id.Name(), err)
		}
	}
	return os.RemoveAll(vs.folder(id))
}

func (vs *vaults) close() error {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	var err error
	for key, v := range vs.open {
		err = errors.Join(err, v.db.Close())
		delete(vs.open, key)
	}
	return err
}
