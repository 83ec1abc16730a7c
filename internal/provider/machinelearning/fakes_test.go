package machinelearning_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/node"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning"
	"github.com/cloister-ml/cloister/internal/sandbox"
	"github.com/cloister-ml/cloister/service"
)

// stations note which compute instances are to run.
type stations struct{ running sync.Map }

func (s *stations) Start(_ context.Context, instance arm.Resource) error {
	s.running.Store(instance.ID.Key(), true)
	return nil
}

func (s *stations) Stop(_ context.Context, instance arm.ID, _ bool) error {
	s.running.Delete(instance.Key())
	return nil
}

func (s *stations) runs(instance arm.ID) bool {
	_, ok := s.running.Load(instance.Key())
	return ok
}

// nodes run the real node runner in this process.
type nodes struct {
	w       *world
	mu      sync.Mutex
	running map[string]context.CancelFunc
	wg      sync.WaitGroup
	most    int // nodes at a time
	// boxes runs commands in real sandboxes over this machine's own root; nil runs
	// them as processes.
	boxes *sandbox.Runtime
}

func (n *nodes) Start(_ context.Context, cluster arm.ID, index int) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	key := fmt.Sprint(cluster.Key(), index)
	if n.running[key] != nil {
		return nil
	}
	metadata := httptest.NewServer(n.w.Metadata(cluster))
	link, err := node.NewLink(node.LinkConfig{Metadata: metadata.URL, Roots: n.w.roots, Dial: n.w.dial})
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(n.w.t.TempDir(), "node")
	if err != nil {
		return err
	}
	host := service.WorkspaceGUID(n.w.ws) + ".workspace.westeurope.api.azureml.ms"
	config := node.Config{
		Host: host, Cluster: cluster, Index: index, Dir: dir, Roots: n.w.roots, Images: hostRoot{}, Sandboxes: bareSandbox{}, Log: n.w.Log(),
	}
	if n.boxes != nil {
		config.Sandboxes = n.boxes
	}
	runner, err := node.New(link, config)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	n.running[key] = cancel
	n.most = max(n.most, len(n.running))
	n.wg.Go(func() {
		defer metadata.Close()
		_ = runner.Run(ctx) // it ends with ctx and never fails
	})
	return nil
}

func (n *nodes) Stop(_ context.Context, cluster arm.ID, index int) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	key := fmt.Sprint(cluster.Key(), index)
	if stop := n.running[key]; stop != nil {
		stop()
		delete(n.running, key)
	}
	return nil
}

func (n *nodes) count() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.running)
}

func (n *nodes) stopAll() {
	n.mu.Lock()
	for key, stop := range n.running {
		stop()
		delete(n.running, key)
	}
	n.mu.Unlock()
	n.wg.Wait()
}

// hostRoot is an image of this machine's own root.
type hostRoot struct{}

func (hostRoot) Pull(context.Context, string) (node.Image, error) {
	return node.Image{Layers: []string{"/"}, Env: []string{"FROM_IMAGE=yes"}}, nil
}

// bareSandbox runs commands as processes of this machine; what is mounted in a
// real sandbox is named by its place outside.
type bareSandbox struct{}

func (bareSandbox) Run(ctx context.Context, s sandbox.Spec) (int, error) {
	var replace []string
	cwd := ""
	for _, m := range s.Mounts {
		replace = append(replace, m.Target, m.Source)
		if m.Target == s.Cwd {
			cwd = m.Source
		}
	}
	files, err := os.MkdirTemp("", "files")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(files)
	for path, f := range s.Files {
		outside := filepath.Join(files, filepath.Base(path))
		if err := os.WriteFile(outside, f.Data, 0o600); err != nil {
			return 0, err
		}
		replace = append(replace, path, outside)
	}
	r := strings.NewReplacer(replace...)
	cmd := exec.CommandContext(ctx, s.Args[0], s.Args[1], r.Replace(s.Args[2]))
	cmd.Dir, cmd.Stdout, cmd.Stderr = cwd, s.Stdout, s.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	for _, v := range append(s.Env, "PATH="+os.Getenv("PATH")) {
		cmd.Env = append(cmd.Env, r.Replace(v))
	}
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && ctx.Err() == nil {
		return exit.ExitCode(), nil
	}
	return 0, err
}

// images counts what is built.
type images struct {
	mu    sync.Mutex
	built []machinelearning.ImageRequest
	fail  error
}

func (i *images) Build(_ context.Context, r machinelearning.ImageRequest, log io.Writer) (string, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	fmt.Fprintln(log, "building", r.Repository)
	if i.fail != nil {
		return "", i.fail
	}
	i.built = append(i.built, r)
	return r.Registry + "/" + r.Repository + "@sha256:" + strings.Repeat("0", 64), nil
}

// instances run the scoring host as a process of this machine.
type instances struct{ t *testing.T }

func (f *instances) Start(_ context.Context, i machinelearning.Instance) (machinelearning.Running, error) {
	var replace []string
	for _, m := range i.Mounts {
		replace = append(replace, m.Target, m.Source)
	}
	r := strings.NewReplacer(replace...)
	args := make([]string, len(i.Args))
	for n, a := range i.Args {
		args[n] = r.Replace(a)
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = os.Environ()
	for _, v := range i.Env {
		cmd.Env = append(cmd.Env, r.Replace(v))
	}
	cmd.Stdout, cmd.Stderr = i.Log, i.Log
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, done: make(chan struct{}), socket: filepath.Join(i.SocketDir, i.SocketName)}
	go func() {
		_ = cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

type process struct {
	cmd    *exec.Cmd
	done   chan struct{}
	socket string
}

func (p *process) Dial(ctx context.Context) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "unix", p.socket)
}
func (p *process) Done() <-chan struct{} { return p.done }
func (p *process) Stop() {
	_ = p.cmd.Process.Kill()
	<-p.done
}
