package image

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"golang.org/x/sys/unix"
)

// maxLayer bounds what one layer may unpack to, so that a small archive cannot
// fill the disk.
const maxLayer = 16 << 30

// Store keeps the layers of pulled images, unpacked, one folder a digest. Several
// processes may use one store.
type Store struct {
	Dir string
}

// Pulled is an image that is on this machine.
type Pulled struct {
	Layers  []string // folders, lowest first
	Env     []string // of the image's configuration
	Fetched int      // layers that were downloaded now; the others were here
}

// Pull fetches the image ref, layer by layer, those that are missing here only.
// Digests are verified on the way.
func (s Store) Pull(ctx context.Context, ref string, options ...remote.Option) (Pulled, error) {
	r, err := name.ParseReference(ref, name.StrictValidation)
	if err != nil {
		return Pulled{}, fmt.Errorf("pulling an image: %w", err)
	}
	img, err := remote.Image(r, append(options, remote.WithContext(ctx))...)
	if err != nil {
		return Pulled{}, fmt.Errorf("pulling %s: %w", ref, err)
	}
	layers, err := img.Layers()
	if err != nil {
		return Pulled{}, fmt.Errorf("pulling %s: %w", ref, err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		return Pulled{}, fmt.Errorf("pulling %s: %w", ref, err)
	}
	out := Pulled{Env: config.Config.Env}
	for _, layer := range layers {
		dir, fetched, err := s.unpack(layer)
		if err != nil {
			return Pulled{}, fmt.Errorf("pulling %s: %w", ref, err)
		}
		out.Layers = append(out.Layers, dir)
		if fetched {
			out.Fetched++
		}
	}
	return out, nil
}

func (s Store) unpack(layer v1.Layer) (dir string, fetched bool, err error) {
	digest, err := layer.Digest()
	if err != nil {
		return "", false, err
	}
	dir = filepath.Join(s.Dir, digest.Hex)
	c := Cache{Dir: s.Dir}
	err = c.once(dir, "", func(tmp string) error {
		fetched = true
		r, err := layer.Uncompressed()
		if err != nil {
			return err
		}
		defer r.Close()
		if err := untar(r, tmp, maxLayer); err != nil {
			return fmt.Errorf("unpacking the layer %s: %w", digest, err)
		}
		_, err = io.Copy(io.Discard, r) // to the end, where the digest is verified
		return err
	})
	return dir, fetched, err
}

// untar unpacks an OCI layer into dir. Nothing is written outside it: every path
// is opened through an os.Root. Whiteouts become overlayfs's.
func untar(r io.Reader, dir string, limit int64) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	tr := tar.NewReader(r)
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if limit -= h.Size + 512; limit < 0 {
			return errors.New("the layer is larger than a layer may be")
		}
		rel := path.Clean(strings.TrimPrefix("/"+h.Name, "/"))
		if rel == "." || rel == "/" {
			continue
		}
		if err := unpackEntry(root, dir, strings.TrimPrefix(rel, "/"), h, tr); err != nil {
			return fmt.Errorf("%s: %w", h.Name, err)
		}
	}
}

func unpackEntry(root *os.Root, dir, rel string, h *tar.Header, r io.Reader) error {
	parent := path.Dir(rel)
	if err := root.MkdirAll(parent, 0o755); err != nil {
		return err
	}
	if hidden, ok := strings.CutPrefix(path.Base(rel), ".wh."); ok {
		return whiteout(root, parent, hidden)
	}
	mode := os.FileMode(h.Mode & 0o777)
	switch h.Typeflag {
	case tar.TypeDir:
		if err := root.MkdirAll(rel, 0o755); err != nil {
			return err
		}
	case tar.TypeReg:
		_ = root.Remove(rel)
		f, err := root.OpenFile(rel, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
		if err != nil {
			return err
		}
		_, err = io.Copy(f, r)
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
	case tar.TypeSymlink:
		_ = root.Remove(rel)
		if err := root.Symlink(h.Linkname, rel); err != nil {
			return err
		}
		return root.Lchown(rel, h.Uid, h.Gid)
	case tar.TypeLink:
		_ = root.Remove(rel)
		return root.Link(strings.TrimPrefix(path.Clean("/"+h.Linkname), "/"), rel)
	default:
		return nil // a sandbox has its own devices
	}
	if err := root.Lchown(rel, h.Uid, h.Gid); err != nil {
		return err
	}
	// After chown, which clears them: set-id and sticky bits.
	if err := root.Chmod(rel, mode|setBits(h.Mode)); err != nil {
		return err
	}
	return root.Chtimes(rel, h.ModTime, h.ModTime)
}

func setBits(mode int64) os.FileMode {
	var out os.FileMode
	if mode&0o4000 != 0 {
		out |= os.ModeSetuid
	}
	if mode&0o2000 != 0 {
		out |= os.ModeSetgid
	}
	if mode&0o1000 != 0 {
		out |= os.ModeSticky
	}
	return out
}

// whiteout marks what a layer deletes of those below (OCI Image Layer
// Filesystem Changeset, "Whiteouts") in overlayfs's way.
func whiteout(root *os.Root, parent, hidden string) error {
	d, err := root.Open(parent)
	if err != nil {
		return err
	}
	defer d.Close()
	if hidden == ".wh..opq" {
		return unix.Fsetxattr(int(d.Fd()), "trusted.overlay.opaque", []byte("y"), 0)
	}
	if hidden == "" || hidden == "." || hidden == ".." {
		return fmt.Errorf("the whiteout hides nothing")
	}
	return unix.Mknodat(int(d.Fd()), hidden, unix.S_IFCHR, 0)
}
