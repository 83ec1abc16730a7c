package devops

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/cloister-ml/cloister/internal/devops/wire"
)

const (
	maxRecordsOfJob = 1000
	maxFeedLines    = 500
	maxFeedBytes    = 256 << 10 // of a record
)

// putRecord lays a record over what is known of it.
func putRecord(tx *sql.Tx, r *run, rec wire.Record) error {
	var old string
	err := tx.QueryRow(`SELECT value FROM record WHERE run_id = ? AND id = ?`, r.ID, rec.ID).Scan(&old)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	var known wire.Record
	if err == nil {
		if known, err = decode[wire.Record](old); err != nil {
			return err
		}
	}
	if err := tx.QueryRow(`UPDATE run SET change = change + 1 WHERE id = ? RETURNING change`, r.ID).Scan(&r.Change); err != nil {
		return err
	}
	merged := known.Merge(rec)
	merged.ChangeID = r.Change
	_, err = tx.Exec(`INSERT INTO record (run_id, id, value) VALUES (?, ?, ?)
		ON CONFLICT (run_id, id) DO UPDATE SET value = excluded.value`, r.ID, rec.ID, encode(merged))
	return err
}

func recordsOf(q querier, runID int) ([]wire.Record, error) {
	return collect(q, func(r scanner) (wire.Record, error) {
		var text string
		if err := r.Scan(&text); err != nil {
			return wire.Record{}, err
		}
		return decode[wire.Record](text)
	}, `SELECT value FROM record WHERE run_id = ?`, runID)
}

// Timeline is what happened in a run: its stages, jobs and steps, parents first.
func (s *Server) Timeline(_ context.Context, runID int) ([]wire.Record, error) {
	records, err := recordsOf(s.db, runID)
	for i := range records {
		records[i].Variables = hideSecrets(records[i].Variables)
	}
	rank := map[string]int{wire.RecordStage: 0, wire.RecordJob: 1, wire.RecordTask: 2}
	slices.SortFunc(records, func(a, b wire.Record) int {
		return cmp.Or(rank[a.Type]-rank[b.Type], cmp.Compare(a.ParentID, b.ParentID), a.Order-b.Order, cmp.Compare(a.ID, b.ID))
	})
	return records, err
}

// finishRecords completes the record of a job and those of its steps that were
// not reported.
func (s *Server) finishRecords(tx *sql.Tx, r *run, q request, o outcome, now time.Time) error {
	records, err := recordsOf(tx, r.ID)
	if err != nil {
		return err
	}
	for _, rec := range records {
		if rec.ParentID != q.JobID || rec.State == wire.StateCompleted {
			continue
		}
		said := wire.Record{ID: rec.ID, State: wire.StateCompleted, Result: wire.ResultSkipped}
		if rec.State == wire.StateInProgress {
			said.Result, said.FinishTime = o.result, &now
		}
		if err := putRecord(tx, r, said); err != nil {
			return err
		}
	}
	return putRecord(tx, r, wire.Record{
		ID: q.JobID, State: wire.StateCompleted, Result: o.result, FinishTime: &now,
		Issues: issuesOf(o.issue), ErrorCount: len(issuesOf(o.issue)),
	})
}

// patchRecords takes an agent's report on its own job and its steps.
func (s *Server) patchRecords(r *http.Request, p principal) (any, error) {
	in, err := body[wire.List[wire.Record]](r)
	if err != nil {
		return nil, err
	}
	err = s.update(r.Context(), func(tx *sql.Tx) error {
		current, err := s.runByID(tx, p.run)
		if err != nil {
			return err
		}
		known, err := recordsOf(tx, p.run)
		if err != nil {
			return err
		}
		parents := map[string]string{}
		for _, k := range known {
			parents[k.ID] = k.ParentID
		}
		for _, rec := range in.Value {
			if err := checkRecord(&rec, p, parents); err != nil {
				return err
			}
			if err := putRecord(tx, &current, rec); err != nil {
				return err
			}
		}
		_, err = tx.Exec(`UPDATE request SET state = 'running', locked_until = ? WHERE id = ? AND state = 'assigned'`,
			millis(time.Now().Add(s.opts.LockDuration)), p.request)
		return err
	})
	s.changed.broadcast()
	return wire.Items(in.Value), err
}

// checkRecord keeps a job to its own records. That it is completed is for its
// JobCompleted event to say.
func checkRecord(rec *wire.Record, p principal, parents map[string]string) error {
	parent, known := parents[rec.ID]
	switch {
	case rec.ID == p.job:
		rec.Type, rec.ParentID, rec.Name, rec.Identifier, rec.Result, rec.FinishTime = "", "", "", "", "", nil
		if rec.State == wire.StateCompleted {
			rec.State = ""
		}
		return nil
	case known && parent == p.job:
		return nil
	case known || rec.ParentID != p.job || uuid.Validate(rec.ID) != nil:
		return forbidden("the record %s is not of this job", rec.ID)
	}
	mine := 0
	for _, parent := range parents {
		if parent == p.job {
			mine++
		}
	}
	if mine >= maxRecordsOfJob {
		return badRequest("a job has at most %d records", maxRecordsOfJob)
	}
	rec.Type = wire.RecordTask
	parents[rec.ID] = p.job
	return nil
}

func (s *Server) getTimeline(r *http.Request, _ principal) (any, error) {
	b, err := s.runInPath(r)
	if err != nil {
		return nil, err
	}
	records, err := s.Timeline(r.Context(), b.ID)
	return wire.Timeline{ID: b.PlanID, ChangeID: b.Change, Records: records}, err
}

// feeds are the last console lines of running steps, in memory: what is lost with
// them is in the logs.
type feeds struct {
	mu   sync.Mutex
	jobs map[string]map[string]*wire.FeedLines // job, record
}

func (f *feeds) add(job, record string, lines wire.FeedLines) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.jobs == nil {
		f.jobs = map[string]map[string]*wire.FeedLines{}
	}
	if f.jobs[job] == nil {
		f.jobs[job] = map[string]*wire.FeedLines{}
	}
	have := f.jobs[job][record]
	if have == nil {
		if len(f.jobs[job]) >= maxRecordsOfJob {
			return
		}
		have = &wire.FeedLines{StepID: record, StartLine: 1}
		f.jobs[job][record] = have
	}
	have.Value = append(have.Value, lines.Value...)
	if over := beyondFeed(have.Value); over > 0 {
		have.Value = slices.Clone(have.Value[over:])
		have.StartLine += int64(over)
	}
	have.Count = len(have.Value)
}

// beyondFeed is how many of the first lines are more than a feed keeps.
func beyondFeed(lines []string) int {
	over := max(0, len(lines)-maxFeedLines)
	size := 0
	for _, line := range lines[over:] {
		size += len(line)
	}
	for ; size > maxFeedBytes; over++ {
		size -= len(lines[over])
	}
	return over
}

func (f *feeds) get(record string) wire.FeedLines {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, records := range f.jobs {
		if lines, ok := records[record]; ok {
			out := *lines
			out.Value = slices.Clone(lines.Value)
			return out
		}
	}
	return wire.FeedLines{StepID: record, Value: []string{}}
}

func (f *feeds) drop(job string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.jobs, job)
}

func (s *Server) postFeed(r *http.Request, p principal) (any, error) {
	in, err := body[wire.FeedLines](r)
	if err != nil {
		return nil, err
	}
	record := r.PathValue("record")
	if err := s.requireOwn(p, record); err != nil {
		return nil, err
	}
	s.feeds.add(p.job, record, in)
	s.changed.broadcast()
	return nil, nil
}

// requireOwn keeps a job to its own record and those of its steps.
func (s *Server) requireOwn(p principal, record string) error {
	if record == p.job {
		return nil
	}
	var text string
	err := s.db.QueryRow(`SELECT value FROM record WHERE run_id = ? AND id = ?`, p.run, record).Scan(&text)
	if err != nil {
		return orNotFound(err, "the run has no record %s", record)
	}
	known, err := decode[wire.Record](text)
	if err == nil && known.ParentID != p.job {
		err = forbidden("the record %s is not of this job", record)
	}
	return err
}

func (s *Server) getFeed(r *http.Request, _ principal) (any, error) {
	return s.feeds.get(r.PathValue("record")), nil
}
