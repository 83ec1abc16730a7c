package oracle

import (
	"maps"
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

// elsewhere is a resource that configurations refer to and do not declare: all those
// directly in the group "ext" are there already.
func elsewhere(id arm.ID, tenant string) (arm.Object, bool) {
	const segments = 8 // of /subscriptions/S/resourceGroups/G/providers/N/T/NAME
	if !strings.EqualFold(id.ResourceGroup(), "ext") || strings.Count(string(id), "/") != segments {
		return nil, false
	}
	props := arm.Object{}
	doc := arm.Object{"location": "westeurope", "properties": props}
	switch strings.ToLower(id.Type()) {
	case "microsoft.authorization/locks", "microsoft.authorization/policyassignments", "microsoft.authorization/roleassignments",
		"microsoft.devtestlab/schedules", "microsoft.resources/deployments":
		return nil, false // of the group itself, or of something in it: written by who declares it
	case "microsoft.compute/diskencryptionsets":
		props["encryptionType"] = "EncryptionAtRestWithCustomerKey"
	case "microsoft.compute/virtualmachines":
		props["storageProfile"] = arm.Object{"dataDisks": []any{}}
	case "microsoft.compute/disks":
		doc["sku"] = arm.Object{"name": "Premium_LRS"}
	case "microsoft.network/networkinterfaces":
		props["ipConfigurations"] = []any{arm.Object{"name": "ip", "properties": arm.Object{"primary": true, "privateIPAddress": "192.0.2.9"}}}
	case "microsoft.machinelearningservices/workspaces":
		doc["sku"] = arm.Object{"name": "Basic", "tier": "Basic"}
	case "microsoft.containerservice/managedclusters":
		props["agentPoolProfiles"] = []any{arm.Object{"name": "default", "type": "VirtualMachineScaleSets", "mode": "System"}}
	}
	doc, _ = completed(id, maps.Clone(doc), tenant)
	return doc, true
}
