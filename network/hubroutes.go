package network

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

// Route tables that every virtual hub has, and the labels that they carry.
const (
	defaultTable = "defaultRouteTable"
	noneTable    = "noneRouteTable"
	defaultLabel = "default"
	noneLabel    = "none"
)

// wanHub is a virtual hub with what decides which routes it hands out.
type wanHub struct {
	id     arm.ID
	name   string
	wan    arm.ID
	prefix netip.Prefix // its own addresses, invalid where they are not known
	tables map[string]*hubTable
	// private and internet are the next hops of its routing intent, "" for none.
	private, internet arm.ID
	// opaque says why the routes that it hands out are not known, "" where they are.
	opaque string
	// branches says why it knows routes that no document holds; all, that a default
	// route may be among them.
	branches string
	all      bool
	// transit: the hub takes packets from network to network.
	transit bool
}

// hubTable is a route table of a hub.
type hubTable struct {
	id     arm.ID
	labels []string
	routes []hubRoute
	doubt  string // why not all of its routes are known
}

// hubRoute is a static route of a hub's table.
type hubRoute struct {
	name     string
	prefixes []netip.Prefix
	hop      arm.ID // a firewall or a connection
}

// hubConnection is a network that is connected to a virtual hub.
type hubConnection struct {
	id, hub, network arm.ID
	secured          bool     // it learns a default route
	maybeSecured     string   // why that is not known
	table            string   // the name of the table it learns
	ids              []arm.ID // the tables that learn its network
	labels           []string
	static           []hubRoute // routes into its network, whose next hop is an address there
	addresses        []netip.Addr
	propagates       bool   // static is in the tables too
	maybePropagates  string // why that is not known
	bypass           bool   // what its network has itself does not follow static
	doubt            string // why its routing is not known
	shared           bool   // its addresses are another connected network's too
}

// virtualHubs reads the hubs of Virtual WANs. Route servers are virtual hubs by
// type, and have no Virtual WAN.
func (b *builder) virtualHubs() map[string]*wanHub {
	out := map[string]*wanHub{}
	for _, r := range b.e.OfType(typeHub) {
		var doubts Doubts
		d := b.read(r, &doubts)
		h := &wanHub{id: r.ID, name: r.ID.Name(), wan: d.ref("virtualWan.id"), tables: map[string]*hubTable{}}
		if p, err := parsePrefix(d.text("addressPrefix")); err == nil {
			h.prefix = p
		}
		b.wanOf(h)
		for _, c := range b.e.Children(r.ID, typeHubTable) {
			h.tables[strings.ToLower(c.ID.Name())] = b.hubTable(c)
		}
		for name, label := range map[string]string{defaultTable: defaultLabel, noneTable: noneLabel} {
			t, ok := h.tables[strings.ToLower(name)]
			if !ok {
				t = &hubTable{id: r.ID.Child("hubRouteTables", name)}
				h.tables[strings.ToLower(name)] = t
			}
			t.labels = append(t.labels, label)
		}
		b.intent(h)
		if routes, has := arm.Lookup(r.Properties, "routeTable.routes"); has && routes != nil {
			h.opaque = firstReason(h.opaque, h.name+" has routes of its own, beside its route tables")
		}
		for _, c := range b.e.Children(r.ID, typeHubPeer) {
			h.opaque = firstReason(h.opaque, fmt.Sprintf("%s learns routes by BGP from %s", h.name, c.ID.Name()))
		}
		if len(doubts) > 0 {
			h.opaque = firstReason(h.opaque, doubts[0].Reason)
		}
		b.within(h)
		out[r.ID.Key()] = h
	}
	return out
}

// wanOf says what the type of its Virtual WAN makes of a hub. Source: Microsoft
// Learn, "What is Azure Virtual WAN?" (Virtual WAN types).
func (b *builder) wanOf(h *wanHub) {
	wan, ok := b.e.Get(h.wan)
	if !ok {
		h.opaque = "its Virtual WAN is not in the estate"
		return
	}
	kind := arm.String(wan.Properties, "type")
	if u, hidden := arm.UnknownAt(wan.Properties, "type"); hidden {
		h.opaque = unknownReason("type of "+wan.ID.Name(), u)
	}
	h.transit = kind == "" || strings.EqualFold(kind, "Standard")
}

// hubTable reads a route table of a hub.
func (b *builder) hubTable(r arm.Resource) *hubTable {
	var doubts Doubts
	d := b.read(r, &doubts)
	t := &hubTable{id: r.ID, labels: d.texts("labels")}
	for _, o := range d.objects("routes", "route") {
		route := hubRoute{name: nameOf(o.o, 0), hop: o.ref("nextHop")}
		if kind := o.text("destinationType"); kind != "" && !strings.EqualFold(kind, "CIDR") {
			o.doubt("destinationType", "destinations that are no prefixes are not modelled")
		}
		route.prefixes = o.prefixes("destinations")
		t.routes = append(t.routes, route)
	}
	if len(doubts) > 0 {
		t.doubt = doubts[0].Reason
	}
	return t
}

// intent reads the routing intent of a hub, which Azure refuses beside tables of
// the hub's own. Source: Microsoft Learn, "How to configure Virtual WAN Hub routing
// intent and routing policies" (Prerequisites).
func (b *builder) intent(h *wanHub) {
	for _, r := range b.e.Children(h.id, typeHubIntent) {
		var doubts Doubts
		d := b.read(r, &doubts)
		for _, p := range d.objects("routingPolicies", "policy") {
			hop := p.ref("nextHop")
			for _, what := range p.texts("destinations") {
				switch strings.ToLower(what) {
				case "internet":
					h.internet = hop
				case "privatetraffic":
					h.private = hop
				default:
					p.doubt("destinations", what+" is no destination of a routing policy")
				}
			}
		}
		if len(doubts) > 0 {
			h.opaque = firstReason(h.opaque, "routing intent "+r.ID.Name()+": "+doubts[0].Reason)
		}
		for _, hop := range []arm.ID{h.private, h.internet} {
			if hop != "" && b.hubFirewall(h, hop) == nil {
				h.opaque = firstReason(h.opaque, fmt.Sprintf("routing intent %s leads to %s, which is no Azure Firewall of %s in the estate", r.ID.Name(), hop.Name(), h.name))
			}
		}
		for _, c := range b.e.Children(h.id, typeHubTable) {
			if name := c.ID.Name(); !strings.EqualFold(name, defaultTable) && !strings.EqualFold(name, noneTable) {
				b.problem(r, "hub %s has the route table %s, and routing intent is refused in a hub that has tables of its own; remove the table, or the routing intent", h.name, name)
			}
		}
	}
}

// hubFirewall is the firewall of a hub with an id.
func (b *builder) hubFirewall(h *wanHub, id arm.ID) *Firewall {
	if fw := b.t.firewallAt[id.Key()]; fw != nil && fw.Hub.Equal(h.id) {
		return fw
	}
	return nil
}

// within notes what else is in a hub: gateways know routes that no document holds,
// and what appliances decide is not modelled.
func (b *builder) within(h *wanHub) {
	for _, ref := range b.e.ReferencesTo(h.id) {
		r, _ := b.e.Get(ref.From)
		switch {
		case r.IsType(typeHubConnection), r.ID.Within(h.id), r.IsType(typeFirewall):
		case r.IsType(typeHubClients):
			h.branches = firstReason(h.branches, fmt.Sprintf("%s leads to clients", r.ID.Name()))
		case r.IsType(typeHubVPN) && len(b.e.Children(r.ID, typeHubVPN+"/vpnConnections")) > 0,
			r.IsType(typeHubCircuits) && len(b.e.Children(r.ID, typeHubCircuits+"/expressRouteConnections")) > 0:
			h.branches = firstReason(h.branches, fmt.Sprintf("%s learns routes to branches", r.ID.Name()))
			h.all = true
		case r.IsType(typeHubVPN), r.IsType(typeHubCircuits): // connected to nothing
		default:
			h.opaque = firstReason(h.opaque, fmt.Sprintf("%s (%s) is in %s", r.ID.Name(), r.Type, h.name))
		}
	}
}

// hubConnection reads one connection.
func (b *builder) hubConnection(r arm.Resource) hubConnection {
	var doubts Doubts
	d := b.read(r, &doubts)
	c := hubConnection{id: r.ID, hub: r.ID.Parent(), network: d.ref("remoteVirtualNetwork.id"), secured: arm.Bool(d.o, "enableInternetSecurity", true),
		table: strings.ToLower(defaultTable), propagates: true}
	if u, hidden := arm.UnknownAt(d.o, "enableInternetSecurity"); hidden {
		c.secured, c.maybeSecured = true, unknownReason("enableInternetSecurity", u)
	}
	given, _ := arm.Lookup(d.o, "routingConfiguration")
	o, isObject := given.(map[string]any)
	switch {
	case len(doubts) > 0:
		c.doubt = doubts[0].Reason
	case given == nil:
	case !isObject || anyUnknown(o):
		c.doubt = "its routing configuration is not known"
	case arm.String(o, "inboundRouteMap.id") != "" || arm.String(o, "outboundRouteMap.id") != "":
		c.doubt = "connection " + r.ID.Name() + " has route maps, which are not modelled"
	default:
		d.o, d.part = o, "properties.routingConfiguration"
		c.routing(d)
	}
	if len(doubts) > 0 {
		c.doubt = doubts[0].Reason
	}
	return c
}

func (c *hubConnection) routing(d document) {
	if id := d.ref("associatedRouteTable.id"); id != "" {
		c.table = strings.ToLower(id.Name())
	}
	c.ids = d.refs("propagatedRouteTables.ids")
	c.labels = d.texts("propagatedRouteTables.labels")
	c.propagates = d.flag("vnetRoutes.staticRoutesConfig.propagateStaticRoutes", true)
	if _, said := arm.Lookup(d.o, "vnetRoutes.staticRoutesConfig.propagateStaticRoutes"); !said {
		c.maybePropagates = "connection " + c.id.Name() + " does not say whether it propagates its static routes"
	}
	c.bypass = strings.EqualFold(d.text("vnetRoutes.staticRoutesConfig.vnetLocalRouteOverrideCriteria"), "Equal")
	for i, o := range d.objects("vnetRoutes.staticRoutes", "route") {
		a, err := parseAddr(o.text("nextHopIpAddress"))
		if err != nil {
			o.malformed("nextHopIpAddress", "next hop %v", err)
			continue
		}
		c.static = append(c.static, hubRoute{name: nameOf(o.o, i), prefixes: o.prefixes("addressPrefixes")})
		c.addresses = append(c.addresses, a)
	}
}

// anyUnknown reports whether anything in a value is not known.
func anyUnknown(v any) bool {
	switch v := v.(type) {
	case arm.Unknown:
		return true
	case []any:
		return slices.ContainsFunc(v, anyUnknown)
	case map[string]any:
		for _, e := range v {
			if anyUnknown(e) {
				return true
			}
		}
	}
	return false
}
