package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/cloister-ml/cloister/internal/rootless"
)

// home is where a sandbox's root is mounted, and whose it is.
type home struct {
	dir string
	ids ids
}

func (h home) rootfs() string { return filepath.Join(h.dir, "rootfs") }

// mountRoot lays files into the upper folder and mounts the overlay in home.
func mountRoot(bundle string, h home, s Spec) error {
	upper, work, err := disk(bundle, h.ids, s)
	if err != nil {
		return fmt.Errorf("making the disk of %s: %w", s.Name, err)
	}
	for path, f := range s.Files {
		if err := layFile(upper, path, f, h.ids); err != nil {
			return fmt.Errorf("laying %s into the root of %s: %w", path, s.Name, err)
		}
	}
	if err := mountPoints(upper, s.Layers, s.Mounts, h.ids); err != nil {
		return fmt.Errorf("making the mount points of %s: %w", s.Name, err)
	}
	lower := s.Layers
	if h.ids.own() {
		if lower, err = mapLayers(h.dir, lower, h.ids); err != nil {
			return errors.Join(fmt.Errorf("mounting the root of %s: %w", s.Name, err), unmapLayers(h.dir))
		}
	}
	err = mountOverlay(h.rootfs(), lower, upper, work)
	if err := errors.Join(err, unmapLayers(h.dir)); err != nil {
		return fmt.Errorf("mounting the root of %s: %w", s.Name, err)
	}
	if s.NetNS == "" || !h.ids.mapped() {
		return nil
	}
	if err := mountSys(h.dir, s.NetNS); err != nil {
		return fmt.Errorf("mounting /sys of %s: %w", s.Name, err)
	}
	return nil
}

// disk makes the upper folder of an overlay, which belongs to the sandbox's root,
// and its work folder.
func disk(bundle string, i ids, s Spec) (upper, work string, err error) {
	upper, work = filepath.Join(bundle, "upper"), filepath.Join(bundle, "work")
	if s.Upper != "" {
		// overlayfs wants its work folder on the file system of the upper one.
		upper, work = s.Upper, s.Upper+".work"
		if err := os.RemoveAll(work); err != nil {
			return "", "", err
		}
	}
	for _, d := range []string{upper, work} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return "", "", err
		}
	}
	if owner := ownerOf(upper); i.mapped() && owner != i.host {
		return upper, work, shift(upper, owner, i)
	}
	return upper, work, nil
}

func mountOverlay(at string, layers []string, upper, work string) error {
	if err := os.MkdirAll(at, 0o755); err != nil {
		return err
	}
	lower := slices.Clone(layers)
	slices.Reverse(lower) // overlayfs names the topmost first
	options := "lowerdir=" + strings.Join(lower, ":") + ",upperdir=" + upper + ",workdir=" + work
	if _, ok := rootless.User(); ok {
		options += ",userxattr" // a user namespace's root cannot write the other ones
	}
	if len(options) >= os.Getpagesize() {
		return fmt.Errorf("%d layers are more than one mount takes", len(lower))
	}
	return unix.Mount("overlay", at, "overlay", 0, options)
}

// layFile writes a file below upper, through no symbolic link: what a previous
// run of the sandbox left in a kept upper folder is not trusted.
func layFile(upper, path string, f File, i ids) error {
	root, err := os.OpenRoot(upper)
	if err != nil {
		return err
	}
	defer root.Close()
	rel := path[1:]
	if err := makeFolders(root, filepath.Dir(rel), i); err != nil {
		return err
	}
	if err := root.RemoveAll(rel); err != nil {
		return err
	}
	if err := root.WriteFile(rel, f.Data, os.FileMode(f.Mode)); err != nil {
		return err
	}
	return root.Lchown(rel, i.of(0), i.of(0))
}

// makeFolders makes the missing folders of a path, for the sandbox's root.
func makeFolders(root *os.Root, rel string, i ids) error {
	if rel == "." {
		return nil
	}
	if err := makeFolders(root, filepath.Dir(rel), i); err != nil {
		return err
	}
	err := root.Mkdir(rel, 0o755)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return root.Lchown(rel, i.of(0), i.of(0))
}

// mountPoints makes in upper what the mounts are bound over, where no layer has it.
func mountPoints(upper string, layers []string, mounts []Mount, i ids) error {
	root, err := os.OpenRoot(upper)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, m := range mounts {
		if strings.HasPrefix(m.Target, "/run/") || strings.HasPrefix(m.Target, "/tmp/") || inLayers(layers, m.Target) {
			continue // on a tmpfs runc makes it, in a layer it is there
		}
		info, err := os.Stat(m.Source)
		if err != nil {
			return err
		}
		rel := m.Target[1:]
		if info.IsDir() {
			if err := makeFolders(root, rel, i); err != nil {
				return err
			}
			continue
		}
		if err := makeFolders(root, filepath.Dir(rel), i); err != nil {
			return err
		}
		f, err := root.OpenFile(rel, os.O_CREATE|os.O_RDONLY, 0o644)
		if err != nil {
			return err
		}
		f.Close()
	}
	return nil
}

func inLayers(layers []string, path string) bool {
	for _, l := range layers {
		if _, err := os.Lstat(filepath.Join(l, path)); err == nil {
			return true
		}
	}
	return false
}

// unmountRoot undoes mountRoot in home; what is not mounted is fine.
func unmountRoot(dir string) error {
	return errors.Join(detach(filepath.Join(dir, "sys")), detach(filepath.Join(dir, "rootfs")), unmapLayers(dir))
}

// detach unmounts; what is not mounted is fine.
func detach(at string) error {
	err := unix.Unmount(at, unix.MNT_DETACH)
	if err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("unmounting %s: %w", at, err)
	}
	return nil
}
