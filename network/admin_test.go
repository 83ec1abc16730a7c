package network_test

import (
	"testing"

	"github.com/cloister-ml/cloister/arm"
	nt "github.com/cloister-ml/cloister/network/networktest"
)

// Security admin rules are in force where their configuration is deployed: in
// the regions that a deployment names, and nobody knows about others.
func TestAdminRulesAreInForceWhereTheyAreDeployed(t *testing.T) {
	configuration := nt.ManagerID.Child("securityAdminConfigurations", "security")
	group := nt.ManagerID.Child("networkGroups", "group")
	collection := configuration.Child("ruleCollections", "rules")
	everything := []arm.Object{{"addressPrefix": "*", "addressPrefixType": "IPPrefix"}}
	docs := []any{
		nt.VNet("a", "10.1.0.0/16"), nt.Subnet("a", "s", "10.1.0.0/24"), nt.VM("one", "a", "s", ""), nt.VM("two", "a", "s", ""),
		nt.Document(nt.ManagerID), nt.Document(configuration), nt.Document(group),
		nt.Document(group.Child("staticMembers", "a"), nt.Set{Path: "resourceId", Value: nt.VNetID("a")}),
		nt.Document(collection, nt.Set{Path: "appliesToGroups", Value: []arm.Object{{"networkGroupId": string(group)}}}),
		nt.Document(collection.Child("rules", "no-ssh"), nt.Set{Path: "priority", Value: 10}, nt.Set{Path: "direction", Value: "Inbound"}, nt.Set{Path: "access", Value: "Deny"},
			nt.Set{Path: "protocol", Value: "Tcp"}, nt.Set{Path: "sources", Value: everything}, nt.Set{Path: "destinations", Value: everything},
			nt.Set{Path: "destinationPortRanges", Value: []string{"22"}}),
	}
	commit := func(region string, what arm.ID) arm.Resource {
		return nt.Document(nt.ManagerID.Child("commits", "SecurityAdmin-"+region), nt.Set{Path: "commitType", Value: "SecurityAdmin"},
			nt.Set{Path: "targetLocations", Value: []string{region}}, nt.Set{Path: "configurationIds", Value: []string{string(what)}})
	}
	for _, c := range []struct {
		name, want, because string
		commits             []any
	}{
		{"nothing is deployed", "unknown", "whether security admin configuration security is deployed", nil},
		{"deployed to the region", "no", "no-ssh", []any{commit("westeurope", configuration)}},
		{"deployed to another region", "unknown", "deployed to region westeurope", []any{commit("northeurope", configuration)}},
		{"deployed to both", "no", "no-ssh", []any{commit("northeurope", configuration), commit("westeurope", configuration)}},
		{"another configuration is deployed", "unknown", "whether security admin configuration security is deployed", []any{commit("westeurope", configuration+"2")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			top := topology(t, append(append([]any{}, docs...), c.commits...)...)
			ask(t, top, question{"10.1.0.4 -> 10.1.0.5 tcp 22", c.want, c.because}, question{"10.1.0.4 -> 10.1.0.5 tcp 443", "yes", ""})
		})
	}
}
