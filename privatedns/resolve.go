package privatedns

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/verdict"
)

// maxChain bounds the CNAMEs of one answer; a longer chain is a loop or a fault.
const maxChain = 8

// Resolve answers the question for the address of name, as a machine of the
// network asks it of 168.63.129.16. The network "" is the internet, which sees
// public records only. It never fails: a name that cannot be asked is answered
// SERVFAIL with the reason.
func (r *Records) Resolve(vnet arm.ID, name string) Answer {
	n, err := normalise(name)
	if err != nil {
		a := Answer{Name: clip(name), Code: ServFail}
		a.Verdict.Add(verdict.Step{At: "name", Value: verdict.No, Reason: err.Error()})
		return a
	}
	q := &question{records: r, vnet: vnet, answer: Answer{Name: n}}
	if vnet != "" && !q.askAzure() {
		return q.answer
	}
	q.follow(n)
	return q.answer
}

func clip(s string) string {
	if len(s) > maxName {
		s = s[:maxName]
	}
	return strings.ToValidUTF8(s, "?")
}

// question is one answer in the making.
type question struct {
	records *Records
	vnet    arm.ID
	answer  Answer
}

// askAzure says whether the network asks Azure's DNS server at all.
func (q *question) askAzure() bool {
	v, ok := q.records.vnets[q.vnet.Key()]
	switch {
	case !ok:
		q.add("network "+q.vnet.Name(), q.vnet, verdict.Unknown, "the network is not in the estate, so its DNS servers and zone links are not known")
	case v.unknown != "":
		q.add("network "+v.name, v.id, verdict.Unknown, "its DNS servers are "+v.unknown)
	case len(v.servers) > 0:
		q.add("network "+v.name, v.id, verdict.Unknown, fmt.Sprintf(
			"it asks its own DNS servers (%s) and not Azure's; what they answer is not in the estate", strings.Join(v.servers, ", ")))
	default:
		return true
	}
	return false
}

func (q *question) add(at string, resource arm.ID, v verdict.Value, reason string) {
	q.answer.Verdict.Add(verdict.Step{At: at, Resource: resource, Value: v, Reason: reason})
}

// follow resolves name and the CNAMEs that it leads to.
func (q *question) follow(name string) {
	for {
		next := q.step(name)
		if next == "" {
			return
		}
		if len(q.answer.CNAMEs) == maxChain || slices.Contains(q.answer.CNAMEs, next) || next == q.answer.Name {
			q.answer.Code, q.answer.Zone = ServFail, ""
			q.add(name, "", verdict.No, fmt.Sprintf("the chain of CNAMEs is a loop or longer than %d", maxChain))
			return
		}
		q.answer.CNAMEs = append(q.answer.CNAMEs, next)
		name = next
	}
}

// step resolves one name: it returns the next name of the chain, or "" when the
// answer is complete.
func (q *question) step(name string) string {
	if q.vnet != "" {
		z, l, state := q.zoneFor(name)
		switch state {
		case zoneDoubtful:
			return ""
		case zoneLinked:
			if next, done := q.inZone(z, l, name); done {
				return next
			}
		case zoneNone:
			q.sayUnlinked(name)
		}
	}
	return q.inPublic(name)
}

type zoneState int

const (
	zoneNone zoneState = iota
	zoneLinked
	zoneDoubtful
)

// zoneFor finds the linked zone with the longest name that covers name.
func (q *question) zoneFor(name string) (*zone, link, zoneState) {
	for _, z := range q.records.zones {
		if !under(name, z.name) {
			continue
		}
		l, ok, doubtful := z.linked(q.vnet)
		if ok {
			return z, l, zoneLinked
		}
		if doubtful != nil {
			q.add("zone "+z.name, doubtful.id, verdict.Unknown, "the network of its link "+doubtful.id.Name()+" is "+doubtful.unknown.String())
			return z, link{}, zoneDoubtful
		}
	}
	return nil, link{}, zoneNone
}

// inZone looks into a linked zone. done is false where the question goes on in public.
func (q *question) inZone(z *zone, l link, name string) (next string, done bool) {
	at := fmt.Sprintf("zone %s (linked to %s)", z.name, q.vnet.Name())
	rec, owner, exists := z.find(name)
	switch {
	case rec != nil && rec.unknown != "":
		q.add(at, rec.by, verdict.Unknown, fmt.Sprintf("record %s of %s: %s", owner, rec.origin, rec.unknown))
		return "", true
	case rec != nil && rec.cname != "":
		q.add(at, rec.by, verdict.Yes, fmt.Sprintf("record %s is a CNAME of %s (%s)", owner, rec.cname, rec.origin))
		return rec.cname, true
	case rec != nil && len(rec.addrs) > 0:
		q.answer.Code, q.answer.Zone, q.answer.Addrs = NoError, z.id, sorted(rec.addrs)
		q.add(at, rec.by, verdict.Yes, fmt.Sprintf("record %s is %s (%s)", owner, join(q.answer.Addrs), rec.origin))
		return "", true
	case exists:
		q.answer.Code, q.answer.Zone = NoError, z.id
		q.add(at, z.id, verdict.No, fmt.Sprintf("%s exists in the zone but has no address", name))
		return "", true
	}
	return "", q.missing(z, l, at, name)
}

// missing is a linked zone that lacks the name. It reports whether that ends the search.
func (q *question) missing(z *zone, l link, at, name string) bool {
	if l.fallback {
		q.add(at, l.id, verdict.Yes, fmt.Sprintf("the zone has no record for %s, and the link falls back to the internet", name))
		return false
	}
	if len(z.doubts) > 0 {
		q.add(at, z.doubts[0].by, verdict.Unknown, fmt.Sprintf("no record for %s is known, but %s", name, z.doubts[0].reason))
		return true
	}
	q.answer.Code, q.answer.Zone = NXDomain, z.id
	q.add(at, z.id, verdict.No, fmt.Sprintf(
		"the zone has no record for %s, and a linked zone is not asked again in public: no zone group or A record set writes it", name))
	return true
}

// sayUnlinked notes that private zones which cover the name are not seen from here.
func (q *question) sayUnlinked(name string) {
	for _, z := range q.records.zones {
		if under(name, z.name) {
			q.add("zone "+z.name, z.id, verdict.Yes, fmt.Sprintf("not linked to %s, so its records are not seen there", q.vnet.Name()))
			return
		}
	}
	if i := strings.Index(name, ".privatelink."); i >= 0 {
		q.add("zone "+name[i+1:], "", verdict.Yes, fmt.Sprintf("there is no such private zone to link to %s", q.vnet.Name()))
	}
}

func (q *question) inPublic(name string) string {
	rec, ok := q.records.public[name]
	switch {
	case !ok:
		q.answer.Code = NXDomain
		q.add("public DNS", "", verdict.No, name+" is not a name that this cloud serves")
		return ""
	case rec.unknown != "":
		q.add("public DNS", rec.by, verdict.Unknown, rec.unknown)
		return ""
	case rec.cname != "":
		q.add("public DNS", rec.by, verdict.Yes, rec.reason)
		return rec.cname
	case !rec.addr.IsValid():
		q.answer.Code = NoError
		q.add("public DNS", rec.by, verdict.No, name+" has no public address")
		return ""
	}
	q.answer.Code, q.answer.Addrs = NoError, []netip.Addr{rec.addr}
	q.add("public DNS", rec.by, verdict.Yes, fmt.Sprintf("%s is %s, %s", name, rec.addr, rec.reason))
	return ""
}

func sorted(addrs []netip.Addr) []netip.Addr {
	out := slices.Clone(addrs)
	slices.SortFunc(out, netip.Addr.Compare)
	return out
}

func join(addrs []netip.Addr) string {
	parts := make([]string, len(addrs))
	for i, a := range addrs {
		parts[i] = a.String()
	}
	return strings.Join(parts, ", ")
}
