package network

import (
	"fmt"
	"net/netip"
	"slices"
	"sync"

	"github.com/cloister-ml/cloister/arm"
)

const (
	typeHub           = "Microsoft.Network/virtualHubs"
	typeHubConnection = "Microsoft.Network/virtualHubs/hubVirtualNetworkConnections"
	typeHubConfig     = "Microsoft.Network/virtualHubs/ipConfigurations"
	typeHubTable      = "Microsoft.Network/virtualHubs/hubRouteTables"
	typeHubIntent     = "Microsoft.Network/virtualHubs/routingIntent"
	typeHubPeer       = "Microsoft.Network/virtualHubs/bgpConnections"
	typeHubVPN        = "Microsoft.Network/vpnGateways"
	typeHubClients    = "Microsoft.Network/p2sVpnGateways"
	typeHubCircuits   = "Microsoft.Network/expressRouteGateways"
)

// hub is a virtual hub of a Virtual WAN as one who is connected to it sees it:
// routes come from it that no document of the network holds. The firewall of a hub
// sees it so too.
type hub struct {
	gateway *Gateway
	network arm.ID // "" where it is not known: any
	// all: 0.0.0.0/0 may be among the routes.
	all bool
}

// hubs reads what virtual hubs and route servers teach networks: the routes of the
// hub's table that a connection is associated with, which are its static ones and the
// networks of the connections that propagate to it, or those of the hub's routing
// intent. What gateways and BGP peers of a hub learn is in no document: an answer
// that depends on it is unknown, and so is one that depends on the peers of a route
// server.
//
// Sources: Microsoft Learn, "About virtual hub routing", "How to configure Virtual
// WAN Hub routing intent and routing policies", "Securing internet access with
// routing intent", "Connect a VNet to a Virtual WAN hub", "What is Azure Route
// Server?".
func (b *builder) hubs() {
	w := wanReader{b: b, hubs: b.virtualHubs()}
	for _, r := range b.e.OfType(typeHubConnection) {
		c := b.hubConnection(r)
		if c.network == "" && c.doubt == "" {
			continue
		}
		w.connections = append(w.connections, c)
	}
	w.share()
	for i := range w.connections {
		b.t.hubs = append(b.t.hubs, w.connected(&w.connections[i]))
	}
	for _, fw := range b.t.Firewalls {
		if h := w.hubs[fw.Hub.Key()]; fw.Hub != "" && h != nil {
			b.t.hubs = append(b.t.hubs, w.inspected(h))
		}
	}
	b.routeServers()
}

func (b *builder) routeServers() {
	for _, r := range b.e.OfType(typeHub) {
		if len(b.e.Children(r.ID, typeHubPeer)) == 0 {
			continue
		}
		for _, c := range b.e.Children(r.ID, typeHubConfig) {
			subnet := arm.Ref(c.Properties, "subnet.id")
			if _, ok := b.t.Subnet(subnet); !ok {
				continue
			}
			b.t.Gateways = append(b.t.Gateways, &Gateway{ID: r.ID, Name: r.ID.Name(), Subnet: subnet, all: true,
				Learns: "the route server learns routes by BGP, which no document holds"})
		}
	}
}

// share notes the connections whose networks have addresses in common: Azure refuses
// them at one hub, and which of them the routes lead to is not documented. A network
// is connected to one hub only.
func (w *wanReader) share() {
	for i := range w.connections {
		for j := range w.connections[:i] {
			c, o := &w.connections[i], &w.connections[j]
			mine, _ := w.b.t.VNet(c.network)
			other, _ := w.b.t.VNet(o.network)
			if c.network.Equal(o.network) && c.network != "" {
				w.b.problemOf(c.id, "network %s is connected to hub %s already; a network is connected to one hub only", c.network.Name(), o.hub.Name())
				continue
			}
			if _, _, overlap := Overlap(mine.AddressSpace, other.AddressSpace); overlap && w.sameWAN(c.hub, o.hub) {
				c.shared, o.shared = true, true
			}
		}
	}
}

// sameWAN reports whether routes pass between two hubs.
func (w *wanReader) sameWAN(x, y arm.ID) bool {
	if x.Equal(y) {
		return true
	}
	one, two := w.hubs[x.Key()], w.hubs[y.Key()]
	return one != nil && two != nil && one.wan != "" && one.wan.Equal(two.wan)
}

// hubsOf are the virtual hubs to which a network is connected.
func (t *Topology) hubsOf(v VNet) []*Gateway {
	var out []*Gateway
	for _, h := range t.hubs {
		if h.network == "" || h.network.Equal(v.ID) {
			g := *h.gateway
			g.all = h.all
			out = append(out, &g)
		}
	}
	return out
}

// mayLearnAll is why a subnet may have another default route than the system's. A
// user-defined one goes before it.
func (t *Topology) mayLearnAll(s Subnet, v VNet, seen Route) (Doubt, bool) {
	if seen.Source != sourceDefault || seen.NextHop != HopInternet || t.table(s.ID).blocksGateways {
		return Doubt{}, false
	}
	for _, g := range t.gatewaysOf(v) {
		if g.all {
			return Doubt{Reason: g.Name + ": " + g.Learns + ", a default route perhaps among them", Within: worldwide}, true
		}
	}
	return Doubt{}, false
}

// hubSubnet is where a hub's firewall stands: a network of Azure's own, of which no
// document says how it is divided.
func hubSubnet(hub arm.ID) arm.ID { return hub.Child("subnets", "AzureFirewallSubnet") }

// standIn makes a network of a hub that has a firewall, so that packets go on from
// there as from any other. It is not among VNets: nobody can put anything into it.
func (b *builder) standIn(fw *Firewall) {
	b.t.hubNets[fw.Hub.Key()] = VNet{ID: fw.Hub, Name: fw.Hub.Name(), AddressSpace: []netip.Prefix{fw.hubPrefix}}
	s := Subnet{ID: fw.Subnet, Name: fw.Subnet.Name(), VNet: fw.Hub, Prefixes: []netip.Prefix{fw.hubPrefix}}
	b.t.hubSubnets[fw.Subnet.Key()] = s
	b.t.routes[s.ID.Key()] = sync.OnceValue(func() []Route { return b.t.effectiveRoutes(s) })
}

// splits reports whether rules or routes tell addresses of a hub apart. A firewall in
// it has some of them, and which is not documented.
func (t *Topology) splits(hub netip.Prefix) bool {
	first, final := hub.Addr(), last(hub)
	for _, i := range t.ruleIntervals() {
		from, to := i.First.Addr(), i.Last.Addr()
		if hub.Contains(from) && from != first || hub.Contains(to) && to != final {
			return true
		}
	}
	inner := func(list []netip.Prefix) bool {
		return slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Bits() > hub.Bits() && hub.Contains(p.Addr()) })
	}
	for _, table := range t.tables {
		for _, u := range table.routes {
			if inner(u.prefixes) {
				return true
			}
		}
	}
	for _, h := range t.hubs {
		for _, s := range h.gateway.Sites {
			if inner(s.Prefixes) {
				return true
			}
		}
	}
	return false
}

// unsure is the step at a hub's firewall that gives packets an address of its own,
// where it matters which.
func (t *Topology) unsure(fw *Firewall) string {
	if fw == nil || fw.Hub == "" || !fw.standIn || !t.splits(fw.hubPrefix) {
		return ""
	}
	return fmt.Sprintf("which address of hub %s (%s) the firewall has is known only after deployment, and rules or routes tell them apart", fw.Hub.Name(), fw.hubPrefix)
}
