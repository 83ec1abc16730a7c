package privatedns

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/verdict"
)

type zoneState int

const (
	zoneNone zoneState = iota
	zoneLinked
	zoneDoubtful
)

// zoneFor finds the linked zone with the longest name that covers name.
func (q *question) zoneFor(v *vnet, name string) (*zone, link, zoneState) {
	vnet := v.id.Key()
	for at := name; at != ""; at = parentName(at) {
		found := q.records.linked[linkedName{vnet, at}]
		switch {
		case len(found) == 1:
			return found[0], found[0].links[vnet][0], zoneLinked
		case len(found) > 1:
			q.add("zone "+at, found[1].links[vnet][0].id, verdict.Unknown, fmt.Sprintf(
				"network %s is linked to two zones of this name (in %s and in %s): Azure accepts one, and which is not known", v.name, found[0].id.ResourceGroup(), found[1].id.ResourceGroup()))
			return found[0], link{}, zoneDoubtful
		}
		z := q.records.unsure[at]
		switch {
		case z == nil:
		case len(z.unsure) > 0:
			q.add("zone "+z.name, z.unsure[0].id, verdict.Unknown, "the network of its link "+z.unsure[0].id.Name()+" is "+z.unsure[0].unknown)
			return z, link{}, zoneDoubtful
		default:
			q.add("zone "+z.name, z.id, verdict.Unknown, fmt.Sprintf("the zone is not in the estate, and whether it is linked to %s is not known", v.name))
			return z, link{}, zoneDoubtful
		}
	}
	return nil, link{}, zoneNone
}

// inZone looks into a linked zone. done is false where the question goes on in public.
func (q *question) inZone(v *vnet, z *zone, l link, name string) (next string, done bool) {
	at := fmt.Sprintf("zone %s (linked to %s)", z.name, v.name)
	found, owner, exists := z.find(name)
	if found == nil && !exists {
		return "", q.missing(z, l, at, name)
	}
	for _, typ := range []string{kindCNAME, kindA, kindAAAA, kindPTR} {
		if s := found[typ]; s != nil && s.unknown != "" && (typ != kindPTR || q.pointing()) {
			q.add(at, s.by, verdict.Unknown, fmt.Sprintf("record %s of %s: %s", owner, s.origin, s.unknown))
			return "", true
		}
	}
	if s := found[kindCNAME]; s != nil && len(found) > 1 {
		q.add(at, s.by, verdict.Unknown, fmt.Sprintf("record %s is a CNAME and has other record sets beside it: Azure refuses one of them, and which is not known", owner))
		return "", true
	}
	if s := found[kindCNAME]; s != nil && len(s.targets) > 0 {
		q.add(at, s.by, verdict.Yes, fmt.Sprintf("record %s is a CNAME of %s (%s)", owner, s.targets[0], s.origin))
		return s.targets[0], true
	}
	if s := found[kindPTR]; s != nil && q.pointing() && len(s.targets) > 0 {
		q.answer.Code, q.answer.Zone, q.answer.Names = NoError, z.id, slices.Sorted(slices.Values(s.targets))
		q.add(at, s.by, verdict.Yes, fmt.Sprintf("record %s is %s (%s)", owner, strings.Join(q.answer.Names, ", "), s.origin))
		return "", true
	}
	q.addresses(z, found, at, owner, name)
	return "", true
}

// addresses answers with the address record sets of a name, or with no data.
func (q *question) addresses(z *zone, found entry, at, owner, name string) {
	q.answer.Code, q.answer.Zone = NoError, z.id
	for _, typ := range []string{kindA, kindAAAA} {
		s := found[typ]
		if s == nil || len(s.addrs) == 0 {
			continue
		}
		q.answer.Addrs = append(q.answer.Addrs, s.addrs...)
		q.add(at, s.by, verdict.Yes, fmt.Sprintf("record %s is %s (%s)", owner, join(s.addrs), s.origin))
	}
	if len(q.answer.Addrs) == 0 {
		q.add(at, z.id, verdict.No, fmt.Sprintf("%s exists in the zone but has no address", name))
	}
}

// pointing reports whether the question is for the name of an address.
func (q *question) pointing() bool {
	return under(q.answer.Name, "in-addr.arpa") || under(q.answer.Name, "ip6.arpa")
}

// missing is a linked zone that lacks the name. It reports whether that ends the search.
func (q *question) missing(z *zone, l link, at, name string) bool {
	if len(z.doubts) > 0 {
		q.add(at, z.doubts[0].by, verdict.Unknown, fmt.Sprintf("no record for %s is known, but %s", name, z.doubts[0].reason))
		return true
	}
	if l.unsure != "" {
		q.add(at, l.id, verdict.Unknown, fmt.Sprintf("the zone has no record for %s, and whether the link falls back to the internet is %s", name, l.unsure))
		return true
	}
	if l.fallback {
		q.add(at, l.id, verdict.Yes, fmt.Sprintf("the zone has no record for %s, and the link falls back to the internet", name))
		return false
	}
	q.answer.Code, q.answer.Zone = NXDomain, z.id
	q.add(at, z.id, verdict.No, fmt.Sprintf(
		"the zone has no record for %s, and a linked zone is not asked again in public: no zone group or A record set writes it", name))
	return true
}

// sayUnlinked notes that private zones which cover the name are not seen from here.
func (q *question) sayUnlinked(v *vnet, name string) {
	for at := name; at != ""; at = parentName(at) {
		if list := q.records.zones[at]; len(list) > 0 {
			q.add("zone "+at, list[0].id, verdict.Yes, fmt.Sprintf("not linked to %s, so its records are not seen there", v.name))
			return
		}
	}
	if i := strings.Index(name, ".privatelink."); i >= 0 {
		q.add("zone "+name[i+1:], "", verdict.Yes, fmt.Sprintf("there is no such private zone to link to %s", v.name))
	}
}
