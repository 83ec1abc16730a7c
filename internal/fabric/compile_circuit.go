package fabric

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/cloister-ml/cloister/internal/bgp"
	"github.com/cloister-ml/cloister/internal/fabric/nft"
	"github.com/cloister-ml/cloister/network"
)

// RoleEdge is Microsoft's edge of an ExpressRoute circuit, between a gateway and the
// customer's edge on the premises.
const RoleEdge Role = "edge"

// Links of an edge; those towards the premises have numbers.
const (
	edgeToGateway  = "gateway"
	edgeToPremises = "premises"
)

// circuitPlan is an ExpressRoute connection that is built.
type circuitPlan struct {
	gatewayPlan
	site     network.Site
	declared []netip.Prefix // behind the circuit
	own      []netip.Addr   // of the site's machine
	dev      int            // number of the gateway's interface towards the edge
}

// learned keeps of what is behind a gateway's BGP sessions what has been learned.
func (c *compiler) learned(g gatewayPlan) gatewayPlan {
	for i, s := range g.Sites {
		g.declared = append(g.declared, s.Prefixes)
		if s.BGP == nil || c.choose.Heard == nil {
			continue
		}
		heard := c.choose.Heard(g.guest.space)
		g.Sites[i].Prefixes = slices.DeleteFunc(slices.Clone(s.Prefixes), func(p netip.Prefix) bool {
			_, ok := heard[p.Masked()]
			return !ok
		})
	}
	return g
}

// heard are those of some prefixes that a namespace has learned, with the way to
// each; otherwise is the way where speakers are not asked.
func (c *compiler) heard(space string, declared []netip.Prefix, otherwise netip.Addr) map[netip.Prefix]netip.Addr {
	out := map[netip.Prefix]netip.Addr{}
	var has map[netip.Prefix]netip.Addr
	if c.choose.Heard != nil {
		has = c.choose.Heard(space)
	}
	for _, p := range masked(declared) {
		via, ok := has[p]
		switch {
		case c.choose.Heard == nil:
			out[p] = otherwise
		case ok:
			out[p] = via
		}
	}
	return out
}

// circuit adds the edges of a circuit: Microsoft's, which is cabled to the gateway,
// and the customer's, with one cable for each of the circuit's links.
func (c *compiler) circuit(p circuitPlan, gw *Space) []Space {
	id := p.site.ID.Child("of", p.Name)
	edge := Space{Name: spaceName("edge", p.site.BGP.Circuit.Name(), id), Role: RoleEdge, Forward: true, Owner: p.site.BGP.Circuit}
	site := Space{Name: siteSpace(p.Gateway, p.site), Role: RoleSite, Owner: p.site.ID, Loopback: p.own, Tunnel: &Tunnel{Gateway: p.ID, Addrs: p.own}}
	near := c.pool.address("circuit " + p.ID.Key() + " to " + edge.Name)
	far := c.pool.address("circuit " + edge.Name + " to " + p.ID.Key())
	dev := fmt.Sprintf("%s%d", machineLink, p.dev)
	c.cable(End{gw.Name, dev, []netip.Addr{near}}, End{edge.Name, edgeToGateway, []netip.Addr{far}})
	gw.Routes = append(gw.Routes, direct(far, dev, near))
	edge.Routes = append(edge.Routes, direct(near, edgeToGateway, far))

	links := p.site.BGP.Links
	if len(links) == 0 { // nothing says its addresses
		links = []network.BGPLink{{Near: c.pool.address("link " + edge.Name), Far: c.pool.address("link " + site.Name)}}
	}
	gateway := peerOf(gw, p.site.BGP.Gateway, near, c.reachable(p.gatewayPlan))
	gateway.Peers = append(gateway.Peers, bgp.Peer{Address: far, Local: near, ASN: network.EdgeASN})
	edge.Speaker = &bgp.Speaker{ASN: network.EdgeASN, ID: far, Peers: []bgp.Peer{{Address: near, Local: far, ASN: p.site.BGP.Gateway}}}
	site.Speaker = &bgp.Speaker{ASN: p.site.BGP.Peer, ID: links[0].Far, Prefixes: masked(p.declared)}
	for i, l := range links {
		out, in := fmt.Sprintf("%s%d", edgeToPremises, i), fmt.Sprintf("%s%d", machineLink, i)
		c.cable(End{edge.Name, out, []netip.Addr{l.Near}}, End{site.Name, in, []netip.Addr{l.Far}})
		edge.Routes = append(edge.Routes, direct(l.Far, out, l.Near))
		site.Routes = append(site.Routes, direct(l.Near, in, l.Far))
		edge.Speaker.Peers = append(edge.Speaker.Peers, bgp.Peer{Address: l.Far, Local: l.Near, ASN: p.site.BGP.Peer, StripPrivate: true})
		site.Speaker.Peers = append(site.Speaker.Peers, bgp.Peer{Address: l.Near, Local: l.Far, ASN: network.EdgeASN})
	}
	for prefix := range c.heard(gw.Name, p.declared, far) {
		gw.Routes = append(gw.Routes, Route{Table: mainTable, Dst: prefix, Type: Unicast, Dev: dev, Via: far})
	}
	for prefix := range c.heard(edge.Name, c.reachable(p.gatewayPlan), near) {
		edge.Routes = append(edge.Routes, Route{Table: mainTable, Dst: prefix, Type: Unicast, Dev: edgeToGateway, Via: near})
	}
	for prefix, via := range c.heard(edge.Name, p.declared, links[0].Far) {
		i := slices.IndexFunc(links, func(l network.BGPLink) bool { return l.Far == via })
		if i >= 0 {
			edge.Routes = append(edge.Routes, Route{Table: mainTable, Dst: prefix, Type: Unicast, Dev: fmt.Sprintf("%s%d", edgeToPremises, i), Via: via})
		}
	}
	for prefix, via := range c.heard(site.Name, c.reachable(p.gatewayPlan), links[0].Near) {
		i := slices.IndexFunc(links, func(l network.BGPLink) bool { return l.Near == via })
		if i >= 0 {
			site.Routes = append(site.Routes, Route{Table: mainTable, Dst: prefix, Type: Unicast, Dev: fmt.Sprintf("%s%d", machineLink, i), Via: via, Src: p.own[0]})
		}
	}
	for _, s := range []*Space{&edge, &site} {
		sortRoutes(s.Routes)
	}
	sortRoutes(gw.Routes)
	edge.Filter = c.edgeFilter(p, near, links)
	return []Space{edge, site}
}

func (c *compiler) cable(a, b End) { c.plan.Links = append(c.plan.Links, Link{A: a, B: b}) }

// direct leads to the other end of a cable.
func direct(to netip.Addr, dev string, from netip.Addr) Route {
	return Route{Table: mainTable, Dst: single(to), Type: Unicast, Dev: dev, Src: from}
}

// sortRoutes gives a plan that comes from maps one order. Of two routes to one
// prefix the first stays the first.
func sortRoutes(list []Route) {
	slices.SortStableFunc(list, func(a, b Route) int {
		if a.Table != b.Table {
			return a.Table - b.Table
		}
		if n := a.Dst.Addr().Compare(b.Dst.Addr()); n != 0 {
			return n
		}
		return a.Dst.Bits() - b.Dst.Bits()
	})
}

// peerOf is the speaker of a gateway, which may have several sessions.
func peerOf(gw *Space, asn uint32, id netip.Addr, prefixes []netip.Prefix) *bgp.Speaker {
	if gw.Speaker == nil {
		gw.Speaker = &bgp.Speaker{ASN: asn, ID: id, Prefixes: prefixes}
	}
	return gw.Speaker
}

// overTunnel is the speaker of a site whose VPN connection has BGP; nil for others.
// The gateway's speaker becomes its peer.
func (c *compiler) overTunnel(g gatewayPlan, s network.Site, declared []netip.Prefix, gw *Space) *bgp.Speaker {
	if s.BGP == nil {
		return nil
	}
	near, far := g.guest.addrs[0], s.BGP.Links[0].Far
	gateway := peerOf(gw, s.BGP.Gateway, near, c.reachable(g))
	gateway.Peers = append(gateway.Peers, bgp.Peer{Address: far, Local: near, ASN: s.BGP.Peer})
	return &bgp.Speaker{ASN: s.BGP.Peer, ID: far, Prefixes: masked(declared), Peers: []bgp.Peer{{Address: near, Local: far, ASN: s.BGP.Gateway}}}
}

// withPeer adds the address that a site speaks BGP from to its own.
func withPeer(own []netip.Addr, s network.Site) []netip.Addr {
	if s.BGP != nil && !slices.Contains(own, s.BGP.Links[0].Far) {
		return append(own, s.BGP.Links[0].Far)
	}
	return own
}

// masked are the IPv4 prefixes of a list.
func masked(list []netip.Prefix) []netip.Prefix {
	var out []netip.Prefix
	for _, p := range list {
		if p.Addr().Is4() {
			out = append(out, p.Masked())
		}
	}
	return out
}

// edgeFilter lets nothing through an edge under an address that the other side did
// not advertise, or may not.
func (c *compiler) edgeFilter(p circuitPlan, near netip.Addr, links []network.BGPLink) *nft.Table {
	f := &filter{table: &nft.Table{Name: tableName}, sets: map[string]bool{}, note: c.note}
	premises := masked(p.declared)
	for _, l := range links {
		premises = append(premises, single(l.Far))
	}
	var rules []nft.Rule
	refuse := func(link string, but []netip.Prefix) {
		for _, m := range f.addresses(nft.Source, but) {
			m.Not = true
			rules = append(rules, nft.Rule{Match: []nft.Match{nft.Begins(nft.InIf, link), m}, Count: true, Do: drop, Comment: "source address of another"})
		}
	}
	refuse(edgeToGateway, append(c.reachable(p.gatewayPlan), single(near)))
	refuse(edgeToPremises, premises)
	f.chain(nft.Chain{Name: "sources", Hook: nft.Prerouting, Priority: priorityRaw, Rules: rules})
	return f.table
}
