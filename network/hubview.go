package network

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/verdict"
)

// intentPrefixes are what a routing policy for private traffic leads to its next hop,
// beside the prefixes that are added to the default route table.
var intentPrefixes = prefixList("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")

// wanReader works out what each hub hands out to whom.
type wanReader struct {
	b           *builder
	hubs        map[string]*wanHub
	connections []hubConnection
}

// view is what somebody learns of a hub.
type hubView struct {
	w     *wanReader
	h     *wanHub
	g     *Gateway
	space []netip.Prefix // whose addresses cannot be led elsewhere
}

func (v *hubView) add(s Site, prefixes ...netip.Prefix) {
	s.Gateway, s.Prefixes = v.h.id, prefixes
	if len(prefixes) > 0 {
		v.g.Sites = append(v.g.Sites, s)
	}
}

// learns notes why there may be more routes than the view has.
func (v *hubView) learns(why string) { v.g.Learns = firstReason(v.g.Learns, why) }

// connected is a hub as one of its networks sees it.
func (w *wanReader) connected(c *hubConnection) hub {
	out := hub{network: c.network, gateway: &Gateway{ID: c.hub, Name: c.hub.Name()}}
	h, ok := w.hubs[c.hub.Key()]
	if !ok {
		h = &wanHub{id: c.hub, name: c.hub.Name(), opaque: "the hub is not in the estate"}
	}
	if why := firstReason(c.doubt, h.opaque); why != "" {
		out.all = c.secured
		out.gateway.Learns = "virtual hub " + h.name + " hands it routes, and those are not modelled: " + why
		return out
	}
	network, _ := w.b.t.VNet(c.network)
	v := hubView{w: w, h: h, g: out.gateway, space: network.AddressSpace}
	if h.branches != "" {
		v.learns("virtual hub " + h.name + ": " + h.branches)
	}
	table := h.tables[c.table]
	if h.private != "" || h.internet != "" {
		table = h.tables[strings.ToLower(defaultTable)] // routing intent associates every connection with it
	}
	if table == nil {
		v.learns(fmt.Sprintf("connection %s is associated with the route table %s, which is not in the estate", c.id.Name(), c.table))
		out.all = c.secured
		return out
	}
	if table.doubt != "" {
		v.learns("route table " + table.id.Name() + ": " + table.doubt)
		out.all = c.secured
	}
	v.ownPrefixes(c)
	v.statics(c, table)
	if h.private == "" {
		v.learned(c, table)
	}
	v.knowNetworks(c)
	byDefault := slices.ContainsFunc(v.g.Sites, func(s Site) bool { return slices.Contains(s.Prefixes, any4) })
	out.all = out.all || h.all && c.secured && !byDefault
	return out
}

// ownPrefixes are those of the hubs themselves, where their firewalls are.
func (v *hubView) ownPrefixes(c *hubConnection) {
	for _, fw := range v.w.b.t.Firewalls {
		if fw.Hub == "" || !fw.hubPrefix.IsValid() || !v.w.sameWAN(v.h.id, fw.Hub) || within(fw.hubPrefix, v.space) {
			continue
		}
		s := Site{ID: fw.Hub, Name: "virtual hub " + fw.Hub.Name(), Network: fw.Hub}
		if strings.EqualFold(c.table, noneTable) {
			s.doubt = "whether a hub's own addresses are reached without routes of it is not documented"
		}
		v.add(s, fw.hubPrefix)
	}
}

// statics are the static routes of a table, which go before learned ones of the same
// prefix, and those that routing intent makes.
func (v *hubView) statics(c *hubConnection, table *hubTable) {
	h, b := v.h, v.w.b
	if h.internet != "" && c.secured {
		v.toFirewall(b.hubFirewall(h, h.internet), c.maybeSecured, any4)
	}
	if h.private != "" {
		v.toFirewall(b.hubFirewall(h, h.private), "", intentPrefixes...)
	}
	for _, r := range table.routes {
		prefixes, all := r.prefixes, slices.Contains(r.prefixes, any4)
		if all {
			prefixes = slices.DeleteFunc(slices.Clone(prefixes), func(p netip.Prefix) bool { return p == any4 })
		}
		v.static(r, "", prefixes...)
		if all && c.secured && h.internet == "" {
			v.static(r, c.maybeSecured, any4)
		}
	}
}

// static is a static route to a firewall of the hub, or into a network by what its
// connection says.
func (v *hubView) static(r hubRoute, doubt string, prefixes ...netip.Prefix) {
	if fw := v.w.b.hubFirewall(v.h, r.hop); fw != nil {
		v.toFirewall(fw, doubt, prefixes...)
		return
	}
	for i := range v.w.connections {
		o := &v.w.connections[i]
		if !o.id.Equal(r.hop) {
			continue
		}
		if v.h.private != "" || v.h.internet != "" {
			doubt = firstReason(doubt, fmt.Sprintf("route %s of hub %s leads to a connection, which routing intent does not support", r.name, v.h.name))
		}
		v.toConnection(o, r, doubt, prefixes)
		return
	}
	v.add(Site{Name: r.name, ID: r.hop, doubt: fmt.Sprintf("route %s of hub %s leads to %s, which is neither a firewall of the hub nor a connection in the estate", r.name, v.h.name, r.hop.Name())}, prefixes...)
}

func (v *hubView) toFirewall(fw *Firewall, doubt string, prefixes ...netip.Prefix) {
	v.add(Site{ID: fw.ID, Name: "Azure Firewall " + fw.Name, firewall: fw.ID, aggregate: true, doubt: doubt}, prefixes...)
}

// toConnection adds what a route to a connection leads to: what the connection's own
// static routes say, and its network.
func (v *hubView) toConnection(o *hubConnection, r hubRoute, doubt string, prefixes []netip.Prefix) {
	network, _ := v.w.b.t.VNet(o.network)
	inside := func(list []netip.Prefix) []netip.Prefix {
		var out []netip.Prefix
		for _, p := range list {
			for _, q := range prefixes {
				switch {
				case within(p, []netip.Prefix{q}):
					out = append(out, p)
				case within(q, []netip.Prefix{p}):
					out = append(out, q)
				}
			}
		}
		return out
	}
	for i, s := range o.static {
		v.relayed(o, s, o.addresses[i], doubt, inside(s.prefixes))
	}
	v.network(o, network, doubt, inside(network.AddressSpace))
	v.add(Site{ID: o.id, Name: o.network.Name(), doubt: firstReason(doubt, o.doubt,
		fmt.Sprintf("route %s of hub %s leads to connection %s, which has no static route to it", r.name, v.h.name, o.id.Name()))}, prefixes...)
}

// relayed are prefixes that lead to an address within a connected network.
func (v *hubView) relayed(o *hubConnection, s hubRoute, next netip.Addr, doubt string, prefixes []netip.Prefix) {
	v.add(Site{ID: o.id, Name: o.network.Name(), Network: o.network, appliance: next, route: s.name, aggregate: true, doubt: firstReason(doubt, o.doubt)}, prefixes...)
}

func (v *hubView) direct(o *hubConnection, network VNet, doubt string) Site {
	s := Site{ID: o.network, Name: o.network.Name(), Network: o.network, doubt: firstReason(doubt, o.doubt)}
	if d, unknown := network.Doubts.About(aboutSpace); unknown {
		v.learns(d.Reason)
	}
	if o.shared {
		s.doubt = firstReason(s.doubt, fmt.Sprintf("another network that is connected has addresses of %s too", o.network.Name()))
	}
	return s
}

// learned are the networks of the connections that propagate to a table.
func (v *hubView) learned(c *hubConnection, table *hubTable) {
	for i := range v.w.connections {
		o := &v.w.connections[i]
		if o.id.Equal(c.id) || !v.w.sameWAN(v.h.id, o.hub) {
			continue
		}
		network, ok := v.w.b.t.VNet(o.network)
		if !ok {
			v.learns(v.absent(o))
			continue
		}
		far := v.w.hubs[o.hub.Key()]
		does, why := v.w.propagates(o, far, table)
		if does == verdict.No || !v.h.transit {
			continue
		}
		doubt := why
		if far != nil {
			doubt = firstReason(doubt, far.opaque)
		}
		if far != nil && far.private != "" && !far.id.Equal(v.h.id) && far.opaque == "" {
			fw := v.w.b.hubFirewall(far, far.private)
			v.add(Site{ID: fw.ID, Name: "Azure Firewall " + fw.Name, firewall: fw.ID, doubt: firstReason(doubt, o.doubt)}, network.AddressSpace...)
			continue
		}
		for i, s := range o.static {
			v.relayed(o, s, o.addresses[i], firstReason(doubt, o.maybePropagates), v.spread(c, o, s))
		}
		v.network(o, network, doubt, network.AddressSpace)
	}
}

// knowNetworks notes the networks of the Virtual WAN that routes lead to: VirtualNetwork
// holds them, also where it is not certain that it holds all of a route's prefix.
func (v *hubView) knowNetworks(c *hubConnection) {
	for i := range v.w.connections {
		o := &v.w.connections[i]
		network, ok := v.w.b.t.VNet(o.network)
		if !ok || o.id.Equal(c.id) || !v.w.sameWAN(v.h.id, o.hub) {
			continue
		}
		for _, p := range network.AddressSpace {
			if slices.ContainsFunc(v.g.Sites, func(s Site) bool { return s.doubt == "" && within(p, s.Prefixes) && !slices.Contains(s.Prefixes, any4) }) {
				v.g.known = append(v.g.known, p)
			}
		}
	}
}

// spread are the prefixes of a connection's static route that others learn. What
// concerns 0.0.0.0/0 stays in the hub.
func (v *hubView) spread(c, o *hubConnection, s hubRoute) []netip.Prefix {
	if !o.propagates {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(s.prefixes), func(p netip.Prefix) bool {
		return p == any4 && (!c.secured || !o.hub.Equal(v.h.id))
	})
}

// network are addresses of a connected network itself: where its static routes have
// them too and are not bypassed, these decide.
func (v *hubView) network(o *hubConnection, network VNet, doubt string, space []netip.Prefix) {
	for _, p := range space {
		covered := -1
		for i, s := range o.static {
			if within(p, s.prefixes) && !o.bypass && !slices.Contains(s.prefixes, any4) {
				covered = i
			}
		}
		if covered >= 0 {
			v.relayed(o, o.static[covered], o.addresses[covered], doubt, []netip.Prefix{p})
			continue
		}
		v.add(v.direct(o, network, doubt), p)
	}
}

func (v *hubView) absent(o *hubConnection) string {
	if o.network == "" {
		return "a network that is not known is connected as well: " + o.doubt
	}
	return fmt.Sprintf("virtual network %s, which is connected to hub %s as well, is not in the estate", o.network.Name(), o.hub.Name())
}

// propagates says whether a connection propagates its network to a table.
func (w *wanReader) propagates(o *hubConnection, far *wanHub, table *hubTable) (verdict.Value, string) {
	isDefault := slices.Contains(table.labels, defaultLabel)
	managed := far != nil && (far.private != "" || far.internet != "")
	switch {
	case o.doubt != "":
		return verdict.Unknown, o.doubt
	case managed && far.private != "" && table.id.Parent().Equal(far.id):
		return verdict.No, ""
	case managed && isDefault:
		return verdict.Yes, ""
	case managed && far.private != "":
		return verdict.Unknown, fmt.Sprintf("whether hub %s, which has a routing policy for private traffic, hands its networks to route table %s is not documented", far.name, table.id.Name())
	case managed:
		return verdict.No, ""
	case slices.ContainsFunc(o.ids, table.id.Equal), slices.ContainsFunc(o.labels, func(l string) bool {
		return slices.ContainsFunc(table.labels, func(m string) bool { return strings.EqualFold(l, m) })
	}):
		return verdict.Yes, ""
	case len(o.labels) > 0, !isDefault:
		return verdict.No, ""
	case len(o.ids) == 0:
		return verdict.Yes, ""
	case slices.ContainsFunc(o.ids, func(id arm.ID) bool { return strings.EqualFold(id.Name(), noneTable) }):
		return verdict.No, ""
	}
	// Without labels a connection propagates to Default, the concepts say; the
	// scenarios have connections that propagate to tables of their own only.
	return verdict.Unknown, fmt.Sprintf("connection %s propagates to route tables and names no label: whether to the label Default too is not certain; name its labels", o.id.Name())
}

// inspected is a hub as its firewall sees it.
func (w *wanReader) inspected(h *wanHub) hub {
	out := hub{network: h.id, gateway: &Gateway{ID: h.id, Name: h.name}}
	if h.opaque != "" {
		out.all, out.gateway.Learns = h.internet == "", "virtual hub "+h.name+" has routes that are not modelled: "+h.opaque
		return out
	}
	v := hubView{w: w, h: h, g: out.gateway}
	for _, key := range slices.Sorted(maps.Keys(w.hubs)) {
		far := w.hubs[key]
		if far.branches != "" && w.sameWAN(h.id, far.id) {
			v.learns("virtual hub " + far.name + ": " + far.branches)
		}
		if !far.id.Equal(h.id) && w.sameWAN(h.id, far.id) && far.prefix.IsValid() {
			v.add(Site{ID: far.id, Name: "virtual hub " + far.name, Network: far.id}, far.prefix)
		}
	}
	for i := range w.connections {
		o := &w.connections[i]
		network, ok := w.b.t.VNet(o.network)
		switch {
		case !w.sameWAN(h.id, o.hub):
			continue
		case !ok:
			v.learns(v.absent(o))
			continue
		case o.hub.Equal(h.id):
			for _, s := range o.static {
				v.add(Site{ID: o.id, Name: o.network.Name(), doubt: "whether a hub's firewall follows the static routes of connection " + o.id.Name() + " is not documented"}, s.prefixes...)
			}
			v.add(v.direct(o, network, ""), network.AddressSpace...)
		default:
			v.remote(o, network)
		}
		v.g.known = append(v.g.known, network.AddressSpace...)
	}
	// A default route is learned only where no policy for internet traffic makes one.
	out.all = h.all && h.internet == "" && h.private != ""
	return out
}

// remote is how a hub's firewall reaches a network at another hub: by the firewall
// there, where both have a routing policy for private traffic.
func (v *hubView) remote(o *hubConnection, network VNet) {
	far := v.w.hubs[o.hub.Key()]
	table := v.h.tables[strings.ToLower(defaultTable)]
	does, why := v.w.propagates(o, far, table)
	switch {
	case far == nil || far.opaque != "" || v.h.private == "":
		v.add(v.direct(o, network, "how a hub's firewall reaches networks of other hubs is documented only where both have routing intent"), network.AddressSpace...)
	case far.private != "":
		fw := v.w.b.hubFirewall(far, far.private)
		v.add(Site{ID: fw.ID, Name: "Azure Firewall " + fw.Name, firewall: fw.ID, doubt: o.doubt}, network.AddressSpace...)
	case does != verdict.No:
		v.add(v.direct(o, network, why), network.AddressSpace...)
	}
}
