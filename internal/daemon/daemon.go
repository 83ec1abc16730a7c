package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/fabric"
	"github.com/cloister-ml/cloister/internal/flowlog"
	"github.com/cloister-ml/cloister/internal/image"
	"github.com/cloister-ml/cloister/internal/provider/authorization"
	"github.com/cloister-ml/cloister/internal/provider/compute"
	"github.com/cloister-ml/cloister/internal/provider/containerregistry"
	"github.com/cloister-ml/cloister/internal/provider/containerservice"
	"github.com/cloister-ml/cloister/internal/provider/insights"
	"github.com/cloister-ml/cloister/internal/provider/kept"
	"github.com/cloister-ml/cloister/internal/provider/keyvault"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning/mlflow"
	"github.com/cloister-ml/cloister/internal/provider/managedidentity"
	"github.com/cloister-ml/cloister/internal/provider/management"
	netprovider "github.com/cloister-ml/cloister/internal/provider/network"
	"github.com/cloister-ml/cloister/internal/provider/resources"
	"github.com/cloister-ml/cloister/internal/provider/storage"
	"github.com/cloister-ml/cloister/internal/rootless"
	"github.com/cloister-ml/cloister/internal/sandbox"
	"github.com/cloister-ml/cloister/internal/tunnel"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/privatedns"
)

// Options of a daemon.
type Options struct {
	Name         string // of the cloud: 1 to 16 lower-case letters and digits
	Dir          string // where everything is kept
	Cache        string // roots and layers, shared by clouds
	Listen       string // address of the control plane on the host; 127.0.0.1:0 where ""
	Tenant       string // for a new cloud; made up where ""
	Subscription string // likewise
	Store        string // address of the PostgreSQL database of the documents; in Dir, or where they have been, where ""
	Log          *slog.Logger
}

// Daemon is a running cloud.
type Daemon struct {
	options Options
	log     *slog.Logger

	cloud       *cloud.Cloud
	fabric      *fabric.Fabric
	boxes       *sandbox.Runtime
	cache       image.Cache
	images      image.Store
	devops      *organization
	learning    *machinelearning.Service
	learningErr error
	scheduler   sync.WaitGroup // while the machine learning service works
	syncer      syncer
	nodes       nodes
	trackers    trackers
	machines    machines
	vpn         vpn
	guards      firewallLog
	speakers    fabric.Speakers
	logs        flowLogs

	mu    sync.Mutex
	world *world

	stop context.CancelCauseFunc
}

// ErrDown is the cause of a daemon's end that [Client.Down] asked for: everything
// that runs is to go.
var ErrDown = errors.New("the cloud was taken down")

// shutdownTime is how long the parts have to end.
const shutdownTime = 10 * time.Second

// Run runs a cloud until ctx ends or it is taken down. ready is called when it
// answers.
func Run(ctx context.Context, o Options, ready func()) (err error) {
	if missing := fabric.Check(); len(missing) > 0 {
		return &MissingError{missing}
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	d := &Daemon{options: o, log: o.Log, stop: stop, cache: image.Cache{Dir: o.Cache}, images: image.Store{Dir: filepath.Join(o.Dir, "images")}}
	defer func() { err = errors.Join(err, d.close()) }()
	if err := d.open(ctx); err != nil {
		return err
	}
	if err := d.serve(ctx, ready); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// MissingError says what this machine lacks to run a cloud.
type MissingError struct{ Missing []string }

func (e *MissingError) Error() string {
	msg := "this machine cannot run a cloud:"
	for _, m := range e.Missing {
		msg += "\n  " + m
	}
	return msg
}

// open makes the parts. What a process that was killed has left in the kernel is
// removed first; what it has accepted is in the store.
func (d *Daemon) open(ctx context.Context) error {
	if err := os.MkdirAll(d.images.Dir, 0o700); err != nil {
		return err
	}
	if err := os.Chmod(d.options.Dir, 0o700); err != nil { // what is below is for root alone
		return err
	}
	var err error
	if d.fabric, err = fabric.New(fabric.Options{Name: d.options.Name, Log: d.log}); err != nil {
		return err
	}
	if d.boxes, err = sandbox.Open(filepath.Join(d.options.Dir, "sandboxes")); err != nil {
		return err
	}
	d.machines.d, d.nodes.d, d.syncer.d, d.vpn.d = d, d, d, d
	d.machines.stations, d.machines.fallen = map[string]bool{}, map[string]*sandbox.Sandbox{}
	d.openFlowLogs()
	d.cloud, err = cloud.Open(ctx, cloud.Options{
		Dir: filepath.Join(d.options.Dir, "cloud"), Tenant: d.options.Tenant, Subscription: d.options.Subscription,
		Store: d.options.Store, Log: d.log, Providers: d.providers,
	})
	if err := errors.Join(err, d.learningErr); err != nil {
		return err
	}
	if err := d.cloud.CA().WriteBundle(d.bundleFile()); err != nil {
		return err
	}
	// The lock on the cloud's folder is ours from here on, so what runs is left over.
	if err := d.nodes.endLeftOver(); err != nil {
		return err
	}
	if err := d.boxes.RemoveAll(ctx); err != nil {
		return err
	}
	if err := d.vpn.open(); err != nil {
		return err
	}
	d.devops, err = openOrganization(filepath.Join(d.options.Dir, "devops"), d.log)
	return err
}

// providers are asked for by the cloud while it opens. What goes wrong is in
// d.learningErr: the cloud has no ear for it.
func (d *Daemon) providers(host cloud.Host) []cloud.Provider {
	c := host.(*cloud.Cloud) // the only one that there is: it asks us
	d.learning, d.learningErr = machinelearning.New(host, machinelearning.Options{
		Nodes: &d.nodes, Workstations: workstations{&d.machines}, Images: builder{d}, Instances: instances{d},
		Tracking: func(ws arm.ID, artifacts machinelearning.Artifacts) (machinelearning.Tracking, error) {
			return d.trackers.open(filepath.Join(host.Dir("mlflow"), digest(ws)+".db"), artifacts)
		},
	})
	if d.learningErr != nil {
		return nil
	}
	deployments, err := resources.New(c)
	if err != nil {
		d.learningErr = fmt.Errorf("reading the deployments: %w", err)
		return nil
	}
	return slices.Concat(kept.New(), []cloud.Provider{
		deployments,
		authorization.New(c),
		management.New(host),
		managedidentity.New(c.Tenant()),
		netprovider.New(&d.syncer), netprovider.Premises(&d.syncer),
		compute.New(host, &d.machines),
		storage.New(host),
		keyvault.New(host),
		containerregistry.New(host),
		containerservice.New(host),
		insights.New(host),
		insights.LogAnalytics(host),
		d.learning.Provider(),
		{Namespace: "Microsoft.DevOps", Services: map[string]http.Handler{
			"devops":        http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { d.devops.handler().ServeHTTP(w, r) }),
			"agentpackages": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { d.devops.packages().ServeHTTP(w, r) }),
		}},
	})
}

// serve builds the networks, opens every socket and starts to make the store real.
func (d *Daemon) serve(ctx context.Context, ready func()) error {
	if err := d.syncer.Sync(ctx); err != nil {
		return err
	}
	tunnels := func() error { return d.fabric.ServeTunnels(ctx, &d.vpn) }
	if _, ok := rootless.User(); ok && !tunnel.Available() {
		tunnels = func() error { return nil } // mode says so; a gateway without a tunnel lets nothing through
	}
	err := errors.Join(
		tunnels(),
		d.serveBGP(ctx),
		d.fabric.ServeDNS(ctx, fabric.Names{Resolve: d.resolve, Version: func() any { return d.view() }}),
		d.serveFirewalls(ctx),
		d.serveFlowLogs(ctx),
		d.fabric.ServeHealth(ctx, func(h fabric.HealthCheck, healthy bool) { d.healthChanged(ctx, h, healthy) }),
		d.fabric.ServeMetadata(ctx, func(nic network.NIC) http.Handler { return d.cloud.Metadata(nic.Owner) }),
		d.fabric.Serve(ctx, 443, func(l net.Listener, endpoint arm.ID) {
			if err := d.cloud.Serve(l, endpoint); err != nil && !errors.Is(err, net.ErrClosed) {
				d.log.Error("serving", "endpoint", endpoint, "error", err)
			}
		}),
	)
	if err != nil {
		return err
	}
	loopback, err := hostListener(d.options.Listen, controlFD)
	if err != nil {
		return err
	}
	go func() {
		if err := d.cloud.ServeLoopback(loopback); err != nil && !errors.Is(err, net.ErrClosed) {
			d.log.Error("serving the control plane", "error", err)
		}
	}()
	if err := d.machines.startOutsider(ctx); err != nil {
		return err
	}
	d.cloud.Start()
	d.scheduler.Go(func() {
		if err := d.learning.Run(ctx); err != nil {
			d.log.Error("running jobs", "error", err)
			d.stop(err)
		}
	})
	proxy, err := d.serveProxy(ctx)
	if err != nil {
		return err
	}
	if err := d.writeState(ctx, loopback.Addr().String(), proxy); err != nil {
		return err
	}
	if err := d.serveSocket(ctx); err != nil {
		return err
	}
	ready()
	return nil
}

// close ends the parts in the order of who uses whom, and takes out of the kernel
// what was put there.
func (d *Daemon) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	d.stop(nil)
	var errs []error
	end := func(part string, f func() error) {
		start := time.Now()
		errs = append(errs, f())
		d.log.Info("ended", "part", part, "took", time.Since(start))
	}
	// Machines go before the services: their clients would be waited for. Without
	// the cloud's lock the sandboxes may be another daemon's.
	end("scheduler", func() error { d.scheduler.Wait(); return nil })
	end("nodes", func() error { d.nodes.stopAll(ctx); return nil })
	if d.cloud != nil && d.boxes != nil {
		end("machines", func() error { return d.machines.close(ctx) })
	}
	if d.cloud != nil {
		end("control plane", d.cloud.Close)
	}
	if d.learning != nil {
		end("machine learning", d.learning.Close)
	}
	if d.devops != nil {
		end("DevOps", d.devops.close)
	}
	end("tracking", d.trackers.close)
	if d.cloud != nil && d.boxes != nil {
		end("networks", func() error {
			return errors.Join(d.boxes.RemoveAll(ctx), d.fabric.Remove(ctx), d.removeState())
		})
	}
	return errors.Join(errs...)
}

// world is what the meanings say of the estate at one moment.
type world struct {
	estate   *arm.Estate
	topology *network.Topology
	names    *privatedns.Records
	logs     []flowlog.Log   // that are written
	logged   map[string]bool // the networks that they are about, by key
}

// view is the world as it is now; it is made again only when a document changed.
func (d *Daemon) view() *world {
	e := d.cloud.Estate()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.world == nil || d.world.estate != e {
		t := network.FromEstate(e)
		d.world = &world{estate: e, topology: t, names: privatedns.FromEstate(e, t.MemberAddr)}
		d.world.logs, d.world.logged = logsOf(e, t)
	}
	return d.world
}

// resolve answers a machine that asks Azure's DNS server: as the DNS servers of its
// network say, or of its network interface where that has its own.
func (d *Daemon) resolve(vnet arm.ID, client netip.Addr, name string) privatedns.Answer {
	w := d.view()
	if nic, ok := w.topology.NICByAddr(client); ok && nic.Subnet.Parent().Equal(vnet) && w.names.HasOwnServers(nic.ID) {
		return w.names.ResolveNIC(nic.ID, name)
	}
	return w.names.Resolve(vnet, name)
}

// syncer brings the kernel to what the estate says. Calls that come while one
// runs share the next.
type syncer struct {
	d    *Daemon
	mu   sync.Mutex // held while the fabric is applied
	ask  sync.Mutex // guards what follows
	want uint64     // calls so far
	done uint64     // the last call that an Apply has served
	err  error      // of that Apply
	// memory is of the plan before; mu guards it.
	memory fabric.Memory
	// outposts says that machines were behind gateways at some time; mu guards it.
	outposts bool
}

// Sync implements the network provider's Fabric.
func (s *syncer) Sync(ctx context.Context) error {
	s.ask.Lock()
	s.want++
	mine := s.want
	s.ask.Unlock()

	s.mu.Lock()
	defer s.mu.Unlock()
	s.ask.Lock()
	if s.done >= mine {
		defer s.ask.Unlock()
		return s.err
	}
	serving := s.want
	s.ask.Unlock()

	w := s.d.view()
	_, err := s.d.fabric.Apply(ctx, fabric.CompileWith(w.topology, fabric.Choices{
		Running: s.d.nodes.wanted, Resolve: w.firewallNames, Heard: s.d.speakers.Heard, Memory: &s.memory, Healthy: s.d.fabric.Healthy,
	}))
	if len(s.d.fabric.Sites()) > 0 || s.outposts {
		s.outposts = true
		go s.d.machines.startOutposts(context.WithoutCancel(ctx)) // it waits for whoever starts a machine, and that for us
	}
	s.ask.Lock()
	defer s.ask.Unlock()
	s.done, s.err = serving, err
	return err
}

// trackers are the MLflow stores that are open.
type trackers struct {
	mu     sync.Mutex
	stores []*mlflow.Store
}

func (t *trackers) open(path string, artifacts machinelearning.Artifacts) (machinelearning.Tracking, error) {
	s, err := mlflow.Open(path, artifacts)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stores = append(t.stores, s)
	return s, nil
}

func (t *trackers) close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	var errs []error
	for _, s := range t.stores {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}
