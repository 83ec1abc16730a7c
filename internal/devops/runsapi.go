package devops

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/cloister-ml/cloister/internal/devops/wire"
)

// Run shows a run.
func (s *Server) Run(_ context.Context, id int) (wire.Run, error) {
	r, err := s.runByID(s.db, id)
	if err != nil {
		return wire.Run{}, err
	}
	d, err := s.definitionByID(s.db, r.PipelineID)
	return s.showRun(r, d), err
}

// Runs lists the runs of a project, newest first; of one pipeline where it is not
// 0. At most limit of them.
func (s *Server) Runs(_ context.Context, project string, pipelineID, limit int) ([]wire.Run, error) {
	all, err := s.definitions(project)
	if err != nil {
		return nil, err
	}
	byID := map[int]definition{}
	for _, d := range all {
		byID[d.ID] = d
	}
	runs, err := collect(s.db, scanRun, `SELECT `+runColumns+` FROM run WHERE ? IN (0, pipeline_id) ORDER BY id DESC LIMIT ?`, pipelineID, limit)
	var out []wire.Run
	for _, r := range runs {
		if d, ok := byID[r.PipelineID]; ok {
			out = append(out, s.showRun(r, d))
		}
	}
	return out, err
}

// Wait waits until a run is done.
func (s *Server) Wait(ctx context.Context, id int) (wire.Run, error) {
	for {
		changed := s.changed.next()
		r, err := s.Run(ctx, id)
		if err != nil || r.State == wire.RunCompleted {
			return r, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return r, ctx.Err()
		}
	}
}

func (s *Server) showRun(r run, d definition) wire.Run {
	out := wire.Run{
		ID: r.ID, Name: r.Name, State: r.State, Result: runResult(r.Result), CreatedDate: r.Created, FinishedDate: timeOrNil(r.Finished),
		URL: s.url("/%s/_apis/pipelines/%d/runs/%d", d.Repo.Project.Name, d.ID, r.ID), Reason: r.Reason, Issues: r.Issues,
		Pipeline:           wire.Pipeline{ID: d.ID, Revision: d.Revision, Name: d.Name, Folder: d.Folder},
		TemplateParameters: r.Parameters, Variables: map[string]wire.VariableValue{},
	}
	for name, v := range r.Variables {
		if !v.IsReadOnly { // those of Azure Pipelines itself are not shown
			out.Variables[name] = v
		}
	}
	out.Variables = hideSecrets(out.Variables)
	out.Resources.Repositories = map[string]wire.RunRepository{"self": {RefName: r.Branch, Version: r.Commit}}
	if len(r.Resources) > 0 {
		out.Resources.Pipelines = map[string]wire.RunPipeline{}
		for alias, of := range r.Resources {
			out.Resources.Pipelines[alias] = wire.RunPipeline{Version: of.RunName}
		}
	}
	return out
}

// runResult is a result in the words of the Pipelines API, which knows no issues.
func runResult(result string) string {
	if result == wire.ResultSucceededWithIssues {
		return wire.ResultSucceeded
	}
	return result
}

// runInPath is the run that the path names, of the project it names.
func (s *Server) runInPath(r *http.Request) (run, error) {
	id, err := number(r, "run")
	if err != nil {
		return run{}, err
	}
	found, err := s.runByID(s.db, id)
	if err != nil {
		return found, err
	}
	p, err := s.project(r.PathValue("project"))
	if err != nil {
		return found, err
	}
	d, err := s.definitionByID(s.db, found.PipelineID)
	if err == nil && d.Repo.Project.ID != p.ID {
		err = notFound("project %s has no run %d", p.Name, id)
	}
	return found, err
}

func (s *Server) postRun(r *http.Request, _ principal) (any, error) {
	d, err := s.definitionInPath(r)
	if err != nil {
		return nil, err
	}
	in, err := body[wire.RunParameters](r)
	if err != nil {
		return nil, err
	}
	if in.PreviewRun {
		return nil, badRequest("previewRun is not supported; creating the pipeline reads its YAML")
	}
	spec := RunSpec{Parameters: in.TemplateParameters, Variables: in.Variables, StagesToSkip: in.StagesToSkip}
	if in.Resources != nil {
		self := in.Resources.Repositories["self"]
		spec.Branch, spec.Commit = self.RefName, self.Version
	}
	return s.queue(r.Context(), d, spec)
}

const listLimit = 1000

func (s *Server) getRuns(r *http.Request, _ principal) (any, error) {
	d, err := s.definitionInPath(r)
	if err != nil {
		return nil, err
	}
	runs, err := s.Runs(r.Context(), r.PathValue("project"), d.ID, listLimit)
	return wire.Items(runs), err
}

func (s *Server) getRun(r *http.Request, _ principal) (any, error) {
	if _, err := s.definitionInPath(r); err != nil {
		return nil, err
	}
	found, err := s.runInPath(r)
	if err != nil {
		return nil, err
	}
	return s.Run(r.Context(), found.ID)
}

func (s *Server) getBuilds(r *http.Request, _ principal) (any, error) {
	p, err := s.project(r.PathValue("project"))
	if err != nil {
		return nil, err
	}
	limit := listLimit
	if top, err := strconv.Atoi(r.URL.Query().Get("$top")); err == nil && top > 0 && top < limit {
		limit = top
	}
	definition, _ := strconv.Atoi(r.URL.Query().Get("definitions"))
	runs, err := collect(s.db, scanRun, `SELECT `+runColumns+` FROM run WHERE ? IN (0, pipeline_id)
		AND pipeline_id IN (SELECT id FROM pipeline WHERE project_id = ?) ORDER BY id DESC LIMIT ?`, definition, p.ID, limit)
	if err != nil {
		return nil, err
	}
	var builds []wire.Build
	for _, one := range runs {
		b, err := s.showBuild(one)
		if err != nil {
			return nil, err
		}
		builds = append(builds, b)
	}
	return wire.Items(builds), nil
}

func (s *Server) getBuild(r *http.Request, _ principal) (any, error) {
	found, err := s.runInPath(r)
	if err != nil {
		return nil, err
	}
	return s.showBuild(found)
}

func (s *Server) showBuild(r run) (wire.Build, error) {
	d, err := s.definitionByID(s.db, r.PipelineID)
	status := map[string]string{wire.RunCanceling: "cancelling"}[r.State]
	if status == "" {
		status = r.State
	}
	result := r.Result
	if result == wire.ResultSucceededWithIssues {
		result = "partiallySucceeded"
	}
	return wire.Build{
		ID: r.ID, BuildNumber: r.Name, Status: status, Result: result, QueueTime: r.Created, StartTime: &r.Created,
		FinishTime: timeOrNil(r.Finished), SourceBranch: r.Branch, SourceVersion: r.Commit, Reason: r.Reason,
		Definition: wire.BuildDefinition{ID: d.ID, Name: d.Name}, Plan: &wire.BuildPlan{PlanID: r.PlanID}, Project: d.Repo.Project,
	}, err
}

// patchBuild cancels a run: {"status": "cancelling"}.
func (s *Server) patchBuild(r *http.Request, _ principal) (any, error) {
	found, err := s.runInPath(r)
	if err != nil {
		return nil, err
	}
	in, err := body[wire.Build](r)
	if err != nil {
		return nil, err
	}
	if !strings.EqualFold(in.Status, "cancelling") {
		return nil, badRequest("a build's status can only be changed to cancelling")
	}
	if err := s.Cancel(r.Context(), found.ID); err != nil {
		return nil, err
	}
	if found, err = s.runByID(s.db, found.ID); err != nil {
		return nil, err
	}
	return s.showBuild(found)
}
