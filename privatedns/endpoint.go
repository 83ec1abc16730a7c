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
	endpoint  arm.ID
	target    arm.ID // "" where it is not known
	groups    []string
	anyGroup  bool // the groups are not known
	approved  bool
	uncertain string // what of it is not known, or ""
}

// covers reports whether the connection carries a host, or may carry it.
func (c connection) covers(ep service.Endpoint) bool {
	if ep.Group == "" || c.target != "" && !c.target.Equal(ep.Owner) || c.target == "" && c.uncertain == "" {
		return false
	}
	for _, g := range c.groups {
		if strings.EqualFold(g, ep.Group) {
			return true
		}
	}
	return c.anyGroup
}

// connections are those of one private endpoint document. A connection without a
// state is approved where the endpoint asks for automatic approval, and pending
// where it asks for a manual one.
func connections(pe arm.Resource) []connection {
	var out []connection
	for _, path := range []string{"privateLinkServiceConnections", "manualPrivateLinkServiceConnections"} {
		v, _ := arm.Lookup(pe.Properties, path)
		if u, ok := v.(arm.Unknown); ok {
			v = []any{u}
		}
		list, _ := v.([]any)
		for _, e := range list {
			out = append(out, readConnection(pe, e, path == "privateLinkServiceConnections"))
		}
	}
	return out
}

func readConnection(pe arm.Resource, v any, automatic bool) connection {
	c := connection{endpoint: pe.ID}
	doubt := func(what string, u arm.Unknown) {
		c.uncertain = what + " of private endpoint " + pe.Name + " is " + u.String()
	}
	if u, ok := v.(arm.Unknown); ok {
		doubt("the connection", u)
		c.anyGroup = true
		return c
	}
	o, _ := v.(map[string]any)
	const state, target, groups = "properties.privateLinkServiceConnectionState.status", "properties.privateLinkServiceId", "properties.groupIds"
	status := arm.String(o, state)
	c.approved = strings.EqualFold(status, "Approved") || status == "" && automatic
	c.target = arm.Ref(o, target)
	c.groups = arm.Strings(o, groups)
	if u, ok := arm.UnknownAt(o, state); ok {
		doubt("the approval", u)
	}
	if u, ok := unknownIn(o, groups); ok {
		doubt("the sub-resource", u)
		c.anyGroup = true
	}
	if u, ok := arm.UnknownAt(o, target); ok {
		doubt("the target", u)
	}
	return c
}

// unknownIn finds a value that is not known at a path, on the way to it, or among
// the elements of the list there.
func unknownIn(o arm.Object, path string) (arm.Unknown, bool) {
	if u, ok := arm.UnknownAt(o, path); ok {
		return u, true
	}
	for _, e := range arm.List(o, path) {
		if u, ok := e.(arm.Unknown); ok {
			return u, true
		}
	}
	return arm.Unknown{}, false
}

// addZoneGroups writes the records that private endpoints keep in their zones.
// Azure writes a record only into a zone that has the recommended name.
func addZoneGroups(e *arm.Estate, zones map[string]*zone, addr addrFunc) {
	for _, group := range e.OfType(typeZoneGroup) {
		pe, ok := e.Get(group.ID.Parent())
		if !ok {
			continue
		}
		const configs = "privateDnsZoneConfigs"
		if u, ok := unknownIn(group.Properties, configs); ok {
			doubtAll(zones, doubt{by: group.ID, reason: "a zone of zone group " + group.Name + " of " + pe.Name + " is " + u.String()})
		}
		for _, cfg := range arm.Objects(group.Properties, configs) {
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
	if c.uncertain != "" {
		z.doubts = append(z.doubts, doubt{by: pe.ID, reason: c.uncertain})
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
		case c.uncertain != "":
			r.public[host] = publicRecord{by: c.endpoint, unknown: c.uncertain}
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
		case c.uncertain != "":
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
