package datastore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"
)

// parallel transfers of a folder's files.
const parallel = 4

// Moved says how much a transfer moved.
type Moved struct {
	Files int
	Bytes int64
}

// DownloadTree brings everything below the folder at into dir, which must exist.
// Nothing is written outside dir, whatever the blobs are called.
func (b *Blobs) DownloadTree(ctx context.Context, at Blob, dir string) (Moved, error) {
	if at.Path != "" && !strings.HasSuffix(at.Path, "/") {
		at.Path += "/"
	}
	entries, err := b.List(ctx, at)
	if err != nil {
		return Moved{}, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Moved{}, fmt.Errorf("downloading: %w", err)
	}
	defer root.Close()
	var moved Moved
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for _, e := range entries {
		rel := strings.TrimPrefix(e.Path, at.Path)
		if rel == "" || strings.HasSuffix(rel, "/") {
			continue // a folder marker
		}
		if !filepath.IsLocal(filepath.FromSlash(rel)) {
			return moved, fmt.Errorf("downloading %s: the blob %q does not stay in its folder", at.URL(), rel)
		}
		moved.Files++
		moved.Bytes += e.Size
		g.Go(func() error {
			return b.downloadInto(ctx, Blob{Account: at.Account, Container: at.Container, Path: e.Path}, root, filepath.FromSlash(rel))
		})
	}
	return moved, g.Wait()
}

// DownloadFile brings one blob to the file dir/name.
func (b *Blobs) DownloadFile(ctx context.Context, at Blob, dir, name string) (Moved, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Moved{}, fmt.Errorf("downloading: %w", err)
	}
	defer root.Close()
	if err := b.downloadInto(ctx, at, root, name); err != nil {
		return Moved{}, err
	}
	info, err := root.Stat(name)
	if err != nil {
		return Moved{}, fmt.Errorf("downloading: %w", err)
	}
	return Moved{Files: 1, Bytes: info.Size()}, nil
}

func (b *Blobs) downloadInto(ctx context.Context, at Blob, root *os.Root, rel string) error {
	if err := makeParents(root, rel); err != nil {
		return fmt.Errorf("downloading %s: %w", at.URL(), err)
	}
	body, _, err := b.Open(ctx, at)
	if err != nil {
		return err
	}
	defer body.Close()
	f, err := root.OpenFile(rel, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
	if err != nil {
		return fmt.Errorf("downloading %s: %w", at.URL(), err)
	}
	_, err = io.Copy(f, body)
	if err := errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		return fmt.Errorf("downloading %s: %w", at.URL(), err)
	}
	return nil
}

// makeParents makes the folders that a file is in, so that others may read them
// whatever this process's umask is: who reads them later has no privileges.
func makeParents(root *os.Root, rel string) error {
	parent := filepath.Dir(rel)
	if parent == "." {
		return nil
	}
	if err := makeParents(root, parent); err != nil {
		return err
	}
	if err := root.Mkdir(parent, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return root.Chmod(parent, 0o755)
}

// UploadTree puts every regular file below dir under the folder at. keep says
// which, by slash-separated path; nil keeps all. Symbolic links are not followed.
func (b *Blobs) UploadTree(ctx context.Context, dir string, at Blob, keep func(rel string) bool) (Moved, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Moved{}, fmt.Errorf("uploading: %w", err)
	}
	defer root.Close()
	var moved Moved
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	err = fs.WalkDir(root.FS(), ".", func(rel string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || keep != nil && !keep(rel) {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		moved.Files++
		moved.Bytes += info.Size()
		g.Go(func() error { return b.uploadFrom(ctx, root, rel, at.Join(rel)) })
		return ctx.Err()
	})
	return moved, errors.Join(err, g.Wait())
}

// UploadFile puts the file name into the blob at.
func (b *Blobs) UploadFile(ctx context.Context, name string, at Blob) (Moved, error) {
	root, err := os.OpenRoot(filepath.Dir(name))
	if err != nil {
		return Moved{}, fmt.Errorf("uploading: %w", err)
	}
	defer root.Close()
	info, err := root.Stat(filepath.Base(name))
	if err != nil {
		return Moved{}, fmt.Errorf("uploading: %w", err)
	}
	return Moved{Files: 1, Bytes: info.Size()}, b.uploadFrom(ctx, root, filepath.Base(name), at)
}

func (b *Blobs) uploadFrom(ctx context.Context, root *os.Root, rel string, at Blob) error {
	f, err := root.Open(filepath.FromSlash(path.Clean(rel)))
	if err != nil {
		return fmt.Errorf("uploading: %w", err)
	}
	defer f.Close()
	return b.Put(ctx, at, f)
}
