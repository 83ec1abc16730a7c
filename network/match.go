package network

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/verdict"
)

// term is one source or destination of a rule as written, with the addresses
// that it stands for.
type term struct {
	name     string
	prefixes []netip.Prefix
}

// Ephemeral source ports begin here: a rule on source ports that covers all
// above it matches every client.
const firstEphemeral = 1024

// Test says whether a flow matches the rule: Yes, No, or Unknown where a doubt
// decides.
func (m Match) Test(f Flow) verdict.Value {
	return verdict.And(
		verdict.And(m.testProtocol(f), m.testPorts(f)),
		verdict.And(m.testSide(aboutSource, m.Sources, f.Source), m.testSide(aboutDestination, m.Destinations, f.Destination)),
	)
}

func (m Match) testProtocol(f Flow) verdict.Value {
	if _, doubt := m.Doubts.About(aboutDirection); doubt {
		return verdict.Unknown
	}
	if _, doubt := m.Doubts.About(aboutProtocol); doubt {
		return verdict.Unknown
	}
	if m.mayBeICMP6(f) {
		return verdict.Unknown
	}
	return holds(m.Rule.Protocol == "*" || strings.EqualFold(m.Rule.Protocol, string(f.Protocol)))
}

// mayBeICMP6: security groups are said not to support ICMPv6, and not what a rule
// for Icmp does with it. A rule for every protocol is for it too.
//
// Source: Microsoft Learn, "What is IPv6 for Azure Virtual Network?" (limitations).
func (m Match) mayBeICMP6(f Flow) bool {
	return f.Protocol == ICMP && f.Source.Is6() && strings.EqualFold(m.Rule.Protocol, string(ICMP))
}

func (m Match) testPorts(f Flow) verdict.Value {
	destination := holds(len(m.Rule.DestinationPorts) == 0)
	for _, r := range m.Rule.DestinationPorts {
		// ICMP has no ports: only a rule for every port is for it.
		if r.whole() || f.Protocol != ICMP && r.First <= f.Port && f.Port <= r.Last {
			destination = verdict.Yes
		}
	}
	if _, doubt := m.Doubts.About(aboutPort); doubt {
		destination = verdict.Unknown
	}
	return verdict.And(destination, m.testSourcePort(f))
}

// testSourcePort: the source port of a flow is the client's choice, so a rule
// that names some of them may match or not.
func (m Match) testSourcePort(f Flow) verdict.Value {
	if _, doubt := m.Doubts.About(aboutSourcePort); doubt {
		return verdict.Unknown
	}
	if len(m.Rule.SourcePorts) == 0 {
		return verdict.Yes
	}
	if f.SourcePort != 0 && f.Protocol != ICMP {
		return holds(slices.ContainsFunc(m.Rule.SourcePorts, func(r PortRange) bool { return r.First <= f.SourcePort && f.SourcePort <= r.Last }))
	}
	for _, r := range m.Rule.SourcePorts {
		if r.First <= firstEphemeral && r.Last == 65535 {
			return verdict.Yes
		}
	}
	return verdict.Unknown
}

func (r PortRange) whole() bool { return r.First <= 1 && r.Last == 65535 }

func (m Match) testSide(about string, list []netip.Prefix, a netip.Addr) verdict.Value {
	if contains(list, a) {
		return verdict.Yes
	}
	for _, d := range m.Doubts {
		if d.About == about && d.concerns(a) {
			return verdict.Unknown
		}
	}
	return verdict.No
}

func holds(b bool) verdict.Value {
	if b {
		return verdict.Yes
	}
	return verdict.No
}

// certain reports whether it is known what the rule does once it matches, and
// where it stands among the others.
func (m Match) certain() bool {
	_, verb := m.Doubts.About(aboutVerb)
	_, priority := m.Doubts.About(aboutPriority)
	return !verb && !priority
}

// doubt is the reason why a flow may match.
func (m Match) doubt(f Flow) string {
	for _, d := range m.Doubts {
		switch {
		case d.About == aboutSource && (contains(m.Sources, f.Source) || !d.concerns(f.Source)):
		case d.About == aboutDestination && (contains(m.Destinations, f.Destination) || !d.concerns(f.Destination)):
		default:
			return d.Reason
		}
	}
	if m.mayBeICMP6(f) {
		return "it is for ICMP, and Azure does not say whether that is ICMPv6 too: security groups do not support it"
	}
	if m.testSourcePort(f) == verdict.Unknown {
		return fmt.Sprintf("it is for source ports %s only, and the client chooses its own", portList(m.Rule.SourcePorts))
	}
	return "it cannot be read"
}

// describe is an address with the term of a rule by which it was matched.
func describe(a netip.Addr, terms []term) string {
	for _, t := range terms {
		if t.name == "*" || !contains(t.prefixes, a) {
			continue
		}
		if t.name == a.String() {
			break
		}
		return fmt.Sprintf("%s (%s)", a, t.name)
	}
	return a.String()
}

func (m Match) title() string {
	if m.Rule.Default {
		return fmt.Sprintf("default rule %s (priority %d)", m.Rule.Name, m.Rule.Priority)
	}
	if _, unknown := m.Rule.Doubts.About(aboutPriority); unknown {
		return fmt.Sprintf("rule %s (priority not known)", m.Rule.Name)
	}
	return fmt.Sprintf("rule %s (priority %d)", m.Rule.Name, m.Rule.Priority)
}

func (m Match) verb() string {
	if _, unknown := m.Doubts.About(aboutVerb); unknown {
		return "allows or denies"
	}
	if m.Rule.Allow {
		return "allows"
	}
	return "denies"
}

// sentence: rule allow-ssh (priority 200) allows TCP 22 from 10.1.0.4 (10.1.0.0/24) to 10.2.0.4.
func (m Match) sentence(f Flow) string {
	return fmt.Sprintf("%s %s %s from %s to %s", m.title(), m.verb(), f.service(), describe(f.Source, m.from), describe(f.Destination, m.to))
}

// service is what a flow asks for: TCP 443, ICMP.
func (f Flow) service() string {
	if f.Protocol == ICMP {
		return "ICMP"
	}
	return fmt.Sprintf("%s %d", strings.ToUpper(string(f.Protocol)), f.Port)
}

func (r PortRange) String() string {
	if r.First == r.Last {
		return fmt.Sprint(r.First)
	}
	return fmt.Sprintf("%d-%d", r.First, r.Last)
}

func portList(list []PortRange) string {
	words := make([]string, len(list))
	for i, r := range list {
		words[i] = r.String()
	}
	return strings.Join(words, ", ")
}
