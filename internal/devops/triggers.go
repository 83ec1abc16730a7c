package devops

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/internal/devops/pipeline"
	"github.com/cloister-ml/cloister/internal/devops/wire"
)

// announce queues the runs that a finished run triggers. It is done again after a
// kill: the run's trigger key makes that no second run comes of it.
func (s *Server) announce(ctx context.Context) error {
	done, err := collect(s.db, scanRun, `SELECT `+runColumns+` FROM run WHERE announced = 0 AND state = 'completed' ORDER BY id`)
	if err != nil {
		return err
	}
	for _, r := range done {
		if r.Result == wire.ResultSucceeded || r.Result == wire.ResultSucceededWithIssues {
			if err := s.triggerDependants(ctx, r); err != nil {
				return err
			}
		}
		err := s.update(ctx, func(tx *sql.Tx) error {
			_, err := tx.Exec(`UPDATE run SET announced = 1 WHERE id = ?`, r.ID)
			return err
		})
		if err != nil {
			return err
		}
		s.changed.broadcast()
	}
	return nil
}

func (s *Server) triggerDependants(ctx context.Context, r run) error {
	source, err := s.definitionByID(s.db, r.PipelineID)
	if err != nil {
		return err
	}
	all, err := s.definitions(source.Repo.Project.ID)
	if err != nil {
		return err
	}
	for _, d := range all {
		p, err := s.preview(ctx, d)
		if err != nil {
			s.log.Warn("devops: a pipeline cannot be read, so nothing triggers it", "pipeline", d.Name, "error", err)
			continue
		}
		for _, u := range p.Upstream {
			if !u.Trigger || !strings.EqualFold(u.Source, source.Name) || !matchBranch(u.Branches, r.Branch) {
				continue
			}
			done, err := s.stagesSucceeded(r, u.Stages)
			if err != nil {
				return err
			}
			if !done {
				continue
			}
			spec := RunSpec{
				reason: ReasonResource, trigger: fmt.Sprintf("resource:%d:%d", r.ID, d.ID),
				resource: map[string]resourceRun{u.Alias: asResource(u.Alias, source, r)},
			}
			if d.Repo.ID == source.Repo.ID { // both of one repository: the same commit
				spec.Branch, spec.Commit = r.Branch, r.Commit
			}
			if err := s.queueTriggered(ctx, d, spec); err != nil {
				return err
			}
		}
	}
	return nil
}

// stagesSucceeded says whether the stages that a trigger names have.
func (s *Server) stagesSucceeded(r run, names []string) (bool, error) {
	state, err := loadProgress(s.db, r)
	if err != nil {
		return false, err
	}
	for _, name := range names {
		p := state.Stages[name]
		if p == nil || p.Result != wire.ResultSucceeded && p.Result != wire.ResultSucceededWithIssues {
			return false, nil
		}
	}
	return true, nil
}

// queueTriggered queues a run that nobody waits for: what is wrong with it is
// logged, and only a failure of the store is an error.
func (s *Server) queueTriggered(ctx context.Context, d definition, spec RunSpec) error {
	_, err := s.queue(ctx, d, spec)
	var refused *Problem
	switch {
	case errors.As(err, &refused):
		s.log.Error("devops: a triggered run could not be queued", "pipeline", d.Name, "reason", spec.reason, "error", err)
		return nil
	case errors.Is(err, errAlreadyQueued):
		return nil
	}
	return err
}

// pushed queues the runs that new commits on branches trigger.
func (s *Server) pushed(ctx context.Context, repo repository) {
	before, err := s.heads(repo)
	if err != nil {
		s.log.Error("devops: reading what was pushed", "repository", repo.Name, "error", err)
		return
	}
	for branch, commit := range s.branches(ctx, repo) {
		if before[branch] == commit {
			continue
		}
		err := s.triggerPush(ctx, repo, branch, before[branch], commit)
		if err == nil {
			err = s.rememberHead(ctx, repo, branch, commit)
		}
		if err != nil {
			s.log.Error("devops: starting what a push triggers", "repository", repo.Name, "branch", branch, "error", err)
		}
	}
}

func (s *Server) triggerPush(ctx context.Context, repo repository, branch, old, commit string) error {
	all, err := s.definitions(repo.Project.ID)
	if err != nil {
		return err
	}
	for _, d := range all {
		if d.Repo.ID != repo.ID {
			continue
		}
		p, err := s.readPipeline(ctx, d, commit, pipeline.Inputs{Preview: true, Variables: plainVariables(d.Variables)})
		if err != nil {
			s.log.Warn("devops: a pipeline cannot be read, so the push does not trigger it", "pipeline", d.Name, "error", err)
			continue
		}
		if p.Trigger.None || !matchBranch(p.Trigger.Include, branch) || !s.matchPaths(ctx, repo, p.Trigger.Paths, old, commit) {
			continue
		}
		spec := RunSpec{Branch: branch, Commit: commit, reason: ReasonPush, trigger: fmt.Sprintf("push:%d:%s:%s", d.ID, branch, commit)}
		if err := s.queueTriggered(ctx, d, spec); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) matchPaths(ctx context.Context, repo repository, f pipeline.Filter, old, commit string) bool {
	if len(f.Include)+len(f.Exclude) == 0 || old == "" {
		return true
	}
	out, err := s.git(ctx, repo, 8<<20, nil, nil, "diff", "--name-only", "-z", old, commit)
	if err != nil {
		return true
	}
	return slices.ContainsFunc(strings.Split(strings.Trim(string(out), "\x00"), "\x00"), func(name string) bool {
		return matchFilter(f, name)
	})
}

func matchBranch(f pipeline.Filter, branch string) bool {
	trim := func(names []string) []string {
		out := make([]string, len(names))
		for i, n := range names {
			out[i] = strings.TrimPrefix(n, "refs/heads/")
		}
		return out
	}
	return matchFilter(pipeline.Filter{Include: trim(f.Include), Exclude: trim(f.Exclude)}, strings.TrimPrefix(branch, "refs/heads/"))
}

// matchFilter says whether a name is included, by default, and not excluded.
func matchFilter(f pipeline.Filter, name string) bool {
	match := func(pattern string) bool { return matchPattern(pattern, name) }
	return (len(f.Include) == 0 || slices.ContainsFunc(f.Include, match)) && !slices.ContainsFunc(f.Exclude, match)
}

func matchPattern(pattern, name string) bool {
	if pattern == "*" || pattern == name {
		return true
	}
	if folder, ok := strings.CutSuffix(strings.TrimSuffix(pattern, "*"), "/"); ok || !strings.ContainsAny(pattern, "*?[") {
		return strings.HasPrefix(name, strings.TrimSuffix(folder, "/")+"/")
	}
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}

// heads are the commits of branches whose triggers were carried out.
func (s *Server) heads(repo repository) (map[string]string, error) {
	var text string
	err := s.db.QueryRow(`SELECT value FROM setting WHERE key = ?`, "heads:"+repo.ID).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return map[string]string{}, nil
	}
	if err != nil {
		return nil, err
	}
	return decode[map[string]string](text)
}

func (s *Server) rememberHead(ctx context.Context, repo repository, branch, commit string) error {
	heads, err := s.heads(repo)
	if err != nil {
		return err
	}
	heads[branch] = commit
	return s.update(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO setting (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
			"heads:"+repo.ID, encode(heads))
		return err
	})
}
