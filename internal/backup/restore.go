package backup

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/sys/unix"

	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/durable"
)

// ErrNotEmpty says that there is something where a cloud was to be restored.
var ErrNotEmpty = errors.New("the folder is not empty")

// ErrPassphrase says that an archive is encrypted and the passphrase is not its.
var ErrPassphrase = errors.New("the archive is encrypted, and the passphrase is missing or wrong (--passphrase-file)")

// Restore makes the cloud of an archive in dir, which must not exist or be empty.
// The documents go into the PostgreSQL database at address, where it is not "". All
// of the archive is verified before anything is in its place.
func Restore(ctx context.Context, dir, address, passphrase string, r io.Reader) (m Manifest, err error) {
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return Manifest{}, fmt.Errorf("restoring to %s: %w", dir, ErrNotEmpty)
	} else if err != nil && !errors.Is(err, os.ErrNotExist) {
		return Manifest{}, err
	}
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return Manifest{}, err
	}
	staging, err := os.MkdirTemp(parent, ".restore-") // mode 0700
	if err != nil {
		return Manifest{}, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(staging))
		}
	}()
	if m, err = unseal(ctx, staging, passphrase, r); err != nil {
		return Manifest{}, fmt.Errorf("reading the archive: %w", err)
	}
	if address != "" {
		if err := cloud.MoveStore(ctx, filepath.Join(staging, "cloud"), address); err != nil {
			return Manifest{}, err
		}
	}
	if err := settle(staging, dir, parent); err != nil {
		if address != "" {
			err = errors.Join(err, cloud.RemoveStore(ctx, filepath.Join(staging, "cloud")))
		}
		return Manifest{}, fmt.Errorf("restoring to %s: %w", dir, err)
	}
	return m, nil
}

// settle puts what was restored on the disk, and then in its place.
func settle(staging, dir, parent string) error {
	f, err := os.Open(staging)
	if err != nil {
		return err
	}
	if err := errors.Join(unix.Syncfs(int(f.Fd())), f.Close()); err != nil {
		return err
	}
	if err := unix.Rename(staging, dir); err != nil { // which an empty folder gives way to, and no other
		return err
	}
	return durable.SyncDir(parent)
}

// unseal decrypts, decompresses, unpacks and verifies.
func unseal(ctx context.Context, staging, passphrase string, r io.Reader) (Manifest, error) {
	in := bufio.NewReaderSize(r, 1<<16)
	const magic = "age-encryption.org/"
	var plain io.Reader = in
	if head, _ := in.Peek(len(magic)); bytes.Equal(head, []byte(magic)) {
		if passphrase == "" {
			return Manifest{}, ErrPassphrase
		}
		identity, err := age.NewScryptIdentity(passphrase)
		if err != nil {
			return Manifest{}, err
		}
		identity.SetMaxWorkFactor(workFactor) // what a stranger's archive may cost
		if plain, err = age.Decrypt(in, identity); err != nil {
			return Manifest{}, fmt.Errorf("%w: %w", ErrPassphrase, err)
		}
	}
	z, err := zstd.NewReader(plain, zstd.WithDecoderMaxMemory(256<<20), zstd.WithDecoderConcurrency(1))
	if err != nil {
		return Manifest{}, err
	}
	defer z.Close()
	return unpack(ctx, staging, z)
}

func unpack(ctx context.Context, staging string, r io.Reader) (Manifest, error) {
	t := tar.NewReader(r)
	m, err := readManifest(t, staging)
	if err != nil {
		return Manifest{}, err
	}
	root, err := os.OpenRoot(staging)
	if err != nil {
		return Manifest{}, err
	}
	defer root.Close()
	for _, f := range m.Files { // in this order
		header, err := t.Next()
		if err != nil {
			return Manifest{}, fmt.Errorf("it ends before %q: %w", f.Path, err)
		}
		if header.Name != f.Path || header.Typeflag != tar.TypeReg || header.Size != f.Size {
			return Manifest{}, fmt.Errorf("it has %q where the manifest has %q, of %d bytes", header.Name, f.Path, f.Size)
		}
		if err := errors.Join(ctx.Err(), extract(root, f, t)); err != nil {
			return Manifest{}, err
		}
	}
	for _, f := range m.Folders {
		if err := root.Chmod(f.Path, f.Mode|0o700); err != nil {
			return Manifest{}, fmt.Errorf("opening the folder %s: %w", f.Path, err)
		}
	}
	if _, err := t.Next(); !errors.Is(err, io.EOF) {
		return Manifest{}, errors.Join(errors.New("it has more than its manifest says"), err)
	}
	// What follows the tar's end would be no part of what was verified; encryption
	// and compression tell at their own end whether all was there.
	if n, err := io.Copy(io.Discard, io.LimitReader(r, maxPadding+1)); err != nil || n > maxPadding {
		return Manifest{}, errors.Join(errors.New("it goes on after its end"), err)
	}
	return m, nil
}

// maxPadding is how much of nothing may follow a tar's end.
const maxPadding = 1 << 20

func readManifest(t *tar.Reader, staging string) (Manifest, error) {
	header, err := t.Next()
	if err != nil {
		return Manifest{}, fmt.Errorf("it is no backup of a cloud: %w", err)
	}
	if header.Name != manifestName || header.Size > maxManifest {
		return Manifest{}, errors.New("it is no backup of a cloud: it does not begin with its manifest")
	}
	var m Manifest
	if err := json.NewDecoder(io.LimitReader(t, maxManifest)).Decode(&m); err != nil {
		return Manifest{}, fmt.Errorf("its manifest cannot be read: %w", err)
	}
	var room unix.Statfs_t
	if err := unix.Statfs(staging, &room); err != nil {
		return Manifest{}, err
	}
	return m, m.check(int64(room.Bavail) * room.Bsize)
}

// extract writes one file. It cannot leave the root, and nothing is there yet.
func extract(root *os.Root, f File, r io.Reader) error {
	if err := root.MkdirAll(filepath.Dir(f.Path), 0o700); err != nil {
		return err
	}
	out, err := root.OpenFile(f.Path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, f.Mode|0o600)
	if err != nil {
		return err
	}
	sum := sha256.New()
	_, err = io.CopyN(io.MultiWriter(out, sum), r, f.Size)
	if err := errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("%s: %w", f.Path, err)
	}
	if hex.EncodeToString(sum.Sum(nil)) != f.SHA256 {
		return fmt.Errorf("%s is damaged: its checksum is not the manifest's", f.Path)
	}
	return nil
}
