package network

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
)

// Where routes come from.
const (
	sourceDefault = "Default"
	sourceUser    = "User"
)

// nowhere are the private ranges that Azure gives no way out of a network.
var nowhere = prefixList("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")

// serviceEndpointTags are the tags whose prefixes a service endpoint routes.
var serviceEndpointTags = map[string]string{
	"microsoft.storage":           "Storage",
	"microsoft.storage.global":    "Storage",
	"microsoft.keyvault":          "AzureKeyVault",
	"microsoft.containerregistry": "AzureContainerRegistry",
	"microsoft.sql":               "Sql",
	"microsoft.azurecosmosdb":     "AzureCosmosDB",
	"microsoft.eventhub":          "EventHub",
	"microsoft.servicebus":        "ServiceBus",
	"microsoft.web":               "AppService",
	"microsoft.cognitiveservices": "CognitiveServicesManagement",
}

// candidate is a route with what decides between it and others of its prefix.
type candidate struct {
	Route
	class, rank int // user-defined before system
}

// EffectiveRoutes are the routes by which packets of a subnet leave: those that
// win for their prefix, the longest prefixes first.
func (t *Topology) EffectiveRoutes(subnet arm.ID) []Route {
	if f, ok := t.routes[subnet.Key()]; ok {
		return f()
	}
	return nil
}

func (b *builder) prepareRoutes() {
	for _, s := range b.t.Subnets {
		b.t.routes[s.ID.Key()] = sync.OnceValue(func() []Route { return b.t.effectiveRoutes(s) })
	}
}

func (t *Topology) effectiveRoutes(s Subnet) []Route {
	v, ok := t.VNet(s.VNet)
	if !ok {
		return nil
	}
	table := t.table(s.ID)
	users := userCandidates(table)
	all := append(users, system(v)...)
	all = append(all, t.gatewayRoutes(s, v, table)...)
	if !slices.ContainsFunc(users, func(c candidate) bool { return c.Prefix == any4 }) {
		for _, p := range nowhere {
			all = append(all, candidate{Route{Prefix: p, NextHop: HopNone, Source: sourceDefault}, 1, 1})
		}
	}
	all = append(all, serviceRoutes(s)...)
	all = append(all, t.endpointRoutes(v, users)...)
	slices.SortStableFunc(all, func(a, b candidate) int {
		return cmp.Or(comparePrefix(a.Prefix, b.Prefix), cmp.Compare(a.class, b.class), cmp.Compare(a.rank, b.rank), strings.Compare(a.Name, b.Name))
	})
	var out []Route
	for _, c := range all {
		if n := len(out); n == 0 || out[n-1].Prefix != c.Prefix {
			out = append(out, c.Route)
		}
	}
	return out
}

func userCandidates(table routeTable) []candidate {
	var out []candidate
	for _, u := range table.routes {
		for _, p := range u.prefixes {
			r := Route{Prefix: p, NextHop: u.hop, Address: u.address, Source: sourceUser, Name: u.name, Table: table.id, Part: u.part}
			if d, unknown := u.doubts.About(aboutHop); unknown {
				r.Doubts = Doubts{d}
			}
			out = append(out, candidate{r, 0, u.rank})
		}
	}
	return out
}

// system are the routes of a network itself and of its peers.
func system(v VNet) []candidate {
	var out []candidate
	add := func(r Route) {
		r.Source = sourceDefault
		out = append(out, candidate{r, 1, 0})
	}
	add(Route{Prefix: any4, NextHop: HopInternet})
	for _, p := range v.AddressSpace {
		add(Route{Prefix: p, NextHop: HopVNetLocal})
		if p.Addr().Is6() {
			add(Route{Prefix: any6, NextHop: HopInternet})
		}
	}
	for _, peer := range v.Peerings {
		if !peer.Connected {
			continue
		}
		for _, p := range peer.RemoteAddressSpace {
			add(Route{Prefix: p, NextHop: HopPeering, Peer: peer.Remote})
		}
	}
	return out
}

// servedByEndpoints reports whether a service endpoint may route an address.
func servedByEndpoints(a netip.Addr) bool {
	for _, tag := range serviceEndpointTags {
		if prefixes, _ := service.Tag(tag); contains(prefixes, a) {
			return true
		}
	}
	return false
}

func serviceRoutes(s Subnet) []candidate {
	var out []candidate
	for _, name := range s.ServiceEndpoints {
		prefixes, _ := service.Tag(serviceEndpointTags[strings.ToLower(name)])
		for _, p := range prefixes {
			out = append(out, candidate{Route{Prefix: p, NextHop: HopService, Source: sourceDefault, Name: name}, 1, 0})
		}
	}
	return out
}

// endpointRoutes are the /32 of each private endpoint in the network and in its
// peers. Where the endpoint's subnet applies route tables to endpoints, a
// user-defined route that is at least as long as the prefix of the endpoint's
// network takes its place.
func (t *Topology) endpointRoutes(v VNet, users []candidate) []candidate {
	out := t.endpointRoutesOf(v, "", users)
	for _, p := range v.Peerings {
		if p.Connected && !p.Remote.Equal(v.ID) {
			out = append(out, t.endpointRoutesOf(v, p.Remote, users)...)
		}
	}
	return out
}

// endpointRoutesOf are those to the endpoints of a network itself or of one peer.
func (t *Topology) endpointRoutesOf(v VNet, peer arm.ID, users []candidate) []candidate {
	home := v
	if peer != "" {
		home, _ = t.VNet(peer)
	}
	var out []candidate
	for _, i := range t.endpointsIn[home.ID.Key()] {
		n := t.NICs[i]
		s, _ := t.Subnet(n.Subnet)
		r := Route{NextHop: HopEndpoint, Source: sourceDefault, Name: n.Name, Peer: peer}
		for _, a := range n.Addrs {
			r.Prefix = single(a)
			var displaced bool
			if displaced, r.Doubts = displace(users, a, s, home); displaced {
				continue
			}
			out = append(out, candidate{r, 1, 0})
		}
	}
	return out
}

// displace says whether user-defined routes take the place of an endpoint's /32,
// or why they may.
func displace(users []candidate, a netip.Addr, s Subnet, home VNet) (bool, Doubts) {
	policies, unknown := s.Doubts.About(aboutPolicies)
	if !s.EndpointRoutes && !unknown {
		return false, nil
	}
	space, hidden := home.Doubts.About(aboutSpace)
	shorter := slices.ContainsFunc(users, func(c candidate) bool { return c.Prefix.Contains(a) && c.Prefix.Bits() > 0 })
	switch covered := coveredBy(users, a, home.AddressSpace); {
	case covered && !unknown:
		return true, nil
	case covered:
		return false, Doubts{policies}
	case hidden && shorter:
		return false, Doubts{space}
	}
	return false, nil
}

func coveredBy(users []candidate, a netip.Addr, space []netip.Prefix) bool {
	bits := a.BitLen()
	for _, p := range space {
		if p.Contains(a) {
			bits = min(bits, p.Bits())
		}
	}
	return slices.ContainsFunc(users, func(c candidate) bool { return c.Prefix.Contains(a) && c.Prefix.Bits() >= bits })
}

// lookup is the route that a packet to a takes from a subnet. A doubt says why
// that is not certain.
func (t *Topology) lookup(subnet arm.ID, a netip.Addr) (Route, []Doubt) {
	var route Route
	for _, r := range t.EffectiveRoutes(subnet) {
		if r.Prefix.Contains(a) {
			route = r
			break
		}
	}
	var doubts []Doubt
	doubts = append(doubts, route.Doubts...)
	table := t.table(subnet)
	doubts = append(doubts, table.doubts...)
	for _, u := range table.routes {
		if d, unknown := u.doubts.About(aboutPrefix); unknown && d.concerns(a) {
			doubts = append(doubts, d)
		}
	}
	doubts = append(doubts, t.hiddenRoutes(subnet, route, a)...)
	s, _ := t.Subnet(subnet)
	if d, unknown := s.Doubts.About(aboutServices); unknown && servedByEndpoints(a) {
		doubts = append(doubts, d)
	}
	return route, doubts
}

// hiddenRoutes are reasons why a system route that is not seen may lead to a: a
// prefix of the network or of a peer that is not known. A prefix of theirs that
// is seen settles it, since they do not overlap.
func (t *Topology) hiddenRoutes(subnet arm.ID, seen Route, a netip.Addr) []Doubt {
	if seen.Source == sourceDefault && (seen.NextHop == HopVNetLocal || seen.NextHop == HopPeering || seen.NextHop == HopEndpoint) {
		return nil
	}
	v, _ := t.VNetOf(subnet)
	out := slices.Clone(t.hiddenEndpoints)
	s, _ := t.Subnet(subnet)
	if d, may := t.mayLearn(s, v, a); may && seen.NextHop != HopGateway && seen.Prefix.Bits() < a.BitLen() && (!t.inSpace(a) || t.mayJoin(v)) {
		out = append(out, d)
	}
	if d, may := t.mayLearnAll(s, v, seen); may {
		out = append(out, d)
	}
	if d, unknown := v.Doubts.About(aboutSpace); unknown {
		d.Within = private
		out = append(out, d)
	}
	for i := range v.Peerings {
		p := &v.Peerings[i]
		if len(p.Doubts) == 0 {
			continue
		}
		for _, about := range []string{aboutRemote, aboutSpace, aboutConnected} {
			if d, unknown := p.Doubts.About(about); unknown {
				d.Within = private
				d.Reason = "peering " + p.ID.Name() + ": " + d.Reason
				if about == aboutConnected {
					d.Within = orPrivate(p.RemoteAddressSpace)
				}
				out = append(out, d)
			}
		}
	}
	return slices.DeleteFunc(out, func(d Doubt) bool { return !d.concerns(a) })
}

// String is a route as a step shows it: 10.2.0.0/16 -> VNetPeering (vnet-b).
func (r Route) String() string {
	hop := string(r.NextHop)
	switch {
	case r.NextHop == HopAppliance:
		hop += " " + r.Address.String()
	case r.NextHop == HopPeering:
		hop += " to " + r.Peer.Name()
	case r.NextHop == HopService:
		hop += " " + r.Name
	case r.NextHop == HopEndpoint && r.Peer != "":
		hop += " " + r.Name + " in " + r.Peer.Name()
	case r.NextHop == HopEndpoint:
		hop += " " + r.Name
	}
	if r.Source == sourceGateway {
		return fmt.Sprintf("%s -> %s (route of the gateway to %s)", r.Prefix, hop, r.Name)
	}
	if r.Source == sourceUser {
		return fmt.Sprintf("%s -> %s (user-defined route %s)", r.Prefix, hop, r.Name)
	}
	return fmt.Sprintf("%s -> %s (system route)", r.Prefix, hop)
}
