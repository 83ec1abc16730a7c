package network

import (
	"github.com/cloister-ml/cloister/arm"
)

const (
	typeHub           = "Microsoft.Network/virtualHubs"
	typeHubConnection = "Microsoft.Network/virtualHubs/hubVirtualNetworkConnections"
	typeHubConfig     = "Microsoft.Network/virtualHubs/ipConfigurations"
	typeHubTable      = "Microsoft.Network/virtualHubs/hubRouteTables"
	typeHubIntent     = "Microsoft.Network/virtualHubs/routingIntent"
	typeHubPeer       = "Microsoft.Network/virtualHubs/bgpConnections"
)

// defaultTable is the route table that a connection uses where it names none.
const defaultTable = "defaultRouteTable"

// hub is a virtual hub of a Virtual WAN as a network that is connected to it sees
// it: routes come from it that no document of the network holds.
type hub struct {
	gateway *Gateway
	network arm.ID // "" where it is not known: any
	// all: 0.0.0.0/0 may be among the routes.
	all bool
}

// hubs reads what virtual hubs and route servers may teach networks. The networks
// that are connected to the hubs of one Virtual WAN reach each other where nothing
// but the default route tables decides. A hub that has more than that (gateways to
// the premises, a firewall, routing intent, routes of its own, BGP peers) hands out
// routes that are not modelled, and so does a route server those of its peers: an
// answer that depends on them is unknown.
//
// Sources: Microsoft Learn, "About virtual hub routing", "How to configure Virtual
// WAN Hub routing intent and routing policies", "Global transit network architecture
// and Virtual WAN", "What is Azure Route Server?".
func (b *builder) hubs() {
	var all []hubConnection
	for _, r := range b.e.OfType(typeHubConnection) {
		var doubts Doubts
		d := b.read(r, &doubts)
		c := hubConnection{hub: r.ID.Parent(), network: d.ref("remoteVirtualNetwork.id"), secured: d.flag("enableInternetSecurity", true)}
		if c.network == "" && len(doubts) == 0 {
			continue
		}
		c.extra = b.moreThanDefault(d, c.hub)
		if c.network == "" {
			c.extra = "it hands it routes, and those are not modelled: " + doubts[0].Reason
		}
		all = append(all, c)
	}
	for _, c := range all {
		b.t.hubs = append(b.t.hubs, b.connected(c, all))
	}
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
