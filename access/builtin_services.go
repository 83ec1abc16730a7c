package access

import "slices"

// vaultRead is what the roles on a vault's contents may see of the vault itself.
var vaultRead = []string{
	"Microsoft.Authorization/*/read", "Microsoft.Insights/alertRules/*", "Microsoft.Resources/deployments/*",
	"Microsoft.Resources/subscriptions/resourceGroups/read", "Microsoft.Support/*",
	"Microsoft.KeyVault/checkNameAvailability/read", "Microsoft.KeyVault/deletedVaults/read", "Microsoft.KeyVault/locations/*/read",
	"Microsoft.KeyVault/vaults/*/read", "Microsoft.KeyVault/operations/read",
}

const inVault = "Microsoft.KeyVault/vaults/"

// under are actions of one provider.
func under(provider string, actions ...string) []string {
	out := make([]string, len(actions))
	for i, a := range actions {
		out[i] = provider + a
	}
	return out
}

var vaultRoles = []Role{
	{ID: "00482a5a-887f-4fb3-b363-3b7fe8e74483", Name: "Key Vault Administrator", Actions: vaultRead, DataActions: []string{inVault + "*"}},
	{
		ID: "21090545-7ca7-4776-b22c-e363652d74d2", Name: "Key Vault Reader", Actions: slices.DeleteFunc(slices.Clone(vaultRead), func(a string) bool { return a == "Microsoft.Resources/deployments/*" }),
		DataActions: []string{inVault + "*/read", inVault + "secrets/readMetadata/action"},
	},
	{ID: "b86a8fe4-44ce-4948-aee5-eccb2c155cd7", Name: "Key Vault Secrets Officer", Actions: vaultRead, DataActions: []string{inVault + "secrets/*"}},
	{
		ID: "4633458b-17de-408a-b874-0445c86b69e6", Name: "Key Vault Secrets User",
		DataActions: []string{inVault + "secrets/getSecret/action", inVault + "secrets/readMetadata/action"},
	},
	{ID: "14b46e9e-c2b7-41b4-b07b-48a6ebf60603", Name: "Key Vault Crypto Officer", Actions: vaultRead, DataActions: []string{inVault + "keys/*", inVault + "keyrotationpolicies/*"}},
	{
		ID: "12338af0-0e69-4776-bea7-57ae8d297424", Name: "Key Vault Crypto User",
		DataActions: []string{
			inVault + "keys/read", inVault + "keys/update/action", inVault + "keys/backup/action", inVault + "keys/encrypt/action", inVault + "keys/decrypt/action",
			inVault + "keys/wrap/action", inVault + "keys/unwrap/action", inVault + "keys/sign/action", inVault + "keys/verify/action",
		},
	},
	{
		ID: "e147488a-f6f5-4113-8e2d-b22465e65bf6", Name: "Key Vault Crypto Service Encryption User",
		Actions:     []string{"Microsoft.EventGrid/eventSubscriptions/write", "Microsoft.EventGrid/eventSubscriptions/read", "Microsoft.EventGrid/eventSubscriptions/delete"},
		DataActions: []string{inVault + "keys/read", inVault + "keys/wrap/action", inVault + "keys/unwrap/action"},
	},
	{
		ID: "a4417e6f-fecd-4de8-b567-7b0420556985", Name: "Key Vault Certificates Officer", Actions: vaultRead,
		DataActions: []string{inVault + "certificatecas/*", inVault + "certificates/*", inVault + "certificatecontacts/write"},
	},
	{
		ID: "f25e0fa2-a7c8-4377-a976-54943a77a395", Name: "Key Vault Contributor",
		Actions: with("Microsoft.KeyVault/*"), NotActions: []string{"Microsoft.KeyVault/locations/deletedVaults/purge/action", "Microsoft.KeyVault/hsmPools/*", "Microsoft.KeyVault/managedHsms/*"},
	},
}

const inWorkspace = "Microsoft.MachineLearningServices/workspaces/"

var learningRoles = []Role{
	{
		ID: "f6c7c914-8db3-469d-8ca1-694a8f32e121", Name: "AzureML Data Scientist",
		Actions: []string{inWorkspace + "*/read", inWorkspace + "*/action", inWorkspace + "*/delete", inWorkspace + "*/write"},
		NotActions: []string{
			inWorkspace + "delete", inWorkspace + "write", inWorkspace + "computes/*/write", inWorkspace + "computes/*/delete",
			inWorkspace + "computes/listKeys/action", inWorkspace + "listKeys/action", inWorkspace + "hubs/write", inWorkspace + "hubs/delete",
			inWorkspace + "featurestores/write", inWorkspace + "featurestores/delete",
		},
	},
	{
		ID: "e503ece1-11d0-4e8e-8e2c-7a6c3bf38815", Name: "AzureML Compute Operator",
		Actions: []string{inWorkspace + "computes/*", inWorkspace + "notebooks/vm/*"},
	},
	{
		ID: "1823dd4f-9b8c-4ab6-ab4e-7397a3684615", Name: "AzureML Registry User",
		Actions: []string{"Microsoft.MachineLearningServices/registries/read", "Microsoft.MachineLearningServices/registries/assets/*"},
	},
	{
		ID: "635dd51f-9968-44d3-b7fb-6d9a6bd613ae", Name: "AzureML Metrics Writer (preview)",
		Actions: []string{inWorkspace + "metrics/*/write"},
	},
	{
		ID: "b556d68e-0be0-4f35-a333-ad7ee1ce17ea", Name: "Azure AI Enterprise Network Connection Approver",
		Actions: approvals,
	},
}

// approvals are what the approver of private endpoints has: for each service the
// connections, the right to approve one, and to read the service itself.
var approvals = func() []string {
	services := []struct {
		name            string
		approve, groups bool
	}{
		{"Microsoft.ApiManagement/service", false, true}, {"Microsoft.Cache/redis", true, true}, {"Microsoft.Cache/redisEnterprise", true, true},
		{"Microsoft.CognitiveServices/accounts", false, true}, {"Microsoft.ContainerRegistry/registries", true, false}, {"Microsoft.DBforMySQL/flexibleServers", true, true},
		{"Microsoft.DBforPostgreSQL/flexibleServers", true, true}, {"Microsoft.DocumentDB/databaseAccounts", true, true},
		{"Microsoft.EventHub/namespaces", true, true}, {"Microsoft.Insights/privateLinkScopes", true, true}, {"Microsoft.KeyVault/vaults", true, true},
		{"Microsoft.MachineLearningServices/registries", true, true}, {"Microsoft.MachineLearningServices/workspaces", true, true},
		{"Microsoft.Network/applicationGateways", false, true}, {"Microsoft.Network/privateLinkServices", true, false}, {"Microsoft.Search/searchServices", true, false},
		{"Microsoft.Sql/servers", true, true}, {"Microsoft.Storage/storageAccounts", true, true},
	}
	out := []string{
		"Microsoft.DBforPostgreSQL/serverGroupsv2/privateEndpointConnections/read", "Microsoft.DBforPostgreSQL/serverGroupsv2/privateEndpointConnections/write",
		"Microsoft.DBforPostgreSQL/serverGroupsv2/privateEndpointConnectionsApproval/action", "Microsoft.DBforPostgreSQL/serverGroupsv2/privateLinkResources/read",
		"Microsoft.DocumentDB/databaseAccounts/privateEndpointConnections/operationResults/read",
		"Microsoft.Insights/privateLinkScopes/privateEndpointConnections/operationResults/read",
		"Microsoft.Search/searchServices/sharedPrivateLinkResources/read",
	}
	for _, s := range services {
		out = append(out, s.name+"/privateEndpointConnections/read", s.name+"/privateEndpointConnections/write")
		if s.name != "Microsoft.ContainerRegistry/registries" {
			out = append(out, s.name+"/read")
		}
		if s.approve {
			out = append(out, s.name+"/privateEndpointConnectionsApproval/action")
		}
		if s.groups {
			out = append(out, s.name+"/privateLinkResources/read")
		}
	}
	return out
}()

var networkRoles = []Role{
	{ID: "4d97b98b-1d4f-4787-a291-c67834d212e7", Name: "Network Contributor", Actions: with("Microsoft.Network/*", "Microsoft.ResourceHealth/availabilityStatuses/read")},
	{
		ID: "b12aa53e-6015-4669-85d0-8515ebb3ae7f", Name: "Private DNS Zone Contributor",
		Actions: with("Microsoft.Network/privateDnsZones/*", "Microsoft.Network/privateDnsOperationResults/*", "Microsoft.Network/privateDnsOperationStatuses/*",
			"Microsoft.Network/virtualNetworks/read", "Microsoft.Network/virtualNetworks/join/action"),
	},
}

const exportLogs = "Microsoft.OperationalInsights/workspaces/jobs/export/action"

var monitorRoles = []Role{
	{
		ID: "3913510d-42f4-4e42-8a64-420c390055eb", Name: "Monitoring Metrics Publisher",
		Actions:     []string{"Microsoft.Insights/Register/Action", "Microsoft.Resources/subscriptions/resourceGroups/read", "Microsoft.Support/*"},
		DataActions: []string{"Microsoft.Insights/Metrics/Write", "Microsoft.Insights/Telemetry/Write"},
	},
	{ID: "43d0d8ad-25c7-4714-9337-8ba259a9fe05", Name: "Monitoring Reader", Actions: []string{"*/read", "Microsoft.OperationalInsights/workspaces/search/action", "Microsoft.Support/*"}},
	{
		ID: "749f88d5-cbae-40b8-bcfc-e573ddc772fa", Name: "Monitoring Contributor",
		Actions: slices.Concat(
			under("Microsoft.AlertsManagement/", "actionRules/*", "alerts/*", "alertsSummary/*", "investigations/*", "issues/*", "migrateFromSmartDetection/*",
				"prometheusRuleGroups/*", "smartDetectorAlertRules/*", "smartGroups/*"),
			under("Microsoft.Insights/", "actionGroups/*", "activityLogAlerts/*", "AlertRules/*", "components/*", "createNotifications/*",
				"dataCollectionEndpoints/*", "dataCollectionRules/*", "dataCollectionRuleAssociations/*", "DiagnosticSettings/*", "eventtypes/*",
				"LogDefinitions/*", "metricalerts/*", "MetricDefinitions/*", "Metrics/*", "notificationStatus/*", "privateLinkScopes/*",
				"privateLinkScopeOperationStatuses/*", "Register/Action", "scheduledqueryrules/*", "webtests/*", "workbooks/*", "workbooktemplates/*"),
			under("Microsoft.Monitor/", "accounts/*", "investigations/*", "settings/*"),
			under("Microsoft.OperationalInsights/", "locations/workspaces/failover/action", "workspaces/failback/action", "workspaces/intelligencepacks/*",
				"workspaces/savedSearches/*", "workspaces/sharedKeys/read", "workspaces/storageinsightconfigs/*"),
			[]string{
				"*/read", "Microsoft.OperationalInsights/workspaces/write", "Microsoft.OperationalInsights/workspaces/search/action",
				"Microsoft.OperationalInsights/workspaces/sharedKeys/action", "Microsoft.Resources/deployments/*", "Microsoft.Support/*",
			}),
	},
	{
		ID: "73c42c96-874c-492b-b04d-ab87d138a893", Name: "Log Analytics Reader",
		Actions:    []string{"*/read", "Microsoft.OperationalInsights/workspaces/analytics/query/action", "Microsoft.OperationalInsights/workspaces/search/action", "Microsoft.Support/*"},
		NotActions: []string{"Microsoft.OperationalInsights/workspaces/sharedKeys/read"}, DataActions: []string{exportLogs},
	},
	{
		ID: "92aaf0da-9dab-42b6-94a3-d43ce8d16293", Name: "Log Analytics Contributor",
		Actions: []string{"*/read", "Microsoft.Insights/diagnosticSettings/*", "Microsoft.OperationalInsights/*", "Microsoft.OperationsManagement/*", "Microsoft.Resources/deployments/*",
			"Microsoft.ClassicCompute/virtualMachines/extensions/*", "Microsoft.ClassicStorage/storageAccounts/listKeys/action", "Microsoft.Compute/virtualMachines/extensions/*",
			"Microsoft.HybridCompute/machines/extensions/write", "Microsoft.Insights/alertRules/*", "Microsoft.Resources/subscriptions/resourcegroups/deployments/*", listKeys, "Microsoft.Support/*"},
		DataActions: []string{exportLogs},
	},
	{
		ID: "ae349356-3a1b-4a5e-921d-050484c6347e", Name: "Application Insights Component Contributor",
		Actions: with("Microsoft.Insights/components/*", "Microsoft.Insights/webtests/*", "Microsoft.Insights/topology/read", "Microsoft.Insights/transactions/read",
			"Microsoft.Insights/generateLiveToken/read", "Microsoft.Insights/metricAlerts/*", "Microsoft.Insights/scheduledqueryrules/*", "Microsoft.ResourceHealth/availabilityStatuses/read"),
	},
}

const inBackup = "Microsoft.RecoveryServices/Vaults/backupFabrics/protectionContainers/protectedItems/"

var machineRoles = []Role{
	{
		ID: "9980e02c-c2be-4d73-94e8-173b1dc7cf3c", Name: "Virtual Machine Contributor",
		Actions: with("Microsoft.Compute/availabilitySets/*", "Microsoft.Compute/locations/*", "Microsoft.Compute/virtualMachines/*",
			"Microsoft.Compute/virtualMachineScaleSets/*", "Microsoft.Compute/disks/write", "Microsoft.Compute/disks/read", "Microsoft.Compute/disks/delete",
			"Microsoft.Network/networkInterfaces/*", "Microsoft.Network/networkSecurityGroups/join/action", "Microsoft.Network/networkSecurityGroups/read",
			"Microsoft.Network/publicIPAddresses/join/action", "Microsoft.Network/publicIPAddresses/read", "Microsoft.Network/virtualNetworks/read",
			"Microsoft.Network/virtualNetworks/subnets/join/action", "Microsoft.Storage/storageAccounts/listKeys/action", "Microsoft.Storage/storageAccounts/read",
			"Microsoft.Compute/cloudServices/*", "Microsoft.Compute/hostGroups/write", "Microsoft.Compute/hostGroups/hosts/write", "Microsoft.DevTestLab/schedules/*",
			"Microsoft.Network/applicationGateways/backendAddressPools/join/action", "Microsoft.Network/loadBalancers/backendAddressPools/join/action",
			"Microsoft.Network/loadBalancers/inboundNatPools/join/action", "Microsoft.Network/loadBalancers/inboundNatRules/join/action",
			"Microsoft.Network/loadBalancers/probes/join/action", "Microsoft.Network/loadBalancers/read", "Microsoft.Network/locations/*",
			"Microsoft.RecoveryServices/locations/*", "Microsoft.RecoveryServices/Vaults/backupFabrics/backupProtectionIntent/write",
			inBackup+"*/read", inBackup+"read", inBackup+"write", "Microsoft.RecoveryServices/Vaults/backupPolicies/read",
			"Microsoft.RecoveryServices/Vaults/backupPolicies/write", "Microsoft.RecoveryServices/Vaults/read", "Microsoft.RecoveryServices/Vaults/usages/read",
			"Microsoft.RecoveryServices/Vaults/write", "Microsoft.ResourceHealth/availabilityStatuses/read",
			"Microsoft.SerialConsole/serialPorts/connect/action", "Microsoft.SqlVirtualMachine/*"),
	},
	{
		ID: "1c0163c0-47e6-4577-8991-ea5c82e286e4", Name: "Virtual Machine Administrator Login",
		Actions: []string{
			"Microsoft.Network/publicIPAddresses/read", "Microsoft.Network/virtualNetworks/read", "Microsoft.Network/loadBalancers/read",
			"Microsoft.Network/networkInterfaces/read", "Microsoft.Compute/virtualMachines/*/read",
			"Microsoft.HybridCompute/machines/*/read", "Microsoft.HybridConnectivity/endpoints/listCredentials/action",
		},
		DataActions: []string{"Microsoft.Compute/virtualMachines/login/action", "Microsoft.Compute/virtualMachines/loginAsAdmin/action",
			"Microsoft.HybridCompute/machines/login/action", "Microsoft.HybridCompute/machines/loginAsAdmin/action"},
	},
	{
		ID: "fb879df8-f326-4884-b1cf-06f3ad86be52", Name: "Virtual Machine User Login",
		Actions: []string{
			"Microsoft.Network/publicIPAddresses/read", "Microsoft.Network/virtualNetworks/read", "Microsoft.Network/loadBalancers/read",
			"Microsoft.Network/networkInterfaces/read", "Microsoft.Compute/virtualMachines/*/read",
			"Microsoft.HybridCompute/machines/*/read", "Microsoft.HybridConnectivity/endpoints/listCredentials/action",
		},
		DataActions: []string{"Microsoft.Compute/virtualMachines/login/action", "Microsoft.HybridCompute/machines/login/action"},
	},
}
