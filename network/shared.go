package network

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/verdict"
)

// join notes to which pools a NIC belongs, and whose machine it is.
func (t *Topology) join(i int, n NIC) {
	if n.Kind == KindVM && n.Owner != "" {
		t.interfaces[n.Owner.Key()]++
	}
	if d, unknown := firstDoubt(n.Doubts, aboutPublic, aboutConfigs); unknown && n.Kind == KindVM {
		t.publicDoubts = append(t.publicDoubts, Doubt{Reason: n.Name + ": " + d.Reason})
	}
	if _, have := t.nodes[n.Owner.Key()]; !have && n.Kind == KindCompute && n.Via == ViaCluster && len(n.Addrs) > 0 {
		t.nodes[n.Owner.Key()] = i
	}
	if len(n.memberships) > 0 {
		t.pooled[i] = n.memberships
	}
	if d, unknown := firstDoubt(n.Doubts, aboutPool, aboutConfigs); unknown {
		t.poolDoubts = append(t.poolDoubts, Doubt{Reason: n.Name + ": " + d.Reason})
	}
}

// addressOf is the resource whose private address a value will be: what a reader
// leaves unknown because Azure chooses it, and says by an expression that begins
// with the resource's own name.
func (b *builder) addressOf(o arm.Object, path string) (arm.ID, bool) {
	u, unknown := arm.UnknownAt(o, path)
	if !unknown || !strings.Contains(u.Expression, "private_ip_address") && !strings.Contains(u.Expression, "privateIPAddress") {
		return "", false
	}
	var found []arm.ID
	for _, r := range slices.Concat(b.e.OfType(typeFirewall), b.e.OfType(typeBalancer)) {
		own := r.Source.Address
		if i := strings.LastIndex(own, "module."); i >= 0 { // expressions are written within the module
			parts := strings.SplitN(own[i:], ".", 3)
			own = parts[len(parts)-1]
		}
		if own != "" && (strings.HasPrefix(u.Expression, own+".") || strings.HasPrefix(u.Expression, r.Source.Address+".") || strings.HasPrefix(u.Expression, own+"[")) {
			found = append(found, r.ID)
		}
	}
	if len(found) != 1 {
		return "", false
	}
	return found[0], true
}

// resolveHops gives routes that name a machine its address.
func (b *builder) resolveHops() {
	for _, table := range b.t.tables {
		for i := range table.routes {
			u := &table.routes[i]
			if u.via == "" {
				continue
			}
			if u.address = b.t.sharedAddr(u.via); !u.address.IsValid() {
				u.doubts = append(u.doubts, Doubt{About: aboutHop, Reason: "the address of " + u.via.Name() + " is not known"})
			}
		}
	}
}

// sharedAddr is the private address of a firewall, or the only one of a load balancer.
func (t *Topology) sharedAddr(id arm.ID) netip.Addr {
	if fw := t.firewallAt[id.Key()]; fw != nil {
		return fw.Private
	}
	for _, lb := range t.Balancers {
		if lb.ID.Equal(id) && len(lb.frontends) == 1 {
			return lb.frontends[0].private
		}
	}
	return netip.Addr{}
}

// balancerEgress is the way out of a machine in a backend pool: an outbound rule,
// or the frontend of a rule that lends its address. Behind an internal Standard
// load balancer alone there is none.
func (t *Topology) balancerEgress(n NIC, step verdict.Step) (netip.Addr, verdict.Step, bool) {
	standard, known := false, false
	for _, lb := range t.Balancers {
		mine := func(pool arm.ID) bool {
			return slices.ContainsFunc(n.memberships, func(m membership) bool { return m.pool != "" && !m.listed && m.pool.Equal(pool) })
		}
		member := slices.ContainsFunc(n.memberships, func(m membership) bool { return m.pool != "" && !m.listed && m.pool.Within(lb.ID) })
		if !member {
			continue
		}
		standard, known = standard || lb.Standard, true
		step.Resource = lb.ID
		if len(lb.Doubts) > 0 {
			step.Value, step.Reason = verdict.Unknown, lb.Doubts[0].Reason
			return netip.Addr{}, step, true
		}
		if fe, ok := t.lends(lb, mine); ok {
			a := t.PublicIP(fe.public)
			step.Value, step.Reason = verdict.Yes, fmt.Sprintf("leaves as %s, the frontend of load balancer %s", a, lb.Name)
			if !a.IsValid() {
				step.Value, step.Reason = verdict.Unknown, fmt.Sprintf("the public address of load balancer %s is not known", lb.Name)
			}
			return a, step, true
		}
	}
	if !known {
		step.Resource = n.ID
		step.Value, step.Reason = verdict.Unknown, "it is in the backend pool of a load balancer that is not in the estate"
		return netip.Addr{}, step, true
	}
	if standard {
		step.Value, step.Reason = verdict.No, fmt.Sprintf("%s is behind an internal Standard load balancer, which gives no way to the internet, and has no other; add a NAT gateway", n.Name)
		return netip.Addr{}, step, true
	}
	return netip.Addr{}, step, false
}

// lends is the public frontend under whose address a pool's machines leave by IPv4.
func (t *Topology) lends(lb *Balancer, mine func(arm.ID) bool) (*frontend, bool) {
	four := func(fe *frontend) bool { return fe.public != "" && !t.frontAddr(fe).Is6() }
	for _, o := range lb.outbound {
		for _, fe := range lb.frontends {
			if mine(o.pool) && four(fe) && slices.ContainsFunc(o.frontends, fe.id.Equal) {
				return fe, true
			}
		}
	}
	for _, fe := range lb.frontends {
		for _, r := range fe.rules {
			if four(fe) && !r.noSNAT && slices.ContainsFunc(r.pools, mine) {
				return fe, true
			}
		}
	}
	return nil, false
}

// hiddenShared notes that firewalls and load balancers of which something is not
// known may have any private address.
func (t *Topology) hiddenShared() {
	note := func(name string, d Doubts) {
		if len(d) > 0 {
			t.modelless = append(t.modelless, Doubt{Within: private, Reason: name + ": " + d[0].Reason})
		}
	}
	for _, fw := range t.Firewalls {
		note(fw.Name, fw.Doubts)
	}
	for _, lb := range t.Balancers {
		note(lb.Name, lb.Doubts)
	}
}
