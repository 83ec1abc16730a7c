package network_test

import (
	"net/netip"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	nt "github.com/cloister-ml/cloister/network/networktest"
)

func TestFirewallsOfServices(t *testing.T) {
	pg := nt.ID("Microsoft.DBforPostgreSQL/flexibleServers", "pg")
	cosmos := nt.ID("Microsoft.DocumentDB/databaseAccounts", "cosmos")
	hubs := nt.ID("Microsoft.EventHub/namespaces", "hubs")
	aks := nt.ID("Microsoft.ContainerService/managedClusters", "aks")
	redis := nt.ID("Microsoft.Cache/redis", "redis")
	ai := nt.ID("Microsoft.CognitiveServices/accounts", "ai")
	vault := nt.ID("Microsoft.KeyVault/vaults", "kv")
	perimeter := nt.ID("Microsoft.Network/networkSecurityPerimeters", "p")
	rule := func(server arm.ID, first, last, from, to string) arm.Resource {
		return nt.Document(server.Child("firewallRules", "r"), nt.Set{Path: first, Value: from}, nt.Set{Path: last, Value: to})
	}
	associated := func(mode string, prefixes ...string) []any {
		return []any{nt.Document(vault, nt.Set{Path: "networkAcls.defaultAction", Value: "Deny"}, nt.Set{Path: "networkAcls.ipRules", Value: []arm.Object{{"value": "203.0.113.9"}}}),
			nt.Document(perimeter.Child("resourceAssociations", "kv"), nt.Set{Path: "privateLinkResource.id", Value: vault}, nt.Set{Path: "accessMode", Value: mode}, nt.Set{Path: "profile.id", Value: perimeter.Child("profiles", "main")}),
			nt.Document(perimeter.Child("profiles", "main").Child("accessRules", "in"), nt.Set{Path: "direction", Value: "Inbound"}, nt.Set{Path: "addressPrefixes", Value: prefixes})}
	}
	open, closed := nt.Set{Path: "publicNetworkAccess", Value: "Enabled"}, nt.Set{Path: "publicNetworkAccess", Value: "Disabled"}
	for _, c := range []struct {
		name, from, want string
		resource         arm.ID
		docs             []any
	}{
		{"a database without rules", "203.0.113.7", "no", pg, []any{nt.Document(pg)}},
		{"a database's rule", "203.0.113.7", "yes", pg, []any{nt.Document(pg), rule(pg, "startIpAddress", "endIpAddress", "203.0.113.0", "203.0.113.8")}},
		{"the rule for all of Azure", "203.0.113.7", "unknown", pg, []any{nt.Document(pg), rule(pg, "startIpAddress", "endIpAddress", "0.0.0.0", "0.0.0.0")}},
		{"a closed database", "203.0.113.7", "no", pg, []any{nt.Document(pg, nt.Set{Path: "network.publicNetworkAccess", Value: "Disabled"}), rule(pg, "startIpAddress", "endIpAddress", "0.0.0.0", "255.255.255.255")}},
		{"Cosmos without rules", "203.0.113.7", "yes", cosmos, []any{nt.Document(cosmos)}},
		{"Cosmos with a rule for another", "203.0.113.7", "no", cosmos, []any{nt.Document(cosmos, nt.Set{Path: "ipRules", Value: []arm.Object{{"ipAddressOrRange": "192.0.2.0/24"}}})}},
		{"Redis with a range", "203.0.113.7", "yes", redis, []any{nt.Document(redis), rule(redis, "startIP", "endIP", "203.0.113.7", "203.0.113.7")}},
		{"Redis with a range for others", "203.0.113.9", "no", redis, []any{nt.Document(redis), rule(redis, "startIP", "endIP", "203.0.113.7", "203.0.113.7")}},
		{"Event Hubs' rule set", "203.0.113.7", "yes", hubs, []any{nt.Document(hubs, open), nt.Document(hubs.Child("networkRuleSets", "default"), nt.Set{Path: "defaultAction", Value: "Deny"}, nt.Set{Path: "ipRules", Value: []arm.Object{{"ipMask": "203.0.113.0/24"}}})}},
		{"Event Hubs refuses others", "192.0.2.7", "no", hubs, []any{nt.Document(hubs, open), nt.Document(hubs.Child("networkRuleSets", "default"), nt.Set{Path: "defaultAction", Value: "Deny"}, nt.Set{Path: "ipRules", Value: []arm.Object{{"ipMask": "203.0.113.0/24"}}})}},
		{"AKS with authorised ranges", "203.0.113.7", "no", aks, []any{nt.Document(aks, nt.Set{Path: "apiServerAccessProfile.authorizedIPRanges", Value: []string{"192.0.2.0/24"}})}},
		{"a private AKS", "192.0.2.7", "no", aks, []any{nt.Document(aks, nt.Set{Path: "apiServerAccessProfile.enablePrivateCluster", Value: true})}},
		{"a public AKS", "192.0.2.7", "yes", aks, []any{nt.Document(aks)}},
		{"an AI service that denies", "192.0.2.7", "no", ai, []any{nt.Document(ai, open, nt.Set{Path: "networkAcls.defaultAction", Value: "Deny"})}},
		{"a closed AI service", "192.0.2.7", "no", ai, []any{nt.Document(ai, closed)}},
		{"a perimeter's rule", "192.0.2.7", "yes", vault, associated("Enforced", "192.0.2.0/24")},
		{"enforced, a perimeter stands for the vault's rules", "203.0.113.9", "no", vault, associated("Enforced", "192.0.2.0/24")},
		{"learning, the vault's rules decide", "203.0.113.9", "yes", vault, associated("Learning", "192.0.2.0/24")},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := estate(t, c.docs...)
			r, _ := e.Get(c.resource)
			got := network.Admit(e, r, network.Source{Addr: netip.MustParseAddr(c.from)})
			if got.Value.String() != c.want {
				t.Errorf("%v, want %s\n%s", got.Value, c.want, story(got))
			}
		})
	}
}
