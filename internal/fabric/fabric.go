package fabric

import (
	"fmt"
	"log/slog"
	"regexp"
	"sync"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
)

// Options of a fabric.
type Options struct {
	Name string // of the cloud: lower-case letters and digits, at most 16
	Log  *slog.Logger
}

// Fabric is the kernel state of one cloud. Its methods may be called at the same
// time; Apply and Remove wait for each other.
type Fabric struct {
	name string
	log  *slog.Logger

	change sync.Mutex // held while the kernel is changed

	mu      sync.RWMutex // guards what follows
	plan    Plan
	names   map[string]string // NIC or VNet key -> namespace
	loaded  map[place]loaded  // packet filters
	daemons []*daemon

	beginnings beginnings
	healthy    map[HealthCheck]bool
}

var cloudName = regexp.MustCompile(`^[a-z0-9]{1,16}$`)

// New makes a fabric; it does not touch the kernel.
func New(o Options) (*Fabric, error) {
	if !cloudName.MatchString(o.Name) {
		return nil, fmt.Errorf("%q cannot name a cloud's networks: use 1 to 16 lower-case letters and digits", o.Name)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Fabric{name: o.Name, log: o.Log, names: map[string]string{}, loaded: map[place]loaded{}, healthy: map[HealthCheck]bool{}}, nil
}

// prefix begins the names of all of the cloud's namespaces, and of no other's.
func (f *Fabric) prefix() string { return "cl-" + f.name + "-" }

func (f *Fabric) full(space string) string { return f.prefix() + space }

// Namespace is the namespace of a network interface that is built.
func (f *Fabric) Namespace(nic arm.ID) (string, bool) { return f.named(nic) }

// RouterNamespace is the namespace of a virtual network's router.
func (f *Fabric) RouterNamespace(vnet arm.ID) (string, bool) { return f.named(vnet) }

func (f *Fabric) named(id arm.ID) (string, bool) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	name, ok := f.names[id.Key()]
	return name, ok
}

// InternetNamespace is where public services listen: every address of theirs is
// local there, so one listener on 0.0.0.0 serves them all.
func (f *Fabric) InternetNamespace() string { return f.full(internetSpace) }

// OutsiderNamespace is a machine on the internet that has nothing to do with the
// estate.
func (f *Fabric) OutsiderNamespace() string { return f.full(outsiderSpace) }

// Plan is the plan that was applied last.
func (f *Fabric) Plan() Plan {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.plan
}

// adopt makes a plan the one that questions are answered from.
func (f *Fabric) adopt(p Plan) {
	names := map[string]string{}
	for _, s := range p.Spaces {
		switch s.Role {
		case RoleRouter:
			names[s.VNet.Key()] = f.full(s.Name)
		case RoleMachine, RoleEndpoint, RoleFirewall:
			for _, n := range s.Guests {
				names[n.ID.Key()] = f.full(s.Name)
			}
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.plan, f.names = p, names
}

// guest finds who has an address in a router's network.
func (f *Fabric) guest(space string, has func(network.NIC) bool) (network.NIC, bool) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	for _, s := range f.plan.Spaces {
		if s.Name != space {
			continue
		}
		for _, n := range s.Guests {
			if has(n) {
				return n, true
			}
		}
	}
	return network.NIC{}, false
}
