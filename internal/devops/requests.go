package devops

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/cloister-ml/cloister/internal/devops/schedule"
	"github.com/cloister-ml/cloister/internal/devops/wire"
)

// request is a job's claim on an agent. Its state is queued, assigned (an agent
// was told), running (the agent took it), refused (it cannot be queued) or
// completed.
type request struct {
	ID       int64
	Run      int
	JobID    string
	Stage    string
	Job      string // schedule.JobKey
	Pool     int
	Agent    int
	State    string
	Result   string
	Message  storedJob
	Queued   int64
	Assigned int64
	Finished int64
	Locked   int64
	Stopping bool // a cancel was sent because its time was over
}

// storedJob is a job's message as it is stored: without tokens.
type storedJob struct {
	wire.Job
	Demands       []string `json:"demands,omitempty"`
	Minutes       int      `json:"minutes,omitempty"`
	CancelMinutes int      `json:"cancelMinutes,omitempty"`
}

const requestColumns = `id, run_id, job_id, stage, job, pool_id, coalesce(agent_id, 0), state, result, message, queued, assigned, finished, locked_until, stopping`

func scanRequest(r scanner) (request, error) {
	var q request
	var message string
	err := r.Scan(&q.ID, &q.Run, &q.JobID, &q.Stage, &q.Job, &q.Pool, &q.Agent, &q.State, &q.Result, &message,
		&q.Queued, &q.Assigned, &q.Finished, &q.Locked, &q.Stopping)
	if err != nil {
		return q, err
	}
	q.Message, err = decode[storedJob](message)
	return q, err
}

// assign gives queued jobs to agents that wait for one.
func (s *Server) assign(ctx context.Context) error {
	var told []int
	err := s.update(ctx, func(tx *sql.Tx) error {
		queued, err := collect(tx, scanRequest, `SELECT `+requestColumns+` FROM request WHERE state = 'queued' ORDER BY id`)
		if err != nil {
			return err
		}
		for _, q := range queued {
			agent, err := s.idleAgent(tx, q)
			if err != nil {
				return err
			}
			if agent == 0 {
				continue
			}
			now := time.Now()
			if _, err := tx.Exec(`UPDATE request SET state = 'assigned', agent_id = ?, assigned = ?, locked_until = ? WHERE id = ?`,
				agent, millis(now), millis(now.Add(s.opts.PickupWindow)), q.ID); err != nil {
				return err
			}
			if _, err := tx.Exec(`INSERT INTO message (agent_id, request_id, type) VALUES (?, ?, ?)`, agent, q.ID, wire.MessageJob); err != nil {
				return err
			}
			told = append(told, agent)
		}
		return nil
	})
	for _, agent := range told {
		s.presence.notify(agent)
	}
	return err
}

// idleAgent is an agent of the request's pool that polls, does nothing and has
// what the job demands; 0 when there is none. A job whose demands no agent of the
// pool can ever meet is completed here.
func (s *Server) idleAgent(tx *sql.Tx, q request) (int, error) {
	type candidate struct {
		id           int
		capabilities map[string]string
		busy         bool
	}
	agents, err := collect(tx, func(r scanner) (candidate, error) {
		var c candidate
		var capabilities string
		if err := r.Scan(&c.id, &capabilities, &c.busy); err != nil {
			return c, err
		}
		var err error
		c.capabilities, err = decode[map[string]string](capabilities)
		return c, err
	}, `SELECT id, capabilities, EXISTS (SELECT 1 FROM request WHERE agent_id = agent.id AND state IN ('assigned', 'running'))
		FROM agent WHERE pool_id = ? ORDER BY id`, q.Pool)
	if err != nil {
		return 0, err
	}
	able := 0
	for _, c := range agents {
		if !meets(c.capabilities, q.Message.Demands) {
			continue
		}
		able++
		if !c.busy && s.presence.polling(c.id) {
			return c.id, nil
		}
	}
	if len(agents) > 0 && able == 0 {
		return 0, s.completeRequest(tx, q, outcome{result: wire.ResultFailed,
			issue: "no agent of the pool has what the job demands: " + strings.Join(q.Message.Demands, ", ")})
	}
	return 0, nil
}

// meets says whether capabilities meet demands such as `python3` and
// `Agent.OS -equals Linux`.
func meets(capabilities map[string]string, demands []string) bool {
	for _, d := range demands {
		name, want, valued := strings.Cut(d, " -equals ")
		found := false
		for k, v := range capabilities {
			if strings.EqualFold(k, strings.TrimSpace(name)) && (!valued || strings.EqualFold(v, strings.TrimSpace(want))) {
				found = true
			}
		}
		if !found {
			return false
		}
	}
	return true
}

// expire deals with jobs whose lock has lapsed or whose time is over.
func (s *Server) expire(ctx context.Context) error {
	now := time.Now()
	changed := false
	err := s.update(ctx, func(tx *sql.Tx) error {
		open, err := collect(tx, scanRequest, `SELECT `+requestColumns+` FROM request WHERE state IN ('assigned', 'running', 'refused')`)
		if err != nil {
			return err
		}
		for _, q := range open {
			acted, err := s.expireOne(tx, q, now)
			if err != nil {
				return err
			}
			changed = changed || acted
		}
		return nil
	})
	if changed {
		s.changed.broadcast()
	}
	return err
}

func (s *Server) expireOne(tx *sql.Tx, q request, now time.Time) (bool, error) {
	lapsed := q.Locked < millis(now)
	limit := time.Duration(q.Message.Minutes) * time.Minute
	switch {
	case q.State == "refused":
		return true, s.completeRequest(tx, q, outcome{result: wire.ResultFailed})
	case q.State == "assigned" && lapsed:
		s.log.Warn("devops: an agent did not take its job; the job is queued again", "agent", describeAgent(tx, q.Agent), "run", q.Run, "job", q.Job)
		if _, err := tx.Exec(`DELETE FROM message WHERE request_id = ?`, q.ID); err != nil {
			return false, err
		}
		_, err := tx.Exec(`UPDATE request SET state = 'queued', agent_id = NULL, assigned = 0 WHERE id = ?`, q.ID)
		return true, err
	case q.State == "running" && lapsed:
		reason := fmt.Sprintf("agent %s was lost while it ran the job: it has not reported for %s. Check that its machine runs and reaches %s",
			describeAgent(tx, q.Agent), s.opts.LockDuration, s.opts.URL)
		s.log.Warn("devops: a job's agent is lost", "agent", describeAgent(tx, q.Agent), "run", q.Run, "job", q.Job)
		return true, s.completeRequest(tx, q, outcome{result: wire.ResultAbandoned, issue: reason})
	case q.State == "running" && limit > 0 && !q.Stopping && fromMillis(q.Assigned).Add(limit).Before(now):
		return true, s.stopLate(tx, q)
	}
	return false, nil
}

// stopLate tells the agent to stop a job whose time is over.
func (s *Server) stopLate(tx *sql.Tx, q request) error {
	r, err := s.runByID(tx, q.Run)
	if err != nil {
		return err
	}
	issue := fmt.Sprintf("the job ran longer than its %d minutes (timeoutInMinutes)", q.Message.Minutes)
	if err := putRecord(tx, &r, wire.Record{ID: q.JobID, Issues: issuesOf(issue), ErrorCount: 1}); err != nil {
		return err
	}
	if _, err := tx.Exec(`UPDATE request SET stopping = 1 WHERE id = ?`, q.ID); err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO message (agent_id, request_id, type) VALUES (?, ?, ?)`, q.Agent, q.ID, wire.MessageCancel)
	s.presence.notify(q.Agent)
	return err
}

// outcome is how a job ended.
type outcome struct {
	result  string
	outputs map[string]wire.VariableValue
	issue   string
}

// completeRequest ends a job, once, and lets the run go on.
func (s *Server) completeRequest(tx *sql.Tx, q request, o outcome) error {
	now := time.Now().UTC()
	changed, err := tx.Exec(`UPDATE request SET state = 'completed', result = ?, finished = ? WHERE id = ? AND state <> 'completed'`, o.result, millis(now), q.ID)
	if err != nil {
		return err
	}
	if n, err := changed.RowsAffected(); err != nil || n == 0 {
		return err
	}
	if _, err := tx.Exec(`DELETE FROM message WHERE request_id = ?`, q.ID); err != nil {
		return err
	}
	r, err := s.runByID(tx, q.Run)
	if err != nil {
		return err
	}
	if err := s.finishRecords(tx, &r, q, o, now); err != nil {
		return err
	}
	if err := s.finishProgress(tx, &r, q, o); err != nil {
		return err
	}
	s.feeds.drop(q.JobID)
	return s.advance(tx, q.Run)
}

func (s *Server) finishProgress(tx *sql.Tx, r *run, q request, o outcome) error {
	p := schedule.Progress{State: wire.StateCompleted, Result: o.result, Outputs: map[string]string{}}
	for _, st := range r.Definition.Stages {
		for _, j := range st.Jobs {
			if schedule.JobKey(st.Name, j) == q.Job && j.ContinueOn && (o.result == wire.ResultFailed || o.result == wire.ResultAbandoned) {
				p.Result = wire.ResultSucceededWithIssues
			}
		}
	}
	for name, v := range o.outputs {
		p.Outputs[name] = v.Value
		if v.IsSecret && v.Value != "" && !slices.Contains(r.Secrets, v.Value) {
			r.Secrets = append(r.Secrets, v.Value)
		}
	}
	if _, err := tx.Exec(`UPDATE run SET secrets = ? WHERE id = ?`, encode(r.Secrets), r.ID); err != nil {
		return err
	}
	_, err := tx.Exec(`INSERT INTO progress (run_id, kind, key, value) VALUES (?, 'job', ?, ?)
		ON CONFLICT (run_id, kind, key) DO UPDATE SET value = excluded.value`, r.ID, q.Job, encode(p))
	return err
}

var jobResults = []string{
	wire.ResultSucceeded, wire.ResultSucceededWithIssues, wire.ResultFailed,
	wire.ResultCanceled, wire.ResultSkipped, wire.ResultAbandoned,
}

// patchRequest renews a job's lock, or finishes it.
func (s *Server) patchRequest(r *http.Request, p principal) (any, error) {
	id, err := number(r, "request")
	if err != nil {
		return nil, err
	}
	in, err := body[wire.JobRequest](r)
	if err != nil {
		return nil, err
	}
	if in.Result != "" && !slices.Contains(jobResults, in.Result) {
		return nil, badRequest("%q is not a result", in.Result)
	}
	var q request
	err = s.update(r.Context(), func(tx *sql.Tx) error {
		q, err = scanRequest(tx.QueryRow(`SELECT `+requestColumns+` FROM request WHERE id = ? AND agent_id = ?`, id, p.agent))
		if err != nil {
			return orNotFound(err, "the agent has no job request %d", id)
		}
		if in.Result != "" {
			q.Result, q.Finished = in.Result, millis(time.Now())
			return s.completeRequest(tx, q, outcome{result: in.Result})
		}
		if q.State == "completed" {
			return problem(http.StatusNotFound, "TaskAgentJobNotFoundException", "job request %d is over: %s", id, q.Result)
		}
		q.Locked = millis(time.Now().Add(s.opts.LockDuration))
		_, err := tx.Exec(`UPDATE request SET state = 'running', locked_until = ? WHERE id = ?`, q.Locked, id)
		return err
	})
	if in.Result != "" {
		s.wake()
	}
	return showRequest(q), err
}

func showRequest(q request) wire.JobRequest {
	return wire.JobRequest{
		RequestID: q.ID, QueueTime: timeOrNil(q.Queued), AssignTime: timeOrNil(q.Assigned), FinishTime: timeOrNil(q.Finished),
		LockedUntil: timeOrNil(q.Locked), Result: q.Result, PlanType: "Build",
		PlanID: q.Message.Plan.PlanID, ScopeID: q.Message.Plan.ScopeIdentifier, JobID: q.JobID, JobName: q.Message.JobName,
	}
}

// postEvent takes a JobCompleted event.
func (s *Server) postEvent(r *http.Request, p principal) (any, error) {
	in, err := body[wire.JobEvent](r)
	if err != nil {
		return nil, err
	}
	if in.Name != wire.EventJobCompleted {
		return nil, nil // others tell nothing that the timeline does not
	}
	if !slices.Contains(jobResults, in.Result) {
		return nil, badRequest("%q is not a result", in.Result)
	}
	if in.JobID != p.job {
		return nil, forbidden("the event is of another job")
	}
	err = s.update(r.Context(), func(tx *sql.Tx) error {
		q, err := scanRequest(tx.QueryRow(`SELECT `+requestColumns+` FROM request WHERE id = ?`, p.request))
		if err != nil {
			return err
		}
		return s.completeRequest(tx, q, outcome{result: in.Result, outputs: in.OutputVariables})
	})
	s.wake()
	return nil, err
}
