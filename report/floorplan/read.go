package floorplan

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/service"
)

// Read makes the plan of an estate.
func Read(e *arm.Estate, title string) *Plan {
	r := &reader{
		e: e, net: network.FromEstate(e), plan: &Plan{Title: title},
		room: map[string]*Room{}, subnet: map[string]*Subnet{}, links: map[string]int{},
	}
	r.rooms()
	r.tenants()
	r.peerings()
	r.zones()
	r.services()
	r.outside()
	return r.finish()
}

// reader gathers a plan. Rooms and subnets are held by key until all are known.
type reader struct {
	e      *arm.Estate
	net    *network.Topology
	plan   *Plan
	room   map[string]*Room
	subnet map[string]*Subnet
	links  map[string]int // service key -> its place in plan.Services
}

func (r *reader) rooms() {
	for _, v := range r.net.VNets {
		doc, _ := r.e.Get(v.ID)
		r.room[v.ID.Key()] = &Room{
			ID: v.ID, Name: v.Name, Kind: "virtual network", Location: doc.Location,
			Space: texts(v.AddressSpace), DNS: texts(v.DNSServers),
		}
	}
	for _, h := range r.e.OfType(typeHub) {
		if arm.String(h.Properties, "addressPrefix") != "" { // a route server has none
			r.room[h.ID.Key()] = &Room{ID: h.ID, Name: h.ID.Name(), Kind: "virtual hub", Location: h.Location,
				Space: arm.Strings(h.Properties, "addressPrefix")}
		}
	}
	for _, s := range r.net.Subnets {
		r.subnet[s.ID.Key()] = r.readSubnet(s)
	}
}

func (r *reader) readSubnet(s network.Subnet) *Subnet {
	doc, _ := r.e.Get(s.ID)
	out := &Subnet{
		ID: s.ID, Name: s.Name, Prefixes: texts(s.Prefixes), NSG: s.NSG, Routes: s.RouteTable, NAT: s.NATGateway,
		DefaultOutbound: s.DefaultOutbound && s.NATGateway == "", DefaultRoute: r.defaultRoute(s.RouteTable),
	}
	for _, o := range arm.Objects(doc.Properties, "delegations") {
		out.Delegations = append(out.Delegations, cmp.Or(arm.String(o, "properties.serviceName"), arm.String(o, "name")))
	}
	out.ServiceEndpoints = slices.Clone(s.ServiceEndpoints)
	return out
}

// defaultRoute is where a route table sends what has no other route.
func (r *reader) defaultRoute(table arm.ID) string {
	doc, ok := r.e.Get(table)
	if !ok {
		return ""
	}
	for _, o := range arm.Objects(doc.Properties, "routes") {
		if arm.String(o, "properties.addressPrefix") == "0.0.0.0/0" {
			return cmp.Or(arm.String(o, "properties.nextHopIpAddress"), arm.String(o, "properties.nextHopType"), "unknown")
		}
	}
	return ""
}

// roomOf is the room of an id; one that is not in the estate is made as it is
// referred to.
func (r *reader) roomOf(id arm.ID) *Room {
	v, ok := r.room[id.Key()]
	if !ok {
		v = &Room{ID: id, Name: id.Name(), Kind: "virtual network", Outside: true}
		if strings.EqualFold(id.Type(), typeHub) {
			v.Kind = "virtual hub"
		}
		r.room[id.Key()] = v
	}
	return v
}

// subnetOf is the same for a subnet.
func (r *reader) subnetOf(id arm.ID) *Subnet {
	s, ok := r.subnet[id.Key()]
	if !ok {
		s = &Subnet{ID: id, Name: id.Name(), Outside: true}
		r.subnet[id.Key()] = s
	}
	return s
}

func (r *reader) peerings() {
	type pair struct{ a, b string }
	at := map[pair]int{}
	for _, v := range r.net.VNets {
		for _, half := range v.Peerings {
			if half.Remote == "" {
				continue
			}
			r.roomOf(half.Remote)
			key := pair{min(v.ID.Key(), half.Remote.Key()), max(v.ID.Key(), half.Remote.Key())}
			i, ok := at[key]
			if !ok {
				i = len(r.plan.Peerings)
				at[key] = i
				r.plan.Peerings = append(r.plan.Peerings, Peering{A: v.ID, B: half.Remote, State: PeeringConnected})
			}
			r.addHalf(&r.plan.Peerings[i], half)
		}
	}
	for _, c := range r.e.OfType(typeHubLink) {
		if remote := arm.Ref(c.Properties, "remoteVirtualNetwork.id"); remote != "" {
			r.roomOf(remote)
			hub := r.roomOf(c.ID.Parent())
			r.plan.Peerings = append(r.plan.Peerings, Peering{A: hub.ID, B: remote, State: PeeringConnected, Halves: []arm.ID{c.ID}, Transit: true})
		}
	}
}

func (r *reader) addHalf(p *Peering, half network.Peering) {
	p.Halves = append(p.Halves, half.ID)
	p.Forwarded = p.Forwarded || half.AllowForwarded
	p.Transit = p.Transit || half.UseRemoteGateways
	_, inside := r.net.VNet(half.Remote)
	switch {
	case len(half.Doubts) > 0 || !half.Connected && !inside:
		p.State = PeeringUnknown
	case p.State == PeeringUnknown:
	case !half.Connected:
		p.State = PeeringOneSided
	case !half.AllowAccess:
		p.State = PeeringNoAccess
	}
}

func (r *reader) zones() {
	groups := map[string][]arm.ID{}
	for _, g := range r.e.OfType(typeZoneGroup) {
		for _, c := range arm.Objects(g.Properties, "privateDnsZoneConfigs") {
			key := arm.Ref(c, "properties.privateDnsZoneId").Key()
			groups[key] = append(groups[key], g.ID.Parent())
		}
	}
	for _, z := range r.e.OfType(service.TypePrivateDNSZone) {
		zone := Zone{ID: z.ID, Name: z.ID.Name(), Endpoints: groups[z.ID.Key()]}
		for _, l := range r.e.Children(z.ID, typeZoneLink) {
			if id := arm.Ref(l.Properties, "virtualNetwork.id"); id != "" {
				r.roomOf(id)
				zone.Links = append(zone.Links, Link{ID: l.ID, Room: id, Registration: arm.Bool(l.Properties, "registrationEnabled", false)})
			}
		}
		for _, edge := range r.e.ReferencesTo(z.ID) {
			child := strings.ToLower(strings.TrimPrefix(strings.ToLower(edge.From.Type()), strings.ToLower(service.TypePrivateDNSZone)+"/"))
			if edge.Path == "parent" && len(child) <= 5 && child != "soa" { // a, aaaa, cname, mx, ptr, srv, txt
				zone.Records++
			}
		}
		r.plan.Zones = append(r.plan.Zones, zone)
	}
	slices.SortStableFunc(r.plan.Zones, func(a, b Zone) int { return cmp.Compare(a.Name, b.Name) })
}

// finish puts subnets in their rooms and gives the rooms their keys.
func (r *reader) finish() *Plan {
	for _, s := range r.subnet {
		v := r.roomOf(s.ID.Parent())
		v.Subnets = append(v.Subnets, *s)
	}
	for _, v := range r.room {
		slices.SortFunc(v.Subnets, func(a, b Subnet) int {
			return cmp.Or(compareSpace(a.Prefixes, b.Prefixes), cmp.Compare(a.ID.Key(), b.ID.Key()))
		})
		r.plan.Rooms = append(r.plan.Rooms, *v)
	}
	slices.SortFunc(r.plan.Rooms, func(a, b Room) int {
		if a.Outside != b.Outside {
			if b.Outside {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.ID.Key(), b.ID.Key())
	})
	n, place := 0, map[string]int{}
	for _, layer := range layers(r.plan) {
		for _, i := range layer {
			r.plan.Rooms[i].Key = roomKey(n)
			place[r.plan.Rooms[i].ID.Key()] = n
			n++
		}
	}
	for _, z := range r.plan.Zones {
		slices.SortStableFunc(z.Links, func(a, b Link) int { return cmp.Compare(place[a.Room.Key()], place[b.Room.Key()]) })
	}
	return r.plan
}

// compareSpace orders by first address, as people number their subnets.
func compareSpace(a, b []string) int {
	first := func(list []string) netip.Prefix {
		if len(list) == 0 {
			return netip.Prefix{}
		}
		p, _ := netip.ParsePrefix(list[0])
		return p
	}
	return first(a).Addr().Compare(first(b).Addr())
}

// roomKey numbers rooms in letters: A to Z, then AA.
func roomKey(i int) string {
	if i < 26 {
		return string(rune('A' + i))
	}
	return roomKey(i/26-1) + roomKey(i%26)
}

func texts[T fmt.Stringer](list []T) []string {
	out := make([]string, 0, len(list))
	for _, v := range list {
		out = append(out, v.String())
	}
	return out
}
