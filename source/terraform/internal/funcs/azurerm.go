package funcs

import (
	"errors"
	"fmt"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// azurerm are the functions that the azurerm provider defines.
func azurerm() map[string]function.Function {
	return map[string]function.Function{
		"provider::azurerm::normalise_resource_id": toString(normaliseID, "id"),
		"provider::azurerm::parse_resource_id":     fromStrings(partsOfID, idParts, cty.ObjectVal, "id"),
	}
}

// canonical are the segments of resource ids that Azure spells with capitals.
var canonical = map[string]string{
	"resourcegroups": "resourceGroups", "subscriptions": "subscriptions", "providers": "providers",
	"virtualnetworks": "virtualNetworks", "networksecuritygroups": "networkSecurityGroups", "privateendpoints": "privateEndpoints",
	"privatednszones": "privateDnsZones", "virtualnetworklinks": "virtualNetworkLinks", "storageaccounts": "storageAccounts",
	"networkinterfaces": "networkInterfaces", "publicipaddresses": "publicIPAddresses", "routetables": "routeTables",
	"natgateways": "natGateways", "virtualmachines": "virtualMachines", "userassignedidentities": "userAssignedIdentities",
	"subnets": "subnets", "vaults": "vaults", "registries": "registries", "workspaces": "workspaces", "sites": "sites",
	"virtualmachinescalesets": "virtualMachineScaleSets", "ipconfigurations": "ipConfigurations", "azurefirewalls": "azureFirewalls",
	"managedclusters": "managedClusters", "components": "components", "onlineendpoints": "onlineEndpoints", "computes": "computes",
	"virtualnetworkgateways": "virtualNetworkGateways", "virtualnetworkpeerings": "virtualNetworkPeerings",
	"loadbalancers": "loadBalancers", "applicationgateways": "applicationGateways", "bastionhosts": "bastionHosts",
	"actiongroups": "actionGroups", "diskencryptionsets": "diskEncryptionSets", "blobservices": "blobServices",
	"microsoft.network": "Microsoft.Network", "microsoft.storage": "Microsoft.Storage", "microsoft.compute": "Microsoft.Compute",
	"microsoft.keyvault": "Microsoft.KeyVault", "microsoft.web": "Microsoft.Web", "microsoft.insights": "Microsoft.Insights",
	"microsoft.containerregistry": "Microsoft.ContainerRegistry", "microsoft.containerservice": "Microsoft.ContainerService",
	"microsoft.machinelearningservices": "Microsoft.MachineLearningServices", "microsoft.managedidentity": "Microsoft.ManagedIdentity",
	"microsoft.operationalinsights": "Microsoft.OperationalInsights", "microsoft.authorization": "Microsoft.Authorization",
	"microsoft.resources": "Microsoft.Resources", "microsoft.sql": "Microsoft.Sql", "microsoft.search": "Microsoft.Search",
	"microsoft.cognitiveservices": "Microsoft.CognitiveServices", "microsoft.databricks": "Microsoft.Databricks",
	"microsoft.documentdb": "Microsoft.DocumentDB", "microsoft.eventhub": "Microsoft.EventHub", "microsoft.chaos": "Microsoft.Chaos",
	"microsoft.apimanagement": "Microsoft.ApiManagement",
}

// normaliseID spells the segments that are Azure's own as Azure does; names stay
// as they are.
func normaliseID(a []string) (string, error) {
	segments := strings.Split(strings.TrimPrefix(a[0], "/"), "/")
	if len(segments) < 2 {
		return "", fmt.Errorf("%q is not a resource id", a[0])
	}
	for i := range segments {
		namespace := i > 0 && strings.EqualFold(segments[i-1], "providers")
		if i%2 != 0 && !namespace {
			continue
		}
		if s, ok := canonical[strings.ToLower(segments[i])]; ok {
			segments[i] = s
		}
	}
	return "/" + strings.Join(segments, "/"), nil
}

var idParts = cty.Object(map[string]cty.Type{
	"resource_name": cty.String, "resource_provider": cty.String, "resource_group_name": cty.String,
	"resource_type": cty.String, "resource_scope": cty.String, "full_resource_type": cty.String,
	"subscription_id": cty.String, "parent_resources": cty.Map(cty.String),
})

// segment is a type and a name in a resource id.
type segment struct{ typ, name string }

// partsOfID takes a resource id apart.
func partsOfID(a []string) (map[string]cty.Value, error) {
	id, err := normaliseID(a)
	if err != nil {
		return nil, err
	}
	subscription, group, namespace, chain, err := pieces(id)
	if err != nil {
		return nil, err
	}
	full, parents := namespace, map[string]cty.Value{}
	for i, s := range chain {
		full = strings.TrimPrefix(full+"/"+s.typ, "/")
		if i < len(chain)-1 {
			parents[s.typ] = cty.StringVal(s.name)
		}
	}
	last := segment{}
	if len(chain) > 0 {
		last = chain[len(chain)-1]
	}
	within := cty.MapValEmpty(cty.String)
	if len(parents) > 0 {
		within = cty.MapVal(parents)
	}
	return map[string]cty.Value{
		"resource_name": cty.StringVal(last.name), "resource_provider": cty.StringVal(namespace),
		"resource_group_name": cty.StringVal(group), "resource_type": cty.StringVal(last.typ),
		"resource_scope": cty.StringVal(""), "full_resource_type": cty.StringVal(full),
		"subscription_id": cty.StringVal(subscription), "parent_resources": within,
	}, nil
}

// pieces are the subscription, the resource group, the provider's namespace and
// the types and names below it.
func pieces(id string) (subscription, group, namespace string, chain []segment, err error) {
	parts := strings.Split(strings.Trim(id, "/"), "/")
	if len(parts)%2 != 0 {
		return "", "", "", nil, errors.New("a resource id is made of pairs, and this one has an odd number of segments")
	}
	for i := 0; i+1 < len(parts); i += 2 {
		key, value := parts[i], parts[i+1]
		switch {
		case strings.EqualFold(key, "subscriptions") && i == 0:
			subscription = value
		case strings.EqualFold(key, "resourceGroups") && i == 2:
			group = value
			if len(parts) == 4 {
				chain = append(chain, segment{key, value})
			}
		case strings.EqualFold(key, "providers"):
			namespace, chain = value, nil
		default:
			chain = append(chain, segment{key, value})
		}
	}
	return subscription, group, namespace, chain, nil
}
