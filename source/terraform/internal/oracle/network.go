package oracle

import (
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

// networkAdditions are what Azure adds to the documents of networks and of what
// watches them, by type in lower case.
var networkAdditions = map[string]addition{
	"microsoft.network/azurefirewalls": func(_ arm.ID, _, props arm.Object) []arm.Object {
		for _, list := range []string{"applicationRuleCollections", "networkRuleCollections", "natRuleCollections", "ipConfigurations"} {
			if props[list] == nil {
				props[list] = []any{}
			}
		}
		for _, c := range arm.Objects(props, "ipConfigurations") {
			if inner, ok := c["properties"].(map[string]any); ok {
				inner["privateIPAddress"] = "192.0.2.4"
			}
		}
		return nil
	},
	"microsoft.network/loadbalancers": func(_ arm.ID, _, props arm.Object) []arm.Object {
		for _, list := range []string{"backendAddressPools", "loadBalancingRules", "probes", "outboundRules", "inboundNatRules", "inboundNatPools"} {
			if props[list] == nil {
				props[list] = []any{}
			}
		}
		return nil
	},
	"microsoft.network/loadbalancers/backendaddresspools": func(_ arm.ID, _, props arm.Object) []arm.Object {
		if props["loadBalancerBackendAddresses"] == nil {
			props["loadBalancerBackendAddresses"] = []any{}
		}
		return nil
	},
	"microsoft.network/virtualhubs": func(_ arm.ID, _, props arm.Object) []arm.Object {
		props["routingState"], props["virtualRouterAsn"] = "Provisioned", 65515
		props["virtualRouterIps"] = []any{"192.0.2.68", "192.0.2.69"}
		return nil
	},
	"microsoft.network/expressroutecircuits": func(id arm.ID, _, props arm.Object) []arm.Object {
		props["serviceKey"], props["serviceProviderProvisioningState"] = arm.StableGUID(id, "serviceKey"), "NotProvisioned"
		props["peerings"], props["authorizations"] = []any{}, []any{}
		return nil
	},
	"microsoft.network/expressroutecircuits/authorizations": func(_ arm.ID, _, props arm.Object) []arm.Object {
		props["authorizationKey"], props["authorizationUseStatus"] = "b3JhY2xl", "Available"
		return nil
	},
	"microsoft.network/expressroutecircuits/peerings": func(_ arm.ID, _, props arm.Object) []arm.Object {
		props["primaryAzurePort"], props["secondaryAzurePort"] = "one", "two"
		return nil
	},
	"microsoft.network/expressroutegateways/expressrouteconnections": func(id arm.ID, _, props arm.Object) []arm.Object {
		hub := arm.ResourceID(id.Subscription(), id.ResourceGroup(), "Microsoft.Network/virtualHubs", "hub")
		table := arm.Object{"id": string(hub.Child("hubRouteTables", "defaultRouteTable"))}
		props["routingConfiguration"] = arm.Object{
			"associatedRouteTable":  table,
			"propagatedRouteTables": arm.Object{"ids": []any{table}, "labels": []any{"default"}},
		}
		return nil
	},
	"microsoft.network/expressrouteports": func(id arm.ID, _, props arm.Object) []arm.Object {
		links := []any{}
		for _, name := range []string{"link1", "link2"} {
			links = append(links, arm.Object{
				"name": name, "id": string(id.Child("links", name)),
				"properties": arm.Object{"adminState": "Disabled", "macSecConfig": arm.Object{}},
			})
		}
		props["links"] = links
		return nil
	},
	"microsoft.network/networkmanagers/networkgroups/staticmembers": func(_ arm.ID, _, props arm.Object) []arm.Object {
		props["region"] = "westeurope"
		return nil
	},
	"microsoft.network/trafficmanagerprofiles": func(id arm.ID, _, props arm.Object) []arm.Object {
		set := arm.Object{}
		if dns, ok := props["dnsConfig"].(map[string]any); ok {
			set = dns
		}
		set["fqdn"] = id.Name() + ".trafficmanager.net"
		props["dnsConfig"], props["endpoints"] = set, []any{}
		return nil
	},
	"microsoft.operationalinsights/workspaces/dataexports": func(id arm.ID, _, props arm.Object) []arm.Object {
		props["dataExportId"] = arm.StableGUID(id, "dataExportId")
		if destination, ok := props["destination"].(map[string]any); ok {
			destination["type"], destination["metaData"] = "StorageAccount", arm.Object{}
		}
		return nil
	},
}

// listed are the children that ARM shows within their parent too: their type, and
// the parent's array.
var listed = map[string]string{
	"microsoft.network/loadbalancers/backendaddresspools": "backendAddressPools",
	"microsoft.network/loadbalancers/inboundnatrules":     "inboundNatRules",
}

// list shows a child within its parent.
func (e *Endpoint) list(id arm.ID, child arm.Object) {
	member, ok := listed[strings.ToLower(id.Type())]
	parent, there := e.docs[id.Parent().Key()]
	if !ok || !there {
		return
	}
	props, ok := parent.doc["properties"].(map[string]any)
	if !ok {
		return
	}
	var all []any
	for _, o := range arm.Objects(props, member) {
		if !strings.EqualFold(arm.String(o, "name"), id.Name()) {
			all = append(all, o)
		}
	}
	props[member] = append(all, arm.Clone(child))
}
