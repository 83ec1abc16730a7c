package privatedns

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

// zone is one private DNS zone with its links and records.
type zone struct {
	id      arm.ID
	name    string
	links   []link
	records map[string]*record // by absolute name
	exists  map[string]bool    // every record's name and the names between it and the zone
	doubts  []doubt            // record sets whose name or zone is not known
}

// link makes a zone visible in a network.
type link struct {
	id       arm.ID
	vnet     arm.ID // "" where it is not known
	unknown  arm.Unknown
	fallback bool // resolutionPolicy NxDomainRedirect
}

// record is what a zone holds for one name.
type record struct {
	addrs   []netip.Addr
	cname   string
	origin  string // who wrote it: "zone group of private endpoint pe-blob"
	by      arm.ID // the document that wrote it
	unknown string // why its value is not known, or ""
}

// doubt is a record that may or may not be in a zone.
type doubt struct {
	by     arm.ID
	reason string
}

func newZone(r arm.Resource) *zone {
	name := strings.ToLower(strings.TrimSuffix(r.Name, "."))
	return &zone{id: r.ID, name: name, records: map[string]*record{}, exists: map[string]bool{name: true}}
}

// add puts a record at an absolute name; addresses of several writers gather.
func (z *zone) add(name string, rec record) {
	for n := name; under(n, z.name) && !z.exists[n]; n = parentName(n) {
		z.exists[n] = true
	}
	old, ok := z.records[name]
	if !ok {
		rec.addrs = slices.Clone(rec.addrs)
		z.records[name] = &rec
		return
	}
	for _, a := range rec.addrs {
		if !slices.Contains(old.addrs, a) {
			old.addrs = append(old.addrs, a)
		}
	}
	if !strings.Contains(old.origin, rec.origin) {
		old.origin += " and " + rec.origin
	}
	if old.unknown == "" {
		old.unknown = rec.unknown
	}
	if old.cname == "" {
		old.cname = rec.cname
	}
}

// find looks a name up: the record that answers and its name, which is a
// wildcard where that answered; exists reports a name without a record of a kind
// that is asked for.
func (z *zone) find(name string) (rec *record, at string, exists bool) {
	if z.exists[name] {
		return z.records[name], name, true
	}
	closest := parentName(name)
	for under(closest, z.name) && !z.exists[closest] {
		closest = parentName(closest)
	}
	at = "*." + closest
	if rec, ok := z.records[at]; ok {
		return rec, at, true
	}
	return nil, "", false
}

// linked is the link to a network. With no sure one, doubtful is a link whose
// network is not known.
func (z *zone) linked(vnet arm.ID) (found link, ok bool, doubtful *link) {
	for i, l := range z.links {
		if l.vnet == "" {
			doubtful = &z.links[i]
			continue
		}
		if l.vnet.Equal(vnet) {
			return l, true, nil
		}
	}
	return link{}, false, doubtful
}
