package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/cloister-ml/cloister/internal/provider/machinelearning/task"
)

// shipEvery is how long a line of output waits at most before it is sent.
const shipEvery = 200 * time.Millisecond

// maxOutput bounds the log on the node's disk.
const maxOutput = 256 << 20

// shipper keeps a task's output in a file and sends it to the workspace while the
// task runs.
type shipper struct {
	send func(ctx context.Context, offset int64, piece []byte) (int64, error)

	mu   sync.Mutex
	file *os.File
	size int64
	full bool

	sent  int64
	fresh chan struct{} // something was written
}

func newShipper(path string, send func(ctx context.Context, offset int64, piece []byte) (int64, error)) (*shipper, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the task's log: %w", err)
	}
	return &shipper{send: send, file: f, fresh: make(chan struct{}, 1)}, nil
}

// Write takes output of the task.
func (s *shipper) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.size+int64(len(p)) > maxOutput {
		s.full = true
		return len(p), nil // the task is not stopped by what it says
	}
	n, err := s.file.Write(p)
	s.size += int64(n)
	select {
	case s.fresh <- struct{}{}:
	default:
	}
	return n, err
}

// run sends what is written until ctx ends.
func (s *shipper) run(ctx context.Context) {
	tick := time.NewTicker(shipEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.fresh:
		}
		// What fails is sent again with what comes next, and at the end by flush.
		if err := s.ship(ctx); errors.Is(err, errLeaseLost) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// ship sends everything that has not been sent.
func (s *shipper) ship(ctx context.Context) error {
	buf := make([]byte, task.MaxLog)
	for {
		n, err := s.file.ReadAt(buf, s.sent)
		if n == 0 {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		kept, err := s.send(ctx, s.sent, buf[:n])
		if err != nil {
			return err
		}
		if kept == s.sent {
			return fmt.Errorf("the workspace keeps no more of the log")
		}
		s.sent = kept
	}
}

// flush sends the rest after run has ended.
func (s *shipper) flush(ctx context.Context) error {
	for attempt := 0; ; attempt++ {
		err := s.ship(ctx)
		if err == nil || errors.Is(err, errLeaseLost) || attempt == 4 {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(time.Second):
		}
	}
}

func (s *shipper) close() error { return s.file.Close() }
