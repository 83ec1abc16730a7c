package check

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/privatedns"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

// zoneUse is a private DNS zone that a private endpoint needs, with the hosts
// whose records it holds.
type zoneUse struct {
	pe    network.NIC
	zone  string
	hosts []service.Endpoint
}

// zoneUses are what the approved private endpoints of services of the estate need,
// by endpoint and zone.
func (w *world) zoneUses() []zoneUse {
	var out []zoneUse
	for _, nic := range w.net.NICs {
		target, ok := w.estate.Get(nic.Target)
		if nic.Kind != network.KindPrivateEndpoint || !nic.Approved || !ok {
			continue
		}
		var own []zoneUse
		for _, ep := range service.Covered(w.estate, target) {
			if ep.Zone == "" || !strings.EqualFold(ep.Group, nic.Group) {
				continue
			}
			i := slices.IndexFunc(own, func(u zoneUse) bool { return u.zone == ep.Zone })
			if i < 0 {
				i = len(own)
				own = append(own, zoneUse{pe: nic, zone: ep.Zone})
			}
			own[i].hosts = append(own[i].hosts, ep)
		}
		out = append(out, own...)
	}
	return out
}

// zonesExist requires of each private endpoint that the zones which its names lead
// to are there.
func zonesExist(w *world) []Requirement {
	var out []Requirement
	for _, u := range w.zoneUses() {
		doc, _ := w.estate.Get(u.pe.ID)
		value, reason := w.zoneState(u)
		r := w.configured("zone-exists", doc, fmt.Sprintf("The zone %s of private endpoint %s exists", u.zone, u.pe.Name), value, reason,
			fmt.Sprintf("create the zone %s, link it to the networks that ask, and name it in private_dns_zone_group of %s: azurerm_private_dns_zone, azurerm_private_dns_zone_virtual_network_link, azurerm_private_endpoint",
				u.zone, u.pe.Name))
		r.ID = slug("zone-exists", u.pe.Name, u.zone)
		r.faults = []fault{zoneFault(u.zone)}
		out = append(out, r)
	}
	return out
}

func (w *world) zoneState(u zoneUse) (verdict.Value, string) {
	if _, ok := w.zoneNamed(u.zone); ok {
		return verdict.Yes, "the zone is in the estate"
	}
	group := w.groupOf(u.pe.ID)
	switch elsewhere := w.recordsElsewhere(u.pe); {
	case group.unknown != "":
		return verdict.Unknown, group.unknown
	case group.outside[u.zone]:
		return verdict.Unknown, fmt.Sprintf("zone group of %s names a zone %s that is not in the estate", u.pe.Name, u.zone)
	case elsewhere != "":
		return verdict.Unknown, elsewhere
	}
	var hosts []string
	for _, ep := range u.hosts {
		hosts = append(hosts, cmp.Or(ep.Host, ep.Record+"."+strings.TrimPrefix(ep.Zone, "privatelink.")))
	}
	return verdict.No, fmt.Sprintf("there is no private DNS zone %s, so %s resolves to its public address in every network, although private endpoint %s is there for it",
		u.zone, strings.Join(hosts, " and "), u.pe.Name)
}

// zoneGroup is what a private endpoint's zone groups name.
type zoneGroup struct {
	id      arm.ID
	zones   []arm.ID
	outside map[string]bool // names of zones that are not in the estate
	unknown string          // why there may be others
}

func (w *world) groupOf(pe arm.ID) zoneGroup {
	g := zoneGroup{outside: map[string]bool{}}
	for _, doc := range w.estate.Children(pe, typeZoneGroup) {
		g.id = doc.ID
		if u, ok := arm.UnknownAt(doc.Properties, "privateDnsZoneConfigs"); ok {
			g.unknown = fmt.Sprintf("the zones of %s are %s", pe.Name(), u)
		}
		for _, c := range arm.List(doc.Properties, "privateDnsZoneConfigs") {
			o, _ := c.(map[string]any)
			u, unknown := c.(arm.Unknown)
			if o != nil {
				u, unknown = arm.UnknownAt(o, "properties.privateDnsZoneId")
			}
			if unknown {
				g.unknown = fmt.Sprintf("a zone of %s is %s", pe.Name(), u)
				continue
			}
			id := arm.Ref(o, "properties.privateDnsZoneId")
			if _, ok := w.estate.Get(id); !ok {
				g.outside[strings.ToLower(id.Name())] = true
			}
			g.zones = append(g.zones, id)
		}
	}
	return g
}

// zonesLinked requires that each zone with a private endpoint's names is linked to
// the networks from which they are asked, and to one at least.
func zonesLinked(w *world) []Requirement {
	var out []Requirement
	seen := map[string]bool{}
	for _, u := range w.zoneUses() {
		zone, ok := w.zoneNamed(u.zone)
		if !ok || seen[u.zone] {
			continue
		}
		seen[u.zone] = true
		out = append(out, w.linkedAtAll(zone))
		out = append(out, w.linkedWhereAsked(zone)...)
	}
	return out
}

func (w *world) linkedAtAll(zone arm.Resource) Requirement {
	links := w.linksOf(zone.Name)
	value, reason := verdict.Yes, fmt.Sprintf("it is linked to %d networks", links.count)
	if links.count == 1 {
		reason = "it is linked to one network"
	}
	if links.count == 0 {
		value, reason = verdict.No, fmt.Sprintf("%s is linked to no network, so its records are seen by nobody", zone.Name)
		if links.unknown != "" {
			value, reason = verdict.Unknown, links.unknown
		}
	}
	r := w.configured("zone-linked", zone, "The zone "+zone.Name+" is linked", value, reason, fmt.Sprintf(
		"link zone %s to the networks that ask for its names: azurerm_private_dns_zone_virtual_network_link", zone.Name))
	r.faults = []fault{linkFault(zone.Name, everywhere)}
	return r
}

// linkedWhereAsked requires the link to each network whose machines ask Azure's own
// DNS for a name of the zone.
func (w *world) linkedWhereAsked(zone arm.Resource) []Requirement {
	links := w.linksOf(zone.Name)
	if links.count == 0 {
		return nil
	}
	var out []Requirement
	seen := map[string]bool{}
	for _, u := range w.uses() {
		v, known := w.net.VNet(u.place.VNet)
		if !known || !strings.EqualFold(u.ep.Zone, zone.Name) || seen[v.ID.Key()] || len(v.DNSServers) > 0 {
			continue
		}
		seen[v.ID.Key()] = true
		value, reason := verdict.Yes, "the link is there"
		if !links.to[v.ID.Key()] {
			value = verdict.No
			reason = fmt.Sprintf("%s is not linked to %s, where %s asks for %s, and gets its public address", zone.Name, v.Name, u.place.Name, u.ep.Host)
			if _, unknown := v.Doubts.About("dhcpOptions.dnsServers"); unknown || links.unknown != "" {
				value, reason = verdict.Unknown, cmp.Or(links.unknown, "which DNS servers "+v.Name+" asks is not known")
			}
		}
		r := w.configured("zone-linked", zone, fmt.Sprintf("The zone %s is linked to %s", zone.Name, v.Name), value, reason,
			fmt.Sprintf("link zone %s to network %s: azurerm_private_dns_zone_virtual_network_link", zone.Name, v.Name))
		r.ID = slug("zone-linked", zone.Name, v.Name)
		r.faults = []fault{linkFault(zone.Name, v.ID.Key())}
		out = append(out, r)
	}
	return out
}

type zoneLinks struct {
	count   int
	to      map[string]bool // networks, by key
	unknown string
}

// linksOf are the links of every zone of a name.
func (w *world) linksOf(name string) zoneLinks {
	l := zoneLinks{to: map[string]bool{}}
	for _, z := range w.estate.OfType(service.TypePrivateDNSZone) {
		if !strings.EqualFold(z.Name, name) {
			continue
		}
		for _, doc := range w.estate.Children(z.ID, typeZoneLink) {
			if u, ok := arm.UnknownAt(doc.Properties, "virtualNetwork.id"); ok {
				l.unknown = fmt.Sprintf("the network of link %s is %s", doc.Name, u)
				continue
			}
			l.count++
			l.to[arm.Ref(doc.Properties, "virtualNetwork.id").Key()] = true
		}
	}
	for _, u := range w.estate.Unread() {
		if strings.Contains(strings.ToLower(u.Type), "virtual_network_link") || u.Type == "module" {
			l.unknown = fmt.Sprintf("%s was not read: %s", u.Address, u.Reason)
		}
	}
	return l
}

// recordsExist requires that the zones hold the records of each private endpoint.
func recordsExist(w *world) []Requirement {
	var out []Requirement
	for _, u := range w.zoneUses() {
		if _, ok := w.zoneNamed(u.zone); !ok {
			continue
		}
		doc, _ := w.estate.Get(u.pe.ID)
		value, reason := w.recordState(u)
		r := w.configured("record-exists", doc, fmt.Sprintf("The zone %s has the records of private endpoint %s", u.zone, u.pe.Name), value, reason,
			fmt.Sprintf("name the zone %s in private_dns_zone_group of %s: azurerm_private_endpoint", u.zone, u.pe.Name))
		r.ID = slug("record-exists", u.pe.Name, u.zone)
		r.faults = []fault{recordFault(u.zone, u.pe.Target)}
		out = append(out, r)
	}
	return out
}

func (w *world) recordState(u zoneUse) (verdict.Value, string) {
	group := w.groupOf(u.pe.ID)
	for _, pe := range w.endpointsOf(u.pe.Target) {
		if !strings.EqualFold(pe.Group, u.pe.Group) {
			continue
		}
		// Two endpoints of one workspace may divide its zones between them.
		for _, id := range w.groupOf(pe.ID).zones {
			if strings.EqualFold(id.Name(), u.zone) {
				return verdict.Yes, fmt.Sprintf("the zone group of %s writes them", pe.Name)
			}
		}
	}
	missing, unknown := w.unrecorded(u)
	switch elsewhere := w.recordsElsewhere(u.pe); {
	case len(missing) == 0:
		return verdict.Yes, "record sets of the zone hold them"
	case group.unknown != "":
		return verdict.Unknown, group.unknown
	case unknown != "":
		return verdict.Unknown, unknown
	case elsewhere != "":
		return verdict.Unknown, elsewhere
	}
	return verdict.No, fmt.Sprintf("no zone group of %s and no record set writes %s into %s, so where the zone is linked the name has no address",
		u.pe.Name, strings.Join(missing, " and "), u.zone)
}

// unrecorded are the records that no record set of the zone holds. Names that only
// deployment gives may be any.
func (w *world) unrecorded(u zoneUse) (missing []string, unknown string) {
	have := map[string]bool{}
	for _, z := range w.estate.OfType(service.TypePrivateDNSZone) {
		if !strings.EqualFold(z.Name, u.zone) {
			continue
		}
		for _, set := range w.estate.Children(z.ID, typeRecordA) {
			have[strings.ToLower(set.Name)] = true
			if u.pe.Target.Type() == service.TypeWorkspace || strings.Contains(set.Name, "{") {
				unknown = fmt.Sprintf("record set %s is written by hand, and the names of a workspace are known only after deployment", set.Name)
			}
		}
	}
	for _, un := range w.estate.Unread() {
		if strings.Contains(strings.ToLower(un.Type), "private_dns_a_record") {
			unknown = fmt.Sprintf("%s was not read: %s", un.Address, un.Reason)
		}
	}
	for _, ep := range u.hosts {
		if have[strings.ToLower(ep.Record)] || have["*"] || ep.Host == "" && !have[""] && len(u.hosts) > 1 {
			continue
		}
		missing = append(missing, ep.Record)
	}
	return missing, unknown
}

const typeRecordA = "Microsoft.Network/privateDnsZones/A"

// recordsUnmixed requires that no record leads to the endpoints of two
// environments: an A record set with addresses of different services, or one
// record that two endpoints of one service write.
func recordsUnmixed(w *world) []Requirement {
	return append(w.setsUnmixed(), w.groupsUnmixed()...)
}

func (w *world) setsUnmixed() []Requirement {
	var out []Requirement
	for _, set := range w.estate.OfType(typeRecordA) {
		owners := map[string]network.NIC{}
		var names []string
		for _, o := range arm.Objects(set.Properties, "aRecords") {
			pe, a, ok := w.recorded(o)
			if ok && pe.Target != "" && owners[pe.ID.Key()].ID == "" {
				owners[pe.ID.Key()] = pe
				names = append(names, fmt.Sprintf("%s of %s (%s, in %s)", a, pe.Name, pe.Target.Name(), pe.Subnet.Parent().Name()))
			}
		}
		if len(owners) < 2 {
			continue
		}
		r := w.configured("record-one-environment", set, "The record set "+set.Name+" leads to one environment", verdict.No,
			fmt.Sprintf("record set %s of %s holds %s: who asks is given either", set.Name, set.ID.Parent().Name(), strings.Join(names, " and ")),
			fmt.Sprintf("keep one of the addresses in %s, and give the other environment a zone of its own: azurerm_private_dns_a_record, azurerm_private_dns_zone", set.Name))
		r.ID = slug("record-one-environment", set.ID.Parent().Name(), set.Name)
		out = append(out, r)
	}
	return out
}

// recorded is the private endpoint whose address a record holds: by the address, or by
// the resource that it is read from.
func (w *world) recorded(record arm.Object) (network.NIC, string, bool) {
	if u, unknown := arm.UnknownAt(record, "ipv4Address"); unknown {
		doc, ok := privatedns.OwnerOfAddress(w.estate, u)
		nic, known := w.net.NIC(doc.ID)
		return nic, "the address", ok && known && nic.Kind == network.KindPrivateEndpoint
	}
	a, err := netip.ParseAddr(arm.String(record, "ipv4Address"))
	if err != nil {
		return network.NIC{}, "", false
	}
	nic, ok := w.endpointAt("", a)
	return nic, a.String(), ok
}

// groupsUnmixed looks for two private endpoints whose zone groups write one record.
func (w *world) groupsUnmixed() []Requirement {
	writers := map[string][]network.NIC{}
	var order []string
	for _, u := range w.zoneUses() {
		for _, id := range w.groupOf(u.pe.ID).zones {
			if !strings.EqualFold(id.Name(), u.zone) {
				continue
			}
			key := id.Key() + " " + u.hosts[0].Record
			if writers[key] == nil {
				order = append(order, key)
			}
			writers[key] = append(writers[key], u.pe)
		}
	}
	var out []Requirement
	for _, key := range order {
		list := writers[key]
		if len(list) < 2 {
			continue
		}
		doc, _ := w.estate.Get(list[1].ID)
		id, record, _ := strings.Cut(key, " ")
		zone := arm.ID(id).Name()
		r := w.configured("record-one-environment", doc, fmt.Sprintf("The record %s of %s leads to one endpoint", record, zone), verdict.No,
			fmt.Sprintf("private endpoints %s (in %s) and %s (in %s) both write the record %s of %s: the one that is deployed last takes it from the other",
				list[0].Name, list[0].Subnet.Parent().Name(), list[1].Name, list[1].Subnet.Parent().Name(), record, zone),
			fmt.Sprintf("give %s a zone %s of its own, linked to the networks of its environment: azurerm_private_dns_zone", list[1].Name, zone))
		r.ID = slug("record-one-environment", zone, record)
		out = append(out, r)
	}
	return out
}
