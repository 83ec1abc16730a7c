package access

import "slices"

// Roles are the built-in roles that this package knows, with Azure's own names
// and GUIDs, and what they allow. A role that is not here is not known: what it
// allows is never guessed.
func Roles() []Role {
	return slices.Concat(generalRoles, storageRoles, storageReaders, vaultRoles, vaultUsers, registryRoles, learningRoles, networkRoles, monitorRoles, machineRoles,
		clusterRoles, modelRoles, messageRoles)
}

// readAround is what most of the management roles also have.
var readAround = []string{
	"Microsoft.Authorization/*/read",
	"Microsoft.Insights/alertRules/*",
	"Microsoft.Resources/deployments/*",
	"Microsoft.Resources/subscriptions/resourceGroups/read",
	"Microsoft.Support/*",
}

const federated = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/"

func with(actions ...string) []string { return slices.Concat(actions, readAround) }

var generalRoles = []Role{
	{ID: "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", Name: "Owner", Actions: []string{"*"}},
	{
		ID: "b24988ac-6180-42a0-ab88-20f7382dd24c", Name: "Contributor", Actions: []string{"*"},
		NotActions: []string{
			"Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write", "Microsoft.Authorization/elevateAccess/Action",
			"Microsoft.Blueprint/blueprintAssignments/write", "Microsoft.Blueprint/blueprintAssignments/delete",
			"Microsoft.Compute/galleries/share/action", "Microsoft.Purview/consents/write", "Microsoft.Purview/consents/delete",
			"Microsoft.Resources/deploymentStacks/manageDenySetting/action", "Microsoft.Subscription/cancel/action", "Microsoft.Subscription/enable/action",
		},
	},
	{ID: "acdd72a7-3385-48ef-bd42-f606fba81ae7", Name: "Reader", Actions: []string{"*/read"}},
	{
		ID: "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9", Name: "User Access Administrator",
		Actions: []string{"*/read", "Microsoft.Authorization/*", "Microsoft.Support/*"},
	},
	{
		ID: "f58310d9-a9f6-439a-9e8d-f62e7b41a168", Name: "Role Based Access Control Administrator",
		Actions: []string{"Microsoft.Authorization/roleAssignments/write", "Microsoft.Authorization/roleAssignments/delete", "*/read", "Microsoft.Support/*"},
	},
	{
		ID: "f1a07417-d97a-45cb-824c-7a7467783830", Name: "Managed Identity Operator",
		Actions: with("Microsoft.ManagedIdentity/userAssignedIdentities/*/read", "Microsoft.ManagedIdentity/userAssignedIdentities/*/assign/action"),
	},
	{
		ID: "e40ec5ca-96e0-45a2-b4ff-59039f2c2b59", Name: "Managed Identity Contributor",
		Actions: with("Microsoft.ManagedIdentity/userAssignedIdentities/read", "Microsoft.ManagedIdentity/userAssignedIdentities/write",
			"Microsoft.ManagedIdentity/userAssignedIdentities/delete", federated+"read", federated+"write", federated+"delete",
			"Microsoft.ManagedIdentity/userAssignedIdentities/revokeTokens/action"),
	},
}

const (
	containers = "Microsoft.Storage/storageAccounts/blobServices/containers/"
	delegation = "Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action"
)

var storageRoles = []Role{
	{
		ID: "b7e6dc6d-f1e8-4753-8033-0f276bb0955b", Name: "Storage Blob Data Owner",
		Actions: []string{containers + "*", delegation}, DataActions: []string{containers + "blobs/*"},
	},
	{
		ID: "ba92f5b4-2d11-453d-a403-e96b0029c9fe", Name: "Storage Blob Data Contributor",
		Actions: []string{containers + "delete", containers + "read", containers + "write", delegation},
		DataActions: []string{
			containers + "blobs/delete", containers + "blobs/read", containers + "blobs/write",
			containers + "blobs/move/action", containers + "blobs/add/action",
		},
	},
	{
		ID: "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1", Name: "Storage Blob Data Reader",
		Actions: []string{containers + "read", delegation}, DataActions: []string{containers + "blobs/read"},
	},
	{ID: "db58b8e5-c6ad-4a2a-8342-4190687cbf4a", Name: "Storage Blob Delegator", Actions: []string{delegation}},
	{
		ID: "17d1049b-9a84-46fb-8f53-869881c3d3ab", Name: "Storage Account Contributor",
		Actions: with("Microsoft.Insights/diagnosticSettings/*", "Microsoft.Network/virtualNetworks/subnets/joinViaServiceEndpoint/action",
			"Microsoft.ResourceHealth/availabilityStatuses/read", "Microsoft.Storage/storageAccounts/*"),
	},
	{
		ID: "81a9662b-bebf-436f-a333-f67b29880f12", Name: "Storage Account Key Operator Service Role",
		Actions: []string{"Microsoft.Storage/storageAccounts/listkeys/action", "Microsoft.Storage/storageAccounts/regeneratekey/action"},
	},
	{
		ID: "974c5e8b-45b9-4653-ba55-5f855dd0fb88", Name: "Storage Queue Data Contributor",
		Actions: []string{
			"Microsoft.Storage/storageAccounts/queueServices/queues/delete", "Microsoft.Storage/storageAccounts/queueServices/queues/read",
			"Microsoft.Storage/storageAccounts/queueServices/queues/write",
		},
		DataActions: []string{
			"Microsoft.Storage/storageAccounts/queueServices/queues/messages/delete", "Microsoft.Storage/storageAccounts/queueServices/queues/messages/read",
			"Microsoft.Storage/storageAccounts/queueServices/queues/messages/write", "Microsoft.Storage/storageAccounts/queueServices/queues/messages/process/action",
		},
	},
	{
		ID: "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3", Name: "Storage Table Data Contributor",
		Actions: []string{
			"Microsoft.Storage/storageAccounts/tableServices/tables/read", "Microsoft.Storage/storageAccounts/tableServices/tables/write",
			"Microsoft.Storage/storageAccounts/tableServices/tables/delete",
		},
		DataActions: []string{
			"Microsoft.Storage/storageAccounts/tableServices/tables/entities/read", "Microsoft.Storage/storageAccounts/tableServices/tables/entities/write",
			"Microsoft.Storage/storageAccounts/tableServices/tables/entities/delete", "Microsoft.Storage/storageAccounts/tableServices/tables/entities/add/action",
			"Microsoft.Storage/storageAccounts/tableServices/tables/entities/update/action",
		},
	},
	{
		ID: "69566ab7-960f-475b-8e7c-b3118f30c6bd", Name: "Storage File Data Privileged Contributor",
		DataActions: []string{
			"Microsoft.Storage/storageAccounts/fileServices/fileshares/files/read", "Microsoft.Storage/storageAccounts/fileServices/fileshares/files/write",
			"Microsoft.Storage/storageAccounts/fileServices/fileshares/files/delete", "Microsoft.Storage/storageAccounts/fileServices/fileshares/files/modifypermissions/action",
			"Microsoft.Storage/storageAccounts/fileServices/readFileBackupSemantics/action", "Microsoft.Storage/storageAccounts/fileServices/writeFileBackupSemantics/action",
		},
	},
}

var registryRoles = []Role{
	{ID: "7f951dda-4ed3-4680-a7ca-43fe172d538d", Name: "AcrPull", Actions: []string{"Microsoft.ContainerRegistry/registries/pull/read"}},
	{
		ID: "8311e382-0749-4cb8-b61a-304f252e45ec", Name: "AcrPush",
		Actions: []string{"Microsoft.ContainerRegistry/registries/pull/read", "Microsoft.ContainerRegistry/registries/push/write"},
	},
	{ID: "c2f4ef07-c644-48eb-af81-4b1b4947fb11", Name: "AcrDelete", Actions: []string{"Microsoft.ContainerRegistry/registries/artifacts/delete"}},
}
