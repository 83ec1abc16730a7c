package fabric

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
)

// RoleSite is a place behind a virtual network gateway: a machine on the premises,
// or a point-to-site client. It has no way but the tunnel.
const RoleSite Role = "site"

// tunnelPort is where a tunnel's ends listen: WireGuard's usual port.
const tunnelPort = 51820

// Tunnel is one end of the tunnels between a gateway and what is behind it.
type Tunnel struct {
	Gateway arm.ID
	Addrs   []netip.Addr // of a site: its own addresses
	Peers   []TunnelPeer
}

// TunnelPeer is an other end.
type TunnelPeer struct {
	Space    string         // its namespace
	Site     arm.ID         // the local network gateway, or the gateway itself for its clients
	Endpoint netip.AddrPort // its address outside the tunnel
	Allowed  []netip.Prefix // its addresses inside
}

// gatewayPlan is a virtual network gateway that is built.
type gatewayPlan struct {
	*network.Gateway
	home  *vnetPlan
	guest guest
	// declared are the prefixes of each site; those of the sites themselves are the
	// ones that have been learned.
	declared [][]netip.Prefix
}

// built are the gateways with a host in their network and something behind them.
func (c *compiler) built(list []*network.Gateway) {
	for _, g := range list {
		g = c.outward(g)
		home, ok := c.vnets[g.Subnet.Parent().Key()]
		if !ok || len(g.Sites) == 0 {
			continue
		}
		for _, n := range home.guests {
			if n.Kind == network.KindGateway && n.ID.Equal(g.ID) {
				c.gateways = append(c.gateways, c.learned(gatewayPlan{Gateway: g, home: home, guest: n}))
			}
		}
	}
}

// outward is a gateway without the virtual networks that it is joined to: no tunnel
// is built between gateways.
func (c *compiler) outward(g *network.Gateway) *network.Gateway {
	out := *g
	out.Sites = slices.DeleteFunc(slices.Clone(g.Sites), func(s network.Site) bool {
		if s.Network != "" {
			c.note("%s is not joined to %s: tunnels between gateways are not built", g.ID, s.Network)
		}
		return s.Network != ""
	})
	return &out
}

// gatewaysOf are those that a network has, or uses of a peer.
func (c *compiler) gatewaysOf(v *vnetPlan) []gatewayPlan {
	var out []gatewayPlan
	for _, g := range c.gateways {
		if !v.six && (g.home == v || usesOf(v, g.home)) { // gateways take IPv4 only

			out = append(out, g)
		}
	}
	return out
}

// usesOf reports whether a network uses the gateways of another.
func usesOf(v, home *vnetPlan) bool {
	uses := slices.ContainsFunc(v.Peerings, func(p network.Peering) bool {
		return p.Remote.Equal(home.ID) && p.Connected && p.UseRemoteGateways
	})
	return uses && slices.ContainsFunc(home.Peerings, func(p network.Peering) bool {
		return p.Remote.Equal(v.ID) && p.Connected && p.AllowGatewayTransit
	})
}

// way is the route from a network's router to a gateway.
func (g gatewayPlan) way(v *vnetPlan) Route {
	if g.home == v {
		return Route{Type: Unicast, Dev: g.guest.link, Via: g.guest.addrs[0]}
	}
	return Route{Type: Unicast, Dev: linkName(peeringPrefix, g.home.ID), Via: g.home.transit}
}

// toSite is the route to what is behind a gateway under a prefix.
func (c *compiler) toSite(v *vnetPlan, to netip.Prefix) (Route, bool) {
	var way Route
	bits := -1
	for _, g := range c.gatewaysOf(v) {
		for _, s := range g.Sites {
			for _, p := range s.Prefixes {
				if p.Addr().Is4() && p.Contains(to.Addr()) && p.Bits() <= to.Bits() && p.Bits() > bits {
					way, bits = g.way(v), p.Bits()
				}
			}
		}
	}
	return way, bits >= 0
}

// siteRoutes lead to all that is behind a network's gateways.
func (c *compiler) siteRoutes(v *vnetPlan, table int, of []gatewayPlan) []Route {
	var out []Route
	for _, g := range of {
		for _, s := range g.Sites {
			for _, p := range s.Prefixes {
				if p.Addr().Is4() {
					r := g.way(v)
					r.Table, r.Dst = table, p.Masked()
					out = append(out, r)
				}
			}
		}
	}
	return out
}

// own are the gateways that live in a network.
func (c *compiler) own(v *vnetPlan) []gatewayPlan {
	return slices.DeleteFunc(slices.Clone(c.gateways), func(g gatewayPlan) bool { return g.home != v })
}

// transited are the addresses from which packets may come over a peering because
// the network uses the other's gateway.
func (c *compiler) transited(v, home *vnetPlan) []netip.Prefix {
	var out []netip.Prefix
	for _, g := range c.gatewaysOf(v) {
		if g.home == home && home != v {
			for _, s := range g.Sites {
				out = append(out, s.Prefixes...)
			}
		}
	}
	return out
}

// reachable are the address spaces that a gateway leads to.
func (c *compiler) reachable(g gatewayPlan) []netip.Prefix {
	var out []netip.Prefix
	for _, v := range c.order {
		if v == g.home || usesOf(v, g.home) {
			for _, p := range v.AddressSpace {
				if p.Addr().Is4() {
					out = append(out, p.Masked())
				}
			}
		}
	}
	return out
}

// sites adds the namespaces behind the gateways, each on a cable of its own to its
// gateway, which stands for what lies between them.
func (c *compiler) sites(spaces map[string]*Space) []Space {
	var out []Space
	for _, g := range c.gateways {
		gw := spaces[g.guest.space]
		gw.Tunnel = &Tunnel{Gateway: g.ID}
		for i, s := range g.Sites {
			own := siteAddrs(g.declared[i])
			if len(own) == 0 {
				c.note("%s is not built: it has no IPv4 prefix", s.ID)
				continue
			}
			if s.BGP != nil && s.BGP.Circuit != "" {
				out = append(out, c.circuit(circuitPlan{gatewayPlan: g, site: s, declared: g.declared[i], own: own, dev: len(gw.Guests) + i}, gw)...)
				continue
			}
			own = withPeer(own, s)
			name := siteSpace(g.Gateway, s)
			near := c.pool.address("tunnel " + g.ID.Key() + " to " + name)
			far := c.pool.address("tunnel " + name + " to " + g.ID.Key())
			dev := fmt.Sprintf("%s%d", machineLink, len(gw.Guests)+i)
			c.plan.Links = append(c.plan.Links, Link{
				A: End{Space: g.guest.space, Name: dev, Addrs: []netip.Addr{near}},
				B: End{Space: name, Name: machineLink + "0", Addrs: []netip.Addr{far}},
			})
			gw.Routes = append(gw.Routes, Route{Table: mainTable, Dst: single(far), Type: Unicast, Dev: dev, Src: near})
			gw.Tunnel.Peers = append(gw.Tunnel.Peers, TunnelPeer{
				Space: name, Site: s.ID, Endpoint: netip.AddrPortFrom(far, tunnelPort), Allowed: allowedOf(g.Gateway, s, g.declared[i], own),
			})
			out = append(out, Space{
				Name: name, Role: RoleSite, Owner: s.ID, Speaker: c.overTunnel(g, s, g.declared[i], gw),
				Routes: []Route{{Table: mainTable, Dst: single(near), Type: Unicast, Dev: machineLink + "0", Src: far}},
				Tunnel: &Tunnel{Gateway: g.ID, Addrs: own, Peers: []TunnelPeer{{
					Space: g.guest.space, Site: s.ID, Endpoint: netip.AddrPortFrom(near, tunnelPort), Allowed: c.reachable(g),
				}}},
			})
		}
	}
	return out
}

// clients reports whether a site is a gateway's pool of point-to-site clients.
func clients(g *network.Gateway, s network.Site) bool { return s.ID.Equal(g.ID) }

func siteSpace(g *network.Gateway, s network.Site) string {
	if clients(g, s) {
		return spaceName("client", g.Name, s.ID)
	}
	return spaceName("site", s.Name, s.ID.Child("of", g.Name))
}

// siteAddrs are the addresses of the machine that stands for a site, one in each
// prefix: the second host, since the first is usually a router's.
func siteAddrs(declared []netip.Prefix) []netip.Addr {
	var out []netip.Addr
	for _, p := range declared {
		if !p.Addr().Is4() {
			continue
		}
		a := p.Masked().Addr()
		for range 2 {
			if next := a.Next(); p.Contains(next) {
				a = next
			}
		}
		out = append(out, a)
	}
	return out
}

// allowedOf are the addresses that a site may send from: of a pool only what its
// client has been given.
func allowedOf(g *network.Gateway, s network.Site, declared []netip.Prefix, own []netip.Addr) []netip.Prefix {
	var out []netip.Prefix
	if clients(g, s) {
		for _, a := range own {
			out = append(out, single(a))
		}
		return out
	}
	return masked(declared)
}
