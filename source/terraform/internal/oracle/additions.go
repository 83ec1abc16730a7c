package oracle

import (
	"maps"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// completed is a document as Azure shows it after a write, and the documents that
// Azure makes beside it. What is decided by Azure is decided here as readers
// decide it, so that bodies which carry it on are equal.
func completed(id arm.ID, doc arm.Object, tenant string) (arm.Object, []arm.Object) {
	doc["id"], doc["name"], doc["type"] = string(id), id.Name(), id.Type()
	props, ok := doc["properties"].(map[string]any)
	if !ok {
		props = arm.Object{}
		doc["properties"] = props
	}
	if !isSetting(id) { // all that one holds is the user's
		props["provisioningState"] = "Succeeded"
	}
	identities(id, doc, tenant)
	if strings.HasPrefix(strings.ToLower(id.Type()), "microsoft.network/") {
		numbered(id, props)
	}
	for _, table := range []map[string]addition{additions, networkAdditions, serviceAdditions} {
		if add, ok := table[strings.ToLower(id.Type())]; ok {
			return doc, add(id, doc, props)
		}
	}
	return doc, nil
}

// identities gives managed identities their principals.
func identities(id arm.ID, doc arm.Object, tenant string) {
	identity, ok := doc["identity"].(map[string]any)
	if !ok {
		return
	}
	if strings.Contains(strings.ToLower(arm.String(identity, "type")), "systemassigned") {
		identity["principalId"], identity["tenantId"] = arm.PrincipalID(id), tenant
	}
	users, _ := identity["userAssignedIdentities"].(map[string]any)
	for user := range users {
		users[user] = arm.Object{"principalId": arm.PrincipalID(arm.ID(user)), "clientId": arm.StableGUID(arm.ID(user), "clientId")}
	}
}

// numbered gives the named parts of a network resource their ids.
func numbered(id arm.ID, props arm.Object) {
	for name, v := range props {
		list, ok := v.([]any)
		if !ok {
			continue
		}
		for _, e := range list {
			if part, ok := e.(map[string]any); ok && part["id"] == nil && arm.String(part, "name") != "" {
				part["id"] = string(id.Child(name, arm.String(part, "name")))
			}
		}
	}
}

type addition func(id arm.ID, doc, props arm.Object) []arm.Object

// additions are what Azure adds to a document, by type in lower case, where the
// provider asks for it.
var additions = map[string]addition{
	"microsoft.keyvault/vaults": func(id arm.ID, _, props arm.Object) []arm.Object {
		props["vaultUri"] = "https://" + id.Name() + ".vault.azure.net/"
		return nil
	},
	"microsoft.managedidentity/userassignedidentities": func(id arm.ID, _, props arm.Object) []arm.Object {
		props["principalId"], props["clientId"] = arm.PrincipalID(id), arm.StableGUID(id, "clientId")
		return nil
	},
	"microsoft.network/publicipaddresses": func(_ arm.ID, _, props arm.Object) []arm.Object {
		props["ipAddress"] = "203.0.113.5"
		return nil
	},
	"microsoft.network/virtualnetworks": func(id arm.ID, _, props arm.Object) []arm.Object {
		props["resourceGuid"] = arm.StableGUID(id, "resourceGuid")
		if props["subnets"] == nil {
			props["subnets"] = []any{}
		}
		return nil
	},
	"microsoft.network/virtualnetworks/virtualnetworkpeerings": func(_ arm.ID, _, props arm.Object) []arm.Object {
		props["peeringState"] = "Connected"
		return nil
	},
	"microsoft.network/networkinterfaces": func(_ arm.ID, _, props arm.Object) []arm.Object {
		for _, c := range arm.Objects(props, "ipConfigurations") {
			if inner, ok := c["properties"].(map[string]any); ok && inner["privateIPAddress"] == nil {
				inner["privateIPAddress"] = "192.0.2.4"
			}
		}
		return nil
	},
	"microsoft.network/privateendpoints": privateEndpoint,
	"microsoft.storage/storageaccounts": func(id arm.ID, doc, props arm.Object) []arm.Object {
		ends := arm.Object{}
		for _, s := range []string{"blob", "file", "queue", "table", "dfs"} {
			ends[s] = "https://" + id.Name() + "." + s + ".core.windows.net/"
		}
		ends["web"] = "https://" + id.Name() + ".z6.web.core.windows.net/"
		props["primaryEndpoints"], props["primaryLocation"] = ends, doc["location"]
		props["statusOfPrimary"], props["creationTime"] = "available", "2026-01-01T00:00:00Z"
		return nil
	},
	"microsoft.containerregistry/registries": func(id arm.ID, _, props arm.Object) []arm.Object {
		props["loginServer"] = id.Name() + ".azurecr.io"
		return nil
	},
	"microsoft.insights/components": func(id arm.ID, _, props arm.Object) []arm.Object {
		key := arm.StableGUID(id, "instrumentationKey")
		props["AppId"], props["InstrumentationKey"] = arm.StableGUID(id, "appId"), key
		props["ConnectionString"] = "InstrumentationKey=" + key
		return nil
	},
	"microsoft.operationalinsights/workspaces": func(id arm.ID, _, props arm.Object) []arm.Object {
		props["customerId"] = arm.StableGUID(id, "customerId")
		return nil
	},
	"microsoft.machinelearningservices/workspaces": func(id arm.ID, doc, props arm.Object) []arm.Object {
		props["workspaceId"] = service.WorkspaceGUID(id)
		props["discoveryUrl"] = "https://" + service.Region(arm.String(doc, "location")) + ".api.azureml.ms/discovery"
		return nil
	},
	"microsoft.compute/virtualmachines": virtualMachine,
	"microsoft.compute/disks": func(id arm.ID, _, props arm.Object) []arm.Object {
		props["uniqueId"] = arm.StableGUID(id, "uniqueId")
		return nil
	},
	"microsoft.compute/virtualmachinescalesets": func(id arm.ID, _, props arm.Object) []arm.Object {
		props["uniqueId"] = arm.StableGUID(id, "uniqueId")
		return nil
	},
	"microsoft.containerservice/managedclusters": managedCluster,
	"microsoft.authorization/roleassignments": func(id arm.ID, _, props arm.Object) []arm.Object {
		props["scope"] = string(id.Parent())
		return nil
	},
}

// privateEndpoint gives an endpoint its interface, and approves it.
func privateEndpoint(id arm.ID, doc, props arm.Object) []arm.Object {
	name := arm.String(props, "customNetworkInterfaceName")
	if name == "" {
		name = id.Name() + ".nic"
	}
	nic := arm.ResourceID(id.Subscription(), id.ResourceGroup(), "Microsoft.Network/networkInterfaces", name)
	props["networkInterfaces"] = []any{arm.Object{"id": string(nic)}}
	for _, list := range []string{"privateLinkServiceConnections", "manualPrivateLinkServiceConnections"} {
		for _, c := range arm.Objects(props, list) {
			if inner, ok := c["properties"].(map[string]any); ok {
				inner["privateLinkServiceConnectionState"] = arm.Object{"status": "Approved"}
			}
		}
	}
	return []arm.Object{{
		"id": string(nic), "name": name, "type": nic.Type(), "location": doc["location"],
		"properties": arm.Object{"provisioningState": "Succeeded", "ipConfigurations": []any{
			arm.Object{"name": "private", "properties": arm.Object{"privateIPAddress": "192.0.2.5", "primary": true}},
		}},
	}}
}

// virtualMachine gives a machine its disk.
func virtualMachine(id arm.ID, doc, props arm.Object) []arm.Object {
	props["vmId"] = arm.StableGUID(id, "vmId")
	disk, ok := arm.Lookup(props, "storageProfile.osDisk")
	os, isObject := disk.(map[string]any)
	if !ok || !isObject {
		return nil
	}
	name := arm.String(os, "name")
	if name == "" {
		name = id.Name() + "_disk"
		os["name"] = name
	}
	diskID := arm.ResourceID(id.Subscription(), id.ResourceGroup(), "Microsoft.Compute/disks", name)
	managed, ok := os["managedDisk"].(map[string]any)
	if !ok {
		managed = arm.Object{}
		os["managedDisk"] = managed
	}
	managed["id"] = string(diskID)
	return []arm.Object{{
		"id": string(diskID), "name": name, "type": diskID.Type(), "location": doc["location"],
		"sku": arm.Object{"name": arm.String(managed, "storageAccountType")}, "properties": arm.Object{"diskSizeGB": 30, "provisioningState": "Succeeded"},
	}}
}

// managedCluster gives a cluster its names and its node pools as documents.
func managedCluster(id arm.ID, doc, props arm.Object) []arm.Object {
	region := service.Region(arm.String(doc, "location"))
	props["fqdn"] = id.Name() + ".hcp." + region + ".azmk8s.io"
	props["azurePortalFQDN"] = id.Name() + ".portal.hcp." + region + ".azmk8s.io"
	if arm.String(props, "nodeResourceGroup") == "" {
		props["nodeResourceGroup"] = "MC_" + id.ResourceGroup() + "_" + id.Name() + "_" + region
	}
	props["powerState"] = arm.Object{"code": "Running"}
	if arm.String(props, "kubernetesVersion") == "" {
		props["kubernetesVersion"], props["currentKubernetesVersion"] = "1.33.1", "1.33.1"
	}
	var pools []arm.Object
	for _, p := range arm.Objects(props, "agentPoolProfiles") {
		pool := id.Child("agentPools", arm.String(p, "name"))
		inner := arm.Clone(p)
		inner["provisioningState"], inner["powerState"] = "Succeeded", arm.Object{"code": "Running"}
		pools = append(pools, arm.Object{"id": string(pool), "name": pool.Name(), "type": pool.Type(), "properties": inner})
	}
	return pools
}
