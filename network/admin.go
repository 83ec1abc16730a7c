package network

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

const (
	typeAdminConfiguration = "Microsoft.Network/networkManagers/securityAdminConfigurations"
	typeAdminCollection    = "Microsoft.Network/networkManagers/securityAdminConfigurations/ruleCollections"
	typeAdminRule          = "Microsoft.Network/networkManagers/securityAdminConfigurations/ruleCollections/rules"
	typeNetworkGroup       = "Microsoft.Network/networkManagers/networkGroups"
	typeStaticMember       = "Microsoft.Network/networkManagers/networkGroups/staticMembers"
	typeManagerCommit      = "Microsoft.Network/networkManagers/commits"

	aboutApplies = "appliesToGroups"
)

// What a list of security admin rules may do: deny, allow whatever the security
// groups say, or leave it to them.
const (
	adminDenies outcome = 1 << iota
	adminAllows
	adminGoesOn
)

// adminRule is a security admin rule of Virtual Network Manager.
type adminRule struct {
	Rule
	always     bool // AlwaysAllow
	collection arm.ID
}

// adminCollection is a collection with the networks that it is for.
type adminCollection struct {
	rules    []adminRule
	networks []arm.ID
	regions  []string // in which it is in force; empty for all, or where that is not known
	doubts   Doubts   // why it may be for other networks as well, or for none
}

// adminFilter are the admin rules of one network in one direction.
type adminFilter struct {
	vnet    VNet
	matches []adminMatch
	// absent says why none of the rules may be in force; "" where they are.
	absent string
}

type adminMatch struct {
	Match
	always bool
}

func (b *builder) adminRules() {
	for _, c := range b.e.OfType(typeAdminCollection) {
		var col adminCollection
		d := b.read(c, &col.doubts)
		for _, g := range d.as(aboutApplies).objects("appliesToGroups", "network group") {
			b.groupMembers(&col, g.as(aboutApplies).ref("networkGroupId"))
		}
		b.checkCommitted(&col, c.ID.Parent())
		for _, r := range b.e.Children(c.ID, typeAdminRule) {
			col.rules = append(col.rules, b.adminRule(r, c.ID)...)
		}
		b.t.admin = append(b.t.admin, col)
	}
}

func (b *builder) groupMembers(col *adminCollection, id arm.ID) {
	if id == "" {
		return
	}
	if _, ok := b.e.Get(id); !ok {
		col.doubts = append(col.doubts, Doubt{About: aboutApplies, Reason: "network group " + id.Name() + " is not in the estate"})
		return
	}
	for _, m := range b.e.Children(id, typeStaticMember) {
		member := b.read(m, &col.doubts).as(aboutApplies).ref("resourceId")
		if strings.EqualFold(member.Type(), typeSubnet) {
			member = member.Parent()
		}
		col.networks = append(col.networks, member)
	}
	for _, e := range b.e.ReferencesTo(id) {
		r, ok := b.e.Get(e.From)
		if ok && strings.HasPrefix(strings.ToLower(r.Type), "microsoft.authorization/polic") {
			col.doubts = append(col.doubts, Doubt{About: aboutApplies, Reason: fmt.Sprintf("policy %s adds members to network group %s", r.ID.Name(), id.Name())})
		}
	}
}

// checkCommitted: rules are in force only once their configuration is deployed,
// and in the regions to which it is.
func (b *builder) checkCommitted(col *adminCollection, configuration arm.ID) {
	committed := false
	for _, c := range b.e.OfType(typeManagerCommit) {
		if !slices.ContainsFunc(arm.Strings(c.Properties, "configurationIds"), func(s string) bool { return configuration.Equal(arm.ID(s)) }) {
			continue
		}
		regions := arm.Strings(c.Properties, "targetLocations")
		if len(regions) == 0 {
			col.regions = nil
			return
		}
		committed = true
		for _, r := range regions {
			col.regions = append(col.regions, service.Region(r))
		}
	}
	if committed {
		return
	}
	col.doubts = append(col.doubts, Doubt{About: aboutConnected, Reason: "whether security admin configuration " + configuration.Name() + " is deployed is not in the documents"})
}

func (b *builder) adminRule(r arm.Resource, collection arm.ID) []adminRule {
	rule := adminRule{Rule: Rule{Name: r.ID.Name()}, collection: collection}
	d := b.read(r, &rule.Doubts)
	d.o = arm.Object{"properties": r.Properties}
	rule.Priority = d.as(aboutPriority).number("properties.priority", 0)
	access := d.oneOf(aboutVerb, "properties.access", "Allow", "Deny", "AlwaysAllow")
	rule.Allow, rule.always = access != "Deny" && access != "", access == "AlwaysAllow"
	rule.Protocol = d.oneOf(aboutProtocol, "properties.protocol", "Any", "*", "Tcp", "Udp", "Icmp", "Esp", "Ah")
	if rule.Protocol == "Any" {
		rule.Protocol = "*"
	}
	rule.SourcePorts = adminPorts(d.as(aboutSourcePort).ports("properties.sourcePortRanges"))
	rule.DestinationPorts = adminPorts(d.as(aboutPort).ports("properties.destinationPortRanges"))
	rule.Sources = d.adminSide(aboutSource, "properties.sources")
	rule.Destinations = d.adminSide(aboutDestination, "properties.destinations")
	direction := d.oneOf(aboutDirection, "properties.direction", string(Inbound), string(Outbound))
	rule.Direction = Direction(direction)
	if direction != "" {
		return []adminRule{rule}
	}
	in, out := rule, rule
	in.Direction, out.Direction = Inbound, Outbound
	return []adminRule{in, out}
}

// adminPorts: 0-65535 is every port, for which a rule has an empty list.
func adminPorts(list []PortRange) []PortRange {
	if slices.ContainsFunc(list, PortRange.whole) {
		return nil
	}
	return list
}

// adminSide are the addresses of one side; none are all.
func (d document) adminSide(about, path string) []string {
	list, given := arm.Lookup(d.o, path)
	if items, ok := list.([]any); !given || ok && len(items) == 0 {
		return []string{"*"}
	}
	var out []string
	for _, o := range d.as(about).objects(path, about) {
		s := o.as(about).text("addressPrefix")
		if strings.EqualFold(o.as(about).text("addressPrefixType"), "NetworkGroup") {
			o.doubt(about, "the members of a network group as a side of a rule are not read")
			continue
		}
		if s == "0.0.0.0/0" && strings.EqualFold(arm.String(o.o, "addressPrefixType"), "ServiceTag") {
			s = "*"
		}
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}

// adminExempt are the subnets whose resources no security admin rule concerns.
var adminExempt = []string{"AzureBastionSubnet", "AzureFirewallSubnet", "AzureFirewallManagementSubnet", gatewaySubnet, "RouteServerSubnet"}

// adminFilter are the security admin rules that a place meets before its
// security groups; nil where there are none. They do not concern private
// endpoints.
func (t *Topology) adminFilter(p place, d Direction) *adminFilter {
	if len(t.admin) == 0 || p.nic.Kind == KindPrivateEndpoint || slices.ContainsFunc(adminExempt, func(s string) bool { return strings.EqualFold(s, p.subnet.Name) }) {
		return nil
	}
	return t.adminOf(p.vnet, p.subnet.ID, d)
}

func (t *Topology) adminOf(v VNet, subnet arm.ID, d Direction) *adminFilter {
	f := adminFilter{vnet: v}
	w := t.view(subnet)
	for _, c := range t.admin {
		member := slices.ContainsFunc(c.networks, v.ID.Equal)
		groups, open := c.doubts.About(aboutApplies)
		if !member && !open {
			continue
		}
		deployed, uncertain := c.doubts.About(aboutConnected)
		if region := t.regionOf(v.ID); !uncertain && len(c.regions) > 0 && !slices.Contains(c.regions, region) {
			uncertain = true
			deployed.Reason = fmt.Sprintf("whether its configuration is deployed to region %s is not in the documents", region)
		}
		for _, r := range c.rules {
			if r.Direction != d {
				continue
			}
			m := adminMatch{Match: t.match(r.Rule, w), always: r.always}
			switch {
			case uncertain && t.allUncertain():
				f.absent = deployed.Reason
			case uncertain:
				m.Doubts = append(slices.Clone(m.Doubts), Doubt{About: aboutProtocol, Reason: deployed.Reason})
			case !member:
				m.Doubts = append(slices.Clone(m.Doubts), Doubt{About: aboutProtocol, Reason: groups.Reason})
			}
			f.matches = append(f.matches, m)
		}
	}
	if len(f.matches) == 0 {
		return nil
	}
	slices.SortStableFunc(f.matches, func(x, y adminMatch) int { return compareRules(x.Rule, y.Rule) })
	return &f
}

func (t *Topology) regionOf(id arm.ID) string {
	r, _ := t.estate.Get(id)
	return service.Region(r.Location)
}

// allUncertain reports whether of no configuration it is known that it is deployed.
func (t *Topology) allUncertain() bool {
	return !slices.ContainsFunc(t.admin, func(c adminCollection) bool {
		_, uncertain := c.doubts.About(aboutConnected)
		return !uncertain
	})
}

// of is the outcome of a rule that certainly decides.
func (m adminMatch) of() outcome {
	_, unknown := m.Doubts.About(aboutVerb)
	switch {
	case unknown:
		return adminDenies | adminAllows | adminGoesOn
	case m.always:
		return adminAllows
	case m.Rule.Allow:
		return adminGoesOn
	}
	return adminDenies
}

// decide tries the rules in their order. The step is empty where none concerns
// the flow.
func (a *adminFilter) decide(f Flow) (outcome, verdict.Step) {
	ends, step := a.tried(f)
	if a.absent != "" && ends != adminGoesOn {
		ends |= adminGoesOn
		step.Value = adminValue(ends)
		step.Reason += ", if it is in force: " + a.absent
	}
	return ends, step
}

func (a *adminFilter) tried(f Flow) (outcome, verdict.Step) {
	step := verdict.Step{At: "security admin rules of " + a.vnet.Name, Resource: a.vnet.ID, Value: verdict.Yes}
	var may outcome
	for _, m := range a.matches {
		switch m.Test(f) {
		case verdict.No:
			continue
		case verdict.Yes:
			if m.certain() {
				ends := may | m.of()
				step.Reason = reasonOr(step.Reason, m.adminSentence(f))
				step.Value = adminValue(ends)
				return ends, step
			}
		}
		if step.Reason == "" {
			step.Reason = fmt.Sprintf("%s, if it applies: %s", m.adminSentence(f), m.doubt(f))
		}
		may |= m.of()
	}
	ends := may | adminGoesOn
	step.Value = adminValue(ends)
	if step.Reason == "" {
		step.At = ""
	}
	return ends, step
}

func adminValue(o outcome) verdict.Value {
	switch o {
	case adminDenies:
		return verdict.No
	case adminAllows, adminGoesOn:
		return verdict.Yes
	}
	return verdict.Unknown
}

func (m adminMatch) adminSentence(f Flow) string {
	switch {
	case m.always:
		return m.sentence(f) + " whatever security groups say"
	case m.Rule.Allow:
		return m.sentence(f) + ", if security groups do"
	}
	return m.sentence(f)
}
