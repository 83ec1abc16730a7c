package network

import (
	"net/netip"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/verdict"
)

// door says where a kind of service keeps its switch and its rules.
type door struct {
	public string // the switch; "" for none
	// acls is where defaultAction and rules are; "" where the rules are documents
	// or lists of their own.
	acls   string
	bypass string
	// addresses are the rules for public addresses: a list in the document, of which
	// field is the address, or child documents of a type with a range each.
	addresses, field string
	children         string
	first, last      string
	subnets          string // list of {id} in the document, or a child type
	subnetID         string
	// openWithoutRules: without any rule everybody is let in.
	openWithoutRules bool
}

// doors are the firewalls of services beside those of [Admit] that have more to
// them. Sources: the networking pages of each service on Microsoft Learn, and the
// properties of its ARM type.
var doors = map[string]door{
	"microsoft.dbforpostgresql/flexibleservers":    {public: "network.publicNetworkAccess", children: "firewallRules", first: "startIpAddress", last: "endIpAddress"},
	"microsoft.dbformysql/flexibleservers":         {public: "network.publicNetworkAccess", children: "firewallRules", first: "startIpAddress", last: "endIpAddress"},
	"microsoft.sql/servers":                        {public: "publicNetworkAccess", children: "firewallRules", first: "startIpAddress", last: "endIpAddress", subnets: "virtualNetworkRules", subnetID: "virtualNetworkSubnetId"},
	"microsoft.cache/redis":                        {public: "publicNetworkAccess", children: "firewallRules", first: "startIP", last: "endIP", openWithoutRules: true},
	"microsoft.documentdb/databaseaccounts":        {public: "publicNetworkAccess", addresses: "ipRules", field: "ipAddressOrRange", subnets: "virtualNetworkRules", bypass: "networkAclBypass", openWithoutRules: true},
	"microsoft.search/searchservices":              {public: "publicNetworkAccess", addresses: "networkRuleSet.ipRules", field: "value", bypass: "networkRuleSet.bypass", openWithoutRules: true},
	"microsoft.cognitiveservices/accounts":         {public: "publicNetworkAccess", acls: "networkAcls", bypass: "networkAcls.bypass"},
	"microsoft.containerservice/managedclusters":   {public: "publicNetworkAccess", addresses: "apiServerAccessProfile.authorizedIPRanges", openWithoutRules: true},
	"microsoft.operationalinsights/workspaces":     {public: "publicNetworkAccessForIngestion", openWithoutRules: true},
	"microsoft.batch/batchaccounts":                {public: "publicNetworkAccess", openWithoutRules: true},
	"microsoft.machinelearningservices/registries": {public: "publicNetworkAccess", openWithoutRules: true},
	"microsoft.eventgrid/topics":                   {public: "publicNetworkAccess", addresses: "inboundIpRules", field: "ipMask", openWithoutRules: true},
	"microsoft.eventhub/namespaces":                {public: "publicNetworkAccess"},
	"microsoft.servicebus/namespaces":              {public: "publicNetworkAccess"},
}

// listedService asks the firewall of a service that is among doors.
func (g *guard) listedService() bool {
	kind := strings.ToLower(g.r.Type)
	d, ok := doors[kind]
	switch {
	case !ok:
		return false
	case strings.HasSuffix(kind, "/managedclusters"):
		g.cluster(d)
	case strings.HasSuffix(kind, "/namespaces"):
		g.namespace()
	case d.acls != "":
		g.rules(ruleSet{acls: d.acls, bypass: d.bypass, closed: true})
	default:
		g.door(d)
	}
	return true
}

// cluster: the API server of a private cluster has no public address that answers.
func (g *guard) cluster(d door) {
	const path = "apiServerAccessProfile.enablePrivateCluster"
	switch private, unknown := g.flag(path); {
	case unknown != "":
		g.add(g.r, verdict.Unknown, "%s", unknown)
	case private:
		g.add(g.r, verdict.No, "%s is true: the API server has no public address that answers", path)
	default:
		g.door(d)
	}
}

// door walks the switch and the rules of a service that knows no default action.
func (g *guard) door(d door) {
	if g.trusted(ruleSet{bypass: d.bypass, closed: true}) || !g.switchOf(g.r, d.public) {
		return
	}
	allowed, doubt := g.admitted(d)
	switch {
	case allowed != "":
		g.add(g.r, verdict.Yes, "%s", allowed)
	case doubt != "":
		g.add(g.r, verdict.Unknown, "whether a rule admits %s is not certain: %s", g.caller(), doubt)
	case d.openWithoutRules && !g.hasRules(d):
		g.add(g.r, verdict.Yes, "it has no rules: every network is let in")
	default:
		g.add(g.r, verdict.No, "no rule admits %s", g.caller())
	}
}

func (g *guard) hasRules(d door) bool {
	given := func(path string) bool {
		v, ok := arm.Lookup(g.r.Properties, path)
		list, isList := v.([]any)
		return path != "" && ok && (!isList || len(list) > 0)
	}
	filtered, unknown := g.flag("isVirtualNetworkFilterEnabled")
	return filtered || unknown != "" || given(d.addresses) || d.subnetID == "" && given(d.subnets) || d.children != "" && len(g.children(d.children)) > 0
}

func (g *guard) children(typ string) []arm.Resource { return g.e.Children(g.r.ID, g.r.Type+"/"+typ) }

// admitted is the rule that lets the caller in, or why one may.
func (g *guard) admitted(d door) (rule, doubt string) {
	if d.addresses != "" {
		list, why := entries(g.r.Properties, d.addresses, d.field)
		doubt = why
		for _, s := range list {
			p, err := parseTerm(s)
			switch {
			case err != nil:
				doubt = err.Error()
			case g.s.Addr.IsValid() && p.Contains(g.s.Addr.Unmap()):
				return d.addresses + " admits " + g.s.Addr.String() + " (" + s + ")", ""
			}
		}
	}
	if d.children != "" {
		for _, r := range g.children(d.children) {
			switch admits, why := g.range4(r, d); {
			case admits:
				return "firewall rule " + r.ID.Name() + " admits " + g.caller(), ""
			case why != "":
				doubt = why
			}
		}
	}
	if g.s.Subnet == "" || d.subnets == "" {
		return "", doubt
	}
	if d.subnetID != "" {
		for _, r := range g.children(d.subnets) {
			if arm.Ref(r.Properties, d.subnetID).Equal(g.s.Subnet) {
				return "virtual network rule " + r.ID.Name() + " admits subnet " + g.s.Subnet.Name(), ""
			}
		}
		return "", doubt
	}
	list, why := entries(g.r.Properties, d.subnets, "id")
	for _, id := range list {
		if g.s.Subnet.Equal(arm.ID(id)) {
			return d.subnets + " admits subnet " + g.s.Subnet.Name(), ""
		}
	}
	if why != "" {
		doubt = why
	}
	return "", doubt
}

// range4 reads a rule that is a range of addresses. 0.0.0.0 to 0.0.0.0 stands for
// everything that Azure itself hosts, of any customer.
func (g *guard) range4(r arm.Resource, d door) (admits bool, doubt string) {
	low, unknown1 := setting(r.Properties, d.first)
	high, unknown2 := setting(r.Properties, d.last)
	if unknown1+unknown2 != "" {
		return false, unknown1 + unknown2
	}
	first, err1 := parseAddr(low)
	final, err2 := parseAddr(high)
	if err1 != nil || err2 != nil {
		return false, "firewall rule " + r.ID.Name() + " is no range of addresses"
	}
	if first == final && first == netip.IPv4Unspecified() {
		if g.s.Trusted != "" {
			return true, ""
		}
		return false, "firewall rule " + r.ID.Name() + " lets in all that Azure hosts, of any customer, and whether that is where " + g.caller() + " is cannot be seen"
	}
	a := g.s.Addr.Unmap()
	return a.IsValid() && first.Compare(a) <= 0 && a.Compare(final) <= 0, ""
}

// namespace: Event Hubs and Service Bus keep their rules in a document of their
// own, named default.
func (g *guard) namespace() {
	if !g.switchOf(g.r, "publicNetworkAccess") {
		return
	}
	sets := g.children("networkRuleSets")
	if len(sets) == 0 {
		g.add(g.r, verdict.Yes, "it has no network rule set: every network is let in")
		return
	}
	set := &guard{e: g.e, r: sets[0], s: g.s}
	set.ruleSet()
	g.a.Append(set.a)
}

func (g *guard) ruleSet() {
	if trusted, unknown := g.flag("trustedServiceAccessEnabled"); g.s.Trusted != "" && (trusted || unknown != "") {
		if unknown != "" {
			g.add(g.r, verdict.Unknown, "%s", unknown)
			return
		}
		g.add(g.r, verdict.Yes, "trustedServiceAccessEnabled is true: trusted Azure services are let in, here on behalf of %s", g.s.Trusted.Name())
		return
	}
	switch action, unknown := setting(g.r.Properties, "defaultAction"); {
	case unknown != "":
		g.add(g.r, verdict.Unknown, "%s", unknown)
	case !strings.EqualFold(action, "Deny"):
		if g.switchOf(g.r, "publicNetworkAccess") {
			g.add(g.r, verdict.Yes, "defaultAction is %s: every network is let in", orNotSet(action, "Allow"))
		}
	default:
		g.door(door{public: "publicNetworkAccess", addresses: "ipRules", field: "ipMask"})
		g.nested()
	}
}

// flag is a property that is true or false, false where it is missing.
func (g *guard) flag(path string) (on bool, unknown string) {
	if u, ok := arm.UnknownAt(g.r.Properties, path); ok {
		return false, unknownReason(path, u)
	}
	return arm.Bool(g.r.Properties, path, false), ""
}

// nested looks for the caller's subnet among rules that hold it as {subnet: {id}}.
func (g *guard) nested() {
	for _, o := range arm.Objects(g.r.Properties, "virtualNetworkRules") {
		if g.s.Subnet != "" && arm.Ref(o, "subnet.id").Equal(g.s.Subnet) {
			g.a = answer(verdict.Step{At: "firewall of " + g.r.ID.Name(), Resource: g.r.ID, Value: verdict.Yes, Reason: "virtualNetworkRules admits subnet " + g.s.Subnet.Name()})
		}
	}
}
