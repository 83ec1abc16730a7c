package network_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	nt "github.com/cloister-ml/cloister/network/networktest"
	"github.com/cloister-ml/cloister/service"
)

type sets = []nt.Set

func set(path string, v any) nt.Set { return nt.Set{Path: path, Value: v} }

var (
	outsider = network.Source{Addr: netip.MustParseAddr("192.0.2.10")}
	trusted  = network.Source{Addr: netip.MustParseAddr("198.51.100.66"), Trusted: nt.WorkspaceID("ws")}
	subnet   = network.Source{Addr: netip.MustParseAddr("10.1.0.4"), Subnet: nt.SubnetID("a", "s")}
	disabled = set("publicNetworkAccess", "Disabled")
	unknown  = arm.Unknown{Expression: "var.access"}
)

func through(endpoint string) network.Source {
	return network.Source{Addr: netip.MustParseAddr("10.1.0.4"), Endpoint: nt.EndpointID(endpoint)}
}

func TestAdmit(t *testing.T) {
	vault := nt.ID(service.TypeKeyVault, "kv")
	registry := nt.ID(service.TypeRegistry, "acr")
	insights := nt.ID(service.TypeAppInsights, "ai")
	online := nt.WorkspaceID("ws").Child("onlineEndpoints", "score")
	deny := set("networkAcls.defaultAction", "Deny")
	allowIP := set("networkAcls.ipRules", []arm.Object{{"value": "192.0.2.0/24", "action": "Allow"}})
	for _, c := range []struct {
		name          string
		id            arm.ID
		props         sets
		source        network.Source
		want, because string
	}{
		{"storage is open by default", nt.StorageID("st"), nil, outsider, "yes", "every network is let in"},
		{"storage disabled", nt.StorageID("st"), sets{disabled}, outsider, "no", "publicNetworkAccess is Disabled: only private endpoints are let in, and 192.0.2.10 did not come through one"},
		{"storage of unknown access", nt.StorageID("st"), sets{set("publicNetworkAccess", unknown)}, outsider, "unknown", "(var.access)"},
		{"storage behind a perimeter", nt.StorageID("st"), sets{set("publicNetworkAccess", "SecuredByPerimeter")}, outsider, "unknown", "is not in the estate"},
		{"storage denies", nt.StorageID("st"), sets{deny}, outsider, "no", "defaultAction is Deny, and no rule admits 192.0.2.10"},
		{"storage admits an address", nt.StorageID("st"), sets{deny, allowIP}, outsider, "yes", "networkAcls.ipRules admits 192.0.2.10 (192.0.2.0/24)"},
		{"storage admits another", nt.StorageID("st"), sets{deny, allowIP}, subnet, "no", "no rule admits 10.1.0.4"},
		{"storage admits a subnet", nt.StorageID("st"), sets{deny, set("networkAcls.virtualNetworkRules", []arm.Object{{"id": string(nt.SubnetID("a", "s"))}})}, subnet, "yes", "admits subnet s"},
		{"storage with unknown rules", nt.StorageID("st"), sets{deny, set("networkAcls.ipRules", unknown)}, outsider, "unknown", "(var.access)"},
		{"storage with unknown action", nt.StorageID("st"), sets{set("networkAcls.defaultAction", unknown)}, outsider, "unknown", "(var.access)"},
		{"storage lets trusted services in", nt.StorageID("st"), sets{deny, set("networkAcls.bypass", "Logging, AzureServices")}, trusted, "yes", "on behalf of ws"},
		{"storage does not", nt.StorageID("st"), sets{deny, set("networkAcls.bypass", "None")}, trusted, "no", "the call on behalf of ws"},
		{"storage names an instance", nt.StorageID("st"), sets{deny, set("networkAcls.bypass", "None"), set("networkAcls.resourceAccessRules", []arm.Object{{"resourceId": string(nt.WorkspaceID("ws"))}})}, trusted, "yes", "resourceAccessRules names ws"},
		{"vault disabled", vault, sets{disabled}, outsider, "no", "Disabled"},
		{"vault disabled, trusted", vault, sets{disabled}, trusted, "yes", "networkAcls.bypass"},
		{"vault denies", vault, sets{deny}, outsider, "no", "Deny"},
		{"registry disabled", registry, sets{disabled}, outsider, "no", "Disabled"},
		{"registry without bypass", registry, sets{disabled, set("networkRuleBypassOptions", "None")}, trusted, "no", "Disabled"},
		{"registry with bypass", registry, sets{disabled, set("networkRuleBypassOptions", "AzureServices")}, trusted, "yes", "networkRuleBypassOptions"},
		{"registry rules", registry, sets{set("networkRuleSet.defaultAction", "Deny"), set("networkRuleSet.ipRules", []arm.Object{{"value": "192.0.2.10"}})}, outsider, "yes", "networkRuleSet.ipRules admits"},
		{"workspace", nt.WorkspaceID("ws"), nil, outsider, "yes", "is not set, which means Enabled"},
		{"workspace disabled", nt.WorkspaceID("ws"), sets{disabled}, outsider, "no", "Disabled"},
		{"workspace disabled has no exception", nt.WorkspaceID("ws"), sets{disabled}, trusted, "no", "Disabled"},
		{"workspace allow list", nt.WorkspaceID("ws"), sets{set("ipAllowlist", []string{"203.0.113.0/24"})}, outsider, "no", "ipAllowlist is set, and no rule admits 192.0.2.10"},
		{"online endpoint", online, nil, outsider, "yes", "publicNetworkAccess"},
		{"online endpoint disabled", online, sets{disabled}, outsider, "no", "firewall of score"},
		{"insights", insights, sets{set("publicNetworkAccessForIngestion", "Disabled")}, outsider, "no", "publicNetworkAccessForIngestion is Disabled"},
		{"another kind", nt.ID("Microsoft.Web/sites", "x"), nil, outsider, "unknown", "not modelled"},

		{"through its endpoint", nt.StorageID("st"), sets{disabled}, through("pe-st"), "yes", "came through private endpoint pe-st"},
		{"through another's", vault, sets{disabled}, through("pe-st"), "no", "is connected to st, not to kv"},
		{"through one that is not there", nt.StorageID("st"), nil, through("gone"), "no", "there is no private endpoint"},
		{"through one that waits", nt.StorageID("st"), nil, through("pe-wait"), "no", "is Pending"},
		{"online endpoint through the workspace's", online, sets{disabled}, through("pe-ws"), "yes", "came through private endpoint pe-ws"},
		{"registry needs Premium", registry, nil, through("pe-acr"), "yes", "pe-acr"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := nt.Document(c.id, c.props...)
			r.SKU = arm.Object{"name": "Premium"}
			docs := []any{r,
				nt.Endpoint("pe-st", "a", "s", nt.StorageID("st"), "blob"), nt.Endpoint("pe-ws", "a", "s", nt.WorkspaceID("ws"), "amlworkspace"),
				nt.Endpoint("pe-acr", "a", "s", registry, "registry"),
				nt.Endpoint("pe-wait", "a", "s", nt.StorageID("st"), "blob", set("privateLinkServiceConnections", []arm.Object{nt.Connection(nt.StorageID("st"), "blob", "Pending")})),
			}
			if !c.id.Equal(nt.WorkspaceID("ws")) {
				docs = append(docs, nt.Workspace("ws"))
			}
			got := network.Admit(estate(t, docs...), r, c.source)
			if got.Value.String() != c.want || !strings.Contains(got.Decisive().At+": "+got.Decisive().Reason, c.because) {
				t.Errorf("got %v because %s: %s, want %s because %s", got.Value, got.Decisive().At, got.Decisive().Reason, c.want, c.because)
			}
		})
	}
}

func TestAdmitOnlineEndpointOfClosedWorkspace(t *testing.T) {
	online := nt.Document(nt.WorkspaceID("ws").Child("onlineEndpoints", "score"), set("publicNetworkAccess", "Enabled"))
	e := estate(t, online, nt.Workspace("ws", disabled))
	if got := network.Admit(e, online, outsider); got.Value.String() != "no" || got.Decisive().At != "firewall of ws" {
		t.Errorf("got %v at %s", got.Value, got.Decisive().At)
	}
}

func TestAdmitStandardRegistry(t *testing.T) {
	acr := nt.Document(nt.ID(service.TypeRegistry, "acr"))
	acr.SKU = arm.Object{"name": "Standard"}
	e := estate(t, acr, nt.Endpoint("pe", "a", "s", acr.ID, "registry"))
	if got := network.Admit(e, acr, through("pe")); got.Value.String() != "no" {
		t.Errorf("a Standard registry is reached through a private endpoint: %v", got)
	}
}

func TestAdmitPlatformHosts(t *testing.T) {
	if got := network.Admit(nil, arm.Resource{}, outsider); got.Value.String() != "yes" {
		t.Errorf("got %v", got)
	}
}
