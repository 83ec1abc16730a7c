package network

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

// What the doubts of a rule are about.
const (
	aboutSource      = "source"
	aboutDestination = "destination"
	aboutSourcePort  = "source port"
	aboutPort        = "port"
	aboutProtocol    = "protocol"
	aboutVerb        = "access" // Allow or Deny
	aboutPriority    = "priority"
	aboutDirection   = "direction"
	aboutRules       = "securityRules"
)

// Priorities that a user may give, and those of the default rules.
const (
	firstPriority = 100
	lastPriority  = 4096
)

func (b *builder) nsgs() {
	for _, r := range b.e.OfType(typeNSG) {
		b.t.nsgAt[r.ID.Key()] = len(b.t.NSGs)
		b.t.NSGs = append(b.t.NSGs, b.nsg(r))
	}
}

func (b *builder) nsg(r arm.Resource) NSG {
	g := NSG{ID: r.ID, Name: r.ID.Name()}
	var hidden Doubts // rules that are there but cannot be read
	for i, d := range b.read(r, &hidden).objects(aboutRules, "rule") {
		g.Rules = append(g.Rules, b.rule(d, i)...)
	}
	for _, doubt := range hidden {
		g.Rules = append(g.Rules, unreadable(Inbound, doubt), unreadable(Outbound, doubt))
	}
	g.Rules = append(g.Rules, defaultRules()...)
	slices.SortStableFunc(g.Rules, compareRules)
	b.checkPriorities(r, g)
	return g
}

// compareRules orders a direction by priority; a rule whose priority is not
// known comes first, for it may.
func compareRules(a, b Rule) int {
	return cmp.Or(
		strings.Compare(string(a.Direction), string(b.Direction)),
		cmp.Compare(a.Priority, b.Priority),
		strings.Compare(a.Name, b.Name),
	)
}

// unreadable stands for a rule of which nothing is known but that it may exist.
func unreadable(dir Direction, why Doubt) Rule {
	why.Within = nil
	r := Rule{Name: "(not known)", Direction: dir, Protocol: "*"}
	for _, about := range []string{aboutVerb, aboutSource, aboutDestination, aboutPriority} {
		why.About = about
		r.Doubts = append(r.Doubts, why)
	}
	return r
}

// rule reads one security rule; with an unknown direction it is one in each.
func (b *builder) rule(d document, i int) []Rule {
	var doubts Doubts
	d.doubts = &doubts
	r := Rule{
		Name:             nameOf(d.o, i),
		Part:             d.part,
		Priority:         d.as(aboutPriority).number("properties.priority", 0),
		Allow:            d.oneOf(aboutVerb, "properties.access", "Allow", "Deny") == "Allow",
		Protocol:         d.oneOf(aboutProtocol, "properties.protocol", "*", "Tcp", "Udp", "Icmp", "Esp", "Ah"),
		Sources:          d.as(aboutSource).texts("properties.sourceAddressPrefix", "properties.sourceAddressPrefixes"),
		Destinations:     d.as(aboutDestination).texts("properties.destinationAddressPrefix", "properties.destinationAddressPrefixes"),
		SourcePorts:      d.as(aboutSourcePort).ports("properties.sourcePortRange", "properties.sourcePortRanges"),
		DestinationPorts: d.as(aboutPort).ports("properties.destinationPortRange", "properties.destinationPortRanges"),
		SourceASGs:       d.as(aboutSource).refs("properties.sourceApplicationSecurityGroups"),
		DestinationASGs:  d.as(aboutDestination).refs("properties.destinationApplicationSecurityGroups"),
		Direction:        Direction(d.oneOf(aboutDirection, "properties.direction", string(Inbound), string(Outbound))),
	}
	d.checkSides(r)
	if _, unknown := doubts.About(aboutPriority); !unknown && (r.Priority < firstPriority || r.Priority > lastPriority) {
		d.malformed(aboutPriority, "priority %d is outside %d-%d; choose one within", r.Priority, firstPriority, lastPriority)
	}
	r.Doubts = doubts
	if r.Direction != "" {
		return []Rule{r}
	}
	in, out := r, r
	in.Direction, out.Direction = Inbound, Outbound
	return []Rule{in, out}
}

// oneOf is the value at path, spelt as in allowed; anything else is noted.
func (d document) oneOf(about, path string, allowed ...string) string {
	d = d.as(about)
	before := len(*d.doubts)
	s := d.text(path)
	for _, a := range allowed {
		if strings.EqualFold(s, a) {
			return a
		}
	}
	if len(*d.doubts) == before {
		d.malformed(about, "%s is %q, which is none of %s", strings.TrimPrefix(path, "properties."), s, strings.Join(allowed, ", "))
	}
	return ""
}

// checkSides notes a rule that names nobody on one side, and prefixes that do
// not parse.
func (d document) checkSides(r Rule) {
	for _, side := range []struct {
		about string
		terms []string
		asgs  []arm.ID
	}{
		{aboutSource, r.Sources, r.SourceASGs},
		{aboutDestination, r.Destinations, r.DestinationASGs},
	} {
		if _, known := d.doubts.About(side.about); !known && len(side.terms)+len(side.asgs) == 0 {
			d.malformed(side.about, "no %s is given; give a prefix, a service tag, an application security group or *", side.about)
		}
		for _, s := range side.terms {
			if _, err := parseTerm(s); err != nil && !looksLikeTag(s) {
				d.as(side.about).malformed(side.about, "%s %v; give a prefix, a service tag or *", side.about, err)
			}
		}
	}
}

// looksLikeTag reports whether a term is a tag or *, and not an address gone wrong.
func looksLikeTag(s string) bool {
	return s == "*" || s != "" && !strings.ContainsAny(s, "/: \t") && (s[0] < '0' || s[0] > '9')
}

// ports reads port ranges; every port is an empty list.
func (d document) ports(paths ...string) []PortRange {
	var out []PortRange
	for _, s := range d.texts(paths...) {
		if s == "*" {
			return nil
		}
		r, ok := parsePorts(s)
		if !ok {
			d.malformed(paths[0], "%q is not a port, a range of ports or *", s)
			continue
		}
		out = append(out, r)
	}
	return out
}

func parsePorts(s string) (PortRange, bool) {
	low, high, isRange := strings.Cut(strings.TrimSpace(s), "-")
	first, err := strconv.ParseUint(strings.TrimSpace(low), 10, 16)
	if err != nil {
		return PortRange{}, false
	}
	end := first
	if isRange {
		if end, err = strconv.ParseUint(strings.TrimSpace(high), 10, 16); err != nil || end < first {
			return PortRange{}, false
		}
	}
	return PortRange{uint16(first), uint16(end)}, true
}

// defaultRules are the six that Azure adds to every group.
func defaultRules() []Rule {
	rule := func(dir Direction, priority int, name string, allow bool, from, to string) Rule {
		return Rule{Name: name, Priority: priority, Direction: dir, Allow: allow, Protocol: "*",
			Sources: []string{from}, Destinations: []string{to}, Default: true}
	}
	return []Rule{
		rule(Inbound, 65000, "AllowVnetInBound", true, tagVirtualNetwork, tagVirtualNetwork),
		rule(Inbound, 65001, "AllowAzureLoadBalancerInBound", true, tagLoadBalancer, "*"),
		rule(Inbound, 65500, "DenyAllInBound", false, "*", "*"),
		rule(Outbound, 65000, "AllowVnetOutBound", true, tagVirtualNetwork, tagVirtualNetwork),
		rule(Outbound, 65001, "AllowInternetOutBound", true, "*", tagInternet),
		rule(Outbound, 65500, "DenyAllOutBound", false, "*", "*"),
	}
}

func (b *builder) checkPriorities(r arm.Resource, g NSG) {
	for i := 1; i < len(g.Rules); i++ {
		x, y := g.Rules[i-1], g.Rules[i]
		_, unknown := y.Doubts.About(aboutPriority)
		if x.Direction == y.Direction && x.Priority == y.Priority && !unknown {
			b.problemAt(r, y.Part, "rules %s and %s are both %s with priority %d; priorities must differ within a direction", x.Name, y.Name, x.Direction, x.Priority)
		}
	}
}
