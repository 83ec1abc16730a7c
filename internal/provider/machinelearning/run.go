package machinelearning

import (
	"context"
	"encoding/json"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning/schedule"
)

// Run schedules jobs and sizes clusters until ctx ends. It begins where the last
// process stopped.
func (s *Service) Run(ctx context.Context) error {
	if err := s.resume(ctx); err != nil && ctx.Err() == nil {
		return err
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	defer s.preps.wait()
	defer s.moves.wait()
	for {
		changed := s.changed.wait()
		more, err := s.advance(ctx)
		if err != nil && ctx.Err() == nil {
			s.host.Log().Error("scheduling jobs", "error", err)
		}
		if more {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-tick.C:
		}
	}
}

// resume gives nodes that outlived the last process time to report, and starts
// those that did not.
func (s *Service) resume(ctx context.Context) error {
	if err := s.jobs.Grace(ctx, time.Now()); err != nil {
		return err
	}
	nodes, err := s.jobs.Nodes(ctx, "")
	if err != nil {
		return err
	}
	for _, n := range nodes {
		if n.State != schedule.Leaving {
			s.startNode(ctx, n.Cluster, n.N)
		}
	}
	return nil
}

// advance does one round. more says that another may be due at once.
func (s *Service) advance(ctx context.Context) (more bool, err error) {
	todo, err := s.jobs.Advance(ctx, time.Now())
	if err != nil {
		return false, err
	}
	for _, j := range todo.Prepare {
		s.preps.start(ctx, j.Workspace.Key()+"#"+j.Name, func(ctx context.Context) { s.prepare(ctx, j) })
	}
	for _, j := range todo.Track {
		s.preps.start(ctx, j.Workspace.Key()+"#end#"+j.Name, func(ctx context.Context) { s.endRun(ctx, j) })
	}
	for _, r := range s.host.Estate().OfType(typeCompute) {
		if !isCluster(r) {
			continue
		}
		if err := s.resize(ctx, r); err != nil {
			return false, err
		}
	}
	return todo.Changed, nil
}

// prepare makes a job's run and image, and hands it to the nodes.
func (s *Service) prepare(ctx context.Context, j schedule.Job) {
	w, err := s.workspaceOf(j.Workspace)
	if err != nil {
		s.settle(ctx, j, err)
		return
	}
	if err := s.startRuns(ctx, w, j); err != nil {
		// The tracking store may come back: the next round tries again.
		s.host.Log().Warn("a job waits for the tracking store", "job", j.Name, "error", err)
		return
	}
	var wk work
	if err := json.Unmarshal(j.Work, &wk); err != nil {
		s.settle(ctx, j, err)
		return
	}
	s.ensureContainers(ctx, w)
	log := &buildLogWriter{s: s, path: s.logFile(w, j.Name, buildLog)}
	image, err := s.image(ctx, w, wk.Environment, log)
	if err != nil {
		s.settle(ctx, j, err)
		return
	}
	if err := s.jobs.Prepared(ctx, j, image, time.Now()); err != nil && ctx.Err() == nil {
		s.host.Log().Error("queueing a job", "job", j.Name, "error", err)
	}
	s.changed.wake()
}

// settle ends a job that cannot be run, unless it is only that this process ends.
func (s *Service) settle(ctx context.Context, j schedule.Job, why error) {
	if ctx.Err() != nil {
		return
	}
	if err := s.jobs.Fail(ctx, j, why.Error(), time.Now()); err != nil {
		s.host.Log().Error("ending a job", "job", j.Name, "error", err)
	}
	s.changed.wake()
}

// startRuns makes the tracked runs of a job and of its pipeline.
func (s *Service) startRuns(ctx context.Context, w workspace, j schedule.Job) error {
	if s.options.Tracking == nil {
		return nil
	}
	t, err := s.trackingOf(w)
	if err != nil {
		return err
	}
	if j.Parent != "" {
		parent, err := s.jobs.Get(ctx, w.ID, j.Parent)
		if err != nil {
			return err
		}
		if err := t.StartRun(ctx, runOf(parent)); err != nil {
			return err
		}
	}
	return t.StartRun(ctx, runOf(j))
}

func runOf(j schedule.Job) Run {
	var wk work
	var by cloud.Caller
	_ = json.Unmarshal(j.Work, &wk)      // both were written by this package;
	_ = json.Unmarshal(j.Submitter, &by) // a run without a name is still a run
	name := wk.DisplayName
	if name == "" {
		name = j.Name
	}
	tags := map[string]string{"azureml.jobType": j.Kind}
	if j.Step != "" {
		tags["azureml.step"] = j.Step
	}
	user := by.Name
	if user == "" {
		user = by.ObjectID
	}
	return Run{ID: j.Name, Name: name, Experiment: wk.Experiment, Parent: j.Parent, User: user, Tags: tags}
}

// endRun tells the tracking store how a job ended.
func (s *Service) endRun(ctx context.Context, j schedule.Job) {
	w, err := s.workspaceOf(j.Workspace)
	if err != nil {
		return // the workspace is going, and its jobs with it
	}
	if err := s.tellEnd(ctx, w, j); err != nil {
		if ctx.Err() == nil {
			s.host.Log().Warn("telling the tracking store how a job ended", "job", j.Name, "error", err)
		}
		return
	}
	if err := s.jobs.Tracked(ctx, j); err != nil && ctx.Err() == nil {
		s.host.Log().Error("noting a job's end", "job", j.Name, "error", err)
	}
}

func (s *Service) tellEnd(ctx context.Context, w workspace, j schedule.Job) error {
	if s.options.Tracking == nil {
		return nil
	}
	if err := s.startRuns(ctx, w, j); err != nil {
		return err // a job that never got ready has no run yet
	}
	t, err := s.trackingOf(w)
	if err != nil {
		return err
	}
	status := map[schedule.State]string{schedule.Completed: "FINISHED", schedule.Failed: "FAILED", schedule.Canceled: "KILLED"}[j.State]
	return t.EndRun(ctx, j.Name, status)
}

// resize brings a cluster's number of nodes to what its jobs need.
func (s *Service) resize(ctx context.Context, r arm.Resource) error {
	if s.options.Nodes == nil {
		return nil
	}
	nodes, err := s.jobs.Nodes(ctx, r.ID)
	if err != nil {
		return err
	}
	queued, err := s.jobs.Queued(ctx, r.ID)
	if err != nil {
		return err
	}
	now := time.Now()
	plan := schedule.PlanNodes(nodes, queued, scaleOf(r, s.options.LeaseTime), now)
	if t, ok := s.troubleOf(r.ID); ok && now.Before(t.until) {
		plan.Start = nil
	}
	for _, n := range plan.Start {
		if err := s.jobs.NodeStarting(ctx, r.ID, n, now); err != nil {
			return err
		}
		s.startNode(ctx, r.ID, n)
	}
	for _, n := range plan.Stop {
		s.stopNode(ctx, r.ID, n)
	}
	return nil
}

func (s *Service) startNode(ctx context.Context, cluster arm.ID, n int) {
	if s.options.Nodes == nil {
		return
	}
	s.moves.start(ctx, cluster.Key()+"#"+itoa(n), func(ctx context.Context) {
		if err := s.jobs.NodeStarting(ctx, cluster, n, time.Now()); err != nil {
			return
		}
		err := s.options.Nodes.Start(ctx, cluster, n)
		if ctx.Err() != nil {
			return
		}
		s.setTrouble(cluster, err)
		if err == nil {
			return
		}
		s.host.Log().Error("starting a compute node", "cluster", cluster.Name(), "node", n, "error", err)
		if err := s.jobs.NodeGone(ctx, cluster, n); err != nil {
			s.host.Log().Error("forgetting a compute node", "cluster", cluster.Name(), "node", n, "error", err)
		}
	})
}

func (s *Service) stopNode(ctx context.Context, cluster arm.ID, n int) {
	s.moves.start(ctx, cluster.Key()+"#"+itoa(n), func(ctx context.Context) {
		ok, err := s.jobs.NodeLeaving(ctx, cluster, n, time.Now())
		if err == nil && ok {
			if err = s.options.Nodes.Stop(ctx, cluster, n); err == nil {
				err = s.jobs.NodeGone(ctx, cluster, n)
			}
		}
		if err != nil && ctx.Err() == nil {
			s.host.Log().Error("stopping a compute node", "cluster", cluster.Name(), "node", n, "error", err)
		}
		s.changed.wake()
	})
}
