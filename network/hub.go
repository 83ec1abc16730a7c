package network

import "github.com/cloister-ml/cloister/arm"

const (
	typeHub           = "Microsoft.Network/virtualHubs"
	typeHubConnection = "Microsoft.Network/virtualHubs/hubVirtualNetworkConnections"
	typeHubConfig     = "Microsoft.Network/virtualHubs/ipConfigurations"
	typeHubPeer       = "Microsoft.Network/virtualHubs/bgpConnections"
)

// hub is a virtual hub of a Virtual WAN as a network that is connected to it sees
// it: routes come from it that no document of the network holds.
type hub struct {
	gateway *Gateway
	network arm.ID // "" where it is not known: any
	// all: 0.0.0.0/0 may be among the routes.
	all bool
}

// hubs reads what virtual hubs and route servers may teach networks. A hub hands
// its connections the routes of its tables, and a default route where internet
// security is on; a route server those of its peers by BGP. What they are is
// decided in configurations and machines that are not modelled: an answer that
// depends on them is unknown.
//
// Sources: Microsoft Learn, "About virtual hub routing", "What is Azure Route
// Server?".
func (b *builder) hubs() {
	for _, r := range b.e.OfType(typeHubConnection) {
		var doubts Doubts
		d := b.read(r, &doubts)
		name := r.ID.Parent().Name()
		h := hub{network: d.ref("remoteVirtualNetwork.id"), gateway: &Gateway{ID: r.ID.Parent(), Name: name,
			Learns: "virtual hub " + name + " hands it routes, and those are not modelled"}}
		h.all = d.flag("enableInternetSecurity", true)
		if h.network == "" && len(doubts) > 0 {
			h.gateway.Learns += ": " + doubts[0].Reason
		} else if h.network == "" {
			continue
		}
		b.t.hubs = append(b.t.hubs, h)
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
