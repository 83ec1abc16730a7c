package keyvault

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"time"
)

// secret is one version of a secret. Times are in Unix seconds.
type secret struct {
	Name    string `json:"-"`
	Version string `json:"-"`
	Value   []byte `json:"-"`

	ContentType *string           `json:"contentType,omitempty"`
	Tags        map[string]string `json:"tags,omitempty"`
	Enabled     bool              `json:"enabled"`
	NotBefore   *int64            `json:"nbf,omitempty"`
	Expires     *int64            `json:"exp,omitempty"`
	Created     int64             `json:"created"`
	Updated     int64             `json:"updated"`

	Deleted int64 `json:"-"` // of a deleted secret
	Purge   int64 `json:"-"`
}

// Errors that the protocol tells apart.
var (
	errNotFound  = errors.New("there is no such secret")
	errIsDeleted = errors.New("the secret is deleted and not purged")
	errDisabled  = errors.New("the secret is disabled")
)

// sealedAt binds a sealed value to its place.
func sealedAt(name, version string) string { return strings.ToLower(name) + "/" + version }

// purgeDue removes deleted secrets whose time has come.
func purgeDue(tx *sql.Tx) error {
	_, err := tx.Exec("DELETE FROM secrets WHERE purge > 0 AND purge <= ?", time.Now().Unix())
	return err
}

// set adds a version and makes it the latest.
func (v *vault) set(ctx context.Context, s secret) (secret, error) {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	s.Version = hex.EncodeToString(b[:])
	s.Created = time.Now().Unix()
	s.Updated = s.Created
	doc, err := json.Marshal(s)
	if err != nil {
		return s, err
	}
	err = v.db.Update(ctx, func(tx *sql.Tx) error {
		if err := purgeDue(tx); err != nil {
			return err
		}
		if _, err := tx.Exec("INSERT INTO secrets (name) VALUES (?) ON CONFLICT DO NOTHING", s.Name); err != nil {
			return err
		}
		var deleted int64
		if err := tx.QueryRow("SELECT name, deleted FROM secrets WHERE name = ?", s.Name).Scan(&s.Name, &deleted); err != nil {
			return err
		}
		if deleted > 0 {
			return errIsDeleted
		}
		_, err := tx.Exec("INSERT INTO versions (name, version, sealed, doc) VALUES (?, ?, ?, ?)",
			s.Name, s.Version, v.seal.seal(s.Value, sealedAt(s.Name, s.Version)), doc)
		return err
	})
	return s, err
}

const columns = "SELECT s.name, v.version, v.sealed, v.doc, s.deleted, s.purge FROM secrets s JOIN versions v ON v.name = s.name "

type row interface{ Scan(...any) error }

// read reads a version; its value only where it is wanted.
func (v *vault) read(r row, value bool) (secret, error) {
	var s secret
	var sealed, doc []byte
	var name, version string
	var deleted, purge int64
	if err := r.Scan(&name, &version, &sealed, &doc, &deleted, &purge); err != nil {
		if errors.Is(err, sql.ErrNoRows) {
			err = errNotFound
		}
		return s, err
	}
	err := json.Unmarshal(doc, &s)
	s.Name, s.Version, s.Deleted, s.Purge = name, version, deleted, purge
	if err == nil && value {
		s.Value, err = v.seal.open(sealed, sealedAt(name, version))
	}
	return s, err
}

// find is a version of a secret that is not deleted; the latest where version is "".
func (v *vault) find(tx *sql.Tx, name, version string, value bool) (secret, error) {
	if version == "" {
		return v.read(tx.QueryRow(columns+"WHERE s.name = ? AND s.deleted = 0 ORDER BY v.seq DESC LIMIT 1", name), value)
	}
	return v.read(tx.QueryRow(columns+"WHERE s.name = ? AND s.deleted = 0 AND v.version = ?", name, strings.ToLower(version)), value)
}

// get is a version with its value.
func (v *vault) get(ctx context.Context, name, version string) (secret, error) {
	var s secret
	err := v.db.View(ctx, func(tx *sql.Tx) (err error) {
		s, err = v.find(tx, name, version, true)
		return err
	})
	if err == nil && !s.Enabled {
		return secret{}, errDisabled
	}
	return s, err
}

// update changes what describes a version; its value stays.
func (v *vault) update(ctx context.Context, name, version string, change func(*secret)) (secret, error) {
	var s secret
	err := v.db.Update(ctx, func(tx *sql.Tx) (err error) {
		if s, err = v.find(tx, name, version, false); err != nil {
			return err
		}
		change(&s)
		s.Updated = time.Now().Unix()
		doc, err := json.Marshal(s)
		if err != nil {
			return err
		}
		_, err = tx.Exec("UPDATE versions SET doc = ? WHERE name = ? AND version = ?", doc, s.Name, s.Version)
		return err
	})
	return s, err
}

// list are the latest versions of at most limit secrets whose names come after
// after: of those that are there, or of those that are deleted.
func (v *vault) list(ctx context.Context, deleted bool, after string, limit int) ([]secret, error) {
	where := "WHERE s.deleted = 0 "
	if deleted {
		where = "WHERE s.deleted > 0 AND (s.purge = 0 OR s.purge > ?3) "
	}
	return v.query(ctx, columns+where+`AND s.name > ?1 AND v.seq = (SELECT max(seq) FROM versions WHERE name = s.name)
		ORDER BY s.name LIMIT ?2`, after, limit, time.Now().Unix())
}

// versions are at most limit versions of a secret whose names come after after.
func (v *vault) versions(ctx context.Context, name, after string, limit int) ([]secret, error) {
	return v.query(ctx, columns+"WHERE s.name = ?1 AND s.deleted = 0 AND v.version > ?2 ORDER BY v.version LIMIT ?3", name, after, limit)
}

func (v *vault) query(ctx context.Context, query string, args ...any) ([]secret, error) {
	var out []secret
	err := v.db.View(ctx, func(tx *sql.Tx) error {
		rows, err := tx.Query(query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			s, err := v.read(rows, false)
			if err != nil {
				return err
			}
			out = append(out, s)
		}
		return rows.Err()
	})
	return out, err
}

// delete moves a secret with its versions among the deleted ones.
func (v *vault) delete(ctx context.Context, name string, retention time.Duration) (secret, error) {
	var s secret
	err := v.db.Update(ctx, func(tx *sql.Tx) (err error) {
		if s, err = v.find(tx, name, "", false); err != nil {
			return err
		}
		now := time.Now()
		s.Deleted, s.Purge = now.Unix(), now.Add(retention).Unix()
		_, err = tx.Exec("UPDATE secrets SET deleted = ?, purge = ? WHERE name = ?", s.Deleted, s.Purge, s.Name)
		return err
	})
	return s, err
}

// deleted is the latest version of a deleted secret.
func (v *vault) deleted(tx *sql.Tx, name string) (secret, error) {
	return v.read(tx.QueryRow(columns+"WHERE s.name = ? AND s.deleted > 0 AND s.purge > ? ORDER BY v.seq DESC LIMIT 1", name, time.Now().Unix()), false)
}

func (v *vault) getDeleted(ctx context.Context, name string) (secret, error) {
	var s secret
	err := v.db.View(ctx, func(tx *sql.Tx) (err error) {
		s, err = v.deleted(tx, name)
		return err
	})
	return s, err
}

// settle does to a deleted secret what statement says.
func (v *vault) settle(ctx context.Context, name, statement string) (secret, error) {
	var s secret
	err := v.db.Update(ctx, func(tx *sql.Tx) (err error) {
		if s, err = v.deleted(tx, name); err != nil {
			return err
		}
		_, err = tx.Exec(statement, s.Name)
		return err
	})
	return s, err
}

func (v *vault) recover(ctx context.Context, name string) (secret, error) {
	return v.settle(ctx, name, "UPDATE secrets SET deleted = 0, purge = 0 WHERE name = ?")
}

func (v *vault) purge(ctx context.Context, name string) error {
	_, err := v.settle(ctx, name, "DELETE FROM secrets WHERE name = ?")
	return err
}
