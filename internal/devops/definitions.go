package devops

import (
	"context"
	"database/sql"
	"net/http"
	"path"
	"strings"

	"github.com/cloister-ml/cloister/internal/devops/pipeline"
	"github.com/cloister-ml/cloister/internal/devops/wire"
)

// PipelineSpec describes a pipeline to create.
type PipelineSpec struct {
	Name       string
	Folder     string // \ when empty
	Repository string // by name or id
	Path       string // of the YAML in the repository
	Variables  map[string]wire.VariableValue
}

// definition is a pipeline as it is stored.
type definition struct {
	ID        int
	Revision  int
	Name      string
	Folder    string
	Path      string
	Variables map[string]wire.VariableValue
	Repo      repository
}

// CreatePipeline makes a pipeline of a YAML file in a repository, or changes the
// one of that name. The file is read first: a pipeline that could not run is
// refused.
func (s *Server) CreatePipeline(ctx context.Context, project string, spec PipelineSpec) (wire.Pipeline, error) {
	repo, err := s.repositoryOf(project, spec.Repository)
	if err != nil {
		return wire.Pipeline{}, err
	}
	if spec.Folder == "" {
		spec.Folder = `\`
	}
	if !validName(spec.Name) {
		return wire.Pipeline{}, badRequest("%q cannot be the name of a pipeline: letters, digits, ., - and _", spec.Name)
	}
	d := definition{Name: spec.Name, Folder: spec.Folder, Path: strings.TrimPrefix(path.Clean("/"+spec.Path), "/"), Variables: spec.Variables, Repo: repo}
	if _, err := s.preview(ctx, d); err != nil {
		return wire.Pipeline{}, err
	}
	err = s.update(ctx, func(tx *sql.Tx) error {
		return tx.QueryRow(`INSERT INTO pipeline (project_id, name, folder, repository_id, path, variables, revision) VALUES (?, ?, ?, ?, ?, ?, 1)
			ON CONFLICT (project_id, name) DO UPDATE SET folder = excluded.folder, repository_id = excluded.repository_id,
			path = excluded.path, variables = excluded.variables, revision = revision + 1 RETURNING id, revision`,
			repo.Project.ID, d.Name, d.Folder, repo.ID, d.Path, encode(d.Variables)).Scan(&d.ID, &d.Revision)
	})
	return s.showPipeline(d), err
}

// preview reads a pipeline at its repository's default branch.
func (s *Server) preview(ctx context.Context, d definition) (*pipeline.Pipeline, error) {
	commit, err := s.resolveRef(ctx, d.Repo, "refs/heads/"+d.Repo.Branch)
	if err != nil {
		return nil, err
	}
	return s.readPipeline(ctx, d, commit, pipeline.Inputs{Preview: true, Variables: plainVariables(d.Variables)})
}

func (s *Server) readPipeline(ctx context.Context, d definition, commit string, in pipeline.Inputs) (*pipeline.Pipeline, error) {
	text, err := s.readFile(ctx, d.Repo, commit, d.Path)
	if err != nil {
		return nil, err
	}
	p, err := pipeline.Read(d.Path, text, in)
	if err != nil {
		return nil, problem(http.StatusBadRequest, "PipelineValidationException", "%v", err)
	}
	return p, nil
}

// plainVariables are the values of variables that are not secret.
func plainVariables(in map[string]wire.VariableValue) map[string]string {
	out := map[string]string{}
	for k, v := range in {
		if !v.IsSecret {
			out[k] = v.Value
		}
	}
	return out
}

const definitionColumns = `p.id, p.revision, p.name, p.folder, p.path, p.variables, r.id, r.name, r.branch, pr.id, pr.name`
const definitionTables = ` FROM pipeline p JOIN repository r ON r.id = p.repository_id JOIN project pr ON pr.id = p.project_id `

func scanDefinition(r scanner) (definition, error) {
	var d definition
	var variables string
	err := r.Scan(&d.ID, &d.Revision, &d.Name, &d.Folder, &d.Path, &variables,
		&d.Repo.ID, &d.Repo.Name, &d.Repo.Branch, &d.Repo.Project.ID, &d.Repo.Project.Name)
	if err != nil {
		return d, err
	}
	d.Variables, err = decode[map[string]wire.VariableValue](variables)
	return d, err
}

func (s *Server) definitionByID(q querier, id int) (definition, error) {
	d, err := scanDefinition(q.QueryRow(`SELECT `+definitionColumns+definitionTables+`WHERE p.id = ?`, id))
	return d, orNotFound(err, "there is no pipeline %d", id)
}

// definitionOf finds a pipeline of a project by name.
func (s *Server) definitionOf(project, name string) (definition, error) {
	p, err := s.project(project)
	if err != nil {
		return definition{}, err
	}
	d, err := scanDefinition(s.db.QueryRow(`SELECT `+definitionColumns+definitionTables+`WHERE p.project_id = ? AND p.name = ?`, p.ID, name))
	return d, orNotFound(err, "project %s has no pipeline %s", p.Name, name)
}

func (s *Server) definitions(project string) ([]definition, error) {
	p, err := s.project(project)
	if err != nil {
		return nil, err
	}
	return collect(s.db, scanDefinition, `SELECT `+definitionColumns+definitionTables+`WHERE p.project_id = ? ORDER BY p.id`, p.ID)
}

// Pipelines lists the pipelines of a project.
func (s *Server) Pipelines(_ context.Context, project string) ([]wire.Pipeline, error) {
	all, err := s.definitions(project)
	var out []wire.Pipeline
	for _, d := range all {
		out = append(out, s.showPipeline(d))
	}
	return out, err
}

// showPipeline is a pipeline as the API shows it: secrets without their values.
func (s *Server) showPipeline(d definition) wire.Pipeline {
	return wire.Pipeline{
		ID: d.ID, Revision: d.Revision, Name: d.Name, Folder: d.Folder,
		URL: s.url("/%s/_apis/pipelines/%d?revision=%d", d.Repo.Project.Name, d.ID, d.Revision),
		Configuration: &wire.Configuration{
			Type: "yaml", Path: d.Path, Variables: hideSecrets(d.Variables),
			Repository: wire.PipelineRepository{ID: d.Repo.ID, Name: d.Repo.Name, Type: "azureReposGit"},
		},
	}
}

func hideSecrets(in map[string]wire.VariableValue) map[string]wire.VariableValue {
	out := map[string]wire.VariableValue{}
	for k, v := range in {
		if v.IsSecret {
			v.Value = ""
		}
		out[k] = v
	}
	return out
}

func (s *Server) getPipelines(r *http.Request, _ principal) (any, error) {
	all, err := s.Pipelines(r.Context(), r.PathValue("project"))
	return wire.Items(all), err
}

func (s *Server) getPipeline(r *http.Request, _ principal) (any, error) {
	d, err := s.definitionInPath(r)
	return s.showPipeline(d), err
}

// definitionInPath is the pipeline that the path names, of the project it names.
func (s *Server) definitionInPath(r *http.Request) (definition, error) {
	id, err := number(r, "pipeline")
	if err != nil {
		return definition{}, err
	}
	p, err := s.project(r.PathValue("project"))
	if err != nil {
		return definition{}, err
	}
	d, err := s.definitionByID(s.db, id)
	if err == nil && d.Repo.Project.ID != p.ID {
		err = notFound("project %s has no pipeline %d", p.Name, id)
	}
	return d, err
}

func (s *Server) postPipeline(r *http.Request, _ principal) (any, error) {
	in, err := body[wire.Pipeline](r)
	if err != nil {
		return nil, err
	}
	if in.Configuration == nil || in.Configuration.Type != "yaml" {
		return nil, badRequest("the configuration must be of type yaml")
	}
	repo := in.Configuration.Repository.ID
	if repo == "" {
		repo = in.Configuration.Repository.Name
	}
	return s.CreatePipeline(r.Context(), r.PathValue("project"), PipelineSpec{
		Name: in.Name, Folder: in.Folder, Repository: repo, Path: in.Configuration.Path, Variables: in.Configuration.Variables,
	})
}
