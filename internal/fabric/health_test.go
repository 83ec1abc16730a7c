package fabric

import (
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	nt "github.com/cloister-ml/cloister/network/networktest"
)

// farm is a load balancer before two machines, of which the second's group keeps
// Azure's load balancer out.
func farm(t *testing.T) *network.Topology {
	t.Helper()
	pool, front := nt.InternalID.Child("backendAddressPools", "pool"), nt.InternalID.Child("frontendIPConfigurations", "front")
	member := func(name, address string, sets ...nt.Set) []arm.Resource {
		docs := nt.VM(name, "a", "s", address, sets...)
		docs[0] = nt.With(docs[0], nt.Set{Path: "ipConfigurations", Value: []arm.Object{
			nt.Config("a", "s", address, nt.Set{Path: "loadBalancerBackendAddressPools", Value: []arm.Object{{"id": string(pool)}}})}})
		return docs
	}
	docs := []arm.Resource{
		nt.VNet("a", "10.1.0.0/16"), nt.Subnet("a", "s", "10.1.0.0/24"),
		nt.NSG("closed", nt.Rule("no-probes", "100 Inbound Deny * AzureLoadBalancer:* -> *:*")),
		nt.Document(nt.InternalID,
			nt.Set{Path: "frontendIPConfigurations", Value: []arm.Object{{"name": "front", "properties": nt.Config("a", "s", "10.1.0.100")["properties"]}}},
			nt.Set{Path: "backendAddressPools", Value: []arm.Object{{"name": "pool"}}},
			nt.Set{Path: "probes", Value: []arm.Object{{"name": "alive", "properties": arm.Object{"protocol": "Tcp", "port": 8080.0}}}},
			nt.Set{Path: "loadBalancingRules", Value: []arm.Object{{"name": "web", "properties": arm.Object{
				"protocol": "Tcp", "frontendPort": 443.0, "backendPort": 22.0, "frontendIPConfiguration": arm.Object{"id": string(front)},
				"backendAddressPool": arm.Object{"id": string(pool)}, "probe": arm.Object{"id": string(nt.InternalID.Child("probes", "alive"))}}}}}),
	}
	docs = append(docs, nt.VM("client", "a", "s", "10.1.0.9")...)
	docs = append(docs, member("one", "10.1.0.4")...)
	docs = append(docs, member("two", "10.1.0.5", nt.UseNSG("closed"))...)
	e, err := arm.NewEstate(docs...)
	if err != nil {
		t.Fatal(err)
	}
	return network.FromEstate(e)
}

// found is what probes have found, by address.
type found struct {
	sync.Mutex
	healthy map[netip.Addr]bool
}

func (f *found) plan(top *network.Topology) Plan {
	p := CompileWith(top, Choices{Healthy: func(h HealthCheck) bool {
		f.Lock()
		defer f.Unlock()
		return f.healthy[h.Address]
	}})
	for _, s := range p.Spaces {
		for i := range s.Checks {
			s.Checks[i].Probe.Interval = 200 * time.Millisecond
		}
	}
	return p
}

func TestOnlyHealthyMachinesGetConnections(t *testing.T) {
	t.Parallel()
	top, state := farm(t), &found{healthy: map[netip.Addr]bool{}}
	f := build(t, state.plan(top))
	client, one, two := namespaceOf(t, f, nt.NICID("nic-client")), namespaceOf(t, f, nt.NICID("nic-one")), namespaceOf(t, f, nt.NICID("nic-two"))
	echo(t, f, one, ":22")
	echo(t, f, two, ":22")
	echo(t, f, two, ":8080") // it would answer, but its group does not let the probe in
	attempts{{"no machine is healthy", client, "10.1.0.100:443", silent}}.try(t, f)

	changes := make(chan HealthCheck)
	if err := f.ServeHealth(t.Context(), func(h HealthCheck, healthy bool) {
		state.Lock()
		state.healthy[h.Address] = healthy
		state.Unlock()
		changes <- h
	}); err != nil {
		t.Fatal(err)
	}
	l, err := f.Listen(t.Context(), one, "tcp4", ":8080")
	if err != nil {
		t.Fatal(err)
	}
	if h := <-changes; h.Address != addr("10.1.0.4") {
		t.Fatalf("%s is found healthy", h.Address)
	}
	apply(t, f, state.plan(top))
	for range 8 {
		if got := seenAs(t, f, client, "10.1.0.100:443"); got != "10.1.0.9 at 10.1.0.4" {
			t.Errorf("connected: %s", got)
		}
	}
	l.Close()
	<-changes
	apply(t, f, state.plan(top))
	attempts{{"the machine is ill", client, "10.1.0.100:443", silent}}.try(t, f)
}

func TestProbesAreHTTPToo(t *testing.T) {
	t.Parallel()
	top := farm(t)
	f := build(t, Compile(top, nil))
	one := namespaceOf(t, f, nt.NICID("nic-one"))
	router, _ := f.RouterNamespace(nt.VNetID("a"))
	serveHTTP(t, f, one, ":8080", map[string]int{"/alive": 200, "/ill": 503})
	for _, c := range []struct {
		protocol, path string
		port           uint16
		want           bool
	}{
		{"Tcp", "", 8080, true}, {"Tcp", "", 8081, false}, {"Http", "/alive", 8080, true}, {"Http", "/ill", 8080, false},
		{"Http", "/none", 8080, false}, {"Https", "/alive", 8080, false},
	} {
		h := HealthCheck{Address: addr("10.1.0.4"), Probe: network.Probe{Protocol: c.protocol, Path: c.path, Port: c.port, Interval: time.Second}}
		if got := f.probe(t.Context(), router, h); got != c.want {
			t.Errorf("%s %s at %d: %v, want %v", c.protocol, c.path, c.port, got, c.want)
		}
	}
}

// serveHTTP answers paths with statuses in a namespace.
func serveHTTP(t *testing.T, f *Fabric, space, at string, statuses map[string]int) {
	t.Helper()
	l, err := f.Listen(t.Context(), space, "tcp4", at)
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, ok := statuses[r.URL.Path]
		if !ok {
			status = http.StatusNotFound
		}
		w.WriteHeader(status)
	})}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { s.Close() })
}
