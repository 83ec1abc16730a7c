package daemon

import (
	"context"
	"net"
	"path/filepath"
	"sync"
	"time"

	"github.com/cloister-ml/cloister/internal/provider/machinelearning"
	"github.com/cloister-ml/cloister/internal/sandbox"
)

// instances runs online deployments' processes in sandboxes without a network.
type instances struct{ d *Daemon }

var _ machinelearning.Instances = instances{}

// Start implements machinelearning.Instances.
func (i instances) Start(ctx context.Context, in machinelearning.Instance) (machinelearning.Running, error) {
	pulled, err := i.d.images.Pull(ctx, in.Image, i.d.registryOptions(ctx, in.Workspace)...)
	if err != nil {
		return nil, err
	}
	spec := sandbox.Spec{
		Name:     i.d.boxName(in.Deployment) + "-" + string(rune('a'+in.Index%26)),
		Layers:   pulled.Layers,
		Hostname: in.Deployment.Name(),
		Args:     in.Args,
		Env:      append(pulled.Env, in.Env...),
		UID:      scoringUser, GID: scoringUser,
		Mounts: []sandbox.Mount{{Source: in.SocketDir, Target: in.SocketDir}},
		Limits: sandbox.Limits{CPUs: in.CPUs, Memory: in.Memory, PIDs: 512},
		Stdout: in.Log, Stderr: in.Log,
	}
	for _, m := range in.Mounts {
		spec.Mounts = append(spec.Mounts, sandbox.Mount{Source: m.Source, Target: m.Target, ReadOnly: true})
	}
	sb, err := i.d.boxes.Start(ctx, spec)
	if err != nil {
		return nil, err
	}
	return &instance{sandbox: sb, socket: filepath.Join(in.SocketDir, in.SocketName)}, nil
}

// scoringUser is who scoring scripts run as.
const scoringUser = 1000

type instance struct {
	sandbox *sandbox.Sandbox
	socket  string
	stop    sync.Once
}

func (i *instance) Dial(ctx context.Context) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "unix", i.socket)
}

func (i *instance) Done() <-chan struct{} { return i.sandbox.Done() }

// scoringStop is how long a scoring process has to end its requests.
const scoringStop = 2 * time.Second

func (i *instance) Stop() {
	i.stop.Do(func() {
		_ = i.sandbox.Stop(context.Background(), scoringStop) // what is left is removed at the next start
		<-i.sandbox.Done()
	})
}
