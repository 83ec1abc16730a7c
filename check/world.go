package check

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/access"
	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/privatedns"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

// world is an estate with its meanings.
type world struct {
	estate    *arm.Estate
	net       *network.Topology
	names     *privatedns.Records
	access    *access.Model
	endpoints []service.Endpoint // with a host, of the estate and the platform
	places    []Place
	remotes   []Place // behind gateways
	opts      Options
	cells     map[string]Cell
	needed    []use        // what all places need, once it is known
	used      map[int]bool // blocks that switched something off
	unmatched []Unmatched
	likeness  *network.Alike               // of network interfaces, once it is known
	commanded *network.Topology            // the networks with the API servers of clusters, once they are asked for
	owned     map[string][]network.NIC     // by the key of who has them
	guarded   map[string][]network.Subnet  // by the key of their security group
	guarding  map[string][]arm.ID          // the networks that a security group guards, by its key
	shadows   map[string]map[int][]int     // rules of a group's direction that never decide
	links     map[netip.Addr][]network.NIC // private endpoints by their addresses
	waysOut   map[arm.ID]wayOut            // to the internet, of network interfaces that were asked about
}

// index finds network interfaces by their owner, private endpoints by their
// addresses, and subnets by their group.
func (w *world) index() {
	w.owned, w.guarded = map[string][]network.NIC{}, map[string][]network.Subnet{}
	w.links = map[netip.Addr][]network.NIC{}
	for _, n := range w.net.NICs {
		w.owned[n.Owner.Key()] = append(w.owned[n.Owner.Key()], n)
		for _, a := range n.Addrs {
			if n.Kind == network.KindPrivateEndpoint {
				w.links[a] = append(w.links[a], n)
			}
		}
	}
	w.guarding, w.shadows = map[string][]arm.ID{}, map[string]map[int][]int{}
	guards := func(group, vnet arm.ID) {
		if list := w.guarding[group.Key()]; group != "" && !slices.ContainsFunc(list, vnet.Equal) {
			w.guarding[group.Key()] = append(list, vnet)
		}
	}
	for _, s := range w.net.Subnets {
		w.guarded[s.NSG.Key()] = append(w.guarded[s.NSG.Key()], s)
		guards(s.NSG, s.VNet)
	}
	for i := range w.net.NICs {
		guards(w.net.NICs[i].NSG, w.net.NICs[i].Subnet.Parent())
	}
}

// alike says which network interfaces are treated alike.
func (w *world) alike() *network.Alike {
	if w.likeness == nil {
		w.likeness = w.net.Alike()
	}
	return w.likeness
}

func newWorld(e *arm.Estate) *world {
	w := &world{estate: e, net: network.FromEstate(e), access: access.FromEstate(e), cells: map[string]Cell{}, used: map[int]bool{}, waysOut: map[arm.ID]wayOut{}}
	w.index()
	w.names = privatedns.FromEstate(e, w.net.MemberAddr)
	for _, ep := range service.All(e) {
		if ep.Host != "" {
			w.endpoints = append(w.endpoints, ep)
		}
	}
	w.places = w.findPlaces()
	w.remotes = w.findRemotes()
	return w
}

const httpsPort = 443

// cell follows a client from a place to an endpoint through every stage.
func (w *world) cell(p Place, ep service.Endpoint) Cell {
	key := p.Name + " " + p.NIC.Key() + " " + ep.Host
	if c, ok := w.cells[key]; ok {
		return c
	}
	c := w.follow(p, ep)
	w.cells[key] = c
	return c
}

func (w *world) follow(p Place, ep service.Endpoint) Cell {
	if p.Managed != "" {
		return w.followManaged(p, ep)
	}
	c := Cell{From: p, To: ep, Resolve: w.resolve(p, ep.Host)}
	if len(c.Resolve.Addrs) == 0 {
		c.Connect = notReached(c.Resolve.Verdict, "there is no address to connect to")
		c.Admit = notReached(c.Connect, "nothing arrives at the service")
	} else {
		addr := c.Resolve.Addrs[0]
		c.Connect = w.connectTo(p, addr, httpsPort, ep.Host)
		c.Admit = w.admit(p, ep, addr)
	}
	c.Authorize, c.Called = w.authorizeCall(p, ep)
	return c
}

// resolve asks for a name as the place would.
func (w *world) resolve(p Place, host string) privatedns.Answer {
	if p.Managed != "" {
		return w.names.Resolve("", host)
	}
	if p.Remote() {
		return w.resolveRemote(p, host)
	}
	if p.VNet == "" && p.Kind != KindInternet {
		return privatedns.Answer{Name: host, Verdict: single(verdict.Unknown, string(p.Kind)+" "+p.Name, p.Resource, "the network that it is in is not known")}
	}
	if w.names.HasOwnServers(p.NIC) {
		return w.names.ResolveNIC(p.NIC, host)
	}
	return w.names.Resolve(p.VNet, host)
}

// notReached answers a stage that an earlier one kept from being asked.
func notReached(earlier verdict.Verdict, reason string) verdict.Verdict {
	return single(earlier.Value, "", "", reason)
}

func single(v verdict.Value, at string, resource arm.ID, reason string) verdict.Verdict {
	return verdict.Verdict{Value: v, Steps: []verdict.Step{{At: at, Resource: resource, Value: v, Reason: reason}}}
}

func (w *world) connect(p Place, to netip.Addr, port uint16) verdict.Verdict {
	return w.connectTo(p, to, port, "")
}

// connectTo follows a connection whose client asks for a host by name, which
// application rules of an Azure Firewall decide by.
func (w *world) connectTo(p Place, to netip.Addr, port uint16, host string) verdict.Verdict {
	if p.Managed != "" {
		return w.connectManaged(p, to, network.TCP, port)
	}
	if !p.Addr.IsValid() {
		return single(verdict.Unknown, string(p.Kind)+" "+p.Name, p.Resource, w.whyNoAddr(p))
	}
	return w.net.Reach(w.flow(p, to, port, host))
}

func (w *world) flow(p Place, to netip.Addr, port uint16, host string) network.Flow {
	return network.Flow{Source: p.sender(to), Destination: to, Protocol: network.TCP, Port: port, Host: host}
}

// admit asks the service's own firewall about a call that arrives at addr.
func (w *world) admit(p Place, ep service.Endpoint, addr netip.Addr) verdict.Verdict {
	doc, ok := w.estate.Get(ep.Resource)
	if !ok {
		return single(verdict.Yes, ep.Host, "", "open to everyone")
	}
	if _, private := w.endpointAt(p.VNet, addr); p.Remote() && !private {
		return w.admitRemote(p, doc)
	}
	list, why := w.sourcesSeen(p, ep, addr)
	if why.Value != verdict.Yes {
		return why
	}
	out := network.Admit(w.estate, doc, list[0])
	for _, src := range list[1:] {
		if other := network.Admit(w.estate, doc, src); other.Value != out.Value {
			return single(verdict.Unknown, "firewall of "+doc.Name, doc.ID, fmt.Sprintf("it lets in %s and %s differently, and an Azure Firewall takes either", list[0].Addr, src.Addr))
		}
	}
	return out
}

// sourcesSeen are who the service may see behind a call: one, or each public address of
// an Azure Firewall that the call goes through. The verdict is yes, or why none can be named.
func (w *world) sourcesSeen(p Place, ep service.Endpoint, addr netip.Addr) ([]network.Source, verdict.Verdict) {
	if len(w.net.Firewalls) > 0 && p.Kind != KindInternet && p.Addr.IsValid() {
		if _, private := w.endpointAt(p.VNet, addr); !private {
			list, way := w.net.Seen(w.flow(p, addr, httpsPort, ep.Host))
			if way.Value == verdict.Yes && len(list) > 0 {
				return list, verdict.Verdict{Value: verdict.Yes}
			}
		}
	}
	src, why := w.sourceSeen(p, ep, addr)
	return []network.Source{src}, why
}

// sourceSeen is who the service sees behind a call that goes through no firewall. The
// verdict is yes, or why no source can be named.
func (w *world) sourceSeen(p Place, ep service.Endpoint, addr netip.Addr) (network.Source, verdict.Verdict) {
	yes := verdict.Verdict{Value: verdict.Yes}
	if pe, ok := w.endpointAt(p.VNet, addr); ok {
		if pe.Target.Equal(ep.Owner) && !strings.EqualFold(pe.Group, ep.Group) {
			return network.Source{}, single(verdict.No, "private endpoint "+pe.Name, pe.ID, fmt.Sprintf(
				"%s belongs to private endpoint %s for the sub-resource %s, which does not serve %s", addr, pe.Name, pe.Group, ep.Host))
		}
		return network.Source{Addr: p.Addr, Endpoint: pe.ID}, yes
	}
	if p.Kind == KindInternet {
		return network.Source{Addr: p.Addr}, yes
	}
	if w.hasServiceEndpoint(p.Subnet, ep.Resource) {
		return network.Source{Addr: p.Addr, Subnet: p.Subnet}, yes
	}
	public, way := w.egress(p.NIC)
	if way.Value != verdict.Yes {
		return network.Source{}, way
	}
	return network.Source{Addr: public}, yes
}

// wayOut is the address with which a network interface leaves for the internet.
type wayOut struct {
	addr netip.Addr
	way  verdict.Verdict
}

// egress is how a network interface leaves for the internet.
func (w *world) egress(nic arm.ID) (netip.Addr, verdict.Verdict) {
	out, ok := w.waysOut[nic]
	if !ok {
		out.addr, out.way = w.net.EgressAddr(nic)
		w.waysOut[nic] = out
	}
	return out.addr, out.way
}

// endpointAt finds the private endpoint that has an address, in the network
// itself before any other.
func (w *world) endpointAt(vnet arm.ID, addr netip.Addr) (network.NIC, bool) {
	list := w.links[addr]
	for _, nic := range list {
		if nic.Subnet.Parent().Equal(vnet) {
			return nic, true
		}
	}
	if len(list) == 0 {
		return network.NIC{}, false
	}
	return list[0], true
}

func holds(addrs []netip.Addr, a netip.Addr) bool {
	for _, have := range addrs {
		if have == a {
			return true
		}
	}
	return false
}

// hasServiceEndpoint reports whether the subnet carries its identity to the
// resource's provider.
func (w *world) hasServiceEndpoint(subnet, resource arm.ID) bool {
	s, ok := w.net.Subnet(subnet)
	if !ok || len(s.ServiceEndpoints) == 0 {
		return false
	}
	namespace, _, _ := strings.Cut(resource.Type(), "/")
	for _, have := range s.ServiceEndpoints {
		if strings.EqualFold(have, namespace) {
			return true
		}
	}
	return false
}

// authorizeCall says whether the identity of the place may make the service's
// call. called is false where none is defined.
func (w *world) authorizeCall(p Place, ep service.Endpoint) (v verdict.Verdict, called bool) {
	call, ok := CallFor(ep)
	if !ok {
		return verdict.Verdict{}, false
	}
	at := call.Method + " " + call.Path
	switch call.Auth {
	case AuthNone:
		return single(verdict.Yes, at, "", "the service asks for no identity"), true
	case AuthOther:
		return single(verdict.No, at, "", "the service takes a personal access token and no managed identity"), true
	}
	if p.Identity == "" {
		return single(verdict.No, at, p.Resource, p.Name+" has no managed identity to act as"), true
	}
	if call.Auth == AuthToken {
		return single(verdict.Yes, at, "", "any identity of the tenant may make this call"), true
	}
	return w.access.Allows(p.Identity, call.Action, call.Data, ep.Resource), true
}

// identityName names an object id as people do.
func (w *world) identityName(objectID string) string {
	if p, ok := w.access.Principal(objectID); ok {
		return p.Name
	}
	return objectID
}
