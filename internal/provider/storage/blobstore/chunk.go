package blobstore

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // the protocol's checksum, not a protection
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"hash/crc64"
	"io"
	"os"
	"path/filepath"

	"github.com/cloister-ml/cloister/internal/durable"
)

// inlineSize is up to where bytes are kept in the database: one write to the
// disk instead of three.
const inlineSize = 16 << 10

// crcTable is the polynomial of x-ms-content-crc64.
var crcTable = crc64.MakeTable(0x9A6C9329AC4BC9B5)

// Chunk is bytes that have been received and belong to no blob yet. It is given
// to one of the Put methods, or discarded.
type Chunk struct {
	Size  int64
	MD5   []byte
	CRC64 uint64

	data []byte // where it is small
	file string // where it is not: its name under data/
	path string
}

// Receive reads at most limit bytes to the disk. What was received is removed
// again when reading fails or there is more.
func (s *Store) Receive(ctx context.Context, r io.Reader, limit int64) (*Chunk, error) {
	c := &Chunk{}
	sum, crc := md5.New(), crc64.New(crcTable) //nolint:gosec // as above
	body := io.TeeReader(io.LimitReader(r, limit+1), io.MultiWriter(sum, crc))
	head, err := io.ReadAll(io.LimitReader(body, inlineSize+1))
	if err != nil {
		return nil, err
	}
	c.Size = int64(len(head))
	if len(head) <= inlineSize {
		c.data = head
	} else if err := s.receiveFile(ctx, c, io.MultiReader(bytes.NewReader(head), body), limit); err != nil {
		c.Discard()
		return nil, err
	}
	if c.Size > limit {
		c.Discard()
		return nil, ErrTooLarge
	}
	c.finish(sum, crc)
	return c, nil
}

func (c *Chunk) finish(sum hash.Hash, crc hash.Hash64) { c.MD5, c.CRC64 = sum.Sum(nil), crc.Sum64() }

// receiveFile writes the whole body, put together again, to a new file.
func (s *Store) receiveFile(ctx context.Context, c *Chunk, body io.Reader, limit int64) error {
	var name [16]byte
	_, _ = rand.Read(name[:]) // never fails
	c.file = hex.EncodeToString(name[:])
	c.path = s.chunkPath(c.file)
	if err := os.Mkdir(filepath.Dir(c.path), 0o700); err == nil {
		if err := durable.SyncDir(filepath.Dir(filepath.Dir(c.path))); err != nil {
			return err
		}
	} else if !errors.Is(err, os.ErrExist) {
		return err
	}
	f, err := os.OpenFile(c.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	c.Size, err = io.Copy(f, body)
	if err == nil && c.Size > limit {
		err = ErrTooLarge
	}
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = durable.SyncDir(filepath.Dir(c.path))
	}
	return err
}

// Discard removes a chunk that was given to no blob.
func (c *Chunk) Discard() {
	if c.path != "" {
		_ = os.Remove(c.path) // a leftover is removed when the store is next opened
	}
}

// abandon discards a chunk that the failed transaction does not name. One that it
// may name after all is left for [Open] to settle.
func (c *Chunk) abandon(err error) {
	if !errors.Is(err, durable.ErrUncertain) {
		c.Discard()
	}
}

func (s *Store) chunkPath(file string) string { return filepath.Join(s.dir, "data", file[:2], file) }

// insert gives the chunk its row.
func (c *Chunk) insert(tx *sql.Tx) (int64, error) {
	var data any
	if c.file == "" {
		data = c.data
		if c.data == nil {
			data = []byte{}
		}
	}
	res, err := tx.Exec("INSERT INTO chunks (file, size, data) VALUES (?, ?, ?)", c.file, c.Size, data)
	if err != nil {
		return 0, fmt.Errorf("recording a chunk: %w", err)
	}
	return res.LastInsertId()
}

// CRC64Table is the polynomial of x-ms-content-crc64.
func CRC64Table() *crc64.Table { return crcTable }

// Sum is the size and the checksums of data, which is not kept.
func Sum(data []byte) *Chunk {
	sum := md5.Sum(data) //nolint:gosec // as above
	return &Chunk{Size: int64(len(data)), MD5: sum[:], CRC64: crc64.Checksum(data, crcTable)}
}
