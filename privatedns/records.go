package privatedns

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
)

// Types that this package gives a meaning.
const (
	typeLink      = "Microsoft.Network/privateDnsZones/virtualNetworkLinks"
	typeZoneGroup = "Microsoft.Network/privateEndpoints/privateDnsZoneGroups"
	typeVM        = "Microsoft.Compute/virtualMachines"
	typePeering   = "Microsoft.Network/virtualNetworks/virtualNetworkPeerings"
	typeHubLink   = "Microsoft.Network/virtualHubs/hubVirtualNetworkConnections"
)

// Records is every record that the estate's networks and the internet can see,
// and the DNS servers that they ask. It is made once and then only read.
type Records struct {
	// Problems are what Azure would refuse in the zones, as two zones of one name
	// linked to one network.
	Problems []Problem

	zones   map[string][]*zone // by name, in order of their ids
	linked  map[linkedName][]*zone
	unsure  map[string]*zone // by name, the first whose links are not all known
	public  map[string]publicRecord
	vnets   map[string]*vnet
	nics    map[string]client
	servers map[netip.Addr][]server
	named   []namedServer
	// strayRules are rulesets that are linked to a network which is not known.
	strayRules []strayRule
}

// linkedName is what a network finds zones by.
type linkedName struct {
	vnet string // key
	zone string // name
}

// index makes zones be found by the networks that they are linked to.
func (r *Records) index() {
	r.linked, r.unsure = map[linkedName][]*zone{}, map[string]*zone{}
	for name, list := range r.zones {
		for _, z := range list {
			for vnet, links := range z.links {
				if len(links) > 0 {
					at := linkedName{vnet, name}
					r.linked[at] = append(r.linked[at], z)
				}
			}
			if _, have := r.unsure[name]; !have && (len(z.unsure) > 0 || z.outside) {
				r.unsure[name] = z
			}
		}
	}
}

// Problem is something in the documents that cannot be deployed.
type Problem struct {
	Resource arm.ID
	Source   arm.Source
	Message  string
}

// vnet is a virtual network as names go.
type vnet struct {
	id       arm.ID
	name     string
	servers  serverList
	peers    []string // keys of the networks that a peering joins to it
	rulesets []*ruleset
	hosts    map[string]host // machines by the label of their internal name
	reverse  map[netip.Addr][]string
}

// client is a network interface as a client of DNS.
type client struct {
	vnet    arm.ID
	servers serverList // of its own; empty: those of its network
}

// publicRecord is what everyone sees.
type publicRecord struct {
	addr    netip.Addr
	cname   string
	reason  string
	by      arm.ID
	unknown string // why it is not known, or ""
}

// addrFunc says which address a private endpoint has for a member of its target,
// or a network interface for the member "".
type addrFunc func(endpoint arm.ID, member string) netip.Addr

// reader makes Records of an estate.
type reader struct {
	*Records
	e    *arm.Estate
	addr addrFunc
	byID map[string]*zone
}

// FromEstate reads the zones, links, records, zone groups, DNS servers and
// services of an estate. addr says which address a private endpoint has for a
// member of its target (network.Topology's MemberAddr), and which a network
// interface has (member ""); without an address from it, and without one in the
// document, what hangs on the address is unknown.
func FromEstate(e *arm.Estate, addr func(endpoint arm.ID, member string) netip.Addr) *Records {
	if addr == nil {
		addr = func(arm.ID, string) netip.Addr { return netip.Addr{} }
	}
	r := reader{e: e, addr: addr, byID: map[string]*zone{}, Records: &Records{
		zones: map[string][]*zone{}, public: map[string]publicRecord{}, vnets: map[string]*vnet{},
		nics: map[string]client{}, servers: map[netip.Addr][]server{},
	}}
	r.networks()
	r.interfaces()
	r.findServers()
	r.rulesets()
	r.findZones()
	r.machines()
	r.zoneGroups()
	r.names()
	r.limits()
	r.index()
	return r.Records
}

func (r *reader) networks() {
	for _, doc := range r.e.OfType(service.TypeVirtualNetwork) {
		r.vnets[doc.ID.Key()] = &vnet{
			id: doc.ID, name: doc.Name, servers: readServers(doc.Properties, "dhcpOptions.dnsServers"),
			hosts: map[string]host{}, reverse: map[netip.Addr][]string{},
		}
	}
	for _, doc := range r.e.OfType(typePeering) {
		r.join(doc.ID.Parent(), arm.Ref(doc.Properties, "remoteVirtualNetwork.id"))
	}
	// The networks of a virtual hub reach each other through it.
	hubs := map[string][]arm.ID{}
	for _, doc := range r.e.OfType(typeHubLink) {
		hub, remote := doc.ID.Parent().Key(), arm.Ref(doc.Properties, "remoteVirtualNetwork.id")
		for _, other := range hubs[hub] {
			r.join(remote, other)
		}
		hubs[hub] = append(hubs[hub], remote)
	}
}

func (r *reader) join(a, b arm.ID) {
	for _, p := range [][2]arm.ID{{a, b}, {b, a}} {
		v, ok := r.vnets[p[0].Key()]
		if ok && p[1] != "" && !slices.Contains(v.peers, p[1].Key()) {
			v.peers = append(v.peers, p[1].Key())
		}
	}
}

func (r *reader) interfaces() {
	for _, doc := range r.e.OfType(service.TypeNetworkInterface) {
		r.nics[doc.ID.Key()] = client{vnet: vnetOfNIC(doc), servers: readServers(doc.Properties, "dnsSettings.dnsServers")}
	}
}

func vnetOfNIC(nic arm.Resource) arm.ID {
	for _, c := range arm.Objects(nic.Properties, "ipConfigurations") {
		if subnet := arm.Ref(c, "properties.subnet.id"); subnet != "" {
			return subnet.Parent()
		}
	}
	return ""
}

// nicAddr is a network interface's first IPv4 address: as it was given out, or as
// the document asks for it. Azure registers none of IPv6.
//
// Source: Microsoft Learn, "What is the auto registration feature in Azure DNS
// private zones?" (restrictions).
func (r *reader) nicAddr(nic arm.Resource) netip.Addr {
	if a := r.addr(nic.ID, ""); a.Is4() {
		return a
	}
	for _, c := range arm.Objects(nic.Properties, "ipConfigurations") {
		if a, err := netip.ParseAddr(arm.String(c, "properties.privateIPAddress")); err == nil && a.Is4() {
			return a
		}
	}
	return netip.Addr{}
}

func (r *reader) findZones() {
	for _, doc := range r.e.OfType(service.TypePrivateDNSZone) {
		r.zone(doc.ID)
	}
	for _, doc := range r.e.OfType(typeLink) {
		r.readLink(r.zone(doc.ID.Parent()), doc)
	}
	for _, typ := range recordTypes {
		for _, doc := range r.e.OfType(service.TypePrivateDNSZone + "/" + typ) {
			r.readSet(r.zone(doc.ID.Parent()), typ, doc)
		}
	}
}

// zone is the zone of an id; one that is not in the estate holds at least what the
// estate writes into it.
func (r *reader) zone(id arm.ID) *zone {
	if z, ok := r.byID[id.Key()]; ok {
		return z
	}
	z := newZone(id)
	if _, ok := r.e.Get(id); !ok {
		z.outside = true
		z.doubts = []doubt{{id, "the zone is not in the estate, and what others write into it is not known"}}
	}
	r.byID[id.Key()] = z
	list := append(r.zones[z.name], z)
	slices.SortFunc(list, func(a, b *zone) int { return cmp.Compare(a.id.Key(), b.id.Key()) })
	r.zones[z.name] = list
	return z
}

func (r *reader) readLink(z *zone, doc arm.Resource) {
	l := link{
		id: doc.ID, fallback: strings.EqualFold(arm.String(doc.Properties, "resolutionPolicy"), "NxDomainRedirect"),
		register: arm.Bool(doc.Properties, "registrationEnabled", false),
	}
	if u, ok := arm.UnknownAt(doc.Properties, "resolutionPolicy"); ok {
		l.unsure = u.String()
	}
	if u, ok := arm.UnknownAt(doc.Properties, "virtualNetwork.id"); ok {
		l.unknown = u.String()
		z.unsure = append(z.unsure, l)
		return
	}
	if id := arm.Ref(doc.Properties, "virtualNetwork.id"); id != "" {
		z.links[id.Key()] = append(z.links[id.Key()], l)
	}
}
