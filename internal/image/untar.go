package image

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/cloister-ml/cloister/internal/rootless"
)

// untar unpacks an OCI layer into dir. Nothing is written outside it: every path
// is opened through an os.Root. Whiteouts become overlayfs's.
func untar(r io.Reader, dir string, limit int64) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	u := unpacker{root: root}
	defer u.close()
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
		rel := strings.TrimPrefix(path.Clean("/"+h.Name), "/")
		if rel == "" {
			continue
		}
		if err := u.entry(rel, h, tr); err != nil {
			return fmt.Errorf("%s: %w", h.Name, err)
		}
	}
}

// unpacker keeps the folder of the last entry open: a path is walked once for all
// that lies in one folder, which archives keep together.
type unpacker struct {
	root   *os.Root
	parent string   // path of folder below root
	folder *os.Root // nil before the first entry
}

func (u *unpacker) close() {
	u.root.Close()
	if u.folder != nil {
		u.folder.Close()
	}
}

// enter opens the folder that an entry lies in.
func (u *unpacker) enter(parent string) error {
	if u.folder != nil && u.parent == parent {
		return nil
	}
	if err := u.root.MkdirAll(parent, 0o755); err != nil {
		return err
	}
	folder, err := u.root.OpenRoot(parent)
	if err != nil {
		return err
	}
	if u.folder != nil {
		u.folder.Close()
	}
	u.parent, u.folder = parent, folder
	return nil
}

func (u *unpacker) entry(rel string, h *tar.Header, r io.Reader) error {
	if err := u.enter(path.Dir(rel)); err != nil {
		return err
	}
	name := path.Base(rel)
	if hidden, ok := strings.CutPrefix(name, ".wh."); ok {
		return u.whiteout(hidden)
	}
	switch h.Typeflag {
	case tar.TypeDir:
		return u.makeFolder(name, h)
	case tar.TypeReg:
		return u.makeFile(name, h, r)
	case tar.TypeSymlink:
		if err := ignoreMissing(u.folder.RemoveAll(name)); err != nil {
			return err
		}
		if err := u.folder.Symlink(h.Linkname, name); err != nil {
			return err
		}
		return u.own(name, h)
	case tar.TypeLink:
		if err := ignoreMissing(u.folder.RemoveAll(name)); err != nil {
			return err
		}
		return u.root.Link(strings.TrimPrefix(path.Clean("/"+h.Linkname), "/"), rel)
	}
	return nil // a sandbox has its own devices
}

func ignoreMissing(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

func (u *unpacker) makeFolder(name string, h *tar.Header) error {
	if err := u.folder.Mkdir(name, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	if err := u.own(name, h); err != nil {
		return err
	}
	return u.folder.Chmod(name, fileMode(h.Mode))
}

func (u *unpacker) makeFile(name string, h *tar.Header, r io.Reader) error {
	const flags = os.O_CREATE | os.O_EXCL | os.O_WRONLY
	f, err := u.folder.OpenFile(name, flags, 0o600)
	if errors.Is(err, os.ErrExist) { // the archive has it twice: the later one counts
		if err := u.folder.RemoveAll(name); err != nil {
			return err
		}
		f, err = u.folder.OpenFile(name, flags, 0o600)
	}
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	if err == nil {
		err = u.own(name, h)
	}
	if err == nil {
		err = f.Chmod(fileMode(h.Mode)) // after chown, which clears set-id bits
	}
	if err == nil {
		t := unix.NsecToTimeval(h.ModTime.UnixNano())
		err = unix.Futimes(int(f.Fd()), []unix.Timeval{t, t})
	}
	return errors.Join(err, f.Close())
}

// own gives a file to whom the archive names. An ordinary user has one id to give,
// and everything is that one's.
func (u *unpacker) own(name string, h *tar.Header) error {
	if rootless.Ordinary() {
		return nil
	}
	return u.folder.Lchown(name, h.Uid, h.Gid)
}

// fileMode is a tar header's mode as package os has it.
func fileMode(mode int64) os.FileMode {
	out := os.FileMode(mode & 0o777)
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
func (u *unpacker) whiteout(hidden string) error {
	d, err := u.folder.Open(".")
	if err != nil {
		return err
	}
	defer d.Close()
	if hidden == ".wh..opq" {
		namespace := "trusted"
		if rootless.Ordinary() {
			namespace = "user" // as the overlay is mounted, with userxattr
		}
		return unix.Fsetxattr(int(d.Fd()), namespace+".overlay.opaque", []byte("y"), 0)
	}
	if hidden == "" || hidden == "." || hidden == ".." {
		return errors.New("the whiteout hides nothing")
	}
	return unix.Mknodat(int(d.Fd()), hidden, unix.S_IFCHR, 0)
}
