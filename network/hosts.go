package network

import (
	"net/netip"
	"slices"

	"github.com/cloister-ml/cloister/arm"
)

const (
	typeBastion = "Microsoft.Network/bastionHosts"

	// reserved is how many addresses at the beginning of a subnet Azure keeps for
	// itself, the network's own among them.
	reserved = 4
)

// Hosts are the interfaces of Azure's own machines in subnets that are made for
// them: those of Azure Bastion and of virtual network gateways. No document describes them, so they are not among
// NICs, but packets start there as they do at any other. Azure does not say which
// addresses they have; here it is the first that the subnet may give, or the next.
func (t *Topology) Hosts() []NIC {
	var out []NIC
	for _, r := range t.estate.OfType(typeBastion) {
		for _, c := range arm.Objects(r.Properties, aboutConfigs) {
			s, ok := t.Subnet(arm.Ref(c, "properties.subnet.id"))
			if !ok {
				continue
			}
			n := NIC{ID: r.ID, Owner: r.ID, Name: r.ID.Name(), Kind: KindBastion, Subnet: s.ID, Via: ViaDefault}
			if a := s.FirstHost(); a.IsValid() && len(t.byAddr[a]) == 0 {
				n.Addrs = []netip.Addr{a}
			}
			out = append(out, n)
			break
		}
	}
	for _, g := range t.Gateways {
		s, ok := t.Subnet(g.Subnet)
		if !ok || len(g.Sites) == 0 {
			continue
		}
		n := NIC{ID: g.ID, Owner: g.ID, Name: g.Name, Kind: KindGateway, Subnet: s.ID, Via: ViaDefault, IPForwarding: true}
		if a, ok := t.freeHost(s, out); ok {
			n.Addrs = []netip.Addr{a}
		}
		out = append(out, n)
	}
	return out
}

// freeHost is the first address of a subnet that nobody has: a VPN gateway and an
// ExpressRoute gateway may share one.
func (t *Topology) freeHost(s Subnet, hosts []NIC) (netip.Addr, bool) {
	a := s.FirstHost()
	for a.IsValid() && slices.ContainsFunc(s.Prefixes, func(p netip.Prefix) bool { return p.Contains(a) }) {
		taken := slices.ContainsFunc(hosts, func(o NIC) bool { return slices.Contains(o.Addrs, a) })
		if len(t.byAddr[a]) == 0 && !taken {
			return a, true
		}
		a = a.Next()
	}
	return netip.Addr{}, false
}

// host finds one of Hosts.
func (t *Topology) host(id arm.ID) (NIC, bool) {
	for _, n := range t.Hosts() {
		if n.ID.Equal(id) {
			return n, true
		}
	}
	return NIC{}, false
}

// FirstHost is the first IPv4 address that a subnet may give, from its fourth on;
// invalid where it gives none.
func (s Subnet) FirstHost() netip.Addr {
	for _, p := range s.Prefixes {
		if !p.Addr().Is4() {
			continue
		}
		a := p.Masked().Addr()
		for range reserved {
			a = a.Next()
		}
		if p.Contains(a) {
			return a
		}
	}
	return netip.Addr{}
}

// BastionFor is the interface of the Azure Bastion by which a network's machines
// are reached: one in the network itself or, where there is none, in a network
// that is peered with it.
func (t *Topology) BastionFor(vnet arm.ID) (NIC, bool) {
	v, ok := t.VNet(vnet)
	if !ok {
		return NIC{}, false
	}
	var peered NIC
	for _, n := range t.Hosts() {
		home, ok := t.VNetOf(n.Subnet)
		if !ok || n.Kind != KindBastion {
			continue
		}
		if home.ID.Equal(v.ID) {
			return n, true
		}
		if p, ok := v.link(home.ID); ok && p.Connected && peered.ID == "" {
			peered = n
		}
	}
	return peered, peered.ID != ""
}
