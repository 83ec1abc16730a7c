package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"

	"github.com/cloister-ml/cloister/internal/devops"
	"github.com/cloister-ml/cloister/internal/durable"
)

// Project is what the daemon is told of a solution's DevOps side and machines.
type Project struct {
	Organization string     `json:"organization"`
	Project      string     `json:"project"`
	Repository   string     `json:"repository"` // folder whose content becomes the repository's next commit
	Pool         string     `json:"pool"`
	Token        string     `json:"token,omitempty"` // Terraform variable that is given the agents' token
	Pipelines    []Pipeline `json:"pipelines"`
}

// Pipeline is a pipeline of the project.
type Pipeline struct {
	Name string `json:"name"`
	YAML string `json:"yaml"` // path in the repository
}

// Tokens are the personal access tokens of an organisation.
type Tokens struct {
	Agents string `json:"agents"` // may register agents
	Admin  string `json:"admin"`  // may do everything
}

// organization is the DevOps organisation, once there is one.
type organization struct {
	dir string
	log *slog.Logger

	mu     sync.RWMutex
	server *devops.Server
}

func (o *organization) path(name string) string { return filepath.Join(o.dir, name) }

// openOrganization opens the organisation that is kept in dir, if one is.
func openOrganization(dir string, log *slog.Logger) (*organization, error) {
	o := &organization{dir: dir, log: log}
	data, err := os.ReadFile(o.path("project.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return o, nil
	}
	if err != nil {
		return nil, err
	}
	var p Project
	if err := json.Unmarshal(data, &p); err != nil {
		return nil, fmt.Errorf("reading %s: %w", o.path("project.json"), err)
	}
	return o, o.start(p.Organization)
}

func (o *organization) start(name string) error {
	server, err := devops.Open(devops.Options{Dir: o.dir, Organization: name, Log: o.log})
	if err != nil {
		return err
	}
	o.server = server
	return nil
}

// set makes the organisation what p says and imports the repository. Tokens are
// made once and stay the same, so that the agents' settings do not change.
func (o *organization) set(ctx context.Context, p Project) (Tokens, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.server == nil {
		if err := o.start(p.Organization); err != nil {
			return Tokens{}, err
		}
	}
	if err := o.fill(ctx, p); err != nil {
		return Tokens{}, err
	}
	data, err := json.Marshal(p)
	if err != nil {
		return Tokens{}, err
	}
	if err := durable.WriteFile(o.path("project.json"), data); err != nil {
		return Tokens{}, err
	}
	return o.makeTokens(ctx)
}

func (o *organization) fill(ctx context.Context, p Project) error {
	if _, err := o.server.CreateProject(ctx, p.Project); err != nil {
		return err
	}
	if _, err := o.server.CreatePool(ctx, p.Pool); err != nil {
		return err
	}
	if _, err := o.server.CreateRepository(ctx, p.Project, p.Project); err != nil {
		return err
	}
	if _, err := o.server.Import(ctx, p.Project, p.Project, p.Repository); err != nil {
		return fmt.Errorf("importing %s into the repository: %w", p.Repository, err)
	}
	for _, pl := range p.Pipelines {
		if _, err := o.server.CreatePipeline(ctx, p.Project, devops.PipelineSpec{Name: pl.Name, Repository: p.Project, Path: pl.YAML}); err != nil {
			return fmt.Errorf("the pipeline %s: %w", pl.Name, err)
		}
	}
	return nil
}

func (o *organization) makeTokens(ctx context.Context) (Tokens, error) {
	data, err := durable.ReadOrCreate(o.path("tokens.json"), func() ([]byte, error) {
		agents, err := o.server.CreateToken(ctx, "agents", devops.ScopeAgentPools)
		if err != nil {
			return nil, err
		}
		admin, err := o.server.CreateToken(ctx, "command line", devops.ScopeAdmin)
		if err != nil {
			return nil, err
		}
		return json.Marshal(Tokens{Agents: agents, Admin: admin})
	})
	if err != nil {
		return Tokens{}, err
	}
	var t Tokens
	return t, json.Unmarshal(data, &t)
}

// variables are the values that Terraform is given for the organisation.
func (o *organization) variables() (map[string]string, error) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	out := map[string]string{}
	if o.server == nil {
		return out, nil
	}
	var p Project
	if err := o.read("project.json", &p); err != nil {
		return nil, err
	}
	var t Tokens
	if err := o.read("tokens.json", &t); err != nil {
		return nil, err
	}
	if p.Token != "" {
		out[p.Token] = t.Agents
	}
	return out, nil
}

func (o *organization) read(name string, into any) error {
	data, err := os.ReadFile(o.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // its maker was killed before it came to that
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

func (o *organization) close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.server == nil {
		return nil
	}
	return o.server.Close()
}

func (o *organization) handler() http.Handler {
	return o.serve(func(s *devops.Server) http.Handler { return s.Handler() })
}

func (o *organization) packages() http.Handler {
	return o.serve(func(s *devops.Server) http.Handler { return s.PackageHandler() })
}

func (o *organization) serve(pick func(*devops.Server) http.Handler) http.Handler {
	o.mu.RLock()
	defer o.mu.RUnlock()
	if o.server == nil {
		return http.NotFoundHandler()
	}
	return pick(o.server)
}

// agents are the agents of every pool.
func (o *organization) agents(ctx context.Context) []Agent {
	o.mu.RLock()
	defer o.mu.RUnlock()
	if o.server == nil {
		return nil
	}
	var out []Agent
	pools, err := o.server.Pools(ctx, "")
	if err != nil {
		o.log.Error("listing the agent pools", "error", err)
	}
	for _, pool := range pools {
		agents, err := o.server.Agents(ctx, pool.ID, "")
		if err != nil {
			o.log.Error("listing agents", "pool", pool.Name, "error", err)
		}
		for _, a := range agents {
			out = append(out, Agent{Name: a.Name, Pool: pool.Name, Online: a.Status == "online"})
		}
	}
	return out
}
