package network

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/cloister-ml/cloister/arm"
)

// membership is an address in a backend pool, or behind an inbound NAT rule.
type membership struct {
	pool, rule arm.ID
	addr       netip.Addr // invalid where it is not known
	six        bool       // of IPv6
	listed     bool       // the pool lists the address: it does not decide the machine's way out
}

// behind reports whether a rule, whose frontend is of one version of IP, leads to it.
func (m membership) behind(r balancingRule, six bool) bool {
	if m.six != six {
		return false
	}
	return m.rule != "" && m.rule.Equal(r.rule) || m.rule == "" && slices.ContainsFunc(r.pools, m.pool.Equal)
}

// member is the address of a NIC that a rule leads to: one of its frontend's version,
// since a load balancer does not translate between the two (Microsoft Learn, "What is
// IPv6 for Azure Virtual Network?").
func (t *Topology) member(i int, r balancingRule, six bool) (netip.Addr, bool) {
	for _, m := range t.pooled[i] {
		if m.addr.IsValid() && m.behind(r, six) {
			return m.addr, true
		}
	}
	return netip.Addr{}, false
}

// strangers is why a rule may lead to other machines than the ones that are known: one
// whose address is not may be in its pool, or have an address that the pool lists.
func (t *Topology) strangers(r balancingRule, six bool) (string, bool) {
	if len(t.poolDoubts) > 0 {
		return t.poolDoubts[0].Reason, true
	}
	for i := range t.NICs {
		for _, m := range t.pooled[i] {
			if !m.addr.IsValid() && m.behind(r, six) {
				return "the private address of " + t.NICs[i].Name + " is not known", true
			}
		}
	}
	for _, lb := range t.Balancers {
		for _, l := range lb.listed {
			if _, taken := t.occupant(l.vnet, l.addr); taken || l.addr.Is6() != six || !slices.ContainsFunc(r.pools, l.pool.Equal) {
				continue
			}
			if i := slices.IndexFunc(t.unplaced, func(d Doubt) bool { return d.concerns(l.addr) }); i >= 0 {
				return fmt.Sprintf("%s, which the pool lists, may be somebody's: %s", l.addr, t.unplaced[i].Reason), true
			}
		}
	}
	return "", false
}
