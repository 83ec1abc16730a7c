package terraform

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/cloister-ml/cloister/arm"
)

const (
	typeVM        = "Microsoft.Compute/virtualMachines"
	typeExtension = typeVM + "/extensions"
	typeDisk      = "Microsoft.Compute/disks"
)

const (
	// imageRows are the image that a disk is made of.
	imageRows = `
	source_image_id storageProfile.imageReference.id
	source_image_reference: storageProfile.imageReference
		* publisher offer sku version
`
	// osDiskRows are a machine's system disk.
	osDiskRows = `
	os_disk: storageProfile.osDisk
		* caching
		name
		disk_size_gb               diskSizeGB
		storage_account_type       managedDisk.storageAccountType
		disk_encryption_set_id     managedDisk.diskEncryptionSet.id
		secure_vm_disk_encryption_set_id managedDisk.securityProfile.diskEncryptionSet.id
		security_encryption_type   managedDisk.securityProfile.securityEncryptionType
		write_accelerator_enabled  =false
		diff_disk_settings: diffDiskSettings
			option
			placement =CacheDisk
		+createOption FromImage
`
	// applicationRows and secretRows go with Linux and Windows, machines and scale
	// sets alike.
	secretRows = `
	secret[]: osProfile.secrets =[]
		key_vault_id sourceVault.id
		certificate[]: vaultCertificates
			url certificateUrl
	`
	windowsSecretRows = `
	secret[]: osProfile.secrets =[]
		key_vault_id sourceVault.id
		certificate[]: vaultCertificates
			store certificateStore
			url   certificateUrl
	`
	windowsRows = `
	additional_unattend_content[]: osProfile.windowsConfiguration.additionalUnattendContent
		content !secret
		setting settingName
		+componentName Microsoft-Windows-Shell-Setup
		+passName OobeSystem
	winrm_listener[]: osProfile.windowsConfiguration.winRM.listeners =[]
		* certificate_url protocol
	timezone osProfile.windowsConfiguration.timeZone
	automatic_updates_enabled|enable_automatic_updates osProfile.windowsConfiguration.enableAutomaticUpdates =true
	provision_vm_agent osProfile.windowsConfiguration.provisionVMAgent =true
	`
	linuxRows = `
	disable_password_authentication osProfile.linuxConfiguration.disablePasswordAuthentication  =true
	provision_vm_agent              osProfile.linuxConfiguration.provisionVMAgent               =true
	`
	// machineRows are those that Linux and Windows machines share.
	machineRows = imageRows + osDiskRows + `
	additional_capabilities: additionalCapabilities
		hibernation_enabled
		ultra_ssd_enabled ultraSSDEnabled
	admin_password               osProfile.adminPassword !secret
	admin_username               osProfile.adminUsername
	allow_extension_operations   osProfile.allowExtensionOperations  =true
	availability_set_id          availabilitySet.id
	+diagnosticsProfile.bootDiagnostics.enabled false
	boot_diagnostics: diagnosticsProfile.bootDiagnostics
		+enabled true
		storage_account_uri storageUri
	capacity_reservation_group_id capacityReservation.capacityReservationGroup.id
	computer_name|name           osProfile.computerName
	custom_data                  osProfile.customData !secret
	dedicated_host_group_id      hostGroup.id
	dedicated_host_id            host.id
	disk_controller_type         storageProfile.diskControllerType
	encryption_at_host_enabled   securityProfile.encryptionAtHost
	eviction_policy
	extensions_time_budget       =PT1H30M
	gallery_application[]: applicationProfile.galleryApplications
		automatic_upgrade_enabled  enableAutomaticUpgrade =false
		configuration_blob_uri     configurationReference
		order                      =0
		tag                        tags
		treat_failure_as_deployment_failure_enabled treatFailureAsDeploymentFailure =false
		version_id                 packageReferenceId
	license_type
	max_bid_price                billingProfile.maxPrice
	os_image_notification: scheduledEventsProfile.osImageNotificationProfile
		timeout notBeforeTimeout =PT15M
		+enable true
	termination_notification: scheduledEventsProfile.terminateNotificationProfile
		enabled enable
		timeout notBeforeTimeout =PT5M
	plan: /plan
		* name product publisher
	platform_fault_domain
	priority                     =Regular
	proximity_placement_group_id proximityPlacementGroup.id
	+storageProfile.dataDisks []
	size                         hardwareProfile.vmSize
	user_data
	virtual_machine_scale_set_id virtualMachineScaleSet.id
`
)

var computeKinds = map[string]kind{
	"azurerm_linux_virtual_machine": {
		arm:   typeVM,
		id:    inGroup(typeVM),
		zonal: true,
		rows: tabled(machineRows, linuxRows, secretRows, `
			patch_mode                osProfile.linuxConfiguration.patchSettings.patchMode       =ImageDefault
			patch_assessment_mode     osProfile.linuxConfiguration.patchSettings.assessmentMode  =ImageDefault
			reboot_setting            osProfile.linuxConfiguration.patchSettings.automaticByPlatformSettings.rebootSetting
			bypass_platform_safety_checks_on_user_schedule_enabled osProfile.linuxConfiguration.patchSettings.automaticByPlatformSettings.bypassPlatformSafetyChecksOnUserSchedule
		`),
		decide: decideMachine,
		finish: func(v view, doc *arm.Resource) {
			machine(v, doc, "Linux")
			sshKeys(v, "admin_ssh_key", doc.Properties, "osProfile.linuxConfiguration.ssh.publicKeys")
		},
	},
	"azurerm_windows_virtual_machine": {
		arm:   typeVM,
		id:    inGroup(typeVM),
		zonal: true,
		rows: tabled(machineRows, windowsRows, windowsSecretRows, `
			patch_mode                osProfile.windowsConfiguration.patchSettings.patchMode
			patch_assessment_mode     osProfile.windowsConfiguration.patchSettings.assessmentMode
			hotpatching_enabled       osProfile.windowsConfiguration.patchSettings.enableHotpatching  =false
			reboot_setting            osProfile.windowsConfiguration.patchSettings.automaticByPlatformSettings.rebootSetting
			bypass_platform_safety_checks_on_user_schedule_enabled osProfile.windowsConfiguration.patchSettings.automaticByPlatformSettings.bypassPlatformSafetyChecksOnUserSchedule
		`),
		decide: decideMachine,
		finish: func(v view, doc *arm.Resource) { machine(v, doc, "Windows") },
	},
	"azurerm_virtual_machine": {
		arm:    typeVM,
		id:     inGroup(typeVM),
		zonal:  true,
		rows:   legacyRows,
		finish: finishLegacy,
	},
	"azurerm_virtual_machine_extension": {
		arm: typeExtension,
		id:  childOf("virtual_machine_id", typeVM, "extensions"),
		rows: tabled(`
			auto_upgrade_minor_version   =false
			automatic_upgrade_enabled    enableAutomaticUpgrade  =false
			failure_suppression_enabled  suppressFailures        =false
			protected_settings           ~parsed !secret
			protected_settings_from_key_vault: protectedSettingsFromKeyVault
				secret_url
				source_vault_id sourceVault.id
			provision_after_extensions
			publisher
			settings ~parsed
			type
			type_handler_version
		`),
		effect: likeParent("virtual_machine_id", typeVM),
	},
	"azurerm_virtual_machine_run_command": {
		arm: typeVM + "/runCommands",
		id:  childOf("virtual_machine_id", typeVM, "runCommands"),
		rows: tabled(`
			* error_blob_uri output_blob_uri run_as_user
			run_as_password !secret
			error_blob_managed_identity: errorBlobManagedIdentity
				* client_id object_id
			output_blob_managed_identity: outputBlobManagedIdentity
				* client_id object_id
			parameter[]: parameters
				* name value
			protected_parameter[]: protectedParameters
				name
				value !secret
			source: source
				* command_id script script_uri
				script_uri_managed_identity: scriptUriManagedIdentity
					* client_id object_id
			+asyncExecution false
			+timeoutInSeconds 1800
			+treatFailureAsDeploymentFailure true
		`),
	},
	"azurerm_dev_test_global_vm_shutdown_schedule": {
		arm: "Microsoft.DevTestLab/schedules",
		id: func(v view) arm.ID {
			vm := v.id("virtual_machine_id", typeVM)
			return vm.Group().Extension("Microsoft.DevTestLab", "schedules", "shutdown-computevm-"+vm.Name())
		},
		rows: tabled(`
			daily_recurrence_time dailyRecurrence.time
			enabled               status  =Enabled ~toggled
			timezone              timeZoneId
			virtual_machine_id    targetResourceId
			notification_settings: notificationSettings
				email            emailRecipient
				enabled          status ~toggled
				time_in_minutes  =30
				webhook_url
			+taskType ComputeVmShutdownTask
		`),
	},
}

// legacyRows are the machine of azurerm 1, which people still write.
var legacyRows = tabled(`
	additional_capabilities: additionalCapabilities
		ultra_ssd_enabled ultraSSDEnabled
	availability_set_id availabilitySet.id
	boot_diagnostics: diagnosticsProfile.bootDiagnostics
		enabled
		storage_uri
	license_type
	proximity_placement_group_id proximityPlacementGroup.id
	vm_size hardwareProfile.vmSize
	plan: /plan
		* name product publisher
	os_profile: osProfile
		admin_password !secret
		* admin_username computer_name
		custom_data ~encoded !secret
	os_profile_linux_config: osProfile.linuxConfiguration
		disable_password_authentication
		ssh_keys[]: ssh.publicKeys
			* key_data path
	os_profile_secrets[]: osProfile.secrets
		source_vault_id sourceVault.id
		vault_certificates[]: vaultCertificates
			* certificate_store certificate_url
	os_profile_windows_config: osProfile.windowsConfiguration
		enable_automatic_upgrades enableAutomaticUpdates =false
		provision_vm_agent provisionVMAgent =false
		timezone timeZone
		additional_unattend_config[]: additionalUnattendContent
			component componentName
			content !secret
			pass passName
			setting_name
		winrm[]: winRM.listeners
			* certificate_url protocol
	storage_image_reference: storageProfile.imageReference
		* id offer publisher sku version
	storage_os_disk: storageProfile.osDisk
		* caching create_option name os_type
		disk_size_gb      diskSizeGB
		image_uri         image.uri
		managed_disk_id   managedDisk.id
		managed_disk_type managedDisk.storageAccountType
		vhd_uri           vhd.uri
		write_accelerator_enabled =false
	storage_data_disk[]: storageProfile.dataDisks
		* caching create_option lun name
		disk_size_gb      diskSizeGB
		managed_disk_id   managedDisk.id
		managed_disk_type managedDisk.storageAccountType
		vhd_uri           vhd.uri
		write_accelerator_enabled =false
`)

func finishLegacy(v view, doc *arm.Resource) {
	primary := v.json("primary_network_interface_id")
	interfaces(v, doc, func(_ int, id any) bool { return primary != nil && id == primary })
}

// machine completes what the two kinds of machine share.
func machine(v view, doc *arm.Resource, system string) {
	if v.has("os_managed_disk_id") && !v.has("source_image_id") && len(v.blocks("source_image_reference")) == 0 {
		set(doc.Properties, "storageProfile.osDisk.createOption", "Attach")
		set(doc.Properties, "storageProfile.osDisk.managedDisk.id", v.json("os_managed_disk_id"))
		delete(doc.Properties, "osProfile")
	}
	set(doc.Properties, "storageProfile.osDisk.osType", system)
	storage, _ := arm.Lookup(doc.Properties, "diagnosticsProfile.bootDiagnostics.storageUri")
	set(doc.Properties, "diagnosticsProfile.bootDiagnostics.storageUri", or(storage, ""))
	trusted(v, doc.Properties)
	interfaces(v, doc, func(i int, _ any) bool { return i == 0 })
}

// trusted sets a machine's security type, which follows from what it asks for.
func trusted(v view, props arm.Object) {
	for attribute, to := range map[string]string{"secure_boot_enabled": "secureBootEnabled", "vtpm_enabled": "vTpmEnabled"} {
		if val := v.json(attribute); val != nil && val != false {
			set(props, "securityProfile.uefiSettings."+to, val)
			set(props, "securityProfile.securityType", "TrustedLaunch")
		}
	}
	if v.has("os_disk.security_encryption_type") {
		set(props, "securityProfile.securityType", "ConfidentialVM")
	}
}

// interfaces sets a machine's network interfaces, of which one is primary.
func interfaces(v view, doc *arm.Resource, primary func(i int, id any) bool) {
	nics := v.json("network_interface_ids")
	if list, ok := nics.([]any); ok {
		all := make([]any, len(list))
		for i, id := range list {
			all[i] = arm.Object{"id": id, "properties": arm.Object{"primary": primary(i, id)}}
		}
		nics = all
	}
	set(doc.Properties, "networkProfile.networkInterfaces", nics)
}

// sshKeys are the keys that may log in, each with the file that it is put in.
func sshKeys(v view, block string, props arm.Object, to string) {
	var keys []any
	for _, k := range v.blocks(block) {
		keys = append(keys, arm.Object{"path": "/home/" + k.symbol("username") + "/.ssh/authorized_keys", "keyData": k.json("public_key")})
	}
	if keys != nil {
		set(props, to, keys)
	}
}

// decideMachine is the id that Azure gives a machine.
func decideMachine(v view, id arm.ID) map[string]cty.Value {
	out := texts("virtual_machine_id", arm.StableGUID(id, "vmId"))
	if !v.has("computer_name") {
		out["computer_name"] = v.value("name")
	}
	return out
}

// parsed is a string of JSON as what it says. A string that is none stays one,
// for Azure to refuse.
func parsed(v any) any {
	s, ok := v.(string)
	if !ok {
		return v
	}
	var out any
	if err := json.Unmarshal([]byte(s), &out); err != nil {
		return v
	}
	switch out.(type) {
	case map[string]any, []any:
		return out
	}
	return v
}

// encoded is text in base64, which text that is already in it stays.
func encoded(v any) any {
	s, ok := v.(string)
	if !ok {
		return v
	}
	if _, err := base64.StdEncoding.DecodeString(strings.TrimSpace(s)); err == nil {
		return s
	}
	return base64.StdEncoding.EncodeToString([]byte(s))
}
