package terraform

import (
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

const typeScaleSet = "Microsoft.Compute/virtualMachineScaleSets"

// scaleSetNetworkRows are the interfaces of a scale set's machines.
const scaleSetNetworkRows = `
	network_interface[]: networkProfile.networkInterfaceConfigurations
		name
		accelerated_networking_enabled|enable_accelerated_networking properties.enableAcceleratedNetworking  =false
		auxiliary_mode             properties.auxiliaryMode
		auxiliary_sku              properties.auxiliarySku
		dns_servers                properties.dnsSettings.dnsServers  =[]
		ip_forwarding_enabled|enable_ip_forwarding properties.enableIPForwarding  =false
		network_security_group_id  properties.networkSecurityGroup.id
		primary                    properties.primary  =false
		ip_configuration[]: properties.ipConfigurations
			name
			application_gateway_backend_address_pool_ids  properties.applicationGatewayBackendAddressPools =[] ~references
			application_security_group_ids                properties.applicationSecurityGroups =[] ~references
			load_balancer_backend_address_pool_ids        properties.loadBalancerBackendAddressPools =[] ~references
			INBOUND
			primary    properties.primary  =false
			subnet_id  properties.subnet.id
			version    properties.privateIPAddressVersion  =IPv4
			public_ip_address: properties.publicIPAddressConfiguration
				name
				domain_name_label        properties.dnsSettings.domainNameLabel
				idle_timeout_in_minutes  properties.idleTimeoutInMinutes
				public_ip_prefix_id      properties.publicIPPrefix.id
				version                  properties.publicIPAddressVersion  =IPv4
				ip_tag[]: properties.ipTags =[]
					tag
					type ipTagType
				SKUNAME
`

const (
	inboundRow = "load_balancer_inbound_nat_rules_ids properties.loadBalancerInboundNatPools =[] ~references"
	pipSKURow  = "sku_name sku ~regional"
)

// scaleSetDataRows are the data disks of a scale set's machines.
const scaleSetDataRows = `
	data_disk[]: storageProfile.dataDisks  =[]
		caching
		create_option =Empty
		disk_encryption_set_id managedDisk.diskEncryptionSet.id
		disk_iops_read_write|ultra_ssd_disk_iops_read_write diskIOPSReadWrite
		disk_mbps_read_write|ultra_ssd_disk_mbps_read_write diskMBpsReadWrite
		disk_size_gb diskSizeGB
		lun
		storage_account_type managedDisk.storageAccountType
		write_accelerator_enabled =false
`

// profileRows are the machines of a scale set, Linux and Windows alike.
var profileRows = imageRows + osDiskRows + scaleSetDataRows +
	strings.NewReplacer("INBOUND", inboundRow, "SKUNAME", "").Replace(scaleSetNetworkRows) + `
	admin_password               osProfile.adminPassword !secret
	admin_username               osProfile.adminUsername
	extension_operations_enabled osProfile.allowExtensionOperations  =true
	+diagnosticsProfile.bootDiagnostics.enabled false
	boot_diagnostics: diagnosticsProfile.bootDiagnostics
		+enabled true
		storage_account_uri storageUri
	computer_name_prefix|name    osProfile.computerNamePrefix
	custom_data                  osProfile.customData !secret
	encryption_at_host_enabled   securityProfile.encryptionAtHost
	eviction_policy
	extensions_time_budget       extensionProfile.extensionsTimeBudget  =PT1H30M
	extension[]: extensionProfile.extensions
		name
		auto_upgrade_minor_version  properties.autoUpgradeMinorVersion  =true
		automatic_upgrade_enabled   properties.enableAutomaticUpgrade  =false
		force_update_tag            properties.forceUpdateTag
		protected_settings          properties.protectedSettings ~parsed !secret
		protected_settings_from_key_vault: properties.protectedSettingsFromKeyVault
			secret_url
			source_vault_id sourceVault.id
		provision_after_extensions  properties.provisionAfterExtensions  =[]
		publisher                   properties.publisher
		settings                    properties.settings ~parsed
		type                        properties.type
		type_handler_version        properties.typeHandlerVersion
	gallery_application[]: applicationProfile.galleryApplications
		configuration_blob_uri     configurationReference
		order                      =0
		tag                        tags
		version_id                 packageReferenceId
	health_probe_id              networkProfile.healthProbe.id
	LICENSE
	max_bid_price                billingProfile.maxPrice
	priority                     =Regular
	termination_notification: scheduledEventsProfile.terminateNotificationProfile
		enabled enable
		timeout notBeforeTimeout =PT5M
	user_data
`

// scaleSetRows are the set itself.
const scaleSetRows = `
	sku        /sku.name
	instances  /sku.capacity  =0
	plan: /plan
		* name product publisher
	additional_capabilities: additionalCapabilities
		ultra_ssd_enabled ultraSSDEnabled
	automatic_instance_repair: automaticRepairsPolicy
		action repairAction
		enabled
		grace_period
	automatic_os_upgrade_policy: upgradePolicy.automaticOSUpgradePolicy
		automatic_os_upgrade_enabled enableAutomaticOSUpgrade
		automatic_rollback_enabled disableAutomaticRollback ~negated
		+useRollingUpgradePolicy true
	rolling_upgrade_policy: upgradePolicy.rollingUpgradePolicy
		cross_zone_upgrades_enabled enableCrossZoneUpgrade
		* max_batch_instance_percent max_unhealthy_instance_percent max_unhealthy_upgraded_instance_percent
		maximum_surge_instances_enabled maxSurge =false
		pause_time_between_batches
		prioritize_unhealthy_instances_enabled prioritizeUnhealthyInstances
	capacity_reservation_group_id virtualMachineProfile.capacityReservation.capacityReservationGroup.id
	do_not_run_extensions_on_overprovisioned_machines doNotRunExtensionsOnOverprovisionedVMs  =false
	host_group_id                hostGroup.id
	overprovision                =true
	platform_fault_domain_count
	proximity_placement_group_id proximityPlacementGroup.id
	resilient_vm_creation_enabled resiliencyPolicy.resilientVMCreationPolicy.enabled  =false
	resilient_vm_deletion_enabled resiliencyPolicy.resilientVMDeletionPolicy.enabled  =false
	single_placement_group       =true
	scale_in: scaleInPolicy
		rule rules =["Default"] ~alone
		force_deletion_enabled forceDeletion =false
	spot_restore: spotRestorePolicy
		enabled =false
		timeout restoreTimeout =PT1H
	upgrade_mode                 upgradePolicy.mode  =Manual
	zone_balance
	+orchestrationMode Uniform
`

var (
	linuxProfile   = tabled(strings.Replace(profileRows, "LICENSE", "", 1) + linuxRows + secretRows)
	windowsProfile = tabled(strings.Replace(profileRows, "LICENSE", "license_type", 1) + windowsRows + windowsSecretRows)
)

var scaleSetKinds = map[string]kind{
	"azurerm_linux_virtual_machine_scale_set": {
		arm:   typeScaleSet,
		id:    inGroup(typeScaleSet),
		zonal: true,
		rows:  tabled(scaleSetRows),
		finish: func(v view, doc *arm.Resource) {
			profile := scaleSet(v, doc, linuxProfile, "Linux")
			sshKeys(v, "admin_ssh_key", profile, "osProfile.linuxConfiguration.ssh.publicKeys")
		},
	},
	"azurerm_windows_virtual_machine_scale_set": {
		arm:    typeScaleSet,
		id:     inGroup(typeScaleSet),
		zonal:  true,
		rows:   tabled(scaleSetRows),
		finish: func(v view, doc *arm.Resource) { scaleSet(v, doc, windowsProfile, "Windows") },
	},
	"azurerm_orchestrated_virtual_machine_scale_set": {
		arm:    typeScaleSet,
		id:     inGroup(typeScaleSet),
		zonal:  true,
		rows:   orchestratedRows,
		finish: finishOrchestrated,
	},
	"azurerm_virtual_machine_scale_set": {
		arm:   typeScaleSet,
		id:    inGroup(typeScaleSet),
		zonal: true,
		rows:  legacySetRows,
	},
	"azurerm_virtual_machine_scale_set_extension": {
		arm: typeScaleSet + "/extensions",
		id:  childOf("virtual_machine_scale_set_id", typeScaleSet, "extensions"),
		rows: tabled(`
			auto_upgrade_minor_version  =true
			automatic_upgrade_enabled   enableAutomaticUpgrade  =false
			failure_suppression_enabled suppressFailures        =false
			force_update_tag
			protected_settings ~parsed !secret
			protected_settings_from_key_vault: protectedSettingsFromKeyVault
				secret_url
				source_vault_id sourceVault.id
			* provision_after_extensions publisher type type_handler_version
			settings ~parsed
		`),
	},
}

// scaleSet sets the machines of a set, which it returns.
func scaleSet(v view, doc *arm.Resource, rows table, system string) arm.Object {
	profile := rows.object(v)
	set(profile, "storageProfile.osDisk.osType", system)
	trusted(v, profile)
	if had, ok := doc.Properties["virtualMachineProfile"].(arm.Object); ok {
		profile = overlay(profile, had)
	}
	doc.Properties["virtualMachineProfile"] = profile
	if tier := skuTier(v.json("sku")); tier != nil {
		doc.SKU["tier"] = tier
	}
	return profile
}

var orchestratedRows = tabled(`
	sku_name  /sku.name
	instances /sku.capacity
	plan: /plan
		* name product publisher
	additional_capabilities: additionalCapabilities
		ultra_ssd_enabled ultraSSDEnabled
	automatic_instance_repair: automaticRepairsPolicy
		action repairAction
		enabled
		grace_period
	priority_mix: priorityMixPolicy
		base_regular_count baseRegularPriorityCount =0
		regular_percentage_above_base regularPriorityPercentageAboveBase =0
	rolling_upgrade_policy: upgradePolicy.rollingUpgradePolicy
		cross_zone_upgrades_enabled enableCrossZoneUpgrade
		* max_batch_instance_percent max_unhealthy_instance_percent max_unhealthy_upgraded_instance_percent
		maximum_surge_instances_enabled maxSurge
		pause_time_between_batches
		prioritize_unhealthy_instances_enabled prioritizeUnhealthyInstances
	sku_profile: skuProfile
		allocation_strategy
		virtual_machine_size[]: vmSizes
			* name rank
	platform_fault_domain_count
	proximity_placement_group_id proximityPlacementGroup.id
	single_placement_group
	upgrade_mode upgradePolicy.mode =Manual
	zone_balance
	+orchestrationMode Flexible
`)

var orchestratedProfile = tabled(imageRows + osDiskRows + scaleSetDataRows +
	strings.NewReplacer("INBOUND", "", "SKUNAME", pipSKURow).Replace(scaleSetNetworkRows) + `
	boot_diagnostics: diagnosticsProfile.bootDiagnostics
		+enabled true
		storage_account_uri storageUri
	capacity_reservation_group_id capacityReservation.capacityReservationGroup.id
	encryption_at_host_enabled securityProfile.encryptionAtHost
	eviction_policy
	extensions_time_budget extensionProfile.extensionsTimeBudget =PT1H30M
	extension[]: extensionProfile.extensions
		name
		auto_upgrade_minor_version_enabled properties.autoUpgradeMinorVersion =true
		extensions_to_provision_after_vm_creation properties.provisionAfterExtensions =[]
		failure_suppression_enabled properties.suppressFailures =false
		force_extension_execution_on_change properties.forceUpdateTag
		protected_settings properties.protectedSettings ~parsed !secret
		protected_settings_from_key_vault: properties.protectedSettingsFromKeyVault
			secret_url
			source_vault_id sourceVault.id
		publisher properties.publisher
		settings properties.settings ~parsed
		type properties.type
		type_handler_version properties.typeHandlerVersion
	license_type
	max_bid_price billingProfile.maxPrice
	network_api_version networkProfile.networkApiVersion =2020-11-01
	priority =Regular
	termination_notification: scheduledEventsProfile.terminateNotificationProfile
		enabled enable
		timeout notBeforeTimeout =PT5M
	user_data_base64 userData !secret
	os_profile: osProfile
		custom_data !secret
		linux_configuration: .
			admin_password !secret
			* admin_username computer_name_prefix
			disable_password_authentication linuxConfiguration.disablePasswordAuthentication =true
			patch_assessment_mode linuxConfiguration.patchSettings.assessmentMode =ImageDefault
			patch_mode linuxConfiguration.patchSettings.patchMode =ImageDefault
			provision_vm_agent linuxConfiguration.provisionVMAgent =true
			secret[]: secrets
				key_vault_id sourceVault.id
				certificate[]: vaultCertificates
					url certificateUrl
		windows_configuration: .
			admin_password !secret
			* admin_username computer_name_prefix
			automatic_updates_enabled|enable_automatic_updates windowsConfiguration.enableAutomaticUpdates =true
			hotpatching_enabled windowsConfiguration.patchSettings.enableHotpatching =false
			patch_assessment_mode windowsConfiguration.patchSettings.assessmentMode =ImageDefault
			patch_mode windowsConfiguration.patchSettings.patchMode =AutomaticByOS
			provision_vm_agent windowsConfiguration.provisionVMAgent =true
			timezone windowsConfiguration.timeZone
			additional_unattend_content[]: windowsConfiguration.additionalUnattendContent
				content !secret
				setting settingName
				+componentName Microsoft-Windows-Shell-Setup
				+passName OobeSystem
			secret[]: secrets
				key_vault_id sourceVault.id
				certificate[]: vaultCertificates
					store certificateStore
					url certificateUrl
			winrm_listener[]: windowsConfiguration.winRM.listeners =[]
				* certificate_url protocol
`)

// finishOrchestrated sets the machines of a flexible set, which may have none.
func finishOrchestrated(v view, doc *arm.Resource) {
	if !v.has("sku_name") {
		return
	}
	profile := orchestratedProfile.object(v)
	doc.Properties["virtualMachineProfile"] = profile
	if tier := skuTier(v.json("sku_name")); tier != nil {
		doc.SKU["tier"] = tier
	}
	for _, p := range v.blocks("os_profile") {
		system := "Windows"
		for _, l := range p.blocks("linux_configuration") {
			system = "Linux"
			sshKeys(l, "admin_ssh_key", profile, "osProfile.linuxConfiguration.ssh.publicKeys")
		}
		set(profile, "storageProfile.osDisk.osType", system)
		set(profile, "osProfile.allowExtensionOperations", or(v.json("extension_operations_enabled"), true))
		if arm.String(profile, "osProfile.computerNamePrefix") == "" {
			set(profile, "osProfile.computerNamePrefix", v.json("name"))
		}
	}
}

// regional is a public address's SKU, which the attribute gives as one word.
func regional(v any) any {
	name, tier, _ := strings.Cut(words(v), "_")
	return arm.Object{"name": name, "tier": tier}
}

// legacySetRows are the scale set of azurerm 1, which people still write.
var legacySetRows = tabled(`
	sku: /sku
		* capacity name tier
	plan: /plan
		* name product publisher
	automatic_os_upgrade upgradePolicy.automaticOSUpgradePolicy.enableAutomaticOSUpgrade =false
	upgrade_policy_mode upgradePolicy.mode
	rolling_upgrade_policy: upgradePolicy.rollingUpgradePolicy
		* max_batch_instance_percent max_unhealthy_instance_percent max_unhealthy_upgraded_instance_percent pause_time_between_batches
	overprovision =true
	proximity_placement_group_id proximityPlacementGroup.id
	single_placement_group =true
	eviction_policy virtualMachineProfile.evictionPolicy
	health_probe_id virtualMachineProfile.networkProfile.healthProbe.id
	license_type virtualMachineProfile.licenseType
	priority virtualMachineProfile.priority
	boot_diagnostics: virtualMachineProfile.diagnosticsProfile.bootDiagnostics
		enabled =true
		storage_uri
	extension[]: virtualMachineProfile.extensionProfile.extensions =[]
		name
		auto_upgrade_minor_version properties.autoUpgradeMinorVersion
		protected_settings properties.protectedSettings ~parsed !secret
		provision_after_extensions properties.provisionAfterExtensions
		publisher properties.publisher
		settings properties.settings ~parsed
		type properties.type
		type_handler_version properties.typeHandlerVersion
	network_profile[]: virtualMachineProfile.networkProfile.networkInterfaceConfigurations
		name
		accelerated_networking properties.enableAcceleratedNetworking =false
		ip_forwarding properties.enableIPForwarding =false
		network_security_group_id properties.networkSecurityGroup.id
		primary properties.primary
		dns_settings: properties.dnsSettings
			dns_servers
		ip_configuration[]: properties.ipConfigurations
			name
			application_gateway_backend_address_pool_ids properties.applicationGatewayBackendAddressPools =[] ~references
			application_security_group_ids properties.applicationSecurityGroups =[] ~references
			load_balancer_backend_address_pool_ids properties.loadBalancerBackendAddressPools =[] ~references
			load_balancer_inbound_nat_rules_ids properties.loadBalancerInboundNatPools =[] ~references
			primary properties.primary
			subnet_id properties.subnet.id
			public_ip_address_configuration: properties.publicIPAddressConfiguration
				name
				domain_name_label properties.dnsSettings.domainNameLabel
				idle_timeout properties.idleTimeoutInMinutes
	os_profile: virtualMachineProfile.osProfile
		admin_password !secret
		* admin_username computer_name_prefix
		custom_data ~encoded !secret
	os_profile_linux_config: virtualMachineProfile.osProfile.linuxConfiguration
		disable_password_authentication =false
		ssh_keys[]: ssh.publicKeys
			* key_data path
	os_profile_secrets[]: virtualMachineProfile.osProfile.secrets
		source_vault_id sourceVault.id
		vault_certificates[]: vaultCertificates
			* certificate_store certificate_url
	os_profile_windows_config: virtualMachineProfile.osProfile.windowsConfiguration
		enable_automatic_upgrades enableAutomaticUpdates
		provision_vm_agent provisionVMAgent
		winrm[]: winRM.listeners
			* certificate_url protocol
	storage_profile_data_disk[]: virtualMachineProfile.storageProfile.dataDisks
		* caching create_option lun
		disk_size_gb diskSizeGB
		managed_disk_type managedDisk.storageAccountType
	storage_profile_image_reference: virtualMachineProfile.storageProfile.imageReference
		* id offer publisher sku version
	storage_profile_os_disk: virtualMachineProfile.storageProfile.osDisk
		* caching create_option name os_type vhd_containers
		image image.uri
		managed_disk_type managedDisk.storageAccountType
	+orchestrationMode Uniform
`)
