package privatedns

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
)

// Types that this package gives a meaning.
const (
	typeLink      = "Microsoft.Network/privateDnsZones/virtualNetworkLinks"
	typeA         = "Microsoft.Network/privateDnsZones/A"
	typeCNAME     = "Microsoft.Network/privateDnsZones/CNAME"
	typeZoneGroup = "Microsoft.Network/privateEndpoints/privateDnsZoneGroups"
	typeVM        = "Microsoft.Compute/virtualMachines"
)

// Records is every record that the estate's networks and the internet can see.
// It is made once and then only read.
type Records struct {
	// Problems are what Azure would refuse in the zones, as two zones of one name
	// linked to one network.
	Problems []Problem

	zones  []*zone // longest name first, then by id
	public map[string]publicRecord
	vnets  map[string]vnet
}

// Problem is something in the documents that cannot be deployed.
type Problem struct {
	Resource arm.ID
	Source   arm.Source
	Message  string
}

type vnet struct {
	id      arm.ID
	name    string
	servers []string // custom DNS servers; empty: Azure's own
	unknown string   // why the servers are not known, or ""
}

// publicRecord is what everyone sees.
type publicRecord struct {
	addr    netip.Addr
	cname   string
	reason  string
	by      arm.ID
	unknown string // why it is not known, or ""
}

// FromEstate reads the zones, links, records, zone groups and services of an
// estate. addr says which address a private endpoint has for a member of its
// target (network.Topology's MemberAddr), and which a network interface has (member
// ""); a registered machine whose address it does not say has an unknown record.
func FromEstate(e *arm.Estate, addr func(endpoint arm.ID, member string) netip.Addr) *Records {
	r := &Records{public: map[string]publicRecord{}, vnets: map[string]vnet{}}
	for _, doc := range e.OfType(service.TypeVirtualNetwork) {
		r.addVNet(doc)
	}
	byID := map[string]*zone{}
	for _, doc := range e.OfType(service.TypePrivateDNSZone) {
		z := newZone(doc)
		byID[doc.ID.Key()] = z
		r.zones = append(r.zones, z)
	}
	slices.SortFunc(r.zones, func(a, b *zone) int {
		return cmp.Or(cmp.Compare(len(b.name), len(a.name)), cmp.Compare(a.id.Key(), b.id.Key()))
	})
	for _, z := range r.zones {
		addRecordSets(e, z)
		r.addLinks(e, z, addr)
	}
	addZoneGroups(e, byID, addr)
	r.addPublic(e)
	r.findTwins(e)
	return r
}

func (r *Records) addVNet(doc arm.Resource) {
	v := vnet{id: doc.ID, name: doc.Name}
	const path = "dhcpOptions.dnsServers"
	if u, ok := arm.UnknownAt(doc.Properties, path); ok {
		v.unknown = u.String()
	}
	for _, s := range arm.List(doc.Properties, path) {
		switch s := s.(type) {
		case arm.Unknown:
			v.unknown = s.String()
		case string:
			if s != service.WireServer.String() {
				v.servers = append(v.servers, s)
			}
		}
	}
	r.vnets[doc.ID.Key()] = v
}

func addRecordSets(e *arm.Estate, z *zone) {
	for _, doc := range e.Children(z.id, typeA) {
		rec := record{origin: "A record set " + doc.Name, by: doc.ID}
		if u, ok := unknownIn(doc.Properties, "aRecords"); ok {
			rec.unknown = u.String()
		}
		for _, entry := range arm.Objects(doc.Properties, "aRecords") {
			if u, ok := arm.UnknownAt(entry, "ipv4Address"); ok {
				rec.unknown = u.String()
				continue
			}
			if a, err := netip.ParseAddr(arm.String(entry, "ipv4Address")); err == nil {
				rec.addrs = append(rec.addrs, a)
			}
		}
		z.add(absolute(doc.Name, z.name), rec)
	}
	for _, doc := range e.Children(z.id, typeCNAME) {
		rec := record{origin: "CNAME record " + doc.Name, by: doc.ID}
		if u, ok := arm.UnknownAt(doc.Properties, "cnameRecord.cname"); ok {
			rec.unknown = u.String()
		}
		rec.cname, _ = normalise(arm.String(doc.Properties, "cnameRecord.cname"))
		z.add(absolute(doc.Name, z.name), rec)
	}
	addOtherTypes(e, z)
}

// addOtherTypes makes names exist that have only records of other types, so that
// a question for their address is answered with no data.
func addOtherTypes(e *arm.Estate, z *zone) {
	for _, typ := range []string{"AAAA", "MX", "PTR", "SRV", "TXT"} {
		for _, doc := range e.Children(z.id, service.TypePrivateDNSZone+"/"+typ) {
			z.add(absolute(doc.Name, z.name), record{origin: typ + " record set " + doc.Name, by: doc.ID})
		}
	}
}

func (r *Records) addLinks(e *arm.Estate, z *zone, addr addrFunc) {
	for _, doc := range e.Children(z.id, typeLink) {
		l := link{
			id: doc.ID, vnet: arm.Ref(doc.Properties, "virtualNetwork.id"),
			fallback: strings.EqualFold(arm.String(doc.Properties, "resolutionPolicy"), "NxDomainRedirect"),
		}
		if u, ok := arm.UnknownAt(doc.Properties, "virtualNetwork.id"); ok {
			l.unknown = u
		} else if l.vnet == "" {
			continue
		}
		z.links = append(z.links, l)
		if arm.Bool(doc.Properties, "registrationEnabled", false) && l.vnet != "" {
			register(e, z, l, addr)
		}
	}
}

// register adds the virtual machines of a network by name, as a link with
// registration does.
func register(e *arm.Estate, z *zone, l link, addr addrFunc) {
	for _, vm := range e.OfType(typeVM) {
		for _, ref := range arm.Objects(vm.Properties, "networkProfile.networkInterfaces") {
			nic, ok := e.Get(arm.Ref(ref, "id"))
			if !ok || !vnetOfNIC(nic).Equal(l.vnet) {
				continue
			}
			rec := record{origin: "registration of virtual machine " + vm.Name + " by link " + l.id.Name(), by: l.id}
			if a := nicAddr(nic, addr); a.IsValid() {
				rec.addrs = []netip.Addr{a}
			} else {
				rec.unknown = "the address of " + nic.Name + " is not known"
			}
			z.add(absolute(vm.Name, z.name), rec)
			break
		}
	}
}

func vnetOfNIC(nic arm.Resource) arm.ID {
	for _, c := range arm.Objects(nic.Properties, "ipConfigurations") {
		if subnet := arm.Ref(c, "properties.subnet.id"); subnet != "" {
			return subnet.Parent()
		}
	}
	return ""
}

func nicAddr(nic arm.Resource, addr addrFunc) netip.Addr {
	if addr == nil {
		return netip.Addr{}
	}
	return addr(nic.ID, "")
}

// findTwins reports zones of one name that are linked to one network.
func (r *Records) findTwins(e *arm.Estate) {
	type place struct{ zone, vnet string }
	seen := map[place]*zone{}
	for _, z := range r.zones {
		for _, l := range z.links {
			if l.vnet == "" {
				continue
			}
			p := place{z.name, l.vnet.Key()}
			first, twice := seen[p]
			if !twice {
				seen[p] = z
				continue
			}
			doc, _ := e.Get(l.id)
			r.Problems = append(r.Problems, Problem{Resource: l.id, Source: doc.Source, Message: fmt.Sprintf(
				"network %s is linked to two zones named %s (in %s and in %s), and Azure accepts one: keep one zone and put the records of both into it",
				l.vnet.Name(), z.name, first.id.ResourceGroup(), z.id.ResourceGroup())})
		}
	}
}
