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
	"github.com/cloister-ml/cloister/verdict"
)

// services are the targets of private endpoints and whatever else has a door of
// its own to the network.
func (r *reader) services() {
	for _, doc := range r.e.All() {
		if isService(doc) {
			r.addService(doc)
		}
	}
	for _, t := range r.everyTenant() {
		if t.Endpoint == nil || t.Endpoint.Target == "" {
			continue
		}
		s := r.serviceOf(t.Endpoint.Target)
		if g := t.Endpoint.Group; g != "" && !slices.Contains(s.Doors, g) {
			s.Doors = append(s.Doors, g)
		}
	}
	for i := range r.plan.Services {
		slices.Sort(r.plan.Services[i].Doors)
	}
	slices.SortStableFunc(r.plan.Services, func(a, b Service) int {
		return cmp.Or(cmp.Compare(familyRank(a.Family), familyRank(b.Family)), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID.Key(), b.ID.Key()))
	})
}

func familyRank(f string) int {
	i := slices.Index([]string{"learning", "storage", "registry", "secrets", "data", "monitoring", "other"}, f)
	if i < 0 {
		return 99
	}
	return i
}

// everyTenant are the tenants of all subnets and of none, by id.
func (r *reader) everyTenant() []Tenant {
	out := slices.Clone(r.plan.Elsewhere)
	for _, s := range r.subnet {
		out = append(out, s.Tenants...)
	}
	slices.SortFunc(out, func(a, b Tenant) int { return cmp.Compare(a.ID.Key(), b.ID.Key()) })
	return out
}

// isService reports whether a document is a resource with a door outside the
// rooms: a listed type, or one that says itself whether the public may come.
func isService(doc arm.Resource) bool {
	if strings.Count(doc.Type, "/") != 1 {
		return false // a child is its parent's
	}
	if kindOf(doc).family != "" {
		return true
	}
	_, says := arm.Lookup(doc.Properties, "publicNetworkAccess")
	return says
}

func (r *reader) addService(doc arm.Resource) {
	k := kindOf(doc)
	r.links[doc.ID.Key()] = len(r.plan.Services)
	r.plan.Services = append(r.plan.Services, Service{
		ID: doc.ID, Name: doc.ID.Name(), Kind: k.name, Family: cmp.Or(k.family, "other"),
		Access: r.access(doc), Note: r.note(doc),
	})
}

// serviceOf is the service of an id, made as it is referred to where the estate
// does not have it or it is of no type that is listed.
func (r *reader) serviceOf(id arm.ID) *Service {
	if _, ok := r.links[id.Key()]; !ok {
		if doc, ok := r.e.Get(id); ok {
			r.addService(doc)
		} else {
			k := kindOfType(id.Type())
			r.links[id.Key()] = len(r.plan.Services)
			r.plan.Services = append(r.plan.Services, Service{ID: id, Name: id.Name(), Kind: k.name,
				Family: cmp.Or(k.family, "other"), Access: AccessUnknown, Outside: true})
		}
	}
	return &r.plan.Services[r.links[id.Key()]]
}

// access is what the service's own firewall says to a stranger. Where that is not
// modelled, its switch is read.
func (r *reader) access(doc arm.Resource) Access {
	if doc.IsType(typeScope) {
		return AccessNone // what it covers says who may come
	}
	for _, path := range []string{"publicNetworkAccess", "publicNetworkAccessForIngestion", "networkAcls.publicNetworkAccess"} {
		if strings.EqualFold(arm.String(doc.Properties, path), "Disabled") {
			return AccessClosed
		}
	}
	switch network.Admit(r.e, doc, network.Source{Addr: service.Outsider}).Value {
	case verdict.Yes:
		return AccessOpen
	case verdict.No:
		return AccessSelected
	}
	if r.modelled(doc) {
		return AccessUnknown
	}
	for _, path := range []string{"publicNetworkAccess", "publicNetworkAccessForIngestion"} {
		if strings.EqualFold(arm.String(doc.Properties, path), "Enabled") {
			for _, acls := range []string{"networkAcls", "networkRuleSet"} {
				if strings.EqualFold(arm.String(doc.Properties, acls+".defaultAction"), "Deny") {
					return AccessSelected
				}
			}
			return AccessOpen
		}
	}
	return AccessUnknown
}

// modelled reports whether a service's firewall is one that network knows.
func (r *reader) modelled(doc arm.Resource) bool {
	return len(service.Endpoints(doc)) > 0
}

// note is what else a service's box says.
func (r *reader) note(doc arm.Resource) string {
	if doc.IsType(typeScope) {
		var names []string
		for _, s := range r.e.Children(doc.ID, typeScoped) {
			names = append(names, arm.Ref(s.Properties, "linkedResourceId").Name())
		}
		if len(names) > 0 {
			return "covers " + strings.Join(names, ", ")
		}
	}
	if doc.IsType(service.TypeWorkspace) {
		var parts []string
		for _, c := range []struct{ typ, one string }{{"onlineEndpoints", "online endpoint"}, {"batchEndpoints", "batch endpoint"}} {
			if n := len(r.e.Children(doc.ID, service.TypeWorkspace+"/"+c.typ)); n > 0 {
				parts = append(parts, count(n, c.one))
			}
		}
		return strings.Join(parts, ", ")
	}
	return ""
}

// count is "1 thing" or "n things".
func count(n int, one string) string {
	switch {
	case n == 1:
		return "1 " + one
	case strings.HasSuffix(one, "y"):
		return fmt.Sprintf("%d %sies", n, strings.TrimSuffix(one, "y"))
	case strings.HasSuffix(one, "s") || strings.HasSuffix(one, "x"):
		return fmt.Sprintf("%d %ses", n, one)
	}
	return fmt.Sprintf("%d %ss", n, one)
}

// outside is the internet, what is beyond gateways, and who faces them.
func (r *reader) outside() {
	for _, t := range r.everyTenant() {
		if r.facesInternet(t.ID) {
			r.plan.Ways = append(r.plan.Ways, Way{From: Internet, To: t.ID, Kind: "public address"})
		}
	}
	slices.SortFunc(r.plan.Ways, func(a, b Way) int { return cmp.Compare(a.To.Key(), b.To.Key()) })
	r.plan.Ways = slices.Compact(r.plan.Ways)
	open := slices.ContainsFunc(r.plan.Services, func(s Service) bool { return s.Access == AccessOpen || s.Access == AccessSelected })
	nat := false
	for _, s := range r.subnet {
		nat = nat || s.NAT != ""
	}
	if len(r.plan.Ways) > 0 || open || nat {
		r.plan.Outside = append(r.plan.Outside, Outside{ID: Internet, Name: "Internet", Kind: "internet"})
	}
	r.connections()
	r.clients()
}

// facesInternet reports whether a tenant, or an interface of it, has a public
// address.
func (r *reader) facesInternet(id arm.ID) bool {
	doc, ok := r.e.Get(id)
	if !ok {
		return false
	}
	if refersToPublicIP(doc) {
		return true
	}
	for _, o := range arm.Objects(doc.Properties, "networkProfile.networkInterfaces") {
		if nic, ok := r.e.Get(arm.Ref(o, "id")); ok && refersToPublicIP(nic) {
			return true
		}
	}
	return false
}

func refersToPublicIP(doc arm.Resource) bool {
	for _, list := range []string{"ipConfigurations", "frontendIPConfigurations"} {
		for _, o := range arm.Objects(doc.Properties, list) {
			if _, ok := arm.Lookup(o, "properties.publicIPAddress.id"); ok {
				return true
			}
		}
	}
	return false
}

// connections are the sites and circuits that gateways are connected to.
func (r *reader) connections() {
	seen := map[string]bool{}
	for _, c := range r.e.OfType(typeConnection) {
		gateway := arm.Ref(c.Properties, "virtualNetworkGateway1.id")
		for _, end := range []struct{ path, kind, way string }{
			{"localNetworkGateway2.id", "site", "VPN"}, {"peer.id", "ExpressRoute circuit", "ExpressRoute"},
		} {
			id := arm.Ref(c.Properties, end.path)
			if id == "" || gateway == "" {
				continue
			}
			if !seen[id.Key()] {
				seen[id.Key()] = true
				site, _ := r.e.Get(id)
				r.plan.Outside = append(r.plan.Outside, Outside{ID: id, Name: id.Name(), Kind: end.kind,
					Spaces: arm.Strings(site.Properties, "localNetworkAddressSpace.addressPrefixes")})
			}
			r.plan.Ways = append(r.plan.Ways, Way{From: id, To: gateway, Kind: end.way})
		}
	}
}

// clients are the people who dial in at a VPN gateway.
func (r *reader) clients() {
	for _, g := range r.e.OfType(typeGateway) {
		pool := arm.Strings(g.Properties, "vpnClientConfiguration.vpnClientAddressPool.addressPrefixes")
		if len(pool) == 0 {
			continue
		}
		id := g.ID + "#clients"
		r.plan.Outside = append(r.plan.Outside, Outside{ID: id, Name: "VPN clients", Kind: "VPN clients", Spaces: validPrefixes(pool)})
		r.plan.Ways = append(r.plan.Ways, Way{From: id, To: g.ID, Kind: "VPN"})
	}
}

func validPrefixes(list []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { _, err := netip.ParsePrefix(s); return err != nil })
}
