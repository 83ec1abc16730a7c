package floorplan

import (
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
)

// Resource types that the plan reads, beside those of package service.
const (
	typeSubnet     = "Microsoft.Network/virtualNetworks/subnets"
	typePeering    = "Microsoft.Network/virtualNetworks/virtualNetworkPeerings"
	typeHub        = "Microsoft.Network/virtualHubs"
	typeHubLink    = "Microsoft.Network/virtualHubs/hubVirtualNetworkConnections"
	typeZoneLink   = "Microsoft.Network/privateDnsZones/virtualNetworkLinks"
	typeZoneGroup  = "Microsoft.Network/privateEndpoints/privateDnsZoneGroups"
	typeConnection = "Microsoft.Network/connections"
	typeGateway    = "Microsoft.Network/virtualNetworkGateways"
	typeVM         = "Microsoft.Compute/virtualMachines"
	typeCompute    = "Microsoft.MachineLearningServices/workspaces/computes"
	typePublicIP   = "Microsoft.Network/publicIPAddresses"
	typeScope      = "Microsoft.Insights/privateLinkScopes"
	typeScoped     = "Microsoft.Insights/privateLinkScopes/scopedResources"
	typeNSG        = "Microsoft.Network/networkSecurityGroups"
	typeRouteTable = "Microsoft.Network/routeTables"
	typeNAT        = "Microsoft.Network/natGateways"
	typeCircuit    = "Microsoft.Network/expressRouteCircuits"
	typeSite       = "Microsoft.Network/localNetworkGateways"
)

// kind is how people call a type of resource, and the family of its lines.
type kind struct{ name, family string }

// kinds are by type in lower case.
var kinds = lowered(map[string]kind{
	typeVM: {"virtual machine", ""},
	"Microsoft.Compute/virtualMachineScaleSets":        {"scale set", ""},
	"Microsoft.ContainerService/managedClusters":       {"AKS cluster", ""},
	"Microsoft.ContainerInstance/containerGroups":      {"container group", ""},
	"Microsoft.App/managedEnvironments":                {"Container Apps environment", ""},
	"Microsoft.Network/bastionHosts":                   {"Bastion", ""},
	"Microsoft.Network/azureFirewalls":                 {"Azure Firewall", ""},
	"Microsoft.Network/applicationGateways":            {"application gateway", ""},
	"Microsoft.Network/loadBalancers":                  {"load balancer", ""},
	"Microsoft.Network/privateLinkServices":            {"private link service", ""},
	"Microsoft.Network/dnsResolvers/inboundEndpoints":  {"DNS resolver, inbound", ""},
	"Microsoft.Network/dnsResolvers/outboundEndpoints": {"DNS resolver, outbound", ""},
	"Microsoft.Network/virtualHubs":                    {"route server", ""},
	"Microsoft.Web/serverFarms":                        {"App Service plan", ""},
	"Microsoft.Web/hostingEnvironments":                {"App Service environment", ""},
	service.TypeNetworkInterface:                       {"network interface", ""},
	service.TypePrivateEndpoint:                        {"private endpoint", ""},
	service.TypeStorageAccount:                         {"storage account", "storage"},
	service.TypeKeyVault:                               {"key vault", "secrets"},
	service.TypeRegistry:                               {"container registry", "registry"},
	service.TypeWorkspace:                              {"machine learning workspace", "learning"},
	service.TypeAppInsights:                            {"Application Insights", "monitoring"},
	"Microsoft.MachineLearningServices/registries":     {"machine learning registry", "learning"},
	"Microsoft.OperationalInsights/workspaces":         {"Log Analytics workspace", "monitoring"},
	typeScope: {"Monitor private link scope", "monitoring"},
	"Microsoft.Insights/dataCollectionEndpoints":     {"data collection endpoint", "monitoring"},
	"Microsoft.Monitor/accounts":                     {"Monitor workspace", "monitoring"},
	"Microsoft.Dashboard/grafana":                    {"Managed Grafana", "monitoring"},
	"Microsoft.CognitiveServices/accounts":           {"AI services account", "learning"},
	"Microsoft.Search/searchServices":                {"AI Search", "learning"},
	"Microsoft.Databricks/workspaces":                {"Databricks workspace", "learning"},
	"Microsoft.Synapse/workspaces":                   {"Synapse workspace", "data"},
	"Microsoft.DataFactory/factories":                {"Data Factory", "data"},
	"Microsoft.Purview/accounts":                     {"Purview account", "data"},
	"Microsoft.Sql/servers":                          {"SQL server", "data"},
	"Microsoft.DocumentDB/databaseAccounts":          {"Cosmos DB account", "data"},
	"Microsoft.DBforPostgreSQL/flexibleServers":      {"PostgreSQL server", "data"},
	"Microsoft.DBforMySQL/flexibleServers":           {"MySQL server", "data"},
	"Microsoft.Cache/redis":                          {"Redis cache", "data"},
	"Microsoft.EventHub/namespaces":                  {"Event Hubs namespace", "data"},
	"Microsoft.ServiceBus/namespaces":                {"Service Bus namespace", "data"},
	"Microsoft.EventGrid/topics":                     {"Event Grid topic", "data"},
	"Microsoft.Web/sites":                            {"App Service", "other"},
	"Microsoft.ApiManagement/service":                {"API Management", "other"},
	"Microsoft.AppConfiguration/configurationStores": {"App Configuration", "secrets"},
	"Microsoft.RecoveryServices/vaults":              {"Recovery Services vault", "storage"},
	"Microsoft.Automation/automationAccounts":        {"Automation account", "other"},
	"Microsoft.KeyVault/managedHSMs":                 {"managed HSM", "secrets"},
})

func lowered(m map[string]kind) map[string]kind {
	out := make(map[string]kind, len(m))
	for k, v := range m {
		out[strings.ToLower(k)] = v
	}
	return out
}

// kindOf names a document's type; of an unlisted one it is the type's last part.
func kindOf(r arm.Resource) kind {
	switch {
	case r.IsType(typeGateway):
		if strings.EqualFold(arm.String(r.Properties, "gatewayType"), "ExpressRoute") {
			return kind{name: "ExpressRoute gateway"}
		}
		return kind{name: "VPN gateway"}
	case r.IsType(typeCompute):
		return kind{name: computeKind(arm.String(r.Properties, "computeType"))}
	case r.IsType(service.TypeWorkspace) && strings.EqualFold(r.Kind, "Hub"):
		return kind{"AI Foundry hub", "learning"}
	}
	return kindOfType(r.Type)
}

func kindOfType(typ string) kind {
	if k, ok := kinds[strings.ToLower(typ)]; ok {
		return k
	}
	return kind{name: words(typ[strings.LastIndexByte(typ, '/')+1:])}
}

func computeKind(typ string) string {
	switch strings.ToLower(typ) {
	case "amlcompute":
		return "compute cluster"
	case "computeinstance":
		return "compute instance"
	case "kubernetes", "aks":
		return "attached Kubernetes"
	}
	return "compute"
}

// words turns fooBars into "foo bar".
func words(camel string) string {
	var b strings.Builder
	for i, r := range strings.TrimSuffix(camel, "s") {
		if i > 0 && r >= 'A' && r <= 'Z' {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return strings.ToLower(b.String())
}
