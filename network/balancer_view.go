package network

import (
	"net/netip"
	"slices"

	"github.com/cloister-ml/cloister/arm"
)

// Frontend is an address at which a load balancer listens, with what it does with
// connections there.
type Frontend struct {
	ID       arm.ID
	Balancer arm.ID
	Subnet   arm.ID     // of an internal one
	Address  netip.Addr // private or public
	Public   bool
	Rules    []BalancerRule // in the order in which they are tried
}

// BalancerRule hands connections to one of several machines. The source address
// stays the client's.
type BalancerRule struct {
	Name     string
	Protocol string      // Tcp, Udp or * (high availability ports)
	Ports    []PortRange // empty: every port
	Port     uint16      // at the machine; 0 where it is the same
	Floating bool        // the destination stays the frontend's
	Backends []Backend
	Probe    *Probe // nil where all machines are taken for healthy
	Doubts   Doubts
}

// Backend is a machine's address behind a rule.
type Backend struct {
	NIC  arm.ID
	Addr netip.Addr
}

// Frontends are those of every load balancer of which enough is known.
func (t *Topology) Frontends() []Frontend {
	var out []Frontend
	for _, lb := range t.Balancers {
		if len(lb.Doubts) > 0 {
			continue
		}
		for _, fe := range lb.frontends {
			f := Frontend{ID: fe.id, Balancer: lb.ID, Subnet: fe.subnet, Address: t.frontAddr(fe), Public: fe.public != ""}
			for _, r := range fe.rules {
				f.Rules = append(f.Rules, t.balancerRule(r, f.Address.Is6()))
			}
			if f.Address.IsValid() {
				out = append(out, f)
			}
		}
	}
	return out
}

func (t *Topology) balancerRule(r balancingRule, six bool) BalancerRule {
	out := BalancerRule{Name: r.name, Protocol: r.protocol, Ports: r.ports, Port: r.port, Floating: r.keeps, Doubts: r.doubts}
	for _, lb := range t.Balancers {
		if p, ok := lb.probe(r.probe); ok {
			out.Probe = &p.Probe
			out.Doubts = append(slices.Clone(out.Doubts), p.doubts...)
		}
	}
	if six && r.probe != "" {
		out.Doubts = append(slices.Clone(out.Doubts), Doubt{Reason: probesBySix})
	}
	if why, open := t.strangers(r, six); open {
		out.Doubts = append(slices.Clone(out.Doubts), Doubt{Reason: why})
	}
	for i, n := range t.NICs {
		if a, ok := t.member(i, r, six); ok {
			out.Backends = append(out.Backends, Backend{n.ID, a})
		}
	}
	return out
}
