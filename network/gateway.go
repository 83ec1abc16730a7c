package network

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/verdict"
)

const (
	typeConnection   = "Microsoft.Network/connections"
	typeLocalGateway = "Microsoft.Network/localNetworkGateways"

	sourceGateway = "VirtualNetworkGateway"
	gatewaySubnet = "GatewaySubnet"
)

// Gateway is a virtual network gateway.
type Gateway struct {
	ID     arm.ID
	Name   string
	Subnet arm.ID
	Sites  []Site // what its connections lead to
	// Learns says why there may be more behind it: BGP, ExpressRoute; "" where
	// Sites are all there are.
	Learns string
	// Shut says why connections of it carry nothing.
	Shut []string
	// ExpressRoute: its connections lead to circuits.
	ExpressRoute bool
	Doubts       Doubts

	known  []netip.Prefix // networks that a virtual hub reaches, directly or by its firewall
	adrift bool           // its network is not known
	// mayJoin: of what it is joined to something is not known.
	mayJoin bool
	all     bool  // 0.0.0.0/0 may be among what it has learnt
	rest    *Site // to which everything goes that is for no site (gatewayDefaultSite)
}

// Site is a network behind a gateway: on the premises, a pool of point-to-site
// clients, or another virtual network of the estate.
type Site struct {
	ID       arm.ID // the local network gateway; of a client pool the gateway
	Name     string
	Gateway  arm.ID
	Prefixes []netip.Prefix
	// Network is the virtual network of the estate that it is, or "".
	Network arm.ID
	// BGP is how its prefixes are learned, nil where documents alone say them.
	BGP *BGP

	far arm.ID // the gateway of Network, "" where a virtual hub leads there
	// Of a virtual hub: the firewall that takes the packets, or the address in Network
	// that does and the route that says so; aggregate, that it is for more than is known
	// to be there; doubt, why it is not certain.
	firewall  arm.ID
	appliance netip.Addr
	route     string
	aggregate bool
	doubt     string
	networks  []arm.ID // virtual networks that its packets enter by a gateway
}

// serves reports whether packets of the site come from a network by its gateway,
// and so are forwarded by gateway transit.
func (s *Site) serves(vnet arm.ID) bool { return slices.ContainsFunc(s.networks, vnet.Equal) }

func (b *builder) virtualGateways() {
	for _, r := range b.e.OfType(typeGateway) {
		g := &Gateway{ID: r.ID, Name: r.ID.Name()}
		d := b.read(r, &g.Doubts)
		for _, c := range d.objects(aboutConfigs, "IP configuration") {
			if id := c.as(aboutSubnet).ref("properties.subnet.id"); id != "" {
				g.Subnet = id
			}
		}
		kind := d.text("gatewayType")
		g.ExpressRoute = strings.EqualFold(kind, "ExpressRoute")
		if !g.ExpressRoute && !strings.EqualFold(kind, "Vpn") {
			g.Learns = "what lies behind the gateway is not in the documents"
		}
		pool := Site{ID: r.ID, Name: "point-to-site clients of " + g.Name, Gateway: r.ID}
		pool.Prefixes = d.prefixes("vpnClientConfiguration.vpnClientAddressPool.addressPrefixes")
		if len(pool.Prefixes) > 0 {
			g.Sites = append(g.Sites, pool)
		}
		b.connections(g, d.flag("enableBgp", false), d.ref("gatewayDefaultSite.id"))
		if len(g.Doubts) > 0 && g.Learns == "" {
			g.Learns = g.Doubts[0].Reason
		}
		g.mayJoin = len(g.Doubts) > 0
		g.adrift = g.Subnet == "" && len(g.Doubts) > 0
		for i := range g.Sites {
			g.Sites[i].networks = []arm.ID{g.Subnet.Parent()}
		}
		b.t.Gateways = append(b.t.Gateways, g)
	}
	b.circuitsFirst()
	b.join()
}

// connections adds what the connections of a gateway lead to. One that speaks BGP
// learns what no document holds, but for what is declared.
func (b *builder) connections(g *Gateway, bgp bool, rest arm.ID) {
	declared := false
	for _, r := range b.e.OfType(typeConnection) {
		d := b.read(r, &g.Doubts)
		if !d.ref("virtualNetworkGateway1.id").Equal(g.ID) {
			continue
		}
		if g.ExpressRoute {
			b.circuit(g, d)
			continue
		}
		learns := d.flag("enableBgp", false)
		if other := d.ref("virtualNetworkGateway2.id"); other != "" {
			if learns {
				g.Learns = "connection " + r.ID.Name() + " learns routes by BGP, which no document holds"
			}
			b.joins = append(b.joins, gatewayPair{r.ID, g.ID, other})
			continue
		}
		local := d.ref("localNetworkGateway2.id")
		doc, ok := b.e.Get(local)
		if !ok {
			g.Learns = "what connection " + r.ID.Name() + " leads to is not in the estate"
			continue
		}
		s := Site{ID: local, Name: local.Name(), Gateway: g.ID}
		about := b.read(doc, &g.Doubts)
		s.Prefixes = about.prefixes("localNetworkAddressSpace.addressPrefixes")
		if bgp && learns {
			declared = b.dynamic(g, r.ID, &s, about) || declared
		} else if learns {
			g.Learns = "connection " + r.ID.Name() + " learns routes by BGP, which no document holds"
		}
		g.Sites = append(g.Sites, s)
	}
	if bgp && !declared && g.Learns == "" {
		g.Learns = "the gateway learns routes by BGP, which no document holds"
	}
	for i := range g.Sites {
		if rest != "" && g.Sites[i].ID.Equal(rest) {
			g.rest = &g.Sites[i]
		}
	}
	if rest != "" && g.rest == nil {
		g.Learns = "its default site " + rest.Name() + " is not in the estate"
	}
}

// gatewaysOf are the gateways that a network has or, where it has none of its own,
// uses of a peer: Azure refuses useRemoteGateways beside an own gateway. Source:
// Microsoft Learn, "Configure VPN gateway transit for virtual network peering".
func (t *Topology) gatewaysOf(v VNet) []*Gateway {
	out := t.hubsOf(v)
	own := slices.ContainsFunc(t.Gateways, func(g *Gateway) bool { return g.Subnet.Parent().Equal(v.ID) })
	for _, g := range t.Gateways {
		home := g.Subnet.Parent()
		if home.Equal(v.ID) {
			out = append(out, g)
			continue
		}
		if own {
			continue
		}
		if g.adrift {
			out = append(out, &Gateway{ID: g.ID, Name: g.Name, Learns: g.Doubts[0].Reason})
			continue
		}
		hub, _ := t.VNet(home)
		p, there, doubt1 := v.half(home)
		back, here, doubt2 := hub.half(v.ID)
		uses, open1 := p.Doubts.About("useRemoteGateways")
		lends, open2 := back.Doubts.About("allowGatewayTransit")
		why := firstReason(doubt1, doubt2, uses.Reason, lends.Reason, t.strayGateway())
		switch {
		case !there || !here || !p.UseRemoteGateways && !open1 || !back.AllowGatewayTransit && !open2:
		case why == "" && p.Connected:
			out = append(out, g)
		case why != "":
			out = append(out, &Gateway{ID: g.ID, Name: g.Name, Learns: why, all: g.all})
		}
	}
	return out
}

// strayGateway is why any network may have a gateway of its own: one of which it is
// not known where it is.
func (t *Topology) strayGateway() string {
	for _, g := range t.Gateways {
		if g.adrift {
			return fmt.Sprintf("where gateway %s is is not known: %s", g.Name, g.Doubts[0].Reason)
		}
	}
	return ""
}

// half is the peering of a network with another, or one that may be, and why it is
// not certain that it carries anything.
func (v VNet) half(to arm.ID) (p Peering, ok bool, doubt string) {
	if p, ok = v.link(to); ok {
		if d, unknown := p.Doubts.About(aboutConnected); unknown && !p.Connected {
			return p, true, d.Reason
		}
		return p, true, ""
	}
	for _, p := range v.Peerings {
		if d, unknown := p.Doubts.About(aboutRemote); unknown {
			return p, true, d.Reason
		}
	}
	return Peering{}, false, ""
}

func firstReason(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}

// mayLearn is why a subnet may have a route to an address that its gateways have
// learnt. There is none to what the network or a peer of it holds.
func (t *Topology) mayLearn(s Subnet, v VNet, a netip.Addr) (Doubt, bool) {
	if isPublic(a) || contains(v.AddressSpace, a) || t.table(s.ID).blocksGateways && !strings.EqualFold(s.Name, gatewaySubnet) {
		return Doubt{}, false
	}
	for _, p := range v.Peerings {
		if p.Connected && contains(p.RemoteAddressSpace, a) {
			return Doubt{}, false
		}
	}
	for _, g := range t.gatewaysOf(v) {
		if g.Learns != "" {
			return Doubt{Reason: g.Name + ": " + g.Learns, Within: private}, true
		}
	}
	return Doubt{}, false
}

// mayJoin reports whether a gateway of a network may be joined to that of another of
// the estate: whose routes are then among those that are not known.
func (t *Topology) mayJoin(v VNet) bool {
	return slices.ContainsFunc(t.gatewaysOf(v), func(g *Gateway) bool { return g.Learns != "" && g.mayJoin })
}

// gatewayRoutes are those that a network's gateways bring. A route within the
// space of the network itself or of a peer is not taken.
func (t *Topology) gatewayRoutes(s Subnet, v VNet, table routeTable) []candidate {
	if table.blocksGateways && !strings.EqualFold(s.Name, gatewaySubnet) {
		return nil
	}
	taken := slices.Clone(v.AddressSpace)
	for _, p := range v.Peerings {
		if p.Connected {
			taken = append(taken, p.RemoteAddressSpace...)
		}
	}
	var out []candidate
	for _, g := range t.gatewaysOf(v) {
		for _, site := range g.Sites {
			for _, p := range site.Prefixes {
				if !within(p, taken) {
					out = append(out, candidate{Route{Prefix: p, NextHop: HopGateway, Source: sourceGateway, Name: site.Name}, 1, -1})
				}
			}
		}
	}
	return out
}

// toGateway hands packets to the gateways that a network uses.
func (w *walk) toGateway(at place) {
	step := verdict.Step{At: "virtual network gateway", Resource: at.vnet.ID, Value: verdict.No,
		Reason: fmt.Sprintf("%s has no virtual network gateway, neither its own nor a peer's: the packets are dropped", at.vnet.Name)}
	gateways := w.t.gatewaysOf(at.vnet)
	if g, site, ok := siteTo(gateways, w.to); ok {
		if reason := w.t.unsureOf(g, site, w.to); reason != "" {
			w.end(verdict.Step{At: g.what() + " " + g.Name, Resource: g.ID, Value: verdict.Unknown, Reason: reason})
			return
		}
		if site.joined() {
			w.across(g, site)
			return
		}
		w.end(site.step(g))
		return
	}
	for _, g := range gateways {
		step.At, step.Resource = "virtual network gateway "+g.Name, g.ID
		if g.Learns != "" {
			step.Value, step.Reason = verdict.Unknown, g.Learns
			w.end(step)
			return
		}
		if hidden, may := w.t.hiddenSpace(w.to); may && !w.t.inSpace(w.to) {
			step.Value, step.Reason = verdict.Unknown, fmt.Sprintf("%s may be in a virtual network: %s", w.to, hidden.Reason)
			w.end(step)
			return
		}
		if g.rest != nil && !w.t.inSpace(w.to) {
			w.end(g.rest.step(g))
			return
		}
		step.Reason = fmt.Sprintf("none of the connections of %s leads to %s: the packets are dropped", g.Name, w.to)
		if len(g.Shut) > 0 {
			step.Reason += " (" + strings.Join(g.Shut, "; ") + ")"
		}
		if w.t.inSpace(w.to) {
			step.Value, step.Reason = verdict.Unknown, fmt.Sprintf("%s is in a virtual network, and whether a gateway sends packets back there is not documented", w.to)
		}
	}
	w.end(step)
}

// hiddenSpace is why an address may be in a network whose space is not known.
func (t *Topology) hiddenSpace(a netip.Addr) (Doubt, bool) {
	for i := range t.VNets {
		if d, unknown := t.VNets[i].Doubts.About(aboutSpace); unknown && !isPublic(a) {
			return d, true
		}
	}
	return Doubt{}, false
}

func (s *Site) step(g *Gateway) verdict.Step {
	return verdict.Step{At: "virtual network gateway " + g.Name, Resource: g.ID, Value: verdict.Yes,
		Reason: fmt.Sprintf("leads to %s (%s), whose own firewall decides next", s.Name, join(s.Prefixes))}
}

// siteWith is the site that has an address.
func (t *Topology) siteWith(a netip.Addr) (*Site, bool) {
	for _, g := range t.Gateways {
		for i := range g.Sites {
			if g.Sites[i].Network == "" && contains(g.Sites[i].Prefixes, a) {
				return &g.Sites[i], true
			}
		}
	}
	return nil, false
}

// unlessLearnt makes a No about a source unknown where a gateway may know it.
func (t *Topology) unlessLearnt(step verdict.Step, src netip.Addr) verdict.Step {
	for _, g := range t.Gateways {
		if g.Learns != "" && !t.inSpace(src) {
			step.Value = verdict.Unknown
			step.Reason += ", unless gateway " + g.Name + " knows one: " + g.Learns
			return step
		}
	}
	return t.unlessHidden(step, src)
}

// fromSite brings packets from the premises in by the gateway, and along the
// routes of its subnet.
func (w *walk) fromSite(s *Site) {
	w.site, w.outside = s, false
	for _, g := range w.t.Gateways {
		if !g.ID.Equal(s.Gateway) {
			continue
		}
		at := w.t.place(NIC{ID: g.ID, Name: g.Name, Kind: KindGateway, Subnet: g.Subnet})
		w.origin = at
		if step, nowhere := homeless(at); nowhere {
			w.end(step)
			return
		}
		w.add(verdict.Step{At: "virtual network gateway " + g.Name, Resource: g.ID, Value: verdict.Yes,
			Reason: fmt.Sprintf("%s comes from %s", w.from, s.Name)})
		w.follow(at)
	}
}
