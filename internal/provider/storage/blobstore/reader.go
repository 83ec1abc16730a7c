package blobstore

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"os"
	"sort"
)

// Reader reads one version of a blob: the one that was there when it was opened,
// whatever is written over it meanwhile. It must be closed.
type Reader struct {
	store  *Store
	pieces []piece
	size   int64
}

// piece is a chunk at its place in the blob.
type piece struct {
	chunk  int64
	file   string
	offset int64
	size   int64
}

// Open is the blob of that name with a reader of its bytes.
func (s *Store) Open(ctx context.Context, container, name string) (Blob, *Reader, error) {
	var b Blob
	r := &Reader{store: s}
	s.mu.RLock() // until the chunks are pinned, see Store.sweep
	defer s.mu.RUnlock()
	err := s.db.View(ctx, func(tx *sql.Tx) error {
		cid, err := containerID(tx, container)
		if err != nil {
			return err
		}
		var id int64
		if id, b, err = findBlob(tx, cid, name); err != nil {
			return err
		}
		return r.load(tx, id)
	})
	if err != nil {
		return Blob{}, nil, err
	}
	s.pins.add(r.pieces)
	return b, r, nil
}

func (r *Reader) load(tx *sql.Tx, blob int64) error {
	rows, err := tx.Query("SELECT c.id, c.file, c.size FROM extents e JOIN chunks c ON c.id = e.chunk WHERE e.blob = ? ORDER BY e.seq", blob)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		p := piece{offset: r.size}
		if err := rows.Scan(&p.chunk, &p.file, &p.size); err != nil {
			return err
		}
		r.size += p.size
		r.pieces = append(r.pieces, p)
	}
	return rows.Err()
}

// Close lets go of the bytes.
func (r *Reader) Close() error {
	r.store.pins.remove(r.pieces)
	r.pieces = nil
	r.store.wakeSweeper()
	return nil
}

// WriteRange writes count bytes from offset on to w.
func (r *Reader) WriteRange(ctx context.Context, w io.Writer, offset, count int64) error {
	if offset < 0 || count < 0 || offset > r.size-count {
		return fmt.Errorf("bytes %d to %d of a blob of %d bytes", offset, offset+count, r.size)
	}
	first := sort.Search(len(r.pieces), func(i int) bool { return r.pieces[i].offset+r.pieces[i].size > offset })
	for _, p := range r.pieces[first:] {
		if count == 0 {
			return nil
		}
		n := min(count, p.offset+p.size-offset)
		if err := r.writePiece(ctx, w, p, offset-p.offset, n); err != nil {
			return fmt.Errorf("reading a blob's bytes: %w", err)
		}
		offset, count = offset+n, count-n
	}
	return nil
}

func (r *Reader) writePiece(ctx context.Context, w io.Writer, p piece, offset, count int64) error {
	if p.file == "" {
		data, err := r.store.inline(ctx, p.chunk)
		if err != nil {
			return err
		}
		if offset+count > int64(len(data)) {
			return io.ErrUnexpectedEOF
		}
		_, err = w.Write(data[offset : offset+count])
		return err
	}
	f, err := os.Open(r.store.chunkPath(p.file))
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Seek(offset, io.SeekStart); err != nil {
		return err
	}
	if n, err := io.CopyN(w, f, count); err != nil {
		return fmt.Errorf("after %d of %d bytes: %w", n, count, err)
	}
	return nil
}

func (s *Store) inline(ctx context.Context, chunk int64) ([]byte, error) {
	var data []byte
	err := s.db.View(ctx, func(tx *sql.Tx) error {
		return tx.QueryRow("SELECT data FROM chunks WHERE id = ?", chunk).Scan(&data)
	})
	return data, err
}
