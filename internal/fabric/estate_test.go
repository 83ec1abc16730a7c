package fabric

import (
	"net/netip"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/verdict"
)

// handmade is a topology written by hand: what the fabric asks, without the
// package that works it out.
type handmade struct {
	vnets   []network.VNet
	subnets []network.Subnet
	nics    []network.NIC
	routes  map[arm.ID][]network.Route // by subnet, beside those of the network
	filters map[arm.ID]map[network.Direction][]network.Filter
	egress  map[arm.ID]netip.Addr
	admin   map[arm.ID]map[network.Direction][]network.AdminMatch
}

func (h *handmade) EffectiveRoutes(subnet arm.ID) []network.Route {
	out := append([]network.Route{}, h.routes[subnet]...)
	for _, s := range h.subnets {
		if s.ID != subnet {
			continue
		}
		for _, v := range h.vnets {
			if v.ID != s.VNet {
				continue
			}
			for _, p := range v.AddressSpace {
				out = append(out, network.Route{Prefix: p, NextHop: network.HopVNetLocal})
				if p.Addr().Is6() {
					out = append(out, network.Route{Prefix: prefix("::/0"), NextHop: network.HopInternet})
				}
			}
			for _, peer := range v.Peerings {
				for _, p := range peer.RemoteAddressSpace {
					if peer.Connected {
						out = append(out, network.Route{Prefix: p, NextHop: network.HopPeering, Peer: peer.Remote})
					}
				}
			}
		}
	}
	return append(out, network.Route{Prefix: prefix("0.0.0.0/0"), NextHop: network.HopInternet})
}

func (h *handmade) Filters(nic arm.ID, d network.Direction) []network.Filter {
	return h.filters[nic][d]
}

func (h *handmade) AdminRules(nic arm.ID, d network.Direction) []network.AdminMatch {
	return h.admin[nic][d]
}

func (h *handmade) EgressAddr(nic arm.ID) (netip.Addr, network.Answer) {
	a, ok := h.egress[nic]
	if !ok {
		return netip.Addr{}, network.Answer{Value: verdict.No}
	}
	return a, network.Answer{Value: verdict.Yes}
}

func (h *handmade) EgressAddr6(nic arm.ID) (netip.Addr, network.Answer) {
	for _, n := range h.nics {
		if n.ID == nic && n.PublicAddr6.IsValid() {
			return n.PublicAddr6, network.Answer{Value: verdict.Yes}
		}
	}
	return netip.Addr{}, network.Answer{Value: verdict.No}
}

func (h *handmade) Carries(network.NIC, bool, network.Protocol) bool { return true }

func (h *handmade) plan() Plan { return h.planWith(nil) }

func (h *handmade) planWith(m *Memory) Plan {
	return compile(h.vnets, h.subnets, h.nics, h, middle{}, Choices{Memory: m})
}

func (h *handmade) filter(nic arm.ID, d network.Direction, nsg string, rules ...network.Match) {
	if h.filters[nic] == nil {
		h.filters[nic] = map[network.Direction][]network.Filter{}
	}
	h.filters[nic][d] = append(h.filters[nic][d], network.Filter{NSG: id("networkSecurityGroups", nsg), At: nsg, Matches: rules})
}

func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }
func addr(s string) netip.Addr     { return netip.MustParseAddr(s) }

func id(typ, name string) arm.ID {
	return arm.ResourceID("00000000-0000-0000-0000-000000000001", "rg", "Microsoft.Network/"+typ, name)
}

func nicID(name string) arm.ID { return id("networkInterfaces", name) }

// rule makes one match of a security group.
func rule(name string, allow bool, protocol, from, to string, ports ...network.PortRange) network.Match {
	return network.Match{
		Rule:    network.Rule{Name: name, Allow: allow, Protocol: protocol, DestinationPorts: ports},
		Sources: []netip.Prefix{prefix(from)}, Destinations: []netip.Prefix{prefix(to)},
	}
}

func port(n uint16) network.PortRange { return network.PortRange{First: n, Last: n} }

const anywhere = "0.0.0.0/0"

// twoNetworks are a hub with two machines and a private endpoint and a spoke
// with one machine, peered; and a third network that only the hub is peered with.
func twoNetworks() *handmade {
	h := &handmade{
		routes:  map[arm.ID][]network.Route{},
		filters: map[arm.ID]map[network.Direction][]network.Filter{},
		egress:  map[arm.ID]netip.Addr{},
	}
	space := map[string]string{"hub": "10.1.0.0/16", "spoke": "10.2.0.0/16", "far": "10.3.0.0/16"}
	for _, name := range []string{"hub", "spoke", "far"} {
		v := network.VNet{ID: id("virtualNetworks", name), Name: name, AddressSpace: []netip.Prefix{prefix(space[name])}}
		h.vnets = append(h.vnets, v)
		p := netip.PrefixFrom(v.AddressSpace[0].Addr(), 24)
		h.subnets = append(h.subnets, network.Subnet{ID: v.ID.Child("subnets", "main"), Name: "main", VNet: v.ID, Prefixes: []netip.Prefix{p}})
	}
	h.peer(0, 1)
	h.peer(0, 2)
	h.vm("jump", 0, "10.1.0.4")
	h.vm("agent", 0, "10.1.0.5")
	h.vm("worker", 1, "10.2.0.4")
	h.vm("remote", 2, "10.3.0.4")
	h.nics = append(h.nics, network.NIC{
		ID: id("privateEndpoints", "pe-blob"), Owner: id("privateEndpoints", "pe-blob"), Name: "pe-blob",
		Kind: network.KindPrivateEndpoint, Subnet: h.subnets[0].ID, Addrs: []netip.Addr{addr("10.1.0.10")}, Approved: true,
	})
	return h
}

func (h *handmade) peer(a, b int) {
	for _, end := range [][2]int{{a, b}, {b, a}} {
		v, remote := &h.vnets[end[0]], h.vnets[end[1]]
		v.Peerings = append(v.Peerings, network.Peering{
			ID: v.ID.Child("virtualNetworkPeerings", remote.Name), Remote: remote.ID, Connected: true, AllowAccess: true,
			RemoteAddressSpace: remote.AddressSpace,
		})
	}
}

func (h *handmade) vm(name string, vnet int, address string) {
	h.nics = append(h.nics, network.NIC{
		ID: nicID(name), Owner: arm.ResourceID("00000000-0000-0000-0000-000000000001", "rg", "Microsoft.Compute/virtualMachines", name),
		Name: name, Kind: network.KindVM, Subnet: h.subnets[vnet].ID, Addrs: []netip.Addr{addr(address)},
	})
}
