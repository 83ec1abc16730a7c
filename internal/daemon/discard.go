package daemon

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
	list, err := json.Marshal(dirs)
	if err != nil {
		return err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer w.Close()
	defer r.Close()
	cmd := exec.Command("/proc/self/exe", "machine", "discard")
	cmd.Stdin, cmd.Dir = r, "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("deleting what was set aside: %w", err)
	}
	if _, err := w.Write(list); err != nil {
		return fmt.Errorf("deleting what was set aside: %w", err)
	}
	return cmd.Process.Release()
}

// maxAside bounds a list of folders.
const maxAside = 1 << 20

// ReadAside deletes the folders that a list (JSON) names.
func ReadAside(list io.Reader) error {
	var dirs []string
	if err := json.NewDecoder(io.LimitReader(list, maxAside)).Decode(&dirs); err != nil {
		return fmt.Errorf("reading which folders to delete: %w", err)
	}
	return removeAside(dirs)
}

// removeAside deletes folders that were set aside, and refuses all others.
func removeAside(dirs []string) error {
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
