package privatedns

import (
	"net/netip"

	"github.com/cloister-ml/cloister/arm"
)

// Types of record sets. Those that hold no address and no name make a name exist,
// so that a question for its address is answered with no data.
const (
	kindA     = "A"
	kindAAAA  = "AAAA"
	kindCNAME = "CNAME"
	kindPTR   = "PTR"
)

var recordTypes = []string{kindA, kindAAAA, kindCNAME, kindPTR, "MX", "SRV", "TXT", "SOA"}

// readSet writes the record set of a document into its zone.
func (r *reader) readSet(z *zone, typ string, doc arm.Resource) {
	set := recordSet{origin: typ + " record set " + doc.Name, by: doc.ID}
	switch typ {
	case kindA:
		set.addresses(doc, "aRecords", "ipv4Address", r.addrNamed)
	case kindAAAA:
		set.addresses(doc, "aaaaRecords", "ipv6Address", r.addrNamed)
	case kindCNAME:
		set.origin = "CNAME record " + doc.Name
		set.name(doc.Properties, "cnameRecord.cname")
	case kindPTR:
		for _, o := range set.list(doc, "ptrRecords") {
			set.name(o, "ptrdname")
		}
	}
	z.add(absolute(doc.Name, z.name), typ, set)
}

func (s *recordSet) list(doc arm.Resource, path string) []arm.Object {
	if u, ok := arm.UnknownIn(doc.Properties, path); ok {
		s.unknown = u.String()
	}
	return arm.Objects(doc.Properties, path)
}

// addresses reads those of a set. What is not known may be named by the resource that
// has it.
func (s *recordSet) addresses(doc arm.Resource, path, field string, named func(arm.Unknown) (netip.Addr, bool)) {
	for _, o := range s.list(doc, path) {
		if u, ok := arm.UnknownAt(o, field); ok {
			if a, ok := named(u); ok {
				s.addrs = append(s.addrs, a)
				continue
			}
			s.unknown = u.String()
			continue
		}
		if a, err := netip.ParseAddr(arm.String(o, field)); err == nil {
			s.addrs = append(s.addrs, a.Unmap())
		}
	}
}

func (s *recordSet) name(o arm.Object, path string) {
	if u, ok := arm.UnknownAt(o, path); ok {
		s.unknown = u.String()
		return
	}
	if n, err := normalise(arm.String(o, path)); err == nil {
		s.targets = append(s.targets, n)
	}
}
