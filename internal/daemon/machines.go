package daemon

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/fabric"
	"github.com/cloister-ml/cloister/internal/machine"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning"
	"github.com/cloister-ml/cloister/internal/sandbox"
	"github.com/cloister-ml/cloister/service"
)

// outsider is the name of the machine on the internet.
const outsider = "internet"

// outsiderResolver answers as public DNS does, in the internet's namespace.
const outsiderResolver = "192.0.2.53"

// Paths in a machine.
const (
	bundlePath = "/etc/ssl/certs/ca-certificates.crt"
	binaryPath = "/usr/bin/cloister"
)

// machines runs virtual machines as sandboxes.
type machines struct {
	d  *Daemon
	mu sync.Mutex // one machine is started at a time
	// closed is set when the daemon ends: no machine is started any more.
	closed bool
	// running are the sandboxes of machines, by the machine's key.
	running sync.Map
	// fallen are the sandboxes of machines that were cut short and are to start again.
	fallen map[string]*sandbox.Sandbox
	// stations are the compute instances whose networks are held, by key.
	stations map[string]bool
	// outposts are the machines behind gateways that were started.
	outposts []arm.ID
}

// box is a machine's sandbox.
type box struct {
	name    string // of the machine
	sandbox *sandbox.Sandbox
}

// boxName is the sandbox of a machine.
func (d *Daemon) boxName(machine arm.ID) string {
	return d.options.Name + "-" + strings.ToLower(machine.Name()) + "-" + digest(machine)
}

func digest(id arm.ID) string {
	sum := sha256.Sum256([]byte(id.Key()))
	return hex.EncodeToString(sum[:5])
}

// disk is what a machine has written.
func (d *Daemon) disk(machine arm.ID) string {
	return filepath.Join(d.options.Dir, "machines", d.boxName(machine), "disk")
}

// Start implements compute.Machines.
func (m *machines) Start(ctx context.Context, vm arm.Resource) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.isRunning(vm.ID) {
		return nil
	}
	if err := m.d.syncer.Sync(ctx); err != nil {
		return fmt.Errorf("building the network of %s: %w", vm.Name, err)
	}
	nics := arm.Objects(vm.Properties, "networkProfile.networkInterfaces")
	if len(nics) == 0 {
		return fmt.Errorf("the virtual machine %s has no network interface", vm.Name)
	}
	namespace, ok := m.d.fabric.Namespace(arm.Ref(nics[0], "id"))
	if !ok {
		return fmt.Errorf("the network interface %s of %s is not built", arm.Ref(nics[0], "id").Name(), vm.Name)
	}
	host := arm.String(vm.Properties, "osProfile.computerName")
	if host == "" {
		host = vm.Name
	}
	files, err := m.d.sshFiles(vm)
	if err != nil {
		return fmt.Errorf("preparing the SSH server of %s: %w", vm.Name, err)
	}
	maps.Copy(files, m.d.systemFiles(host, service.WireServer.String()))
	return m.start(ctx, vm.ID, sandbox.Spec{
		Hostname: host,
		NetNS:    fabric.NamespacePath(namespace),
		Limits:   sizeLimits(arm.String(vm.Properties, "hardwareProfile.vmSize")),
		Files:    files,
	})
}

// workstations runs the machines of compute instances.
type workstations struct{ m *machines }

var _ machinelearning.Workstations = workstations{}

// Start implements machinelearning.Workstations.
func (w workstations) Start(ctx context.Context, instance arm.Resource) error {
	m, nic := w.m, nodeID(instance.ID, "0")
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.isRunning(instance.ID) {
		return nil
	}
	if !m.stations[instance.ID.Key()] {
		m.d.nodes.hold([]arm.ID{nic})
		m.stations[instance.ID.Key()] = true
	}
	if err := m.d.syncer.Sync(ctx); err != nil {
		return fmt.Errorf("building the network of %s: %w", instance.Name, err)
	}
	namespace, ok := m.d.fabric.Namespace(nic)
	if !ok {
		return fmt.Errorf("the network of compute instance %s is not built: is there room in its subnet?", instance.Name)
	}
	return m.start(ctx, instance.ID, sandbox.Spec{
		Hostname: instance.Name,
		NetNS:    fabric.NamespacePath(namespace),
		Limits:   sizeLimits(arm.String(instance.Properties, "properties.vmSize")),
		Files:    m.d.systemFiles(instance.Name, service.WireServer.String()),
	})
}

// Stop implements machinelearning.Workstations.
func (w workstations) Stop(ctx context.Context, instance arm.ID, forget bool) error {
	if err := w.m.Stop(ctx, instance, forget); err != nil {
		return err
	}
	w.m.mu.Lock()
	held := w.m.stations[instance.Key()]
	delete(w.m.stations, instance.Key())
	w.m.mu.Unlock()
	if !held {
		return nil
	}
	w.m.d.nodes.release([]arm.ID{nodeID(instance, "0")})
	return w.m.d.syncer.Sync(ctx)
}

// outsiderID names the machine on the internet as documents are named; there is
// no such document.
const outsiderID = arm.ID("/providers/Cloister.Internet/machines/" + outsider)

// startOutsider runs the machine on the internet that has nothing to do with the
// estate.
func (m *machines) startOutsider(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.start(ctx, outsiderID, sandbox.Spec{
		Hostname: outsider,
		NetNS:    fabric.NamespacePath(m.d.fabric.OutsiderNamespace()),
		Files:    m.d.systemFiles(outsider, outsiderResolver),
	})
}

// start completes the spec of a machine and starts it. The caller holds mu.
func (m *machines) start(ctx context.Context, id arm.ID, s sandbox.Spec) error {
	if m.closed {
		return errors.New("the cloud is ending")
	}
	asked := s
	layers, err := m.d.machineLayers(ctx)
	if err != nil {
		return err
	}
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	dir := filepath.Dir(m.d.disk(id))
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return err
	}
	console := machine.NewLog(filepath.Join(dir, "console.log"), consoleSize, consoleKeep)
	s.Name, s.Layers, s.Upper, s.Machine = m.d.boxName(id), layers, m.d.disk(id), true
	s.Args = []string{binaryPath, "machine", "init"}
	s.Env = trustEnv()
	s.Mounts = append(s.Mounts, sandbox.Mount{Source: exe, Target: binaryPath, ReadOnly: true})
	s.Stdout, s.Stderr = console, console
	started := time.Now()
	sb, err := m.d.boxes.Start(ctx, s)
	if err != nil {
		return errors.Join(err, console.Close())
	}
	m.d.log.Info("machine started", "machine", id.Name(), "took", time.Since(started))
	m.running.Store(id.Key(), box{name: id.Name(), sandbox: sb})
	delete(m.fallen, id.Key())
	go func() {
		m.watch(id, asked, sb, started)
		if err := console.Close(); err != nil {
			m.d.log.Warn("closing a machine's console", "machine", id.Name(), "error", err)
		}
	}()
	return nil
}

// A machine's console is set aside at this size, and so many older ones are kept.
const (
	consoleSize = 4 << 20
	consoleKeep = 2
)

func (m *machines) isRunning(id arm.ID) bool {
	_, ok := m.running.Load(id.Key())
	return ok
}

// close ends all machines; their disks stay.
func (m *machines) close(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return m.d.boxes.RemoveAll(ctx)
}

// machineStop is how long a machine's services have to end.
const machineStop = 2 * time.Second

// Stop implements compute.Machines.
func (m *machines) Stop(ctx context.Context, vm arm.ID, forget bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.fallen, vm.Key())
	if b, ok := m.running.LoadAndDelete(vm.Key()); ok {
		if err := b.(box).sandbox.Stop(ctx, machineStop); err != nil {
			return err
		}
	}
	if !forget {
		return nil
	}
	return os.RemoveAll(filepath.Dir(m.d.disk(vm)))
}

// systemFiles are what a machine needs to know of the cloud around it.
func (d *Daemon) systemFiles(host, resolver string) map[string]sandbox.File {
	bundle, err := os.ReadFile(d.bundleFile())
	if err != nil { // written when the daemon started
		d.log.Error("reading the trusted certificates", "error", err)
	}
	return map[string]sandbox.File{
		"/etc/resolv.conf": {Data: []byte("nameserver " + resolver + "\noptions timeout:2 attempts:2\n"), Mode: 0o644},
		"/etc/hostname":    {Data: []byte(host + "\n"), Mode: 0o644},
		"/etc/hosts":       {Data: []byte("127.0.0.1 localhost\n127.0.1.1 " + host + "\n"), Mode: 0o644},
		bundlePath:         {Data: bundle, Mode: 0o644},
	}
}

// trustEnv makes clients with certificates of their own trust the machine's.
func trustEnv() []string {
	var out []string
	for _, name := range []string{"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO"} {
		out = append(out, name+"="+bundlePath)
	}
	return out
}

// vcpus finds the number of cores in a size's name, as in Standard_D2s_v3.
var vcpus = regexp.MustCompile(`^(?i:Standard|Basic)_[A-Za-z]+(\d+)`)

// sizeLimits are the limits that a virtual machine size stands for: its cores and
// 4 GiB for each, as far as this machine has them.
func sizeLimits(size string) sandbox.Limits {
	cores := 2
	if m := vcpus.FindStringSubmatch(size); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil && n > 0 {
			cores = n
		}
	}
	return sandbox.Limits{CPUs: float64(min(cores, runtime.NumCPU())), Memory: int64(min(cores, 16)) << 32, PIDs: 4096}
}
