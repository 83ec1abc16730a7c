package fabric

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/fabric/nft"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/service"
)

// HealthCheck is what a load balancer's probe asks of a machine.
type HealthCheck struct {
	Balancer arm.ID
	Probe    network.Probe
	NIC      arm.ID
	Address  netip.Addr
}

// Healthy reports what probes have found of a machine; one that has not answered
// yet is not healthy.
func (f *Fabric) Healthy(h HealthCheck) bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.healthy[h]
}

// ServeHealth asks the machines behind load balancers from [service.WireServer] in
// their own networks, until ctx ends. changed is called when a machine has become
// healthy or is no longer, and must bring the fabric to a plan that knows it.
func (f *Fabric) ServeHealth(ctx context.Context, changed func(HealthCheck, bool)) error {
	return f.attend(&daemon{
		name: "health probes", ctx: ctx, running: map[instance]func(){},
		wants:   func(s Space) bool { return len(s.Checks) > 0 },
		version: func(s Space) string { return digest(fmt.Sprint(s.Checks), 16) },
		start: func(s Space, full string) (func(), error) {
			ctx, stop := context.WithCancel(ctx)
			for _, h := range s.Checks {
				go f.watch(ctx, full, h, changed)
			}
			return stop, nil
		},
	})
}

// watch asks a machine again and again.
func (f *Fabric) watch(ctx context.Context, router string, h HealthCheck, changed func(HealthCheck, bool)) {
	tick := time.NewTicker(h.Probe.Interval)
	defer tick.Stop()
	row := 0 // answers in a row that are against what it is taken for
	for {
		answer := f.probe(ctx, router, h)
		if ctx.Err() != nil {
			return
		}
		healthy := f.Healthy(h)
		need := h.Probe.Successes
		if healthy {
			need = h.Probe.Failures
		}
		if row++; answer == healthy {
			row = 0
		}
		if row >= need {
			row = 0
			f.mu.Lock()
			f.healthy[h] = answer
			f.mu.Unlock()
			changed(h, answer)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// probe asks a machine once: a handshake, or for HTTP an answer of 200. Certificates
// are not looked at. Source: Microsoft Learn, "Azure Load Balancer health probes".
func (f *Fabric) probe(ctx context.Context, router string, h HealthCheck) bool {
	ctx, cancel := context.WithTimeout(ctx, h.Probe.Interval)
	defer cancel()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: service.WireServer.AsSlice()}}
	at := netip.AddrPortFrom(h.Address, h.Probe.Port).String()
	var c net.Conn
	err := f.Within(router, func() (err error) {
		c, err = dialer.DialContext(ctx, "tcp4", at)
		return err
	})
	if err != nil {
		return false
	}
	defer c.Close()
	scheme := strings.ToLower(h.Probe.Protocol)
	if scheme == "tcp" {
		return true
	}
	client := &http.Transport{
		DisableKeepAlives: true, MaxResponseHeaderBytes: mostHeader,
		DialContext:     func(context.Context, string, string) (net.Conn, error) { return c, nil },
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // as Azure's probe
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+at+"/"+strings.TrimPrefix(h.Probe.Path, "/"), nil)
	if err != nil {
		return false
	}
	answer, err := client.RoundTrip(r)
	if err != nil {
		return false
	}
	answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// mostHeader bounds what is read of a machine's answer.
const mostHeader = 64 << 10

// checks are what the load balancers ask of a network's machines.
func (c *compiler) checks(v *vnetPlan) []HealthCheck {
	var out []HealthCheck
	for _, b := range c.balancersOf(v) {
		for _, r := range b.Rules {
			for _, one := range r.Backends {
				if _, ok := v.backend(one); !ok || r.Probe == nil || len(r.Doubts) > 0 {
					continue
				}
				if h := (HealthCheck{b.Balancer, *r.Probe, one.NIC, one.Addr}); !slices.Contains(out, h) {
					out = append(out, h)
				}
			}
		}
	}
	return out
}

// probing sends the probes through the groups of the machines that they are for.
func (f *filter) probing(v *vnetPlan, c *compiler) {
	if len(c.checks(v)) == 0 {
		return
	}
	f.chain(nft.Chain{Name: "probing", Hook: nft.Output, Rules: []nft.Rule{{
		Match: []nft.Match{nft.State(nft.New), nft.Equals(nft.Source, nft.Address(service.WireServer)), nft.Begins(nft.OutIf, guestPrefix)},
		Do:    nft.Action{Verb: nft.Dispatch, Fields: []nft.Field{nft.OutIf}, Map: "inbound"},
	}}})
}
