package network

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

// Probe is how a load balancer finds out whether a machine is healthy: from
// [service.WireServer], which the machine's security groups must let in. Source:
// Microsoft Learn, "Azure Load Balancer health probes".
type Probe struct {
	Protocol string // Tcp, Http or Https
	Port     uint16
	Path     string // of Http and Https
	Interval time.Duration
	// Failures and Successes in a row take a machine out and back in.
	Failures, Successes int
}

func (p Probe) String() string { return fmt.Sprintf("%s %d", strings.ToUpper(p.Protocol), p.Port) }

type probe struct {
	Probe
	id     arm.ID
	doubts Doubts
}

// listedAddress is an address in a pool that no network interface's document names.
type listedAddress struct {
	pool, vnet arm.ID
	addr       netip.Addr
}

// Defaults of a probe. Source: Azure REST API, "Load Balancers - Create Or Update".
const (
	probeSeconds   = 15
	probesInARow   = 1
	leastProbeTime = 5
)

func (lb *Balancer) readProbes(d document) {
	for i, o := range d.as(aboutBalancing).objects("probes", "probe") {
		p := probe{id: childID(d.r.ID, "probes", o.o, i)}
		o.doubts, o.about = &p.doubts, aboutBalancing
		p.Protocol, p.Port, p.Path = o.text("properties.protocol"), uint16(o.number("properties.port", 0)), o.text("properties.requestPath")
		p.Interval = time.Duration(max(o.number("properties.intervalInSeconds", probeSeconds), leastProbeTime)) * time.Second
		p.Failures, p.Successes = max(o.number("properties.numberOfProbes", probesInARow), 1), 1
		if n := o.number("properties.probeThreshold", 0); n > 0 {
			p.Failures, p.Successes = n, n
		}
		lb.probes = append(lb.probes, p)
	}
}

func (lb *Balancer) probe(id arm.ID) (probe, bool) {
	i := slices.IndexFunc(lb.probes, func(p probe) bool { return id != "" && p.id.Equal(id) })
	if i < 0 {
		return probe{}, false
	}
	return lb.probes[i], true
}

// readPools reads the pools that list addresses. Those of network interfaces are
// read at the interfaces.
func (lb *Balancer) readPools(d document) {
	for i, o := range d.objects("backendAddressPools", "backend pool") {
		pool := childID(d.r.ID, "backendAddressPools", o.o, i)
		common := o.ref("properties.virtualNetwork.id")
		for _, a := range o.objects("properties.loadBalancerBackendAddresses", "backend address") {
			if arm.String(a.o, "properties.networkInterfaceIPConfiguration.id") != "" {
				continue
			}
			l := listedAddress{pool: pool, vnet: common}
			l.addr, _ = a.address("properties.ipAddress")
			if v := a.ref("properties.virtualNetwork.id"); v != "" {
				l.vnet = v
			}
			if s := a.ref("properties.subnet.id"); s != "" && l.vnet == "" {
				l.vnet = s.Parent()
			}
			if l.addr.IsValid() && l.vnet != "" {
				lb.listed = append(lb.listed, l)
			}
		}
	}
}

// listedMembers gives network interfaces the pools that list their addresses. An
// address that nobody has takes no connections.
func (b *builder) listedMembers() {
	for _, lb := range b.t.Balancers {
		for _, l := range lb.listed {
			for i, n := range b.t.NICs {
				if n.Kind != KindPrivateEndpoint && n.Subnet.Parent().Equal(l.vnet) && slices.Contains(n.Addrs, l.addr) {
					b.t.NICs[i].memberships = append(n.memberships, membership{pool: l.pool, addr: l.addr, six: l.addr.Is6(), listed: true})
				}
			}
		}
	}
}

// health is what is known of a machine's health. It says nothing of whether the
// machine answers: that is not in the documents.
type health verdict.Step

func (h health) follow(a *Answer, _ Flow) { a.Add(verdict.Step(h)) }

func (h health) space(*spaceBuilder) spaceNode { return leafOf(h.Value) }

// probesBySix says what is not modelled: they come from a link-local address.
const probesBySix = "what health probes find by IPv6 is not modelled"

// healthy reports whether a probe gets to a machine; ok is false for rules without
// one.
func (t *Topology) healthy(lb *Balancer, r balancingRule, p place, a netip.Addr) (step verdict.Step, ok bool) {
	if r.probe == "" {
		return step, false
	}
	step = verdict.Step{At: "health probe of load balancer " + lb.Name, Resource: lb.ID, Value: verdict.Unknown}
	by, known := lb.probe(r.probe)
	switch {
	case !known:
		step.Reason = fmt.Sprintf("the probe %s of rule %s is not in the estate", r.probe.Name(), r.name)
		return step, true
	case len(by.doubts) > 0:
		step.Reason = by.doubts[0].Reason
		return step, true
	case a.Is6():
		step.Reason = probesBySix
		return step, true
	}
	filters, admin := t.filters(p.nic, Inbound), t.adminFilter(p, Inbound)
	answer := Answer{Value: verdict.Yes}
	if len(filters) > 0 || admin != nil {
		g := groups{admin: admin, filters: filters, from: service.WireServer, to: a, nic: p.nic.ID, direction: Inbound}
		g.follow(&answer, Flow{Source: service.WireServer, Destination: a, Protocol: TCP, Port: by.Port})
	}
	step.Value = answer.Value
	step.Reason = fmt.Sprintf("%s gets new connections while it answers %s from %s", p.nic.Name, by, service.WireServer)
	if answer.Value != verdict.Yes {
		step.Reason = fmt.Sprintf("%s is not healthy: %s from %s is not let in by %s: %s", p.nic.Name, by, service.WireServer, answer.Decisive().At, answer.Decisive().Reason)
	}
	return step, true
}

// checkup gathers the health of the machines behind a rule.
type checkup struct {
	sure, ill bool // a machine that may be healthy for sure; one that is not
	last      verdict.Step
	parts     []part // of the machine that was added last
}

// add reports whether a machine may get connections.
func (c *checkup) add(step verdict.Step, probed bool) bool {
	c.parts = nil
	if !probed {
		c.sure = true
		return true
	}
	switch step.Value {
	case verdict.No:
		c.ill = true
		c.last = step
		return false
	case verdict.Unknown:
		c.last = step
		step.Value = verdict.Yes
		step.Reason = "if it is healthy: " + step.Reason
	default:
		c.sure = true
	}
	c.parts = []part{health(step)}
	return true
}
