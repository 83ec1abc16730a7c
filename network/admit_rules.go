package network

import (
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/verdict"
)

// ruleSet says where a kind of resource keeps its network rules.
type ruleSet struct {
	acls      string // defaultAction, ipRules, virtualNetworkRules
	bypass    string // AzureServices lets trusted services in
	instances string // resources that are let in by name
	closed    bool   // a bypass that is not set lets nobody in
}

// rules walks a firewall of network rules: trusted services first, for whom
// even publicNetworkAccess Disabled makes an exception; then the switch, then
// the rules.
func (g *guard) rules(set ruleSet) {
	if g.trusted(set) {
		return
	}
	if !g.switchOf(g.r, "publicNetworkAccess") {
		return
	}
	g.part = "properties." + set.acls
	action, unknown := setting(g.r.Properties, set.acls+".defaultAction")
	switch {
	case unknown != "":
		g.listed(set, verdict.Unknown, unknown)
	case action == "" || strings.EqualFold(action, "Allow"):
		g.add(g.r, verdict.Yes, "%s.defaultAction is %s: every network is let in", set.acls, orNotSet(action, "Allow"))
	case strings.EqualFold(action, "Deny"):
		g.listed(set, verdict.No, set.acls+".defaultAction is Deny")
	default:
		g.add(g.r, verdict.Unknown, "%s.defaultAction %q is neither Allow nor Deny", set.acls, action)
	}
}

func orNotSet(value, meaning string) string {
	if value == "" {
		return "not set, which means " + meaning
	}
	return value
}

// trusted lets in calls that an Azure service makes on behalf of a resource.
func (g *guard) trusted(set ruleSet) bool {
	if g.s.Trusted == "" || set.bypass == "" {
		return false
	}
	bypass, unknown := setting(g.r.Properties, set.bypass)
	if unknown != "" {
		g.add(g.r, verdict.Unknown, "%s", unknown)
		return true
	}
	if bypass == "" && set.closed {
		return false
	}
	if bypass == "" || strings.Contains(strings.ToLower(bypass), "azureservices") {
		g.add(g.r, verdict.Yes, "%s is %s: trusted Azure services are let in, here on behalf of %s", set.bypass, orNotSet(bypass, "AzureServices"), g.s.Trusted.Name())
		return true
	}
	if set.instances == "" {
		return false
	}
	for _, o := range arm.Objects(g.r.Properties, set.instances) {
		if arm.ID(arm.String(o, "resourceId")).Equal(g.s.Trusted) {
			g.add(g.r, verdict.Yes, "%s names %s", set.instances, g.s.Trusted.Name())
			return true
		}
	}
	return false
}

// listed looks for the caller among the rules; rest is the answer where no rule
// is for it, because of why.
func (g *guard) listed(set ruleSet, rest verdict.Value, why string) {
	subnets, doubt := entries(g.r.Properties, set.acls+".virtualNetworkRules", "id")
	for _, id := range subnets {
		if g.s.Subnet != "" && g.s.Subnet.Equal(arm.ID(id)) {
			g.add(g.r, verdict.Yes, "%s.virtualNetworkRules admits subnet %s", set.acls, g.s.Subnet.Name())
			return
		}
	}
	if g.s.Subnet == "" {
		doubt = "" // a caller whose subnet is not carried cannot be meant
	}
	g.addresses(addressRules{path: set.acls + ".ipRules", field: "value", rest: rest, why: why, doubt: doubt})
}

// addressRules are rules that let public addresses in.
type addressRules struct {
	path  string
	field string        // of each rule, or "" where rules are plain strings
	rest  verdict.Value // the answer where no rule is for the caller
	why   string        // ... because of this
	doubt string        // a rule elsewhere that may let the caller in
}

func (g *guard) addresses(rules addressRules) {
	list, doubt := entries(g.r.Properties, rules.path, rules.field)
	if rules.doubt == "" {
		rules.doubt = doubt
	}
	for _, s := range list {
		p, err := parseTerm(s)
		if err != nil {
			rules.doubt = err.Error()
			continue
		}
		if g.s.Addr.IsValid() && p.Contains(g.s.Addr.Unmap()) {
			g.add(g.r, verdict.Yes, "%s admits %s (%s)", rules.path, g.s.Addr, s)
			return
		}
	}
	if rules.doubt != "" {
		g.add(g.r, verdict.Unknown, "%s, and whether a rule admits %s is not certain: %s", rules.why, g.caller(), rules.doubt)
		return
	}
	g.add(g.r, rules.rest, "%s, and no rule admits %s", rules.why, g.caller())
}

// entries are the strings of a list, or those at a field of its objects; doubt
// says why there may be others.
func entries(o arm.Object, path, field string) (out []string, doubt string) {
	v, ok := arm.Lookup(o, path)
	if !ok {
		return nil, ""
	}
	list, isList := v.([]any)
	if !isList {
		list = []any{v}
	}
	for _, e := range list {
		if object, ok := e.(map[string]any); ok && field != "" {
			e, _ = arm.Lookup(object, field)
		}
		switch e := e.(type) {
		case string:
			out = append(out, e)
		case arm.Unknown:
			doubt = unknownReason(path, e)
		default:
			doubt = path + " holds something that is not a rule"
		}
	}
	return out, doubt
}
