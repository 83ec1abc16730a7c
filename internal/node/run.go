package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/cloister-ml/cloister/internal/provider/machinelearning/datastore"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning/task"
	"github.com/cloister-ml/cloister/internal/sandbox"
)

// jobUser is who commands run as.
const jobUser = 1000

// run is one task on its way.
type run struct {
	n     *Node
	t     *task.Task
	dir   string
	state *state
	log   *shipper
}

// state is how far a task is; change is signalled at once.
type state struct {
	mu      sync.Mutex
	name    string
	changed chan struct{}
}

func newState(name string) *state { return &state{name: name, changed: make(chan struct{}, 1)} }

func (s *state) set(name string) {
	s.mu.Lock()
	s.name = name
	s.mu.Unlock()
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

func (s *state) get() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.name
}

// live renews the lease until stop is called, and ends the task when it is lost
// or cancelled.
func (r *run) live(ctx context.Context, end context.CancelCauseFunc) (stop func()) {
	beat, cancel := context.WithCancel(context.WithoutCancel(ctx))
	lease := time.Duration(r.t.LeaseTime) * time.Second
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(max(lease/5, 100*time.Millisecond))
		defer tick.Stop()
		last := time.Now()
		for {
			select {
			case <-beat.Done():
				return
			case <-r.state.changed:
			case <-tick.C:
			}
			one, done := context.WithTimeout(beat, lease/2)
			cancelled, err := r.n.workspace.heartbeat(one, r.t.Lease, r.state.get())
			done()
			switch {
			case beat.Err() != nil:
				return
			case errors.Is(err, errLeaseLost):
				end(errLeaseLost)
				return
			case err == nil:
				last = time.Now()
			case time.Since(last) > lease:
				end(errSilence)
				return
			}
			if cancelled {
				end(errCanceled)
			}
		}
	})
	return func() { cancel(); wg.Wait() }
}

// run does the task. The error says what failed beside the command.
func (r *run) run(ctx context.Context) (task.Result, error) {
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return task.Result{}, err
	}
	var err error
	r.log, err = newShipper(filepath.Join(r.dir, "std_log.txt"), func(ctx context.Context, offset int64, piece []byte) (int64, error) {
		return r.n.workspace.appendLog(ctx, r.t.Lease, offset, piece)
	})
	if err != nil {
		return task.Result{}, err
	}
	shipping, stop := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	wg.Go(func() { r.log.run(shipping) })
	result, err := r.steps(ctx)
	stop()
	wg.Wait()
	if flush := r.log.flush(context.WithoutCancel(ctx)); flush != nil && !errors.Is(flush, errLeaseLost) {
		r.n.c.Log.Warn("sending the end of the log", "job", r.t.Job, "error", flush)
	}
	r.keepLog(ctx)
	return result, errors.Join(err, r.log.close())
}

func (r *run) steps(ctx context.Context) (task.Result, error) {
	image, err := r.prepare(ctx)
	if err != nil {
		return task.Result{}, err
	}
	r.state.set("Running")
	code, err := r.command(ctx, image)
	if err != nil || code != 0 {
		return task.Result{ExitCode: code}, err
	}
	r.state.set("Finalizing")
	return task.Result{}, r.upload(ctx)
}

// prepare gets the image and the data, both at once.
func (r *run) prepare(ctx context.Context) (Image, error) {
	var image Image
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		image, err = r.n.c.Images.Pull(ctx, r.t.Image)
		return err
	})
	for _, d := range r.t.Downloads {
		g.Go(func() error { return r.download(ctx, d) })
	}
	for _, u := range r.t.Uploads {
		g.Go(func() error { return os.MkdirAll(r.outside(mountPoint(u.Source, u.File)), 0o755) })
	}
	if err := g.Wait(); err != nil {
		return image, err
	}
	return image, os.MkdirAll(r.outside(r.t.WorkingDir), 0o755)
}

// outside is where a folder of the sandbox is on the node.
func (r *run) outside(inside string) string {
	return filepath.Join(r.dir, "data", filepath.FromSlash(path.Clean("/"+inside)))
}

// mountPoint is the folder that is mounted for a target: a file's is the one that
// it is in.
func mountPoint(target string, file bool) string {
	if file {
		return path.Dir(target)
	}
	return target
}

func (r *run) download(ctx context.Context, d task.Download) error {
	wrap := func(err error) error {
		if err == nil {
			return nil
		}
		if d.Name == "code" {
			return fmt.Errorf("getting the code: %w", err)
		}
		return fmt.Errorf("getting the input %s: %w", d.Name, err)
	}
	at, err := datastore.ParseBlob(d.URL)
	if err != nil {
		return wrap(err)
	}
	dir := r.outside(mountPoint(d.Target, d.File))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return wrap(err)
	}
	if d.File {
		_, err = r.n.blobs.DownloadFile(ctx, at, dir, path.Base(d.Target))
		return wrap(err)
	}
	moved, err := r.n.blobs.DownloadTree(ctx, at, dir)
	if err != nil || moved.Files > 0 {
		return wrap(err)
	}
	// Nothing is below it: it may be a file that is named as a folder is, or a
	// step's output that the step left empty.
	_, err = r.n.blobs.DownloadFile(ctx, at, dir, at.Name())
	if errors.Is(err, fs.ErrNotExist) && d.MayBeEmpty {
		return nil
	}
	return wrap(err)
}

// command runs the task's command and gives its exit code.
func (r *run) command(ctx context.Context, image Image) (int, error) {
	if r.t.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, time.Duration(r.t.Timeout)*time.Second, errTimeout)
		defer cancel()
	}
	code, err := r.n.c.Sandboxes.Run(ctx, r.spec(image))
	if cause := context.Cause(ctx); cause != nil {
		return code, cause
	}
	return code, err
}

func (r *run) spec(image Image) sandbox.Spec {
	host := strings.ToLower(r.n.c.Cluster.Name()) + "-" + strconv.Itoa(r.n.c.Index)
	s := sandbox.Spec{
		Name: "job-" + r.t.Lease, Layers: image.Layers, NetNS: r.n.c.NetNS, Hostname: host,
		Args: []string{"/bin/bash", "-c", r.t.Command}, Env: r.environ(image), Cwd: r.t.WorkingDir, UID: jobUser, GID: jobUser,
		Limits: sandbox.Limits{CPUs: r.t.CPUs, Memory: r.t.Memory, PIDs: 4096},
		Stdout: r.log, Stderr: r.log,
		Files: map[string]sandbox.File{
			"/etc/resolv.conf": {Data: []byte("nameserver 168.63.129.16\noptions timeout:2 attempts:2\n"), Mode: 0o644},
			"/etc/hosts":       {Data: []byte("127.0.0.1 localhost\n127.0.1.1 " + host + "\n"), Mode: 0o644},
			bundlePath:         {Data: r.n.bundle, Mode: 0o644},
		},
	}
	mounts := map[string]bool{r.t.WorkingDir: false} // target -> read only
	for _, d := range r.t.Downloads {
		mounts[mountPoint(d.Target, d.File)] = !d.Writable
	}
	for _, u := range r.t.Uploads {
		mounts[mountPoint(u.Source, u.File)] = false
	}
	for _, target := range slices.Sorted(maps.Keys(mounts)) {
		s.Mounts = append(s.Mounts, sandbox.Mount{Source: r.outside(target), Target: target, ReadOnly: mounts[target]})
	}
	return s
}

// bundlePath is where programs look for the certificates that they trust.
const bundlePath = "/etc/ssl/certs/ca-certificates.crt"

func (r *run) environ(image Image) []string {
	env := map[string]string{
		"HOME": "/tmp", "USER": "azureml", "LOGNAME": "azureml", "PYTHONUNBUFFERED": "1",
		"SSL_CERT_FILE": bundlePath, "REQUESTS_CA_BUNDLE": bundlePath, "CURL_CA_BUNDLE": bundlePath,
	}
	for _, v := range image.Env {
		if name, value, ok := strings.Cut(v, "="); ok {
			env[name] = value
		}
	}
	maps.Copy(env, r.t.Env)
	out := make([]string, 0, len(env))
	for _, name := range slices.Sorted(maps.Keys(env)) {
		if name != "" && !strings.ContainsAny(name, "=\x00") && !strings.ContainsRune(env[name], 0) {
			out = append(out, name+"="+env[name])
		}
	}
	return out
}

// upload takes the outputs to where they belong.
func (r *run) upload(ctx context.Context) error {
	for _, u := range r.t.Uploads {
		if err := r.uploadOne(ctx, u); err != nil {
			return fmt.Errorf("putting the output %s: %w", u.Name, err)
		}
	}
	return nil
}

func (r *run) uploadOne(ctx context.Context, u task.Upload) error {
	at, err := datastore.ParseBlob(u.URL)
	if err != nil {
		return err
	}
	if u.File {
		_, err = r.n.blobs.UploadFile(ctx, r.outside(u.Source), at)
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("the command did not write %s", u.Source)
		}
		return err
	}
	if r.t.Attempt > 1 {
		// A former attempt may have left files here.
		old, err := r.n.blobs.List(ctx, at)
		if err != nil && !datastore.NoContainer(err) {
			return err
		}
		for _, e := range old {
			if err := r.n.blobs.Delete(ctx, datastore.Blob{Account: at.Account, Container: at.Container, Path: e.Path}); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	_, err = r.n.blobs.UploadTree(ctx, r.outside(u.Source), at, nil)
	return err
}

// keepLog puts a copy of the log beside the workspace's other artifacts. The task
// does not fail over it.
func (r *run) keepLog(ctx context.Context) {
	at, err := datastore.ParseBlob(r.t.LogURL)
	if err != nil || ctx.Err() != nil {
		return
	}
	if _, err := r.n.blobs.UploadFile(ctx, filepath.Join(r.dir, "std_log.txt"), at); err != nil {
		r.n.c.Log.Warn("keeping the log", "job", r.t.Job, "error", err)
	}
}

// report tells the workspace how the task ended, until it has heard.
func (r *run) report(ctx context.Context, result task.Result) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	for {
		err := r.n.workspace.complete(ctx, r.t.Lease, result)
		if err == nil || errors.Is(err, errLeaseLost) {
			return
		}
		r.n.c.Log.Warn("reporting the end of a task", "job", r.t.Job, "error", err)
		if ctx.Err() != nil {
			return
		}
		sleep(ctx, time.Second)
	}
}
