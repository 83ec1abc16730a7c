package terraform

import (
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
)

const (
	typeCompute      = service.TypeWorkspace + "/computes"
	typeOutboundRule = service.TypeWorkspace + "/outboundRules"
	typeDatastore    = service.TypeWorkspace + "/datastores"
)

const encryptionRows = `
	encryption: encryption
		key_vault_id              keyVaultProperties.keyVaultArmId
		key_id                    keyVaultProperties.keyIdentifier
		user_assigned_identity_id identity.userAssignedIdentity
		+status Enabled
	description
	friendly_name
	primary_user_assigned_identity
	managed_network: managedNetwork
		isolation_mode
`

var workspaceRows = tabled(encryptionRows, `
	storage_account_id      storageAccount
	key_vault_id            keyVault
	application_insights_id applicationInsights
	container_registry_id   containerRegistry
	public_network_access_enabled publicNetworkAccess =Enabled ~toggled
	image_build_compute_name imageBuildCompute
	high_business_impact    hbiWorkspace
	service_side_encryption_enabled enableServiceSideCMKEncryption =false
	managed_network.provision_on_creation_enabled provisionNetworkNow =false
	v1_legacy_mode_enabled  v1LegacyMode =false
	storage_account_access_type systemDatastoresAuthMode =AccessKey
	serverless_compute: serverlessComputeSettings
		subnet_id         serverlessComputeCustomSubnet
		public_ip_enabled serverlessComputeNoPublicIP  ~negated
	feature_store: featureStoreSettings
		computer_spark_runtime_version computeRuntime.sparkRuntimeVersion
		* offline_connection_name online_connection_name
`)

var machineLearningKinds = map[string]kind{
	"azurerm_machine_learning_workspace": {
		arm:    service.TypeWorkspace,
		id:     inGroup(service.TypeWorkspace),
		rows:   workspaceRows,
		decide: decideWorkspace,
		finish: func(v view, doc *arm.Resource) {
			doc.Kind = kindOr(v, "kind", "Default")
			sku := or(v.json("sku_name"), "Basic")
			doc.SKU = arm.Object{"name": sku, "tier": sku}
			doc.Properties["workspaceId"] = service.WorkspaceGUID(doc.ID)
			if !v.has("public_network_access_enabled") && v.has("public_access_behind_virtual_network_enabled") {
				doc.Properties["publicNetworkAccess"] = toggled(v.json("public_access_behind_virtual_network_enabled"))
			}
			for _, s := range v.blocks("serverless_compute") {
				if !s.has("public_ip_enabled") {
					set(doc.Properties, "serverlessComputeSettings.serverlessComputeNoPublicIP", true)
				}
			}
		},
	},
	"azurerm_ai_foundry": {
		arm: service.TypeWorkspace,
		id:  inGroup(service.TypeWorkspace),
		rows: tabled(encryptionRows, `
			storage_account_id      storageAccount
			key_vault_id            keyVault
			application_insights_id applicationInsights
			container_registry_id   containerRegistry
			public_network_access   =Enabled
			high_business_impact_enabled hbiWorkspace
			+/kind Hub
		`),
		decide: decideWorkspace,
		finish: func(_ view, doc *arm.Resource) { doc.Properties["workspaceId"] = service.WorkspaceGUID(doc.ID) },
	},
	"azurerm_ai_foundry_project": {
		arm: service.TypeWorkspace,
		id: func(v view) arm.ID {
			return v.id("ai_services_hub_id", service.TypeWorkspace).Group().Extension("Microsoft.MachineLearningServices", "workspaces", v.symbol("name"))
		},
		rows: tabled(`
			ai_services_hub_id hubResourceId
			description
			friendly_name
			high_business_impact_enabled hbiWorkspace
			primary_user_assigned_identity
			+/kind Project
		`),
		decide: decideWorkspace,
		finish: func(_ view, doc *arm.Resource) { doc.Properties["workspaceId"] = service.WorkspaceGUID(doc.ID) },
		effect: likeParent("ai_services_hub_id", service.TypeWorkspace),
	},
	"azurerm_machine_learning_compute_cluster": {
		arm: typeCompute,
		id:  childOf("machine_learning_workspace_id", service.TypeWorkspace, "computes"),
		rows: tabled(`
			description             =
			local_auth_enabled      disableLocalAuth =false ~negated
			vm_size                 properties.vmSize
			vm_priority             properties.vmPriority
			scale_settings: properties.scaleSettings
				max_node_count
				min_node_count
				scale_down_nodes_after_idle_duration nodeIdleTimeBeforeScaleDown
			subnet_resource_id      properties.subnet.id
			node_public_ip_enabled  properties.enableNodePublicIp =true
			ssh_public_access_enabled properties.remoteLoginPortPublicAccess =Disabled ~toggled
			ssh: properties.userAccountCredentials
				admin_username adminUserName
				key_value      adminUserSshPublicKey
				admin_password adminUserPassword !secret
			+computeType AmlCompute
		`),
		finish: func(_ view, doc *arm.Resource) { doc.Properties["computeLocation"] = doc.Location },
		effect: likeParent("machine_learning_workspace_id", service.TypeWorkspace),
	},
	"azurerm_machine_learning_compute_instance": {
		arm: typeCompute,
		id:  childOf("machine_learning_workspace_id", service.TypeWorkspace, "computes"),
		rows: tabled(`
			description
			local_auth_enabled      disableLocalAuth =false ~negated
			virtual_machine_size    properties.vmSize
			subnet_resource_id      properties.subnet.id
			node_public_ip_enabled  properties.enableNodePublicIp =true
			authorization_type      properties.computeInstanceAuthorizationType
			+properties.sshSettings.sshPublicAccess Disabled
			ssh: properties.sshSettings
				public_key adminPublicKey
				+sshPublicAccess Enabled
			assign_to_user: properties.personalComputeInstanceSettings.assignedUser
				* object_id tenant_id
			+computeType ComputeInstance
		`),
		effect: likeParent("machine_learning_workspace_id", service.TypeWorkspace),
	},
	"azurerm_machine_learning_inference_cluster": {
		arm: typeCompute,
		id:  childOf("machine_learning_workspace_id", service.TypeWorkspace, "computes"),
		rows: tabled(`
			cluster_purpose         properties.clusterPurpose =FastProd
			description
			kubernetes_cluster_id   resourceId
			ssl: properties.sslConfiguration
				* cert cname leaf_domain_label
				key !secret
				overwrite_existing_domain =false
				+status Enabled
			+computeType AKS
		`),
		finish: func(v view, doc *arm.Resource) {
			doc.Properties["computeLocation"] = doc.Location
			for _, s := range v.blocks("ssl") {
				if s.has("leaf_domain_label") {
					set(doc.Properties, "properties.sslConfiguration.status", "Auto")
				}
			}
		},
		effect: likeParent("machine_learning_workspace_id", service.TypeWorkspace),
	},
	"azurerm_machine_learning_synapse_spark": {
		arm: typeCompute,
		id:  childOf("machine_learning_workspace_id", service.TypeWorkspace, "computes"),
		rows: tabled(`
			description
			local_auth_enabled      disableLocalAuth =false ~negated
			synapse_spark_pool_id   resourceId
			+computeType SynapseSpark
		`),
		finish: func(_ view, doc *arm.Resource) { doc.Properties["computeLocation"] = doc.Location },
		effect: likeParent("machine_learning_workspace_id", service.TypeWorkspace),
	},
	"azurerm_machine_learning_workspace_network_outbound_rule_fqdn": {
		arm:  typeOutboundRule,
		id:   childOf("workspace_id", service.TypeWorkspace, "outboundRules"),
		rows: tabled("+type FQDN\n+category UserDefined\ndestination_fqdn destination"),
	},
	"azurerm_machine_learning_workspace_network_outbound_rule_private_endpoint": {
		arm: typeOutboundRule,
		id:  childOf("workspace_id", service.TypeWorkspace, "outboundRules"),
		rows: tabled(`
			+type PrivateEndpoint
			+category UserDefined
			service_resource_id destination.serviceResourceId
			spark_enabled       destination.sparkEnabled =false
			sub_resource_target destination.subresourceTarget
		`),
	},
	"azurerm_machine_learning_workspace_network_outbound_rule_service_tag": {
		arm: typeOutboundRule,
		id:  childOf("workspace_id", service.TypeWorkspace, "outboundRules"),
		rows: tabled(`
			+type ServiceTag
			+category UserDefined
			port_ranges destination.portRanges
			protocol    destination.protocol
			service_tag destination.serviceTag
		`),
	},
	"azurerm_machine_learning_datastore_blobstorage":   datastore("AzureBlob", "storage_container_id", "service_data_auth_identity"),
	"azurerm_machine_learning_datastore_fileshare":     datastore("AzureFile", "storage_fileshare_id", "service_data_identity"),
	"azurerm_machine_learning_datastore_datalake_gen2": datastore("AzureDataLakeGen2", "storage_container_id", "service_data_identity"),
}

// datastore is the kind of a datastore of one type: where its data is, and with
// what it is read.
func datastore(typ, place, identity string) kind {
	return kind{
		arm:  typeDatastore,
		id:   childOf("workspace_id", service.TypeWorkspace, "datastores"),
		rows: tabled("description\n" + identity + " serviceDataAccessAuthIdentity =None"),
		finish: func(v view, doc *arm.Resource) {
			doc.Properties["datastoreType"] = typ
			data := v.id(place, service.TypeStorageAccount+"/blobServices/containers")
			account := data.Parent().Parent()
			doc.Properties["accountName"] = account.Name()
			doc.Properties["endpoint"] = "core.windows.net"
			switch typ {
			case "AzureFile":
				doc.Properties["fileShareName"] = data.Name()
			case "AzureDataLakeGen2":
				doc.Properties["filesystem"] = data.Name()
				doc.Properties["subscriptionId"], doc.Properties["resourceGroup"] = data.Subscription(), data.ResourceGroup()
			default:
				doc.Properties["containerName"] = data.Name()
			}
			doc.Properties["isDefault"] = or(v.json("is_default"), false)
			if typ != "AzureBlob" {
				delete(doc.Properties, "isDefault")
			}
			doc.Properties["credentials"] = datastoreCredentials(v)
			doc.Tags = nil
			if t := tags(v); t != nil {
				all := arm.Object{}
				for k, val := range t {
					all[k] = val
				}
				doc.Properties["tags"] = all
			}
		},
	}
}

// datastoreCredentials are what a datastore reads its data with; None stands for
// the identity of whoever reads.
func datastoreCredentials(v view) arm.Object {
	switch {
	case v.has("account_key"):
		return arm.Object{"credentialsType": "AccountKey", "secrets": arm.Object{"secretsType": "AccountKey", "key": v.hidden("account_key")}}
	case v.has("shared_access_signature"):
		return arm.Object{"credentialsType": "Sas", "secrets": arm.Object{"secretsType": "Sas", "sasToken": v.hidden("shared_access_signature")}}
	case v.has("client_id"):
		o := tabled(`
			+credentialsType ServicePrincipal
			authority_url
			+resourceUrl https://datalake.azure.net
			client_id
			tenant_id
			+secrets.secretsType ServicePrincipal
			client_secret secrets.clientSecret !secret
		`).object(v)
		return o
	}
	return arm.Object{"credentialsType": "None"}
}

func decideWorkspace(v view, id arm.ID) map[string]cty.Value {
	out := texts("workspace_id", service.WorkspaceGUID(id))
	if region := v.text("location"); region != "" {
		out["discovery_url"] = cty.StringVal("https://" + service.Region(region) + ".api.azureml.ms/discovery")
	}
	return out
}

// likeParent completes a child from its parent: where it names no region it is
// where the parent is, and a compute cluster has its workspace's SKU.
func likeParent(parentAttr, parentType string) func(view, arm.ID, *builder) {
	return func(v view, id arm.ID, b *builder) {
		b.settle(v, v.id(parentAttr, parentType), func(parent *arm.Resource) {
			doc := b.docs[id.Key()]
			if doc == nil {
				return
			}
			if doc.Location == "" {
				doc.Location = parent.Location
			}
			if arm.String(doc.Properties, "computeType") == "AmlCompute" {
				doc.SKU = arm.Clone(parent.SKU)
			}
		})
	}
}

const (
	typeCognitive = "Microsoft.CognitiveServices/accounts"
	typeSearch    = "Microsoft.Search/searchServices"
)

var cognitiveKinds = map[string]kind{
	"azurerm_cognitive_account":    {arm: typeCognitive, id: inGroup(typeCognitive), rows: cognitiveRows, finish: finishCognitive, decide: decideCognitive},
	"azurerm_ai_services":          {arm: typeCognitive, id: inGroup(typeCognitive), rows: aiServicesRows, finish: finishCognitive, decide: decideCognitive},
	"azurerm_cognitive_deployment": {arm: typeCognitive + "/deployments", id: childOf("cognitive_account_id", typeCognitive, "deployments"), rows: deploymentRows},
	"azurerm_cognitive_account_customer_managed_key": {
		effect: func(v view, _ arm.ID, b *builder) {
			b.change(v, v.id("cognitive_account_id", typeCognitive), func(doc *arm.Resource) {
				cognitiveKey(v, doc)
				v.marks(doc, "encryption")
			})
		},
	},
	"azurerm_cognitive_account_rai_policy": {
		arm: typeCognitive + "/raiPolicies",
		id:  childOf("cognitive_account_id", typeCognitive, "raiPolicies"),
		rows: tabled(`
			base_policy_name
			mode
			content_filter[]: contentFilters
				block_enabled blocking
				filter_enabled enabled
				* name severity_threshold source
		`),
	},
	"azurerm_search_service": {
		arm: typeSearch,
		id:  inGroup(typeSearch),
		rows: tabled(`
			sku /sku.name
			allowed_ips networkRuleSet.ipRules =[] ~valued
			authentication_failure_mode authOptions.aadOrApiKey.aadAuthFailureMode
			customer_managed_key_enforcement_enabled encryptionWithCmk.enforcement =Disabled ~toggled
			hosting_mode =Default
			local_authentication_enabled disableLocalAuth =false ~negated
			network_rule_bypass_option networkRuleSet.bypass =None
			partition_count =1
			public_network_access_enabled publicNetworkAccess =Enabled ~toggled
			replica_count =1
			semantic_search_sku semanticSearch =disabled
		`),
		finish: func(v view, doc *arm.Resource) {
			if !v.has("authentication_failure_mode") && v.flag("local_authentication_enabled", true) {
				set(doc.Properties, "authOptions.apiKeyOnly", arm.Object{})
			}
		},
	},
}

var cognitiveRows = tabled(`
	kind     /kind
	sku_name /sku.name
	custom_subdomain_name              customSubDomainName
	dynamic_throttling_enabled         dynamicThrottlingEnabled =false
	fqdns                              allowedFqdnList
	local_auth_enabled                 disableLocalAuth =false ~negated
	outbound_network_access_restricted restrictOutboundNetworkAccess =false
	project_management_enabled         allowProjectManagement =false
	public_network_access_enabled      publicNetworkAccess =Enabled ~toggled
	custom_question_answering_search_service_id  apiProperties.qnaAzureSearchEndpointId
	custom_question_answering_search_service_key apiProperties.qnaAzureSearchEndpointKey !secret
	metrics_advisor_aad_client_id      apiProperties.aadClientId
	metrics_advisor_aad_tenant_id      apiProperties.aadTenantId
	metrics_advisor_super_user_name    apiProperties.superUser
	metrics_advisor_website_name       apiProperties.websiteName
	qna_runtime_endpoint               apiProperties.qnaRuntimeEndpoint
	network_injection[]: networkInjections
		scenario
		subnet_id subnetArmId
		+useMicrosoftManagedNetwork false
	storage[]: userOwnedStorage
		identity_client_id
		storage_account_id resourceId
`)

var aiServicesRows = tabled(`
	+/kind AIServices
	sku_name /sku.name
	custom_subdomain_name              customSubDomainName
	fqdns                              allowedFqdnList
	local_authentication_enabled       disableLocalAuth =false ~negated
	outbound_network_access_restricted restrictOutboundNetworkAccess =false
	public_network_access              =Enabled
	storage[]: userOwnedStorage
		identity_client_id
		storage_account_id resourceId
`)

var deploymentRows = tabled(`
	dynamic_throttling_enabled
	rai_policy_name
	version_upgrade_option =OnceNewDefaultVersionAvailable
	model: model
		* format name version
	sku: /sku
		capacity =1
		* family name size tier
`)

func finishCognitive(v view, doc *arm.Resource) {
	for _, acls := range v.blocks("network_acls") {
		doc.Properties["networkAcls"] = tabled(`
			bypass
			default_action
			ip_rules ipRules =[] ~valued
			virtual_network_rules[]: virtualNetworkRules
				subnet_id id
				ignore_missing_vnet_service_endpoint =false
		`).object(acls)
	}
	for _, key := range v.blocks("customer_managed_key") {
		cognitiveKey(key, doc)
	}
}

// cognitiveKey says with which key of a vault an account is encrypted.
func cognitiveKey(v view, doc *arm.Resource) {
	doc.Properties["encryption"] = arm.Object{"keySource": "Microsoft.KeyVault"}
	address, ok := v.json("key_vault_key_id").(string)
	if !ok {
		set(doc.Properties, "encryption.keyVaultProperties", v.json("key_vault_key_id"))
		return
	}
	vault, name, version := partsOfKey(address)
	set(doc.Properties, "encryption.keyVaultProperties", arm.Object{"keyVaultUri": vault, "keyName": name, "keyVersion": version})
	if client := v.json("identity_client_id"); client != nil {
		set(doc.Properties, "encryption.keyVaultProperties.identityClientId", client)
	}
}

func decideCognitive(v view, id arm.ID) map[string]cty.Value {
	domain := v.text("custom_subdomain_name")
	switch {
	case domain != "" && v.text("kind") == "OpenAI":
		return texts("endpoint", "https://"+strings.ToLower(domain)+".openai.azure.com/")
	case domain != "":
		return texts("endpoint", "https://"+strings.ToLower(domain)+".cognitiveservices.azure.com/")
	}
	return nil
}
