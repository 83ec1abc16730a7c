package blobstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// PutBlock keeps the chunk as an uncommitted block of a blob that may not exist
// yet, in place of an uncommitted block of that id. The chunk is the store's
// afterwards, or discarded when there is an error.
func (s *Store) PutBlock(ctx context.Context, container, name, id string, c *Chunk) error {
	err := s.db.Update(ctx, func(tx *sql.Tx) error {
		cid, err := containerID(tx, container)
		if err != nil {
			return err
		}
		if _, err := tx.Exec("DELETE FROM staged WHERE container = ? AND name = ? AND block = ?", cid, name, id); err != nil {
			return err
		}
		if err := checkBlockID(tx, cid, name, id); err != nil {
			return err
		}
		chunk, err := c.insert(tx)
		if err != nil {
			return err
		}
		_, err = tx.Exec("INSERT INTO staged (container, name, block, chunk, at) VALUES (?, ?, ?, ?, ?)",
			cid, name, id, chunk, time.Now().Unix())
		return err
	})
	if err != nil {
		c.abandon(err)
		return err
	}
	s.wakeSweeper()
	return nil
}

// checkBlockID refuses an id whose length differs from the other uncommitted
// blocks', and a block too many.
func checkBlockID(tx *sql.Tx, cid int64, name, id string) error {
	var other string
	err := tx.QueryRow("SELECT block FROM staged WHERE container = ? AND name = ? LIMIT 1", cid, name).Scan(&other)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	if len(other) != len(id) {
		return ErrBlockIDLength
	}
	var full bool
	err = tx.QueryRow("SELECT EXISTS (SELECT 1 FROM staged WHERE container = ? AND name = ? LIMIT 1 OFFSET ?)",
		cid, name, MaxUncommitted-1).Scan(&full)
	if err == nil && full {
		err = ErrTooManyBlocks
	}
	return err
}

// PutBlockList makes b of blocks, in their order, in place of what was there.
func (s *Store) PutBlockList(ctx context.Context, container string, b Blob, blocks []BlockRef, check Check) (Blob, error) {
	if len(blocks) > MaxBlocks {
		return Blob{}, ErrTooManyBlocks
	}
	return s.replace(ctx, container, b, check, func(tx *sql.Tx, cid int64, b *Blob) ([]extent, error) {
		known, err := blocksOf(tx, cid, b.Name)
		if err != nil {
			return nil, err
		}
		out := make([]extent, 0, len(blocks))
		for _, ref := range blocks {
			chunk, ok := known.find(ref)
			if !ok {
				return nil, fmt.Errorf("%w: %q", ErrUnknownBlock, ref.ID)
			}
			out = append(out, extent{chunk: chunk, block: ref.ID})
		}
		return out, nil
	})
}

// blocks are the chunks of a blob's blocks by id.
type blocks struct{ committed, staged map[string]int64 }

func (k blocks) find(ref BlockRef) (int64, bool) {
	if ref.From != Committed {
		if chunk, ok := k.staged[ref.ID]; ok || ref.From == Uncommitted {
			return chunk, ok
		}
	}
	chunk, ok := k.committed[ref.ID]
	return chunk, ok
}

func blocksOf(tx *sql.Tx, cid int64, name string) (blocks, error) {
	k := blocks{committed: map[string]int64{}, staged: map[string]int64{}}
	err := eachBlock(tx, committedBlocks, func(b Block, chunk int64) { k.committed[b.ID] = chunk }, cid, name)
	if err != nil {
		return k, err
	}
	return k, eachBlock(tx, stagedBlocks, func(b Block, chunk int64) { k.staged[b.ID] = chunk }, cid, name)
}

const (
	committedBlocks = `SELECT e.block, c.size, c.id FROM blobs b JOIN extents e ON e.blob = b.id JOIN chunks c ON c.id = e.chunk
		WHERE b.container = ? AND b.name = ? AND e.block <> '' ORDER BY e.seq`
	stagedBlocks = `SELECT s.block, c.size, c.id FROM staged s JOIN chunks c ON c.id = s.chunk
		WHERE s.container = ? AND s.name = ? ORDER BY s.block`
)

func eachBlock(tx *sql.Tx, query string, visit func(Block, int64), args ...any) error {
	rows, err := tx.Query(query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var b Block
		var chunk int64
		if err := rows.Scan(&b.ID, &b.Size, &chunk); err != nil {
			return err
		}
		visit(b, chunk)
	}
	return rows.Err()
}

// BlockList is what is known of a blob's blocks. The blob is nil where only
// uncommitted blocks are there; with neither, the error is ErrNoBlob.
func (s *Store) BlockList(ctx context.Context, container, name string) (b *Blob, committed, uncommitted []Block, err error) {
	err = s.db.View(ctx, func(tx *sql.Tx) error {
		cid, err := containerID(tx, container)
		if err != nil {
			return err
		}
		_, found, err := findBlob(tx, cid, name)
		if err == nil {
			b = &found
		} else if !errors.Is(err, ErrNoBlob) {
			return err
		}
		missing := err
		if err := eachBlock(tx, committedBlocks, func(b Block, _ int64) { committed = append(committed, b) }, cid, name); err != nil {
			return err
		}
		if err := eachBlock(tx, stagedBlocks, func(b Block, _ int64) { uncommitted = append(uncommitted, b) }, cid, name); err != nil {
			return err
		}
		if len(uncommitted) > 0 {
			return nil
		}
		return missing
	})
	return b, committed, uncommitted, err
}
