package terraform

import (
	"maps"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
)

const (
	typeCluster   = "Microsoft.ContainerService/managedClusters"
	typeAgentPool = typeCluster + "/agentPools"
)

// poolRows are those that the default node pool and the others share.
const poolRows = `
	vm_size
	auto_scaling_enabled|enable_auto_scaling       enableAutoScaling       =false
	host_encryption_enabled|enable_host_encryption enableEncryptionAtHost  =false
	node_public_ip_enabled|enable_node_public_ip   enableNodePublicIP      =false
	fips_enabled                                   enableFIPS              =false
	ultra_ssd_enabled                              enableUltraSSD          =false
	* max_count max_pods min_count node_labels orchestrator_version kubelet_disk_type workload_runtime
	node_count                                     count
	zones|availability_zones                       availabilityZones
	capacity_reservation_group_id                  capacityReservationGroupID
	gpu_driver                                     gpuProfile.driver
	gpu_instance                                   gpuInstanceProfile
	host_group_id                                  hostGroupID
	node_public_ip_prefix_id                       nodePublicIPPrefixID
	os_disk_size_gb                                osDiskSizeGB
	os_disk_type                                   osDiskType              =Managed
	os_sku                                         osSKU
	pod_subnet_id                                  podSubnetID
	proximity_placement_group_id                   proximityPlacementGroupID
	scale_down_mode                                scaleDownMode           =Delete
	snapshot_id                                    creationData.sourceResourceId
	vnet_subnet_id                                 vnetSubnetID
	kubelet_config: kubeletConfig
		* allowed_unsafe_sysctls container_log_max_files cpu_cfs_quota_period cpu_manager_policy
		* image_gc_high_threshold image_gc_low_threshold topology_manager_policy
		container_log_max_size_mb  containerLogMaxSizeMB
		cpu_cfs_quota_enabled      cpuCfsQuota  =true
		pod_max_pid                podMaxPids
		+failSwapOn false
	linux_os_config: linuxOSConfig
		swap_file_size_mb swapFileSizeMB
		transparent_huge_page|transparent_huge_page_enabled transparentHugePageEnabled
		* transparent_huge_page_defrag
		sysctl_config: sysctls
			* fs_aio_max_nr fs_file_max fs_inotify_max_user_watches fs_nr_open kernel_threads_max
			* net_core_netdev_max_backlog net_core_optmem_max net_core_rmem_default net_core_rmem_max
			* net_core_somaxconn net_core_wmem_default net_core_wmem_max net_ipv4_neigh_default_gc_thresh1
			* net_ipv4_neigh_default_gc_thresh2 net_ipv4_neigh_default_gc_thresh3 net_ipv4_tcp_fin_timeout
			* net_ipv4_tcp_keepalive_probes net_ipv4_tcp_keepalive_time net_ipv4_tcp_max_syn_backlog
			* net_ipv4_tcp_max_tw_buckets net_ipv4_tcp_tw_reuse net_netfilter_nf_conntrack_buckets
			* net_netfilter_nf_conntrack_max vm_max_map_count vm_swappiness vm_vfs_cache_pressure
			net_ipv4_tcp_keepalive_intvl netIpv4TcpkeepaliveIntvl
	node_network_profile: networkProfile
		application_security_group_ids applicationSecurityGroups
		node_public_ip_tags nodePublicIPTags ~ipTags
		allowed_host_ports[]: allowedHostPorts
			* port_end port_start protocol
	upgrade_settings: upgradeSettings
		* max_surge
		drain_timeout_in_minutes       drainTimeoutInMinutes      =0
		node_soak_duration_in_minutes  nodeSoakDurationInMinutes  =0
		undrainable_node_behavior
	+type VirtualMachineScaleSets
`

var clusterRows = tabled(`
	disk_encryption_set_id          diskEncryptionSetID
	dns_prefix
	dns_prefix_private_cluster      fqdnSubdomain
	kubernetes_version
	node_resource_group
	support_plan                    supportPlan           =KubernetesOfficial
	sku_tier                        /sku.tier             =Free
	+/sku.name Base
	local_account_disabled          disableLocalAccounts  =false
	role_based_access_control_enabled enableRBAC          =true
	oidc_issuer_enabled             oidcIssuerProfile.enabled            =true
	cost_analysis_enabled           metricsProfile.costAnalysis.enabled  =false
	ai_toolchain_operator_enabled   aiToolchainOperatorProfile.enabled
	custom_ca_trust_certificates_base64 securityProfile.customCATrustCertificates
	workload_identity_enabled       securityProfile.workloadIdentity.enabled
	image_cleaner_enabled           securityProfile.imageCleaner.enabled
	image_cleaner_interval_hours    securityProfile.imageCleaner.intervalHours
	automatic_upgrade_channel|automatic_channel_upgrade    autoUpgradeProfile.upgradeChannel        =none
	node_os_upgrade_channel|node_os_channel_upgrade        autoUpgradeProfile.nodeOSUpgradeChannel  =NodeImage
	private_cluster_enabled         apiServerAccessProfile.enablePrivateCluster            =false
	private_cluster_public_fqdn_enabled apiServerAccessProfile.enablePrivateClusterPublicFQDN  =false
	private_dns_zone_id             apiServerAccessProfile.privateDNSZone
	run_command_enabled             apiServerAccessProfile.disableRunCommand  =false  ~negated
	api_server_authorized_ip_ranges apiServerAccessProfile.authorizedIPRanges
	api_server_access_profile: apiServerAccessProfile
		authorized_ip_ranges authorizedIPRanges
		subnet_id
		virtual_network_integration_enabled enableVnetIntegration
	auto_scaler_profile: autoScalerProfile
		balance_similar_node_groups     balance-similar-node-groups           =false  ~text
		daemonset_eviction_for_empty_nodes_enabled daemonset-eviction-for-empty-nodes  =false
		daemonset_eviction_for_occupied_nodes_enabled daemonset-eviction-for-occupied-nodes  =true
		expander
		ignore_daemonsets_utilization_enabled ignore-daemonsets-utilization   =false
		empty_bulk_delete_max           max-empty-bulk-delete
		max_graceful_termination_sec    max-graceful-termination-sec
		max_node_provisioning_time      max-node-provision-time               =15m
		max_unready_percentage          max-total-unready-percentage          ="45"   ~text
		max_unready_nodes               ok-total-unready-count                ="3"    ~text
		new_pod_scale_up_delay          new-pod-scale-up-delay
		scale_down_delay_after_add      scale-down-delay-after-add
		scale_down_delay_after_delete   scale-down-delay-after-delete
		scale_down_delay_after_failure  scale-down-delay-after-failure
		scale_down_unneeded             scale-down-unneeded-time
		scale_down_unready              scale-down-unready-time
		scale_down_utilization_threshold scale-down-utilization-threshold
		scan_interval                   scan-interval
		skip_nodes_with_local_storage   skip-nodes-with-local-storage         ="false" ~text
		skip_nodes_with_system_pods     skip-nodes-with-system-pods           ="true"  ~text
	azure_active_directory_role_based_access_control: aadProfile
		admin_group_object_ids adminGroupObjectIDs
		azure_rbac_enabled     enableAzureRBAC
		tenant_id              tenantID
		+managed true
	role_based_access_control: .
		enabled enableRBAC
		azure_active_directory: aadProfile
			admin_group_object_ids adminGroupObjectIDs
			azure_rbac_enabled     enableAzureRBAC
			client_app_id          clientAppID
			managed                =false
			server_app_id          serverAppID
			server_app_secret      serverAppSecret !secret
			tenant_id              tenantID
	azure_policy_enabled                 addonProfiles.azurepolicy.enabled  =false
	+addonProfiles.azurepolicy.config.version v2
	http_application_routing_enabled     addonProfiles.httpApplicationRouting.enabled
	open_service_mesh_enabled            addonProfiles.openServiceMesh.enabled
	aci_connector_linux: addonProfiles.aciConnectorLinux
		subnet_name config.SubnetName
		+enabled true
	confidential_computing: addonProfiles.ACCSGXDevicePlugin
		sgx_quote_helper_enabled config.ACCSGXQuoteHelperEnabled ~text
		+enabled true
	ingress_application_gateway: addonProfiles.ingressApplicationGateway
		gateway_id    config.applicationGatewayId
		gateway_name  config.applicationGatewayName
		subnet_cidr   config.subnetCIDR
		subnet_id     config.subnetId
		+enabled true
	key_vault_secrets_provider: addonProfiles.azureKeyvaultSecretsProvider
		secret_rotation_enabled   config.enableSecretRotation  ="false" ~text
		secret_rotation_interval  config.rotationPollInterval  =2m
		+enabled true
	oms_agent: addonProfiles.omsagent
		log_analytics_workspace_id       config.logAnalyticsWorkspaceResourceID
		msi_auth_for_monitoring_enabled  config.useAADAuth  ="false" ~text
		+enabled true
	addon_profile: .
		oms_agent: addonProfiles.omsagent
			enabled
			log_analytics_workspace_id config.logAnalyticsWorkspaceResourceID
		azure_policy: addonProfiles.azurepolicy
			enabled
		http_application_routing: addonProfiles.httpApplicationRouting
			enabled
	bootstrap_profile: bootstrapProfile
		artifact_source
		container_registry_id
	http_proxy_config: httpProxyConfig
		* http_proxy https_proxy no_proxy
		trusted_ca !secret
	key_management_service: securityProfile.azureKeyVaultKms
		key_vault_key_id keyId
		key_vault_network_access =Public
		+enabled true
	kubelet_identity: identityProfile.kubeletidentity
		* client_id object_id
		user_assigned_identity_id resourceId
	linux_profile: linuxProfile
		admin_username
		ssh_key[]: ssh.publicKeys
			key_data
	microsoft_defender: securityProfile.defender
		log_analytics_workspace_id logAnalyticsWorkspaceResourceId
		+securityMonitoring.enabled true
	+azureMonitorProfile.metrics.enabled false
	monitor_metrics: azureMonitorProfile.metrics
		+enabled true
		annotations_allowed kubeStateMetrics.metricAnnotationsAllowList
		labels_allowed      kubeStateMetrics.metricLabelsAllowlist
	+networkProfile.loadBalancerSku standard
	+networkProfile.networkDataplane azure
	+networkProfile.outboundType loadBalancer
	network_profile: networkProfile
		dns_service_ip      dnsServiceIP
		ip_versions         ipFamilies
		load_balancer_sku   loadBalancerSku   =standard
		network_data_plane  networkDataplane  =azure
		* network_mode network_plugin network_plugin_mode network_policy pod_cidr pod_cidrs service_cidr service_cidrs
		docker_bridge_cidr
		outbound_type  outboundType  =loadBalancer
		+advancedNetworking.enabled false
		+advancedNetworking.observability.enabled false
		+advancedNetworking.security.enabled false
		advanced_networking: advancedNetworking
			+enabled true
			observability_enabled observability.enabled  =false
			security_enabled      security.enabled       =false
		load_balancer_profile: loadBalancerProfile
			backend_pool_type        backendPoolType         =NodeIPConfiguration
			idle_timeout_in_minutes
			managed_outbound_ip_count   managedOutboundIPs.count
			managed_outbound_ipv6_count managedOutboundIPs.countIPv6
			outbound_ip_address_ids     outboundIPs.publicIPs                ~references
			outbound_ip_prefix_ids      outboundIPPrefixes.publicIPPrefixes  ~references
			outbound_ports_allocated    allocatedOutboundPorts               =0
		nat_gateway_profile: natGatewayProfile
			idle_timeout_in_minutes
			managed_outbound_ip_count managedOutboundIPProfile.count
	node_provisioning_profile: nodeProvisioningProfile
		default_node_pools =Auto
		mode               =Manual
	service_mesh_profile: serviceMeshProfile
		mode
		revisions istio.revisions
		certificate_authority: istio.certificateAuthority.plugin
			* cert_chain_object_name cert_object_name key_object_name key_vault_id root_cert_object_name
	service_principal: servicePrincipalProfile
		client_id
		client_secret secret !secret
	storage_profile: storageProfile
		blob_driver_enabled          blobCSIDriver.enabled       =false
		disk_driver_enabled          diskCSIDriver.enabled       =true
		file_driver_enabled          fileCSIDriver.enabled       =true
		snapshot_controller_enabled  snapshotController.enabled  =true
	upgrade_override: upgradeSettings.overrideSettings
		effective_until until
		force_upgrade_enabled forceUpgrade
	web_app_routing: ingressProfile.webAppRouting
		dns_zone_ids dnsZoneResourceIds
		default_nginx_controller nginx.defaultIngressControllerType  =AnnotationControlled
		+enabled true
	windows_profile: windowsProfile
		admin_password !secret
		admin_username
		license licenseType
		gmsa: gmsaProfile
			* dns_server
			root_domain rootDomainName
			+enabled true
	workload_autoscaler_profile: workloadAutoScalerProfile
		keda_enabled keda.enabled  =false
		vertical_pod_autoscaler_enabled verticalPodAutoscaler.enabled  =false
`)

var defaultPoolRows = tabled(poolRows, `
	name
	node_taints
	tags
	type
	+mode System
	+osType Linux
`)

var agentPoolRows = tabled(poolRows, `
	tags
	eviction_policy  scaleSetEvictionPolicy
	mode             =User
	node_taints
	os_type          =Linux
	priority         scaleSetPriority  =Regular
	spot_max_price
	windows_profile: windowsProfile
		outbound_nat_enabled disableOutboundNat =false ~negated
`)

var kubernetesKinds = map[string]kind{
	"azurerm_kubernetes_cluster": {
		arm:    typeCluster,
		id:     inGroup(typeCluster),
		rows:   clusterRows,
		decide: decideCluster,
		finish: finishCluster,
		effect: func(v view, id arm.ID, b *builder) {
			maintenance(v, id, b)
			b.keyVault(v, id, "securityProfile.azureKeyVaultKms.keyId", "securityProfile.azureKeyVaultKms.keyVaultResourceId")
		},
	},
	"azurerm_kubernetes_cluster_node_pool": {
		arm:  typeAgentPool,
		id:   childOf("kubernetes_cluster_id", typeCluster, "agentPools"),
		rows: agentPoolRows,
		finish: func(v view, doc *arm.Resource) {
			finishPool(v, doc.Properties)
			doc.Tags = nil // a pool is no resource with tags of its own
		},
	},
	"azurerm_kubernetes_cluster_extension": {
		arm: "Microsoft.KubernetesConfiguration/extensions",
		id:  extensionOf("cluster_id", typeCluster, "Microsoft.KubernetesConfiguration", "extensions"),
		rows: tabled(`
			extension_type
			configuration_settings
			configuration_protected_settings !secret
			release_train
			release_namespace  scope.cluster.releaseNamespace
			target_namespace   scope.namespace.targetNamespace
			version
			plan: /plan
				* name product publisher version
				promotion_code
		`),
		finish: func(v view, doc *arm.Resource) {
			doc.Properties["autoUpgradeMinorVersion"] = !v.has("version")
		},
	},
	"azurerm_kubernetes_flux_configuration": {
		arm:    "Microsoft.KubernetesConfiguration/fluxConfigurations",
		id:     extensionOf("cluster_id", typeCluster, "Microsoft.KubernetesConfiguration", "fluxConfigurations"),
		rows:   fluxRows,
		finish: finishFlux,
	},
	"azurerm_kubernetes_cluster_trusted_access_role_binding": {
		arm: typeCluster + "/trustedAccessRoleBindings",
		id:  childOf("kubernetes_cluster_id", typeCluster, "trustedAccessRoleBindings"),
		rows: tabled(`
			roles
			source_resource_id
		`),
	},
	"azurerm_kubernetes_fleet_manager": {
		arm: "Microsoft.ContainerService/fleets",
		id:  inGroup("Microsoft.ContainerService/fleets"),
		rows: tabled(`
			hub_profile: hubProfile
				dns_prefix
		`),
	},
}

var fluxRows = tabled(`
	namespace
	scope =namespace
	continuous_reconciliation_enabled suspend =false ~negated
	git_repository: gitRepository
		https_user
		local_auth_reference localAuthRef
		provider
		ssh_known_hosts_base64 sshKnownHosts
		sync_interval_in_seconds =600
		timeout_in_seconds =600
		url
	bucket: bucket
		access_key
		bucket_name
		local_auth_reference localAuthRef
		sync_interval_in_seconds =600
		timeout_in_seconds =600
		tls_enabled insecure =false ~negated
		url
	blob_storage: azureBlob
		account_key !secret
		container_id containerName
		local_auth_reference localAuthRef
		sas_token !secret
		sync_interval_in_seconds =600
		timeout_in_seconds =600
		managed_identity: managedIdentity
			client_id
`)

// finishFlux sets what stands by name: kustomizations, the kind of source, secrets.
func finishFlux(v view, doc *arm.Resource) {
	for block, kind := range map[string]string{"git_repository": "GitRepository", "bucket": "Bucket", "blob_storage": "AzureBlob"} {
		if len(v.blocks(block)) > 0 {
			doc.Properties["sourceKind"] = kind
		}
	}
	if ref := v.text("git_repository.reference_type"); ref != "" {
		set(doc.Properties, "gitRepository.repositoryRef."+ref, v.json("git_repository.reference_value"))
	}
	rows := tabled(`
		depends_on dependsOn =[]
		garbage_collection_enabled prune =false
		* name path
		recreating_enabled force =false
		retry_interval_in_seconds =600
		sync_interval_in_seconds =600
		timeout_in_seconds =600
		wait =true
	`)
	all := arm.Object{}
	for _, k := range v.blocks("kustomizations") {
		all[k.symbol("name")] = rows.object(k)
	}
	doc.Properties["kustomizations"] = all
}

var maintenanceRows = tabled(`
	allowed[]: timeInWeek
		day
		hours hourSlots
	not_allowed[]: notAllowedTime
		* start end
`)

var scheduleRows = tabled(`
	duration      maintenanceWindow.durationHours
	start_date    maintenanceWindow.startDate
	start_time    maintenanceWindow.startTime
	utc_offset    maintenanceWindow.utcOffset
	not_allowed[]: maintenanceWindow.notAllowedDates
		* start end
`)

// maintenance makes the documents of a cluster's maintenance windows, which are
// its children.
func maintenance(v view, id arm.ID, b *builder) {
	const typ = typeCluster + "/maintenanceConfigurations"
	for _, w := range v.blocks("maintenance_window") {
		b.child(v, typ, id.Child("maintenanceConfigurations", "default"), maintenanceRows.object(w))
	}
	for block, name := range map[string]string{"maintenance_window_auto_upgrade": "aksManagedAutoUpgradeSchedule", "maintenance_window_node_os": "aksManagedNodeOSUpgradeSchedule"} {
		for _, w := range v.blocks(block) {
			props := scheduleRows.object(w)
			set(props, "maintenanceWindow.schedule", schedule(w))
			b.child(v, typ, id.Child("maintenanceConfigurations", name), props)
		}
	}
}

// schedule is how often a maintenance window recurs.
func schedule(w view) arm.Object {
	switch w.text("frequency") {
	case "Daily":
		return arm.Object{"daily": tabled("interval intervalDays").object(w)}
	case "Weekly":
		return arm.Object{"weekly": tabled("interval intervalWeeks\nday_of_week").object(w)}
	case "AbsoluteMonthly":
		return arm.Object{"absoluteMonthly": tabled("interval intervalMonths\nday_of_month").object(w)}
	}
	return arm.Object{"relativeMonthly": tabled("interval intervalMonths\nday_of_week\nweek_index").object(w)}
}

// decideCluster is what AKS gives a cluster by rule: the group of its nodes, and
// the identity of its kubelets, whose id is the cluster's to choose.
func decideCluster(v view, id arm.ID) map[string]cty.Value {
	out := map[string]cty.Value{}
	if !v.has("node_resource_group") {
		out["node_resource_group"] = cty.StringVal("MC_" + id.ResourceGroup() + "_" + id.Name() + "_" + service.Region(v.symbol("location")))
	}
	if len(v.blocks("kubelet_identity")) == 0 && len(v.blocks("identity")) > 0 {
		group := or(v.json("node_resource_group"), "MC_"+id.ResourceGroup()+"_"+id.Name()+"_"+service.Region(v.symbol("location")))
		name, ok := group.(string)
		if !ok {
			name = "{" + v.r.Address + ".node_resource_group}"
		}
		agent := arm.ResourceID(v.subscription, name, typeUserIdentity, id.Name()+"-agentpool")
		maps.Copy(out, map[string]cty.Value{
			"kubelet_identity.object_id":                 cty.StringVal(arm.PrincipalID(agent)),
			"kubelet_identity.client_id":                 cty.StringVal(clientID(agent)),
			"kubelet_identity.user_assigned_identity_id": cty.StringVal(string(agent)),
		})
	}
	return out
}

func finishCluster(v view, doc *arm.Resource) {
	for _, p := range v.blocks("default_node_pool") {
		pool := defaultPoolRows.object(p)
		finishPool(p, pool)
		if p.flag("only_critical_addons_enabled", false) {
			pool["nodeTaints"] = []any{"CriticalAddonsOnly=true:NoSchedule"}
		}
		doc.Properties["agentPoolProfiles"] = []any{pool}
	}
	if _, named := doc.Properties["servicePrincipalProfile"]; !named {
		doc.Properties["servicePrincipalProfile"] = arm.Object{"clientId": "msi"}
	}
	var gateways []any
	for _, m := range v.blocks("service_mesh_profile") {
		for _, g := range []struct{ attribute, mode string }{{"internal_ingress_gateway_enabled", "Internal"}, {"external_ingress_gateway_enabled", "External"}} {
			if m.has(g.attribute) {
				gateways = append(gateways, arm.Object{"enabled": m.json(g.attribute), "mode": g.mode})
			}
		}
	}
	if gateways != nil {
		set(doc.Properties, "serviceMeshProfile.istio.components.ingressGateways", gateways)
	}
	if or(v.json("image_cleaner_enabled"), false) == false {
		if p, ok := doc.Properties["securityProfile"].(arm.Object); ok {
			delete(p, "imageCleaner")
		}
	}
}

// finishPool sets what follows from several attributes of a pool.
func finishPool(v view, pool arm.Object) {
	if _, counted := pool["count"]; !counted {
		pool["count"] = 0.0
		if pool["enableAutoScaling"] == true {
			pool["count"] = or(v.json("min_count"), 0.0)
		}
	}
	low, high := v.json("linux_os_config.sysctl_config.net_ipv4_ip_local_port_range_min"), v.json("linux_os_config.sysctl_config.net_ipv4_ip_local_port_range_max")
	if low != nil && high != nil {
		set(pool, "linuxOSConfig.sysctls.netIpv4IpLocalPortRange", words(text(low))+" "+words(text(high)))
	}
}

// ipTags is a map of tags of public addresses as a list.
func ipTags(v any) any {
	m, _ := v.(arm.Object)
	out := make([]any, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, arm.Object{"ipTagType": k, "tag": m[k]})
	}
	return out
}

// keyVault sets the id of the vault beside the address of a key in it, where the
// vault is one of this configuration.
func (b *builder) keyVault(v view, id arm.ID, key, to string) {
	b.settle(v, id, func(doc *arm.Resource) {
		address := arm.String(doc.Properties, key)
		for _, vault := range b.docs {
			if vault.IsType(service.TypeKeyVault) && strings.HasPrefix(address, vaultURI(vault.ID)) {
				set(doc.Properties, to, string(vault.ID))
			}
		}
	})
}
