package sieve

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/network"
)

// Rule is an application rule for one port.
type Rule struct {
	Allow   bool           `json:"allow"`
	Sources []netip.Prefix `json:"sources"`
	Port    uint16         `json:"port"`
	Scheme  string         `json:"scheme"` // Http or Https
	Hosts   []string       `json:"hosts"`
	// All is set where the rule is taken for every host: one that denies and of which
	// it is not known for which others it is.
	All bool `json:"all,omitempty"`
}

// asked is what a client wants.
type asked struct {
	source netip.Addr
	to     netip.AddrPort // that it has dialled
	scheme string         // Http or Https
	host   string         // "" for none
}

// decide is the first rule that is for what is asked; -1 for none.
func decide(rules []Rule, a asked) int {
	return slices.IndexFunc(rules, func(r Rule) bool { return r.matches(a) })
}

func (r Rule) matches(a asked) bool {
	if r.Port != a.to.Port() || r.Scheme != "" && !strings.EqualFold(r.Scheme, a.scheme) && r.Allow {
		return false
	}
	if !slices.ContainsFunc(r.Sources, func(p netip.Prefix) bool { return p.Contains(a.source) }) {
		return false
	}
	return r.All || slices.ContainsFunc(r.Hosts, func(h string) bool { return network.HostMatches(h, a.host) })
}
