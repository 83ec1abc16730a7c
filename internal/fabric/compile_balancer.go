package fabric

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/cloister-ml/cloister/internal/fabric/nft"
	"github.com/cloister-ml/cloister/network"
)

// balancerPlan is a load balancer's frontend that is built: in the router of the
// network that its machines are in.
type balancerPlan struct {
	network.Frontend
	home *vnetPlan
}

// balance finds the networks of frontends, and tells the internet of the public
// ones.
func (c *compiler) balance(list []network.Frontend) {
	for _, fe := range list {
		home := c.vnets[fe.Subnet.Parent().Key()]
		if fe.Public {
			home = c.behind(fe)
		}
		if home == nil {
			c.note("%s is not built: no machine of its backend pools runs", fe.ID)
			continue
		}
		if fe.Public {
			c.announce(home, fe.Address, false)
		}
		c.balancers = append(c.balancers, balancerPlan{fe, home})
	}
}

// behind is the network of a frontend's machines: Azure asks that it is one.
func (c *compiler) behind(fe network.Frontend) *vnetPlan {
	for _, r := range fe.Rules {
		for _, b := range r.Backends {
			for _, v := range c.order {
				if _, ok := v.backend(b); ok {
					return v
				}
			}
		}
	}
	return nil
}

// backend is the interface of a network that a backend is.
func (v *vnetPlan) backend(b network.Backend) (guest, bool) {
	for _, g := range v.guests {
		if g.ID.Equal(b.NIC) && (slices.Contains(g.addrs, b.Addr) || slices.Contains(g.addrs6, b.Addr)) {
			return g, true
		}
	}
	return guest{}, false
}

// balancersOf are the frontends of a network's version of IP.
func (c *compiler) balancersOf(v *vnetPlan) []balancerPlan {
	return keep(c.balancers, func(b balancerPlan) bool { return b.home.is(v) && v.speaks(b.Address) })
}

// frontedSet holds the interfaces of a network whose routes lead to a frontend in
// it; priorityFronted is after connections are known and before they are turned.
const (
	frontedSet      = "fronted"
	priorityFronted = -150
)

// fronted lets the groups of a machine see a frontend of its own network as what
// it is, before the destination becomes a backend's, and keeps the routes of its
// subnet from a backend's address. It reports whether there is any.
func (f *filter) fronted(v *vnetPlan, c *compiler) bool {
	m := nft.Set{Name: frontedSet, Key: []nft.Type{nft.IfName, nft.Addr}, Data: nft.Mark}
	for _, b := range c.balancersOf(v) {
		for _, g := range v.guests {
			if b.Public || g.endpoint() || !c.staysInside(g, b.Address) {
				continue
			}
			m.Elems = append(m.Elems, nft.Elem{Key: []nft.Value{nft.Name(g.link), nft.Address(b.Address)}, Value: nft.Num(0)})
		}
	}
	if len(m.Elems) == 0 {
		return false
	}
	f.set(m)
	f.chain(nft.Chain{Name: "fronted", Hook: nft.Prerouting, Priority: priorityFronted, Rules: []nft.Rule{
		{Match: []nft.Match{nft.NotIn(m.Name, nft.InIf, nft.Destination)}, Do: accept},
		{Match: []nft.Match{nft.State(nft.New)}, Do: nft.Action{Verb: nft.Dispatch, Fields: []nft.Field{nft.InIf}, Map: "outbound"}},
		{Steps: []nft.Action{{Verb: nft.SetMark, Fields: []nft.Field{nft.InIf, nft.Destination}, Map: m.Name}}, Do: accept},
	}})
	return true
}

// staysInside reports whether the routes of an interface's subnet leave an address
// of its network to the network.
func (c *compiler) staysInside(g guest, a netip.Addr) bool {
	best, ok := c.routeTo(g, a)
	itself := best.NextHop == network.HopAppliance && best.Address == a
	return ok && (itself || best.NextHop == network.HopVNetLocal) && len(best.Doubts) == 0
}

// routeTo is the route that an interface's subnet has for an address.
func (c *compiler) routeTo(g guest, a netip.Addr) (network.Route, bool) {
	return longest(c.ask.EffectiveRoutes(g.subnet.ID), a)
}

// longest is the route with the longest prefix that holds an address.
func longest(list []network.Route, a netip.Addr) (best network.Route, ok bool) {
	for _, r := range list {
		if r.Prefix.Contains(a) && (!ok || r.Prefix.Bits() > best.Prefix.Bits()) {
			best, ok = r, true
		}
	}
	return best, ok
}

// balanced are the rules that turn connections to frontends to their backends.
func (f *filter) balanced(v *vnetPlan, c *compiler, fronted bool) []nft.Rule {
	var out []nft.Rule
	for _, b := range c.balancersOf(v) {
		var ways [][]nft.Match
		from := nft.Begins(nft.InIf, peeringPrefix)
		if b.Public {
			from = nft.Equals(nft.InIf, nft.Name(internetLink))
		}
		ways = append(ways, []nft.Match{from})
		if fronted && !b.Public {
			ways = append(ways, []nft.Match{nft.In(frontedSet, nft.InIf, nft.Destination)})
		}
		for i, r := range b.Rules {
			do, ok := f.backends(v, c, b, i)
			if !ok {
				continue
			}
			t := terms{six: v.six, allow: true, sure: true, protocol: r.Protocol, to: r.Ports, sources: everywhere(), destinations: []netip.Prefix{single(b.Address)}}
			for _, match := range f.matching(t) {
				for _, way := range ways {
					out = append(out, nft.Rule{Match: slices.Concat(way, match), Count: true, Do: do, Comment: b.ID.Name() + " " + r.Name})
				}
			}
		}
	}
	return out
}

// takes reports whether a machine gets new connections.
func (c *compiler) takes(b balancerPlan, r network.BalancerRule, one network.Backend) bool {
	return r.Probe == nil || c.choose.Healthy(HealthCheck{b.Balancer, *r.Probe, one.NIC, one.Addr})
}

// isFront reports whether an address of a network is a load balancer's.
func (c *compiler) isFront(v *vnetPlan, a netip.Addr) bool {
	return slices.ContainsFunc(c.balancers, func(b balancerPlan) bool { return b.home.is(v) && !b.Public && b.Address == a })
}

// backends is what a rule does: to the one machine behind it, or to one of several
// by a hash of the connection. Source: Microsoft Learn, "Azure Load Balancer
// algorithm": five-tuple hashing.
func (f *filter) backends(v *vnetPlan, c *compiler, b balancerPlan, i int) (nft.Action, bool) {
	r := b.Rules[i]
	switch {
	case len(r.Doubts) > 0:
		f.note("%s: rule %s is not built: %s", b.Balancer, r.Name, r.Doubts[0].Reason)
		return nft.Action{}, false
	case r.Floating:
		f.note("%s: rule %s is not built: it keeps the frontend's address (floating IP), which the machine must have itself", b.Balancer, r.Name)
		return nft.Action{}, false
	}
	var to []nft.Action
	there := false
	for _, one := range r.Backends {
		if _, ok := v.backend(one); !ok {
			continue
		}
		there = true
		if c.takes(b, r, one) {
			to = append(to, nft.Action{Verb: nft.SendTo, Addr: one.Addr, Port: r.Port})
		}
	}
	switch len(to) {
	case 0: // nobody gets what comes while no machine is healthy
		return drop, there
	case 1:
		return to[0], true
	}
	name := "lb-" + digest(b.ID.Key()+r.Name, 12)
	m := nft.Set{Name: name, Key: []nft.Type{nft.Mark}, Data: nft.VerdictType}
	for n, do := range to {
		chain := fmt.Sprintf("%s-%s", name, digest(do.Addr.String(), 8))
		f.chainOnce(nft.Chain{Name: chain, Rules: []nft.Rule{{Do: do, Comment: r.Name}}})
		m.Elems = append(m.Elems, nft.Elem{Key: []nft.Value{nft.Num(uint32(n))}, Verdict: nft.Action{Verb: nft.Goto, Chain: chain}})
	}
	f.set(m)
	fields := []nft.Field{nft.Source, nft.Destination, nft.Protocol}
	if r.Protocol != "*" {
		fields = append(fields, nft.SourcePort, nft.DestinationPort)
	}
	return nft.Action{Verb: nft.Balance, Fields: fields, Map: name, Number: uint32(len(to))}, true
}
