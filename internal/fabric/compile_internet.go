package fabric

import (
	"net/netip"
	"slices"

	"github.com/cloister-ml/cloister/internal/fabric/nft"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/service"
)

// publicRoute says which router an address in the internet leads to.
type publicRoute struct {
	addr netip.Addr
	link string
	via  netip.Addr
	// inner is an address that stands for a network interface where a service
	// endpoint keeps its private identity; nobody else may use it.
	inner bool
}

// internet says which router the public addresses of the estate lead to.
func (c *compiler) internet() {
	for _, v := range c.order {
		seen := map[netip.Addr]bool{}
		for _, g := range v.guests {
			for _, t := range []translation{{g.PublicAddr, g.PublicTo}, {g.PublicAddr6, g.PublicTo6}} {
				if t.public.IsValid() && !slices.Contains(g.addrs, t.private) && !slices.Contains(g.addrs6, t.private) {
					c.note("%s is not reached at its public address %s: it is not known which private address is behind it", g.ID, t.public)
				}
			}
			all := []netip.Addr{g.egress, g.PublicAddr}
			if v.isDual() {
				all = append(all, g.egress6, g.PublicAddr6)
			}
			for _, front := range g.fronts {
				all = append(all, front.public)
			}
			for _, a := range all {
				if a.IsValid() && !seen[a] {
					seen[a] = true
					c.announce(v, a, false)
				}
			}
		}
	}
}

// translation takes a public address to the private one behind it.
type translation struct{ public, private netip.Addr }

// publics are the public addresses at which the network's interfaces are reached.
func (v *vnetPlan) publics() []translation {
	var out []translation
	for _, g := range v.guests {
		if v.speaks(g.PublicAddr) && slices.Contains(g.addrs, g.PublicTo) {
			out = append(out, translation{g.PublicAddr, g.PublicTo})
		}
		out = append(out, g.fronts...)
	}
	return out
}

func (c *compiler) announce(v *vnetPlan, a netip.Addr, inner bool) {
	via := v.transit
	if a.Is6() {
		via = v.transit6
	}
	c.publics = append(c.publics, publicRoute{addr: a, link: linkName(routerPrefix, v.ID), via: via, inner: inner})
}

// internetTransit is the internet's address towards a router.
func (c *compiler) internetTransit(v *vnetPlan) netip.Addr {
	if v.six {
		return transit6("internet")
	}
	return c.pool.address("internet")
}

// finishInternet adds the internet and the outsider, in front of all others.
func (c *compiler) finishInternet() {
	inet := Space{
		Name: internetSpace, Role: RoleInternet, Forward: true,
		Loopback: []netip.Addr{outsiderGateway, internetResolver},
		Routes: []Route{
			{Table: mainTable, Dst: single(service.Outsider), Type: Unicast, Dev: outsiderLink},
		},
		Filter: c.internetFilter(false),
	}
	for _, p := range service.Services() {
		inet.Routes = append(inet.Routes, Route{Table: localTable, Dst: p, Type: Local, Dev: "lo"})
	}
	for _, v := range c.order {
		link := linkName(routerPrefix, v.ID)
		inet.Routes = append(inet.Routes, Route{Table: mainTable, Dst: single(v.transit), Type: Unicast, Dev: link})
		cable := Link{
			A: End{Space: internetSpace, Name: link, Addrs: []netip.Addr{c.internetTransit(v)}},
			B: End{Space: v.space, Name: internetLink, Addrs: []netip.Addr{v.transit}},
		}
		if v.isDual() {
			cable.A.Addrs, cable.B.Addrs = append(cable.A.Addrs, transit6("internet")), append(cable.B.Addrs, v.transit6)
			inet.Routes = append(inet.Routes, Route{Table: mainTable, Dst: single(v.transit6), Type: Unicast, Dev: link})
		}
		c.plan.Links = append(c.plan.Links, cable)
	}
	for _, p := range c.publics {
		inet.Routes = append(inet.Routes, Route{Table: mainTable, Dst: single(p.addr), Type: Unicast, Dev: p.link, Via: p.via})
	}
	outsider := Space{
		Name: outsiderSpace, Role: RoleOutsider,
		Routes: []Route{
			{Table: mainTable, Dst: single(outsiderGateway), Type: Unicast, Dev: machineLink + "0", Src: service.Outsider},
			{Table: mainTable, Dst: netip.PrefixFrom(netip.IPv4Unspecified(), 0), Type: Unicast, Dev: machineLink + "0", Via: outsiderGateway, Src: service.Outsider},
		},
	}
	cable := Link{
		A: End{Space: internetSpace, Name: outsiderLink},
		B: End{Space: outsiderSpace, Name: machineLink + "0", Addrs: []netip.Addr{service.Outsider}},
	}
	if slices.ContainsFunc(c.order, (*vnetPlan).isDual) {
		inet.Filter6 = c.internetFilter(true)
		inet.Routes = append(inet.Routes, Route{Table: mainTable, Dst: single(service.Outsider6), Type: Unicast, Dev: outsiderLink})
		outsider.Routes = append(outsider.Routes, Route{Table: mainTable, Dst: all6, Type: Unicast, Dev: machineLink + "0", Via: gateway6, Src: service.Outsider6})
		cable.A.Addrs, cable.B.Addrs = []netip.Addr{gateway6}, append(cable.B.Addrs, service.Outsider6)
	}
	c.plan.Links = append(c.plan.Links, cable)
	c.plan.Spaces = append([]Space{inet, outsider}, c.plan.Spaces...)
}

// internetFilter keeps the estate's inner addresses out of the internet.
func (c *compiler) internetFilter(six bool) *nft.Table {
	f := &filter{six: six}
	outsider := service.Outsider
	if six {
		outsider = service.Outsider6
	}
	guests := nft.Set{Name: "guests", Key: []nft.Type{nft.IfName, nft.Addr}}
	known := nft.Set{Name: "known", Key: []nft.Type{nft.Addr}}
	guests.Elems = append(guests.Elems, nft.Elem{Key: []nft.Value{nft.Name(outsiderLink), nft.Address(outsider)}})
	known.Elems = append(known.Elems, nft.Elem{Key: []nft.Value{nft.Address(outsider)}})
	for _, p := range c.publics {
		if p.addr.Is6() != six {
			continue
		}
		guests.Elems = append(guests.Elems, nft.Elem{Key: []nft.Value{nft.Name(p.link), nft.Address(p.addr)}})
		if !p.inner {
			known.Elems = append(known.Elems, nft.Elem{Key: []nft.Value{nft.Address(p.addr)}})
		}
	}
	return &nft.Table{
		Name: tableName, Six: six,
		Sets: []nft.Set{once(guests), once(known)},
		Chains: []nft.Chain{
			{Name: "sources", Hook: nft.Prerouting, Priority: priorityRaw, Rules: append(f.neighboursNear(), []nft.Rule{
				{Match: []nft.Match{nft.In("guests", nft.InIf, nft.Source)}, Do: nft.Action{Verb: nft.Accept}},
				{Match: []nft.Match{nft.Equals(nft.InIf, nft.Name("lo"))}, Do: nft.Action{Verb: nft.Accept}},
				{Do: nft.Action{Verb: nft.Drop}},
			}...)},
			{Name: "forward", Hook: nft.Forward, Drop: true, Rules: append(tracked(),
				nft.Rule{Match: []nft.Match{nft.In("known", nft.Destination)}, Do: nft.Action{Verb: nft.Accept}})},
		},
	}
}

// Origin says which network interface is behind a source address that a public
// service sees from a subnet with a service endpoint: such connections keep
// their private identity, but not the address, which need not be unique.
func (p Plan) Origin(a netip.Addr) (network.NIC, bool) {
	for _, s := range p.Spaces {
		if nic, ok := s.origins[a]; ok {
			return nic, true
		}
	}
	return network.NIC{}, false
}
