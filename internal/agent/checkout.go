package agent

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/cloister-ml/cloister/internal/devops/wire"
)

var commitPattern = regexp.MustCompile(`^[0-9a-f]{40,64}$`)

// checkout brings the sources folder to the run's commit.
func (s *stepRun) checkout(ctx context.Context) error {
	repo, token, err := s.repository()
	if err != nil {
		return err
	}
	dir := s.folders.sources
	if p := s.input("path"); p != "" {
		if !filepath.IsLocal(p) {
			return fmt.Errorf("the path %s of checkout must be within %s", p, s.folders.build)
		}
		dir = filepath.Join(s.folders.build, p)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	g := git{s, dir, s.gitEnvironment(repo.URL, token)}
	if g.quiet(ctx, "config", "--get", "remote.origin.url") != repo.URL {
		if err := empty(dir); err != nil {
			return err
		}
		for _, args := range [][]string{{"init", "--quiet", "."}, {"remote", "add", "origin", repo.URL}} {
			if err := g.run(ctx, args...); err != nil {
				return err
			}
		}
	}
	fetch := []string{"fetch", "--force", "--no-tags", "--prune", "--no-recurse-submodules"}
	if depth := s.input("fetchDepth"); depth != "" && depth != "0" {
		fetch = append(fetch, "--depth="+depth, "origin", repo.Version)
	} else {
		fetch = append(fetch, "origin", "+refs/heads/*:refs/remotes/origin/*")
	}
	if err := g.run(ctx, fetch...); err != nil {
		return err
	}
	if err := g.run(ctx, "checkout", "--quiet", "--force", "--detach", repo.Version); err != nil {
		return err
	}
	if strings.EqualFold(s.input("clean"), "true") {
		if err := g.run(ctx, "clean", "-ffdx"); err != nil {
			return err
		}
	}
	s.log.line("HEAD is " + g.quiet(ctx, "log", "-1", "--format=%h %s"))
	return nil
}

// repository is the job's own, and the token that reads it.
func (s *stepRun) repository() (wire.Repository, string, error) {
	for _, r := range s.job.Resources.Repositories {
		if r.Alias != s.step.Inputs["repository"] {
			continue
		}
		if u, err := url.Parse(r.URL); err != nil || u.Scheme != "https" && u.Scheme != "http" {
			return r, "", fmt.Errorf("the repository's URL is not one of http")
		}
		if !commitPattern.MatchString(r.Version) {
			return r, "", fmt.Errorf("the repository's version is not a commit")
		}
		return r, s.accessToken(), nil
	}
	return wire.Repository{}, "", fmt.Errorf("the job has no repository %s", s.step.Inputs["repository"])
}

func (j *jobRun) accessToken() string {
	for _, e := range j.job.Resources.Endpoints {
		if e.Name == wire.SystemConnection {
			return e.Authorization.Parameters["AccessToken"]
		}
	}
	return ""
}

// gitEnvironment hands git the token in its environment: a command line can be
// read by others, a configuration file outlives the job.
func (s *stepRun) gitEnvironment(repository, token string) []string {
	env := map[string]string{
		"PATH": os.Getenv("PATH"), "HOME": s.folders.temp, "LC_ALL": "C.UTF-8",
		"GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null",
		"GIT_CONFIG_COUNT": "2",
		"GIT_CONFIG_KEY_0": "http." + repository + ".extraheader", "GIT_CONFIG_VALUE_0": "AUTHORIZATION: bearer " + token,
		"GIT_CONFIG_KEY_1": "http.followRedirects", "GIT_CONFIG_VALUE_1": "false", // a redirect would take the token elsewhere
		lookupVariable: s.job.JobID,
	}
	for _, name := range []string{"GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "http_proxy", "https_proxy", "no_proxy", "HTTPS_PROXY", "NO_PROXY"} {
		if v := os.Getenv(name); v != "" {
			env[name] = v
		}
	}
	if ca := os.Getenv("SSL_CERT_FILE"); ca != "" { // as for the agent itself
		env["GIT_SSL_CAINFO"] = ca
	}
	return environmentList(env)
}

type git struct {
	*stepRun
	dir string
	env []string
}

func (g git) run(ctx context.Context, args ...string) error {
	g.log.line("##[command]git " + strings.Join(args, " "))
	code, err := process{args: append([]string{"git"}, args...), dir: g.dir, env: g.env, stdout: g.log.line}.run(ctx)
	if err != nil {
		return err
	}
	if code != 0 {
		return fmt.Errorf("git %s ended with exit code %d", args[0], code)
	}
	return nil
}

// quiet is what a git command printed, nothing when it failed.
func (g git) quiet(ctx context.Context, args ...string) string {
	var out []string
	code, err := process{args: append([]string{"git"}, args...), dir: g.dir, env: g.env,
		stdout: func(line string) { out = append(out, line) }, stderr: func(string) {}}.run(ctx)
	if err != nil || code != 0 {
		return ""
	}
	return strings.Join(out, "\n")
}

// empty removes all that is in a folder.
func empty(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}
