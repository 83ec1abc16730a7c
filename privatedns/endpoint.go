package privatedns

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
)

// connection is what a private endpoint connects to.
type connection struct {
	service.Connection
	uncertain string // what of it is not known, or ""
}

// covers reports whether the connection carries hosts of a sub-resource, or may.
func (c connection) covers(group string) bool {
	for _, g := range c.Groups {
		if strings.EqualFold(g, group) {
			return true
		}
	}
	return group != "" && c.GroupsUnknown != nil
}

func connections(pe arm.Resource) []connection {
	var out []connection
	for _, known := range service.Connections(pe) {
		c := connection{Connection: known}
		for _, u := range []struct {
			what  string
			value *arm.Unknown
		}{{"approval", known.StatusUnknown}, {"sub-resource", known.GroupsUnknown}, {"target", known.TargetUnknown}} {
			if u.value != nil {
				c.uncertain = fmt.Sprintf("the %s of private endpoint %s is %s", u.what, pe.Name, u.value)
			}
		}
		out = append(out, c)
	}
	return out
}

// zoneGroups writes the records that private endpoints keep in their zones. Azure
// writes a record only into a zone that has the recommended name.
func (r *reader) zoneGroups() {
	for _, group := range r.e.OfType(typeZoneGroup) {
		pe, ok := r.e.Get(group.ID.Parent())
		if !ok {
			continue
		}
		const configs = "privateDnsZoneConfigs"
		if u, ok := arm.UnknownIn(group.Properties, configs); ok {
			r.doubtAll(doubt{by: group.ID, reason: fmt.Sprintf("a zone of zone group %s of %s is %s", group.Name, pe.Name, u)})
		}
		for _, cfg := range arm.Objects(group.Properties, configs) {
			if u, ok := arm.UnknownAt(cfg, "properties.privateDnsZoneId"); ok {
				r.doubtAll(doubt{by: group.ID, reason: fmt.Sprintf("the zone of zone group %s of %s is %s", group.Name, pe.Name, u)})
				continue
			}
			id := arm.Ref(cfg, "properties.privateDnsZoneId")
			if id == "" {
				continue
			}
			for _, c := range connections(pe) {
				r.writeRecords(r.zone(id), pe, c)
			}
		}
	}
}

// doubtAll notes a record that may be in any zone.
func (r *reader) doubtAll(d doubt) {
	for _, z := range r.byID {
		z.doubts = append(z.doubts, d)
	}
}

func (r *reader) writeRecords(z *zone, pe arm.Resource, c connection) {
	if c.uncertain != "" {
		z.doubts = append(z.doubts, doubt{by: pe.ID, reason: c.uncertain})
		return
	}
	if !c.Approved {
		return
	}
	target, ok := r.e.Get(c.Target)
	if !ok {
		z.doubts = append(z.doubts, doubt{by: pe.ID, reason: fmt.Sprintf(
			"%s, which private endpoint %s is connected to, is not in the estate, and so not what records it has", c.Target.Name(), pe.Name)})
		return
	}
	for _, ep := range service.Covered(r.e, target) {
		if !c.covers(ep.Group) || ep.Zone != z.name {
			continue
		}
		set := recordSet{origin: "zone group of private endpoint " + pe.Name, by: pe.ID}
		a := r.addr(pe.ID, ep.Member).Unmap()
		typ := kindA
		if a.Is6() {
			typ = kindAAAA
		}
		if a.IsValid() {
			set.addrs = []netip.Addr{a}
		} else {
			set.unknown = fmt.Sprintf("the address of private endpoint %s for %s is not known", pe.Name, ep.Member)
		}
		z.add(absolute(ep.Record, z.name), typ, set)
	}
}

// names writes what everyone sees: each host of the estate and of the platform has
// its public address, behind a CNAME into the privatelink zone once a private
// endpoint is approved, or where the service has it for everyone.
func (r *reader) names() {
	to := map[string][]connection{} // by target
	var anywhere []connection       // whose target is not known
	for _, pe := range r.e.OfType(service.TypePrivateEndpoint) {
		for _, c := range connections(pe) {
			if c.TargetUnknown != nil {
				anywhere = append(anywhere, c)
				continue
			}
			to[c.Target.Key()] = append(to[c.Target.Key()], c)
		}
	}
	for _, ep := range service.Names(r.e) {
		if ep.Host != "" {
			r.publish(ep, to[ep.Owner.Key()], anywhere)
		}
	}
}

func (r *reader) publish(ep service.Endpoint, own, anywhere []connection) {
	host, private := strings.ToLower(ep.Host), strings.ToLower(ep.Private)
	direct := publicRecord{addr: service.PublicAddr(ep), by: ep.Resource, reason: "the public address of " + describe(ep)}
	if ep.Always {
		r.public[host] = publicRecord{cname: private, by: ep.Resource, reason: fmt.Sprintf("Azure Monitor's name %s leads to %s for everyone", host, private)}
		r.public[private] = direct
		return
	}
	c, covered := coveredBy(slices.Concat(own, anywhere), ep.Group)
	switch {
	case !covered:
		r.public[host] = direct
	case c.uncertain != "":
		r.public[host] = publicRecord{by: c.Endpoint, unknown: c.uncertain}
		r.public[private] = direct
	default:
		r.public[host] = publicRecord{cname: private, by: c.Endpoint, reason: fmt.Sprintf(
			"%s has the private endpoint %s, so its public name leads to %s", describe(ep), c.Endpoint.Name(), private)}
		r.public[private] = direct
	}
}

// coveredBy is the approved connection that covers a sub-resource; without one, a
// connection that may.
func coveredBy(all []connection, group string) (found connection, ok bool) {
	for _, c := range all {
		switch {
		case !c.covers(group):
		case c.uncertain != "":
			found, ok = c, true
		case c.Approved:
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
