package fabric

import (
	"crypto/sha256"
	"net/netip"
	"slices"

	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/verdict"
)

// Link-local addresses of IPv6 (RFC 4291, 2.5.6).
var (
	linkLocal = netip.MustParsePrefix("fe80::/10")
	// gateway6 is the gateway of every machine: the routers' end of its cable. It is
	// the one that Azure's machines have.
	gateway6 = netip.MustParseAddr("fe80::1234:5678:9abc")
)

// transit6 is a router's address towards others. Each cable between routers has
// the two of its ends and no more, so that they need not be unique.
func transit6(purpose string) netip.Addr {
	sum := sha256.Sum256([]byte(purpose))
	a := [16]byte{0: 0xfe, 1: 0x80, 8: 2}
	copy(a[9:], sum[:])
	return netip.AddrFrom16(a)
}

// speaks reports whether an address is of the plan's version.
func (v *vnetPlan) speaks(a netip.Addr) bool { return a.IsValid() && a.Is6() == v.six }

// anywhere is every address of the plan's version.
func (v *vnetPlan) anywhere() netip.Prefix {
	if v.six {
		return all6
	}
	return all4
}

// towards is the address of another router on the cable to it.
func (v *vnetPlan) towards(peer *vnetPlan) netip.Addr {
	if v.six {
		return peer.transit6
	}
	return peer.transit
}

// is reports whether two plans are of one network.
func (v *vnetPlan) is(other *vnetPlan) bool { return v.ID.Equal(other.ID) }

// isDual reports whether a network has addresses of IPv6.
func (v *vnetPlan) isDual() bool {
	return slices.ContainsFunc(v.AddressSpace, func(p netip.Prefix) bool { return p.Addr().Is6() })
}

// transits are the addresses of the two ends of a cable between routers.
func transits(a, b *vnetPlan) (near, far []netip.Addr) {
	near, far = []netip.Addr{a.transit}, []netip.Addr{b.transit}
	if a.isDual() && b.isDual() {
		near, far = append(near, a.transit6), append(far, b.transit6)
	}
	return near, far
}

// inSix is a dual network as its router's tables and filter of IPv6 see it: those
// of its machines that have such addresses, and the peers that have some too.
func (c *compiler) inSix(v *vnetPlan) *vnetPlan {
	out := *v
	out.six, out.guests, out.peers = true, nil, map[string]bool{}
	for _, g := range v.guests {
		if len(g.addrs6) == 0 {
			continue
		}
		g.addrs, g.egress, g.mute, g.fronts = g.addrs6, g.egress6, g.muteSix, nil
		g.PublicAddr, g.PublicTo = g.PublicAddr6, g.PublicTo6
		out.guests = append(out.guests, g)
	}
	for key := range v.peers {
		if c.vnets[key].isDual() {
			out.peers[key] = true
		}
	}
	return &out
}

// addresses6 gives a network interface its addresses of IPv6.
func (c *compiler) addresses6(g *guest, v *vnetPlan) {
	for _, a := range g.Addrs {
		if a.Is6() && slices.ContainsFunc(v.AddressSpace, func(p netip.Prefix) bool { return p.Contains(a) }) {
			g.addrs6 = append(g.addrs6, a)
		}
	}
	if len(g.addrs6) == 0 || g.endpoint() || g.Kind == network.KindGateway || g.Kind == network.KindFirewall {
		g.addrs6 = nil
		return
	}
	if a, way := c.ask.EgressAddr6(g.ID); a.Is6() && way.Value == verdict.Yes {
		g.egress6, g.muteSix = a, c.muted(g.NIC, true)
	}
}

// plug6 adds the addresses of IPv6 of a machine's interface, with a way to its
// gateway and by it to everywhere.
func (g guest) plug6(s *Space, table, priority int) {
	for _, a := range g.addrs6 {
		if table != mainTable {
			s.Rules = append(s.Rules, Rule{Priority: priority, From: single(a), Table: table})
		}
	}
	s.Routes = append(s.Routes, Route{Table: table, Dst: all6, Type: Unicast, Dev: g.dev, Via: gateway6, Src: g.addrs6[0]})
}
