package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"time"
)

// asideName ends the name of a folder that is set aside to be deleted.
var asideName = regexp.MustCompile(`\.removed-[0-9]+$`)

// discard makes a folder disappear at once: it is renamed, and deleted by remove,
// which need not wait until all is gone. What an earlier call has not finished is
// given to remove as well.
func discard(dir string, remove func(dirs []string) error) error {
	aside := fmt.Sprintf("%s.removed-%d", dir, time.Now().UnixNano())
	if err := os.Rename(dir, aside); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return os.RemoveAll(dir) // a mount, or a folder whose parent is not ours
	}
	left, err := setAside(dir)
	if err != nil || len(left) == 0 {
		return err
	}
	return remove(left)
}

// setAside are the folders that were set aside in place of dir.
func setAside(dir string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Dir(dir))
	if err != nil {
		return nil, fmt.Errorf("looking for what was set aside: %w", err)
	}
	var out []string
	for _, e := range entries {
		if n := asideName.FindStringIndex(e.Name()); n != nil && e.Name()[:n[0]] == filepath.Base(dir) {
			out = append(out, filepath.Join(filepath.Dir(dir), e.Name()))
		}
	}
	return out, nil
}

// removeLater deletes folders in a process of its own, which outlives this one.
func removeLater(dirs []string) error {
	cmd := exec.Command("/proc/self/exe", append([]string{"machine", "discard"}, dirs...)...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("deleting what was set aside: %w", err)
	}
	return cmd.Process.Release()
}

// RemoveAside deletes folders that were set aside, and refuses all others.
func RemoveAside(dirs []string) error {
	var errs []error
	for _, dir := range dirs {
		if !asideName.MatchString(dir) {
			errs = append(errs, fmt.Errorf("%s was not set aside", dir))
			continue
		}
		errs = append(errs, os.RemoveAll(dir))
	}
	return errors.Join(errs...)
}
