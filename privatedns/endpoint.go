package privatedns

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
)

// connection is what a private endpoint connects to.
type connection struct {
	endpoint arm.ID
	target   arm.ID
	groups   []string
	approved bool
	unknown  string // what of it is not known, or ""
}

// covers reports whether the connection carries a host, or may: one whose target
// is not known may lead to any service that has the group.
func (c connection) covers(ep service.Endpoint) bool {
	if ep.Group == "" || c.target != "" && !c.target.Equal(ep.Owner) || c.target == "" && c.unknown == "" {
		return false
	}
	for _, g := range c.groups {
		if strings.EqualFold(g, ep.Group) {
			return true
		}
	}
	return false
}

// connections are those of one private endpoint document. A connection without a
// state is approved where the endpoint asks for automatic approval, and pending
// where it asks for a manual one.
func connections(pe arm.Resource) []connection {
	var out []connection
	for _, list := range []struct {
		path   string
		manual bool
	}{{"privateLinkServiceConnections", false}, {"manualPrivateLinkServiceConnections", true}} {
		for _, o := range arm.Objects(pe.Properties, list.path) {
			c := connection{
				endpoint: pe.ID,
				target:   arm.Ref(o, "properties.privateLinkServiceId"),
				groups:   arm.Strings(o, "properties.groupIds"),
			}
			const state = "properties.privateLinkServiceConnectionState.status"
			if u, ok := arm.UnknownAt(o, state); ok {
				c.unknown = "whether the connection of " + pe.Name + " is approved is " + u.String()
			}
			if u, ok := arm.UnknownAt(o, "properties.privateLinkServiceId"); ok {
				c.unknown = "the target of private endpoint " + pe.Name + " is " + u.String()
			}
			status := arm.String(o, state)
			c.approved = strings.EqualFold(status, "Approved") || status == "" && !list.manual
			out = append(out, c)
		}
	}
	return out
}

// addZoneGroups writes the records that private endpoints keep in their zones.
// Azure writes a record only into a zone that has the recommended name.
func addZoneGroups(e *arm.Estate, zones map[string]*zone, addr addrFunc) {
	for _, group := range e.OfType(typeZoneGroup) {
		pe, ok := e.Get(group.ID.Parent())
		if !ok {
			continue
		}
		for _, cfg := range arm.Objects(group.Properties, "privateDnsZoneConfigs") {
			if u, ok := arm.UnknownAt(cfg, "properties.privateDnsZoneId"); ok {
				doubtAll(zones, doubt{by: group.ID, reason: "the zone of zone group " + group.Name + " of " + pe.Name + " is " + u.String()})
				continue
			}
			z, ok := zones[arm.Ref(cfg, "properties.privateDnsZoneId").Key()]
			if !ok {
				continue
			}
			for _, c := range connections(pe) {
				addConnection(e, z, pe, c, addr)
			}
		}
	}
}

func doubtAll(zones map[string]*zone, d doubt) {
	for _, z := range zones {
		z.doubts = append(z.doubts, d)
	}
}

func addConnection(e *arm.Estate, z *zone, pe arm.Resource, c connection, addr addrFunc) {
	if c.unknown != "" {
		z.doubts = append(z.doubts, doubt{by: pe.ID, reason: c.unknown})
		return
	}
	target, ok := e.Get(c.target)
	if !ok || !c.approved {
		return
	}
	for _, ep := range service.Endpoints(target) {
		if !c.covers(ep) || ep.Zone != z.name {
			continue
		}
		rec := record{origin: fmt.Sprintf("zone group of private endpoint %s", pe.Name), by: pe.ID}
		var a netip.Addr
		if addr != nil {
			a = addr(pe.ID, ep.Member)
		}
		if a.IsValid() {
			rec.addrs = []netip.Addr{a}
		} else {
			rec.unknown = fmt.Sprintf("the address of private endpoint %s for %s is not known", pe.Name, ep.Member)
		}
		z.add(absolute(ep.Record, z.name), rec)
	}
}

// addPublic writes what everyone sees: each host of the estate and of the
// platform has its public address, behind a CNAME into the privatelink zone once
// a private endpoint is approved.
func (r *Records) addPublic(e *arm.Estate) {
	var all []connection
	for _, pe := range e.OfType(service.TypePrivateEndpoint) {
		all = append(all, connections(pe)...)
	}
	for _, ep := range service.All(e) {
		if ep.Host == "" {
			continue
		}
		host, private := strings.ToLower(ep.Host), strings.ToLower(ep.Private)
		direct := publicRecord{addr: service.PublicAddr(ep), by: ep.Resource, reason: "the public address of " + describe(ep)}
		c, covered := coveredBy(all, ep)
		switch {
		case !covered:
			r.public[host] = direct
		case c.unknown != "":
			r.public[host] = publicRecord{by: c.endpoint, unknown: c.unknown}
			r.public[private] = direct
		default:
			r.public[host] = publicRecord{cname: private, by: c.endpoint, reason: fmt.Sprintf(
				"%s has the private endpoint %s, so its public name leads to %s", describe(ep), c.endpoint.Name(), private)}
			r.public[private] = direct
		}
	}
}

// coveredBy is the approved connection that covers a host; without one, a
// connection that may.
func coveredBy(all []connection, ep service.Endpoint) (found connection, ok bool) {
	for _, c := range all {
		switch {
		case !c.covers(ep):
		case c.unknown != "":
			found, ok = c, true
		case c.approved:
			return c, true
		}
	}
	return found, ok
}

func describe(ep service.Endpoint) string {
	if ep.Resource == "" {
		return ep.Host
	}
	return ep.Resource.Name()
}
