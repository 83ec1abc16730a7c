package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cloister-ml/cloister/internal/devops/wire"
)

const (
	renewInterval = 60 * time.Second
	reportGrace   = 30 * time.Second // to report after the agent was told to end
)

// runJob runs a job, renews its lock and takes the messages about it meanwhile.
func (l *listener) runJob(ctx context.Context, job wire.Job) string {
	// The job outlives ctx by as long as it takes to cancel and report it.
	lock, lost := context.WithCancel(context.WithoutCancel(ctx))
	defer lost()
	j := newJobRun(job, l.settings, l.home, l.jobClient(accessTokenOf(job)))
	done := make(chan string, 1)
	go func() { done <- j.run(lock) }()
	go l.renew(lock, lost, job)
	watch, unwatch := context.WithCancel(ctx)
	watched := make(chan struct{})
	go func() { l.watch(watch, j); close(watched) }()
	var result string
	select {
	case result = <-done:
	case <-ctx.Done():
		l.log.Warn("the agent ends: its job is stopped", "job", job.JobDisplayName)
		j.stop()
		select {
		case result = <-done:
		case <-time.After(reportGrace):
			lost()
			result = <-done
		}
	}
	unwatch()
	<-watched
	l.complete(lock, j, result)
	return result
}

// watch takes messages while a job runs: only that it is canceled can come.
func (l *listener) watch(ctx context.Context, j *jobRun) {
	for ctx.Err() == nil {
		m, err := l.next(ctx)
		if err != nil {
			sleep(ctx, 2*time.Second)
			continue
		}
		if m == nil {
			continue
		}
		if m.MessageType == wire.MessageCancel {
			var c wire.JobCancel
			if json.Unmarshal([]byte(m.Body), &c) == nil && c.JobID == j.job.JobID {
				l.log.Info("the job is canceled", "job", j.job.JobDisplayName)
				j.cancel(parseTimeout(c.Timeout))
			}
		}
		l.deleteMessage(ctx, m)
	}
}

// renew keeps the job's lock. When the organisation says that the job is over the
// job is stopped; while it cannot be reached the job goes on.
func (l *listener) renew(ctx context.Context, lost context.CancelFunc, job wire.Job) {
	until := job.LockedUntil
	for {
		wait := renewInterval
		if left := time.Until(until) / 3; left < wait {
			wait = max(left, time.Second)
		}
		if !sleep(ctx, wait) {
			return
		}
		var out wire.JobRequest
		_, err := l.api.call(ctx, requestTimeout, http.MethodPatch, l.pool("/jobrequests/%d", job.RequestID), wire.JobRequest{RequestID: job.RequestID}, &out)
		switch {
		case err == nil && out.LockedUntil != nil:
			until = *out.LockedUntil
		case isStatus(err, http.StatusNotFound):
			l.log.Warn("the job is over for the organisation, and stopped here", "job", job.JobDisplayName)
			lost()
			return
		case isStatus(err, http.StatusUnauthorized):
			l.tokens.forget()
		}
	}
}

// complete tells the organisation the job's result, again until it knows.
func (l *listener) complete(ctx context.Context, j *jobRun, result string) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	err := retry(ctx, func() error {
		_, err := j.api.call(ctx, requestTimeout, http.MethodPost, j.report.path("/events"), wire.JobEvent{
			Name: wire.EventJobCompleted, JobID: j.job.JobID, RequestID: j.job.RequestID, Result: result, OutputVariables: j.outputs,
		}, nil)
		return err
	})
	if err != nil && !isStatus(err, http.StatusUnauthorized) { // unauthorised: it is over already
		l.log.Error("the job's result could not be reported", "job", j.job.JobDisplayName, "error", err)
	}
}

// journal is a note of the job that runs, so that after a kill the next process of
// the agent can say what became of it.
type journal struct {
	Job      string           `json:"job"`
	Request  int64            `json:"request"`
	Plan     wire.Plan        `json:"plan"`
	Timeline wire.TimelineRef `json:"timeline"`
	Token    string           `json:"token"`
}

func (l *listener) journal() string { return filepath.Join(l.settings.WorkFolder, ".job") }

// recover ends what a killed process of this agent left: its job's processes, and
// the job itself.
func (l *listener) recover(ctx context.Context) {
	var n journal
	text, err := os.ReadFile(l.journal())
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err == nil {
		err = json.Unmarshal(text, &n)
	}
	if err != nil || n.Job == "" {
		l.log.Warn("the note of the last job cannot be read", "error", err)
		os.Remove(l.journal())
		return
	}
	killed := killLeftovers(n.Job)
	l.log.Warn("the agent was killed while it ran a job; the job is reported as failed", "request", n.Request, "processes killed", killed)
	api := l.jobClient(n.Token)
	r := newReporter(api, wire.Job{Plan: n.Plan, Timeline: n.Timeline}, &masker{})
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	issue := wire.Issue{Type: "error", Message: fmt.Sprintf("agent %s was killed while it ran the job", l.settings.AgentName)}
	r.record(wire.Record{ID: n.Job, Issues: []wire.Issue{issue}, ErrorCount: 1})
	err = retry(ctx, func() error {
		if err := r.flushRecords(ctx); err != nil {
			return err
		}
		_, err := api.call(ctx, requestTimeout, http.MethodPost, r.path("/events"), wire.JobEvent{
			Name: wire.EventJobCompleted, JobID: n.Job, RequestID: n.Request, Result: wire.ResultAbandoned}, nil)
		return err
	})
	if err != nil && !isFinal(err) {
		l.log.Error("the lost job could not be reported; its lock will lapse", "error", err)
		return
	}
	os.Remove(l.journal())
}

// lockWork makes sure that one process of the agent runs.
func lockWork(dir string) (release func(), err error) {
	f, err := os.OpenFile(filepath.Join(dir, ".lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("the agent runs already, in another process (%s is locked)", f.Name())
	}
	return func() { f.Close() }, nil
}
