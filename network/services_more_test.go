package network_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	nt "github.com/cloister-ml/cloister/network/networktest"
)

// Each service with a door of its own: open, closed, with a rule for the caller and
// with one for others.
func TestDoorsOfServices(t *testing.T) {
	mysql, sql := nt.ID("Microsoft.DBforMySQL/flexibleServers", "mysql"), nt.ID("Microsoft.Sql/servers", "sql")
	search, bus := nt.ID("Microsoft.Search/searchServices", "search"), nt.ID("Microsoft.ServiceBus/namespaces", "bus")
	logs, batch := nt.ID("Microsoft.OperationalInsights/workspaces", "logs"), nt.ID("Microsoft.Batch/batchAccounts", "batch")
	registry, topic := nt.ID("Microsoft.MachineLearningServices/registries", "models"), nt.ID("Microsoft.EventGrid/topics", "events")
	closed := set("publicNetworkAccess", "Disabled")
	span := func(server arm.ID, from, to string) arm.Resource {
		return nt.Document(server.Child("firewallRules", "r"), set("startIpAddress", from), set("endIpAddress", to))
	}
	allows := func(id arm.ID, path, field string) arm.Resource {
		return nt.Document(id, set(path, []arm.Object{{field: "192.0.2.0/24"}}))
	}
	ruleSet := nt.Document(bus.Child("networkRuleSets", "default"), set("defaultAction", "Deny"), set("ipRules", []arm.Object{{"ipMask": "192.0.2.0/24"}}))
	named := nt.Document(bus.Child("networkRuleSets", "default"), set("defaultAction", "Deny"), set("virtualNetworkRules", []arm.Object{{"subnet": arm.Object{"id": string(nt.SubnetID("a", "s"))}}}))
	other := network.Source{Addr: netip.MustParseAddr("203.0.113.9")}
	for _, c := range []struct {
		name          string
		docs          []any
		source        network.Source
		want, because string
	}{
		{"MySQL without rules", []any{nt.Document(mysql)}, outsider, "no", "no rule admits"},
		{"MySQL with a rule", []any{nt.Document(mysql), span(mysql, "192.0.2.1", "192.0.2.20")}, outsider, "yes", "firewall rule r admits"},
		{"MySQL with a rule for others", []any{nt.Document(mysql), span(mysql, "192.0.2.11", "192.0.2.20")}, outsider, "no", "no rule admits"},
		{"MySQL closed", []any{nt.Document(mysql, set("network.publicNetworkAccess", "Disabled")), span(mysql, "0.0.0.0", "255.255.255.255")}, outsider, "no", "Disabled"},
		{"SQL without rules", []any{nt.Document(sql)}, outsider, "no", "no rule admits"},
		{"SQL with a rule for all of Azure", []any{nt.Document(sql), span(sql, "0.0.0.0", "0.0.0.0")}, trusted, "yes", "firewall rule r"},
		{"SQL with a rule of a subnet", []any{nt.Document(sql), nt.Document(sql.Child("virtualNetworkRules", "v"), set("virtualNetworkSubnetId", nt.SubnetID("a", "s")))}, subnet, "yes", "virtual network rule v admits subnet s"},
		{"SQL with a rule of another subnet", []any{nt.Document(sql), nt.Document(sql.Child("virtualNetworkRules", "v"), set("virtualNetworkSubnetId", nt.SubnetID("a", "t")))}, subnet, "no", "no rule admits"},
		{"SQL closed", []any{nt.Document(sql, closed)}, outsider, "no", "Disabled"},
		{"Search is open", []any{nt.Document(search)}, outsider, "yes", "every network"},
		{"Search with a rule", []any{allows(search, "networkRuleSet.ipRules", "value")}, outsider, "yes", "admits 192.0.2.10"},
		{"Search with a rule for others", []any{allows(search, "networkRuleSet.ipRules", "value")}, other, "no", "no rule admits"},
		{"Search closed", []any{nt.Document(search, closed)}, outsider, "no", "Disabled"},
		{"Search lets nobody by unless it says so", []any{nt.Document(search, closed)}, trusted, "no", "Disabled"},
		{"Search lets trusted services by", []any{nt.Document(search, closed, set("networkRuleSet.bypass", "AzureServices"))}, trusted, "yes", "AzureServices"},
		{"Service Bus is open", []any{nt.Document(bus)}, outsider, "yes", "no network rule set"},
		{"Service Bus with a rule", []any{nt.Document(bus), ruleSet}, outsider, "yes", "admits 192.0.2.10"},
		{"Service Bus with a rule for others", []any{nt.Document(bus), ruleSet}, other, "no", "no rule admits"},
		{"Service Bus with a rule of a subnet", []any{nt.Document(bus), named}, subnet, "yes", "admits subnet s"},
		{"Service Bus closed", []any{nt.Document(bus, closed), ruleSet}, outsider, "no", "Disabled"},
		{"Log Analytics takes from everywhere", []any{nt.Document(logs)}, outsider, "yes", ""},
		{"Log Analytics does not", []any{nt.Document(logs, set("publicNetworkAccessForIngestion", "Disabled"))}, outsider, "no", "Disabled"},
		{"Batch is open", []any{nt.Document(batch)}, outsider, "yes", ""},
		{"Batch closed", []any{nt.Document(batch, closed)}, outsider, "no", "Disabled"},
		{"a registry of models is open", []any{nt.Document(registry)}, outsider, "yes", ""},
		{"a registry of models closed", []any{nt.Document(registry, closed)}, outsider, "no", "Disabled"},
		{"a topic is open", []any{nt.Document(topic)}, outsider, "yes", "every network"},
		{"a topic with a rule", []any{allows(topic, "inboundIpRules", "ipMask")}, outsider, "yes", "admits 192.0.2.10"},
		{"a topic with a rule for others", []any{allows(topic, "inboundIpRules", "ipMask")}, other, "no", "no rule admits"},
		{"a topic closed", []any{nt.Document(topic, closed)}, outsider, "no", "Disabled"},
		{"a topic of unknown access", []any{nt.Document(topic, set("publicNetworkAccess", unknown))}, outsider, "unknown", "var.access"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := estate(t, c.docs...)
			admitted(t, e, c.docs[0].(arm.Resource), c.source, c.want, c.because)
		})
	}
}

func admitted(t *testing.T, e *arm.Estate, r arm.Resource, s network.Source, want, because string) {
	t.Helper()
	got := network.Admit(e, r, s)
	if got.Value.String() != want || !strings.Contains(got.Decisive().At+": "+got.Decisive().Reason, because) {
		t.Errorf("%v, want %s because %s\n%s", got.Value, want, because, story(got))
	}
}

// A perimeter association of which the resource is not known may be anybody's that
// can be in one.
func TestPerimeterOfAnUnknownResource(t *testing.T) {
	perimeter := nt.ID("Microsoft.Network/networkSecurityPerimeters", "p")
	association := nt.Document(perimeter.Child("resourceAssociations", "a"), set("privateLinkResource.id", unknown), set("accessMode", "Enforced"))
	account, ws := nt.Storage("st"), nt.Workspace("ws")
	e := estate(t, association, account, ws)
	admitted(t, e, account, outsider, "unknown", "whether it is associated with perimeter p")
	admitted(t, e, ws, outsider, "yes", "not set")
}

// Service endpoint policies narrow what a subnet's service endpoint leads to, by
// account, resource group or subscription.
func TestServiceEndpointPolicies(t *testing.T) {
	policyID := nt.ID("Microsoft.Network/serviceEndpointPolicies", "p")
	policy := func(resources ...string) arm.Resource {
		return nt.Document(policyID, set("serviceEndpointPolicyDefinitions", []arm.Object{{"name": "d", "properties": arm.Object{
			"service": "Microsoft.Storage", "serviceResources": nt.With(arm.Resource{}, set("list", resources)).Properties["list"]}}}))
	}
	uses := nt.Subnet("a", "s", "10.1.0.0/24", set("serviceEndpointPolicies", []arm.Object{{"id": string(policyID)}}))
	account, group := nt.StorageID("st"), "/subscriptions/"+nt.Subscription+"/resourceGroups/"+nt.Group
	for _, c := range []struct {
		name, want, because string
		docs                []any
		source              network.Source
	}{
		{"the account", "yes", "every network", []any{uses, policy(string(account))}, subnet},
		{"its group", "yes", "every network", []any{uses, policy(group)}, subnet},
		{"its subscription", "yes", "every network", []any{uses, policy("/subscriptions/" + nt.Subscription)}, subnet},
		{"another account", "no", "none of them lists st", []any{uses, policy(string(account) + "2")}, subnet},
		{"another account, not by the endpoint", "yes", "every network", []any{uses, policy(string(account) + "2")}, outsider},
		{"a policy elsewhere", "unknown", "p is not in the estate", []any{uses}, subnet},
		{"no policy", "yes", "every network", []any{nt.Subnet("a", "s", "10.1.0.0/24")}, subnet},
		{"policies that are not known", "unknown", "var.access", []any{nt.Subnet("a", "s", "10.1.0.0/24", set("serviceEndpointPolicies", unknown))}, subnet},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := nt.Storage("st")
			admitted(t, estate(t, append(c.docs, r, nt.VNet("a", "10.1.0.0/16"))...), r, c.source, c.want, c.because)
		})
	}
	t.Run("a listed account that refuses", func(t *testing.T) {
		r := nt.Storage("st", disabled)
		admitted(t, estate(t, uses, policy(group), r), r, subnet, "no", "Disabled")
	})
}
