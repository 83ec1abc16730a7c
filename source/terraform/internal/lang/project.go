package lang

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// project is the folder that a configuration may read from, without symbolic
// links on its way. What lies outside is another's: a configuration that someone
// hands over must not bring the reader's own files into what is shown of it.
type project struct {
	dir   string
	here  string            // the working directory
	reals map[string]string // paths that were looked at, without symbolic links
}

// projectOf is the repository that dir is in, or, where it is in none, the
// uppermost folder on the way to dir that looks like the top of one, or dir.
func projectOf(dir string) project {
	p := project{reals: map[string]string{}}
	p.here, _ = os.Getwd() // where it is not known, filepath.Abs says so
	p.dir = p.top(dir)
	return p
}

func (p project) top(dir string) string {
	real, err := p.realPath(dir)
	if err != nil {
		return filepath.Clean(dir)
	}
	home, _ := os.UserHomeDir()
	top := real
	for at := real; at != home && at != filepath.Dir(at); at = filepath.Dir(at) {
		if exists(filepath.Join(at, ".git")) {
			return at
		}
		for _, mark := range []string{".gitignore", ".github", "LICENSE", "README.md"} {
			if exists(filepath.Join(at, mark)) {
				top = at
			}
		}
	}
	return top
}

func (p project) abs(path string) (string, error) {
	if filepath.IsAbs(path) || p.here == "" {
		return filepath.Abs(path)
	}
	return filepath.Join(p.here, path), nil
}

func (p project) realPath(path string) (string, error) {
	abs, err := p.abs(path)
	if err != nil {
		return "", err
	}
	return p.real(abs)
}

// real is an absolute path without symbolic links. Each folder on the way is looked
// at once: every module's path leads through most of them.
func (p project) real(abs string) (string, error) {
	parent := filepath.Dir(abs)
	if parent == abs {
		return abs, nil
	}
	if real, ok := p.reals[abs]; ok {
		return real, nil
	}
	above, err := p.real(parent)
	if err != nil {
		return "", err
	}
	real := filepath.Join(above, filepath.Base(abs))
	info, err := os.Lstat(real)
	if err == nil && info.Mode()&os.ModeSymlink != 0 {
		real, err = filepath.EvalSymlinks(real)
	}
	if err != nil {
		return "", err
	}
	p.reals[abs] = real
	return real, nil
}

// allows answers why a path must not be read, nil where it may. What does not
// exist is judged by its name.
func (p project) allows(path string) error {
	abs, err := p.abs(path)
	if err != nil {
		return err
	}
	if !p.holds(abs) {
		// The way to the project may itself lead through a symbolic link.
		real, err := p.real(abs)
		if err != nil || !p.holds(real) {
			return p.outside(path)
		}
		return nil
	}
	if real, err := p.real(abs); err == nil && !p.holds(real) {
		return p.outside(path)
	}
	return nil
}

func (p project) holds(abs string) bool {
	rel, err := filepath.Rel(p.dir, abs)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

func (p project) outside(path string) error {
	return fmt.Errorf("%s leads out of %s, and nothing outside is read: move it in", path, p.dir)
}
