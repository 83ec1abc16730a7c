package funcs

import (
	"errors"
	"strings"

	"github.com/zclconf/go-cty/cty/function"
)

// azurerm are the functions that the azurerm provider defines.
func azurerm() map[string]function.Function {
	return map[string]function.Function{
		"provider::azurerm::normalise_resource_id": toString(normaliseID, "id"),
	}
}

// canonical are the segments of resource ids that Azure spells with capitals.
var canonical = map[string]string{
	"resourcegroups": "resourceGroups", "subscriptions": "subscriptions", "providers": "providers",
	"virtualnetworks": "virtualNetworks", "networksecuritygroups": "networkSecurityGroups", "privateendpoints": "privateEndpoints",
	"privatednszones": "privateDnsZones", "virtualnetworklinks": "virtualNetworkLinks", "storageaccounts": "storageAccounts",
	"networkinterfaces": "networkInterfaces", "publicipaddresses": "publicIPAddresses", "routetables": "routeTables",
	"natgateways": "natGateways", "virtualmachines": "virtualMachines", "userassignedidentities": "userAssignedIdentities",
}

func normaliseID(a []string) (string, error) {
	if !strings.HasPrefix(a[0], "/") {
		return "", errors.New("a resource id begins with '/'")
	}
	segments := strings.Split(a[0], "/")
	for i := 1; i < len(segments); i += 2 {
		if s, ok := canonical[strings.ToLower(segments[i])]; ok {
			segments[i] = s
		}
	}
	return strings.Join(segments, "/"), nil
}
