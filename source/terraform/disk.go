package terraform

import (
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

const typeEncryptionSet = "Microsoft.Compute/diskEncryptionSets"

const diskEncryptionRows = `
	encryption_settings: encryptionSettingsCollection
		+enabled true
`

var diskKinds = map[string]kind{
	"azurerm_managed_disk": {
		arm:   typeDisk,
		id:    inGroup(typeDisk),
		zonal: true,
		rows: tabled(`
			storage_account_type             /sku.name
			create_option                    creationData.createOption
			gallery_image_reference_id       creationData.galleryImageReference.id
			image_reference_id               creationData.imageReference.id
			logical_sector_size              creationData.logicalSectorSize
			performance_plus_enabled         creationData.performancePlus  =false
			source_resource_id               creationData.sourceResourceId
			source_uri                       creationData.sourceUri
			storage_account_id               creationData.storageAccountId
			upload_size_bytes                creationData.uploadSizeBytes
			disk_access_id
			+encryption.type EncryptionAtRestWithPlatformKey
			disk_encryption_set_id           encryption.diskEncryptionSetId
			disk_iops_read_only              diskIOPSReadOnly
			disk_iops_read_write             diskIOPSReadWrite
			disk_mbps_read_only              diskMBpsReadOnly
			disk_mbps_read_write             diskMBpsReadWrite
			disk_size_gb                     diskSizeGB
			hyper_v_generation               hyperVGeneration
			max_shares
			network_access_policy            =AllowAll
			on_demand_bursting_enabled       burstingEnabled
			optimized_frequent_attach_enabled optimizedForFrequentAttach  =false
			os_type
			public_network_access_enabled    publicNetworkAccess  =Enabled ~toggled
			secure_vm_disk_encryption_set_id securityProfile.secureVMDiskEncryptionSetId
			security_type                    securityProfile.securityType
			tier
		`, diskEncryptionRows),
		finish: func(v view, doc *arm.Resource) {
			if v.has("disk_encryption_set_id") {
				set(doc.Properties, "encryption.type", "EncryptionAtRestWithCustomerKey")
			}
			if v.flag("trusted_launch_enabled", false) {
				set(doc.Properties, "securityProfile.securityType", "TrustedLaunch")
			}
			encryptionKeys(v, doc)
		},
		effect: func(v view, id arm.ID, b *builder) {
			set := v.id("disk_encryption_set_id", typeEncryptionSet)
			b.settle(v, set, func(s *arm.Resource) { // a disk is encrypted as its set says
				if disk := b.docs[id.Key()]; disk != nil && v.has("disk_encryption_set_id") {
					disk.Properties["encryption"].(arm.Object)["type"] = s.Properties["encryptionType"]
				}
			})
		},
	},
	"azurerm_snapshot": {
		arm: "Microsoft.Compute/snapshots",
		id:  inGroup("Microsoft.Compute/snapshots"),
		rows: tabled(`
			create_option      creationData.createOption
			source_resource_id creationData.sourceResourceId
			source_uri         creationData.sourceUri
			storage_account_id creationData.storageAccountId
			disk_access_id
			disk_size_gb       diskSizeGB
			incremental_enabled incremental =false
			network_access_policy =AllowAll
			public_network_access_enabled publicNetworkAccess =Enabled ~toggled
			+encryptionSettingsCollection.enabled false
		`, diskEncryptionRows),
		finish: encryptionKeys,
	},
	"azurerm_virtual_machine_data_disk_attachment": {
		effect: func(v view, _ arm.ID, b *builder) {
			disk := v.id("managed_disk_id", typeDisk)
			b.change(v, v.id("virtual_machine_id", typeVM), func(doc *arm.Resource) {
				o := attachmentRows.object(v)
				o["name"] = disk.Name()
				if d := b.docs[disk.Key()]; d != nil {
					set(o, "managedDisk.storageAccountType", arm.String(d.SKU, "name"))
				}
				profile, _ := doc.Properties["storageProfile"].(arm.Object)
				if profile == nil {
					profile = arm.Object{}
					doc.Properties["storageProfile"] = profile
				}
				list, _ := profile["dataDisks"].([]any)
				profile["dataDisks"] = append(list, o)
			})
		},
	},
	"azurerm_disk_encryption_set": {
		arm: typeEncryptionSet,
		id:  inGroup(typeEncryptionSet),
		rows: tabled(`
			key_vault_key_id|managed_hsm_key_id activeKey.keyUrl
			encryption_type            =EncryptionAtRestWithCustomerKey
			auto_key_rotation_enabled  rotationToLatestKeyVersionEnabled  =false
			federated_client_id
		`),
		effect: func(v view, id arm.ID, b *builder) { b.keyVault(v, id, "activeKey.keyUrl", "activeKey.sourceVault.id") },
	},
	"azurerm_disk_access": {
		arm: "Microsoft.Compute/diskAccesses",
		id:  inGroup("Microsoft.Compute/diskAccesses"),
	},
}

var attachmentRows = tabled(`
	caching
	create_option   =Attach
	lun
	managed_disk_id managedDisk.id
	write_accelerator_enabled =false
`)

// encryptionKeys are the keys of a disk that the machine's own system encrypts.
func encryptionKeys(v view, doc *arm.Resource) {
	var list []any
	for _, e := range v.blocks("encryption_settings") {
		list = append(list, tabled(`
			disk_encryption_key: diskEncryptionKey
				* secret_url
				source_vault_id sourceVault.id
			key_encryption_key: keyEncryptionKey
				* key_url
				source_vault_id sourceVault.id
		`).object(e))
	}
	if list != nil {
		set(doc.Properties, "encryptionSettingsCollection.encryptionSettings", list)
	}
}

const galleryType = "Microsoft.Compute/galleries"

var imageKinds = map[string]kind{
	"azurerm_image": {
		arm: "Microsoft.Compute/images",
		id:  inGroup("Microsoft.Compute/images"),
		rows: tabled(`
			hyper_v_generation =V1
			source_virtual_machine_id sourceVirtualMachine.id
			os_disk: storageProfile.osDisk
				* blob_uri caching os_state os_type
				disk_encryption_set_id diskEncryptionSet.id
				managed_disk_id managedDisk.id
				size_gb diskSizeGB
				storage_type storageAccountType
			data_disk[]: storageProfile.dataDisks
				* blob_uri caching lun
				disk_encryption_set_id diskEncryptionSet.id
				managed_disk_id managedDisk.id
				size_gb diskSizeGB
				storage_type storageAccountType
		`),
		finish: func(v view, doc *arm.Resource) {
			if !v.has("source_virtual_machine_id") {
				set(doc.Properties, "storageProfile.zoneResilient", or(v.json("zone_resilient"), false))
			}
		},
	},
	"azurerm_shared_image_gallery": {
		arm: galleryType,
		id:  inGroup(galleryType),
		rows: tabled(`
			description
			sharing: sharingProfile
				permission permissions
				community_gallery: communityGalleryInfo
					* eula publisher_uri
					prefix publicNamePrefix
					publisher_email publisherContact
		`),
	},
	"azurerm_shared_image": {
		arm: galleryType + "/images",
		id:  under(galleryType, "gallery_name", "images"),
		rows: tabled(`
			architecture =x64
			* description end_of_life_date eula os_type privacy_statement_uri release_note_uri
			disk_types_not_allowed disallowed.diskTypes
			hyper_v_generation hyperVGeneration =V1
			max_recommended_memory_in_gb recommended.memory.max
			min_recommended_memory_in_gb recommended.memory.min
			max_recommended_vcpu_count recommended.vCPUs.max
			min_recommended_vcpu_count recommended.vCPUs.min
			specialized osState =Generalized ~osState
			identifier: identifier
				* offer publisher sku
			purchase_plan: purchasePlan
				* name product publisher
		`),
		finish: imageFeatures,
	},
	"azurerm_shared_image_version": {
		arm: galleryType + "/images/versions",
		id: func(v view) arm.ID {
			return arm.ResourceID(v.subscription, v.symbol("resource_group_name"), galleryType, v.symbol("gallery_name")).
				Child("images", v.symbol("image_name")).Child("versions", v.symbol("name"))
		},
		rows: tabled(`
			end_of_life_date publishingProfile.endOfLifeDate
			exclude_from_latest publishingProfile.excludeFromLatest =false
			replication_mode publishingProfile.replicationMode =Full
			target_region[]: publishingProfile.targetRegions
				name
				regional_replica_count
				exclude_from_latest_enabled excludeFromLatest =false
				storage_account_type =Standard_LRS
				disk_encryption_set_id encryption.osDiskImage.diskEncryptionSetId
			deletion_of_replicated_locations_enabled safetyProfile.allowDeletionOfReplicatedLocations =false
			managed_image_id storageProfile.source.id
			os_disk_snapshot_id storageProfile.osDiskImage.source.id
			blob_uri storageProfile.osDiskImage.source.uri
			storage_account_id storageProfile.osDiskImage.source.storageAccountId
		`),
	},
	"azurerm_gallery_application": {
		arm: galleryType + "/applications",
		id:  childOf("gallery_id", galleryType, "applications"),
		rows: tabled(`
			* description end_of_life_date eula privacy_statement_uri release_note_uri
			supported_os_type supportedOSType
		`),
	},
	"azurerm_ssh_public_key": {
		arm: "Microsoft.Compute/sshPublicKeys",
		id:  inGroup("Microsoft.Compute/sshPublicKeys"),
		rows: tabled(`
			public_key
		`),
	},
}

// imageFeatures are the features of an image, which are a list of names.
func imageFeatures(v view, doc *arm.Resource) {
	var list []any
	for _, f := range []struct{ attribute, name, value string }{
		{"accelerated_network_support_enabled", "IsAcceleratedNetworkSupported", "true"},
		{"disk_controller_type_nvme_enabled", "DiskControllerTypes", "SCSI, NVMe"},
		{"trusted_launch_supported", "SecurityType", "TrustedLaunchSupported"},
		{"trusted_launch_enabled", "SecurityType", "TrustedLaunch"},
		{"confidential_vm_supported", "SecurityType", "ConfidentialVmSupported"},
		{"confidential_vm_enabled", "SecurityType", "ConfidentialVM"},
		{"hibernation_enabled", "IsHibernateSupported", "true"},
	} {
		if v.flag(f.attribute, false) {
			list = append(list, arm.Object{"name": f.name, "value": f.value})
		}
	}
	if list != nil {
		doc.Properties["features"] = list
	}
}

var placementKinds = map[string]kind{
	"azurerm_availability_set": {
		arm: "Microsoft.Compute/availabilitySets",
		id:  inGroup("Microsoft.Compute/availabilitySets"),
		rows: tabled(`
			managed /sku.name =Aligned ~aligned
			platform_fault_domain_count  =3
			platform_update_domain_count =5
			proximity_placement_group_id proximityPlacementGroup.id
		`),
	},
	"azurerm_proximity_placement_group": {
		arm:   "Microsoft.Compute/proximityPlacementGroups",
		id:    inGroup("Microsoft.Compute/proximityPlacementGroups"),
		zonal: true,
		rows: tabled(`
			allowed_vm_sizes intent.vmSizes
		`),
	},
	"azurerm_dedicated_host_group": {
		arm:   "Microsoft.Compute/hostGroups",
		id:    inGroup("Microsoft.Compute/hostGroups"),
		zonal: true,
		rows: tabled(`
			automatic_placement_enabled supportAutomaticPlacement =false
			platform_fault_domain_count
		`),
	},
	"azurerm_dedicated_host": {
		arm: "Microsoft.Compute/hostGroups/hosts",
		id:  childOf("dedicated_host_group_id", "Microsoft.Compute/hostGroups", "hosts"),
		rows: tabled(`
			sku_name /sku.name
			auto_replace_on_failure =true
			license_type =None
			platform_fault_domain
		`),
	},
	"azurerm_capacity_reservation_group": {
		arm:   "Microsoft.Compute/capacityReservationGroups",
		id:    inGroup("Microsoft.Compute/capacityReservationGroups"),
		zonal: true,
	},
	"azurerm_capacity_reservation": {
		arm:   "Microsoft.Compute/capacityReservationGroups/capacityReservations",
		id:    childOf("capacity_reservation_group_id", "Microsoft.Compute/capacityReservationGroups", "capacityReservations"),
		zonal: true,
		rows: tabled(`
			sku: /sku
				* capacity name
		`),
		effect: likeParent("capacity_reservation_group_id", "Microsoft.Compute/capacityReservationGroups"),
	},
	"azurerm_maintenance_configuration": {
		arm: "Microsoft.Maintenance/maintenanceConfigurations",
		id:  inGroup("Microsoft.Maintenance/maintenanceConfigurations"),
		rows: tabled(`
			properties extensionProperties
			in_guest_user_patch_mode extensionProperties.InGuestPatchMode
			scope maintenanceScope
			visibility =Custom
			install_patches: installPatches
				reboot rebootSetting
				linux: linuxParameters
					* classifications_to_include
					package_names_mask_to_exclude packageNameMasksToExclude
					package_names_mask_to_include packageNameMasksToInclude
				windows: windowsParameters
					* classifications_to_include kb_numbers_to_exclude kb_numbers_to_include
			window: maintenanceWindow
				* duration expiration_date_time recur_every start_date_time time_zone
			+namespace Microsoft.Maintenance
		`),
	},
}

// skuTier is the tier that a machine size's name begins with.
func skuTier(size any) any {
	if s, ok := size.(string); ok {
		if tier, _, ok := strings.Cut(s, "_"); ok {
			return tier
		}
	}
	return nil
}
