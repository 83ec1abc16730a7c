package terraform

import (
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
)

const (
	typeBlobService = service.TypeStorageAccount + "/blobServices"
	typeFileService = service.TypeStorageAccount + "/fileServices"
	typeContainer   = typeBlobService + "/containers"
	typeShare       = typeFileService + "/shares"
	typeQueue       = service.TypeStorageAccount + "/queueServices/queues"
	typeTable       = service.TypeStorageAccount + "/tableServices/tables"
)

// inService is the id of what lies in one of an account's services.
func inService(serviceName, typ string) func(view) arm.ID {
	return func(v view) arm.ID {
		return accountOf(v).Child(serviceName, "default").Child(typ, v.symbol("name"))
	}
}

const aclRows = `
	acl[]: signedIdentifiers
		id
		access_policy: accessPolicy
			expiry      expiryTime
			permissions permission
			start       startTime
`

// What an account holds. Blobs, files, table entities and paths are data, which
// the account's own hosts take and Resource Manager never sees: they have an id in
// an estate, below their container, so that they can be named.
var storageDataKinds = map[string]kind{
	"azurerm_storage_container": {
		arm: typeContainer,
		id:  inService("blobServices", "containers"),
		rows: tabled(`
			container_access_type             publicAccess  =None ~publicAccess
			default_encryption_scope
			encryption_scope_override_enabled denyEncryptionScopeOverride ~negated
			metadata
		`),
		decide: dataPlane("blob"),
		finish: func(v view, doc *arm.Resource) {
			if !v.has("default_encryption_scope") {
				delete(doc.Properties, "denyEncryptionScopeOverride")
			}
		},
	},
	"azurerm_storage_share": {
		arm: typeShare,
		id:  inService("fileServices", "shares"),
		rows: tabled(aclRows, `
			access_tier
			enabled_protocol enabledProtocols =SMB
			metadata
			quota shareQuota
		`),
		decide: dataPlane("file"),
	},
	"azurerm_storage_queue": {
		arm:    typeQueue,
		id:     inService("queueServices", "queues"),
		rows:   tabled(`metadata`),
		decide: dataPlane("queue"),
	},
	"azurerm_storage_table": {
		arm:    typeTable,
		id:     inService("tableServices", "tables"),
		rows:   tabled(aclRows),
		decide: dataPlane("table"),
	},
	"azurerm_storage_data_lake_gen2_filesystem": {
		arm: typeContainer,
		id:  inService("blobServices", "containers"),
		rows: tabled(`
			properties               metadata
			default_encryption_scope
			+publicAccess None
		`),
		decide: dataPlane("dfs"),
	},
	"azurerm_storage_data_lake_gen2_path": {},
	"azurerm_storage_blob":                {},
	"azurerm_storage_share_directory":     {},
	"azurerm_storage_share_file":          {},
	"azurerm_storage_table_entity":        {},
	"azurerm_storage_account_queue_properties": {
		effect: func(v view, _ arm.ID, b *builder) {
			id := accountOf(v).Child("queueServices", "default")
			b.child(v, id.Type(), id, queueServiceRows.object(v))
		},
	},
	"azurerm_storage_account_static_website": {
		effect: func(v view, _ arm.ID, b *builder) {
			b.settle(v, accountOf(v), func(doc *arm.Resource) {
				site := tabled("+enabled true\nindex_document\nerror_404_document errorDocument404Path").object(v)
				doc.Properties["staticWebsite"] = site
			})
		},
	},
	"azurerm_storage_management_policy": {
		arm:  service.TypeStorageAccount + "/managementPolicies",
		id:   defaultChild("managementPolicies"),
		rows: lifecycleRows,
	},
	"azurerm_storage_encryption_scope": {
		arm: service.TypeStorageAccount + "/encryptionScopes",
		id:  childOf("storage_account_id", service.TypeStorageAccount, "encryptionScopes"),
		rows: tabled(`
			infrastructure_encryption_required requireInfrastructureEncryption
			key_vault_key_id keyVaultProperties.keyUri
			source
			+state Enabled
		`),
	},
	"azurerm_storage_account_local_user": {
		arm: service.TypeStorageAccount + "/localUsers",
		id:  childOf("storage_account_id", service.TypeStorageAccount, "localUsers"),
		rows: tabled(`
			home_directory
			ssh_key_enabled hasSshKey =false
			ssh_password_enabled hasSshPassword =false
			ssh_authorized_key[]: sshAuthorizedKeys
				* description key
		`),
		finish: func(v view, doc *arm.Resource) {
			var scopes []any
			for _, s := range v.blocks("permission_scope") {
				letters := ""
				for _, p := range []string{"read", "write", "delete", "list", "create"} {
					if s.flag("permissions."+p, false) {
						letters += p[:1]
					}
				}
				scopes = append(scopes, arm.Object{"permissions": letters, "resourceName": s.json("resource_name"), "service": s.json("service")})
			}
			if scopes != nil {
				doc.Properties["permissionScopes"] = scopes
			}
		},
	},
	"azurerm_storage_blob_inventory_policy": {
		arm: service.TypeStorageAccount + "/inventoryPolicies",
		id:  defaultChild("inventoryPolicies"),
		rows: tabled(`
			+policy.enabled true
			+policy.type Inventory
			rules[]: policy.rules
				+enabled true
				name
				storage_container_name destination
				format        definition.format
				schedule      definition.schedule
				schema_fields definition.schemaFields
				scope         definition.objectType
				filter: definition.filters
					blob_types
					exclude_prefixes excludePrefix
					prefix_match
					include_blob_versions =false
					include_deleted =false
					include_snapshots =false
		`),
	},
	"azurerm_storage_container_immutability_policy": {
		arm: typeContainer + "/immutabilityPolicies",
		id: func(v view) arm.ID {
			return v.id("storage_container_resource_manager_id", typeContainer).Child("immutabilityPolicies", "default")
		},
		rows: tabled(`
			immutability_period_in_days immutabilityPeriodSinceCreationInDays
			protected_append_writes_all_enabled allowProtectedAppendWritesAll =false
			protected_append_writes_enabled allowProtectedAppendWrites =false
		`),
	},
	"azurerm_storage_object_replication": {
		arm: service.TypeStorageAccount + "/objectReplicationPolicies",
		id: func(v view) arm.ID {
			from, to := v.id("source_storage_account_id", service.TypeStorageAccount), v.id("destination_storage_account_id", service.TypeStorageAccount)
			return to.Child("objectReplicationPolicies", arm.StableGUID(to, "objectReplicationPolicy/"+from.Key()))
		},
		rows: tabled(`
			source_storage_account_id sourceAccount
			destination_storage_account_id destinationAccount
			metrics_enabled metrics.enabled =false
			rules[]: rules
				source_container_name sourceContainer
				destination_container_name destinationContainer
				copy_blobs_created_after filters.minCreationTime ~copiedSince
				filter_out_blobs_with_prefix filters.prefixMatch
		`),
		// The account that is copied from has the same policy, by the same name.
		effect: func(v view, id arm.ID, b *builder) {
			from := v.id("source_storage_account_id", service.TypeStorageAccount).Child("objectReplicationPolicies", id.Name())
			b.change(v, id, func(doc *arm.Resource) { b.child(v, from.Type(), from, arm.Clone(doc.Properties)) })
		},
	},
	"azurerm_storage_sync": {
		arm:  "Microsoft.StorageSync/storageSyncServices",
		id:   inGroup("Microsoft.StorageSync/storageSyncServices"),
		rows: tabled(`incoming_traffic_policy =AllowAllTraffic`),
	},
}

var queueServiceRows = tabled(corsRows, `
	logging: logging
		* delete read version write
		retention_policy_days retentionPolicy.days
	hour_metrics: hourMetrics
		* version
		include_apis includeAPIs
		retention_policy_days retentionPolicy.days
	minute_metrics: minuteMetrics
		* version
		include_apis includeAPIs
		retention_policy_days retentionPolicy.days
`)

// lifecycleRows are the rules that move and delete blobs by age.
var lifecycleRows = tabled(`
	rule[]: policy.rules
		enabled
		name
		+type Lifecycle
		filters: definition.filters
			* blob_types prefix_match
			match_blob_index_tag[]: blobIndexMatch
				name
				operation op ===
				value
		actions: definition.actions
			base_blob: baseBlob
				auto_tier_to_hot_from_cool_enabled enableAutoTierToHotFromCool
				delete_after_days_since_creation_greater_than delete.daysAfterCreationGreaterThan
				delete_after_days_since_last_access_time_greater_than delete.daysAfterLastAccessTimeGreaterThan
				delete_after_days_since_modification_greater_than delete.daysAfterModificationGreaterThan
				tier_to_archive_after_days_since_creation_greater_than tierToArchive.daysAfterCreationGreaterThan
				tier_to_archive_after_days_since_last_access_time_greater_than tierToArchive.daysAfterLastAccessTimeGreaterThan
				tier_to_archive_after_days_since_last_tier_change_greater_than tierToArchive.daysAfterLastTierChangeGreaterThan
				tier_to_archive_after_days_since_modification_greater_than tierToArchive.daysAfterModificationGreaterThan
				tier_to_cold_after_days_since_creation_greater_than tierToCold.daysAfterCreationGreaterThan
				tier_to_cold_after_days_since_last_access_time_greater_than tierToCold.daysAfterLastAccessTimeGreaterThan
				tier_to_cold_after_days_since_modification_greater_than tierToCold.daysAfterModificationGreaterThan
				tier_to_cool_after_days_since_creation_greater_than tierToCool.daysAfterCreationGreaterThan
				tier_to_cool_after_days_since_last_access_time_greater_than tierToCool.daysAfterLastAccessTimeGreaterThan
				tier_to_cool_after_days_since_modification_greater_than tierToCool.daysAfterModificationGreaterThan
			snapshot: snapshot
				change_tier_to_archive_after_days_since_creation tierToArchive.daysAfterCreationGreaterThan
				change_tier_to_cool_after_days_since_creation tierToCool.daysAfterCreationGreaterThan
				delete_after_days_since_creation_greater_than delete.daysAfterCreationGreaterThan
				tier_to_archive_after_days_since_last_tier_change_greater_than tierToArchive.daysAfterLastTierChangeGreaterThan
				tier_to_cold_after_days_since_creation_greater_than tierToCold.daysAfterCreationGreaterThan
			version: version
				change_tier_to_archive_after_days_since_creation tierToArchive.daysAfterCreationGreaterThan
				change_tier_to_cool_after_days_since_creation tierToCool.daysAfterCreationGreaterThan
				delete_after_days_since_creation delete.daysAfterCreationGreaterThan
				tier_to_archive_after_days_since_last_tier_change_greater_than tierToArchive.daysAfterLastTierChangeGreaterThan
				tier_to_cold_after_days_since_creation_greater_than tierToCold.daysAfterCreationGreaterThan
`)

// defaultChild is the id of the one child of its type that an account has.
func defaultChild(typ string) func(view) arm.ID {
	return func(v view) arm.ID { return accountOf(v).Child(typ, "default") }
}

// dataPlane is the address at which clients reach what lies in an account.
func dataPlane(serviceName string) func(view, arm.ID) map[string]cty.Value {
	return func(v view, id arm.ID) map[string]cty.Value {
		out := texts("resource_manager_id", string(id))
		account := id
		for account.Parent() != "" && !strings.EqualFold(account.Type(), service.TypeStorageAccount) {
			account = account.Parent()
		}
		if !strings.HasPrefix(account.Name(), "{") {
			out["url"] = cty.StringVal("https://" + strings.ToLower(account.Name()) + "." + serviceName + ".core.windows.net/" + id.Name())
		}
		return out
	}
}

// publicAccess is a container's level of public access as the REST API words it.
func publicAccess(v any) any {
	switch v {
	case "blob":
		return "Blob"
	case "container":
		return "Container"
	}
	return "None"
}

// copiedSince is from when on blobs are copied: a time, or a word for all of them
// or none that is there already.
func copiedSince(v any) any {
	switch v {
	case "Everything":
		return "1601-01-01T00:00:00Z"
	case "OnlyNewObjects":
		return nil
	}
	return v
}
