package network

import (
	"net/netip"
	"net/url"
	"regexp"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/service"
)

var zoneName = regexp.MustCompile(`^([a-zA-Z0-9_]([-_a-zA-Z0-9]{0,61}[a-zA-Z0-9_])?\.)+[a-zA-Z0-9_]([-_a-zA-Z0-9]{0,61}[a-zA-Z0-9_])?$`)

func prepareZone(_ cloud.View, _ *arm.Resource, r arm.Resource) (arm.Resource, error) {
	if !zoneName.MatchString(r.Name) || len(r.Name) > 253 || strings.Count(r.Name, ".") > 33 {
		return r, refuse("InvalidPrivateZoneName", "The private DNS zone name '%s' is invalid: it needs 2 to 34 labels of letters, digits, '-' and '_'.", r.Name)
	}
	if r.Location == "" {
		r.Location = "global"
	}
	if r.Location != "global" {
		return r, refuse("LocationNotAvailableForResourceType", "The provided location '%s' is not available for resource type '%s'. It is 'global'.", r.Location, r.Type)
	}
	for _, computed := range []string{"numberOfRecordSets", "numberOfVirtualNetworkLinks", "numberOfVirtualNetworkLinksWithRegistration", "maxNumberOfRecordSets",
		"maxNumberOfVirtualNetworkLinks", "maxNumberOfVirtualNetworkLinksWithRegistration", "internalId"} {
		remove(r.Properties, computed)
	}
	return r, nil
}

func presentZone(view cloud.View, r arm.Resource) arm.Resource {
	records, links, registering := 1, 0, 0 // the SOA record is always there
	for _, other := range view.Estate().All() {
		if !other.ID.Parent().Equal(r.ID) {
			continue
		}
		if !other.IsType(typeLink) {
			records++
			continue
		}
		links++
		if arm.Bool(other.Properties, "registrationEnabled", false) {
			registering++
		}
	}
	for field, v := range map[string]int{
		"numberOfRecordSets": records, "numberOfVirtualNetworkLinks": links, "numberOfVirtualNetworkLinksWithRegistration": registering,
		"maxNumberOfRecordSets": 25000, "maxNumberOfVirtualNetworkLinks": 1000, "maxNumberOfVirtualNetworkLinksWithRegistration": 100,
	} {
		r.Properties[field] = float64(v)
	}
	return r
}

func prepareLink(view cloud.View, old *arm.Resource, r arm.Resource) (arm.Resource, error) {
	if err := checkName(r); err != nil {
		return r, err
	}
	remove(r.Properties, "virtualNetworkLinkState")
	vnet, err := required(view, r, r.Properties, "virtualNetwork.id", service.TypeVirtualNetwork)
	if err != nil {
		return r, err
	}
	if old != nil && !arm.Ref(old.Properties, "virtualNetwork.id").Equal(vnet.ID) {
		return r, refuse("BadRequest", "The virtual network of link %s cannot be changed.", r.ID)
	}
	zone := r.ID.Parent()
	for _, other := range view.Estate().OfType(typeLink) {
		if other.ID.Equal(r.ID) || !arm.Ref(other.Properties, "virtualNetwork.id").Equal(vnet.ID) {
			continue
		}
		if strings.EqualFold(other.ID.Parent().Name(), zone.Name()) {
			return r, cloud.Errorf(409, "Conflict", "A virtual network cannot be linked to multiple zones with overlapping namespaces. You tried to link virtual network %s with '%s' and '%s' zones.", vnet.ID, other.ID.Parent().Name(), zone.Name())
		}
		if arm.Bool(r.Properties, "registrationEnabled", false) && arm.Bool(other.Properties, "registrationEnabled", false) {
			return r, cloud.Errorf(409, "Conflict", "Virtual network %s is linked for registration to zone %s already; only one link with registration is possible.", vnet.ID, other.ID.Parent().Name())
		}
	}
	return r, nil
}

func presentLink(_ cloud.View, r arm.Resource) arm.Resource {
	fill(r.Properties, "registrationEnabled", false)
	r.Properties["virtualNetworkLinkState"] = "Completed"
	return r
}

func prepareZoneGroup(view cloud.View, _ *arm.Resource, r arm.Resource) (arm.Resource, error) {
	if err := checkName(r); err != nil {
		return r, err
	}
	plainElements(r.Properties, "privateDnsZoneConfigs")
	for _, c := range arm.Objects(r.Properties, "privateDnsZoneConfigs") {
		properties, _ := c["properties"].(map[string]any)
		remove(properties, "recordSets")
		if _, err := required(view, r, c, "properties.privateDnsZoneId", service.TypePrivateDNSZone); err != nil {
			return r, err
		}
	}
	for _, other := range view.Estate().Children(r.ID.Parent(), typeZoneGroup) {
		if !other.ID.Equal(r.ID) {
			return r, refuse("MoreThanOnePrivateDnsZoneGroupPerPrivateEndpointNotAllowed", "Private endpoint %s has a private DNS zone group already: %s.", r.ID.Parent(), other.Name)
		}
	}
	return r, nil
}

// presentZoneGroup shows the records that the group writes into its zones.
func presentZoneGroup(view cloud.View, r arm.Resource) arm.Resource {
	for _, c := range arm.Objects(r.Properties, "privateDnsZoneConfigs") {
		list := []any{}
		for _, rec := range groupRecords(view, r, arm.Ref(c, "properties.privateDnsZoneId")) {
			list = append(list, arm.Object{
				"recordType": "A", "recordSetName": rec.name, "fqdn": rec.name + "." + rec.zone.Name(), "ttl": 10.0,
				"ipAddresses": rec.addresses(), "provisioningState": "Succeeded",
			})
		}
		if p, ok := c["properties"].(map[string]any); ok {
			p["recordSets"] = list
		}
	}
	withIDs(r, "privateDnsZoneConfigs", "privateDnsZoneConfigs")
	return r
}

// written is a record that a zone group writes.
type written struct {
	zone  arm.ID
	name  string
	addrs []netip.Addr
}

func (w written) addresses() []any {
	out := []any{}
	for _, a := range w.addrs {
		out = append(out, a.String())
	}
	return out
}

// groupRecords are what a zone group writes into one zone.
func groupRecords(view cloud.View, group arm.Resource, zone arm.ID) []written {
	t := network.FromEstate(view.Estate())
	nic, ok := t.NIC(group.ID.Parent())
	if !ok || !nic.Approved {
		return nil
	}
	target, ok := view.Get(nic.Target)
	if !ok {
		return nil
	}
	var out []written
	for _, ep := range service.Covered(view.Estate(), target) {
		if !strings.EqualFold(ep.Group, nic.Group) || !strings.EqualFold(ep.Zone, zone.Name()) {
			continue
		}
		if a := t.MemberAddr(nic.ID, ep.Member); a.IsValid() {
			out = append(out, written{zone, ep.Record, []netip.Addr{a}})
		}
	}
	return out
}

// zoneRecords are the records that zone groups write into a zone.
func zoneRecords(view cloud.View, zone arm.ID) []arm.Resource {
	var out []arm.Resource
	for _, e := range view.Estate().ReferencesTo(zone) {
		group, ok := view.Get(e.From)
		if !ok || !group.IsType(typeZoneGroup) {
			continue
		}
		for _, rec := range groupRecords(view, group, zone) {
			list := []any{}
			for _, a := range rec.addrs {
				list = append(list, arm.Object{"ipv4Address": a.String()})
			}
			r := arm.Resource{ID: zone.Child("A", rec.name), Name: rec.name, Type: typeRecord + "A", Properties: arm.Object{"ttl": 10.0, "aRecords": list}}
			out = append(out, presentRecord(view, r))
		}
	}
	return out
}

// recordKinds are the types of record sets.
var recordKinds = []string{"A", "AAAA", "CNAME", "MX", "PTR", "SRV", "TXT", "SOA"}

func recordType(kind string) cloud.Type {
	t := cloud.Type{Name: typeRecord + kind, Prepare: prepareRecord, Present: presentRecord, Prompt: true}
	switch kind {
	case "SOA":
		t.Find = findSOA
	case "A":
		t.Find = findRecord
		t.List = func(view cloud.View, zone arm.ID, _ url.Values, stored []arm.Resource) ([]arm.Resource, error) {
			return append(stored, zoneRecords(view, zone)...), nil
		}
	}
	return t
}

var recordName = regexp.MustCompile(`^(@|(\*|[a-zA-Z0-9_]([-_a-zA-Z0-9]{0,61}[a-zA-Z0-9_])?)(\.[a-zA-Z0-9_]([-_a-zA-Z0-9]{0,61}[a-zA-Z0-9_])?)*)$`)

func prepareRecord(_ cloud.View, _ *arm.Resource, r arm.Resource) (arm.Resource, error) {
	if !recordName.MatchString(r.Name) || len(r.Name) > 253 {
		return r, refuse("BadRequest", "The record set name '%s' is invalid.", r.Name)
	}
	remove(r.Properties, "fqdn")
	remove(r.Properties, "isAutoRegistered")
	if ttl := arm.Int(r.Properties, "ttl", 3600); ttl < 0 || ttl > 2147483647 {
		return r, refuse("BadRequest", "The TTL %d of record set '%s' is invalid: it is 0 to 2147483647.", ttl, r.Name)
	}
	for _, a := range arm.Objects(r.Properties, "aRecords") {
		if addr, err := netip.ParseAddr(arm.String(a, "ipv4Address")); err != nil || !addr.Is4() {
			return r, refuse("BadRequest", "The A record value '%s' of record set '%s' is not an IPv4 address.", arm.String(a, "ipv4Address"), r.Name)
		}
	}
	return r, nil
}

func presentRecord(_ cloud.View, r arm.Resource) arm.Resource {
	fqdn := r.ID.Parent().Name() + "."
	if r.Name != "@" {
		fqdn = r.Name + "." + fqdn
	}
	r.Properties["fqdn"] = fqdn
	fill(r.Properties, "ttl", 3600.0)
	fill(r.Properties, "isAutoRegistered", false)
	return r
}

// findSOA is the start of authority, which every zone has.
func findSOA(view cloud.View, id arm.ID) (arm.Resource, bool) {
	zone, ok := view.Get(id.Parent())
	if !ok || id.Name() != "@" {
		return arm.Resource{}, false
	}
	r := arm.Resource{ID: id, Name: "@", Type: typeRecord + "SOA", Properties: arm.Object{
		"ttl": 3600.0,
		"soaRecord": arm.Object{
			"email": "azureprivatedns-host.microsoft.com", "host": "azureprivatedns.net", "expireTime": 2419200.0,
			"minimumTtl": 10.0, "refreshTime": 3600.0, "retryTime": 300.0, "serialNumber": 1.0,
		},
	}}
	return presentRecord(view, withZone(r, zone)), true
}

func withZone(r, zone arm.Resource) arm.Resource {
	r.ID = zone.ID.Child(r.Type[len(typeRecord):], r.Name)
	return r
}

func findRecord(view cloud.View, id arm.ID) (arm.Resource, bool) {
	for _, r := range zoneRecords(view, id.Parent()) {
		if r.ID.Equal(id) {
			return r, true
		}
	}
	return arm.Resource{}, false
}

// listRecords lists the record sets of every type.
func listRecords(view cloud.View, zone arm.ID, _ url.Values, _ []arm.Resource) ([]arm.Resource, error) {
	var out []arm.Resource
	for _, kind := range recordKinds {
		out = append(out, view.Estate().Children(zone, typeRecord+kind)...)
	}
	if soa, ok := findSOA(view, zone.Child("SOA", "@")); ok {
		out = append(out, soa)
	}
	return append(out, zoneRecords(view, zone)...), nil
}
