package network

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

// firewallRule is one network or application rule, for one protocol.
type firewallRule struct {
	Match
	application bool
	// hosts are the names that the rule is for, with * for what stands before;
	// nil where it is for addresses only.
	hosts []string
	// broad says why it may be for other hosts as well: an FQDN tag, a category.
	broad  string
	origin FirewallOrigin
	holder arm.ID // the document that the rule is part of
}

// natRule translates destinations.
type natRule struct {
	Match
	address netip.Addr
	port    uint16 // 0: unchanged
	origin  FirewallOrigin
}

// collectionRule is a rule of a collection as written.
type collectionRule struct {
	document
	name     string
	priority int
	allow    bool
	origin   FirewallOrigin
}

func (c collectionRule) rule(protocol string) Rule {
	return Rule{Name: c.name, Priority: c.priority, Direction: Outbound, Allow: c.allow, Protocol: protocol, Part: c.part, Doubts: *c.doubts}
}

// network is a network rule: one for each protocol.
func (c collectionRule) network(b *builder) []firewallRule {
	from, to := c.side(b, aboutSource, "source"), c.side(b, aboutDestination, "destination")
	ports := c.as(aboutPort).ports("destinationPorts")
	hosts := c.as(aboutHost).texts("destinationFqdns")
	protocols := c.as(aboutProtocol).texts("ipProtocols", "protocols")
	if _, unknown := c.doubts.About(aboutProtocol); unknown && len(protocols) == 0 {
		protocols = []string{"Any"}
	}
	var out []firewallRule
	for _, p := range protocols {
		r := c.rule(firewallProtocol(p))
		r.DestinationPorts = ports
		m := Match{Rule: r, Sources: from, Destinations: to}
		if len(hosts) > 0 {
			m.Destinations = allAddresses // which of its addresses a name has is not ours to say
		}
		out = append(out, firewallRule{Match: m, hosts: hosts, origin: c.origin, holder: c.r.ID}.settled())
	}
	return out
}

func firewallProtocol(s string) string {
	switch strings.ToLower(s) {
	case "tcp":
		return string(TCP)
	case "udp":
		return string(UDP)
	case "icmp":
		return string(ICMP)
	}
	return "*"
}

// application is an application rule: one for each protocol and port. It looks
// at the name that the client asks for, not at the address.
func (c collectionRule) application(b *builder) []firewallRule {
	from := c.side(b, aboutSource, "source")
	hosts := c.as(aboutHost).texts("targetFqdns")
	broad := ""
	for _, list := range []string{"fqdnTags", "targetUrls", "webCategories"} {
		if words := c.as(aboutHost).texts(list); len(words) > 0 {
			broad = fmt.Sprintf("%s of %s may stand for the host", list, strings.Join(words, ", "))
		}
	}
	var out []firewallRule
	for _, p := range c.as(aboutProtocol).objects("protocols", "protocol") {
		r := c.rule(string(TCP))
		port := uint16(p.number("port", defaultPort(p.text("protocolType"))))
		r.DestinationPorts = []PortRange{{port, port}}
		out = append(out, firewallRule{Match: Match{Rule: r, Sources: from, Destinations: allAddresses}, application: true, hosts: append([]string{}, hosts...), broad: broad, origin: c.of(p.text("protocolType")), holder: c.r.ID}.settled())
	}
	return out
}

// of is the origin of a rule for one scheme.
func (c collectionRule) of(scheme string) FirewallOrigin {
	c.origin.Scheme = scheme
	return c.origin
}

func defaultPort(protocol string) int {
	switch strings.ToLower(protocol) {
	case "http":
		return 80
	case "mssql":
		return 1433
	}
	return 443
}

// nat is a rule that translates destinations: one for each protocol.
func (c collectionRule) nat(b *builder) []natRule {
	from, to := c.side(b, aboutSource, "source"), c.side(b, aboutDestination, "destination")
	address, err := parseAddr(c.text("translatedAddress"))
	if err != nil {
		c.doubt(aboutVerb, "where it leads is not known")
	}
	port := uint16(c.as(aboutVerb).portNumber("translatedPort"))
	var out []natRule
	for _, p := range c.as(aboutProtocol).texts("ipProtocols", "protocols") {
		r := c.rule(firewallProtocol(p))
		r.Allow = true
		r.DestinationPorts = c.as(aboutPort).ports("destinationPorts")
		out = append(out, natRule{Match: firewallRule{Match: Match{Rule: r, Sources: from, Destinations: to}}.settled().Match, address: address, port: port, origin: c.origin})
	}
	return out
}

// portNumber is a port that a document holds as text or as a number.
func (d document) portNumber(path string) int {
	if s, ok := arm.Lookup(d.o, path); ok {
		if text, ok := s.(string); ok {
			r, ok := parsePorts(text)
			if !ok || r.First != r.Last {
				d.malformed(aboutVerb, "%s %q is not a port", path, text)
			}
			return int(r.First)
		}
	}
	return d.number(path, 0)
}

// settled takes the doubts of the rule as written for those of the match.
func (r firewallRule) settled() firewallRule {
	r.Doubts = r.Rule.Doubts
	for _, d := range r.Doubts {
		r.Unresolved = append(r.Unresolved, d.Reason)
	}
	return r
}

// side are the addresses of one side of a rule: addresses, prefixes, ranges,
// service tags, * and IP groups.
func (c collectionRule) side(b *builder, about, side string) []netip.Prefix {
	d := c.as(about)
	var out []netip.Prefix
	for _, s := range d.texts(side + "Addresses") {
		out = append(out, d.firewallTerm(about, s)...)
	}
	for _, s := range d.texts(side + "IpGroups") {
		group, ok := b.e.Get(arm.ID(s))
		if !ok {
			d.doubt(about, "IP group "+arm.ID(s).Name()+" is not in the estate")
			continue
		}
		for _, member := range b.read(group, d.doubts).as(about).texts("ipAddresses") {
			out = append(out, d.firewallTerm(about, member)...)
		}
	}
	return out
}

func (d document) firewallTerm(about, s string) []netip.Prefix {
	if s == "*" || strings.EqualFold(s, "Any") {
		return allAddresses
	}
	if p, err := parseTerm(s); err == nil {
		return []netip.Prefix{p}
	}
	if low, high, ok := strings.Cut(s, "-"); ok {
		first, err1 := parseAddr(low)
		final, err2 := parseAddr(high)
		if err1 == nil && err2 == nil && first.Is4() == final.Is4() && first.Compare(final) <= 0 {
			return between(first, final)
		}
	}
	if strings.EqualFold(s, tagInternet) {
		return worldwide
	}
	if prefixes, ok := service.Tag(s); ok {
		return prefixes
	}
	if looksLikeTag(s) {
		*d.doubts = append(*d.doubts, Doubt{About: about, Reason: d.at + unlisted(s), Within: worldwide})
		return nil
	}
	d.malformed(about, "%q is neither an address, a prefix, a range nor a service tag", s)
	return nil
}

// test says whether a flow matches the rule, the name that it asks for included.
func (r firewallRule) test(f Flow) verdict.Value {
	return verdict.And(r.Test(f), r.testHost(f.Host))
}

func (r firewallRule) testHost(host string) verdict.Value {
	if len(r.hosts) == 0 && r.broad == "" && !r.application {
		return verdict.Yes
	}
	if _, doubt := r.Doubts.About(aboutHost); doubt {
		return verdict.Unknown
	}
	for _, pattern := range r.hosts {
		if pattern == "*" || host != "" && hostMatches(pattern, host) {
			return verdict.Yes
		}
	}
	if r.broad != "" || host == "" && len(r.hosts) > 0 {
		return verdict.Unknown
	}
	return verdict.No
}

// hostMatches: *.example.com is for every name below example.com.
func hostMatches(pattern, host string) bool {
	pattern, host = strings.ToLower(strings.TrimSuffix(pattern, ".")), strings.ToLower(strings.TrimSuffix(host, "."))
	if suffix, ok := strings.CutPrefix(pattern, "*"); ok {
		return strings.HasSuffix(host, suffix) && len(host) > len(suffix)
	}
	return pattern == host
}

// why is the reason for which it is not certain whether a flow matches.
func (r firewallRule) why(f Flow) string {
	if r.testHost(f.Host) == verdict.Unknown {
		if r.broad != "" {
			return r.broad
		}
		return "it is for " + strings.Join(r.hosts, ", ") + ", and the flow names no host"
	}
	return r.doubt(f)
}
