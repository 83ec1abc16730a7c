package fabric

import (
	"net/netip"
	"slices"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/fabric/nft"
	"github.com/cloister-ml/cloister/network"
)

// relay is a cable of its own between the routers of two peered networks, for what
// a route of one sends to an appliance in the other: there the cable says where it
// goes, whatever its destination.
type relay struct {
	from, home *vnetPlan
	to         guest
	via        netip.Addr // of the appliance
	address    netip.Addr // by which routes name it: its own, or a load balancer's
}

// near and far are the cable's names in the network that sends and in the
// appliance's.
func (r relay) near() string { return linkName(relayPrefix, r.id()) }
func (r relay) far() string  { return linkName(relayPrefix, r.id()) }

func (r relay) id() arm.ID { return r.from.ID.Child("to", r.home.ID.Key()+r.address.String()) }

// relay finds the appliances in peered networks that routes lead to.
func (c *compiler) relay() {
	for _, v := range c.order {
		for _, sub := range v.subnets {
			if !slices.ContainsFunc(v.guests, func(g guest) bool { return g.subnet.ID.Equal(sub.ID) && !g.endpoint() }) {
				continue
			}
			for _, r := range c.ask.EffectiveRoutes(sub.ID) {
				if r.NextHop == network.HopAppliance && r.Address.IsValid() && len(r.Doubts) == 0 {
					c.relayTo(v, r.Address)
				}
			}
		}
	}
}

func (c *compiler) relayTo(v *vnetPlan, a netip.Addr) {
	home, ok := c.directly(v, a)
	if _, done := c.relayOf(v, a); !ok || home.is(v) || done {
		return
	}
	to, via, ok := c.forwarder(home, a)
	if !ok {
		return
	}
	r := relay{from: v, home: home, to: to, via: via, address: a}
	c.relays = append(c.relays, r)
	near, far := transits(v, home)
	c.plan.Links = append(c.plan.Links, Link{
		A: End{Space: v.space, Name: r.near(), Addrs: near},
		B: End{Space: home.space, Name: r.far(), Addrs: far},
	})
}

// directly is the network, of v and those that it is joined to, that holds an
// address: Azure takes no notice of a next hop anywhere else.
func (c *compiler) directly(v *vnetPlan, a netip.Addr) (*vnetPlan, bool) {
	holds := func(p netip.Prefix) bool { return p.Contains(a) }
	if slices.ContainsFunc(v.AddressSpace, holds) {
		return v, true
	}
	for _, p := range v.Peerings {
		if p.Connected && slices.ContainsFunc(p.RemoteAddressSpace, holds) {
			peer, ok := c.vnets[p.Remote.Key()]
			return peer, ok && v.peers[p.Remote.Key()]
		}
	}
	return nil, false
}

// forwarder is what has an address in a network and may forward; behind a load
// balancer for all ports, the first machine that does. Connections are not spread
// there: any machine may get all.
func (c *compiler) forwarder(v *vnetPlan, a netip.Addr) (guest, netip.Addr, bool) {
	for _, g := range v.guests {
		if slices.Contains(g.addrs, a) || slices.Contains(g.addrs6, a) {
			return g, a, g.IPForwarding && !g.endpoint()
		}
	}
	for _, b := range c.balancers {
		if !b.home.is(v) || b.Public || b.Address != a || len(b.Rules) == 0 || b.Rules[0].Protocol != "*" || len(b.Rules[0].Ports)+len(b.Rules[0].Doubts) > 0 {
			continue
		}
		for _, one := range b.Rules[0].Backends {
			if g, ok := v.backend(one); ok && g.IPForwarding && c.takes(b, b.Rules[0], one) {
				return g, one.Addr, true
			}
		}
	}
	return guest{}, netip.Addr{}, false
}

func (c *compiler) relayOf(v *vnetPlan, a netip.Addr) (relay, bool) {
	for _, r := range c.relays {
		if r.from.is(v) && r.address == a {
			return r, true
		}
	}
	return relay{}, false
}

// toAppliance is the route from a network's router to a virtual appliance.
func (c *compiler) toAppliance(v *vnetPlan, a netip.Addr) (Route, bool) {
	if home, ok := c.directly(v, a); !ok || home.is(v) {
		g, via, forwards := c.forwarder(v, a)
		return Route{Type: Unicast, Dev: g.link, Via: via}, ok && forwards
	}
	r, ok := c.relayOf(v, a)
	if !ok {
		return Route{}, false
	}
	return Route{Type: Unicast, Dev: r.near(), Via: v.towards(r.home)}, true
}

// into are the relays of the plan's version that end in a network.
func (c *compiler) into(v *vnetPlan) []relay {
	return slices.DeleteFunc(slices.Clone(c.relays), func(r relay) bool { return !r.home.is(v) || !v.speaks(r.address) })
}

// relaysInto are the names of the cables that come from one peer.
func (c *compiler) relaysInto(v, peer *vnetPlan) []string {
	var out []string
	for _, r := range c.into(v) {
		if r.from.is(peer) {
			out = append(out, r.far())
		}
	}
	return out
}

// relayed gives each appliance that peers send to a table with the one way to it.
func (c *compiler) relayed(v *vnetPlan, s *Space, numbers tables, marks map[string]int) {
	for _, r := range c.into(v) {
		id := r.to.ID.Child("relay", r.address.String())
		if _, done := marks[id.Key()]; done {
			continue
		}
		n := numbers.number(id)
		marks[id.Key()] = n
		s.Rules = append(s.Rules, Rule{Priority: firstRule, Mark: n, Table: n, Six: v.six})
		s.Routes = append(s.Routes, Route{Table: n, Dst: v.anywhere(), Type: Unicast, Dev: r.to.link, Via: r.via})
	}
}

// relays marks what comes by a relay for its appliance.
func (f *filter) relays(v *vnetPlan, c *compiler, marks map[string]int) []nft.Rule {
	m := nft.Set{Name: "relays", Key: []nft.Type{nft.IfName}, Data: nft.Mark}
	for _, r := range c.into(v) {
		n := marks[r.to.ID.Child("relay", r.address.String()).Key()]
		m.Elems = append(m.Elems, nft.Elem{Key: []nft.Value{nft.Name(r.far())}, Value: nft.Num(uint32(n))})
	}
	if len(m.Elems) == 0 {
		return nil
	}
	f.set(m)
	return []nft.Rule{{Steps: []nft.Action{{Verb: nft.SetMark, Fields: []nft.Field{nft.InIf}, Map: m.Name}}, Do: accept}}
}
