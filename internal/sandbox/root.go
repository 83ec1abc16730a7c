package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// mountRoot lays files into the upper folder and mounts the overlay at
// dir/rootfs.
func mountRoot(dir string, s Spec) error {
	rootfs, work := filepath.Join(dir, "rootfs"), filepath.Join(dir, "work")
	upper := s.Upper
	if upper == "" {
		upper = filepath.Join(dir, "upper")
	} else {
		// overlayfs wants its work folder on the file system of the upper one.
		work = upper + ".work"
		if err := os.RemoveAll(work); err != nil {
			return fmt.Errorf("clearing the work folder of %s: %w", s.Name, err)
		}
	}
	for _, d := range []string{rootfs, work, upper} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return fmt.Errorf("making the root of %s: %w", s.Name, err)
		}
	}
	for path, f := range s.Files {
		if err := layFile(upper, path, f); err != nil {
			return fmt.Errorf("laying %s into the root of %s: %w", path, s.Name, err)
		}
	}
	if err := mountPoints(upper, s.Layers, s.Mounts); err != nil {
		return fmt.Errorf("making the mount points of %s: %w", s.Name, err)
	}
	lower := slices.Clone(s.Layers)
	slices.Reverse(lower) // overlayfs names the topmost first
	options := "lowerdir=" + strings.Join(lower, ":") + ",upperdir=" + upper + ",workdir=" + work
	if len(options) >= os.Getpagesize() {
		return fmt.Errorf("the %d layers of %s are more than one mount takes", len(lower), s.Name)
	}
	if err := unix.Mount("overlay", rootfs, "overlay", 0, options); err != nil {
		return fmt.Errorf("mounting the root of %s: %w", s.Name, err)
	}
	return nil
}

// layFile writes a file below upper, through no symbolic link: what a previous
// run of the sandbox left in a kept upper folder is not trusted.
func layFile(upper, path string, f File) error {
	root, err := os.OpenRoot(upper)
	if err != nil {
		return err
	}
	defer root.Close()
	rel := path[1:]
	if err := root.MkdirAll(filepath.Dir(rel), 0o755); err != nil {
		return err
	}
	if err := root.RemoveAll(rel); err != nil {
		return err
	}
	return root.WriteFile(rel, f.Data, os.FileMode(f.Mode))
}

// mountPoints makes in upper what the mounts are bound over, where no layer has it.
func mountPoints(upper string, layers []string, mounts []Mount) error {
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
			if err := root.MkdirAll(rel, 0o755); err != nil {
				return err
			}
			continue
		}
		if err := root.MkdirAll(filepath.Dir(rel), 0o755); err != nil {
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

// unmountRoot undoes mountRoot; a root that is not mounted is fine.
func unmountRoot(dir string) error {
	rootfs := filepath.Join(dir, "rootfs")
	err := unix.Unmount(rootfs, unix.MNT_DETACH)
	if err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("unmounting %s: %w", rootfs, err)
	}
	return nil
}
