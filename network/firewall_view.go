package network

import (
	"net/netip"

	"github.com/cloister-ml/cloister/arm"
)

// FirewallRule is a network or application rule of an Azure Firewall, for one
// protocol: what the evaluator tests and what the fabric compiles.
type FirewallRule struct {
	Match
	Application bool
	// Hosts are the names that the rule is for, with * for what stands before; empty
	// where it is for addresses only.
	Hosts []string
	// Broad says why the rule may be for other hosts as well, which is never certain:
	// an FQDN tag, a web category.
	Broad  string
	Origin FirewallOrigin
}

// FirewallNATRule translates destinations of an Azure Firewall's own addresses.
type FirewallNATRule struct {
	Match
	Address netip.Addr
	Port    uint16 // 0: unchanged
	Origin  FirewallOrigin
}

// FirewallOrigin is where a rule is written, as the firewall's logs name it.
type FirewallOrigin struct {
	Policy     arm.ID // "" for a classic rule
	Group      string // rule collection group, "" for a classic rule
	Collection string
	Rule       string
	Scheme     string // of an application rule: Http, Https or Mssql
}

// Rules are the rules that allow and deny, network rules before application rules,
// in the order in which they are tried. What none matches is denied.
func (fw *Firewall) Rules() []FirewallRule {
	out := make([]FirewallRule, len(fw.rules))
	for i, r := range fw.rules {
		out[i] = FirewallRule{r.Match, r.application, r.hosts, r.broad, r.origin}
	}
	return out
}

// NATRules are the rules that translate destinations, in the order in which they
// are tried.
func (fw *Firewall) NATRules() []FirewallNATRule {
	out := make([]FirewallNATRule, len(fw.nat))
	for i, r := range fw.nat {
		out[i] = FirewallNATRule{r.Match, r.address, r.port, r.origin}
	}
	return out
}

// Usable reports whether all is known of a firewall that is needed to pass
// packets through it; else why not.
func (fw *Firewall) Usable() (reason string, ok bool) {
	step, unusable := fw.unusable()
	return step.Reason, !unusable
}

// FirewallNIC is a firewall as a place in its subnet. No document describes its
// interface, so it is not among NICs.
func (t *Topology) FirewallNIC(fw *Firewall) NIC { return t.firewallPlace(fw).nic }

// FirewallPublic are the public addresses of a firewall.
func (t *Topology) FirewallPublic(fw *Firewall) []netip.Addr {
	var out []netip.Addr
	for _, id := range fw.Public {
		if a := t.PublicIP(id); a.IsValid() {
			out = append(out, a)
		}
	}
	return out
}

// HostMatches reports whether a name is one that a firewall's rule is for:
// *.example.com is every name below example.com, * every name.
func HostMatches(pattern, host string) bool {
	return pattern == "*" || host != "" && hostMatches(pattern, host)
}
