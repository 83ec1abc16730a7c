package mlclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Step is a job or a pipeline's step as it stands.
type Step struct {
	Name     string    `json:"displayName"`
	RunID    string    `json:"runId"`
	Status   string    `json:"status"`
	Created  time.Time `json:"createdUtc"`
	Started  time.Time `json:"startTimeUtc"`
	Ended    time.Time `json:"endTimeUtc"`
	Attempt  int       `json:"attempt"`
	LogFiles map[string]string
	Failure  struct {
		Error struct{ Message string }
	} `json:"error"`
}

// Done reports whether it goes no further.
func (s Step) Done() bool {
	return s.Status == "Completed" || s.Status == "Failed" || s.Status == "Canceled"
}

// Watcher is told what happens to a job. Step names are "" for a job without
// steps, and for a pipeline itself.
type Watcher interface {
	State(step, status, message string)
	Line(step, text string)
}

// history is the base address of the workspace's run history.
func (c *Client) history(ctx context.Context) (string, error) {
	ws, err := c.get(ctx, string(c.workspace))
	if err != nil {
		return "", err
	}
	discovery := ws.Text("discoveryUrl")
	if !strings.HasPrefix(discovery, "https://") {
		return "", fmt.Errorf("the workspace's discoveryUrl is %q", discovery)
	}
	var services struct{ History string }
	if _, err := c.call(ctx, http.MethodGet, discovery, resourceML, nil, &services); err != nil {
		return "", fmt.Errorf("asking the workspace for its services: %w", err)
	}
	if !strings.HasPrefix(services.History, "https://") {
		return "", fmt.Errorf("the workspace names no run history")
	}
	return strings.TrimSuffix(services.History, "/") + "/history/v1.0" + string(c.workspace) + "/runs/", nil
}

// Stream follows a job to its end.
func (c *Client) Stream(ctx context.Context, name string, w Watcher) (Step, error) {
	base, err := c.history(ctx)
	if err != nil {
		return Step{}, err
	}
	s := stream{c: c, base: base, w: w, followed: map[string]*followed{}}
	failures := 0
	for {
		root, err := s.round(ctx, name)
		switch {
		case err == nil && root.Done():
			return root, nil
		case err == nil:
			failures = 0
		case ctx.Err() != nil:
			return root, ctx.Err()
		default:
			var refused *ServiceError
			if failures++; failures > 20 || errors.As(err, &refused) && refused.Status < http.StatusInternalServerError {
				return root, err
			}
		}
		select {
		case <-ctx.Done():
			return root, ctx.Err()
		case <-time.After(c.poll):
		}
	}
}

// stream is a job that is being followed.
type stream struct {
	c        *Client
	base     string
	w        Watcher
	followed map[string]*followed // by run id
}

// followed is what has been shown of a run.
type followed struct {
	status  string
	done    bool
	offsets map[string]int64  // of its logs
	partial map[string]string // last line of each, as far as it has come
}

// round looks once at everything. The root's end is looked at first and told
// last, so that nothing is missed.
func (s *stream) round(ctx context.Context, name string) (Step, error) {
	root, err := s.details(ctx, name)
	if err != nil {
		return root, err
	}
	var page struct{ Value []Step }
	if _, err := s.c.call(ctx, http.MethodGet, s.base+name+"/children", resourceML, nil, &page); err != nil {
		return root, err
	}
	slices.SortStableFunc(page.Value, func(a, b Step) int { return a.Started.Compare(b.Started) })
	if !root.Done() {
		if err := s.show(ctx, "", root, len(page.Value) > 0); err != nil {
			return root, err
		}
	}
	for _, child := range page.Value {
		if err := s.child(ctx, child); err != nil {
			return root, err
		}
	}
	if root.Done() {
		return root, s.show(ctx, "", root, len(page.Value) > 0)
	}
	return root, nil
}

func (s *stream) details(ctx context.Context, run string) (Step, error) {
	var d Step
	_, err := s.c.call(ctx, http.MethodGet, s.base+run+"/details", resourceML, nil, &d)
	return d, err
}

func (s *stream) child(ctx context.Context, child Step) error {
	if f := s.followed[child.RunID]; f != nil && f.done || child.Status == "NotStarted" {
		return nil
	}
	d, err := s.details(ctx, child.RunID)
	if err != nil {
		return err
	}
	return s.show(ctx, child.Name, d, false)
}

// show tells what is new of a run: its log, then its state, so that the end is
// told after the last line. A pipeline's own log repeats its steps' states.
func (s *stream) show(ctx context.Context, step string, d Step, isPipeline bool) error {
	f := s.followed[d.RunID]
	if f == nil {
		f = &followed{offsets: map[string]int64{}, partial: map[string]string{}}
		s.followed[d.RunID] = f
	}
	if f.done {
		return nil
	}
	if !d.Done() {
		s.tell(f, step, d)
	}
	if !isPipeline {
		for _, name := range slices.Sorted(maps.Keys(d.LogFiles)) {
			if strings.HasPrefix(name, "user_logs/") || strings.HasPrefix(name, "azureml-logs/") {
				if err := s.log(ctx, f, step, name, d.LogFiles[name], d.Done()); err != nil {
					return err
				}
			}
		}
	}
	if d.Done() {
		s.tell(f, step, d)
		f.done = true
	}
	return nil
}

func (s *stream) tell(f *followed, step string, d Step) {
	if f.status == d.Status {
		return
	}
	f.status = d.Status
	message := d.Failure.Error.Message
	if d.Attempt > 1 && d.Status == "Running" {
		message = "attempt " + strconv.Itoa(d.Attempt)
	}
	s.w.State(step, d.Status, message)
}

// log shows what a log has more than it had.
func (s *stream) log(ctx context.Context, f *followed, step, name, address string, last bool) error {
	more, err := s.c.tail(ctx, address, f.offsets[name])
	if err != nil {
		return err
	}
	f.offsets[name] += int64(len(more))
	text := f.partial[name] + more
	for {
		line, rest, whole := strings.Cut(text, "\n")
		if !whole {
			break
		}
		s.w.Line(step, strings.TrimSuffix(line, "\r"))
		text = rest
	}
	if last && text != "" {
		s.w.Line(step, text)
		text = ""
	}
	f.partial[name] = text
	return nil
}

// tail reads a log from an offset on. The address carries its own authorisation.
func (c *Client) tail(ctx context.Context, address string, offset int64) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", err
	}
	if offset > 0 {
		req.Header.Set("Range", "bytes="+strconv.FormatInt(offset, 10)+"-")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusRequestedRangeNotSatisfiable, http.StatusNotFound:
		return "", nil // nothing more yet
	case http.StatusOK:
		if _, err := io.CopyN(io.Discard, resp.Body, offset); err != nil { // it does not know ranges
			return "", nil //nolint:nilerr // it is shorter than before: nothing more
		}
	case http.StatusPartialContent:
	default:
		return "", &ServiceError{Status: resp.StatusCode, Code: http.StatusText(resp.StatusCode), Method: http.MethodGet, URL: req.URL.Host + req.URL.Path}
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, 8<<20))
	return string(data), err
}
