package access

// vaultRead is what the roles on a vault's contents may see of the vault itself.
var vaultRead = []string{
	"Microsoft.Authorization/*/read", "Microsoft.Resources/deployments/*", "Microsoft.Resources/subscriptions/resourceGroups/read",
	"Microsoft.KeyVault/checkNameAvailability/read", "Microsoft.KeyVault/deletedVaults/read", "Microsoft.KeyVault/locations/*/read",
	"Microsoft.KeyVault/vaults/*/read", "Microsoft.KeyVault/operations/read",
}

const inVault = "Microsoft.KeyVault/vaults/"

var vaultRoles = []Role{
	{ID: "00482a5a-887f-4fb3-b363-3b7fe8e74483", Name: "Key Vault Administrator", Actions: vaultRead, DataActions: []string{inVault + "*"}},
	{
		ID: "21090545-7ca7-4776-b22c-e363652d74d2", Name: "Key Vault Reader", Actions: vaultRead,
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
		DataActions: []string{inVault + "certificatecas/*", inVault + "certificates/*"},
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
		Actions: []string{
			"Microsoft.ContainerRegistry/registries/privateEndpointConnectionsApproval/action", "Microsoft.ContainerRegistry/registries/privateEndpointConnections/read",
			"Microsoft.ContainerRegistry/registries/privateEndpointConnections/write", "Microsoft.KeyVault/vaults/privateEndpointConnectionsApproval/action",
			"Microsoft.KeyVault/vaults/privateEndpointConnections/read", "Microsoft.KeyVault/vaults/privateEndpointConnections/write",
			"Microsoft.MachineLearningServices/workspaces/privateEndpointConnectionsApproval/action", "Microsoft.MachineLearningServices/workspaces/privateEndpointConnections/read",
			"Microsoft.MachineLearningServices/workspaces/privateEndpointConnections/write", "Microsoft.Storage/storageAccounts/privateEndpointConnectionsApproval/action",
			"Microsoft.Storage/storageAccounts/privateEndpointConnections/read", "Microsoft.Storage/storageAccounts/privateEndpointConnections/write",
		},
	},
}

var networkRoles = []Role{
	{ID: "4d97b98b-1d4f-4787-a291-c67834d212e7", Name: "Network Contributor", Actions: with("Microsoft.Network/*")},
	{
		ID: "b12aa53e-6015-4669-85d0-8515ebb3ae7f", Name: "Private DNS Zone Contributor",
		Actions: with("Microsoft.Network/privateDnsZones/*", "Microsoft.Network/privateDnsOperationResults/*", "Microsoft.Network/privateDnsOperationStatuses/*",
			"Microsoft.Network/virtualNetworks/read", "Microsoft.Network/virtualNetworks/join/action"),
	},
}

var monitorRoles = []Role{
	{
		ID: "3913510d-42f4-4e42-8a64-420c390055eb", Name: "Monitoring Metrics Publisher",
		Actions:     []string{"Microsoft.Insights/Register/Action", "Microsoft.Resources/subscriptions/resourceGroups/read"},
		DataActions: []string{"Microsoft.Insights/Metrics/Write", "Microsoft.Insights/Telemetry/Write"},
	},
	{ID: "43d0d8ad-25c7-4714-9337-8ba259a9fe05", Name: "Monitoring Reader", Actions: []string{"*/read", "Microsoft.OperationalInsights/workspaces/search/action"}},
	{
		ID: "749f88d5-cbae-40b8-bcfc-e573ddc772fa", Name: "Monitoring Contributor",
		Actions: []string{
			"*/read", "Microsoft.Insights/*", "Microsoft.OperationalInsights/workspaces/write", "Microsoft.OperationalInsights/workspaces/search/action",
			"Microsoft.OperationalInsights/workspaces/sharedKeys/action",
		},
	},
	{
		ID: "73c42c96-874c-492b-b04d-ab87d138a893", Name: "Log Analytics Reader",
		Actions:    []string{"*/read", "Microsoft.OperationalInsights/workspaces/analytics/query/action", "Microsoft.OperationalInsights/workspaces/search/action"},
		NotActions: []string{"Microsoft.OperationalInsights/workspaces/sharedKeys/read"},
	},
	{
		ID: "92aaf0da-9dab-42b6-94a3-d43ce8d16293", Name: "Log Analytics Contributor",
		Actions: []string{"*/read", "Microsoft.Insights/diagnosticSettings/*", "Microsoft.OperationalInsights/*", "Microsoft.OperationsManagement/*", "Microsoft.Resources/deployments/*"},
	},
	{
		ID: "ae349356-3a1b-4a5e-921d-050484c6347e", Name: "Application Insights Component Contributor",
		Actions: with("Microsoft.Insights/components/*", "Microsoft.Insights/webtests/*", "Microsoft.Insights/topology/read", "Microsoft.Insights/transactions/read"),
	},
}

var machineRoles = []Role{
	{
		ID: "9980e02c-c2be-4d73-94e8-173b1dc7cf3c", Name: "Virtual Machine Contributor",
		Actions: with("Microsoft.Compute/availabilitySets/*", "Microsoft.Compute/locations/*", "Microsoft.Compute/virtualMachines/*",
			"Microsoft.Compute/virtualMachineScaleSets/*", "Microsoft.Compute/disks/write", "Microsoft.Compute/disks/read", "Microsoft.Compute/disks/delete",
			"Microsoft.Network/networkInterfaces/*", "Microsoft.Network/networkSecurityGroups/join/action", "Microsoft.Network/networkSecurityGroups/read",
			"Microsoft.Network/publicIPAddresses/join/action", "Microsoft.Network/publicIPAddresses/read", "Microsoft.Network/virtualNetworks/read",
			"Microsoft.Network/virtualNetworks/subnets/join/action", "Microsoft.Storage/storageAccounts/listKeys/action", "Microsoft.Storage/storageAccounts/read"),
	},
	{
		ID: "1c0163c0-47e6-4577-8991-ea5c82e286e4", Name: "Virtual Machine Administrator Login",
		Actions: []string{
			"Microsoft.Network/publicIPAddresses/read", "Microsoft.Network/virtualNetworks/read", "Microsoft.Network/loadBalancers/read",
			"Microsoft.Network/networkInterfaces/read", "Microsoft.Compute/virtualMachines/*/read",
		},
		DataActions: []string{"Microsoft.Compute/virtualMachines/login/action", "Microsoft.Compute/virtualMachines/loginAsAdmin/action"},
	},
	{
		ID: "fb879df8-f326-4884-b1cf-06f3ad86be52", Name: "Virtual Machine User Login",
		Actions: []string{
			"Microsoft.Network/publicIPAddresses/read", "Microsoft.Network/virtualNetworks/read", "Microsoft.Network/loadBalancers/read",
			"Microsoft.Network/networkInterfaces/read", "Microsoft.Compute/virtualMachines/*/read",
		},
		DataActions: []string{"Microsoft.Compute/virtualMachines/login/action"},
	},
}
