package terraform

import (
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/cloister-ml/cloister/arm"
)

const (
	typeFactory    = "Microsoft.DataFactory/factories"
	typeDatabricks = "Microsoft.Databricks/workspaces"
	typeSynapse    = "Microsoft.Synapse/workspaces"
	typeKusto      = "Microsoft.Kusto/clusters"
	typeVaultRS    = "Microsoft.RecoveryServices/vaults"
	typeBatch      = "Microsoft.Batch/batchAccounts"
)

// linkedService is a Data Factory linked service of one type: what it links to is
// in its own properties.
func linkedService(typ, rows string) kind {
	return kind{
		arm:  typeFactory + "/linkedServices",
		id:   childOf("data_factory_id", typeFactory, "linkedServices"),
		rows: tabled("description\nannotations\nparameters\nintegration_runtime_name connectVia.referenceName\n+type "+typ, rows),
	}
}

var analyticsKinds = map[string]kind{
	"azurerm_data_factory": {
		arm: typeFactory,
		id:  inGroup(typeFactory),
		rows: tabled(`
			public_network_enabled publicNetworkAccess =Enabled ~toggled
			purview_id purviewConfiguration.purviewResourceId
			github_configuration: repoConfiguration
				+type FactoryGitHubConfiguration
				* account_name repository_name root_folder
				branch_name collaborationBranch
				git_url hostName
				publishing_enabled disablePublish ~negated
			vsts_configuration: repoConfiguration
				+type FactoryVSTSConfiguration
				* account_name project_name repository_name root_folder tenant_id
				branch_name collaborationBranch
				publishing_enabled disablePublish ~negated
		`),
		finish: func(v view, doc *arm.Resource) {
			if key := v.text("customer_managed_key_id"); key != "" {
				vault, name, version := partsOfKey(key)
				doc.Properties["encryption"] = arm.Object{"vaultBaseUrl": vault, "keyName": name, "keyVersion": version, "identity": arm.Object{"userAssignedIdentity": v.json("customer_managed_key_identity_id")}}
			}
		},
		effect: func(v view, id arm.ID, b *builder) {
			if v.flag("managed_virtual_network_enabled", false) {
				network := id.Child("managedVirtualNetworks", "default")
				b.child(v, network.Type(), network, arm.Object{})
			}
		},
	},
	"azurerm_data_factory_integration_runtime_azure": {
		arm: typeFactory + "/integrationRuntimes",
		id:  childOf("data_factory_id", typeFactory, "integrationRuntimes"),
		rows: tabled(`
			+type Managed
			description
			cleanup_enabled typeProperties.computeProperties.dataFlowProperties.cleanup =true
			compute_type typeProperties.computeProperties.dataFlowProperties.computeType =General
			core_count typeProperties.computeProperties.dataFlowProperties.coreCount =8
			time_to_live_min typeProperties.computeProperties.dataFlowProperties.timeToLive =0
			location typeProperties.computeProperties.location ~region
		`),
		finish: func(v view, doc *arm.Resource) {
			doc.Location = ""
			if v.flag("virtual_network_enabled", false) {
				doc.Properties["managedVirtualNetwork"] = arm.Object{"referenceName": "default", "type": "ManagedVirtualNetworkReference"}
			}
		},
	},
	"azurerm_data_factory_integration_runtime_self_hosted": {
		arm: typeFactory + "/integrationRuntimes", id: childOf("data_factory_id", typeFactory, "integrationRuntimes"),
		rows: tabled("+type SelfHosted\ndescription\nself_contained_interactive_authoring_enabled typeProperties.selfContainedInteractiveAuthoringEnabled =false"),
	},
	"azurerm_data_factory_managed_private_endpoint": {
		arm: typeFactory + "/managedVirtualNetworks/managedPrivateEndpoints",
		id: func(v view) arm.ID {
			return v.id("data_factory_id", typeFactory).Child("managedVirtualNetworks", "default").Child("managedPrivateEndpoints", v.symbol("name"))
		},
		rows: tabled("fqdns\nsubresource_name groupId\ntarget_resource_id privateLinkResourceId"),
	},
	"azurerm_data_factory_linked_service_azure_blob_storage": linkedService("AzureBlobStorage", `
		connection_string typeProperties.connectionString !secret
		connection_string_insecure typeProperties.connectionString
		sas_uri typeProperties.sasUri !secret
		service_endpoint typeProperties.serviceEndpoint !secret
		service_principal_id typeProperties.servicePrincipalId
		service_principal_key typeProperties.servicePrincipalKey !secret
		tenant_id typeProperties.tenant
	`),
	"azurerm_data_factory_linked_service_data_lake_storage_gen2": linkedService("AzureBlobFS", `
		url typeProperties.url
		storage_account_key typeProperties.accountKey !secret
		service_principal_id typeProperties.servicePrincipalId
		service_principal_key typeProperties.servicePrincipalKey !secret
		tenant typeProperties.tenant
	`),
	"azurerm_data_factory_linked_service_key_vault": linkedService("AzureKeyVault", `
		key_vault_id typeProperties.baseUrl
	`),
	"azurerm_databricks_workspace": {
		arm: typeDatabricks, id: inGroup(typeDatabricks), rows: databricksRows, finish: finishDatabricks,
		decide: func(v view, id arm.ID) map[string]cty.Value {
			if v.has("managed_resource_group_name") {
				return map[string]cty.Value{"managed_resource_group_id": cty.StringVal(string(arm.GroupID(v.subscription, v.symbol("managed_resource_group_name"))))}
			}
			return nil
		},
	},
	"azurerm_databricks_access_connector": {arm: "Microsoft.Databricks/accessConnectors", id: inGroup("Microsoft.Databricks/accessConnectors")},
	"azurerm_synapse_workspace":           {arm: typeSynapse, id: inGroup(typeSynapse), rows: synapseRows, finish: finishSynapse},
	"azurerm_synapse_firewall_rule":       firewallRule(typeSynapse, "synapse_workspace_id"),
	"azurerm_synapse_managed_private_endpoint": {
		arm: typeSynapse + "/managedVirtualNetworks/managedPrivateEndpoints",
		id: func(v view) arm.ID {
			return v.id("synapse_workspace_id", typeSynapse).Child("managedVirtualNetworks", "default").Child("managedPrivateEndpoints", v.symbol("name"))
		},
		rows: tabled("subresource_name groupId\ntarget_resource_id privateLinkResourceId\nfully_qualified_domain_names fqdns"),
	},
	"azurerm_synapse_spark_pool": {
		arm: typeSynapse + "/bigDataPools",
		id:  childOf("synapse_workspace_id", typeSynapse, "bigDataPools"),
		rows: tabled(`
			cache_size =0
			compute_isolation_enabled isComputeIsolationEnabled =false
			dynamic_executor_allocation_enabled dynamicExecutorAllocation.enabled =false
			max_executors dynamicExecutorAllocation.maxExecutors =0
			min_executors dynamicExecutorAllocation.minExecutors =0
			* node_count node_size node_size_family spark_version
			session_level_packages_enabled =false
			spark_events_folder =/events
			spark_log_folder defaultSparkLogFolder =/logs
			auto_pause: autoPause
				delay_in_minutes
				+enabled true
			auto_scale: autoScale
				* max_node_count min_node_count
				+enabled true
			library_requirement: libraryRequirements
				* content filename
			spark_config: sparkConfigProperties
				* content filename
		`),
		finish: func(_ view, doc *arm.Resource) {
			if _, set := doc.Properties["autoPause"]; !set {
				doc.Properties["autoPause"] = arm.Object{"enabled": false}
			}
			if _, set := doc.Properties["autoScale"]; !set {
				doc.Properties["autoScale"] = arm.Object{"enabled": false}
			}
		},
		effect: likeParent("synapse_workspace_id", typeSynapse),
	},
	"azurerm_kusto_cluster": {
		arm:   typeKusto,
		id:    inGroup(typeKusto),
		zonal: true,
		rows: tabled(`
			sku: /sku
				capacity
				name
				+tier Standard
			allowed_fqdns allowedFqdnList
			allowed_ip_ranges allowedIpRangeList
			auto_stop_enabled enableAutoStop =true
			disk_encryption_enabled enableDiskEncryption =false
			double_encryption_enabled enableDoubleEncryption =false
			outbound_network_access_restricted restrictOutboundNetworkAccess =Disabled ~toggled
			public_ip_type publicIPType =IPv4
			public_network_access_enabled publicNetworkAccess =Enabled ~toggled
			purge_enabled enablePurge =false
			streaming_ingestion_enabled enableStreamingIngest =false
			trusted_external_tenants trustedExternalTenants ~valued
			optimized_auto_scale: optimizedAutoscale
				maximum_instances maximum
				minimum_instances minimum
				+isEnabled true
				+version 1
		`),
		decide: func(v view, id arm.ID) map[string]cty.Value {
			if strings.HasPrefix(id.Name(), "{") || v.text("location") == "" {
				return nil
			}
			return texts("uri", "https://"+strings.ToLower(id.Name())+"."+strings.ReplaceAll(strings.ToLower(v.text("location")), " ", "")+".kusto.windows.net")
		},
	},
	"azurerm_kusto_database": {
		arm: typeKusto + "/databases", id: under(typeKusto, "cluster_name", "databases"),
		rows: tabled("hot_cache_period\nsoft_delete_period\n+/kind ReadWrite"),
	},
	"azurerm_recovery_services_vault": {
		arm: typeVaultRS,
		id:  inGroup(typeVaultRS),
		rows: tabled(`
			sku /sku.name
			immutability securitySettings.immutabilitySettings.state
			public_network_access_enabled publicNetworkAccess =Enabled ~toggled
			cross_region_restore_enabled redundancySettings.crossRegionRestore =Disabled ~toggled
			storage_mode_type redundancySettings.standardTierStorageRedundancy =GeoRedundant
			encryption: encryption
				infrastructure_encryption_enabled infrastructureEncryption ~toggled
				key_id keyVaultProperties.keyUri
				use_system_assigned_identity kekIdentity.useSystemAssignedIdentity =true
				user_assigned_identity_id kekIdentity.userAssignedIdentity
		`),
	},
	"azurerm_backup_policy_vm":                 backupPolicy("AzureIaasVM"),
	"azurerm_backup_policy_file_share":         backupPolicy("AzureStorage"),
	"azurerm_backup_protected_vm":              {},
	"azurerm_backup_container_storage_account": {},
	"azurerm_backup_protected_file_share":      {},
	"azurerm_data_protection_backup_vault": {
		arm: "Microsoft.DataProtection/backupVaults",
		id:  inGroup("Microsoft.DataProtection/backupVaults"),
		rows: tabled(`
			immutability securitySettings.immutabilitySettings.state =Disabled
			soft_delete securitySettings.softDeleteSettings.state =On
			retention_duration_in_days securitySettings.softDeleteSettings.retentionDurationInDays =14
			cross_region_restore_enabled featureSettings.crossRegionRestoreSettings.state ~toggled
		`),
		finish: func(v view, doc *arm.Resource) {
			doc.Properties["storageSettings"] = []any{arm.Object{"datastoreType": v.json("datastore_type"), "type": v.json("redundancy")}}
		},
	},
	"azurerm_purview_account": {
		arm: "Microsoft.Purview/accounts",
		id:  inGroup("Microsoft.Purview/accounts"),
		rows: tabled(`
			managed_event_hub_enabled managedEventHubState =Enabled ~toggled
			managed_resource_group_name managedResourceGroupName
			public_network_enabled publicNetworkAccess =Enabled ~toggled
		`),
	},
	"azurerm_automation_account": {
		arm: "Microsoft.Automation/automationAccounts",
		id:  inGroup("Microsoft.Automation/automationAccounts"),
		rows: tabled(`
			sku_name sku.name
			local_authentication_enabled disableLocalAuth =false ~negated
			public_network_access_enabled publicNetworkAccess =true
			+encryption.keySource Microsoft.Automation
			encryption: encryption
				key_vault_key_id keyVaultProperties.keyUri
				user_assigned_identity_id identity.userAssignedIdentity
				+keySource Microsoft.Keyvault
		`),
	},
	"azurerm_batch_account": {
		arm: typeBatch,
		id:  inGroup(typeBatch),
		rows: tabled(`
			allowed_authentication_modes
			pool_allocation_mode =BatchService
			public_network_access_enabled publicNetworkAccess =Enabled ~toggled
			storage_account_id autoStorage.storageAccountId
			storage_account_authentication_mode autoStorage.authenticationMode
			storage_account_node_identity autoStorage.nodeIdentityReference.resourceId
			key_vault_reference: keyVaultReference
				* id url
			+encryption.keySource Microsoft.Batch
			encryption: encryption
				key_vault_key_id keyVaultProperties.keyIdentifier
				+keySource Microsoft.KeyVault
			network_profile: networkProfile
				account_access: accountAccess
					default_action =Deny
					ip_rule[]: ipRules
						action =Allow
						ip_range value
				node_management_access: nodeManagementAccess
					default_action =Deny
					ip_rule[]: ipRules
						action =Allow
						ip_range value
		`),
	},
	"azurerm_batch_pool": {
		arm: typeBatch + "/pools",
		id:  under(typeBatch, "account_name", "pools"),
		rows: tabled(`
			display_name
			vm_size
			inter_node_communication interNodeCommunication =Enabled
			max_tasks_per_node taskSlotsPerNode =1
			target_node_communication_mode
			node_agent_sku_id deploymentConfiguration.virtualMachineConfiguration.nodeAgentSkuId
			storage_image_reference: deploymentConfiguration.virtualMachineConfiguration.imageReference
				* id offer publisher sku version
			fixed_scale: scaleSettings.fixedScale
				resize_timeout =PT15M
				target_dedicated_nodes =1
				target_low_priority_nodes =0
			auto_scale: scaleSettings.autoScale
				evaluation_interval =PT15M
				formula
			network_configuration: networkConfiguration
				subnet_id
				accelerated_networking_enabled enableAcceleratedNetworking =false
				dynamic_vnet_assignment_scope =none
				public_address_provisioning_type publicIPAddressConfiguration.provision
				public_ips publicIPAddressConfiguration.ipAddressIds
		`),
	},
	"azurerm_digital_twins_instance": {arm: "Microsoft.DigitalTwins/digitalTwinsInstances", id: inGroup("Microsoft.DigitalTwins/digitalTwinsInstances")},
	"azurerm_iothub": {
		arm: "Microsoft.Devices/IotHubs",
		id:  inGroup("Microsoft.Devices/IotHubs"),
		rows: tabled(`
			sku: /sku
				* capacity name
			event_hub_partition_count eventHubEndpoints.events.partitionCount =4
			event_hub_retention_in_days eventHubEndpoints.events.retentionTimeInDays =1
			fallback_route: routing.fallbackRoute ={"condition":"true","endpointNames":["events"],"isEnabled":true,"source":"DeviceMessages"}
				condition =true ~text
				enabled isEnabled =true
				endpoint_names
				source =DeviceMessages
			local_authentication_enabled disableLocalAuth =false ~negated
			min_tls_version =1.2 ~text
			+enableFileUploadNotifications false
			public_network_access_enabled publicNetworkAccess ~toggled
			network_rule_set: networkRuleSets
				apply_to_builtin_eventhub_endpoint applyToBuiltInEventHubEndpoint =false
				default_action =Deny
				ip_rule[]: ipRules
					action =Allow
					ip_mask
					name filterName
		`),
		decide: hosted("hostname", "azure-devices.net"),
	},
	"azurerm_bot_service_azure_bot":     bot("azurebot"),
	"azurerm_bot_channels_registration": bot("bot"),
}

// bot is the kind of a bot: its messages go to its endpoint.
func bot(word string) kind {
	rows := `
		sku /sku.name
		display_name|name
		endpoint
		icon_url =https://docs.botframework.com/static/devportal/client/images/bot-framework-default.png
		microsoft_app_id msaAppId
		microsoft_app_tenant_id msaAppTenantId
		microsoft_app_type msaAppType
		streaming_endpoint_enabled isStreamingSupported =false
		+isCmekEnabled false
	`
	extra := "public_network_access_enabled publicNetworkAccess ~toggled"
	if word == "azurebot" {
		extra = "public_network_access_enabled publicNetworkAccess =Enabled ~toggled\nlocal_authentication_enabled disableLocalAuth =false ~negated\nmicrosoft_app_msi_id msaAppMSIResourceId"
	}
	return kind{
		arm:  "Microsoft.BotService/botServices",
		id:   inGroup("Microsoft.BotService/botServices"),
		rows: tabled(rows, extra, "+/kind "+word),
	}
}

// backupPolicy is when a vault backs up, and for how long it keeps what it has.
func backupPolicy(managed string) kind {
	return kind{
		arm: typeVaultRS + "/backupPolicies",
		id:  under(typeVaultRS, "recovery_vault_name", "backupPolicies"),
		rows: tabled(`
			timezone timeZone =UTC
			backup: schedulePolicy
				frequency scheduleRunFrequency
				+schedulePolicyType SimpleSchedulePolicy
			retention_daily: retentionPolicy.dailySchedule.retentionDuration
				count
				+durationType Days
			retention_weekly: retentionPolicy.weeklySchedule.retentionDuration
				count
				+durationType Weeks
			retention_monthly: retentionPolicy.monthlySchedule.retentionDuration
				count
				+durationType Months
			retention_yearly: retentionPolicy.yearlySchedule.retentionDuration
				count
				+durationType Years
		`, "+backupManagementType "+managed),
	}
}

var databricksRows = tabled(`
	sku /sku.name
	access_connector_id accessConnector.id
	customer_managed_key_enabled parameters.prepareEncryption.value =false
	default_storage_firewall_enabled defaultStorageFirewall ~toggled
	infrastructure_encryption_enabled parameters.requireInfrastructureEncryption.value =false
	load_balancer_backend_address_pool_id parameters.loadBalancerBackendPoolName.value ~last
	network_security_group_rules_required requiredNsgRules
	public_network_access_enabled publicNetworkAccess =Enabled ~toggled
	+computeMode Hybrid
	custom_parameters: parameters
		machine_learning_workspace_id amlWorkspaceId.value
		nat_gateway_name natGatewayName.value
		no_public_ip enableNoPublicIp.value =true
		private_subnet_name customPrivateSubnetName.value
		public_ip_name publicIpName.value
		public_subnet_name customPublicSubnetName.value
		storage_account_name storageAccountName.value
		storage_account_sku_name storageAccountSkuName.value
		virtual_network_id customVirtualNetworkId.value
		vnet_address_prefix vnetAddressPrefix.value
	enhanced_security_compliance: enhancedSecurityCompliance
		automatic_cluster_update_enabled automaticClusterUpdate.value =Disabled ~toggled
		compliance_security_profile_enabled complianceSecurityProfile.value =Disabled ~toggled
		compliance_security_profile_standards complianceSecurityProfile.complianceStandards
		enhanced_security_monitoring_enabled enhancedSecurityMonitoring.value =Disabled ~toggled
`)

func finishDatabricks(v view, doc *arm.Resource) {
	group := "databricks-rg-" + doc.ID.ResourceGroup()
	if v.has("managed_resource_group_name") {
		group = v.symbol("managed_resource_group_name")
	}
	doc.Properties["managedResourceGroupId"] = string(arm.GroupID(v.subscription, group))
	for attribute, to := range map[string]string{"managed_services_cmk_key_vault_key_id": "managedServices", "managed_disk_cmk_key_vault_key_id": "managedDisk"} {
		if key := v.text(attribute); key != "" {
			vault, name, version := partsOfKey(key)
			set(doc.Properties, "encryption.entities."+to, arm.Object{
				"keySource": "Microsoft.Keyvault", "keyVaultProperties": arm.Object{"keyVaultUri": vault + "/", "keyName": name, "keyVersion": version},
			})
		}
	}
}

var synapseRows = tabled(`
	azuread_authentication_only azureADOnlyAuthentication =false
	compute_subnet_id virtualNetworkProfile.computeSubnetId
	data_exfiltration_protection_enabled managedVirtualNetworkSettings.preventDataExfiltration
	linking_allowed_for_aad_tenant_ids managedVirtualNetworkSettings.allowedAadTenantIdsForLinking
	managed_resource_group_name
	public_network_access_enabled publicNetworkAccess =Enabled ~toggled
	purview_id purviewConfiguration.purviewResourceId
	sql_administrator_login
	sql_administrator_login_password !secret
	customer_managed_key: encryption.cmk
		key_name key.name =cmk
		key_versionless_id key.keyVaultUrl
		user_assigned_identity_id kekIdentity.userAssignedIdentity
`)

// finishSynapse sets the data lake, which is given as its address.
func finishSynapse(v view, doc *arm.Resource) {
	if v.flag("managed_virtual_network_enabled", false) {
		doc.Properties["managedVirtualNetwork"] = "default"
	}
	lake := v.json("storage_data_lake_gen2_filesystem_id")
	address, ok := lake.(string)
	if !ok {
		doc.Properties["defaultDataLakeStorage"] = lake
		return
	}
	o := arm.Object{"accountUrl": address}
	if i := strings.LastIndexByte(address, '/'); i > len("https://") {
		o = arm.Object{"accountUrl": address[:i], "filesystem": address[i+1:]}
	}
	doc.Properties["defaultDataLakeStorage"] = o
}
