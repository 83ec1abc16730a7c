package check

import (
	"fmt"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/service"
)

const (
	typeZoneGroup        = "Microsoft.Network/privateEndpoints/privateDnsZoneGroups"
	typeZoneLink         = "Microsoft.Network/privateDnsZones/virtualNetworkLinks"
	typePolicyAssignment = "Microsoft.Authorization/policyAssignments"
)

// zonePolicies are the built-in policies that give a private endpoint its zone
// group when it is deployed, by the beginning of their definition's name.
//
// Source: the built-in definitions "Configure ... to use private DNS zones".
var zonePolicies = []string{
	"75973700-", "6df98d03-", "bcff79fb-", "028bbd88-", "83c6fe0f-", "9adab2a5-", "ac673a9a-", "e9585a95-", "437914ee-", "ee40564d-",
}

// recordsElsewhere says what may write the records of a private endpoint once it
// is deployed, beside what the estate holds; "" where nothing does.
func (w *world) recordsElsewhere(pe network.NIC) string {
	doc, _ := w.estate.Get(pe.ID)
	if w.ignored(doc, "private_dns_zone_group") {
		return fmt.Sprintf("lifecycle.ignore_changes of %s names private_dns_zone_group, so something else writes it", pe.Name)
	}
	for _, a := range w.estate.OfType(typePolicyAssignment) {
		if w.covers(a, pe.ID) && w.writesZoneGroups(a) {
			return fmt.Sprintf("policy assignment %s may give private endpoint %s its zone group when it is deployed", a.Name, pe.Name)
		}
	}
	v, known := w.net.VNetOf(pe.Subnet)
	switch {
	case !known:
		return fmt.Sprintf("the network of private endpoint %s is not in the estate, and its zones may be beside it", pe.Name)
	case len(v.DNSServers) > 0:
		return fmt.Sprintf("%s asks DNS servers of its own (%s)", v.Name, v.DNSServers[0])
	}
	if d, unknown := v.Doubts.About("dhcpOptions.dnsServers"); unknown {
		return d.Reason
	}
	return ""
}

// covers reports whether a policy assignment is in force for a resource. What is
// above its subscription is taken to be.
func (w *world) covers(assignment arm.Resource, id arm.ID) bool {
	scope := assignment.ID.Parent()
	if s := arm.Ref(assignment.Properties, "scope"); s != "" {
		scope = s
	}
	return id.Within(scope) || scope.Level() <= arm.LevelManagementGroup
}

// writesZoneGroups reports whether an assigned policy may add zone groups: one of
// the built-in ones, one of the estate whose template has them, or one that the
// estate does not show.
func (w *world) writesZoneGroups(assignment arm.Resource) bool {
	if _, unknown := arm.UnknownAt(assignment.Properties, "policyDefinitionId"); unknown {
		return true
	}
	id := arm.ID(arm.String(assignment.Properties, "policyDefinitionId"))
	if doc, ok := w.estate.Get(id); ok {
		return w.mentionsZoneGroups(doc, 0)
	}
	builtIn := strings.HasPrefix(strings.ToLower(string(id)), "/providers/microsoft.authorization/policydefinitions/")
	if !builtIn {
		return id != ""
	}
	for _, p := range zonePolicies {
		if strings.HasPrefix(strings.ToLower(id.Name()), p) {
			return true
		}
	}
	return false
}

// mentionsZoneGroups looks into a definition, or into those of a set.
func (w *world) mentionsZoneGroups(doc arm.Resource, depth int) bool {
	if says(doc.Properties, "privatednszonegroups") {
		return true
	}
	for _, member := range arm.Objects(doc.Properties, "policyDefinitions") {
		inner, ok := w.estate.Get(arm.ID(arm.String(member, "policyDefinitionId")))
		if ok && depth < 2 && w.mentionsZoneGroups(inner, depth+1) {
			return true
		}
	}
	return false
}

// says reports whether a word is anywhere in a value, in a key or an unknown too.
func says(v any, word string) bool {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			if strings.Contains(strings.ToLower(k), word) || says(e, word) {
				return true
			}
		}
	case []any:
		for _, e := range v {
			if says(e, word) {
				return true
			}
		}
	case string:
		return strings.Contains(strings.ToLower(v), word)
	case arm.Unknown:
		return strings.Contains(strings.ToLower(v.Expression), word)
	}
	return false
}

// ignored reports whether the user's files say that an attribute of a resource is
// left to others.
func (w *world) ignored(doc arm.Resource, attribute string) bool {
	for _, r := range w.opts.Remarks[At{doc.Source.File, doc.Source.Line}].Ignored {
		if r == attribute || r == "all" {
			return true
		}
	}
	return false
}

// endpointsElsewhere says where private endpoints may be that the estate does not
// show; "" where it shows all.
func (w *world) endpointsElsewhere(owner arm.ID) string {
	for _, u := range w.estate.Unread() {
		switch {
		case u.Type == "module":
			return fmt.Sprintf("%s was not read (%s), and may hold private endpoints", u.Address, u.Reason)
		case strings.Contains(strings.ToLower(u.Type), "private_endpoint") || strings.EqualFold(u.Type, service.TypePrivateEndpoint):
			return fmt.Sprintf("%s was not read: %s", u.Address, u.Reason)
		}
	}
	for _, nic := range w.net.NICs {
		if nic.Kind != network.KindPrivateEndpoint {
			continue
		}
		for _, d := range nic.Doubts {
			if nic.Target == "" || nic.Target.Equal(owner) {
				return fmt.Sprintf("private endpoint %s: %s", nic.Name, d.Reason)
			}
		}
	}
	if len(w.net.VNets) == 0 && len(w.estate.OfType(service.TypePrivateEndpoint)) == 0 {
		return "the estate has no network and no private endpoint at all: they are described elsewhere"
	}
	return ""
}
