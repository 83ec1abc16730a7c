package machinelearning

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning/asset"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning/online"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning/schedule"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning/task"
	"github.com/cloister-ml/cloister/service"
)

// Namespace of the provider.
const Namespace = "Microsoft.MachineLearningServices"

// The resource types.
const (
	typeWorkspace  = service.TypeWorkspace
	typeCompute    = Namespace + "/workspaces/computes"
	typeEndpoint   = service.TypeOnlineEndpoint
	typeDeployment = Namespace + "/workspaces/onlineEndpoints/deployments"
)

// Audiences of the data plane's tokens.
var audiences = []string{"https://ml.azure.com", "https://management.azure.com"}

// Service is the running provider.
type Service struct {
	host    cloud.Host
	options Options
	dir     string

	jobs   *schedule.Store
	assets *asset.Store
	online *online.Pool
	seal   *seal

	changed *signal // something happened that jobs or nodes may wait for
	builds  *flight // images that are being built
	preps   *flight // jobs that are being prepared
	moves   *flight // nodes that are being started or stopped

	keyMu    sync.Mutex // files of keys are read and written one at a time
	logMu    sync.Mutex // two pieces of one log are not written at once
	mu       sync.Mutex
	tracking map[string]Tracking // by key of the workspace
	troubles map[string]trouble  // clusters whose nodes did not start, by key
	// containers are the workspaces whose storage containers are made, by key.
	containers map[string]bool
}

// trouble is the last failure to start a node.
type trouble struct {
	err   error
	until time.Time // not before this is it tried again
}

// New opens the provider's stores. Run makes it work.
func New(host cloud.Host, options Options) (*Service, error) {
	if options.LeaseTime == 0 {
		options.LeaseTime = task.LeaseTime
	}
	dir := host.Dir("machinelearning")
	s := &Service{
		host: host, options: options, dir: dir, online: online.NewPool(host.Log()),
		changed: newSignal(), builds: newFlight(), preps: newFlight(), moves: newFlight(),
		tracking: map[string]Tracking{}, troubles: map[string]trouble{}, containers: map[string]bool{},
	}
	var err error
	if s.seal, err = openSeal(filepath.Join(dir, "seal.key")); err != nil {
		return nil, fmt.Errorf("opening the machine learning service: %w", err)
	}
	if s.assets, err = asset.Open(filepath.Join(dir, "assets.db")); err != nil {
		return nil, fmt.Errorf("opening the machine learning service: %w", err)
	}
	if s.jobs, err = schedule.Open(filepath.Join(dir, "jobs.db"), options.LeaseTime); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the machine learning service: %w", err), s.assets.Close())
	}
	return s, nil
}

// Close stops the deployments and closes the stores. Run must have ended.
func (s *Service) Close() error {
	s.online.Close()
	return errors.Join(s.jobs.Close(), s.assets.Close())
}

// Provider is what the control plane registers.
func (s *Service) Provider() cloud.Provider {
	types := []cloud.Type{s.workspaceType(), s.computeType(), s.endpointType(), s.deploymentType()}
	children := http.HandlerFunc(s.serveChildren)
	for _, kind := range []string{"jobs", "models", "datastores", asset.Environments, asset.Codes, asset.Components, asset.Data} {
		types = append(types, cloud.Type{Name: Namespace + "/workspaces/" + kind, Handler: children})
	}
	return cloud.Provider{
		Namespace: Namespace,
		Types:     types,
		Services: map[string]http.Handler{
			"api":       http.HandlerFunc(s.serveAPI),
			"inference": http.HandlerFunc(s.serveInference),
		},
	}
}

// workspace is what the service needs to know of a workspace.
type workspace struct {
	arm.Resource
	GUID, Host string
	Account    string // name of its storage account
	Registry   string // host of its container registry, or ""
}

// workspaceOf reads a workspace's document.
func (s *Service) workspaceOf(id arm.ID) (workspace, error) {
	r, ok := s.host.Get(id)
	if !ok || !r.IsType(typeWorkspace) {
		return workspace{}, cloud.Errorf(http.StatusNotFound, "ResourceNotFound", "The workspace %s was not found.", id.Name())
	}
	return s.describe(r), nil
}

func (s *Service) describe(r arm.Resource) workspace {
	w := workspace{Resource: r, GUID: service.WorkspaceGUID(r.ID), Account: arm.Ref(r.Properties, "storageAccount").Name()}
	for _, ep := range service.Endpoints(r) {
		if ep.Service == "api" {
			w.Host = ep.Host
		}
	}
	if registry, ok := s.host.Get(arm.Ref(r.Properties, "containerRegistry")); ok {
		w.Registry = arm.String(registry.Properties, "loginServer")
		if w.Registry == "" {
			w.Registry = service.Endpoints(registry)[0].Host
		}
	}
	return w
}

// trackingOf is a workspace's MLflow store.
func (s *Service) trackingOf(w workspace) (Tracking, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t, ok := s.tracking[w.ID.Key()]; ok {
		return t, nil
	}
	if s.options.Tracking == nil {
		return nil, cloud.Errorf(http.StatusServiceUnavailable, "ServiceUnavailable", "This cloud has no tracking store.")
	}
	t, err := s.options.Tracking(w.ID, s.artifacts(w))
	if err != nil {
		return nil, fmt.Errorf("opening the tracking store of %s: %w", w.Name, err)
	}
	s.tracking[w.ID.Key()] = t
	return t, nil
}

// signal wakes everybody who waits.
type signal struct {
	mu sync.Mutex
	ch chan struct{}
}

func newSignal() *signal { return &signal{ch: make(chan struct{})} }

// wait is closed at the next call of wake.
func (s *signal) wait() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ch
}

func (s *signal) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.ch)
	s.ch = make(chan struct{})
}

// flight keeps one call under way for each key.
type flight struct {
	mu   sync.Mutex
	keys map[string]chan struct{} // closed at its end
	wg   sync.WaitGroup
}

func newFlight() *flight { return &flight{keys: map[string]chan struct{}{}} }

// start runs do unless a call of the same key is under way.
func (f *flight) start(ctx context.Context, key string, do func(ctx context.Context)) {
	release, busy := f.try(key)
	if busy != nil {
		return
	}
	f.wg.Go(func() {
		defer release()
		do(ctx)
	})
}

// acquire waits until no call of the key is under way, and is one until release.
func (f *flight) acquire(ctx context.Context, key string) (release func(), err error) {
	for {
		release, busy := f.try(key)
		if busy == nil {
			return release, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-busy:
		}
	}
}

// try gives either what ends the new call, or what is closed at the end of the
// call that is under way.
func (f *flight) try(key string) (release func(), busy <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if ch, ok := f.keys[key]; ok {
		return nil, ch
	}
	ch := make(chan struct{})
	f.keys[key] = ch
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.keys, key)
		close(ch)
	}, nil
}

func (f *flight) wait() { f.wg.Wait() }
