package online

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

// Errors of Call.
var (
	ErrNone    = errors.New("no instance of the deployment answers")
	ErrBusy    = errors.New("all instances are busy")
	ErrTimeout = errors.New("the model took longer than the request timeout")
	ErrBroken  = errors.New("the instance broke off the request")
	ErrTooLong = errors.New("the model's answer is too large")
)

// Answer is what an instance answered.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// MaxAnswer bounds an answer.
const MaxAnswer = 16 << 20

// Call sends a request's body to the scoring function of a deployment.
func (p *Pool) Call(ctx context.Context, id, contentType string, body []byte) (Answer, error) {
	d := p.get(id)
	if d == nil {
		return Answer{}, ErrNone
	}
	if err := d.enter(ctx); err != nil {
		return Answer{}, err
	}
	defer func() { <-d.slots }()
	in, transport := d.pick()
	if in == nil {
		return Answer{}, ErrNone
	}
	defer in.leave()
	ctx, cancel := context.WithTimeout(ctx, d.spec.RequestTimeout)
	defer cancel()
	return call(ctx, transport, contentType, body)
}

// enter waits for a free place.
func (d *deployment) enter(ctx context.Context) error {
	wait := time.NewTimer(d.spec.QueueWait)
	defer wait.Stop()
	select {
	case d.slots <- struct{}{}:
		return nil
	default:
	}
	select {
	case d.slots <- struct{}{}:
		return nil
	case <-wait.C:
		return ErrBusy
	case <-ctx.Done():
		return ctx.Err()
	}
}

// pick takes the instance with the fewest requests among those that answer.
func (d *deployment) pick() (*instance, *http.Transport) {
	var best *instance
	least := 0
	for _, in := range d.instances {
		in.mu.Lock()
		if in.http != nil && (best == nil || in.busy < least) {
			best, least = in, in.busy
		}
		in.mu.Unlock()
	}
	if best == nil {
		return nil, nil
	}
	best.mu.Lock()
	defer best.mu.Unlock()
	if best.http == nil {
		return nil, nil // it ended in between
	}
	best.busy++
	return best, best.http
}

func (in *instance) leave() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.busy--
}

func call(ctx context.Context, transport *http.Transport, contentType string, body []byte) (Answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, host+"/score", bytes.NewReader(body))
	if err != nil {
		return Answer{}, err
	}
	if contentType == "" {
		contentType = "application/json"
	}
	req.Header.Set("Content-Type", contentType)
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return Answer{}, reason(ctx)
	}
	defer resp.Body.Close()
	out, err := io.ReadAll(io.LimitReader(resp.Body, MaxAnswer+1))
	switch {
	case err != nil:
		return Answer{}, reason(ctx)
	case len(out) > MaxAnswer:
		return Answer{}, ErrTooLong
	}
	return Answer{Status: resp.StatusCode, Header: resp.Header, Body: out}, nil
}

// reason tells a request that took too long from one that broke off.
func reason(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return ErrTimeout
	}
	return ErrBroken
}
