package network

import (
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

const (
	typeAssociation = "Microsoft.Network/networkSecurityPerimeters/resourceAssociations"
	typeAccessRule  = "Microsoft.Network/networkSecurityPerimeters/profiles/accessRules"
)

// inPerimeters are the types that may be associated with a perimeter.
var inPerimeters = []string{
	service.TypeStorageAccount, service.TypeKeyVault, service.TypeAppInsights, service.TypeLogAnalytics, "Microsoft.Sql/servers", "Microsoft.DocumentDB/databaseAccounts",
	"Microsoft.EventHub/namespaces", "Microsoft.ServiceBus/namespaces", "Microsoft.Search/searchServices", "Microsoft.CognitiveServices/accounts",
}

// perimeter asks the network security perimeter that a resource is associated
// with, and reports whether it has decided. In enforced mode it takes the place of
// the resource's own firewall; in learning mode (Transition) what it does not
// allow is the firewall's to decide. Source: Microsoft Learn, "What is a network
// security perimeter".
func (g *guard) perimeter() bool {
	var doubtful arm.Resource
	hiddenWhy := ""
	for _, a := range g.e.OfType(typeAssociation) {
		target, hidden := setting(a.Properties, "privateLinkResource.id")
		if hidden != "" {
			doubtful, hiddenWhy = a, hidden
			continue
		}
		if !arm.ID(target).Equal(g.r.ID) {
			continue
		}
		mode, unknown := setting(a.Properties, "accessMode")
		value, why := g.insidePerimeter(a)
		switch {
		case value == verdict.Yes:
			return g.decided(a, verdict.Yes, why)
		case unknown != "":
			return g.decided(a, verdict.Unknown, unknown)
		case strings.EqualFold(mode, "Enforced"):
			return g.decided(a, value, why+" (enforced)")
		case value == verdict.Unknown && mode != "":
			return g.decided(a, verdict.Unknown, why)
		}
	}
	if hiddenWhy != "" && slices.ContainsFunc(inPerimeters, g.r.IsType) {
		return g.decided(doubtful, verdict.Unknown, "whether it is associated with perimeter "+doubtful.ID.Parent().Name()+" is not certain: "+hiddenWhy)
	}
	return false
}

func (g *guard) decided(a arm.Resource, v verdict.Value, reason string) bool {
	g.a.Add(verdict.Step{At: "network security perimeter of " + g.r.ID.Name(), Resource: a.ID, Value: v, Reason: reason})
	return true
}

// insidePerimeter says whether the caller is in the same perimeter, or an inbound
// access rule of the resource's profile lets it in.
func (g *guard) insidePerimeter(a arm.Resource) (verdict.Value, string) {
	home := a.ID.Parent()
	for _, other := range g.e.Children(home, typeAssociation) {
		if g.s.Trusted != "" && arm.Ref(other.Properties, "privateLinkResource.id").Equal(g.s.Trusted) {
			return verdict.Yes, g.s.Trusted.Name() + " is in the same perimeter " + home.Name()
		}
	}
	doubt := ""
	if u, ok := arm.UnknownAt(a.Properties, "profile.id"); ok {
		doubt = unknownReason("profile.id", u)
	}
	for _, r := range g.e.Children(arm.Ref(a.Properties, "profile.id"), typeAccessRule) {
		direction, unknown := setting(r.Properties, "direction")
		if unknown != "" {
			doubt = unknown
			continue
		}
		if !strings.EqualFold(direction, "Inbound") {
			continue
		}
		list, why := entries(r.Properties, "addressPrefixes", "")
		if why != "" {
			doubt = why
		}
		for _, s := range list {
			if p, err := parseTerm(s); err == nil && g.s.Addr.IsValid() && p.Contains(g.s.Addr.Unmap()) {
				return verdict.Yes, "access rule " + r.ID.Name() + " lets in " + g.s.Addr.String() + " (" + s + ")"
			}
		}
		for _, o := range arm.Objects(r.Properties, "subscriptions") {
			if g.s.Trusted != "" && g.s.Trusted.Within(arm.ID(arm.String(o, "id"))) {
				return verdict.Yes, "access rule " + r.ID.Name() + " lets in the subscription of " + g.s.Trusted.Name()
			}
		}
	}
	if doubt != "" {
		return verdict.Unknown, doubt
	}
	return verdict.No, "no inbound access rule of perimeter " + home.Name() + " lets in " + g.caller()
}
