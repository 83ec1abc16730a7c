package network

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/verdict"
)

// gatewayPair is one direction of a connection between two gateways.
type gatewayPair struct{ id, from, to arm.ID }

// join makes sites of the networks that connections between gateways lead to. Both
// directions must be there, and their spaces apart. Without BGP each side knows the
// other's own space; whether it knows that of networks that use the other's gateway
// is not documented.
//
// Source: Microsoft Learn, "Configure a VNet-to-VNet VPN gateway connection".
func (b *builder) join() {
	for _, j := range b.joins {
		here, ok1 := b.t.gateway(j.from)
		far, ok2 := b.t.gateway(j.to)
		switch {
		case !ok1:
			continue
		case !ok2:
			here.Learns = fmt.Sprintf("connection %s joins it to gateway %s, which is not in the estate", j.id.Name(), j.to.Name())
			continue
		case here.adrift || far.adrift:
			here.Learns, here.mayJoin = fmt.Sprintf("connection %s joins it to gateway %s, whose network is not known", j.id.Name(), j.to.Name()), true
			continue
		case !b.leadsBack(j) && len(far.Doubts) > 0:
			here.Learns, here.mayJoin = fmt.Sprintf("whether a connection leads back from %s is not known: %s", far.Name, far.Doubts[0].Reason), true
			continue
		case !b.leadsBack(j):
			b.problemOf(j.id, "connection %s leads from %s to %s, and none leads back; add the connection from %s", j.id.Name(), here.Name, far.Name, far.Name)
			continue
		}
		v, _ := b.t.VNet(here.Subnet.Parent())
		other, _ := b.t.VNet(far.Subnet.Parent())
		if mine, theirs, overlaps := Overlap(v.AddressSpace, other.AddressSpace); overlaps {
			b.problemOf(j.id, "connection %s: %s of %s overlaps %s of %s; renumber one", j.id.Name(), mine, v.Name, theirs, other.Name)
			continue
		}
		here.Sites = append(here.Sites, Site{ID: far.ID, Name: other.Name, Gateway: here.ID, Prefixes: other.AddressSpace, Network: other.ID, far: far.ID,
			networks: []arm.ID{here.Subnet.Parent()}})
		switch d, unknown := other.Doubts.About(aboutSpace); {
		case unknown:
			here.Learns = d.Reason
		case lends(other) && here.Learns == "":
			here.Learns = fmt.Sprintf("whether connection %s leads to the networks that use gateway %s as well is not documented", j.id.Name(), far.Name)
		}
	}
}

func (b *builder) leadsBack(j gatewayPair) bool {
	return slices.ContainsFunc(b.joins, func(o gatewayPair) bool { return o.from.Equal(j.to) && o.to.Equal(j.from) })
}

// lends reports whether a network lets a peer use its gateway, or may.
func lends(v VNet) bool {
	return slices.ContainsFunc(v.Peerings, func(p Peering) bool {
		_, unknown := p.Doubts.About("allowGatewayTransit")
		return p.AllowGatewayTransit || unknown
	})
}

func (t *Topology) gateway(id arm.ID) (*Gateway, bool) {
	for _, g := range t.Gateways {
		if g.ID.Equal(id) {
			return g, true
		}
	}
	return nil, false
}

// across takes packets to a network that a gateway or a virtual hub joins.
func (w *walk) across(g *Gateway, site Site) {
	step := verdict.Step{At: g.what() + " " + g.Name, Resource: g.ID, Value: verdict.Yes, Reason: fmt.Sprintf("leads to %s (%s)", site.what(), join(site.Prefixes))}
	if w.joins++; w.joins > mostHops {
		step.Value, step.Reason = verdict.No, fmt.Sprintf("the packets come to %s again: the routes lead in a circle", g.Name)
		w.end(step)
		return
	}
	if w.site != nil {
		step.Value, step.Reason = verdict.No, fmt.Sprintf("a gateway does not pass on what comes from %s to %s: that takes BGP", w.site.Name, site.Name)
		if g.Learns != "" {
			step.Value, step.Reason = verdict.Unknown, g.Learns
		}
		w.end(step)
		return
	}
	w.add(step)
	switch {
	case site.firewall != "":
		w.throughFirewall(w.t.firewallAt[site.firewall.Key()])
	case site.appliance.IsValid() && site.appliance != w.to:
		w.relay(site.Network, Route{Address: site.appliance, Name: site.route, Table: site.ID})
	case site.far == "":
		w.arrive(site.Network)
	default:
		w.follow(w.t.gatewayPlace(site.far))
	}
}

// joined reports whether packets to the site go on within the estate.
func (s *Site) joined() bool { return s.Network != "" || s.firewall != "" }

func (s *Site) what() string {
	switch {
	case s.firewall != "":
		return s.Name
	case s.appliance.IsValid():
		return fmt.Sprintf("the virtual appliance %s in virtual network %s", s.appliance, s.Name)
	}
	return "virtual network " + s.Name
}

// unsureOf is why it is not certain that a gateway takes packets to a site. Beside
// the aggregates of a virtual hub there may be more specific routes that no document
// holds.
func (t *Topology) unsureOf(g *Gateway, s Site, to netip.Addr) string {
	switch {
	case s.doubt != "":
		return s.doubt
	case s.aggregate && g.Learns != "" && !isPublic(to) && !contains(g.known, to):
		return g.Learns
	}
	return ""
}

func (t *Topology) gatewayPlace(id arm.ID) place {
	g, ok := t.gateway(id)
	if !ok {
		return place{}
	}
	return t.place(NIC{ID: g.ID, Name: g.Name, Kind: KindGateway, Subnet: g.Subnet})
}

func (g *Gateway) what() string {
	if strings.EqualFold(g.ID.Type(), typeHub) {
		return "virtual hub"
	}
	return "virtual network gateway"
}

// backAcross is where a gateway takes the replies: on to the gateway of another
// network, or home.
func (w *walk) backAcross(at place, replying netip.Addr, seen []place, step verdict.Step, route Route) (place, bool) {
	g, site, ok := siteTo(w.t.gatewaysOf(at.vnet), w.from)
	switch {
	case !ok || w.site != nil:
	case w.t.unsureOf(g, site, w.from) != "":
		step.Value, step.Reason = verdict.Unknown, fmt.Sprintf("the route of the replies to %s is not certain: %s", w.from, w.t.unsureOf(g, site, w.from))
		w.add(step)
		return place{}, false
	case site.firewall != "":
		return w.t.firewallPlace(w.t.firewallAt[site.firewall.Key()]), true
	case site.appliance.IsValid() && site.appliance != w.from:
		return w.backRelayed(site.Network, Route{Prefix: route.Prefix, NextHop: HopAppliance, Address: site.appliance, Source: sourceUser, Name: site.route}, step)
	case site.far != "":
		return w.t.gatewayPlace(site.far), true
	case site.Network != "":
		w.backHome(at, site.Network, replying, seen, step, route)
		return place{}, false
	}
	w.backByGateway(at, seen, step, route)
	return place{}, false
}
