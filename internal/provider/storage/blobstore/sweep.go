package blobstore

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// wakeSweeper asks for a sweep, soon.
func (s *Store) wakeSweeper() {
	select {
	case s.sweepNow <- struct{}{}:
	default: // one is asked for already
	}
}

func (s *Store) sweeper() {
	defer s.stopped.Done()
	for {
		select {
		case <-s.done:
			return
		case <-s.sweepNow:
			// What a failed sweep leaves, the next one or the next start removes.
			_ = s.sweep(context.Background())
		}
	}
}

type unreferenced struct {
	id   int64
	file string
}

// sweep removes the chunks that nothing refers to and no reader holds.
//
// A chunk without references never gets one again: references are only made to
// chunks that are new, or that another blob has in the same transaction. A
// reader finds its chunks and pins them while it holds mu for reading; so once
// mu is held for writing, a chunk without references is pinned or dead.
func (s *Store) sweep(ctx context.Context) error {
	s.mu.Lock()
	dead, err := s.dead(ctx)
	s.mu.Unlock()
	if err != nil || len(dead) == 0 {
		return err
	}
	err = s.db.Update(ctx, func(tx *sql.Tx) error {
		for _, c := range dead {
			if _, err := tx.Exec("DELETE FROM chunks WHERE id = ? AND refs = 0", c.id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, c := range dead {
		if c.file == "" {
			continue
		}
		if removeErr := os.Remove(s.chunkPath(c.file)); removeErr != nil && !errors.Is(removeErr, fs.ErrNotExist) {
			err = errors.Join(err, removeErr)
		}
	}
	return err
}

func (s *Store) dead(ctx context.Context) ([]unreferenced, error) {
	var out []unreferenced
	err := s.db.View(ctx, func(tx *sql.Tx) error {
		rows, err := tx.Query("SELECT id, file FROM chunks WHERE refs = 0")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var c unreferenced
			if err := rows.Scan(&c.id, &c.file); err != nil {
				return err
			}
			if !s.pins.has(c.id) {
				out = append(out, c)
			}
		}
		return rows.Err()
	})
	return out, err
}

// recover forgets blocks that were never committed in their time, sweeps, and
// removes files that no chunk names: those of uploads that were cut off.
func (s *Store) recover() error {
	ctx := context.Background()
	err := s.db.Update(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec("DELETE FROM staged WHERE at < ?", time.Now().Add(-stagedLife).Unix())
		return err
	})
	if err != nil {
		return err
	}
	if err := s.sweep(ctx); err != nil {
		return err
	}
	known := map[string]bool{}
	err = s.db.View(ctx, func(tx *sql.Tx) error {
		rows, err := tx.Query("SELECT file FROM chunks WHERE file <> ''")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var file string
			if err := rows.Scan(&file); err != nil {
				return err
			}
			known[file] = true
		}
		return rows.Err()
	})
	if err != nil {
		return err
	}
	return filepath.WalkDir(filepath.Join(s.dir, "data"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || known[d.Name()] {
			return err
		}
		return os.Remove(path)
	})
}
