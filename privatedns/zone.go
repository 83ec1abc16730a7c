package privatedns

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

// zone is one private DNS zone with its links and records.
type zone struct {
	id      arm.ID
	name    string
	outside bool              // the zone's document is not in the estate
	links   map[string][]link // by the key of the network
	unsure  []link            // links whose network is not known
	records map[string]*entry // by absolute name
	exists  map[string]bool   // every record's name and the names between it and the zone
	doubts  []doubt           // record sets whose name or zone is not known
}

// link makes a zone visible in a network.
type link struct {
	id       arm.ID
	unknown  string // why the network is not known
	fallback bool   // resolutionPolicy NxDomainRedirect
	unsure   string // why it is not known whether it falls back, or ""
	register bool
}

// entry is what a zone holds for one name: record sets by type.
type entry map[string]*recordSet

// recordSet is the record set of one type at one name.
type recordSet struct {
	addrs   []netip.Addr
	targets []string // of a CNAME or of pointers
	origin  string   // who wrote it: "zone group of private endpoint pe-blob"
	by      arm.ID   // the document that wrote it
	unknown string   // why its value is not known, or ""
}

// doubt is a record that may or may not be in a zone.
type doubt struct {
	by     arm.ID
	reason string
}

func newZone(id arm.ID) *zone {
	name := strings.ToLower(strings.TrimSuffix(id.Name(), "."))
	return &zone{id: id, name: name, links: map[string][]link{}, records: map[string]*entry{}, exists: map[string]bool{name: true}}
}

// add writes a record set at an absolute name. Two writers of one set overwrite
// each other on Azure, so where they differ the value is not known.
func (z *zone) add(name, typ string, set recordSet) {
	for n := name; under(n, z.name) && !z.exists[n]; n = parentName(n) {
		z.exists[n] = true
	}
	at, ok := z.records[name]
	if !ok {
		at = &entry{}
		z.records[name] = at
	}
	set.addrs = sorted(set.addrs)
	old, ok := (*at)[typ]
	if !ok {
		(*at)[typ] = &set
		return
	}
	if !slices.Equal(old.addrs, set.addrs) || !slices.Equal(old.targets, set.targets) || old.unknown != set.unknown {
		old.unknown = fmt.Sprintf("the %s and the %s both write it, and Azure keeps what was written last", old.origin, set.origin)
	}
	if !strings.Contains(old.origin, set.origin) {
		old.origin += " and " + set.origin
	}
}

// find looks a name up: the entry that answers and its name, which is a wildcard
// where that answered; exists reports a name that has no record set.
func (z *zone) find(name string) (found entry, at string, exists bool) {
	if z.exists[name] {
		if e, ok := z.records[name]; ok {
			return *e, name, true
		}
		return nil, name, true
	}
	closest := parentName(name)
	for under(closest, z.name) && !z.exists[closest] {
		closest = parentName(closest)
	}
	at = "*." + closest
	if e, ok := z.records[at]; ok {
		return *e, at, true
	}
	return nil, "", false
}
