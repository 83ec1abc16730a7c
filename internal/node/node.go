package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning/datastore"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning/task"
	"github.com/cloister-ml/cloister/internal/sandbox"
)

// Image is a pulled image.
type Image struct {
	Layers []string // folders, lowest first
	Env    []string
}

// Images pull environment images from the workspace's registry.
type Images interface {
	Pull(ctx context.Context, ref string) (Image, error)
}

// Sandboxes run commands.
type Sandboxes interface {
	Run(ctx context.Context, s sandbox.Spec) (exitCode int, err error)
}

// Config of a node.
type Config struct {
	Host      string // of the workspace's API
	Cluster   arm.ID
	Index     int
	Dir       string // for what tasks need; emptied at the start
	Roots     string // PEM file that tasks trust
	NetNS     string // path of the node's network namespace
	Images    Images
	Sandboxes Sandboxes
	Log       *slog.Logger
}

// Node runs tasks.
type Node struct {
	c         Config
	workspace *workspace
	blobs     *datastore.Blobs
	bundle    []byte // certificates that tasks trust
}

// New prepares a node that reaches the cloud over link.
func New(link *Link, c Config) (*Node, error) {
	bundle, err := os.ReadFile(c.Roots)
	if err != nil {
		return nil, fmt.Errorf("reading the trusted certificates: %w", err)
	}
	tasks := filepath.Join(c.Dir, "tasks")
	if err := os.RemoveAll(tasks); err != nil {
		return nil, fmt.Errorf("clearing what a former task left: %w", err)
	}
	if err := os.MkdirAll(tasks, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of tasks: %w", err)
	}
	return &Node{
		c: c, workspace: newWorkspace(link, c.Host, c.Cluster, c.Index),
		blobs: datastore.NewBlobs(link.Token, link.client), bundle: bundle,
	}, nil
}

const (
	claimWait  = 20 * time.Second
	firstPause = 200 * time.Millisecond
	lastPause  = 5 * time.Second
)

// Run takes and runs tasks until ctx ends.
func (n *Node) Run(ctx context.Context) error {
	pause := firstPause
	for ctx.Err() == nil {
		t, err := n.workspace.claim(ctx, claimWait)
		if err == nil {
			pause = firstPause
			if t != nil {
				n.do(ctx, t)
			}
		} else if ctx.Err() == nil {
			n.c.Log.Warn("asking for a task", "error", err)
			sleep(ctx, pause)
			pause = min(2*pause, lastPause)
		}
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// Why a task is ended from outside.
var (
	errCanceled = errors.New("cancelled")
	errTimeout  = errors.New("the command took longer than limits.timeout allows")
	errSilence  = errors.New("the workspace could not be reached, and the task's lease has lapsed")
)

// do runs a task and reports its end.
func (n *Node) do(parent context.Context, t *task.Task) {
	log := n.c.Log.With("job", t.Job, "step", t.Name, "attempt", t.Attempt)
	log.Info("task begins")
	started := time.Now()
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	r := &run{n: n, t: t, dir: filepath.Join(n.c.Dir, "tasks", t.Lease), state: newState("Preparing")}
	stop := r.live(ctx, cancel)
	result, err := r.run(ctx)
	cause := context.Cause(ctx)
	switch {
	case parent.Err() != nil || errors.Is(cause, errLeaseLost) || errors.Is(cause, errSilence):
		// The task is not ours any more, or the node goes: another attempt is made.
		stop()
		log.Warn("task given up", "because", cause)
	case errors.Is(cause, errCanceled):
		result = task.Result{Canceled: true}
		r.report(parent, result)
		stop()
	default:
		if err != nil {
			result.Error = err.Error()
		}
		r.report(parent, result)
		stop()
	}
	log.Info("task ended", "exitCode", result.ExitCode, "error", result.Error, "took", time.Since(started))
	if err := os.RemoveAll(r.dir); err != nil {
		log.Warn("clearing the task's folder", "error", err)
	}
}
