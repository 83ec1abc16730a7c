package devops

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cloister-ml/cloister/internal/devops/pipeline"
	"github.com/cloister-ml/cloister/internal/devops/schedule"
	"github.com/cloister-ml/cloister/internal/devops/wire"
)

// jobMessage makes what an agent will be told of a job, and the records that show
// it as pending.
func (s *Server) jobMessage(r *run, c schedule.Change) (storedJob, []wire.Record) {
	j := c.Job
	record := jobRecord(r, c.Stage, j, wire.Record{State: wire.StatePending})
	records := []wire.Record{record}
	job := storedJob{Demands: j.Pool.Demands, Minutes: j.Minutes, CancelMinutes: j.CancelMinutes}
	job.Job = wire.Job{
		MessageType: wire.MessageJob,
		Plan:        wire.Plan{ScopeIdentifier: r.Variables["System.TeamProjectId"].Value, PlanType: "Build", PlanID: r.PlanID, Version: 1},
		Timeline:    wire.TimelineRef{ID: r.PlanID},
		JobID:       record.ID, JobName: j.ID(), JobDisplayName: jobDisplayName(j),
		Variables: s.jobVariables(r, c),
		Resources: wire.Resources{Repositories: []wire.Repository{{
			Alias: "self", ID: r.Variables["Build.Repository.ID"].Value, Type: "Git", Version: r.Commit,
			URL:        r.Variables["Build.Repository.Uri"].Value,
			Properties: wire.RepositoryProperties{Name: r.Variables["Build.Repository.Name"].Value, Ref: r.Branch},
		}}},
	}
	if j.Clean != "" {
		job.Workspace = &wire.Workspace{Clean: j.Clean}
	}
	for i, st := range j.Steps {
		step, rec := stepMessage(r, record, st, i)
		job.Steps = append(job.Steps, step)
		records = append(records, rec)
	}
	return job, records
}

// jobVariables are the job's own, evaluated, with those that only a job has. What
// is secret of the run stays secret.
func (s *Server) jobVariables(r *run, c schedule.Change) map[string]wire.VariableValue {
	out := map[string]wire.VariableValue{}
	for name, value := range c.Variables {
		v := wire.VariableValue{Value: value}
		if of, ok := r.Variables[name]; ok && of.Value == value {
			v.IsSecret, v.IsReadOnly = of.IsSecret, of.IsReadOnly
		}
		for _, secret := range r.Secrets {
			v.IsSecret = v.IsSecret || secret != "" && value == secret
		}
		out[name] = v
	}
	stage := c.Stage
	declared := slices.Concat(r.Definition.Variables, c.Job.Variables)
	for _, st := range r.Definition.Stages {
		if st.Name == c.Stage {
			stage = displayName(st.DisplayName, st.Name)
			declared = append(declared, st.Variables...)
		}
	}
	for _, d := range declared {
		if v, ok := out[d.Name]; ok && d.ReadOnly {
			v.IsReadOnly = true
			out[d.Name] = v
		}
	}
	set := func(name, value string) { out[name] = wire.VariableValue{Value: value, IsReadOnly: true} }
	set("System.JobId", recordID(r, schedule.JobKey(c.Stage, c.Job)))
	set("System.JobName", c.Job.ID())
	set("System.PhaseName", c.Job.Name)
	set("System.JobDisplayName", jobDisplayName(c.Job))
	set("System.JobAttempt", "1")
	set("System.StageName", c.Stage)
	set("System.StageDisplayName", stage)
	set("System.StageAttempt", "1")
	if c.Job.Environment != "" {
		set("Environment.Name", c.Job.Environment)
	}
	return out
}

// stepMessage makes a step's task, as Azure Pipelines' short forms stand for tasks.
func stepMessage(r *run, job wire.Record, st pipeline.Step, i int) (wire.Step, wire.Record) {
	name := st.Name
	if name == "" {
		name = fmt.Sprintf("step%d", i+1)
	}
	step := wire.Step{
		Type: "task", ID: recordID(r, fmt.Sprintf("%s/%d", job.ID, i)), Name: name,
		DisplayName: stepDisplayName(st), Enabled: st.Enabled, Condition: st.Condition,
		ContinueOnError: st.ContinueOnError, TimeoutInMinutes: st.Minutes, Environment: st.Env,
		Inputs: map[string]string{},
	}
	set := func(name, value string) {
		if value != "" {
			step.Inputs[name] = value
		}
	}
	switch st.Kind {
	case pipeline.KindScript, pipeline.KindBash:
		step.Reference = wire.TaskScript
		if st.Kind == pipeline.KindBash {
			step.Reference = wire.TaskBash
			set("targetType", "inline")
		}
		set("script", st.Script)
		set("workingDirectory", st.WorkingDirectory)
		set("failOnStderr", fmt.Sprint(st.FailOnStderr))
	case pipeline.KindCheckout:
		step.Reference = wire.TaskCheckout
		set("repository", st.Target)
		set("clean", fmt.Sprint(st.Clean))
		set("fetchDepth", fmt.Sprint(st.Depth))
		set("path", st.Path)
	case pipeline.KindPublish:
		step.Reference = wire.TaskPublish
		set("path", st.Target)
		set("artifactName", st.Artifact)
	case pipeline.KindDownload:
		step.Reference = wire.TaskDownload
		set("artifactName", st.Artifact)
		set("path", st.Path)
		switch of, ok := r.Resources[st.Target]; {
		case st.Target == "none":
			step.Enabled = false
		case st.Target == "current":
			set("runId", fmt.Sprint(r.ID))
		case ok:
			set("runId", fmt.Sprint(of.RunID))
			set("alias", st.Target)
		}
	}
	return step, wire.Record{
		ID: step.ID, ParentID: job.ID, Type: wire.RecordTask, Name: step.DisplayName, RefName: name,
		Identifier: job.Identifier + "." + name, State: wire.StatePending, Order: i + 1,
	}
}

func stepDisplayName(st pipeline.Step) string {
	if st.DisplayName != "" {
		return st.DisplayName
	}
	switch st.Kind {
	case pipeline.KindCheckout:
		return "Checkout"
	case pipeline.KindPublish:
		return "Publish " + st.Artifact
	case pipeline.KindDownload:
		return strings.TrimSpace("Download " + st.Artifact)
	case pipeline.KindBash:
		return "Bash"
	}
	return "CmdLine"
}

// messageBody writes a message for an agent. Tokens are made now and never stored.
func (s *Server) messageBody(kind string, id int64) (string, error) {
	q, err := scanRequest(s.db.QueryRow(`SELECT `+requestColumns+` FROM request WHERE id = ?`, id))
	if err != nil {
		return "", err
	}
	if kind == wire.MessageCancel {
		limit := time.Duration(q.Message.CancelMinutes) * time.Minute
		timeout := fmt.Sprintf("%02d:%02d:00", int(limit.Hours()), int(limit.Minutes())%60)
		return encode(wire.JobCancel{JobID: q.JobID, Timeout: timeout}), nil
	}
	var secrets string
	if err := s.db.QueryRow(`SELECT secrets FROM run WHERE id = ?`, q.Run).Scan(&secrets); err != nil {
		return "", err
	}
	values, err := decode[[]string](secrets)
	if err != nil {
		return "", err
	}
	job := q.Message.Job
	job.RequestID, job.LockedUntil = q.ID, fromMillis(q.Locked)
	token := s.jobToken(q.ID)
	job.Variables["System.AccessToken"] = wire.VariableValue{Value: token, IsSecret: true}
	job.Resources.Endpoints = []wire.Endpoint{{
		Name: wire.SystemConnection, URL: s.url("/"),
		Authorization: wire.EndpointAuthorization{Scheme: "OAuth", Parameters: map[string]string{"AccessToken": token}},
	}}
	job.MaskHints = []wire.MaskHint{{Type: "value", Value: token}}
	for _, v := range values {
		job.MaskHints = append(job.MaskHints, wire.MaskHint{Type: "value", Value: v})
	}
	return encode(job), nil
}
