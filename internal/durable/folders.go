package durable

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// NameOf is a file name for a key, which may be any text: no key leads out of the
// folder that its file is in, and no two have the same.
func NameOf(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:16])
}

// Folders are things that have a folder each, named after their key, and that are
// opened when they are first asked for.
type Folders[T io.Closer] struct {
	dir string

	mu     sync.Mutex
	opened map[string]T
}

// NewFolders keeps the things' folders below dir.
func NewFolders[T io.Closer](dir string) *Folders[T] {
	return &Folders[T]{dir: dir, opened: map[string]T{}}
}

// Get is the thing of a key. Where it is not open yet, open opens it from its
// folder, which open makes where it is missing.
func (f *Folders[T]) Get(key string, open func(dir string) (T, error)) (T, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if thing, ok := f.opened[key]; ok {
		return thing, nil
	}
	thing, err := open(filepath.Join(f.dir, NameOf(key)))
	if err == nil {
		f.opened[key] = thing
	}
	return thing, err
}

// Remove closes the thing of a key and deletes its folder.
func (f *Folders[T]) Remove(key string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if thing, ok := f.opened[key]; ok {
		delete(f.opened, key)
		if err := thing.Close(); err != nil {
			return err
		}
	}
	return os.RemoveAll(filepath.Join(f.dir, NameOf(key)))
}

// Close closes what is open.
func (f *Folders[T]) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var err error
	for key, thing := range f.opened {
		err = errors.Join(err, thing.Close())
		delete(f.opened, key)
	}
	return err
}
