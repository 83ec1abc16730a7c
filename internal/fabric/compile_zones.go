package fabric

import (
	"net/netip"
	"slices"

	"github.com/cloister-ml/cloister/internal/fabric/nft"
	"github.com/cloister-ml/cloister/network"
)

// priorityZones is after the marks that choose routes and before connections are
// tracked.
const priorityZones = -250

// What an appliance forwards comes to the router twice, with the same addresses and
// ports. The two are connections of their own, in zones of their own: else the end
// of one would be that of the other, and a load balancer could turn neither. A zone
// is named by what is on the appliance's other side, which is the same for the
// replies.
type zones struct {
	next    uint32
	numbers map[[2]string]uint32 // by the two sides
}

// number is that of the zone between two sides, whatever their order.
func (z *zones) number(a, b string) nft.Value {
	if b < a {
		a, b = b, a
	}
	n, ok := z.numbers[[2]string{a, b}]
	if !ok {
		z.next++
		n = z.next
		z.numbers[[2]string{a, b}] = n
	}
	return nft.Num(n)
}

// flank is a way into and out of a router: a cable has one name in each direction
// where relays are.
type flank struct {
	name      string
	in, out   []string
	appliance bool // what comes from there may have been forwarded
	common    bool // it has no zone of its own
	guest     guest
}

// sides are the ways into and out of a network's router.
func (c *compiler) sides(v *vnetPlan) []flank {
	var out []flank
	members := map[string]bool{}
	for _, b := range c.balancersOf(v) {
		for _, r := range b.Rules {
			for _, one := range r.Backends {
				members[one.NIC.Key()] = true
			}
		}
	}
	used, lopsided := c.appliances(v), c.lopsided(v)
	for _, g := range v.guests {
		if !g.endpoint() {
			out = append(out, flank{g.link, []string{g.link}, []string{g.link}, used[g.link], members[g.ID.Key()] || lopsided[g.link], g})
		}
	}
	for _, peer := range c.order {
		if !v.peers[peer.ID.Key()] {
			continue
		}
		cable := linkName(peeringPrefix, peer.ID)
		s := flank{name: cable, in: []string{cable}, out: []string{cable}, common: lopsided[cable]}
		for _, r := range c.relays {
			switch {
			case v.speaks(r.address) && r.home.is(v) && r.from.is(peer):
				s.in = append(s.in, r.far())
			case v.speaks(r.address) && r.from.is(v) && r.home.is(peer):
				s.out, s.appliance = append(s.out, r.near()), true
			}
		}
		out = append(out, s)
	}
	return out // the internet is none: its addresses are translated after the zone is chosen
}

// appliances are the links of a network's machines to which routes lead, of its own
// subnets or of peers.
func (c *compiler) appliances(v *vnetPlan) map[string]bool {
	out := map[string]bool{}
	for _, r := range c.into(v) {
		out[r.to.link] = true
	}
	for _, sub := range v.subnets {
		for _, r := range c.ask.EffectiveRoutes(sub.ID) {
			if r.NextHop != network.HopAppliance || len(r.Doubts) > 0 || !v.speaks(r.Address) {
				continue
			}
			if g, _, ok := c.forwarder(v, r.Address); ok {
				out[g.link] = true
			}
		}
	}
	return out
}

// lopsided are the ways of a network to and from those whose packets take an
// appliance in one direction only: the replies must be found where the others are.
func (c *compiler) lopsided(v *vnetPlan) map[string]bool {
	out := map[string]bool{}
	routes := map[string][]network.Route{}
	forwarded := func(g guest, to netip.Addr) bool {
		if g.endpoint() {
			return false // its replies do not follow its subnet's routes
		}
		list, ok := routes[g.subnet.ID.Key()]
		if !ok {
			list = c.ask.EffectiveRoutes(g.subnet.ID)
			routes[g.subnet.ID.Key()] = list
		}
		r, ok := longest(list, to)
		return ok && r.NextHop == network.HopAppliance && r.Address != to
	}
	for _, g := range v.guests {
		for _, w := range c.order {
			if !w.is(v) && !v.peers[w.ID.Key()] {
				continue
			}
			if v.six {
				w = c.inSix(w)
			}
			for _, h := range w.guests {
				if forwarded(g, h.addrs[0]) == forwarded(h, g.addrs[0]) {
					continue
				}
				out[g.link] = true
				if w.is(v) {
					out[h.link] = true
				} else {
					out[linkName(peeringPrefix, w.ID)] = true
				}
			}
		}
	}
	return out
}

// zone keeps apart what comes twice.
func (f *filter) zone(v *vnetPlan, c *compiler) {
	all := c.sides(v)
	if !slices.ContainsFunc(all, func(s flank) bool { return s.appliance }) {
		return
	}
	z := &zones{numbers: map[[2]string]uint32{}}
	rules := slices.Concat(f.elsewhere(c), f.beforeFrontends(v, c, z, all))
	m := nft.Set{Name: "zones", Key: []nft.Type{nft.IfName, nft.IfName}, Data: nft.Zone}
	for i, a := range all {
		for _, b := range all[i+1:] {
			if !a.appliance && !b.appliance {
				continue
			}
			value, ok := z.between(a, b)
			if !ok {
				continue
			}
			for _, pair := range [][2]flank{{a, b}, {b, a}} {
				for _, in := range pair[0].in {
					for _, out := range pair[1].out {
						m.Elems = append(m.Elems, nft.Elem{Key: []nft.Value{nft.Name(in), nft.Name(out)}, Value: value})
					}
				}
			}
		}
	}
	f.set(m)
	rules = append(rules, nft.Rule{Do: nft.Action{Verb: nft.SetZone, Fields: []nft.Field{nft.InIf, nft.RouteOut}, Map: m.Name}})
	f.chain(nft.Chain{Name: "zones", Hook: nft.Prerouting, Priority: priorityZones, Rules: rules})
}

// elsewhere leaves out what is from or for none of the networks: a reply to the
// internet is in the zone of what came from there, wherever it goes.
func (f *filter) elsewhere(c *compiler) []nft.Rule {
	var all []netip.Prefix
	for _, v := range c.order {
		all = append(all, v.AddressSpace...)
	}
	var out []nft.Rule
	for _, m := range slices.Concat(f.addresses(nft.Destination, all), f.addresses(nft.Source, all)) {
		m.Not = true
		out = append(out, nft.Rule{Match: []nft.Match{m}, Do: accept})
	}
	return out
}

// between is the zone of what goes between two sides, one of them an appliance.
// Machines behind a load balancer have none of their own: their replies are where
// connections were turned to them, with all others.
func (z *zones) between(a, b flank) (nft.Value, bool) {
	if a.common || b.common {
		return nft.Value{}, false
	}
	switch {
	case a.appliance && b.appliance:
		return z.number(a.name, b.name), true
	case a.appliance:
		return z.number(b.name, ""), true
	}
	return z.number(a.name, ""), true
}

// beforeFrontends keeps what is on its way to a frontend of this network by way of
// an appliance apart from what the frontend turns.
func (f *filter) beforeFrontends(v *vnetPlan, c *compiler, z *zones, all []flank) []nft.Rule {
	to := nft.Set{Name: "fronts-ahead", Key: []nft.Type{nft.IfName, nft.Addr}, Data: nft.Zone}
	from := nft.Set{Name: "fronts-behind", Key: []nft.Type{nft.IfName}, Data: nft.Zone}
	fronts := nft.Set{Name: "fronts", Key: []nft.Type{nft.Addr}}
	for _, b := range c.balancersOf(v) {
		if b.Public {
			continue
		}
		fronts.Elems = append(fronts.Elems, nft.Elem{Key: []nft.Value{nft.Address(b.Address)}})
		for _, s := range all {
			value := z.number(s.name, "ahead")
			for _, in := range c.ahead(v, s, b.Address) {
				to.Elems = append(to.Elems, nft.Elem{Key: []nft.Value{nft.Name(in), nft.Address(b.Address)}, Value: value})
				for _, out := range s.out {
					from.Elems = append(from.Elems, nft.Elem{Key: []nft.Value{nft.Name(out)}, Value: value})
				}
			}
		}
	}
	if len(fronts.Elems) == 0 {
		return nil
	}
	f.set(fronts)
	f.set(to)
	f.set(from)
	forFront, ofFront := nft.In(fronts.Name, nft.Destination), nft.In(fronts.Name, nft.Source)
	return []nft.Rule{
		{Match: []nft.Match{forFront}, Steps: []nft.Action{{Verb: nft.SetZone, Fields: []nft.Field{nft.InIf, nft.Destination}, Map: to.Name}}, Do: accept},
		{Match: []nft.Match{forFront}, Do: accept},
		{Match: []nft.Match{ofFront}, Steps: []nft.Action{{Verb: nft.SetZone, Fields: []nft.Field{nft.RouteOut}, Map: from.Name}}, Do: accept},
	}
}

// ahead are the interfaces from which packets for a frontend go to an appliance
// first.
func (c *compiler) ahead(v *vnetPlan, s flank, front netip.Addr) []string {
	if s.guest.link == "" { // relays lead to their appliance, whatever the destination
		return slices.DeleteFunc(slices.Clone(s.in), func(in string) bool {
			return !slices.ContainsFunc(c.into(v), func(r relay) bool { return r.far() == in })
		})
	}
	if r, ok := c.routeTo(s.guest, front); ok && r.NextHop == network.HopAppliance && r.Address != front {
		return []string{s.guest.link}
	}
	return nil
}
