package network

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

// PlatformService is a door that the platform opens to every machine at one of
// its own addresses.
type PlatformService struct {
	Addr     netip.Addr
	Protocol Protocol
	Port     uint16
}

// PlatformServices are all there are: DNS and the wire server at 168.63.129.16,
// instance metadata at 169.254.169.254. Nothing else is answered there.
func PlatformServices() []PlatformService {
	return []PlatformService{
		{service.WireServer, UDP, 53},
		{service.WireServer, TCP, 53},
		{service.WireServer, TCP, 80},
		{service.Metadata, TCP, 80},
	}
}

// Platform are the rules of the filter that concern one of the platform's own
// addresses, in their order and each for that address alone: those that name it
// by its tag, and those whose destinations are not known and so may. No other
// rule concerns the platform; what none of these matches passes the filter.
func (f Filter) Platform(a netip.Addr) []Match {
	tag := tagPlatformDNS
	if a == service.Metadata {
		tag = tagPlatformIMDS
	}
	var out []Match
	for _, m := range f.Matches {
		doubt, may := m.Rule.Doubts.About(aboutDestination)
		named := slices.ContainsFunc(m.Rule.Destinations, func(s string) bool { return strings.EqualFold(s, tag) })
		switch {
		case named:
			out = append(out, m.narrow([]netip.Prefix{single(a)}, nil))
		case may:
			doubt.Within = []netip.Prefix{single(a)}
			out = append(out, m.narrow(nil, Doubts{doubt}))
		}
	}
	return out
}

// narrow gives a rule other destinations, and other doubts about them.
func (m Match) narrow(to []netip.Prefix, doubts Doubts) Match {
	about := func(d Doubt) bool { return d.About == aboutDestination }
	m.Destinations = to
	m.Rule.Doubts = append(slices.DeleteFunc(slices.Clone(m.Rule.Doubts), about), doubts...)
	m.Doubts = append(slices.DeleteFunc(slices.Clone(m.Doubts), about), doubts...)
	if len(m.Doubts) == 0 {
		m.Unresolved = nil
	}
	return m
}

// exempt ends the rules of a filter that concern the platform.
var exempt = Match{
	Rule: Rule{Name: "the platform is exempt", Priority: 65501, Direction: Outbound, Allow: true, Protocol: "*",
		Sources: []string{"*"}, Destinations: []string{"*"}, Default: true},
	Sources: allAddresses, Destinations: allAddresses,
}

// platform ends a flow at one of the platform's own addresses. They skip the
// security groups of the NIC and of the subnet, unless rules name them by their
// tag: then both must allow.
func (t *Topology) platform(a *Answer, from place, f Flow) {
	step := verdict.Step{At: "platform address " + f.Destination.String(), Value: verdict.Yes,
		Reason: "Azure's own DNS and metadata addresses are reachable from every machine, and security groups do not apply to them"}
	if open := platformPorts(f.Destination); !slices.Contains(open, f.service()) {
		step.Value = verdict.No
		step.Reason = fmt.Sprintf("%s is not answered there: %s answers %s only", f.service(), f.Destination, strings.Join(open, ", "))
		a.Add(step)
		return
	}
	concerned := false
	for _, filter := range t.filters(from.nic, Outbound) {
		filter.Matches = filter.Platform(f.Destination)
		if !matchesAny(filter.Matches, f) {
			continue
		}
		filter.Matches = append(filter.Matches, exempt)
		concerned = true
		a.Add(filter.Decide(f))
		if a.Value == verdict.No {
			return
		}
	}
	if !concerned {
		a.Add(step)
	}
}

// platformPart is the end of a path at one of the platform's own addresses.
type platformPart struct {
	t        *Topology
	at       place
	from, to netip.Addr
}

func (p platformPart) follow(a *Answer, f Flow) {
	f.Source, f.Destination = p.from, p.to
	p.t.platform(a, p.at, f)
}

// platformPorts are what a platform address answers: UDP 53, TCP 80.
func platformPorts(a netip.Addr) []string {
	var out []string
	for _, s := range PlatformServices() {
		if s.Addr == a {
			out = append(out, Flow{Protocol: s.Protocol, Port: s.Port}.service())
		}
	}
	return out
}

func matchesAny(list []Match, f Flow) bool {
	return slices.ContainsFunc(list, func(m Match) bool { return m.Test(f) != verdict.No })
}
