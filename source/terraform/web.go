package terraform

import (
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/cloister-ml/cloister/arm"
)

const (
	typePlan = "Microsoft.Web/serverFarms"
)

var webKinds = map[string]kind{
	"azurerm_service_plan": {
		arm: typePlan,
		id:  inGroup(typePlan),
		rows: tabled(`
			sku_name /sku.name
			worker_count /sku.capacity
			app_service_environment_id hostingEnvironmentProfile.id
			maximum_elastic_worker_count
			per_site_scaling_enabled perSiteScaling =false
			zone_balancing_enabled zoneRedundant =false
			premium_plan_auto_scale_enabled elasticScaleEnabled =false
			+hyperV false
			+reserved false
		`),
		finish: func(v view, doc *arm.Resource) {
			switch v.text("os_type") {
			case "Linux":
				doc.Properties["reserved"] = true
			case "WindowsContainer":
				doc.Properties["hyperV"] = true
			}
		},
	},
	"azurerm_app_service_plan": {
		arm: typePlan,
		id:  inGroup(typePlan),
		rows: tabled(`
			kind /kind =Windows
			sku: /sku
				* tier capacity
				size name
			app_service_environment_id hostingEnvironmentProfile.id
			* is_xenon reserved per_site_scaling zone_redundant
		`),
	},
	"azurerm_static_web_app": {
		arm: "Microsoft.Web/staticSites",
		id:  inGroup("Microsoft.Web/staticSites"),
		rows: tabled(`
			sku_size /sku.name =Free
			sku_tier /sku.tier =Free
			configuration_file_changes_enabled allowConfigFileUpdates =true
			preview_environments_enabled stagingEnvironmentPolicy =Enabled ~toggled
			public_network_access_enabled publicNetworkAccess =Enabled ~toggled
			repository_branch branch
			repository_token !secret
			repository_url
		`),
	},
	"azurerm_container_app_environment": {
		arm: "Microsoft.App/managedEnvironments",
		id:  inGroup("Microsoft.App/managedEnvironments"),
		rows: tabled(`
			dapr_application_insights_connection_string daprAIConnectionString !secret
			infrastructure_resource_group_name infrastructureResourceGroup
			infrastructure_subnet_id vnetConfiguration.infrastructureSubnetId
			internal_load_balancer_enabled vnetConfiguration.internal
			logs_destination appLogsConfiguration.destination
			log_analytics_workspace_id appLogsConfiguration.logAnalyticsConfiguration.workspace
			mutual_tls_enabled peerAuthentication.mtls.enabled =false
			mutual_tls_enabled peerTrafficConfiguration.encryption.enabled =false
			public_network_access
			zone_redundancy_enabled zoneRedundant =false
			workload_profile[]: workloadProfiles
				name
				maximum_count
				minimum_count
				workload_profile_type
		`),
	},
	"azurerm_container_app":     {arm: "Microsoft.App/containerApps", id: inGroup("Microsoft.App/containerApps"), rows: containerAppRows, effect: likeParent("container_app_environment_id", "Microsoft.App/managedEnvironments")},
	"azurerm_container_group":   {arm: "Microsoft.ContainerInstance/containerGroups", id: inGroup("Microsoft.ContainerInstance/containerGroups"), zonal: true, rows: containerGroupRows, finish: finishContainerGroup},
	"azurerm_api_management":    {arm: "Microsoft.ApiManagement/service", id: inGroup("Microsoft.ApiManagement/service"), zonal: true, rows: apiManagementRows, finish: finishAPIManagement, decide: hostedURL("gateway_url", "azure-api.net")},
	"azurerm_signalr_service":   {arm: "Microsoft.SignalRService/signalR", id: inGroup("Microsoft.SignalRService/signalR"), rows: signalRows, finish: finishSignal, decide: hosted("hostname", "service.signalr.net")},
	"azurerm_web_pubsub":        {arm: "Microsoft.SignalRService/webPubSub", id: inGroup("Microsoft.SignalRService/webPubSub"), rows: pubsubRows, decide: hosted("hostname", "webpubsub.azure.com")},
	"azurerm_app_configuration": {arm: typeConfiguration, id: inGroup(typeConfiguration), rows: configurationRows, decide: hostedURL("endpoint", "azconfig.io")},
	"azurerm_logic_app_workflow": {
		arm: "Microsoft.Logic/workflows",
		id:  inGroup("Microsoft.Logic/workflows"),
		rows: tabled(`
			enabled state =Enabled ~toggled
			integration_service_environment_id integrationServiceEnvironment.id
			logic_app_integration_account_id integrationAccount.id
			workflow_schema definition.$schema =https://schema.management.azure.com/providers/Microsoft.Logic/schemas/2016-06-01/workflowdefinition.json#
			workflow_version definition.contentVersion =1.0.0.0
		`),
	},
}

const typeConfiguration = "Microsoft.AppConfiguration/configurationStores"

// hostedURL decides a service's address, https and a name of its domain.
func hostedURL(attribute, domain string) func(view, arm.ID) map[string]cty.Value {
	return func(_ view, id arm.ID) map[string]cty.Value {
		if strings.HasPrefix(id.Name(), "{") {
			return nil
		}
		return texts(attribute, "https://"+strings.ToLower(id.Name())+"."+domain)
	}
}

var configurationRows = tabled(`
	sku /sku.name =free
	local_auth_enabled disableLocalAuth =false ~negated
	public_network_access
	purge_protection_enabled enablePurgeProtection =false
	soft_delete_retention_days softDeleteRetentionInDays
	data_plane_proxy_authentication_mode dataPlaneProxy.authenticationMode =Local
	data_plane_proxy_private_link_delegation_enabled dataPlaneProxy.privateLinkDelegation =Disabled ~toggled
	encryption: encryption.keyVaultProperties
		identity_client_id
		key_vault_key_identifier keyIdentifier
`)

var signalRows = tabled(`
	sku: /sku
		* capacity name
	aad_auth_enabled disableAadAuth =false ~negated
	local_auth_enabled disableLocalAuth =false ~negated
	public_network_access_enabled publicNetworkAccess =Enabled ~toggled
	tls_client_cert_enabled tls.clientCertEnabled =false
	service_mode features.ServiceMode =Default
	connectivity_logs_enabled features.EnableConnectivityLogs =false
	messaging_logs_enabled features.EnableMessagingLogs =false
	live_trace_enabled features.EnableLiveTrace =false
	http_request_logs_enabled features.HttpRequestLogs =false
	serverless_connection_timeout_in_seconds serverless.connectionTimeoutInSeconds =30
	cors[]: cors
		allowed_origins
`)

var pubsubRows = tabled(`
	sku /sku.name
	capacity /sku.capacity =1
	aad_auth_enabled disableAadAuth =false ~negated
	local_auth_enabled disableLocalAuth =false ~negated
	public_network_access_enabled publicNetworkAccess =Enabled ~toggled
	tls_client_cert_enabled tls.clientCertEnabled =false
`)

const containerRows = `
		container[]: containers
			* args command image name
			cpu resources.cpu
			memory resources.memory
			env[]: env
				name
				secret_name secretRef
				value
			volume_mounts[]: volumeMounts
				name volumeName
				path mountPath
				sub_path
		init_container[]: initContainers
			* args command image name
			cpu resources.cpu
			memory resources.memory
			env[]: env
				name
				secret_name secretRef
				value
		volume[]: volumes
			* name mount_options storage_name
			storage_type =EmptyDir
`

var containerAppRows = tabled(`
	container_app_environment_id managedEnvironmentId
	workload_profile_name
	max_inactive_revisions configuration.maxInactiveRevisions =0
	revision_mode configuration.activeRevisionsMode
	dapr: configuration.dapr
		* app_id app_port
		app_protocol =http
		+enabled true
	ingress: configuration.ingress
		allow_insecure_connections allowInsecure =false
		client_certificate_mode
		exposed_port =0
		external_enabled external =false
		target_port
		transport =auto
		ip_security_restriction[]: ipSecurityRestrictions
			* action description ip_address_range name
		traffic_weight[]: traffic
			label
			latest_revision =false
			percentage weight
			revision_suffix revisionName
	registry[]: configuration.registries
		* identity server username
		password_secret_name passwordSecretRef
	secret[]: configuration.secrets
		* identity name
		key_vault_secret_id keyVaultUrl
		value !secret
	template: template
		cooldown_period_in_seconds scale.cooldownPeriod =300
		max_replicas scale.maxReplicas =10
		min_replicas scale.minReplicas =0
		polling_interval_in_seconds scale.pollingInterval =30
		revision_suffix
		termination_grace_period_seconds
` + containerRows)

var containerGroupRows = tabled(`
	os_type
	priority
	restart_policy =Always
	sku =Standard
	subnet_ids subnetIds ~references
	network_profile_id networkProfile.id
	key_vault_key_id encryptionProperties.keyName
	key_vault_user_assigned_identity_id encryptionProperties.identity
	ip_address_type ipAddress.type =Public
	dns_name_label ipAddress.dnsNameLabel
	dns_name_label_reuse_policy ipAddress.autoGeneratedDomainNameLabelScope =Unsecure
	dns_config: dnsConfig
		nameservers nameServers
		options options ~spaced
		search_domains searchDomains ~spaced
	diagnostics: diagnostics
		log_analytics: logAnalytics
			log_type
			metadata
			workspace_id
			workspace_key !secret
	image_registry_credential[]: imageRegistryCredentials
		server
		username
		password !secret
		user_assigned_identity_id identity
`)

// finishContainerGroup sets the containers, whose limits and variables stand apart.
func finishContainerGroup(v view, doc *arm.Resource) {
	rows := tabled(`
		name
		commands properties.command
		image properties.image
		cpu properties.resources.requests.cpu
		memory properties.resources.requests.memoryInGB
		cpu_limit properties.resources.limits.cpu
		memory_limit properties.resources.limits.memoryInGB
		environment_variables properties.environmentVariables ~pairs
		ports[]: properties.ports
			port
			protocol =TCP
		volume[]: properties.volumeMounts
			name
			mount_path
			read_only =false
	`)
	var list, volumes, ports []any
	for _, c := range v.blocks("container") {
		o := rows.object(c)
		for _, e := range taskValues(c.hidden("secure_environment_variables"), true) {
			variable, _ := e.(arm.Object)
			all, _ := arm.Lookup(o, "properties.environmentVariables")
			known, _ := all.([]any)
			set(o, "properties.environmentVariables", append(known, arm.Object{"name": variable["name"], "secureValue": variable["value"]}))
		}
		list = append(list, o)
		for _, p := range c.blocks("ports") {
			ports = append(ports, tabled("port\nprotocol =TCP").object(p))
		}
		for _, vol := range c.blocks("volume") {
			volumes = append(volumes, tabled(`
				name
				share_name azureFile.shareName
				storage_account_name azureFile.storageAccountName
				storage_account_key azureFile.storageAccountKey !secret
				git_repo: gitRepo
					directory
					revision
					url repository
			`).object(vol))
		}
	}
	doc.Properties["containers"] = list
	if volumes != nil {
		doc.Properties["volumes"] = volumes
	}
	if ports != nil && v.text("ip_address_type") != "None" {
		set(doc.Properties, "ipAddress.ports", ports)
	}
	if v.text("ip_address_type") == "None" {
		delete(doc.Properties, "ipAddress")
	}
}
