package online

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// instance keeps one process of a deployment running.
type instance struct {
	d     *deployment
	index int
	first chan error // how the first start went: nil when it answered; one value

	mu   sync.Mutex
	http *http.Transport // to the process, while it answers
	busy int             // requests in it
}

func newInstance(d *deployment, index int) *instance {
	return &instance{d: d, index: index, first: make(chan error, 1)}
}

// Times between one end and the next start.
const (
	firstPause = time.Second
	lastPause  = 30 * time.Second
	// steady is how long a process must have answered for its end to be taken for
	// an accident rather than for its way.
	steady = time.Minute
)

// run starts the process, and again whenever it ends, until ctx ends. A process
// that never answered is not started again: first says why.
func (in *instance) run(ctx context.Context) {
	if answered, err := in.once(ctx, func() { in.first <- nil }); !answered {
		in.first <- err
		return
	}
	for pause := firstPause; ctx.Err() == nil; pause = min(2*pause, lastPause) {
		fmt.Fprintf(in.d.log, "[instance %d has ended and is started again]\n", in.index)
		in.d.pool.log.Warn("an instance of a deployment is started again", "deployment", in.d.spec.ID, "instance", in.index)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		began := time.Now()
		_, err := in.once(ctx, func() {})
		if err != nil {
			fmt.Fprintf(in.d.log, "[instance %d: %v]\n", in.index, err)
		}
		if time.Since(began) > steady {
			pause = firstPause / 2
		}
	}
}

// once runs the process until it ends; up is called when it answers. err says
// why it did not.
func (in *instance) once(ctx context.Context, up func()) (answered bool, err error) {
	p, err := in.d.spec.Start(ctx, in.index, in.d.log)
	if err != nil {
		return false, fmt.Errorf("starting instance %d: %w", in.index, err)
	}
	defer p.Stop()
	transport := &http.Transport{
		DialContext:         func(ctx context.Context, _, _ string) (net.Conn, error) { return p.Dial(ctx) },
		MaxIdleConnsPerHost: in.d.spec.MaxConcurrent, IdleConnTimeout: 30 * time.Second, DisableCompression: true,
	}
	defer transport.CloseIdleConnections()
	if err := in.await(ctx, p, transport); err != nil {
		return false, err
	}
	in.set(transport)
	defer in.set(nil)
	up()
	select {
	case <-ctx.Done():
	case <-p.Done():
	}
	return true, nil
}

// await returns when the process answers GET /.
func (in *instance) await(ctx context.Context, p Process, transport *http.Transport) error {
	deadline := time.NewTimer(in.d.spec.ReadyTimeout)
	defer deadline.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if probe(ctx, transport) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.Done():
			return notReady("instance %d ended before it was ready", in.index)
		case <-deadline.C:
			return notReady("instance %d was not ready after %v", in.index, in.d.spec.ReadyTimeout)
		case <-tick.C:
		}
	}
}

// host is a name for the process in requests; it is not resolved.
const host = "http://instance"

func probe(ctx context.Context, transport *http.Transport) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, host+"/", nil)
	if err != nil {
		return false
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 4096)) // so that the connection can be used again
	return resp.StatusCode == http.StatusOK
}

func (in *instance) set(t *http.Transport) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.http = t
}

func (in *instance) transport() *http.Transport {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.http
}
