package backup

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"
)

// Write writes the cloud in dir, which may run, to w; encrypted where there is a
// passphrase. Without one, who can read the archive has the cloud's keys and
// secrets.
func Write(ctx context.Context, dir, passphrase string, w io.Writer) (m Manifest, err error) {
	staging, err := os.MkdirTemp(dir, ".backup-") // beside the files, so that they can be linked
	if err != nil {
		return Manifest{}, fmt.Errorf("taking a backup of %s: %w", dir, err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(staging)) }()
	m = Manifest{Format: format, Created: time.Now().UTC().Truncate(time.Second)}
	if m.Store, m.LeftOut, err = gather(ctx, dir, staging); err != nil {
		return Manifest{}, fmt.Errorf("taking a backup of %s: %w", dir, err)
	}
	if m.Files, m.Folders, err = describe(staging); err != nil {
		return Manifest{}, fmt.Errorf("taking a backup of %s: %w", dir, err)
	}
	if err := seal(passphrase, w, func(w io.Writer) error { return pack(ctx, m, staging, w) }); err != nil {
		return Manifest{}, fmt.Errorf("writing the archive: %w", err)
	}
	return m, nil
}

// describe names the files in staging, each with its checksum, and the folders that
// are open to others.
func describe(staging string) (files []File, folders []Folder, err error) {
	err = filepath.WalkDir(staging, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(staging, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			info, err := d.Info()
			if err == nil && info.Mode().Perm() != 0o700 {
				folders = append(folders, Folder{filepath.ToSlash(name), info.Mode().Perm() & modes})
			}
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return err
		}
		sum := sha256.New()
		size, err := io.Copy(sum, f)
		files = append(files, File{filepath.ToSlash(name), size, info.Mode().Perm() & modes, hex.EncodeToString(sum.Sum(nil))})
		return err
	})
	return files, folders, err
}

// seal compresses what write writes, and encrypts it where there is a passphrase.
func seal(passphrase string, w io.Writer, write func(io.Writer) error) error {
	var sealed io.WriteCloser
	if passphrase != "" {
		recipient, err := age.NewScryptRecipient(passphrase)
		if err != nil {
			return err
		}
		recipient.SetWorkFactor(workFactor)
		if sealed, err = age.Encrypt(w, recipient); err != nil {
			return err
		}
		w = sealed
	}
	z, err := zstd.NewWriter(w)
	if err != nil {
		return err
	}
	if err := errors.Join(write(z), z.Close()); err != nil {
		return err
	}
	if sealed != nil {
		return sealed.Close()
	}
	return nil
}

// workFactor is the logarithm of scrypt's cost (RFC 7914): a quarter of a gigabyte
// of memory and about a second for each guess.
const workFactor = 18

func pack(ctx context.Context, m Manifest, staging string, w io.Writer) error {
	t := tar.NewWriter(w)
	head, err := json.Marshal(m)
	if err != nil {
		return err
	}
	header := func(name string, size int64, mode fs.FileMode) error {
		return t.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: int64(mode), ModTime: m.Created, Format: tar.FormatPAX})
	}
	if err := header(manifestName, int64(len(head)), 0o600); err != nil {
		return err
	}
	if _, err := t.Write(head); err != nil {
		return err
	}
	for _, f := range m.Files {
		if err := errors.Join(ctx.Err(), header(f.Path, f.Size, f.Mode)); err != nil {
			return err
		}
		if err := add(t, filepath.Join(staging, f.Path), f); err != nil {
			return err
		}
	}
	return t.Close()
}

// add writes as much of a file as was described: a linked file may have grown.
func add(w io.Writer, path string, f File) error {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	sum := sha256.New()
	if _, err := io.CopyN(io.MultiWriter(w, sum), in, f.Size); err != nil {
		return fmt.Errorf("%s: %w", f.Path, err)
	}
	if hex.EncodeToString(sum.Sum(nil)) != f.SHA256 {
		return fmt.Errorf("%s was changed while it was read: take the backup again", f.Path)
	}
	return nil
}
