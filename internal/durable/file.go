package durable

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// WriteFile replaces the file at path by data, whole or not at all, with mode 0600.
func WriteFile(path string, data []byte) error {
	_, err := WriteFrom(path, bytes.NewReader(data), 0o600)
	return err
}

// WriteFrom is WriteFile with what from gives, and with a mode of the caller's
// choice; it returns how many bytes there were.
func WriteFrom(path string, from io.Reader, mode fs.FileMode) (size int64, err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return 0, err
	}
	tmp, err := os.CreateTemp(dir, ".new-*") // mode 0600
	if err != nil {
		return 0, err
	}
	size, err = io.Copy(tmp, from)
	if err == nil {
		err = errors.Join(tmp.Chmod(mode), tmp.Sync())
	}
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		_ = os.Remove(tmp.Name()) // err is the one to tell
		return 0, fmt.Errorf("writing %s: %w", path, err)
	}
	return size, SyncDir(dir)
}

// ReadOrCreate reads the file at path, which is made by create the first time.
func ReadOrCreate(path string, create func() ([]byte, error)) ([]byte, error) {
	data, err := os.ReadFile(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return data, err
	}
	if data, err = create(); err != nil {
		return nil, err
	}
	return data, WriteFile(path, data)
}

// SyncDir puts a folder's entries on the disk.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	syncErr := d.Sync()
	return errors.Join(syncErr, d.Close())
}
