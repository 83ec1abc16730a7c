package command

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// revision is a repository as it was, in a folder of its own.
type revision struct {
	root string // of the repository
	dir  string // the directory that was asked for
}

// Bounds of what is taken out of a repository.
const (
	maxRevisionFile  = 16 << 20
	maxRevisionTotal = 512 << 20
)

// atRevision takes the repository that holds dir out of git as it was at rev:
// modules may be anywhere in it. clean removes it again.
func atRevision(ctx context.Context, dir, rev string) (r revision, clean func(), err error) {
	if strings.HasPrefix(rev, "-") {
		return r, nil, fmt.Errorf("--git %q: a revision does not begin with a dash", rev)
	}
	top, err := git(ctx, dir, "rev-parse", "--show-toplevel")
	if err != nil {
		return r, nil, fmt.Errorf("--git: %s is not in a git repository: %w", dir, err)
	}
	prefix, err := git(ctx, dir, "rev-parse", "--show-prefix")
	if err != nil {
		return r, nil, err
	}
	if _, err := git(ctx, dir, "rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{commit}"); err != nil {
		return r, nil, fmt.Errorf("--git %s: the repository of %s has no such revision; fetch it first (in CI: a checkout with its history)", rev, dir)
	}
	root, err := os.MkdirTemp("", "cloister-diff-")
	if err != nil {
		return r, nil, err
	}
	clean = func() { _ = os.RemoveAll(root) }
	if err := extract(ctx, top, rev, root); err != nil {
		clean()
		return r, nil, fmt.Errorf("taking %s out of git: %w", rev, err)
	}
	r = revision{root: root, dir: filepath.Join(root, prefix)}
	if _, err := os.Stat(r.dir); err != nil {
		clean()
		return r, nil, fmt.Errorf("--git %s: there is no %s at that revision", rev, filepath.ToSlash(filepath.Clean(prefix)))
	}
	return r, clean, nil
}

func git(ctx context.Context, dir string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, "git", append([]string{"-C", dir}, args...)...).Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) && len(failed.Stderr) > 0 {
		return "", errors.New(strings.TrimSpace(string(failed.Stderr)))
	}
	return strings.TrimSuffix(string(out), "\n"), err
}

// extract writes the files of a revision below root. Links are left out.
func extract(ctx context.Context, top, rev, root string) error {
	cmd := exec.CommandContext(ctx, "git", "-C", top, "archive", "--format=tar", rev)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	err = untar(io.LimitReader(out, maxRevisionTotal), root)
	_, _ = io.Copy(io.Discard, out)
	return errors.Join(err, cmd.Wait())
}

func untar(in io.Reader, root string) error {
	dir, err := os.OpenRoot(root)
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }()
	for r := tar.NewReader(in); ; {
		h, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("the archive of more than %d MiB is cut off, or broken: %w", maxRevisionTotal>>20, err)
		case h.Typeflag == tar.TypeDir:
			err = dir.MkdirAll(filepath.Clean(h.Name), 0o700)
		case h.Typeflag == tar.TypeReg && h.Size <= maxRevisionFile:
			err = writeFile(dir, filepath.Clean(h.Name), r)
		}
		if err != nil {
			return err
		}
	}
}

func writeFile(dir *os.Root, name string, in io.Reader) error {
	if err := dir.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	f, err := dir.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, in)
	return errors.Join(err, f.Close())
}
