package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/sandbox"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/service"
)

// nodes runs the nodes of compute clusters: each a network namespace, and in it
// the node runner, which pulls images and runs jobs.
type nodes struct {
	d *Daemon

	mu      sync.Mutex
	running map[string]*node // by the key of the node's network interface
	held    map[string]int   // networks that are wanted without a runner
}

// node is a running node. Its runner ends when its input does, so that it never
// outlives the daemon.
type node struct {
	cmd   *exec.Cmd
	input io.Closer
	done  chan struct{}
}

// wanted says which networks the fabric builds: those of every machine and
// endpoint, and of the nodes that run or are held.
func (n *nodes) wanted(nic network.NIC) bool {
	if nic.Kind != network.KindCompute {
		return true
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.running[nic.ID.Key()] != nil || n.held[nic.ID.Key()] > 0
}

func (n *nodes) isRunning(nic arm.ID) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.running[nic.Key()] != nil
}

// hold asks for the networks of nodes; release gives them back. The next Sync
// builds or removes them.
func (n *nodes) hold(nics []arm.ID) { n.count(nics, 1) }

func (n *nodes) release(nics []arm.ID) { n.count(nics, -1) }

func (n *nodes) count(nics []arm.ID, by int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.held == nil {
		n.held = map[string]int{}
	}
	for _, nic := range nics {
		n.held[nic.Key()] += by
	}
}

// Start implements machinelearning.Nodes.
func (n *nodes) Start(ctx context.Context, cluster arm.ID, index int) error {
	nic := nodeID(cluster, strconv.Itoa(index))
	if n.isRunning(nic) {
		return nil
	}
	n.hold([]arm.ID{nic})
	defer n.release([]arm.ID{nic})
	if err := n.d.syncer.Sync(ctx); err != nil {
		return fmt.Errorf("building the network of node %d of %s: %w", index, cluster.Name(), err)
	}
	namespace, ok := n.d.fabric.Namespace(nic)
	if !ok {
		return fmt.Errorf("the network of node %d of %s is not built: is there room in its subnet?", index, cluster.Name())
	}
	started, err := n.spawn(cluster, index, namespace)
	if err != nil {
		return fmt.Errorf("starting node %d of %s: %w", index, cluster.Name(), err)
	}
	n.mu.Lock()
	if n.running == nil {
		n.running = map[string]*node{}
	}
	n.running[nic.Key()] = started
	n.mu.Unlock()
	go n.watch(nic, started)
	return nil
}

// watch notices that a runner has ended.
func (n *nodes) watch(nic arm.ID, started *node) {
	err := started.cmd.Wait()
	close(started.done)
	n.mu.Lock()
	if n.running[nic.Key()] == started {
		delete(n.running, nic.Key())
	}
	n.mu.Unlock()
	n.d.log.Info("node ended", "node", nic, "error", err)
}

// Stop implements machinelearning.Nodes.
func (n *nodes) Stop(ctx context.Context, cluster arm.ID, index int) error {
	nic := nodeID(cluster, strconv.Itoa(index))
	n.mu.Lock()
	started := n.running[nic.Key()]
	n.mu.Unlock()
	if started == nil {
		return nil
	}
	if err := started.end(ctx); err != nil {
		return fmt.Errorf("ending node %d of %s: %w", index, cluster.Name(), err)
	}
	return n.d.syncer.Sync(ctx)
}

// nodeStop is how long a node has to end its job.
const nodeStop = 5 * time.Second

// end closes the runner's input, which asks it to end, and ends it when it takes
// too long.
func (s *node) end(ctx context.Context) error {
	s.input.Close()
	select {
	case <-s.done:
		return nil
	case <-time.After(nodeStop):
	case <-ctx.Done():
	}
	if err := s.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-s.done
	return nil
}

func (n *nodes) stopAll(ctx context.Context) {
	n.mu.Lock()
	all := make([]*node, 0, len(n.running))
	for _, s := range n.running {
		all = append(all, s)
	}
	n.mu.Unlock()
	var wg sync.WaitGroup
	for _, s := range all {
		wg.Go(func() {
			if err := s.end(ctx); err != nil {
				n.d.log.Error("ending a node", "error", err)
			}
		})
	}
	wg.Wait()
}

// dir is where the nodes of a cluster keep images and work, as their local disk.
func (n *nodes) dir(cluster arm.ID) string {
	return filepath.Join(n.d.options.Dir, "nodes", strings.ToLower(cluster.Name())+"-"+digest(cluster))
}

// spawn starts the runner in the node's network namespace.
func (n *nodes) spawn(cluster arm.ID, index int, namespace string) (*node, error) {
	dir := filepath.Join(n.dir(cluster), strconv.Itoa(index))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	log, err := os.OpenFile(filepath.Join(dir, "node.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd, err := n.command(cluster, index, dir)
	if err != nil {
		return nil, err
	}
	input, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := n.d.fabric.Within(namespace, cmd.Start); err != nil {
		return nil, err
	}
	started := &node{cmd: cmd, input: input, done: make(chan struct{})}
	return started, os.WriteFile(filepath.Join(dir, "pid"), []byte(strconv.Itoa(cmd.Process.Pid)), 0o600)
}

// command is the node runner of a cluster's node.
func (n *nodes) command(cluster arm.ID, index int, dir string) (*exec.Cmd, error) {
	ws, ok := n.d.cloud.Get(cluster.Parent())
	if !ok {
		return nil, fmt.Errorf("the workspace %s does not exist", cluster.Parent().Name())
	}
	host := ""
	for _, ep := range service.Endpoints(ws) {
		if ep.Service == "api" {
			host = ep.Host
		}
	}
	return exec.Command("/proc/self/exe", "node", "run", "--host", host, "--compute", string(cluster), "--node", strconv.Itoa(index),
		"--dir", dir, "--images", filepath.Join(n.dir(cluster), "images"), "--ca", n.d.bundleFile()), nil
}

// endLeftOver ends runners, and their jobs' sandboxes, that a daemon which was
// killed has left. A process is ended only if it is a node runner of this cloud.
func (n *nodes) endLeftOver() error {
	pids, err := filepath.Glob(filepath.Join(n.d.options.Dir, "nodes", "*", "*", "pid"))
	if err != nil {
		return err
	}
	var errs []error
	for _, file := range pids {
		data, err := os.ReadFile(file)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		pid, err := strconv.Atoi(string(bytes.TrimSpace(data)))
		if err != nil || pid <= 1 {
			continue
		}
		line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if err == nil && slices.Contains(strings.Split(string(line), "\x00"), filepath.Dir(file)) {
			errs = append(errs, kill(pid))
		}
		errs = append(errs, os.Remove(file), removeBoxes(filepath.Join(filepath.Dir(file), "boxes")))
	}
	return errors.Join(errs...)
}

// removeBoxes removes the sandboxes of a node's jobs.
func removeBoxes(dir string) error {
	if !exists(dir) {
		return nil // it has run no job
	}
	boxes, err := sandbox.Open(dir)
	if err != nil {
		return err
	}
	return boxes.RemoveAll(context.Background())
}

// kill ends a process and waits until it is gone.
func kill(pid int) error {
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("ending the process %d: %w", pid, err)
	}
	for range 200 {
		if !alive(pid) {
			return nil
		}
		time.Sleep(5 * time.Millisecond)
	}
	return fmt.Errorf("the process %d does not end", pid)
}
