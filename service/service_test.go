package service

import (
	"slices"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/arm"
)

const sub = "11111111-1111-1111-1111-111111111111"

func doc(typ, name, location string, p arm.Object) arm.Resource {
	id := arm.ResourceID(sub, "rg", typ, name)
	return arm.Resource{ID: id, Name: name, Type: typ, Location: location, Properties: p}
}

func TestZones(t *testing.T) {
	for _, z := range Zones() {
		if !strings.Contains(z.Name, "privatelink") || z.Type == "" || z.Group == "" || z.Public == "" || z.Name == z.Public {
			t.Errorf("%+v", z)
		}
	}
	if got := ZonesOf(TypeMonitorScope, GroupMonitor, "westeurope"); len(got) != 5 {
		t.Errorf("zones of a private link scope: %v", got)
	}
	if got := ZonesOf("microsoft.containerservice/managedclusters", "management", "West Europe"); !slices.Equal(got, []string{"privatelink.westeurope.azmk8s.io"}) {
		t.Errorf("zones of a cluster: %v", got)
	}
	if got := ZonesOf(TypeKeyVault, "vault", "usgovvirginia"); !slices.Equal(got, []string{"privatelink.vaultcore.usgovcloudapi.net"}) {
		t.Errorf("zones of a vault in Azure Government: %v", got)
	}
}

// Every endpoint that a private endpoint covers has a zone of the table.
func TestEndpointsAgreeWithTheTable(t *testing.T) {
	for _, typ := range []string{TypeStorageAccount, TypeKeyVault, TypeRegistry, TypeWorkspace, "Microsoft.Search/searchServices", "Microsoft.Sql/servers"} {
		for _, location := range []string{"westeurope", "usgovvirginia", "chinaeast2"} {
			r := doc(typ, "name", location, nil)
			r.SKU = arm.Object{"name": "Standard_RAGRS"}
			e, err := arm.NewEstate(r)
			if err != nil {
				t.Fatal(err)
			}
			for _, ep := range Covered(e, r) {
				if !slices.Contains(ZonesOf(typ, ep.Group, location), ep.Zone) || !strings.HasSuffix(ep.Private, "."+ep.Zone) {
					t.Errorf("%s in %s: %+v", typ, location, ep)
				}
			}
		}
	}
}

func TestPrivateLinkScope(t *testing.T) {
	component, logs := doc(TypeAppInsights, "appi", "West Europe", nil), doc(TypeLogAnalytics, "log", "West Europe", nil)
	scope := doc(TypeMonitorScope, "ampls", "global", nil)
	holds := func(name string, r arm.Resource) arm.Resource {
		id := scope.ID.Child("scopedResources", name)
		return arm.Resource{ID: id, Name: name, Type: id.Type(), Properties: arm.Object{"linkedResourceId": string(r.ID)}}
	}
	e, err := arm.NewEstate(component, logs, scope, holds("a", component), holds("b", logs))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]Endpoint{}
	for _, ep := range Covered(e, scope) {
		if ep.Group != GroupMonitor || !ep.Owner.Equal(scope.ID) {
			t.Errorf("%+v", ep)
		}
		found[ep.Host] = ep
	}
	guid := LogAnalyticsGUID(logs)
	for host, private := range map[string]string{
		HostMonitor: "global.in.ai.privatelink.monitor.azure.com",
		"westeurope.in.applicationinsights.azure.com": "westeurope.in.ai.privatelink.monitor.azure.com",
		guid + ".ods.opinsights.azure.com":            guid + ".privatelink.ods.opinsights.azure.com",
		guid + ".agentsvc.azure-automation.net":       guid + ".privatelink.agentsvc.azure-automation.net",
		"scadvisorcontent.blob.core.windows.net":      "scadvisorcontent.privatelink.blob.core.windows.net",
	} {
		if found[host].Private != private {
			t.Errorf("%s leads to %q, want %q", host, found[host].Private, private)
		}
	}
}

func TestConnections(t *testing.T) {
	entry := func(status any) arm.Object {
		return arm.Object{"properties": arm.Object{"privateLinkServiceId": "/subscriptions/" + sub, "groupIds": []any{"blob"},
			"privateLinkServiceConnectionState": arm.Object{"status": status}}}
	}
	for _, c := range []struct {
		name     string
		list     string
		entry    any
		approved bool
		unknown  bool
	}{
		{"approved", "privateLinkServiceConnections", entry("approved"), true, false},
		{"rejected", "privateLinkServiceConnections", entry("Rejected"), false, false},
		{"asked for without approval", "manualPrivateLinkServiceConnections", entry(nil), false, false},
		{"made by who may approve", "privateLinkServiceConnections", entry(nil), true, false},
		{"not known", "privateLinkServiceConnections", entry(arm.Unknown{Expression: "x"}), false, true},
		{"nothing known", "privateLinkServiceConnections", arm.Unknown{Expression: "y"}, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Connections(doc(TypePrivateEndpoint, "pe", "", arm.Object{c.list: []any{c.entry}}))
			if len(got) != 1 || got[0].Approved != c.approved || (got[0].StatusUnknown != nil) != c.unknown {
				t.Errorf("%+v", got)
			}
		})
	}
}
