package fabric

import (
	"net/netip"
	"slices"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
)

// firstRule is the priority of the first policy rule; the fabric's own are those
// of the thousand from here.
const firstRule = 1000

// router adds a virtual network's router to the plan.
func (c *compiler) router(v *vnetPlan) {
	s := Space{Name: v.space, Role: RoleRouter, Forward: true, VNet: v.ID, origins: map[netip.Addr]network.NIC{}}
	for _, g := range v.guests {
		s.Guests = append(s.Guests, g.NIC)
	}
	gateways := gatewaysIn(v)
	s.Loopback = append(platform(), gateways...)
	f := c.version(v, &s, gateways)
	s.Filter, s.gates = f.table, f.gates
	if v.isDual() {
		f = c.version(c.inSix(v), &s, []netip.Addr{gateway6})
		s.Filter6, s.gates6 = f.table, f.gates
	}
	s.Checks = c.checks(v)
	c.plan.Spaces = append(c.plan.Spaces, s)
}

// gatewaysIn are the IPv4 gateways of a network's subnets.
func gatewaysIn(v *vnetPlan) []netip.Addr {
	out := []netip.Addr{}
	for _, sub := range v.subnets {
		for _, p := range sub.Prefixes {
			if p.Addr().Is4() && !slices.Contains(out, gateway(p)) {
				out = append(out, gateway(p))
			}
		}
	}
	return out
}

// version adds the routes of one version of IP to a router, and makes its filter.
func (c *compiler) version(v *vnetPlan, s *Space, gateways []netip.Addr) *filter {
	// The main table knows who is plugged in here: what arrives from a peer or from
	// the internet can go nowhere beyond, which the filter sees to as well.
	routes, rules := len(s.Routes), len(s.Rules)
	s.Routes = append(s.Routes, Route{Table: mainTable, Dst: single(c.internetTransit(v)), Type: Unicast, Dev: internetLink})
	for _, p := range v.AddressSpace {
		if v.speaks(p.Addr()) {
			s.Routes = append(s.Routes, Route{Table: mainTable, Dst: p.Masked(), Type: Unreachable})
		}
	}
	for _, g := range v.guests {
		for _, a := range g.addrs {
			r := Route{Table: mainTable, Dst: single(a), Type: Unicast, Dev: g.link}
			if !v.six {
				r.Src = gatewayOf(g.subnet, a)
			}
			s.Routes = append(s.Routes, r)
		}
		for _, front := range g.fronts {
			s.Routes = append(s.Routes, Route{Table: mainTable, Dst: single(front.private), Type: Unicast, Dev: g.link, Via: g.addrs[0]})
		}
	}
	s.Routes = append(s.Routes, c.siteRoutes(v, mainTable, c.own(v))...)
	for _, peer := range c.order {
		if !v.peers[peer.ID.Key()] {
			continue
		}
		s.Routes = append(s.Routes, Route{Table: mainTable, Dst: single(v.towards(peer)), Type: Unicast, Dev: linkName(peeringPrefix, peer.ID)})
	}

	numbers := tables{}
	marks := map[string]int{} // by subnet key
	var services []serviceRoutes
	for _, sub := range v.subnets {
		if !slices.ContainsFunc(v.guests, func(g guest) bool { return g.subnet.ID.Equal(sub.ID) && !g.endpoint() }) {
			continue
		}
		n := numbers.number(sub.ID)
		marks[sub.ID.Key()] = n
		s.Rules = append(s.Rules, Rule{Priority: firstRule, Mark: n, Table: n, Six: v.six})
		routes, svc := c.subnetRoutes(v, sub, n)
		s.Routes = append(s.Routes, routes...)
		if len(svc) > 0 {
			services = append(services, c.identities(v, sub, s, n, svc))
		}
	}
	if slices.ContainsFunc(v.guests, guest.endpoint) {
		n := numbers.number(endpoints(v))
		marks[endpoints(v).Key()] = n
		s.Rules = append(s.Rules, Rule{Priority: firstRule, Mark: n, Table: n, Six: v.six})
		s.Routes = append(s.Routes, c.endpointRoutes(v, n)...)
	}
	c.relayed(v, s, numbers, marks)
	one, by := v.merge(s.Routes[routes:], s.Rules[rules:], marks[endpoints(v).Key()])
	s.Routes, s.Rules = append(s.Routes[:routes:routes], one...), append(s.Rules[:rules:rules], by...)
	return c.routerFilter(v, gateways, marks, services)
}

// endpoints stands for the routing table of a network's private endpoints.
func endpoints(v *vnetPlan) arm.ID { return v.ID.Child("endpoints", "all") }

// endpointRoutes lead the answers of private endpoints back to this network and
// its peers: a subnet's route table is not for them.
func (c *compiler) endpointRoutes(v *vnetPlan, table int) []Route {
	out := []Route{{Table: table, Dst: netip.PrefixFrom(netip.IPv4Unspecified(), 0), Type: Unreachable}}
	for _, p := range v.AddressSpace {
		if p.Addr().Is4() {
			out = append(out, Route{Table: table, Dst: p.Masked(), Type: Throw})
		}
	}
	out = append(out, c.siteRoutes(v, table, c.gatewaysOf(v))...)
	for _, p := range v.Peerings {
		if peer, ok := c.vnets[p.Remote.Key()]; ok && v.peers[p.Remote.Key()] {
			for _, space := range p.RemoteAddressSpace {
				if space.Addr().Is4() {
					out = append(out, Route{Table: table, Dst: space.Masked(), Type: Unicast, Dev: linkName(peeringPrefix, peer.ID), Via: peer.transit})
				}
			}
		}
	}
	return out
}

// subnetRoutes are the effective routes of a subnet as a table that is complete
// in itself, and the prefixes that a service endpoint leads to.
func (c *compiler) subnetRoutes(v *vnetPlan, sub network.Subnet, table int) (routes []Route, services []netip.Prefix) {
	seen := map[netip.Prefix]bool{}
	for _, r := range c.ask.EffectiveRoutes(sub.ID) { // the longest prefixes first
		if !v.speaks(r.Prefix.Addr()) || seen[r.Prefix.Masked()] {
			continue
		}
		seen[r.Prefix.Masked()] = true
		if way, ok := c.toFront(v, sub, r); ok && !seen[single(r.Address)] {
			seen[single(r.Address)] = true
			way.Table, way.Dst = table, single(r.Address)
			routes = append(routes, way)
		}
		out := c.hop(v, sub, r)
		out.Table, out.Dst = table, r.Prefix.Masked()
		if own, ok := c.toItself(v, r); ok && out.Type == Unreachable && !holds(routes, r.Address) {
			own.Table = table
			if own.Dst == out.Dst {
				out = own
			} else {
				routes = append(routes, own)
			}
		}
		routes = append(routes, out)
		if r.NextHop == network.HopService {
			services = append(services, out.Dst)
		}
	}
	if !seen[v.anywhere()] {
		routes = append(routes, Route{Table: table, Dst: v.anywhere(), Type: Unreachable})
	}
	return routes, services
}

// toFront is the way to a load balancer that is a route's next hop, for what is for
// the load balancer itself.
func (c *compiler) toFront(v *vnetPlan, sub network.Subnet, r network.Route) (Route, bool) {
	if r.NextHop != network.HopAppliance || len(r.Doubts) > 0 || !r.Prefix.Contains(r.Address) || r.Prefix.Bits() == r.Address.BitLen() {
		return Route{}, false
	}
	home, ok := c.directly(v, r.Address)
	best, _ := c.routeTo(guest{subnet: sub}, r.Address)
	if !ok || !c.isFront(home, r.Address) || best.Prefix != r.Prefix {
		return Route{}, false
	}
	if home.is(v) {
		return Route{Type: Throw}, true
	}
	return Route{Type: Unicast, Dev: linkName(peeringPrefix, home.ID), Via: v.towards(home)}, true
}

// holds reports whether one of some routes is for an address.
func holds(routes []Route, a netip.Addr) bool {
	return slices.ContainsFunc(routes, func(r Route) bool { return r.Dst.Contains(a) })
}

// toItself is the way to a virtual appliance's own address where its route is for
// that too: it need not forward what is for itself.
func (c *compiler) toItself(v *vnetPlan, r network.Route) (Route, bool) {
	if r.NextHop != network.HopAppliance || !r.Prefix.Contains(r.Address) || len(r.Doubts) > 0 {
		return Route{}, false
	}
	home, ok := c.directly(v, r.Address)
	if !ok {
		return Route{}, false
	}
	out := Route{Dst: single(r.Address), Type: Throw}
	if !home.is(v) {
		out.Type, out.Dev, out.Via = Unicast, linkName(peeringPrefix, home.ID), v.towards(home)
	}
	return out, true
}

// hop is a next hop as the router knows it; one that is not built is unreachable.
func (c *compiler) hop(v *vnetPlan, sub network.Subnet, r network.Route) Route {
	closed := Route{Type: Unreachable}
	if len(r.Doubts) > 0 {
		c.note("subnet %s: %s leads nowhere: %s", sub.ID, r.Prefix, r.Doubts[0].Reason)
		return closed
	}
	switch r.NextHop {
	case network.HopVNetLocal:
		return Route{Type: Throw}
	case network.HopInternet, network.HopService:
		return Route{Type: Unicast, Dev: internetLink, Via: c.internetTransit(v)}
	case network.HopPeering, network.HopEndpoint:
		if r.NextHop == network.HopEndpoint && (r.Peer == "" || r.Peer.Equal(v.ID)) {
			return Route{Type: Throw}
		}
		if peer, ok := c.vnets[r.Peer.Key()]; ok && v.peers[r.Peer.Key()] {
			return Route{Type: Unicast, Dev: linkName(peeringPrefix, peer.ID), Via: v.towards(peer)}
		}
		return closed
	case network.HopAppliance:
		if way, ok := c.toAppliance(v, r.Address); ok {
			return way
		}
		c.note("subnet %s: %s leads nowhere: no running network interface of its network or of one that is peered with it has the appliance's address %s and IP forwarding", sub.ID, r.Prefix, r.Address)
	case network.HopGateway:
		if way, ok := c.toSite(v, r.Prefix); ok {
			return way
		}
		c.note("subnet %s: %s leads nowhere: no gateway that is built has it behind it", sub.ID, r.Prefix)
	}
	return closed
}

// serviceRoutes are a subnet's service endpoints: the destinations, and the
// address that stands for each of its guests there.
type serviceRoutes struct {
	mark     int
	prefixes []netip.Prefix
	source   map[arm.ID]netip.Addr
}

// identities gives each guest of a subnet with service endpoints an address of
// its own towards public services.
func (c *compiler) identities(v *vnetPlan, sub network.Subnet, s *Space, mark int, prefixes []netip.Prefix) serviceRoutes {
	out := serviceRoutes{mark: mark, prefixes: prefixes, source: map[arm.ID]netip.Addr{}}
	for _, g := range v.guests {
		if g.subnet.ID.Equal(sub.ID) && !g.endpoint() {
			a := c.pool.address("service endpoint " + g.ID.Key())
			out.source[g.ID], s.origins[a] = a, g.NIC
			c.announce(v, a, true)
		}
	}
	return out
}
