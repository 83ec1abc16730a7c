package devops

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/cloister-ml/cloister/internal/devops/pipeline"
	"github.com/cloister-ml/cloister/internal/devops/schedule"
	"github.com/cloister-ml/cloister/internal/devops/wire"
)

// Reasons of a run.
const (
	ReasonManual   = "manual"
	ReasonPush     = "individualCI"
	ReasonResource = "resourceTrigger"
)

// RunSpec says how a run is queued. The zero RunSpec queues the default branch.
type RunSpec struct {
	Branch       string // refs/heads/main or main; the default branch when empty
	Commit       string // of the branch; its head when empty
	Parameters   map[string]any
	Variables    map[string]wire.VariableValue
	StagesToSkip []string

	reason   string
	trigger  string                 // a key by which the same event queues no second run
	resource map[string]resourceRun // by alias: the runs of other pipelines
}

// resourceRun is what a run knows of the run of a pipeline resource.
type resourceRun struct {
	Alias      string `json:"alias"`
	RunID      int    `json:"runID"`
	RunName    string `json:"runName"`
	PipelineID int    `json:"pipelineID"`
	Pipeline   string `json:"pipelineName"`
	Project    string `json:"projectName"`
	Branch     string `json:"sourceBranch"`
	Commit     string `json:"sourceCommit"`
}

// errAlreadyQueued says that an event has had its run.
var errAlreadyQueued = errors.New("the event has already queued a run")

// QueueRun starts a run of a pipeline of a project.
func (s *Server) QueueRun(ctx context.Context, project, name string, spec RunSpec) (wire.Run, error) {
	d, err := s.definitionOf(project, name)
	if err != nil {
		return wire.Run{}, err
	}
	return s.queue(ctx, d, spec)
}

// newRun is a run on its way into the store.
type newRun struct {
	run
	definition definition
	spec       RunSpec
	predefined map[string]string
}

func (s *Server) queue(ctx context.Context, d definition, spec RunSpec) (wire.Run, error) {
	n, err := s.prepareRun(ctx, d, spec)
	if err != nil {
		return wire.Run{}, err
	}
	err = s.update(ctx, func(tx *sql.Tx) error { return s.insertRun(tx, n) })
	if err != nil {
		return wire.Run{}, err
	}
	s.log.Info("devops: a run was queued", "pipeline", d.Name, "run", n.ID, "reason", n.Reason)
	s.wake()
	return s.Run(ctx, n.ID)
}

// prepareRun reads the pipeline at the run's commit.
func (s *Server) prepareRun(ctx context.Context, d definition, spec RunSpec) (*newRun, error) {
	branch := spec.Branch
	if branch == "" {
		branch = d.Repo.Branch
	}
	if !strings.HasPrefix(branch, "refs/") {
		branch = "refs/heads/" + branch
	}
	commit, err := s.resolveRef(ctx, d.Repo, branch)
	if err != nil {
		return nil, err
	}
	if spec.Commit != "" {
		if commit, err = s.resolveRef(ctx, d.Repo, spec.Commit); err != nil {
			return nil, err
		}
	}
	if spec.reason == "" {
		spec.reason = ReasonManual
	}
	// Without the run's own values first, to know what the run's own values are to
	// say of other runs; a fault is found again below.
	if p, err := s.readPipeline(ctx, d, commit, pipeline.Inputs{Preview: true, Variables: plainVariables(d.Variables)}); err == nil {
		if spec.resource, err = s.findResources(d, p, spec.resource); err != nil {
			return nil, err
		}
	}
	n := &newRun{definition: d, spec: spec}
	n.PipelineID, n.PlanID, n.Reason = d.ID, uuid.NewString(), spec.reason
	n.Branch, n.Commit, n.Resources = branch, commit, spec.resource
	n.predefined = s.predefined(ctx, d, n)
	known := plainVariables(d.Variables)
	maps.Copy(known, plainVariables(spec.Variables))
	maps.Copy(known, n.predefined)
	if n.Definition, err = s.readPipeline(ctx, d, commit, pipeline.Inputs{Parameters: spec.Parameters, Variables: known}); err != nil {
		return nil, err
	}
	return n, checkSpec(n)
}

// checkSpec refuses what would be ignored.
func checkSpec(n *newRun) error {
	for name := range n.spec.Variables {
		for _, v := range n.Definition.Variables {
			if strings.EqualFold(v.Name, name) {
				return badRequest("variable %s is set in %s, which prevails over the run's; make it a parameter", v.Name, n.definition.Path)
			}
		}
	}
	stages := map[string]bool{}
	for _, st := range n.Definition.Stages {
		stages[strings.ToLower(st.Name)] = true
	}
	for _, skip := range n.spec.StagesToSkip {
		if !stages[strings.ToLower(skip)] {
			return badRequest("the pipeline has no stage %s to skip", skip)
		}
	}
	return nil
}

// findResources takes the newest run that succeeded for each pipeline resource
// that is not given.
func (s *Server) findResources(d definition, p *pipeline.Pipeline, given map[string]resourceRun) (map[string]resourceRun, error) {
	resources := map[string]resourceRun{}
	maps.Copy(resources, given)
	for _, u := range p.Upstream {
		if _, ok := resources[u.Alias]; ok {
			continue
		}
		source, err := s.definitionOf(d.Repo.Project.ID, u.Source)
		if err != nil {
			return nil, problem(http.StatusBadRequest, "PipelineValidationException", "%s: pipeline resource %s: %v", d.Path, u.Alias, err)
		}
		newest, err := scanRun(s.db.QueryRow(`SELECT `+runColumns+` FROM run WHERE pipeline_id = ? AND result IN ('succeeded', 'succeededWithIssues') ORDER BY id DESC LIMIT 1`, source.ID))
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return nil, err
		}
		resources[u.Alias] = asResource(u.Alias, source, newest)
	}
	return resources, nil
}

func asResource(alias string, d definition, r run) resourceRun {
	return resourceRun{
		Alias: alias, RunID: r.ID, RunName: r.Name, PipelineID: d.ID, Pipeline: d.Name,
		Project: d.Repo.Project.Name, Branch: r.Branch, Commit: r.Commit,
	}
}

// insertRun stores a run and starts what can start at once.
func (s *Server) insertRun(tx *sql.Tx, n *newRun) error {
	n.Created = time.Now()
	n.State = wire.RunInProgress
	var trigger any
	if n.spec.trigger != "" {
		var exists bool
		if err := tx.QueryRow(`SELECT EXISTS (SELECT 1 FROM run WHERE trigger_key = ?)`, n.spec.trigger).Scan(&exists); err != nil {
			return err
		}
		if exists {
			return errAlreadyQueued
		}
		trigger = n.spec.trigger
	}
	result, err := tx.Exec(`INSERT INTO run (pipeline_id, plan_id, name, state, result, reason, branch, commit_id, created, finished,
		definition, variables, parameters, resources, skip, secrets, issues, trigger_key) VALUES (?, ?, '', ?, '', ?, ?, ?, ?, 0, ?, '{}', ?, ?, ?, '[]', '[]', ?)`,
		n.PipelineID, n.PlanID, n.State, n.Reason, n.Branch, n.Commit, millis(n.Created),
		encode(n.Definition), encode(n.spec.Parameters), encode(n.Resources), encode(n.spec.StagesToSkip), trigger)
	if err != nil {
		return err
	}
	id, err := result.LastInsertId()
	if err != nil {
		return err
	}
	n.ID, n.Skip = int(id), n.spec.StagesToSkip
	if err := s.nameRun(tx, n); err != nil {
		return err
	}
	if _, err := tx.Exec(`UPDATE run SET name = ?, variables = ?, secrets = ? WHERE id = ?`,
		n.Name, encode(n.Variables), encode(n.Secrets), n.ID); err != nil {
		return err
	}
	return s.advance(tx, n.ID)
}

// nameRun evaluates the run's variables and makes its name of them.
func (s *Server) nameRun(tx *sql.Tx, n *newRun) error {
	next := func(prefix string) func(string, int64) (int64, error) {
		return func(name string, seed int64) (int64, error) { return nextCount(tx, n.PipelineID, prefix+name, seed) }
	}
	n.predefined["Build.BuildId"] = fmt.Sprint(n.ID)
	n.predefined["Build.BuildUri"] = fmt.Sprintf("vstfs:///Build/Build/%d", n.ID)
	queued := map[string]wire.VariableValue{}
	maps.Copy(queued, n.definition.Variables)
	maps.Copy(queued, n.spec.Variables)
	outer := plainVariables(queued)
	maps.Copy(outer, n.predefined)
	own, err := schedule.EvaluateRunVariables(n.Definition.Variables, outer, next("counter:"))
	if err != nil {
		return badRequest("%s: variable %v", n.definition.Path, err)
	}
	visible := maps.Clone(outer)
	maps.Copy(visible, own)
	n.Name, err = pipeline.RunName(n.Definition.Name, n.Created, visible, func(name string) (int64, error) {
		return next("revision:")(name, 1)
	})
	if err != nil {
		return err
	}
	n.Variables = queued
	for name, value := range own {
		n.Variables[name] = wire.VariableValue{Value: value}
	}
	for name, value := range n.predefined {
		n.Variables[name] = wire.VariableValue{Value: value, IsReadOnly: true}
	}
	n.Variables["Build.BuildNumber"] = wire.VariableValue{Value: n.Name}
	for _, v := range n.Variables {
		if v.IsSecret && v.Value != "" {
			n.Secrets = append(n.Secrets, v.Value)
		}
	}
	return nil
}

// nextCount is seed the first time, and one more each time after.
func nextCount(tx *sql.Tx, pipelineID int, prefix string, seed int64) (int64, error) {
	var n int64
	err := tx.QueryRow(`INSERT INTO counter (pipeline_id, prefix, value) VALUES (?, ?, ?)
		ON CONFLICT (pipeline_id, prefix) DO UPDATE SET value = value + 1 RETURNING value`, pipelineID, prefix, seed).Scan(&n)
	return n, err
}

// predefined are the variables that Azure Pipelines itself gives a run.
func (s *Server) predefined(ctx context.Context, d definition, n *newRun) map[string]string {
	project := d.Repo.Project
	collection := s.url("/")
	v := map[string]string{
		"System.CollectionUri":               collection,
		"System.TeamFoundationCollectionUri": collection,
		"System.TeamProject":                 project.Name,
		"System.TeamProjectId":               project.ID,
		"System.DefinitionId":                fmt.Sprint(d.ID),
		"System.HostType":                    "build",
		"System.PlanId":                      n.PlanID,
		"System.TimelineId":                  n.PlanID,
		"Build.DefinitionName":               d.Name,
		"Build.DefinitionVersion":            fmt.Sprint(d.Revision),
		"Build.Reason":                       title(n.Reason),
		"Build.Repository.ID":                d.Repo.ID,
		"Build.Repository.Name":              d.Repo.Name,
		"Build.Repository.Provider":          "TfsGit",
		"Build.Repository.Uri":               s.url("/%s/_git/%s", project.Name, d.Repo.Name),
		"Build.SourceBranch":                 n.Branch,
		"Build.SourceBranchName":             n.Branch[strings.LastIndexByte(n.Branch, '/')+1:],
		"Build.SourceVersion":                n.Commit,
		"Build.SourceVersionMessage":         s.commitMessage(ctx, d.Repo, n.Commit),
	}
	for alias, r := range n.Resources {
		prefix := "resources.pipeline." + alias + "."
		v[prefix+"projectName"], v[prefix+"pipelineName"] = r.Project, r.Pipeline
		v[prefix+"pipelineID"], v[prefix+"runID"] = fmt.Sprint(r.PipelineID), fmt.Sprint(r.RunID)
		v[prefix+"runName"], v[prefix+"sourceBranch"] = r.RunName, r.Branch
		v[prefix+"sourceCommit"] = r.Commit
		if n.Reason == ReasonResource {
			v["Resources.TriggeringAlias"] = alias
		}
	}
	return v
}

func title(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
