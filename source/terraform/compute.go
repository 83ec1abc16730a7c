package terraform

import (
	"encoding/json"

	"github.com/cloister-ml/cloister/arm"
)

const (
	typeVM        = "Microsoft.Compute/virtualMachines"
	typeExtension = typeVM + "/extensions"
)

// machineProps are those that Linux and Windows machines share.
var machineProps = []prop{
	attr("size", "hardwareProfile.vmSize"),
	attr("source_image_id", "storageProfile.imageReference.id"),
	attr("source_image_reference.publisher", "storageProfile.imageReference.publisher"),
	attr("source_image_reference.offer", "storageProfile.imageReference.offer"),
	attr("source_image_reference.sku", "storageProfile.imageReference.sku"),
	attr("source_image_reference.version", "storageProfile.imageReference.version"),
	attr("os_disk.name", "storageProfile.osDisk.name"),
	attr("os_disk.caching", "storageProfile.osDisk.caching"),
	attr("os_disk.disk_size_gb", "storageProfile.osDisk.diskSizeGB"),
	attr("os_disk.storage_account_type", "storageProfile.osDisk.managedDisk.storageAccountType"),
	attr("os_disk.disk_encryption_set_id", "storageProfile.osDisk.managedDisk.diskEncryptionSet.id"),
	attr("os_disk.write_accelerator_enabled", "storageProfile.osDisk.writeAcceleratorEnabled").or(false),
	attr("admin_username", "osProfile.adminUsername"),
	attr("admin_password", "osProfile.adminPassword").secret(),
	attr("custom_data", "osProfile.customData").secret(),
	attr("allow_extension_operations", "osProfile.allowExtensionOperations").or(true),
	attr("extensions_time_budget", "extensionsTimeBudget").or("PT1H30M"),
	attr("user_data", "userData"),
	attr("priority", "priority").or("Regular"),
	attr("encryption_at_host_enabled", "securityProfile.encryptionAtHost"),
}

var computeKinds = map[string]kind{
	"azurerm_linux_virtual_machine": {
		arm: typeVM,
		id:  inGroup(typeVM),
		props: append([]prop{
			attr("disable_password_authentication", "osProfile.linuxConfiguration.disablePasswordAuthentication").or(true),
			attr("provision_vm_agent", "osProfile.linuxConfiguration.provisionVMAgent").or(true),
			attr("patch_mode", "osProfile.linuxConfiguration.patchSettings.patchMode").or("ImageDefault"),
			attr("patch_assessment_mode", "osProfile.linuxConfiguration.patchSettings.assessmentMode").or("ImageDefault"),
		}, machineProps...),
		finish: func(v view, doc *arm.Resource) {
			machine(v, doc, "Linux")
			var keys []any
			for _, k := range v.blocks("admin_ssh_key") {
				keys = append(keys, arm.Object{"path": "/home/" + k.symbol("username") + "/.ssh/authorized_keys", "keyData": k.json("public_key")})
			}
			if keys != nil {
				set(doc.Properties, "osProfile.linuxConfiguration.ssh.publicKeys", keys)
			}
		},
	},
	"azurerm_windows_virtual_machine": {
		arm: typeVM,
		id:  inGroup(typeVM),
		props: append([]prop{
			attr("provision_vm_agent", "osProfile.windowsConfiguration.provisionVMAgent").or(true),
			attr("enable_automatic_updates", "osProfile.windowsConfiguration.enableAutomaticUpdates").or(true),
			attr("automatic_updates_enabled", "osProfile.windowsConfiguration.enableAutomaticUpdates"),
			attr("timezone", "osProfile.windowsConfiguration.timeZone"),
		}, machineProps...),
		finish: func(v view, doc *arm.Resource) { machine(v, doc, "Windows") },
	},
	"azurerm_virtual_machine_extension": {
		arm: typeExtension,
		id:  childOf("virtual_machine_id", typeVM, "extensions"),
		props: []prop{
			attr("publisher", "publisher"),
			attr("type", "type"),
			attr("type_handler_version", "typeHandlerVersion"),
			attr("auto_upgrade_minor_version", "autoUpgradeMinorVersion").or(false),
			attr("automatic_upgrade_enabled", "enableAutomaticUpgrade").or(false),
			attr("failure_suppression_enabled", "suppressFailures").or(false),
			attr("protected_settings", "protectedSettings").secret().as(parsed),
		},
		finish: func(v view, doc *arm.Resource) {
			if s := v.encoded("settings"); s != nil {
				doc.Properties["settings"] = s
			}
		},
		effect: likeParent("virtual_machine_id", typeVM),
	},
}

// machine completes what the two kinds of machine share.
func machine(v view, doc *arm.Resource, system string) {
	set(doc.Properties, "storageProfile.osDisk.createOption", "FromImage")
	set(doc.Properties, "storageProfile.osDisk.osType", system)
	diagnostics := arm.Object{"enabled": len(v.blocks("boot_diagnostics")) > 0, "storageUri": or(v.json("boot_diagnostics.storage_account_uri"), "")}
	set(doc.Properties, "diagnosticsProfile.bootDiagnostics", diagnostics)
	name := v.json("computer_name")
	if name == nil {
		name = v.json("name")
	}
	set(doc.Properties, "osProfile.computerName", name)
	nics := v.json("network_interface_ids")
	if list, ok := nics.([]any); ok {
		interfaces := make([]any, len(list))
		for i, id := range list {
			interfaces[i] = arm.Object{"id": id, "properties": arm.Object{"primary": i == 0}}
		}
		nics = interfaces
	}
	set(doc.Properties, "networkProfile.networkInterfaces", nics)
}

// parsed is a string of JSON as what it says. A string that is none stays one,
// for Azure to refuse.
func parsed(v any) any {
	s, ok := v.(string)
	if !ok {
		return v
	}
	var o arm.Object
	if err := json.Unmarshal([]byte(s), &o); err != nil {
		return v
	}
	return o
}
