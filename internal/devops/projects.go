package devops

import (
	"context"
	"database/sql"
	"net/http"

	"github.com/google/uuid"

	"github.com/cloister-ml/cloister/internal/devops/wire"
)

// CreateProject makes a project, or finds the one of that name.
func (s *Server) CreateProject(ctx context.Context, name string) (wire.ProjectReference, error) {
	if !validName(name) {
		return wire.ProjectReference{}, badRequest("%q cannot be the name of a project: letters, digits, ., - and _", name)
	}
	p := wire.ProjectReference{State: "wellFormed"}
	err := s.update(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`INSERT INTO project (id, name) VALUES (?, ?) ON CONFLICT DO NOTHING`, uuid.NewString(), name); err != nil {
			return err
		}
		return tx.QueryRow(`SELECT id, name FROM project WHERE name = ?`, name).Scan(&p.ID, &p.Name)
	})
	return p, err
}

// project finds a project by name or id.
func (s *Server) project(nameOrID string) (wire.ProjectReference, error) {
	p := wire.ProjectReference{State: "wellFormed"}
	err := s.db.QueryRow(`SELECT id, name FROM project WHERE name = ? OR id = ?`, nameOrID, nameOrID).Scan(&p.ID, &p.Name)
	return p, orNotFound(err, "there is no project %s", nameOrID)
}

// repository is a git repository of a project.
type repository struct {
	ID, Name, Branch string
	Project          wire.ProjectReference
}

// repositoryOf finds a repository by name or id.
func (s *Server) repositoryOf(project, nameOrID string) (repository, error) {
	p, err := s.project(project)
	if err != nil {
		return repository{}, err
	}
	r := repository{Project: p}
	err = s.db.QueryRow(`SELECT id, name, branch FROM repository WHERE project_id = ? AND (name = ? OR id = ?)`, p.ID, nameOrID, nameOrID).
		Scan(&r.ID, &r.Name, &r.Branch)
	return r, orNotFound(err, "project %s has no repository %s", p.Name, nameOrID)
}

// CreateRepository makes an empty git repository, or finds the one of that name.
func (s *Server) CreateRepository(ctx context.Context, project, name string) (wire.GitRepository, error) {
	r, err := s.createRepository(ctx, project, name)
	return s.showRepository(r), err
}

func (s *Server) createRepository(ctx context.Context, project, name string) (repository, error) {
	p, err := s.project(project)
	if err != nil {
		return repository{}, err
	}
	if !validName(name) {
		return repository{}, badRequest("%q cannot be the name of a repository", name)
	}
	r := repository{Project: p}
	err = s.update(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`INSERT INTO repository (id, project_id, name, branch) VALUES (?, ?, ?, 'main') ON CONFLICT DO NOTHING`,
			uuid.NewString(), p.ID, name); err != nil {
			return err
		}
		return tx.QueryRow(`SELECT id, name, branch FROM repository WHERE project_id = ? AND name = ?`, p.ID, name).Scan(&r.ID, &r.Name, &r.Branch)
	})
	if err != nil {
		return r, err
	}
	return r, s.initBare(ctx, r)
}

func (s *Server) showRepository(r repository) wire.GitRepository {
	return wire.GitRepository{
		ID: r.ID, Name: r.Name, DefaultBranch: "refs/heads/" + r.Branch, Project: r.Project,
		RemoteURL: s.url("/%s/_git/%s", r.Project.Name, r.Name),
	}
}

func (s *Server) getProjects(_ *http.Request, _ principal) (any, error) {
	projects, err := collect(s.db, func(r scanner) (wire.ProjectReference, error) {
		p := wire.ProjectReference{State: "wellFormed"}
		return p, r.Scan(&p.ID, &p.Name)
	}, `SELECT id, name FROM project ORDER BY name`)
	return wire.Items(projects), err
}

func (s *Server) postProject(r *http.Request, _ principal) (any, error) {
	in, err := body[wire.ProjectReference](r)
	if err != nil {
		return nil, err
	}
	return s.CreateProject(r.Context(), in.Name)
}

func (s *Server) getRepositories(r *http.Request, _ principal) (any, error) {
	p, err := s.project(r.PathValue("project"))
	if err != nil {
		return nil, err
	}
	repositories, err := collect(s.db, func(row scanner) (wire.GitRepository, error) {
		r := repository{Project: p}
		err := row.Scan(&r.ID, &r.Name, &r.Branch)
		return s.showRepository(r), err
	}, `SELECT id, name, branch FROM repository WHERE project_id = ? ORDER BY name`, p.ID)
	return wire.Items(repositories), err
}

func (s *Server) postRepository(r *http.Request, _ principal) (any, error) {
	in, err := body[wire.GitRepository](r)
	if err != nil {
		return nil, err
	}
	return s.CreateRepository(r.Context(), r.PathValue("project"), in.Name)
}
