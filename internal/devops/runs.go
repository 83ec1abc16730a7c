package devops

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/cloister-ml/cloister/internal/devops/pipeline"
	"github.com/cloister-ml/cloister/internal/devops/schedule"
	"github.com/cloister-ml/cloister/internal/devops/wire"
)

// run is a run as it is stored.
type run struct {
	ID         int
	PipelineID int
	PlanID     string
	Name       string
	State      string
	Result     string
	Reason     string
	Branch     string
	Commit     string
	Created    time.Time
	Finished   int64
	Definition *pipeline.Pipeline
	Variables  map[string]wire.VariableValue
	Parameters map[string]any
	Resources  map[string]resourceRun
	Skip       []string
	Secrets    []string // values that must not be shown
	Issues     []wire.Issue
	Change     int64
}

const runColumns = `id, pipeline_id, plan_id, name, state, result, reason, branch, commit_id, created, finished,
	definition, variables, parameters, resources, skip, secrets, issues, change`

func scanRun(row scanner) (run, error) {
	var r run
	var created int64
	var definition, variables, parameters, resources, skip, secrets, issues string
	err := row.Scan(&r.ID, &r.PipelineID, &r.PlanID, &r.Name, &r.State, &r.Result, &r.Reason, &r.Branch, &r.Commit, &created, &r.Finished,
		&definition, &variables, &parameters, &resources, &skip, &secrets, &issues, &r.Change)
	if err != nil {
		return r, err
	}
	r.Created = fromMillis(created)
	for _, part := range []struct {
		text string
		into any
	}{
		{definition, &r.Definition}, {variables, &r.Variables}, {parameters, &r.Parameters}, {resources, &r.Resources},
		{skip, &r.Skip}, {secrets, &r.Secrets}, {issues, &r.Issues},
	} {
		if err := decodeInto(part.text, part.into); err != nil {
			return r, fmt.Errorf("run %d: %w", r.ID, err)
		}
	}
	return r, nil
}

func (s *Server) runByID(q querier, id int) (run, error) {
	r, err := scanRun(q.QueryRow(`SELECT `+runColumns+` FROM run WHERE id = ?`, id))
	return r, orNotFound(err, "there is no run %d", id)
}

// advance starts what a run can start, and stores that it did.
func (s *Server) advance(tx *sql.Tx, id int) error {
	r, err := s.runByID(tx, id)
	if err != nil || r.State == wire.RunCompleted {
		return err
	}
	state, err := loadProgress(tx, r)
	if err != nil {
		return err
	}
	changes := schedule.Advance(state)
	for _, c := range changes {
		if err := s.apply(tx, &r, c); err != nil {
			return err
		}
	}
	return storeProgress(tx, r, state)
}

func loadProgress(q querier, r run) (*schedule.Run, error) {
	state := &schedule.Run{
		Pipeline: r.Definition, Variables: map[string]string{}, Skip: r.Skip, Canceling: r.State == wire.RunCanceling,
		Stages: map[string]*schedule.Progress{}, Jobs: map[string]*schedule.Progress{},
	}
	for name, v := range r.Variables {
		state.Variables[name] = v.Value
	}
	rows, err := q.Query(`SELECT kind, key, value FROM progress WHERE run_id = ?`, r.ID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var kind, key, value string
		if err := rows.Scan(&kind, &key, &value); err != nil {
			return nil, err
		}
		p, err := decode[*schedule.Progress](value)
		if err != nil {
			return nil, err
		}
		if kind == "stage" {
			state.Stages[key] = p
		} else {
			state.Jobs[key] = p
		}
	}
	return state, rows.Err()
}

func storeProgress(tx *sql.Tx, r run, state *schedule.Run) error {
	for kind, all := range map[string]map[string]*schedule.Progress{"stage": state.Stages, "job": state.Jobs} {
		for key, p := range all {
			if p.State == "" {
				continue
			}
			if _, err := tx.Exec(`INSERT INTO progress (run_id, kind, key, value) VALUES (?, ?, ?, ?)
				ON CONFLICT (run_id, kind, key) DO UPDATE SET value = excluded.value`, r.ID, kind, key, encode(p)); err != nil {
				return err
			}
		}
	}
	return nil
}

// apply makes one change real.
func (s *Server) apply(tx *sql.Tx, r *run, c schedule.Change) error {
	now := time.Now().UTC()
	switch c.Kind {
	case schedule.StageStarted:
		return putRecord(tx, r, stageRecord(r, c.Stage, wire.Record{State: wire.StateInProgress, StartTime: &now}))
	case schedule.StageFinished:
		return putRecord(tx, r, stageRecord(r, c.Stage, wire.Record{
			State: wire.StateCompleted, Result: c.Result, FinishTime: &now, Issues: issuesOf(c.Issue), ErrorCount: len(issuesOf(c.Issue))}))
	case schedule.JobStarted:
		return s.startJob(tx, r, c)
	case schedule.JobFinished:
		return putRecord(tx, r, jobRecord(r, c.Stage, c.Job, wire.Record{
			State: wire.StateCompleted, Result: c.Result, FinishTime: &now, Issues: issuesOf(c.Issue), ErrorCount: len(issuesOf(c.Issue))}))
	case schedule.RunFinished:
		_, err := tx.Exec(`UPDATE run SET state = ?, result = ?, finished = ? WHERE id = ?`, wire.RunCompleted, c.Result, millis(now), r.ID)
		s.log.Info("devops: a run is done", "run", r.ID, "result", c.Result)
		return err
	}
	return nil
}

// startJob queues a job for an agent of its pool.
func (s *Server) startJob(tx *sql.Tx, r *run, c schedule.Change) error {
	pool, err := s.poolByName(tx, c.Job.Pool.Name)
	if err != nil {
		return s.failJob(tx, r, c, err.Error())
	}
	job, records := s.jobMessage(r, c)
	for _, record := range records {
		if err := putRecord(tx, r, record); err != nil {
			return err
		}
	}
	_, err = tx.Exec(`INSERT INTO request (run_id, job_id, stage, job, pool_id, state, result, message, queued, assigned, finished, locked_until)
		VALUES (?, ?, ?, ?, ?, 'queued', '', ?, ?, 0, 0, 0)`,
		r.ID, job.JobID, c.Stage, schedule.JobKey(c.Stage, c.Job), pool, encode(job), millis(time.Now()))
	return err
}

// failJob fails a job that cannot be queued. What depends on it goes on at the
// next advance, which the loop makes.
func (s *Server) failJob(tx *sql.Tx, r *run, c schedule.Change, reason string) error {
	now := time.Now().UTC()
	if err := putRecord(tx, r, jobRecord(r, c.Stage, c.Job, wire.Record{
		State: wire.StateCompleted, Result: wire.ResultFailed, FinishTime: &now, Issues: issuesOf(reason), ErrorCount: 1})); err != nil {
		return err
	}
	_, err := tx.Exec(`INSERT INTO request (run_id, job_id, stage, job, pool_id, state, result, message, queued, assigned, finished, locked_until)
		VALUES (?, ?, ?, ?, 0, 'refused', 'failed', '{}', ?, 0, 0, 0)`,
		r.ID, recordID(r, schedule.JobKey(c.Stage, c.Job)), c.Stage, schedule.JobKey(c.Stage, c.Job), millis(now))
	return err
}

func issuesOf(message string) []wire.Issue {
	if message == "" {
		return nil
	}
	return []wire.Issue{{Type: "error", Message: message}}
}

// recordID is the id of a record: the same for the same thing of the same run.
func recordID(r *run, key string) string {
	space, err := uuid.Parse(r.PlanID)
	if err != nil {
		space = uuid.NameSpaceOID
	}
	return uuid.NewSHA1(space, []byte(key)).String()
}

func stageRecord(r *run, stage string, rec wire.Record) wire.Record {
	rec.ID, rec.Type, rec.Identifier = recordID(r, stage), wire.RecordStage, stage
	for i, st := range r.Definition.Stages {
		if st.Name == stage {
			rec.Name, rec.Order = displayName(st.DisplayName, st.Name), i+1
		}
	}
	return rec
}

func jobRecord(r *run, stage string, j pipeline.Job, rec wire.Record) wire.Record {
	key := schedule.JobKey(stage, j)
	rec.ID, rec.ParentID, rec.Type = recordID(r, key), recordID(r, stage), wire.RecordJob
	rec.Identifier, rec.RefName = strings.ReplaceAll(key, " ", "."), j.ID()
	rec.Name = jobDisplayName(j)
	for _, st := range r.Definition.Stages {
		for i, other := range st.Jobs {
			if st.Name == stage && other.ID() == j.ID() {
				rec.Order = i + 1
			}
		}
	}
	return rec
}

func jobDisplayName(j pipeline.Job) string {
	if j.DisplayName != "" && j.Leg != "" {
		return j.DisplayName + " " + j.Leg
	}
	return displayName(j.DisplayName, j.ID())
}

func displayName(display, name string) string {
	if display != "" {
		return display
	}
	return name
}

// Cancel cancels a run: jobs that have not begun do not begin, and agents are told
// to stop those that have.
func (s *Server) Cancel(ctx context.Context, id int) error {
	var agents []int
	err := s.update(ctx, func(tx *sql.Tx) error {
		r, err := s.runByID(tx, id)
		if err != nil {
			return err
		}
		if r.State == wire.RunCompleted {
			return problem(http.StatusConflict, "BuildStatusInvalidChangeException", "run %d is done", id)
		}
		if r.State == wire.RunCanceling {
			return nil
		}
		if _, err := tx.Exec(`UPDATE run SET state = ? WHERE id = ?`, wire.RunCanceling, id); err != nil {
			return err
		}
		agents, err = s.cancelRequests(tx, id)
		if err != nil {
			return err
		}
		return s.advance(tx, id)
	})
	for _, a := range agents {
		s.presence.notify(a)
	}
	s.wake()
	return err
}

// cancelRequests ends the jobs that no agent has taken, and tells the others'
// agents, which it returns.
func (s *Server) cancelRequests(tx *sql.Tx, id int) ([]int, error) {
	open, err := collect(tx, scanRequest, `SELECT `+requestColumns+` FROM request WHERE run_id = ? AND state <> 'completed'`, id)
	if err != nil {
		return nil, err
	}
	var agents []int
	for _, q := range open {
		if q.State == "running" {
			if _, err := tx.Exec(`INSERT INTO message (agent_id, request_id, type) VALUES (?, ?, ?)`, q.Agent, q.ID, wire.MessageCancel); err != nil {
				return nil, err
			}
			agents = append(agents, q.Agent)
			continue
		}
		if err := s.completeRequest(tx, q, outcome{result: wire.ResultCanceled}); err != nil {
			return nil, err
		}
	}
	return agents, nil
}
