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
	dir string
}

// projectOf is the repository that dir is in, or, where it is in none, the
// uppermost folder on the way to dir that looks like the top of one, or dir.
func projectOf(dir string) project {
	real, err := realPath(dir)
	if err != nil {
		return project{filepath.Clean(dir)}
	}
	home, _ := os.UserHomeDir()
	top := real
	for at := real; at != home && at != filepath.Dir(at); at = filepath.Dir(at) {
		if exists(filepath.Join(at, ".git")) {
			return project{at}
		}
		for _, mark := range []string{".gitignore", ".github", "LICENSE", "README.md"} {
			if exists(filepath.Join(at, mark)) {
				top = at
			}
		}
	}
	return project{top}
}

func realPath(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(abs)
}

// allows answers why a path must not be read, nil where it may. What does not
// exist is judged by its name.
func (p project) allows(path string) error {
	abs, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	if !p.holds(abs) {
		// The way to the project may itself lead through a symbolic link.
		real, err := filepath.EvalSymlinks(abs)
		if err != nil || !p.holds(real) {
			return p.outside(path)
		}
		return nil
	}
	if real, err := filepath.EvalSymlinks(abs); err == nil && !p.holds(real) {
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
