package devops

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cgi"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	gitTimeout = 2 * time.Minute
	maxYAML    = 1 << 20
	maxPush    = 512 << 20
)

func requireGit() error {
	if _, err := exec.LookPath("git"); err != nil {
		return errors.New("devops: git is needed and not installed: apt-get install git")
	}
	return nil
}

// gitEnvironment is all that git sees: no configuration of this machine, no
// prompts, nothing of the daemon's own environment but where programs are.
func gitEnvironment() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "LC_ALL=C.UTF-8",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0",
		"GIT_CONFIG_COUNT=3",
		"GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*", // every repository is in our own folder
		"GIT_CONFIG_KEY_1=gc.auto", "GIT_CONFIG_VALUE_1=0", // nothing goes on after the answer
		"GIT_CONFIG_KEY_2=receive.fsckObjects", "GIT_CONFIG_VALUE_2=true",
	}
}

func (s *Server) gitDir(r repository) string {
	return filepath.Join(s.opts.Dir, "git", r.ID+".git")
}

// git runs a git command on a repository and gives what it printed, at most limit
// bytes of it.
func (s *Server) git(ctx context.Context, r repository, limit int64, stdin io.Reader, env []string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, gitTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "git", append([]string{"--git-dir=" + s.gitDir(r)}, args...)...)
	cmd.Env = append(gitEnvironment(), env...)
	cmd.Stdin = stdin
	cmd.WaitDelay = time.Second
	out := &bounded{limit: limit}
	complaint := &bounded{limit: 16 << 10}
	cmd.Stdout, cmd.Stderr = out, complaint
	if err := cmd.Run(); err != nil {
		if out.over {
			return nil, fmt.Errorf("git %s: more than %d bytes", args[0], limit)
		}
		return nil, fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(complaint.String()))
	}
	return out.Bytes(), nil
}

// bounded is a buffer that refuses more than its limit.
type bounded struct {
	bytes.Buffer
	limit int64
	over  bool
}

func (b *bounded) Write(p []byte) (int, error) {
	if int64(b.Len()+len(p)) > b.limit {
		b.over = true
		return 0, errors.New("too much output")
	}
	return b.Buffer.Write(p)
}

func (s *Server) initBare(ctx context.Context, r repository) error {
	dir := s.gitDir(r)
	if _, err := os.Stat(filepath.Join(dir, "HEAD")); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	_, err := s.git(ctx, r, 1<<16, nil, nil, "init", "--quiet", "--bare", "--initial-branch="+r.Branch)
	return err
}

// resolveRef is the commit that a branch, or a commit's own id, names.
func (s *Server) resolveRef(ctx context.Context, r repository, ref string) (string, error) {
	if strings.HasPrefix(ref, "-") {
		return "", badRequest("%q cannot be a branch", ref)
	}
	out, err := s.git(ctx, r, 1<<10, nil, nil, "rev-parse", "--verify", "--quiet", "--end-of-options", ref+"^{commit}")
	if err != nil {
		return "", notFound("repository %s has no %s; import or push it first", r.Name, strings.TrimPrefix(ref, "refs/heads/"))
	}
	return strings.TrimSpace(string(out)), nil
}

// readFile is a file of a commit.
func (s *Server) readFile(ctx context.Context, r repository, commit, path string) ([]byte, error) {
	out, err := s.git(ctx, r, maxYAML, nil, nil, "cat-file", "blob", commit+":"+path)
	if err != nil {
		return nil, badRequest("repository %s has no file %s at commit %.8s", r.Name, path, commit)
	}
	return out, nil
}

// commitMessage is the first line of a commit's message.
func (s *Server) commitMessage(ctx context.Context, r repository, commit string) string {
	out, err := s.git(ctx, r, 1<<16, nil, nil, "log", "-1", "--format=%s", commit)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// gitServices are the paths of the smart protocol; nothing else of a repository
// can be asked for.
var gitServices = map[string]string{ // path, method
	"info/refs":        http.MethodGet,
	"git-upload-pack":  http.MethodPost,
	"git-receive-pack": http.MethodPost,
}

// serveGit answers git clients through git http-backend.
func (s *Server) serveGit(w http.ResponseWriter, r *http.Request) {
	p, err := s.admit(r, roleAdmin|roleJob)
	if err != nil {
		s.writeError(w, r, err)
		return
	}
	repo, err := s.repositoryOf(r.PathValue("project"), r.PathValue("repo"))
	if err == nil {
		err = checkGit(r, p, repo)
	}
	if err != nil {
		s.writeError(w, r, err)
		return
	}
	if err := s.backend(w, r, p, repo); err != nil {
		s.writeError(w, r, err)
		return
	}
	if r.PathValue("service") == "git-receive-pack" {
		s.pushed(context.WithoutCancel(r.Context()), repo)
	}
}

// checkGit says whether the caller may do what it asks of a repository.
func checkGit(r *http.Request, p principal, repo repository) error {
	service := r.PathValue("service")
	if method, ok := gitServices[service]; !ok || method != r.Method {
		return notFound("there is nothing at %s", r.URL.Path)
	}
	if service == "info/refs" {
		asked := r.URL.Query().Get("service")
		if asked != "git-upload-pack" && asked != "git-receive-pack" {
			return forbidden("only git's smart protocol is served")
		}
		service = asked
	}
	if p.role == roleJob && p.project != repo.Project.ID {
		return forbidden("the repository is of another project")
	}
	if p.role == roleJob && service == "git-receive-pack" {
		return forbidden("a job may read the repository, not push to it")
	}
	return nil
}

func (s *Server) backend(w http.ResponseWriter, r *http.Request, p principal, repo repository) error {
	inner := r.Clone(r.Context())
	inner.URL.Path = "/" + repo.ID + ".git/" + r.PathValue("service")
	inner.Header.Del("Authorization")
	inner.Body = http.MaxBytesReader(w, r.Body, maxPush)
	if len(r.TransferEncoding) > 0 { // CGI needs to know the length
		spool, size, err := spoolBody(inner.Body)
		if err != nil {
			return err
		}
		defer spool.Close()
		inner.Body, inner.ContentLength, inner.TransferEncoding = spool, size, nil
		inner.Header.Set("Content-Length", fmt.Sprint(size))
	}
	git, err := exec.LookPath("git")
	if err != nil {
		return err
	}
	env := append(gitEnvironment(), "GIT_PROJECT_ROOT="+filepath.Join(s.opts.Dir, "git"), "GIT_HTTP_EXPORT_ALL=1")
	if p.role == roleAdmin {
		env = append(env, "REMOTE_USER="+p.name) // which is what lets http-backend receive a push
	}
	complaint := &bounded{limit: 16 << 10}
	(&cgi.Handler{
		Path: git, Root: "/", Dir: s.opts.Dir, Args: []string{"http-backend"}, Env: env, Stderr: complaint,
	}).ServeHTTP(w, inner)
	if complaint.Len() > 0 {
		s.log.Info("devops: git", "repository", repo.Name, "said", strings.TrimSpace(complaint.String()))
	}
	return nil
}

// spoolBody writes a body of unknown length to a file that has no name any more.
func spoolBody(body io.Reader) (*os.File, int64, error) {
	f, err := os.CreateTemp("", "cloister-push-")
	if err != nil {
		return nil, 0, err
	}
	os.Remove(f.Name())
	size, err := io.Copy(f, body)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, size, nil
}

// branches are the commits of all branches.
func (s *Server) branches(ctx context.Context, r repository) map[string]string {
	out, err := s.git(ctx, r, 1<<20, nil, nil, "for-each-ref", "--format=%(refname) %(objectname)", "refs/heads/")
	if err != nil {
		s.log.Error("devops: reading branches", "repository", r.Name, "error", err)
		return nil
	}
	branches := map[string]string{}
	for line := range strings.Lines(string(out)) {
		if name, commit, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			branches[name] = commit
		}
	}
	return branches
}
