package blobstore

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/cloister-ml/cloister/internal/durable"
)

const schema = `
CREATE TABLE containers (
	id   INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE,
	doc  TEXT NOT NULL
);
CREATE TABLE blobs (
	id        INTEGER PRIMARY KEY,
	container INTEGER NOT NULL REFERENCES containers(id) ON DELETE CASCADE,
	name      TEXT NOT NULL,
	doc       TEXT NOT NULL,
	UNIQUE (container, name)
);
-- The bytes: in data, or in the file of that name.
CREATE TABLE chunks (
	id   INTEGER PRIMARY KEY AUTOINCREMENT,
	file TEXT NOT NULL,
	size INTEGER NOT NULL,
	data BLOB,
	refs INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX unreferenced ON chunks(id) WHERE refs = 0;
-- What a blob is made of, in order.
CREATE TABLE extents (
	blob  INTEGER NOT NULL REFERENCES blobs(id) ON DELETE CASCADE,
	seq   INTEGER NOT NULL,
	chunk INTEGER NOT NULL REFERENCES chunks(id),
	block TEXT NOT NULL,
	PRIMARY KEY (blob, seq)
) WITHOUT ROWID;
-- Blocks that were uploaded and are in no block list yet.
CREATE TABLE staged (
	container INTEGER NOT NULL REFERENCES containers(id) ON DELETE CASCADE,
	name      TEXT NOT NULL,
	block     TEXT NOT NULL,
	chunk     INTEGER NOT NULL REFERENCES chunks(id),
	at        INTEGER NOT NULL,
	PRIMARY KEY (container, name, block)
) WITHOUT ROWID;
CREATE INDEX extents_chunk ON extents(chunk);
CREATE INDEX staged_chunk ON staged(chunk);
CREATE TRIGGER extent_in  AFTER INSERT ON extents BEGIN UPDATE chunks SET refs = refs + 1 WHERE id = NEW.chunk; END;
CREATE TRIGGER extent_out AFTER DELETE ON extents BEGIN UPDATE chunks SET refs = refs - 1 WHERE id = OLD.chunk; END;
CREATE TRIGGER staged_in  AFTER INSERT ON staged  BEGIN UPDATE chunks SET refs = refs + 1 WHERE id = NEW.chunk; END;
CREATE TRIGGER staged_out AFTER DELETE ON staged  BEGIN UPDATE chunks SET refs = refs - 1 WHERE id = OLD.chunk; END;
`

// stagedLife is how long an uncommitted block is kept.
const stagedLife = 7 * 24 * time.Hour

// Store is one account's containers and blobs. Its methods may be called at the
// same time; of one folder there may be only one Store.
type Store struct {
	dir string
	db  *durable.DB

	mu   sync.RWMutex // see Store.sweep
	pins pins

	sweepNow chan struct{}
	done     chan struct{}
	stopped  sync.WaitGroup
	close    sync.Once
}

// Open opens or creates the store in dir, and removes what an interrupted
// upload has left there.
func Open(dir string) (*Store, error) {
	if err := os.MkdirAll(filepath.Join(dir, "data"), 0o700); err != nil {
		return nil, err
	}
	db, err := durable.OpenDB(filepath.Join(dir, "blobs.db"), schema)
	if err != nil {
		return nil, err
	}
	s := &Store{
		dir: dir, db: db, pins: pins{held: map[int64]int{}},
		sweepNow: make(chan struct{}, 1), done: make(chan struct{}),
	}
	if err := s.recover(); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("opening the blob store %s: %w", dir, err)
	}
	s.stopped.Add(1)
	go s.sweeper()
	return s, nil
}

// Close ends the store; open readers must have been closed.
func (s *Store) Close() error {
	s.close.Do(func() { close(s.done) })
	s.stopped.Wait()
	return s.db.Close()
}

// newETag is a value that no other version of anything has.
func newETag() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // crypto/rand.Read never fails
	return fmt.Sprintf(`"0x%016X"`, binary.BigEndian.Uint64(b[:]))
}

// now has whole seconds, as the Last-Modified header has.
func now() time.Time { return time.Now().UTC().Truncate(time.Second) }

func containerID(tx *sql.Tx, name string) (int64, error) {
	var id int64
	err := tx.QueryRow("SELECT id FROM containers WHERE name = ?", name).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, ErrNoContainer
	}
	return id, err
}

// CreateContainer makes an empty container and returns it with its ETag.
func (s *Store) CreateContainer(ctx context.Context, c Container) (Container, error) {
	c.ETag, c.Modified = newETag(), now()
	err := s.db.Update(ctx, func(tx *sql.Tx) error {
		switch _, err := containerID(tx, c.Name); {
		case err == nil:
			return ErrContainerExists
		case !errors.Is(err, ErrNoContainer):
			return err
		}
		doc, err := json.Marshal(c)
		if err != nil {
			return err
		}
		_, err = tx.Exec("INSERT INTO containers (name, doc) VALUES (?, ?)", c.Name, doc)
		return err
	})
	return c, err
}

// Container is the container of that name.
func (s *Store) Container(ctx context.Context, name string) (Container, error) {
	var c Container
	err := s.db.View(ctx, func(tx *sql.Tx) (err error) {
		c, err = readContainer(tx.QueryRow("SELECT name, doc FROM containers WHERE name = ?", name))
		return err
	})
	return c, err
}

type row interface{ Scan(...any) error }

func readContainer(r row) (Container, error) {
	var name string
	var doc []byte
	if err := r.Scan(&name, &doc); err != nil {
		if errors.Is(err, sql.ErrNoRows) {
			err = ErrNoContainer
		}
		return Container{}, err
	}
	var c Container
	err := json.Unmarshal(doc, &c)
	c.Name = name
	return c, err
}

// UpdateContainer changes a container's data by change, and its ETag with it.
func (s *Store) UpdateContainer(ctx context.Context, name string, change func(*Container) error) (Container, error) {
	var c Container
	err := s.db.Update(ctx, func(tx *sql.Tx) (err error) {
		if c, err = readContainer(tx.QueryRow("SELECT name, doc FROM containers WHERE name = ?", name)); err != nil {
			return err
		}
		if err := change(&c); err != nil {
			return err
		}
		c.ETag, c.Modified = newETag(), now()
		doc, err := json.Marshal(c)
		if err != nil {
			return err
		}
		_, err = tx.Exec("UPDATE containers SET doc = ? WHERE name = ?", doc, name)
		return err
	})
	return c, err
}

// DeleteContainer removes a container with all that is in it, where check allows.
func (s *Store) DeleteContainer(ctx context.Context, name string, check func(Container) error) error {
	defer s.wakeSweeper()
	return s.db.Update(ctx, func(tx *sql.Tx) error {
		c, err := readContainer(tx.QueryRow("SELECT name, doc FROM containers WHERE name = ?", name))
		if err != nil {
			return err
		}
		if err := check(c); err != nil {
			return err
		}
		_, err = tx.Exec("DELETE FROM containers WHERE name = ?", name)
		return err
	})
}

// Containers lists containers in order of names: at most limit whose names begin
// with prefix, from the name from on; next is where the following page begins.
func (s *Store) Containers(ctx context.Context, prefix, from string, limit int) (page []Container, next string, err error) {
	err = s.db.View(ctx, func(tx *sql.Tx) error {
		rows, err := tx.Query("SELECT name, doc FROM containers WHERE name >= ? AND (? = '' OR name < ?) ORDER BY name LIMIT ?",
			max(from, prefix), after(prefix), after(prefix), limit+1)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			c, err := readContainer(rows)
			if err != nil {
				return err
			}
			page = append(page, c)
		}
		return rows.Err()
	})
	if len(page) > limit {
		page, next = page[:limit], page[limit].Name
	}
	return page, next, err
}
