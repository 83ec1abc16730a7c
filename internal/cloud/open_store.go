package cloud

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/uuid"

	"github.com/cloister-ml/cloister/internal/cloud/store"
	"github.com/cloister-ml/cloister/internal/durable"
)

// Files of a cloud's folder that say where its documents are.
const (
	databaseFile = "cloud.db"
	addressFile  = "store" // the address of the PostgreSQL database, which may have a password in it
	markFile     = "store.id"
)

// StoreAddress is the address of the PostgreSQL database of the cloud in dir; ""
// where its documents are in the folder itself.
func StoreAddress(dir string) (string, error) {
	data, err := os.ReadFile(filepath.Join(dir, addressFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return strings.TrimSpace(string(data)), err
}

// openStore opens the documents of the cloud in dir. An address that is given takes
// the place of the one that the folder remembers, if the same documents are there.
func openStore(ctx context.Context, dir, address string) (*store.Database, error) {
	kept, err := StoreAddress(dir)
	if err != nil {
		return nil, err
	}
	if address == "" {
		address = kept
	}
	if address == "" {
		return store.OpenSQLite(filepath.Join(dir, databaseFile))
	}
	if kept == "" {
		if _, err := os.Stat(filepath.Join(dir, databaseFile)); err == nil {
			return nil, errors.New("its documents are in the folder itself: to move them to PostgreSQL, take a backup and restore it with --store-file")
		}
	}
	s, err := store.OpenPostgres(ctx, address)
	if err != nil {
		return nil, err
	}
	if err := claim(ctx, s, dir, address, kept); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// claim sees to it that the folder and the database are one cloud's: keys without
// their documents, or documents without their keys, are of no use.
func claim(ctx context.Context, s *store.Database, dir, address, kept string) error {
	mark, err := durable.ReadOrCreate(filepath.Join(dir, markFile), func() ([]byte, error) { return []byte(uuid.NewString()), nil })
	if err != nil {
		return err
	}
	known, err := s.Setting(ctx, store.Place)
	if err != nil {
		return err
	}
	if known != "" && known != string(mark) {
		return errors.New("the database has the documents of another cloud: name another database, or another schema with ?search_path=")
	}
	if known == "" {
		empty, err := s.Empty(ctx)
		if err != nil {
			return err
		}
		if !empty || kept != "" {
			return errors.New("the database does not have the documents of this cloud")
		}
		if err := s.Set(ctx, store.Place, string(mark)); err != nil {
			return err
		}
	}
	if kept == address {
		return nil
	}
	if err := durable.WriteFile(filepath.Join(dir, addressFile), []byte(address+"\n")); err != nil {
		return fmt.Errorf("remembering where the documents are: %w", err)
	}
	return nil
}

// RemoveStore deletes the documents of the cloud in dir from its PostgreSQL
// database, if it has one. Nothing of the cloud may run.
func RemoveStore(ctx context.Context, dir string) error {
	address, err := StoreAddress(dir)
	if err != nil || address == "" {
		return err
	}
	s, err := openStore(ctx, dir, "")
	if err != nil {
		return fmt.Errorf("deleting the cloud's documents: %w", err)
	}
	return errors.Join(s.Drop(ctx), s.Close())
}

// MoveStore moves the documents of the cloud in dir, which does not run, from its
// folder into the PostgreSQL database at address.
func MoveStore(ctx context.Context, dir, address string) error {
	s, err := store.OpenPostgres(ctx, address)
	if err != nil {
		return err
	}
	file := filepath.Join(dir, databaseFile)
	if err = s.Import(ctx, file); err == nil {
		if err = mark(ctx, s, dir, address); err != nil {
			err = errors.Join(err, s.Drop(ctx))
		}
	}
	if err := errors.Join(err, s.Close()); err != nil {
		return fmt.Errorf("moving the documents into PostgreSQL: %w", err)
	}
	for _, f := range []string{file, file + "-wal", file + "-shm"} {
		if err := os.Remove(f); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// mark makes the folder and the database one cloud's.
func mark(ctx context.Context, s *store.Database, dir, address string) error {
	id := uuid.NewString()
	return errors.Join(
		durable.WriteFile(filepath.Join(dir, markFile), []byte(id)),
		s.Set(ctx, store.Place, id),
		durable.WriteFile(filepath.Join(dir, addressFile), []byte(address+"\n")),
	)
}
