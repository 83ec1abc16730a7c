package network

import (
	"fmt"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

// Admit says whether a service's own firewall lets a caller in. It does not ask
// who the caller is: that is decided after it, by access. A resource without an
// id stands for a host of the platform, which lets everybody in.
func Admit(e *arm.Estate, r arm.Resource, s Source) Answer {
	if e == nil {
		e, _ = arm.NewEstate()
	}
	if r.ID == "" {
		return answer(verdict.Step{At: "platform host", Value: verdict.Yes, Reason: "hosts of the platform are open to every network"})
	}
	g := &guard{e: e, r: r, s: s}
	switch {
	case s.Endpoint != "":
		g.throughEndpoint()
	case g.endpointPolicies():
	case g.perimeter():
	case r.IsType(service.TypeStorageAccount):
		g.rules(ruleSet{acls: "networkAcls", bypass: "networkAcls.bypass", instances: "networkAcls.resourceAccessRules"})
	case r.IsType(service.TypeKeyVault):
		g.rules(ruleSet{acls: "networkAcls", bypass: "networkAcls.bypass"})
	case r.IsType(service.TypeRegistry):
		g.registry()
	case r.IsType(service.TypeWorkspace):
		g.workspace()
	case r.IsType(service.TypeOnlineEndpoint):
		g.onlineEndpoint()
	case r.IsType(service.TypeAppInsights):
		g.switchOf(r, "publicNetworkAccessForIngestion")
	case g.listedService():
	default:
		g.add(r, verdict.Unknown, "what its firewall lets in is not modelled")
	}
	return g.a
}

// guard stands at the door of one resource.
type guard struct {
	e *arm.Estate
	r arm.Resource
	s Source
	a Answer

	part string // of the document, that what is looked at stands in
}

func (g *guard) add(r arm.Resource, v verdict.Value, format string, args ...any) bool {
	step := verdict.Step{At: "firewall of " + r.ID.Name(), Resource: r.ID, Value: v, Reason: fmt.Sprintf(format, args...)}
	if r.ID.Equal(g.r.ID) {
		step.Part = g.part
	}
	return g.a.Add(step)
}

// switchOf looks at one Enabled/Disabled property; missing means Enabled.
func (g *guard) switchOf(r arm.Resource, property string) bool {
	value, unknown := setting(r.Properties, property)
	switch {
	case unknown != "":
		return g.add(r, verdict.Unknown, "%s", unknown)
	case value == "":
		return g.add(r, verdict.Yes, "%s is not set, which means Enabled", property)
	case strings.EqualFold(value, "SecuredByPerimeter"):
		return g.add(r, verdict.Unknown, "%s is SecuredByPerimeter, and the network security perimeter that says whether it lets %s in is not in the estate", property, g.caller())
	case strings.EqualFold(value, "Enabled"):
		return g.add(r, verdict.Yes, "%s is Enabled", property)
	case strings.EqualFold(value, "Disabled"):
		return g.add(r, verdict.No, "%s is Disabled: only private endpoints are let in, and %s did not come through one", property, g.caller())
	}
	return g.add(r, verdict.Unknown, "%s is %s, whose rules are not modelled", property, value)
}

// setting is a string property; unknown says why it cannot be read.
func setting(o arm.Object, path string) (value, unknown string) {
	v, ok := arm.Lookup(o, path)
	if !ok {
		return "", ""
	}
	switch v := v.(type) {
	case arm.Unknown:
		return "", unknownReason(path, v)
	case string:
		return v, ""
	}
	return "", fmt.Sprintf("%s is not a string", path)
}

func (g *guard) caller() string {
	switch {
	case g.s.Trusted != "":
		return "the call on behalf of " + g.s.Trusted.Name()
	case g.s.Addr.IsValid():
		return g.s.Addr.String()
	}
	return "the caller"
}

// throughEndpoint: what came through a private endpoint passes no rule, but the
// endpoint must be this resource's and approved.
func (g *guard) throughEndpoint() {
	doc, ok := g.e.Get(g.s.Endpoint)
	if !ok || !doc.IsType(service.TypePrivateEndpoint) {
		g.add(g.r, verdict.No, "there is no private endpoint %s", g.s.Endpoint)
		return
	}
	b := &builder{t: &Topology{}, e: g.e}
	c := b.readConnection(doc)
	if d, unknown := firstDoubt(c.doubts, aboutTarget, aboutApproval); unknown {
		g.add(doc, verdict.Unknown, "private endpoint %s: %s", doc.ID.Name(), d.Reason)
		return
	}
	owner := g.r.ID
	if g.r.IsType(service.TypeOnlineEndpoint) {
		owner = g.r.ID.Parent()
	}
	switch {
	case !c.target.Equal(owner) && g.besideScope(c.target):
		return
	case !c.target.Equal(owner) && !g.scoped(c.target):
		g.add(g.r, verdict.No, "private endpoint %s is connected to %s, not to %s", doc.ID.Name(), c.target.Name(), owner.Name())
	case !c.approved:
		g.add(g.r, verdict.No, "the connection of private endpoint %s is %s, and only an approved one carries traffic", doc.ID.Name(), c.status)
	case g.r.IsType(service.TypeRegistry) && !g.premium():
		g.add(g.r, verdict.No, "a registry needs the Premium SKU for private endpoints, and %s is %s", g.r.ID.Name(), g.sku())
	default:
		g.add(g.r, verdict.Yes, "came through private endpoint %s, whose connection is approved", doc.ID.Name())
	}
}

// besideScope answers for a resource of Azure Monitor that is called through a
// private link scope which does not hold it: the shared hosts lead there all the
// same. A scope in the mode Open lets such calls on as if they came over the
// internet. It reports whether this is such a call.
//
// Source: Microsoft Learn, "Design your Azure Monitor private link setup" (access modes).
func (g *guard) besideScope(scope arm.ID) bool {
	r, ok := g.e.Get(scope)
	monitored := g.r.IsType(service.TypeAppInsights) || g.r.IsType(service.TypeLogAnalytics)
	if !ok || !r.IsType(service.TypeMonitorScope) || !monitored || g.scoped(scope) {
		return false
	}
	switch mode, unknown := setting(r.Properties, "accessModeSettings.ingestionAccessMode"); {
	case unknown != "":
		g.add(r, verdict.Unknown, "%s", unknown)
	case mode == "":
		g.add(r, verdict.Unknown, "private link scope %s does not hold %s, and its access mode is not set", r.ID.Name(), g.r.ID.Name())
	case strings.EqualFold(mode, "Open"):
		if g.add(r, verdict.Yes, "private link scope %s does not hold %s, and its mode Open lets such calls on", r.ID.Name(), g.r.ID.Name()) {
			g.switchOf(g.r, "publicNetworkAccessForIngestion")
		}
	default:
		g.add(r, verdict.No, "private link scope %s does not hold %s, and its mode PrivateOnly lets through only to what it holds", r.ID.Name(), g.r.ID.Name())
	}
	return true
}

// scoped reports whether a resource is reached through an Azure Monitor private
// link scope.
func (g *guard) scoped(scope arm.ID) bool {
	r, ok := g.e.Get(scope)
	if !ok || !r.IsType(service.TypeMonitorScope) {
		return false
	}
	for _, child := range g.e.Children(scope, service.TypeMonitorScoped) {
		if arm.Ref(child.Properties, "linkedResourceId").Equal(g.r.ID) {
			return true
		}
	}
	return false
}

func (g *guard) sku() string {
	if s := arm.String(g.r.SKU, "name"); s != "" {
		return s
	}
	return "of no known SKU"
}

func (g *guard) premium() bool {
	_, unknown := arm.UnknownAt(g.r.SKU, "name")
	return unknown || strings.EqualFold(arm.String(g.r.SKU, "name"), "Premium")
}

// registry: network rules are for the Premium SKU; Azure refuses them on others.
func (g *guard) registry() {
	open := !strings.EqualFold(arm.String(g.r.Properties, "publicNetworkAccess"), "Disabled")
	if open && !g.premium() && strings.EqualFold(arm.String(g.r.Properties, "networkRuleSet.defaultAction"), "Deny") {
		g.add(g.r, verdict.Unknown, "networkRuleSet needs the Premium SKU, and the registry is %s: Azure refuses this", g.sku())
		return
	}
	g.rules(ruleSet{acls: "networkRuleSet", bypass: "networkRuleBypassOptions"})
}

func (g *guard) workspace() {
	if !g.switchOf(g.r, "publicNetworkAccess") {
		return
	}
	list, given := arm.Lookup(g.r.Properties, "ipAllowlist")
	if entries, isList := list.([]any); given && (!isList || len(entries) > 0) {
		g.addresses(addressRules{path: "ipAllowlist", rest: verdict.No, why: "ipAllowlist is set"})
	}
}

// onlineEndpoint has a switch of its own, and its workspace has one.
func (g *guard) onlineEndpoint() {
	g.switchOf(g.r, "publicNetworkAccess")
	ws, ok := g.e.Get(g.r.ID.Parent())
	if !ok {
		g.add(g.r, verdict.Unknown, "its workspace %s is not in the estate", g.r.ID.Parent().Name())
		return
	}
	g.switchOf(ws, "publicNetworkAccess")
}
