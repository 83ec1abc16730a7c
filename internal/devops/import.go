package devops

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const (
	maxImportFiles = 20_000
	maxImportBytes = 256 << 20
)

// importExcludes are left out of every import: what building and running leaves
// behind, and what holds secrets.
var importExcludes = []string{
	".git", ".terraform/", "*.tfstate", "*.tfstate.*", "*.tfplan",
	"__pycache__/", "*.pyc", ".venv/", "venv/", ".pytest_cache/", ".ipynb_checkpoints/",
	"node_modules/", ".DS_Store", ".env",
}

// Import makes a folder's files the head of a repository's default branch, and
// gives the commit. The project and the repository are made when missing; a folder
// that has not changed makes no new commit. The folder's own .gitignore files
// count.
func (s *Server) Import(ctx context.Context, project, repo, dir string) (commit string, err error) {
	info, err := os.Stat(dir)
	if err != nil || !info.IsDir() {
		return "", badRequest("%s is not a folder", dir)
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return "", err
	}
	if _, err := s.CreateProject(ctx, project); err != nil {
		return "", err
	}
	r, err := s.createRepository(ctx, project, repo)
	if err != nil {
		return "", err
	}
	s.imports.Lock()
	defer s.imports.Unlock()
	tree, err := s.writeTree(ctx, r, dir)
	if err != nil {
		return "", fmt.Errorf("importing %s: %w", dir, err)
	}
	return s.commitTree(ctx, r, tree)
}

// writeTree stores a folder's files as a git tree.
func (s *Server) writeTree(ctx context.Context, r repository, dir string) (string, error) {
	work, err := os.MkdirTemp(s.opts.Dir, "import-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(work)
	excludes := filepath.Join(work, "excludes")
	if err := os.WriteFile(excludes, []byte(strings.Join(importExcludes, "\n")), 0o600); err != nil {
		return "", err
	}
	env := []string{"GIT_WORK_TREE=" + dir, "GIT_INDEX_FILE=" + filepath.Join(work, "index")}
	names, err := s.git(ctx, r, 8<<20, nil, env, "ls-files", "--others", "--exclude-standard", "--exclude-from="+excludes, "-z")
	if err != nil {
		return "", err
	}
	if names, err = checkSize(dir, names); err != nil {
		return "", err
	}
	if _, err := s.git(ctx, r, 1<<16, bytes.NewReader(names), env, "update-index", "--add", "-z", "--stdin"); err != nil {
		return "", err
	}
	tree, err := s.git(ctx, r, 1<<10, nil, env, "write-tree")
	return strings.TrimSpace(string(tree)), err
}

// checkSize bounds what is imported; repositories inside the folder are left out.
func checkSize(dir string, names []byte) ([]byte, error) {
	var kept bytes.Buffer
	var files, size int64
	for _, name := range strings.Split(strings.TrimSuffix(string(names), "\x00"), "\x00") {
		if name == "" || strings.HasSuffix(name, "/") {
			continue
		}
		info, err := os.Lstat(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		files++
		size += info.Size()
		kept.WriteString(name)
		kept.WriteByte(0)
	}
	switch {
	case files == 0:
		return nil, errors.New("the folder holds no files")
	case files > maxImportFiles:
		return nil, fmt.Errorf("the folder holds %d files, more than %d; name build output in .gitignore", files, maxImportFiles)
	case size > maxImportBytes:
		return nil, fmt.Errorf("the folder holds %d MiB, more than %d; name build output in .gitignore", size>>20, maxImportBytes>>20)
	}
	return kept.Bytes(), nil
}

// commitTree makes a tree the head of the default branch, unless it is already.
func (s *Server) commitTree(ctx context.Context, r repository, tree string) (string, error) {
	branch := "refs/heads/" + r.Branch
	args := []string{"commit-tree", tree, "-m", "Import"}
	parent, err := s.resolveRef(ctx, r, branch)
	if err == nil {
		old, err := s.git(ctx, r, 1<<10, nil, nil, "rev-parse", parent+"^{tree}")
		if err != nil {
			return "", err
		}
		if strings.TrimSpace(string(old)) == tree {
			return parent, nil
		}
		args = append(args, "-p", parent)
	}
	author := []string{
		"GIT_AUTHOR_NAME=Cloister", "GIT_AUTHOR_EMAIL=cloister@localhost",
		"GIT_COMMITTER_NAME=Cloister", "GIT_COMMITTER_EMAIL=cloister@localhost",
	}
	out, err := s.git(ctx, r, 1<<10, nil, author, args...)
	if err != nil {
		return "", err
	}
	commit := strings.TrimSpace(string(out))
	if err := s.rememberHead(ctx, r, branch, commit); err != nil { // an import is not a push: it triggers nothing
		return "", err
	}
	_, err = s.git(ctx, r, 1<<10, nil, nil, "update-ref", branch, commit)
	return commit, err
}
