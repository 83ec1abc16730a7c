package privatedns

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

// What Azure takes of one zone and of one record set.
//
// Source: Microsoft Learn, "Azure subscription and service limits" (Private DNS).
const (
	maxSets         = 25000
	maxInSet        = 20
	maxLinks        = 1000
	maxRegistering  = 100
	minLabels       = 2
	maxLabels       = 34
	oneRegistration = 1
)

// limits notes what Azure refuses.
func (r *reader) limits() {
	registering := map[string][]link{}
	for _, name := range slices.Sorted(maps.Keys(r.zones)) {
		list := r.zones[name]
		r.twins(list)
		for _, z := range list {
			r.limitsOf(z)
			for _, key := range slices.Sorted(maps.Keys(z.links)) {
				for _, l := range z.links[key] {
					if l.register {
						registering[key] = append(registering[key], l)
					}
				}
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(registering)) {
		for _, l := range registering[key][oneRegistration:] {
			r.problem(l.id, "network %s is linked to %s for registration already, and a network registers its machines in one zone: switch one registration off",
				arm.ID(key).Name(), registering[key][0].id.Parent().Name())
		}
	}
	for _, key := range slices.Sorted(maps.Keys(r.vnets)) {
		if sets := r.vnets[key].rulesets; len(sets) > 1 {
			r.problem(sets[1].id, "network %s is linked to ruleset %s already, and a network takes one: put the rules of both into it", r.vnets[key].name, sets[0].name)
		}
	}
}

// twins are zones of one name that are linked to one network.
func (r *reader) twins(list []*zone) {
	first := map[string]*zone{}
	for _, z := range list {
		for _, key := range slices.Sorted(maps.Keys(z.links)) {
			for i, l := range z.links[key] {
				switch other, taken := first[key]; {
				case i > 0:
					r.problem(l.id, "network %s is linked to zone %s twice: keep one link", arm.ID(key).Name(), z.name)
				case taken:
					doc, _ := r.e.Get(l.id)
					r.problem(l.id, "network %s is linked to two zones named %s (in %s and in %s), and Azure accepts one: keep one zone and put the records of both into it",
						arm.Ref(doc.Properties, "virtualNetwork.id").Name(), z.name, other.id.ResourceGroup(), z.id.ResourceGroup())
				default:
					first[key] = z
				}
			}
		}
	}
}

func (r *reader) limitsOf(z *zone) {
	if z.outside {
		return
	}
	if labels := strings.Count(z.name, ".") + 1; labels < minLabels || labels > maxLabels {
		r.problem(z.id, "zone %s has %d labels, and Azure takes %d to %d", z.name, labels, minLabels, maxLabels)
	}
	if _, err := normalise(z.name); err != nil {
		r.problem(z.id, "zone %q: %v", z.name, err)
	}
	links, registering := 0, 0
	for _, list := range z.links {
		links += len(list)
		for _, l := range list {
			if l.register {
				registering++
			}
		}
	}
	if links > maxLinks {
		r.problem(z.id, "zone %s has %d links, and Azure takes %d", z.name, links, maxLinks)
	}
	if registering > maxRegistering {
		r.problem(z.id, "zone %s has %d links with registration, and Azure takes %d", z.name, registering, maxRegistering)
	}
	sets := 0
	for _, name := range slices.Sorted(maps.Keys(z.records)) {
		sets += len(*z.records[name])
		r.limitsAt(z, name, *z.records[name])
	}
	if sets > maxSets {
		r.problem(z.id, "zone %s has %d record sets, and Azure takes %d", z.name, sets, maxSets)
	}
}

func (r *reader) limitsAt(z *zone, name string, at entry) {
	if cname := at[kindCNAME]; cname != nil && (name == z.name || len(at) > 1) {
		why := "other record sets have the same name"
		if name == z.name {
			why = "it is the name of the zone itself"
		}
		r.problem(cname.by, "a CNAME cannot stand at %s: %s", name, why)
	}
	for _, typ := range slices.Sorted(maps.Keys(at)) {
		s := at[typ]
		if n := len(s.addrs) + len(s.targets); n > maxInSet {
			r.problem(s.by, "record set %s of zone %s has %d records, and Azure takes %d", name, z.name, n, maxInSet)
		}
		if _, err := normalise(strings.Replace(name, "*.", "", 1)); err != nil {
			r.problem(s.by, "record set %q: %v", name, err)
		}
	}
}

func (r *reader) problem(id arm.ID, format string, args ...any) {
	doc, _ := r.e.Get(id)
	r.Problems = append(r.Problems, Problem{Resource: id, Source: doc.Source, Message: fmt.Sprintf(format, args...)})
}
