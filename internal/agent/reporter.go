package agent

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/cloister-ml/cloister/internal/devops/wire"
)

// reporter sends what happens in a job to the organisation: records, log lines and
// console lines, in batches, in order, again until they arrive. While the
// organisation cannot be reached the job goes on and the reporter remembers.
type reporter struct {
	api  *client
	job  wire.Job
	mask *masker

	mu      sync.Mutex
	records map[string]wire.Record // said and not yet sent
	order   []string
	logs    []*stepLog

	nudge   chan struct{}
	finish  chan struct{}
	stopped sync.WaitGroup
}

const (
	reportInterval = 250 * time.Millisecond
	maxPending     = 32 << 20 // bytes of log lines that wait to be sent
	maxBatch       = 1 << 20
	maxLineLength  = 32 << 10
)

func newReporter(api *client, job wire.Job, mask *masker) *reporter {
	return &reporter{api: api, job: job, mask: mask, records: map[string]wire.Record{},
		nudge: make(chan struct{}, 1), finish: make(chan struct{})}
}

func (r *reporter) path(format string, args ...any) string {
	return "/" + r.job.Plan.ScopeIdentifier + "/_apis/distributedtask/hubs/build/plans/" + r.job.Plan.PlanID + fmt.Sprintf(format, args...)
}

// record says something about the job or a step.
func (r *reporter) record(rec wire.Record) {
	for i := range rec.Issues {
		rec.Issues[i].Message = r.mask.mask(rec.Issues[i].Message)
	}
	rec.Name = r.mask.mask(rec.Name)
	r.mu.Lock()
	defer r.mu.Unlock()
	old, ok := r.records[rec.ID]
	if !ok {
		r.order = append(r.order, rec.ID)
	}
	r.records[rec.ID] = old.Merge(rec)
}

// stepLog is the log of a step.
type stepLog struct {
	reporter *reporter
	record   string
	name     string

	mu      sync.Mutex
	id      int
	sent    int // lines
	lines   []string
	size    int
	dropped bool
	fed     bool // the feed has had the lines that are being sent
}

func (r *reporter) log(record, name string) *stepLog {
	l := &stepLog{reporter: r, record: record, name: name}
	r.mu.Lock()
	r.logs = append(r.logs, l)
	r.mu.Unlock()
	return l
}

// line adds a line, masked.
func (l *stepLog) line(text string) {
	text = strings.TrimRight(strings.ToValidUTF8(text, "\uFFFD"), "\r\n")
	text = l.reporter.mask.mask(text) // before the cut, which may be within a secret
	if len(text) > maxLineLength {
		text = strings.ToValidUTF8(text[:maxLineLength], "") + " (cut)"
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.size > maxPending {
		if !l.dropped {
			l.dropped = true
			l.lines = append(l.lines, stamp("##[warning]lines are left out here: the organisation cannot be reached"))
		}
		return
	}
	l.dropped = false
	l.size += len(text)
	l.lines = append(l.lines, stamp(text))
}

const stampLayout = "2006-01-02T15:04:05.0000000Z"

func stamp(text string) string { return time.Now().UTC().Format(stampLayout) + " " + text }

func unstamp(text string) string { return text[len(stampLayout)+1:] }

// run sends until close, and then what is left, or until ctx ends.
func (r *reporter) run(ctx context.Context) {
	r.stopped.Go(func() {
		tick := time.NewTicker(reportInterval)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-r.finish:
				_ = retry(ctx, func() error { return r.flush(ctx) }) // ctx ended: nobody listens any more
				return
			case <-tick.C:
				if err := r.flush(ctx); err != nil && !isFinal(err) {
					sleep(ctx, 4*reportInterval)
				}
			}
		}
	})
}

// close sends what is left and waits for it.
func (r *reporter) close() {
	close(r.finish)
	r.stopped.Wait()
}

func (r *reporter) flush(ctx context.Context) error {
	r.mu.Lock()
	logs := append([]*stepLog(nil), r.logs...)
	r.mu.Unlock()
	for _, l := range logs {
		if err := l.flush(ctx); err != nil {
			return err
		}
	}
	return r.flushRecords(ctx)
}

func (r *reporter) flushRecords(ctx context.Context) error {
	r.mu.Lock()
	var batch []wire.Record
	for _, id := range r.order {
		batch = append(batch, r.records[id])
	}
	r.records, r.order = map[string]wire.Record{}, nil
	r.mu.Unlock()
	if len(batch) == 0 {
		return nil
	}
	_, err := r.api.call(ctx, requestTimeout, http.MethodPatch, r.path("/timelines/%s/records", r.job.Timeline.ID), wire.Items(batch), nil)
	if err != nil && !isFinal(err) {
		r.putBack(batch)
	}
	return err
}

// putBack keeps records that did not arrive beneath what was said since.
func (r *reporter) putBack(batch []wire.Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var order []string
	for _, old := range batch {
		order = append(order, old.ID)
		if later, ok := r.records[old.ID]; ok {
			r.records[old.ID] = old.Merge(later)
		} else {
			r.records[old.ID] = old
		}
	}
	for _, id := range r.order {
		found := false
		for _, old := range batch {
			found = found || old.ID == id
		}
		if !found {
			order = append(order, id)
		}
	}
	r.order = order
}

// flush sends the lines of one log. Only the reporter's own goroutine calls it.
func (l *stepLog) flush(ctx context.Context) error {
	for {
		l.mu.Lock()
		batch, size := 0, 0
		for batch < len(l.lines) && size < maxBatch {
			size += len(l.lines[batch]) + 1
			batch++
		}
		lines := l.lines[:batch:batch]
		l.mu.Unlock()
		if batch == 0 {
			return nil
		}
		if err := l.send(ctx, lines); err != nil && !isFinal(err) {
			return err
		}
		l.mu.Lock()
		l.lines, l.sent = l.lines[batch:], l.sent+batch
		l.size = 0
		for _, rest := range l.lines {
			l.size += len(rest)
		}
		l.mu.Unlock()
	}
}

func (l *stepLog) send(ctx context.Context, lines []string) error {
	r := l.reporter
	if l.id == 0 {
		var created wire.Log
		if _, err := r.api.call(ctx, requestTimeout, http.MethodPost, r.path("/logs"), wire.Log{Path: "logs/" + l.record}, &created); err != nil {
			return err
		}
		l.id = created.ID
		r.record(wire.Record{ID: l.record, Log: &wire.LogRef{ID: l.id, Type: "Container"}})
	}
	feed := wire.FeedLines{StepID: l.record, Count: len(lines), StartLine: int64(l.sent + 1)}
	for _, line := range lines {
		feed.Value = append(feed.Value, unstamp(line))
	}
	if !l.fed { // the feed is for those who watch: tried once
		_, _ = r.api.call(ctx, requestTimeout, http.MethodPost, r.path("/timelines/%s/records/%s/feed", r.job.Timeline.ID, l.record), feed, nil)
		l.fed = true
	}
	_, err := r.api.call(ctx, requestTimeout, http.MethodPost, r.path("/logs/%d?startLine=%d", l.id, l.sent), strings.Join(lines, "\n")+"\n", nil)
	if err == nil {
		l.fed = false
	}
	return err
}
