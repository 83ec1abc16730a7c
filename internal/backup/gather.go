package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/cloud/store"
	"github.com/cloister-ml/cloister/internal/durable"
)

// found is what is in a cloud's folder.
type found struct {
	databases []string
	files     []string
	leftOut   []string
}

// gather makes in staging what the cloud in dir is at one instant: it keeps every
// database's writers waiting while it copies the databases and takes hold of the
// files. Files that are written once are linked, which takes no time.
func gather(ctx context.Context, dir, staging string) (kind string, leftOut []string, err error) {
	address, err := cloud.StoreAddress(filepath.Join(dir, "cloud"))
	if err != nil {
		return "", nil, err
	}
	before, err := find(dir)
	if err != nil {
		return "", nil, err
	}
	if address == "" && !slices.Contains(before.databases, database) {
		return "", nil, fmt.Errorf("there is no cloud in %s", dir)
	}
	release, err := hold(ctx, dir, before.databases)
	if err != nil {
		return "", nil, err
	}
	defer func() { err = errors.Join(err, release()) }()
	kind = "sqlite"
	if address != "" {
		kind = "postgres"
		if err := os.MkdirAll(filepath.Join(staging, "cloud"), 0o700); err != nil {
			return "", nil, err
		}
		if err := store.ExportPostgres(ctx, address, filepath.Join(staging, database)); err != nil {
			return "", nil, err
		}
	}
	now, err := find(dir) // what has come since
	if err != nil {
		return "", nil, err
	}
	for _, name := range now.databases {
		if err := os.MkdirAll(filepath.Join(staging, filepath.Dir(name)), 0o700); err != nil {
			return "", nil, err
		}
		err := durable.CopyDB(ctx, filepath.Join(dir, name), filepath.Join(staging, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", nil, err
		}
	}
	for _, name := range now.files {
		if err := take(filepath.Join(dir, name), filepath.Join(staging, name)); err != nil {
			return "", nil, err
		}
	}
	return kind, now.leftOut, openFolders(dir, staging)
}

// openFolders gives the folders in staging the modes that they have in dir.
func openFolders(dir, staging string) error {
	return filepath.WalkDir(staging, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() || path == staging {
			return err
		}
		name, err := filepath.Rel(staging, path)
		if err != nil {
			return err
		}
		info, err := os.Lstat(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it has gone since
		}
		if err != nil {
			return err
		}
		return os.Chmod(path, info.Mode().Perm()&modes|0o700)
	})
}

// hold keeps the writers of all databases waiting.
func hold(ctx context.Context, dir string, databases []string) (release func() error, err error) {
	var held []func() error
	release = func() error {
		var errs []error
		for _, r := range held {
			errs = append(errs, r())
		}
		return errors.Join(errs...)
	}
	for _, name := range databases {
		r, err := durable.Hold(ctx, filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue // its owner was deleted
		}
		if err != nil {
			return nil, errors.Join(err, release())
		}
		held = append(held, r)
	}
	return release, nil
}

// find lists what is kept, in the reverse order of names: a registry's and a
// repository's references come before what they refer to, so that what a
// reference that was taken refers to is taken too.
func find(dir string) (found, error) {
	var all found
	for _, root := range roots() {
		err := filepath.WalkDir(filepath.Join(dir, root), func(path string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil // it has gone
			}
			if err != nil {
				return err
			}
			name, err := filepath.Rel(dir, path)
			if err != nil {
				return err
			}
			name = filepath.ToSlash(name)
			return all.add(path, name, d)
		})
		if err != nil {
			return found{}, err
		}
	}
	slices.Reverse(all.files)
	return all, nil
}

func (a *found) add(path, name string, d fs.DirEntry) error {
	switch {
	case !wanted(name):
		if d.IsDir() {
			return fs.SkipDir
		}
	case d.IsDir() || strings.HasPrefix(filepath.Base(name), ".new-"): // being written
	case !d.Type().IsRegular():
		a.leftOut = append(a.leftOut, name)
	case strings.HasSuffix(name, ".db-wal") || strings.HasSuffix(name, ".db-shm"): // of a database
	case strings.HasSuffix(name, ".db") && isDatabase(path):
		a.databases = append(a.databases, name)
	default:
		a.files = append(a.files, name)
	}
	return nil
}

// isDatabase reports whether the file begins as the SQLite file format says
// ("Database File Format", section 1.3).
func isDatabase(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, 16)
	_, err = io.ReadFull(f, head)
	return err == nil && string(head) == "SQLite format 3\x00"
}

// small is up to which size a file is copied at once: it may be one that is
// written to where it is.
const small = 1 << 20

// take makes to what from is now. A file that has gone is left out.
func take(from, to string) error {
	err := os.MkdirAll(filepath.Dir(to), 0o700)
	if err != nil {
		return err
	}
	info, err := os.Lstat(from)
	if err == nil && info.Size() > small {
		if os.Link(from, to) == nil {
			return nil
		}
	}
	if err == nil {
		err = copyFile(from, to, info.Mode().Perm()&modes)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func copyFile(from, to string, mode fs.FileMode) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode|0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
