package access

const (
	queues  = "Microsoft.Storage/storageAccounts/queueServices/queues/"
	shares  = "Microsoft.Storage/storageAccounts/fileServices/fileshares/files/"
	inReg   = "Microsoft.ContainerRegistry/registries/"
	cluster = "Microsoft.ContainerService/managedClusters/"
	openAI  = "Microsoft.CognitiveServices/accounts/OpenAI/"
)

var storageReaders = []Role{
	{ID: "19e7f393-937e-4f77-808e-94535e297925", Name: "Storage Queue Data Reader", Actions: []string{queues + "read"}, DataActions: []string{queues + "messages/read"}},
	{ID: "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a", Name: "Storage Queue Data Message Sender", DataActions: []string{queues + "messages/add/action"}},
	{
		ID: "8a0f0c08-91a1-4084-bc3d-661d67233fed", Name: "Storage Queue Data Message Processor",
		DataActions: []string{queues + "messages/read", queues + "messages/process/action"},
	},
	{
		ID: "76199698-9eea-4c19-bc75-cec21354c6b6", Name: "Storage Table Data Reader",
		Actions:     []string{"Microsoft.Storage/storageAccounts/tableServices/tables/read"},
		DataActions: []string{"Microsoft.Storage/storageAccounts/tableServices/tables/entities/read"},
	},
	{
		ID: "0c867c2a-1d8c-454a-a3db-ab2ea1bdc8bb", Name: "Storage File Data SMB Share Contributor",
		DataActions: []string{shares + "read", shares + "write", shares + "delete"},
	},
	{ID: "aba4ae5f-2193-4029-9191-0cb91df5e314", Name: "Storage File Data SMB Share Reader", DataActions: []string{shares + "read"}},
	{
		ID: "b8eda974-7b85-4f76-af95-65846b26df6d", Name: "Storage File Data Privileged Reader",
		DataActions: []string{shares + "read", "Microsoft.Storage/storageAccounts/fileServices/readFileBackupSemantics/action"},
	},
	{
		ID: "c12c1c16-33a1-487b-954d-41c89c60f349", Name: "Reader and Data Access",
		Actions: []string{listKeys, "Microsoft.Storage/storageAccounts/ListAccountSas/action", "Microsoft.Storage/storageAccounts/read"},
	},
}

var vaultUsers = []Role{
	{
		ID: "db79e9a7-68ee-4b58-9aeb-b90e7c24fcba", Name: "Key Vault Certificate User",
		DataActions: []string{inVault + "certificates/read", inVault + "secrets/getSecret/action", inVault + "secrets/readMetadata/action", inVault + "keys/read"},
	},
	{ID: "08bbd89e-9f13-488c-ac41-acfcb10c90ab", Name: "Key Vault Crypto Service Release User", DataActions: []string{inVault + "keys/release/action"}},
	{
		ID: "b93aa761-3e63-49ed-ac28-beffa264f7ac", Name: "Container Registry Repository Reader",
		DataActions: []string{repositories + "metadata/read", repositories + "content/read"},
	},
	{
		ID: "2a1e307c-b015-4ebd-883e-5b7698a07328", Name: "Container Registry Repository Writer",
		DataActions: []string{repositories + "metadata/read", repositories + "content/read", repositories + "metadata/write", repositories + "content/write"},
	},
	{
		ID: "2efddaa5-3f1f-4df3-97df-af3f13818f4c", Name: "Container Registry Repository Contributor",
		DataActions: []string{
			repositories + "metadata/read", repositories + "content/read", repositories + "metadata/write", repositories + "content/write",
			repositories + "metadata/delete", repositories + "content/delete",
		},
	},
	{ID: "bfdb9389-c9a5-478a-bb2f-ba9ca092c3c7", Name: "Container Registry Repository Catalog Lister", DataActions: []string{inReg + "catalog/read"}},
	{
		ID: "6cef56e8-d556-48e5-a04f-b8e64114680f", Name: "AcrImageSigner",
		Actions: []string{inReg + "sign/write"}, DataActions: []string{inReg + "trustedCollections/write"},
	},
}

var clusterRead = []string{
	"Microsoft.Authorization/*/read", "Microsoft.Resources/subscriptions/operationresults/read", "Microsoft.Resources/subscriptions/read",
	"Microsoft.Resources/subscriptions/resourceGroups/read", cluster + "listClusterUserCredential/action",
}

var clusterRoles = []Role{
	{
		ID: "4abbcc35-e782-43d8-92c5-2d3f1bd2253f", Name: "Azure Kubernetes Service Cluster User Role",
		Actions: []string{cluster + "listClusterUserCredential/action", cluster + "read"},
	},
	{
		ID: "0ab0b1a8-8aac-4efd-b8c2-3ee1fb270be8", Name: "Azure Kubernetes Service Cluster Admin Role",
		Actions: []string{
			cluster + "listClusterAdminCredential/action", cluster + "accessProfiles/listCredential/action", cluster + "read", cluster + "runcommand/action",
		},
	},
	{ID: "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b", Name: "Azure Kubernetes Service RBAC Cluster Admin", Actions: clusterRead, DataActions: []string{cluster + "*"}},
	{
		ID: "ed7f3fbd-7b88-4dd4-9017-9adb7ce333f8", Name: "Azure Kubernetes Service Contributor Role",
		Actions: []string{
			"Microsoft.Authorization/*/read", "Microsoft.ContainerService/locations/*", cluster + "*", "Microsoft.ContainerService/managedclustersnapshots/*",
			"Microsoft.ContainerService/snapshots/*", "Microsoft.Insights/alertRules/*", "Microsoft.Resources/deployments/*",
			"Microsoft.Resources/subscriptions/resourceGroups/read", "Microsoft.ContainerService/deploymentSafeguards/*",
		},
	},
}

var modelRoles = []Role{
	{
		ID: "64702f94-c441-49e6-a78b-ef80e0188fee", Name: "Azure AI Developer",
		Actions: []string{
			inWorkspace + "*/read", inWorkspace + "*/action", inWorkspace + "*/delete", inWorkspace + "*/write",
			"Microsoft.MachineLearningServices/locations/*/read", "Microsoft.Authorization/*/read", "Microsoft.Resources/deployments/*",
		},
		NotActions: []string{
			inWorkspace + "delete", inWorkspace + "write", inWorkspace + "listKeys/action", inWorkspace + "hubs/write", inWorkspace + "hubs/delete",
			inWorkspace + "featurestores/write", inWorkspace + "featurestores/delete", inWorkspace + "evaluations/results/labels/read",
			inWorkspace + "evaluations/results/reasonings/read", inWorkspace + "simulations/results/images/read",
		},
		DataActions: []string{
			openAI + "*", "Microsoft.CognitiveServices/accounts/SpeechServices/*", "Microsoft.CognitiveServices/accounts/ContentSafety/*",
			"Microsoft.CognitiveServices/accounts/MaaS/*",
		},
		NotDataActions: []string{openAI + "fine-tunes-deployments/write"},
	},
	{
		ID: "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd", Name: "Cognitive Services OpenAI User",
		Actions: []string{"Microsoft.CognitiveServices/*/read", "Microsoft.Authorization/roleAssignments/read", "Microsoft.Authorization/roleDefinitions/read"},
		DataActions: []string{
			openAI + "*/read", openAI + "engines/completions/action", openAI + "engines/search/action", openAI + "engines/generate/action",
			openAI + "deployments/audio/action", openAI + "deployments/search/action", openAI + "deployments/completions/action",
			openAI + "deployments/chat/completions/action", openAI + "deployments/realtime/action", openAI + "deployments/extensions/chat/completions/action",
			openAI + "deployments/embeddings/action", openAI + "images/generations/action", openAI + "video/generations/*/action",
			openAI + "video/generations/*/delete", openAI + "assistants/*", openAI + "responses/*",
		},
		NotDataActions: []string{openAI + "stored-completions/read"},
	},
	{ID: "1407120a-92aa-4202-b7e9-c0e197c71c8f", Name: "Search Index Data Reader", DataActions: []string{"Microsoft.Search/searchServices/indexes/documents/read"}},
	{
		ID: "8ebe5a00-799e-43f5-93ac-243d3dce84a7", Name: "Search Index Data Contributor",
		DataActions: []string{"Microsoft.Search/searchServices/indexes/documents/*", "Microsoft.Search/searchServices/indexes/contentSecurity/elevatedOperations/read"},
	},
	{
		ID: "7ca78c08-252a-4471-8644-bb5ff32d4ba0", Name: "Search Service Contributor",
		Actions: with("Microsoft.ResourceHealth/availabilityStatuses/read", "Microsoft.Search/searchServices/*"),
	},
}

var messageRoles = []Role{
	{
		ID: "2b629674-e913-4c01-ae53-ef4638d8f975", Name: "Azure Event Hubs Data Sender",
		Actions: []string{"Microsoft.EventHub/*/eventhubs/read"}, DataActions: []string{"Microsoft.EventHub/*/send/action"},
	},
	{
		ID: "a638d3c7-ab3a-418d-83e6-5f17a39d4fde", Name: "Azure Event Hubs Data Receiver",
		Actions: []string{"Microsoft.EventHub/*/eventhubs/consumergroups/read"}, DataActions: []string{"Microsoft.EventHub/*/receive/action"},
	},
	{
		ID: "f526a384-b230-433a-b45c-95f59c4a2dec", Name: "Azure Event Hubs Data Owner",
		Actions: []string{"Microsoft.EventHub/*"}, DataActions: []string{"Microsoft.EventHub/*"},
	},
	{
		ID: "090c5cfd-751d-490a-894a-3ce6f1109419", Name: "Azure Service Bus Data Owner",
		Actions: []string{"Microsoft.ServiceBus/*"}, DataActions: []string{"Microsoft.ServiceBus/*"},
	},
	{ID: "516239f1-63e1-4d78-a4de-a74fb236a071", Name: "App Configuration Data Reader", DataActions: []string{"Microsoft.AppConfiguration/configurationStores/*/read"}},
	{
		ID: "7e559ce2-48d7-4b27-9128-fa1b247f1308", Name: "Managed Identity Federated Identity Credential Contributor",
		Actions: []string{
			"Microsoft.ManagedIdentity/userAssignedIdentities/read", federated + "write", federated + "read", federated + "delete", "Microsoft.Authorization/*/read",
			"Microsoft.Insights/alertRules/*", "Microsoft.Resources/subscriptions/resourceGroups/read", "Microsoft.Resources/deployments/*",
		},
	},
}
