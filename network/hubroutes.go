package network

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

// hubConnection is a network that is connected to a virtual hub.
type hubConnection struct {
	hub, network arm.ID
	secured      bool
	extra        string // what decides beside the default route table; "" for nothing
}

// connected is a hub as one of its networks sees it: with the networks that are
// connected to it, or to another hub of its Virtual WAN.
func (b *builder) connected(c hubConnection, all []hubConnection) hub {
	h := hub{network: c.network, gateway: &Gateway{ID: c.hub, Name: c.hub.Name()}}
	if c.extra != "" {
		h.all = c.secured
		h.gateway.Learns = "virtual hub " + c.hub.Name() + " hands it routes, and those are not modelled: " + c.extra
		return h
	}
	mine, _ := b.t.VNet(c.network)
	for _, o := range all {
		if o.network.Equal(c.network) || !b.sameWAN(c.hub, o.hub) {
			continue
		}
		other, ok := b.t.VNet(o.network)
		_, _, overlaps := Overlap(mine.AddressSpace, other.AddressSpace)
		switch {
		case o.extra != "", overlaps:
			h.gateway.Learns = fmt.Sprintf("what virtual hub %s knows of %s is not certain", o.hub.Name(), o.network.Name())
		case !ok:
			h.gateway.Learns = fmt.Sprintf("virtual network %s, which is connected to hub %s as well, is not in the estate", o.network.Name(), o.hub.Name())
		default:
			if d, unknown := other.Doubts.About(aboutSpace); unknown {
				h.gateway.Learns = d.Reason
			}
			h.gateway.Sites = append(h.gateway.Sites, Site{ID: o.network, Name: other.Name, Gateway: c.hub, Prefixes: other.AddressSpace, Network: o.network})
		}
	}
	return h
}

func (b *builder) sameWAN(x, y arm.ID) bool {
	if x.Equal(y) {
		return true
	}
	one, _ := b.e.Get(x)
	two, _ := b.e.Get(y)
	wan := arm.Ref(one.Properties, "virtualWan.id")
	return wan != "" && wan.Equal(arm.Ref(two.Properties, "virtualWan.id"))
}

// moreThanDefault is what of a connection and its hub decides routes beside the
// default route table.
func (b *builder) moreThanDefault(d document, id arm.ID) string {
	doc, ok := b.e.Get(id)
	if !ok {
		return "the hub is not in the estate"
	}
	wan, ok := b.e.Get(arm.Ref(doc.Properties, "virtualWan.id"))
	switch {
	case !ok:
		return "its Virtual WAN is not in the estate"
	case !strings.EqualFold(arm.String(wan.Properties, "type"), "Standard"):
		return "only a Virtual WAN of the type Standard takes packets from network to network"
	}
	for _, hub := range b.e.OfType(typeHub) {
		if !b.sameWAN(hub.ID, id) {
			continue
		}
		for _, child := range []string{typeHubPeer, typeHubTable, typeHubIntent} {
			for _, r := range b.e.Children(hub.ID, child) {
				if _, routed := arm.Lookup(r.Properties, "routes"); routed || !strings.EqualFold(r.ID.Name(), defaultTable) {
					return fmt.Sprintf("%s has %s", hub.ID.Name(), r.ID.Name())
				}
			}
		}
		if routes, has := arm.Lookup(hub.Properties, "routeTable.routes"); has && routes != nil {
			return hub.ID.Name() + " has routes of its own"
		}
		for _, ref := range b.e.ReferencesTo(hub.ID) {
			r, _ := b.e.Get(ref.From)
			if !r.IsType(typeHubConnection) && !r.ID.Within(hub.ID) {
				return fmt.Sprintf("%s (%s) is in %s", r.ID.Name(), r.Type, hub.ID.Name())
			}
		}
	}
	return routingOf(d)
}

// routingOf is what a connection asks for beside the default.
func routingOf(d document) string {
	given, ok := arm.Lookup(d.o, "routingConfiguration")
	o, isObject := given.(map[string]any)
	if !ok || given == nil || isObject && len(o) == 0 {
		return ""
	}
	if !isObject {
		return "its routing configuration is not known"
	}
	if anyUnknown(o) {
		return "its routing configuration is not known"
	}
	tables := []string{arm.String(o, "associatedRouteTable.id")}
	for _, t := range arm.Objects(o, "propagatedRouteTables.ids") {
		tables = append(tables, arm.String(t, "id"))
	}
	for _, t := range tables {
		if t != "" && !strings.EqualFold(arm.ID(t).Name(), defaultTable) {
			return "connection " + d.r.ID.Name() + " uses route table " + arm.ID(t).Name()
		}
	}
	if len(arm.Objects(o, "vnetRoutes.staticRoutes")) > 0 || arm.String(o, "inboundRouteMap.id") != "" || arm.String(o, "outboundRouteMap.id") != "" {
		return "connection " + d.r.ID.Name() + " has static routes or route maps"
	}
	return ""
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
