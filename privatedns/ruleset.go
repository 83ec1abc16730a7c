package privatedns

import (
	"fmt"
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

const (
	typeRuleset     = "Microsoft.Network/dnsForwardingRulesets"
	typeRule        = "Microsoft.Network/dnsForwardingRulesets/forwardingRules"
	typeRulesetLink = "Microsoft.Network/dnsForwardingRulesets/virtualNetworkLinks"
)

// ruleset is a DNS forwarding ruleset. Azure's server asks the rules of a network
// after its private zones, and takes the one with the longest suffix.
//
// Source: Microsoft Learn, "What is Azure DNS Private Resolver?" (how it works),
// "Azure DNS Private Resolver endpoints and rulesets".
type ruleset struct {
	id    arm.ID
	name  string
	rules []rule
	// from is the network that forwarded questions come from; "" where not known.
	from arm.ID
}

type rule struct {
	id      arm.ID
	suffix  string // "" is every name
	targets serverList
	unknown string // what of it is not known, or ""
}

// strayRule is a ruleset that may be linked to any network.
type strayRule struct {
	rules  *ruleset
	link   arm.ID
	reason string
}

func (r *reader) rulesets() {
	sets := map[string]*ruleset{}
	for _, doc := range r.e.OfType(typeRuleset) {
		s := &ruleset{id: doc.ID, name: doc.Name}
		for _, o := range arm.Objects(doc.Properties, "dnsResolverOutboundEndpoints") {
			if endpoint, ok := r.e.Get(arm.Ref(o, "id")); ok {
				s.from = r.resolverNetwork(endpoint)
			}
		}
		sets[doc.ID.Key()] = s
	}
	for _, doc := range r.e.OfType(typeRule) {
		s, ok := sets[doc.ID.Parent().Key()]
		if !ok {
			continue
		}
		if rule, on := readRule(doc); on {
			s.rules = append(s.rules, rule)
		}
	}
	for _, doc := range r.e.OfType(typeRulesetLink) {
		s, ok := sets[doc.ID.Parent().Key()]
		if !ok {
			s = &ruleset{id: doc.ID.Parent(), name: doc.ID.Parent().Name(), rules: []rule{{id: doc.ID.Parent(), unknown: "its rules are not in the estate"}}}
			sets[s.id.Key()] = s
		}
		if u, ok := arm.UnknownAt(doc.Properties, "virtualNetwork.id"); ok {
			r.strayRules = append(r.strayRules, strayRule{s, doc.ID, "the network of its link " + doc.Name + " is " + u.String()})
			continue
		}
		if v, ok := r.vnets[arm.Ref(doc.Properties, "virtualNetwork.id").Key()]; ok {
			v.rulesets = append(v.rulesets, s)
		}
	}
}

// readRule reads a rule; on is false for one that is switched off.
func readRule(doc arm.Resource) (r rule, on bool) {
	r = rule{id: doc.ID}
	if strings.EqualFold(arm.String(doc.Properties, "forwardingRuleState"), "Disabled") {
		return r, false
	}
	if u, ok := arm.UnknownAt(doc.Properties, "forwardingRuleState"); ok {
		r.unknown = "whether it is switched on is " + u.String()
	}
	if u, ok := arm.UnknownAt(doc.Properties, "domainName"); ok {
		r.unknown = "its domain is " + u.String()
		return r, true
	}
	r.suffix = strings.ToLower(strings.Trim(arm.String(doc.Properties, "domainName"), "."))
	if u, ok := arm.UnknownIn(doc.Properties, "targetDnsServers"); ok {
		r.unknown = "its targets are " + u.String()
	}
	for _, o := range arm.Objects(doc.Properties, "targetDnsServers") {
		v, _ := arm.Lookup(o, "ipAddress")
		r.targets = append(r.targets, readServer(v))
		if port := arm.Int(o, "port", 53); port != 53 {
			r.unknown = fmt.Sprintf("it asks at port %d, and what answers there is not in the estate", port)
		}
	}
	return r, true
}

// match is the rule with the longest suffix of a name. A rule whose domain is not
// known counts where no other is longer for certain, which none is.
func (s *ruleset) match(name string) (found rule, ok bool) {
	for _, r := range s.rules {
		switch {
		case r.suffix != "" && !under(name, r.suffix):
		case !ok || len(r.suffix) > len(found.suffix) || r.suffix == "" && strings.HasPrefix(r.unknown, "its domain"):
			if ok && strings.HasPrefix(found.unknown, "its domain") {
				continue
			}
			found, ok = r, true
		}
	}
	return found, ok
}
