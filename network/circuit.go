package network

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

const (
	typeCircuit        = "Microsoft.Network/expressRouteCircuits"
	typeCircuitPeering = "Microsoft.Network/expressRouteCircuits/peerings"
	privatePeering     = "AzurePrivatePeering"

	// TypePremises is a network on the premises as the project declares it: no document
	// of Azure's says what BGP will learn. Its properties are circuit or localGateway
	// (an id or a name), addressPrefixes, and asn.
	TypePremises = "Cloister.Premises/sites"
)

// AS numbers. Sources: Microsoft Learn, "ExpressRoute routing requirements" and
// "About BGP with Azure VPN Gateway".
const (
	EdgeASN    = 12076 // Microsoft's edge
	GatewayASN = 65515 // a gateway that says no other
	// PremisesASN is what the premises are where nothing says: a private number.
	PremisesASN = 65000
)

// BGP is how the routes to a site are learned.
type BGP struct {
	Circuit arm.ID // of ExpressRoute; "" for a VPN connection
	Gateway uint32 // AS number of the gateway
	Peer    uint32 // ... and on the premises
	Links   []BGPLink
}

// BGPLink is where two edges meet. Of a circuit Near is Microsoft's address and Far
// the customer's; of a VPN connection Near is the gateway's, invalid for its own.
type BGPLink struct{ Near, Far netip.Addr }

// premises are the networks that are declared behind a circuit or a local gateway.
func (b *builder) premises(property string, of arm.ID, doubts *Doubts) []document {
	var out []document
	for _, r := range b.e.OfType(TypePremises) {
		d := b.read(r, doubts)
		if name := d.text(property); name != "" && (of.Equal(arm.ID(name)) || strings.EqualFold(name, of.Name())) {
			out = append(out, d)
		}
	}
	return out
}

// circuit adds what an ExpressRoute connection leads to: what the project declares
// behind its circuit, where the circuit carries it.
func (b *builder) circuit(g *Gateway, connection document) {
	id := connection.ref("peer.id")
	if id == "" {
		return
	}
	declared := b.premises("circuit", id, &g.Doubts)
	bgp := &BGP{Circuit: id, Gateway: GatewayASN, Peer: PremisesASN}
	if asn := connection.b.asn(connection.b.gatewayDocument(g), "bgpSettings.asn"); asn != 0 {
		bgp.Gateway = asn
	}
	if why := b.carries(g, id, connection, bgp); why != "" {
		g.Shut = append(g.Shut, why)
		return
	}
	if len(declared) == 0 {
		g.Learns = fmt.Sprintf("what circuit %s leads to is in no document (declare it in cloister.hcl as on_premises)", id.Name())
		return
	}
	for _, d := range declared {
		own := *bgp
		if asn := b.asn(d, "asn"); asn != 0 {
			own.Peer = asn
		}
		g.Sites = append(g.Sites, Site{ID: d.r.ID, Name: d.r.ID.Name(), Gateway: g.ID, Prefixes: d.prefixes("addressPrefixes"), BGP: &own})
	}
}

func (b *builder) gatewayDocument(g *Gateway) document {
	r, _ := b.e.Get(g.ID)
	return b.read(r, &g.Doubts)
}

// carries is why a circuit carries nothing for a gateway, "" where it does. What it
// says of its AS number and addresses goes into bgp. Of a circuit that is not in the
// estate only the declaration speaks.
//
// Sources: Microsoft Learn, "ExpressRoute circuits and peering", "ExpressRoute
// workflows for circuit provisioning", "Connect a virtual network to an
// ExpressRoute circuit".
func (b *builder) carries(g *Gateway, id arm.ID, connection document, bgp *BGP) string {
	there, here := id.Subscription(), g.ID.Subscription()
	key := connection.text("authorizationKey")
	_, hidden := g.Doubts.About("authorizationKey")
	if !strings.EqualFold(there, here) && key == "" && !hidden {
		return fmt.Sprintf("circuit %s is in another subscription, and connection %s has no authorization for it", id.Name(), connection.r.ID.Name())
	}
	r, ok := b.e.Get(id)
	if !ok {
		return ""
	}
	d := b.read(r, &g.Doubts)
	if state := d.text("serviceProviderProvisioningState"); state != "" && !strings.EqualFold(state, "Provisioned") {
		return fmt.Sprintf("the service provider has not provisioned circuit %s: its state is %s", id.Name(), state)
	}
	if state := d.text("circuitProvisioningState"); state != "" && !strings.EqualFold(state, "Enabled") {
		return fmt.Sprintf("circuit %s is %s", id.Name(), state)
	}
	for _, r := range b.e.Children(id, typeCircuitPeering) {
		p := b.read(r, &g.Doubts)
		if kind := p.text("peeringType"); !strings.EqualFold(kind, privatePeering) && !strings.EqualFold(r.ID.Name(), privatePeering) {
			continue
		}
		if state := p.text("state"); strings.EqualFold(state, "Disabled") {
			return fmt.Sprintf("the private peering of circuit %s is disabled", id.Name())
		}
		if asn := b.asn(p, "peerASN"); asn != 0 {
			bgp.Peer = asn
		}
		for _, about := range []string{"primaryPeerAddressPrefix", "secondaryPeerAddressPrefix"} {
			for _, prefix := range p.prefixes(about) {
				if link, ok := linkOf(prefix); ok {
					bgp.Links = append(bgp.Links, link)
				}
			}
		}
		return ""
	}
	return fmt.Sprintf("circuit %s has no private peering", id.Name())
}

// linkOf are the ends of a /30: the customer has the first address and Microsoft the
// second. Source: Microsoft Learn, "Create and modify peering for an ExpressRoute
// circuit".
func linkOf(p netip.Prefix) (BGPLink, bool) {
	far := p.Masked().Addr().Next()
	near := far.Next()
	return BGPLink{Near: near, Far: far}, p.Addr().Is4() && p.Contains(near)
}

// dynamic makes a site of a VPN connection one whose routes are learned by BGP: those
// that the project declares, beside those of the local gateway itself. What is not
// declared is not known.
func (b *builder) dynamic(g *Gateway, connection arm.ID, s *Site, local document) bool {
	far, err := netip.ParseAddr(local.text("bgpSettings.bgpPeeringAddress"))
	declared := b.premises("localGateway", s.ID, &g.Doubts)
	if err != nil || !far.Is4() || len(declared) == 0 {
		g.Learns = fmt.Sprintf("connection %s learns routes by BGP, and what is in no document (declare it in cloister.hcl as on_premises)", connection.Name())
		return false
	}
	own := b.gatewayDocument(g)
	s.BGP = &BGP{Gateway: GatewayASN, Peer: PremisesASN}
	if asn := b.asn(own, "bgpSettings.asn"); asn != 0 {
		s.BGP.Gateway = asn
	}
	if asn := b.asn(local, "bgpSettings.asn"); asn != 0 {
		s.BGP.Peer = asn
	}
	s.BGP.Links = []BGPLink{{Far: far}}
	for _, d := range declared {
		s.Prefixes = append(s.Prefixes, d.prefixes("addressPrefixes")...)
	}
	if !contains(s.Prefixes, far) {
		s.Prefixes = append(s.Prefixes, single(far))
	}
	return true
}

// asn is an AS number, 0 where there is none (RFC 6793: four octets).
func (b *builder) asn(d document, path string) uint32 {
	v, ok := d.value(path)
	if !ok {
		return 0
	}
	switch n := v.(type) {
	case float64:
		if n > 0 && n == float64(uint32(n)) {
			return uint32(n)
		}
	case int:
		if n > 0 && int64(n) == int64(uint32(n)) {
			return uint32(n)
		}
	}
	d.malformed(path, "%s must be an AS number from 1 to 4294967295", path)
	return 0
}

// circuitsFirst puts ExpressRoute gateways before others: of two routes to one
// prefix, Azure takes theirs. Source: Microsoft Learn, "Virtual network traffic
// routing".
func (b *builder) circuitsFirst() {
	slices.SortStableFunc(b.t.Gateways, func(x, y *Gateway) int {
		switch {
		case x.ExpressRoute == y.ExpressRoute:
			return 0
		case x.ExpressRoute:
			return -1
		}
		return 1
	})
}

// siteTo is the site behind gateways whose prefix fits an address best; of several
// the first.
func siteTo(gateways []*Gateway, to netip.Addr) (*Gateway, Site, bool) {
	var via *Gateway
	var best Site
	bits := -1
	for _, g := range gateways {
		for _, s := range g.Sites {
			for _, p := range s.Prefixes {
				if p.Contains(to) && p.Bits() > bits {
					via, best, bits = g, s, p.Bits()
				}
			}
		}
	}
	return via, best, bits >= 0
}
