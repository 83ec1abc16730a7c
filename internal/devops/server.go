package devops

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/cloister-ml/cloister/internal/durable"
)

// Options configure a Server. Dir and Organization are required.
type Options struct {
	Dir          string // private data folder; made when missing
	Organization string
	URL          string // as clients see it; https://dev.azure.com when empty
	Log          *slog.Logger

	// The times below are Azure DevOps' own when zero.
	LockDuration time.Duration // a running job's lock without renewal: 5 minutes
	PickupWindow time.Duration // for an agent to take a job that it was given: 1 minute
	PollDuration time.Duration // an agent's poll for messages: 50 seconds
}

func (o Options) withDefaults() Options {
	if o.URL == "" {
		o.URL = "https://dev.azure.com"
	}
	o.URL = strings.TrimSuffix(o.URL, "/")
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	setDefault(&o.LockDuration, 5*time.Minute)
	setDefault(&o.PickupWindow, time.Minute)
	setDefault(&o.PollDuration, 50*time.Second)
	return o
}

func setDefault(d *time.Duration, value time.Duration) {
	if *d == 0 {
		*d = value
	}
}

// Server is an organisation.
type Server struct {
	opts     Options
	store    *durable.DB
	db       *sql.DB // of store, to read
	key      []byte  // signs agents' and jobs' tokens
	log      *slog.Logger
	handler  http.Handler
	packages packageCache
	presence presence
	feeds    feeds
	imports  sync.Mutex // one import at a time

	stop    context.CancelFunc
	done    <-chan struct{} // closed by stop
	stopped sync.WaitGroup
	work    chan struct{} // there may be something for the loop to do
	changed notifier      // something about a run changed
}

// Open opens the organisation kept in a folder, and makes it when there is none.
func Open(opts Options) (*Server, error) {
	if opts.Dir == "" || opts.Organization == "" {
		return nil, errors.New("devops: a folder and the name of the organisation are needed")
	}
	if !validName(opts.Organization) {
		return nil, fmt.Errorf("devops: %q cannot be the name of an organisation", opts.Organization)
	}
	if err := requireGit(); err != nil {
		return nil, err
	}
	opts = opts.withDefaults()
	if err := os.MkdirAll(filepath.Join(opts.Dir, "git"), 0o700); err != nil {
		return nil, fmt.Errorf("devops: %w", err)
	}
	store, err := durable.OpenDB(filepath.Join(opts.Dir, "devops.db"), schema)
	if err != nil {
		return nil, fmt.Errorf("devops: %w", err)
	}
	s := &Server{opts: opts, store: store, db: store.Reader(), log: opts.Log, work: make(chan struct{}, 1)}
	if err := s.start(); err != nil {
		return nil, errors.Join(fmt.Errorf("devops: %w", err), store.Close())
	}
	return s, nil
}

func (s *Server) start() error {
	ctx, stop := context.WithCancel(context.Background())
	s.stop, s.done = stop, ctx.Done()
	var err error
	if s.key, err = s.signingKey(ctx); err != nil {
		return err
	}
	if err := s.resume(ctx); err != nil {
		return err
	}
	s.handler = s.routes()
	s.stopped.Go(func() { s.loop(ctx) })
	return nil
}

// resume gives every lock its full time again: while the organisation was down no
// agent could renew one.
func (s *Server) resume(ctx context.Context) error {
	return s.update(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE request SET locked_until = ? WHERE state = 'running'`, millis(time.Now().Add(s.opts.LockDuration)))
		if err != nil {
			return err
		}
		_, err = tx.Exec(`UPDATE request SET locked_until = ? WHERE state = 'assigned'`, millis(time.Now().Add(s.opts.PickupWindow)))
		return err
	})
}

// Close stops the organisation. Runs go on when it is opened again.
func (s *Server) Close() error {
	s.stop()
	s.changed.broadcast()
	s.presence.wakeAll()
	s.stopped.Wait()
	s.packages.close()
	return s.store.Close()
}

// Handler answers for the organisation's host, dev.azure.com.
func (s *Server) Handler() http.Handler { return s.handler }

// url is a URL of the organisation.
func (s *Server) url(format string, args ...any) string {
	return s.opts.URL + "/" + s.opts.Organization + fmt.Sprintf(format, args...)
}

// closing says that the organisation is being closed.
func (s *Server) closing() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// wake lets the loop look again.
func (s *Server) wake() {
	select {
	case s.work <- struct{}{}:
	default:
	}
	s.changed.broadcast()
}

// loop hands queued jobs to agents, notices lost ones and starts the runs that
// others trigger.
func (s *Server) loop(ctx context.Context) {
	tick := time.NewTicker(min(time.Second, s.opts.PickupWindow/4))
	defer tick.Stop()
	for {
		for _, step := range []struct {
			what string
			do   func(context.Context) error
		}{
			{"finding lost jobs", s.expire},
			{"assigning jobs", s.assign},
			{"starting triggered runs", s.announce},
		} {
			if err := step.do(ctx); err != nil && ctx.Err() == nil {
				s.log.Error("devops: "+step.what, "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-s.work:
		case <-tick.C:
		}
	}
}

// notifier wakes everybody who waits for the next change.
type notifier struct {
	mu sync.Mutex
	ch chan struct{}
}

// next is closed at the next broadcast.
func (n *notifier) next() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ch == nil {
		n.ch = make(chan struct{})
	}
	return n.ch
}

func (n *notifier) broadcast() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ch != nil {
		close(n.ch)
		n.ch = nil
	}
}

// validName says whether a name can stand in a URL's path as it is.
func validName(name string) bool {
	if name == "" || len(name) > 64 || name[0] == '.' || name[0] == '_' || name[0] == '-' || strings.Contains(name, "..") {
		return false
	}
	for _, c := range name {
		ok := c == '-' || c == '_' || c == '.' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !ok {
			return false
		}
	}
	return true
}
