package blobstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
)

// Blob is the committed blob of that name.
func (s *Store) Blob(ctx context.Context, container, name string) (Blob, error) {
	var b Blob
	err := s.db.View(ctx, func(tx *sql.Tx) error {
		cid, err := containerID(tx, container)
		if err != nil {
			return err
		}
		_, b, err = findBlob(tx, cid, name)
		return err
	})
	return b, err
}

func findBlob(tx *sql.Tx, cid int64, name string) (int64, Blob, error) {
	var id int64
	var doc []byte
	err := tx.QueryRow("SELECT id, doc FROM blobs WHERE container = ? AND name = ?", cid, name).Scan(&id, &doc)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, Blob{}, ErrNoBlob
	}
	if err != nil {
		return 0, Blob{}, err
	}
	b, err := decodeBlob(name, doc)
	return id, b, err
}

func decodeBlob(name string, doc []byte) (Blob, error) {
	var b Blob
	err := json.Unmarshal(doc, &b)
	b.Name = name
	return b, err
}

// extent is a piece of a blob in the making.
type extent struct {
	chunk int64
	block string
}

// PutBlob makes b of the chunk's bytes, in place of what was there. The size,
// the ETag and the times are the store's; the blob as kept is returned. The
// chunk is the store's afterwards, or discarded when there is an error.
func (s *Store) PutBlob(ctx context.Context, container string, b Blob, c *Chunk, check Check) (Blob, error) {
	b, err := s.replace(ctx, container, b, check, func(tx *sql.Tx, _ int64, _ *Blob) ([]extent, error) {
		if c.Size == 0 {
			return nil, nil
		}
		id, err := c.insert(tx)
		return []extent{{chunk: id}}, err
	})
	if err != nil {
		c.abandon(err)
	}
	return b, err
}

// content finds the extents that make a blob, and may fill the blob too.
type content func(tx *sql.Tx, cid int64, b *Blob) ([]extent, error)

// replace writes b over what is at its name; the name's uncommitted blocks are
// dropped.
func (s *Store) replace(ctx context.Context, container string, b Blob, check Check, make content) (Blob, error) {
	err := s.db.Update(ctx, func(tx *sql.Tx) error {
		cid, err := containerID(tx, container)
		if err != nil {
			return err
		}
		id, old, err := findBlob(tx, cid, b.Name)
		if err != nil && !errors.Is(err, ErrNoBlob) {
			return err
		}
		existing := &old
		if errors.Is(err, ErrNoBlob) {
			existing = nil
		}
		if err := check(existing); err != nil {
			return err
		}
		extents, err := make(tx, cid, &b)
		if err != nil {
			return err
		}
		if err := measure(tx, &b, extents); err != nil {
			return err
		}
		b.ETag, b.Modified = newETag(), now()
		b.Created = b.Modified
		if existing != nil {
			b.Created = old.Created
		}
		return writeBlob(tx, cid, id, b, extents)
	})
	if err == nil {
		s.wakeSweeper()
	}
	return b, err
}

// measure sets the blob's size to the sum of its extents.
func measure(tx *sql.Tx, b *Blob, extents []extent) error {
	b.Size = 0
	stmt, err := tx.Prepare("SELECT size FROM chunks WHERE id = ?")
	if err != nil {
		return err
	}
	defer stmt.Close()
	for _, e := range extents {
		var size int64
		if err := stmt.QueryRow(e.chunk).Scan(&size); err != nil {
			return err
		}
		b.Size += size
	}
	return nil
}

// writeBlob writes the row and extents of a blob; id is its row where it has one.
func writeBlob(tx *sql.Tx, cid, id int64, b Blob, extents []extent) error {
	doc, err := json.Marshal(b)
	if err != nil {
		return err
	}
	if id == 0 {
		res, err := tx.Exec("INSERT INTO blobs (container, name, doc) VALUES (?, ?, ?)", cid, b.Name, doc)
		if err != nil {
			return err
		}
		if id, err = res.LastInsertId(); err != nil {
			return err
		}
	} else if _, err := tx.Exec("UPDATE blobs SET doc = ? WHERE id = ?", doc, id); err != nil {
		return err
	}
	if _, err := tx.Exec("DELETE FROM extents WHERE blob = ?", id); err != nil {
		return err
	}
	if _, err := tx.Exec("DELETE FROM staged WHERE container = ? AND name = ?", cid, b.Name); err != nil {
		return err
	}
	stmt, err := tx.Prepare("INSERT INTO extents (blob, seq, chunk, block) VALUES (?, ?, ?, ?)")
	if err != nil {
		return err
	}
	defer stmt.Close()
	for i, e := range extents {
		if _, err := stmt.Exec(id, i, e.chunk, e.block); err != nil {
			return err
		}
	}
	return nil
}

// UpdateBlob changes a blob's properties and metadata by change, and its ETag
// with them; its bytes stay.
func (s *Store) UpdateBlob(ctx context.Context, container, name string, change func(*Blob) error) (Blob, error) {
	var b Blob
	err := s.db.Update(ctx, func(tx *sql.Tx) error {
		cid, err := containerID(tx, container)
		if err != nil {
			return err
		}
		id, found, err := findBlob(tx, cid, name)
		if err != nil {
			return err
		}
		b = found
		if err := change(&b); err != nil {
			return err
		}
		b.ETag, b.Modified = newETag(), now()
		doc, err := json.Marshal(b)
		if err != nil {
			return err
		}
		_, err = tx.Exec("UPDATE blobs SET doc = ? WHERE id = ?", doc, id)
		return err
	})
	return b, err
}

// DeleteBlob removes a blob and its uncommitted blocks, where check allows.
func (s *Store) DeleteBlob(ctx context.Context, container, name string, check Check) error {
	err := s.db.Update(ctx, func(tx *sql.Tx) error {
		cid, err := containerID(tx, container)
		if err != nil {
			return err
		}
		id, b, err := findBlob(tx, cid, name)
		if err != nil {
			return err
		}
		if err := check(&b); err != nil {
			return err
		}
		if _, err := tx.Exec("DELETE FROM blobs WHERE id = ?", id); err != nil {
			return err
		}
		_, err = tx.Exec("DELETE FROM staged WHERE container = ? AND name = ?", cid, name)
		return err
	})
	if err == nil {
		s.wakeSweeper()
	}
	return err
}

// Place is where a blob is.
type Place struct{ Container, Name string }

// CopyBlob makes b, in container, of the bytes of the blob at source, in one
// step. adopt is given the source and sets what b takes from it.
func (s *Store) CopyBlob(ctx context.Context, source Place, container string, b Blob, check Check,
	adopt func(source Blob, b *Blob) error,
) (Blob, error) {
	return s.replace(ctx, container, b, check, func(tx *sql.Tx, _ int64, b *Blob) ([]extent, error) {
		cid, err := containerID(tx, source.Container)
		if err != nil {
			return nil, err
		}
		id, found, err := findBlob(tx, cid, source.Name)
		if err != nil {
			return nil, err
		}
		if err := adopt(found, b); err != nil {
			return nil, err
		}
		return readExtents(tx, id)
	})
}

func readExtents(tx *sql.Tx, blob int64) ([]extent, error) {
	rows, err := tx.Query("SELECT chunk, block FROM extents WHERE blob = ? ORDER BY seq", blob)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []extent
	for rows.Next() {
		var e extent
		if err := rows.Scan(&e.chunk, &e.block); err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, rows.Err()
}
