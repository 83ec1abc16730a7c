package network

import (
	"fmt"
	"strings"
	"sync"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/verdict"
)

// Filter is one place at which a NIC's packets meet a network security group.
type Filter struct {
	NSG     arm.ID
	At      string  // subnet training, NIC nic-jump
	Matches []Match // in the order in which they are tried: the first that matches decides
	// Doubts are reasons why the filter may not be there at all.
	Doubts Doubts

	direction Direction
}

// sighting is a group as seen from a subnet, in one direction.
type sighting struct {
	nsg, subnet string
	direction   Direction
}

// Matches are the rules of a group in priority order, default rules included,
// with tags resolved as seen from a subnet.
func (t *Topology) Matches(nsg, subnet arm.ID, d Direction) []Match {
	if f, ok := t.seen[sighting{nsg.Key(), subnet.Key(), d}]; ok {
		return f()
	}
	return t.matches(nsg, subnet, d)
}

// see prepares the sightings that will be asked for; each is made when it first is.
func (b *builder) see() {
	add := func(nsg, subnet arm.ID) {
		if nsg == "" {
			return
		}
		for _, d := range []Direction{Inbound, Outbound} {
			key := sighting{nsg.Key(), subnet.Key(), d}
			if _, ok := b.t.seen[key]; !ok {
				b.t.seen[key] = sync.OnceValue(func() []Match { return b.t.matches(nsg, subnet, d) })
			}
		}
	}
	for _, s := range b.t.Subnets {
		add(s.NSG, s.ID)
		b.t.views[s.ID.Key()] = sync.OnceValue(func() view { return b.t.viewOf(s.ID) })
	}
	for _, n := range b.t.NICs {
		add(n.NSG, n.Subnet)
	}
}

func (t *Topology) view(subnet arm.ID) view {
	if f, ok := t.views[subnet.Key()]; ok {
		return f()
	}
	return t.viewOf(subnet)
}

func (t *Topology) matches(nsg, subnet arm.ID, d Direction) []Match {
	g, ok := t.NSG(nsg)
	if !ok {
		return nil
	}
	return t.matchesOf(g, subnet, d)
}

// matchesOf are those of a group that need not be one of the topology's.
func (t *Topology) matchesOf(g NSG, subnet arm.ID, d Direction) []Match {
	w := t.view(subnet)
	var out []Match
	for _, r := range g.Rules {
		if r.Direction == d {
			out = append(out, t.match(r, w))
		}
	}
	return out
}

func (t *Topology) match(r Rule, w view) Match {
	from := t.resolve(aboutSource, r.Sources, r.SourceASGs, w)
	to := t.resolve(aboutDestination, r.Destinations, r.DestinationASGs, w)
	m := Match{Rule: r, Sources: from.prefixes(), Destinations: to.prefixes(), from: from.terms, to: to.terms}
	for _, d := range r.Doubts {
		m.Unresolved = append(m.Unresolved, d.Reason)
	}
	m.Unresolved = append(append(m.Unresolved, from.unresolved...), to.unresolved...)
	m.Doubts = append(append(append(m.Doubts, r.Doubts...), from.doubts...), to.doubts...)
	return m
}

// Filters are what a new connection of a NIC meets in one direction, in Azure's
// order: outbound the NIC's group then the subnet's, inbound the subnet's then
// the NIC's. It is empty where nothing filters.
func (t *Topology) Filters(nic arm.ID, d Direction) []Filter {
	n, ok := t.NIC(nic)
	if !ok {
		n, ok = t.host(nic)
	}
	if !ok {
		return nil
	}
	return t.filters(n, d)
}

func (t *Topology) filters(n NIC, d Direction) []Filter {
	s, _ := t.Subnet(n.Subnet)
	if n.Kind == KindPrivateEndpoint {
		return t.endpointFilters(s, d)
	}
	subnet := t.level(s.NSG, s.ID, s.Doubts, "subnet "+s.Name, d)
	own := t.level(n.NSG, s.ID, n.Doubts, "NIC "+n.ID.Name(), d)
	if d == Outbound {
		return append(own, subnet...)
	}
	if len(own)+len(subnet) == 0 {
		return t.closed(n)
	}
	return append(subnet, own...)
}

// endpointFilters: a private endpoint starts no connection, and its subnet's
// group is for it only where the subnet's policies say so.
func (t *Topology) endpointFilters(s Subnet, d Direction) []Filter {
	policies, unknown := s.Doubts.About(aboutPolicies)
	if d == Outbound || !s.EndpointNSG && !unknown {
		return nil
	}
	out := t.level(s.NSG, s.ID, s.Doubts, "subnet "+s.Name, d)
	for i := range out {
		if unknown {
			out[i].Doubts = append(out[i].Doubts, policies)
		}
	}
	return out
}

// level is the group at one place; one that is not known may say anything.
func (t *Topology) level(nsg, subnet arm.ID, doubts Doubts, at string, d Direction) []Filter {
	f := Filter{NSG: nsg, At: at, direction: d}
	if why, unknown := doubts.About(aboutNSG); unknown {
		r := unreadable(d, why)
		f.Matches = []Match{{Rule: r, Unresolved: []string{why.Reason}, Doubts: r.Doubts}}
		return []Filter{f}
	}
	if nsg == "" {
		return nil
	}
	f.Matches = t.Matches(nsg, subnet, d)
	if f.Matches == nil {
		return nil
	}
	return []Filter{f}
}

// closed is what a Standard public IP address does by itself: it lets nothing
// in from the internet until a group allows it.
func (t *Topology) closed(n NIC) []Filter {
	p, ok := t.standard[n.ID.Key()]
	if !ok {
		return nil
	}
	everything := []term{{"*", allAddresses}}
	w := t.view(n.Subnet)
	deny := Match{
		Rule:    Rule{Name: "closed until a group allows", Priority: 65500, Direction: Inbound, Protocol: "*", Sources: []string{tagInternet}, Destinations: []string{"*"}, Default: true},
		Sources: w.internet, Destinations: allAddresses, from: []term{{tagInternet, w.internet}}, to: everything,
	}
	allow := Match{
		Rule:    Rule{Name: "no network security group", Priority: 65501, Direction: Inbound, Allow: true, Protocol: "*", Sources: []string{"*"}, Destinations: []string{"*"}, Default: true},
		Sources: allAddresses, Destinations: allAddresses, from: everything, to: everything,
	}
	return []Filter{{At: "Standard public IP address " + p.Name(), Matches: []Match{deny, allow}, direction: Inbound}}
}

// Decide says what the filter does with a new connection. Where a rule may match
// or not, both cases are followed: the answer is unknown only if they differ.
func (f Filter) Decide(flow Flow) verdict.Step {
	step := verdict.Step{At: f.title(), Resource: f.NSG}
	var may []Match // rules that may decide before the one that does
	for _, m := range f.Matches {
		switch m.Test(flow) {
		case verdict.No:
			continue
		case verdict.Yes:
			if m.certain() {
				step.Value, step.Reason = f.conclude(m, may, flow)
				step.Part = m.Rule.Part
				return step
			}
		}
		may = append(may, m)
	}
	if len(may) > 0 {
		m := may[0]
		step.Part, step.Value = m.Rule.Part, verdict.Unknown
		step.Reason = fmt.Sprintf("%s, if it applies: %s", m.sentence(flow), m.doubt(flow))
		return step
	}
	step.Value, step.Reason = verdict.No, "no rule matches "+flow.service()
	return step
}

func (f Filter) conclude(m Match, may []Match, flow Flow) (verdict.Value, string) {
	for _, x := range may {
		if !x.certainVerb() || x.Rule.Allow != m.Rule.Allow {
			return verdict.Unknown, fmt.Sprintf("%s, if it applies: %s; otherwise %s", x.sentence(flow), x.doubt(flow), m.sentence(flow))
		}
	}
	if m.Rule.Allow {
		return verdict.Yes, m.sentence(flow)
	}
	if len(f.Doubts) > 0 {
		return verdict.Unknown, fmt.Sprintf("%s, if the group is applied: %s", m.sentence(flow), f.Doubts[0].Reason)
	}
	if m.Rule.Default && f.NSG != "" {
		return verdict.No, "no rule allows it: " + m.sentence(flow)
	}
	return verdict.No, m.sentence(flow)
}

func (m Match) certainVerb() bool {
	_, unknown := m.Doubts.About(aboutVerb)
	return !unknown
}

func (f Filter) title() string {
	direction := strings.ToLower(string(f.direction))
	if f.NSG == "" {
		return fmt.Sprintf("%s (%s)", f.At, direction)
	}
	return fmt.Sprintf("NSG %s (%s, %s)", f.NSG.Name(), f.At, direction)
}
