package network

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/verdict"
)

// memberOf reports whether an address of a NIC, of one version of IP, is in a pool that
// is of a load balancer. A pool that lists the address does not decide the way out.
func (n NIC) memberOf(six bool, is func(pool arm.ID) bool) bool {
	return slices.ContainsFunc(n.memberships, func(m membership) bool {
		return m.pool != "" && !m.listed && m.six == six && is(m.pool)
	})
}

// balancerEgress is the way out of a machine in a backend pool: an outbound rule,
// or the frontend of a rule that lends its address to the protocol that it is for.
// Behind a Standard load balancer that lends none there is none.
//
// Source: Microsoft Learn, "Outbound rules Azure Load Balancer" (scenario 6,
// limitations).
func (t *Topology) balancerEgress(n NIC, step verdict.Step, p Protocol) (netip.Addr, verdict.Step, bool) {
	standard, known := false, false
	for _, lb := range t.Balancers {
		if !n.memberOf(false, func(pool arm.ID) bool { return pool.Within(lb.ID) }) {
			continue
		}
		standard, known = standard || lb.Standard, true
		step.Resource = lb.ID
		if len(lb.Doubts) > 0 {
			step.Value, step.Reason = verdict.Unknown, lb.Doubts[0].Reason
			return netip.Addr{}, step, true
		}
		if l := t.lent(lb, n, false, p); l.frontend != nil {
			a, step := l.step(t, step)
			return a, step, true
		}
	}
	switch {
	case !known && !n.memberOf(false, func(arm.ID) bool { return true }):
		return netip.Addr{}, step, false // it is there with an address of IPv6 alone
	case !known:
		step.Resource = n.ID
		step.Value, step.Reason = verdict.Unknown, "it is in the backend pool of a load balancer that is not in the estate"
		return netip.Addr{}, step, true
	case standard:
		step.Value, step.Reason = verdict.No, fmt.Sprintf("%s is behind a Standard load balancer that lends it no address for %s, and has no other way to the internet; add a NAT gateway", n.Name, p.word())
		return netip.Addr{}, step, true
	}
	return netip.Addr{}, step, false
}

// balancerEgress6 is the same for IPv6, where outbound rules with frontends of IPv6
// lend addresses. Whether other rules do is not documented.
func (t *Topology) balancerEgress6(n NIC, step verdict.Step, p Protocol) (netip.Addr, verdict.Step) {
	for _, lb := range t.Balancers {
		if !n.memberOf(true, func(pool arm.ID) bool { return pool.Within(lb.ID) }) {
			continue
		}
		step.Resource = lb.ID
		if len(lb.Doubts) > 0 {
			step.Reason = lb.Doubts[0].Reason
			return netip.Addr{}, step
		}
		if l := t.lent(lb, n, true, p); l.frontend != nil {
			return l.step(t, step)
		}
	}
	if n.memberOf(true, func(pool arm.ID) bool { return !t.isPool(pool) }) {
		step.Reason = "it is in the backend pool of a load balancer that is not in the estate"
		return netip.Addr{}, step
	}
	step.Resource, step.Value = n.ID, verdict.No
	step.Reason = fmt.Sprintf("%s has no way out by IPv6 for %s: no outbound rule of a load balancer gives its IPv6 configuration an address of IPv6", n.Name, p.word())
	return netip.Addr{}, step
}

func (t *Topology) isPool(pool arm.ID) bool {
	return slices.ContainsFunc(t.Balancers, func(lb *Balancer) bool { return pool.Within(lb.ID) })
}

// word is a protocol as a reason says it.
func (p Protocol) word() string { return strings.ToUpper(string(p)) }

// loan is a frontend under whose address a machine leaves, if nothing is open.
type loan struct {
	frontend *frontend
	open     string
}

func (l loan) step(t *Topology, step verdict.Step) (netip.Addr, verdict.Step) {
	a := t.PublicIP(l.frontend.public)
	name := l.frontend.balancer.Name
	switch {
	case l.open != "":
		step.Value, step.Reason = verdict.Unknown, l.open
	case !a.IsValid():
		step.Value, step.Reason = verdict.Unknown, fmt.Sprintf("the public address of load balancer %s is not known", name)
	default:
		step.Value, step.Reason = verdict.Yes, fmt.Sprintf("leaves as %s, the frontend of load balancer %s", a, name)
		return a, step
	}
	return netip.Addr{}, step
}

// lent is the public frontend that lends a machine its address: by an outbound rule,
// else by a rule for the protocol. No load balancer lends to ICMP.
func (t *Topology) lent(lb *Balancer, n NIC, six bool, p Protocol) loan {
	if p == ICMP {
		return loan{}
	}
	mine := func(pool arm.ID) bool { return n.memberOf(six, pool.Equal) }
	public := func(fe *frontend) bool {
		a := t.PublicIP(fe.public)
		return fe.public != "" && (!a.IsValid() || a.Is6() == six)
	}
	for _, o := range lb.outbound {
		for _, fe := range lb.frontends {
			if mine(o.pool) && public(fe) && slices.ContainsFunc(o.frontends, fe.id.Equal) && (o.open != "" || isFor(o.protocol, p)) {
				return loan{fe, o.open}
			}
		}
	}
	for _, fe := range lb.frontends {
		for _, r := range fe.rules {
			if !public(fe) || r.noSNAT || !slices.ContainsFunc(r.pools, mine) || r.open == "" && !isFor(r.protocol, p) {
				continue
			}
			if six {
				return loan{fe, fmt.Sprintf("whether rule %s of load balancer %s lends an address of IPv6 is not documented; give the pool an outbound rule", r.name, lb.Name)}
			}
			return loan{fe, r.open}
		}
	}
	return loan{}
}

func isFor(protocol string, p Protocol) bool {
	return protocol == "*" || strings.EqualFold(protocol, string(p))
}
