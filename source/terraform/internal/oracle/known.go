package oracle

import (
	"regexp"
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

// aparts are what is written to Azure Resource Manager and is no document of an
// estate, or the other way about.
var aparts = []struct{ typ, why string }{
	{"microsoft.apimanagement/service/portalsettings", "whether developers must sign in to the portal; it is written with each service"},
	{"microsoft.synapse/workspaces/managedidentitysqlcontrolsettings", "whether the workspace's identity may use its SQL pools; it is written with each"},
	{"microsoft.sql/servers/sqlvulnerabilityassessments", "whether a server is scanned for weak settings; it is written with each"},
	{"microsoft.web/sites/config", "what an app logs of itself; it is written with each, and the other settings are in the app"},
	{"microsoft.insights/components/currentbillingfeatures", "the price plan of a component; it is written with each"},
}

func aside(id arm.ID) bool {
	for _, a := range aparts {
		if strings.EqualFold(id.Type(), a.typ) {
			return true
		}
	}
	return false
}

// echoes are the fields that an estate has from Azure's own rules, since meanings
// need them, and that no one sends. A list's elements are written as [].
var echoes = []struct{ typ, path, why string }{
	{"microsoft.authorization/roleassignments", "properties.scope", "the scope is in the id"},
	{"microsoft.compute/virtualmachines", "properties.storageProfile.dataDisks[].managedDisk.storageAccountType", "a disk that is attached says it itself"},
	{"microsoft.containerregistry/registries", "properties.loginServer", "it follows from the name"},
	{"microsoft.keyvault/vaults", "properties.vaultUri", "it follows from the name"},
	{"microsoft.machinelearningservices/workspaces", "properties.workspaceId", "Azure gives it out; names are made of it"},
	{"microsoft.machinelearningservices/workspaces/computes", "properties.properties.clusterFqdn", "Azure gives the cluster its name"},
	{"microsoft.managedidentity/userassignedidentities", "properties", "Azure gives out the principal"},
	{"microsoft.network/privateendpoints", "properties.privateLinkServiceConnections[].properties.privateLinkServiceConnectionState", "Azure approves what its owner may approve"},
	{"microsoft.network/connections", "properties.virtualNetworkGateway1.name", "the id says it"},
	{"microsoft.network/connections", "properties.virtualNetworkGateway2.name", "the id says it"},
	{"microsoft.network/connections", "properties.localNetworkGateway2.name", "the id says it"},
	{"microsoft.network/expressroutecircuits/peerings", "properties.azureASN", "Azure's own number; nothing known is sent as 0"},
	{"microsoft.servicebus/namespaces/queues", "properties.maxSizeInMegabytes", "the service's own; nothing known is sent as 0"},
	{"microsoft.servicebus/namespaces/topics", "properties.maxSizeInMegabytes", "the service's own; nothing known is sent as 0"},
	{"microsoft.operationsmanagement/solutions", "plan", "a document of an estate has no plan; the name says the same"},
}

// defaults are the values that Azure takes where nothing is sent: an estate says
// them, since meanings and readers look at them.
var defaults = []struct {
	typ, path string
	value     any // nil for any
	why       string
}{
	{"microsoft.storage/storageaccounts", "properties.networkAcls.bypass", "AzureServices", "the REST API's own default of NetworkRuleSet.bypass"},
	{"microsoft.web/sites", "kind", nil, "Azure makes it of the plan's operating system"},
	{"microsoft.web/sites", "properties.siteConfig.acrUseManagedIdentityCreds", false, "of function apps only what is not the default is sent"},
	{"microsoft.web/sites", "properties.siteConfig.http20Enabled", false, "the same"},
	{"microsoft.web/sites", "properties.siteConfig.remoteDebuggingEnabled", false, "the same"},
	{"microsoft.web/sites", "properties.siteConfig.scmIpSecurityRestrictionsUseMain", false, "the same"},
	{"microsoft.web/sites", "properties.siteConfig.vnetRouteAllEnabled", false, "the same"},
	{"microsoft.web/sites", "properties.siteConfig.webSocketsEnabled", false, "the same"},
	{"microsoft.web/sites", "properties.vnetRouteAllEnabled", false, "the same"},
}

// byDefault reports whether a value that was not sent is what Azure takes then.
func byDefault(typ, path string, have any) bool {
	for _, d := range defaults {
		if d.typ == typ && d.path == path && (d.value == nil || d.value == have) {
			return true
		}
	}
	return false
}

var element = regexp.MustCompile(`\[[^\]]*\]`)

func known(typ, path string) bool {
	path = element.ReplaceAllString(path, "[]")
	for _, e := range echoes {
		if e.typ == typ && e.path == path {
			return true
		}
	}
	return false
}
