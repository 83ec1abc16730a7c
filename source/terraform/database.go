package terraform

import (
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/cloister-ml/cloister/arm"
)

const (
	typePostgres = "Microsoft.DBforPostgreSQL/flexibleServers"
	typeMySQL    = "Microsoft.DBforMySQL/flexibleServers"
	typeSQL      = "Microsoft.Sql/servers"
	typeCosmos   = "Microsoft.DocumentDB/databaseAccounts"
	typeRedis    = "Microsoft.Cache/redis"
)

const flexibleRows = `
	administrator_login
	administrator_password|administrator_password_wo administratorLoginPassword !secret
	backup_retention_days           backup.backupRetentionDays
	create_mode
	delegated_subnet_id             network.delegatedSubnetResourceId
	private_dns_zone_id             network.PRIVATEDNSZONE
	point_in_time_restore_time_in_utc PITR
	replication_role
	sku_name                        /sku.name
	source_server_id                sourceServerResourceId
	version
	zone                            availabilityZone
	high_availability: highAvailability ={"mode":"Disabled"}
		mode
		standby_availability_zone
	maintenance_window: maintenanceWindow
		day_of_week  =0
		start_hour   =0
		start_minute =0
		+customWindow Enabled
	customer_managed_key: dataEncryption
		key_vault_key_id primaryKeyURI
		primary_user_assigned_identity_id primaryUserAssignedIdentityId
		geo_backup_key_vault_key_id geoBackupKeyURI
		geo_backup_user_assigned_identity_id geoBackupUserAssignedIdentityId
		+type AzureKeyVault
`

// firewallRule is a range of addresses that may reach a server.
func firewallRule(typ, parentAttr string) kind {
	return kind{
		arm:  typ + "/firewallRules",
		id:   childOf(parentAttr, typ, "firewallRules"),
		rows: tabled("* start_ip_address end_ip_address"),
	}
}

// hosted decides a server's host name, which ends with its service's domain.
func hosted(attribute, domain string) func(view, arm.ID) map[string]cty.Value {
	return func(_ view, id arm.ID) map[string]cty.Value {
		if strings.HasPrefix(id.Name(), "{") {
			return nil
		}
		return texts(attribute, strings.ToLower(id.Name())+"."+domain)
	}
}

var databaseKinds = map[string]kind{
	"azurerm_postgresql_flexible_server": {
		arm: typePostgres,
		id:  inGroup(typePostgres),
		rows: tabled(strings.NewReplacer("PRIVATEDNSZONE", "privateDnsZoneArmResourceId", "PITR", "pointInTimeUTC").Replace(flexibleRows), `
			auto_grow_enabled storage.autoGrow =Disabled ~toggled
			storage_mb        storage.storageSizeGB ~fromMB
			storage_tier      storage.tier
			geo_redundant_backup_enabled backup.geoRedundantBackup =Disabled ~toggled
			public_network_access_enabled network.publicNetworkAccess =Enabled ~toggled
			authentication: authConfig
				active_directory_auth_enabled activeDirectoryAuth =Disabled ~toggled
				password_auth_enabled passwordAuth =Enabled ~toggled
				tenant_id
			cluster: cluster
				size clusterSize
				default_database_name
		`),
		decide: hosted("fqdn", "postgres.database.azure.com"),
		finish: func(v view, doc *arm.Resource) {
			postgresStorage(v, doc)
			serverTier(doc)
		},
	},
	"azurerm_postgresql_flexible_server_database": {
		arm: typePostgres + "/databases", id: childOf("server_id", typePostgres, "databases"),
		rows: tabled("charset =UTF8\ncollation =en_US.utf8"),
	},
	"azurerm_postgresql_flexible_server_configuration": {
		arm: typePostgres + "/configurations", id: childOf("server_id", typePostgres, "configurations"),
		rows: tabled("value\n+source user-override"),
	},
	"azurerm_postgresql_flexible_server_firewall_rule": firewallRule(typePostgres, "server_id"),
	"azurerm_postgresql_flexible_server_active_directory_administrator": {
		arm: typePostgres + "/administrators",
		id: func(v view) arm.ID {
			return arm.ResourceID(v.subscription, v.symbol("resource_group_name"), typePostgres, v.symbol("server_name")).Child("administrators", v.symbol("object_id"))
		},
		rows: tabled("* principal_name principal_type tenant_id"),
	},
	"azurerm_mysql_flexible_server": {
		arm: typeMySQL,
		id:  inGroup(typeMySQL),
		rows: tabled(strings.NewReplacer("PRIVATEDNSZONE", "privateDnsZoneResourceId", "PITR", "restorePointInTime",
			"backup.backupRetentionDays", "backup.backupRetentionDays =7", "key: dataEncryption", `key: dataEncryption ={"type":"SystemManaged"}`).Replace(flexibleRows), `
			geo_redundant_backup_enabled backup.geoRedundantBackup =Disabled ~toggled
			public_network_access network.publicNetworkAccess
			storage: storage
				auto_grow_enabled autoGrow =Enabled ~toggled
				io_scaling_enabled autoIoScaling =Disabled ~toggled
				iops
				log_on_disk_enabled logOnDisk =Disabled ~toggled
				size_gb storageSizeGB
		`),
		decide: hosted("fqdn", "mysql.database.azure.com"),
		finish: func(_ view, doc *arm.Resource) { serverTier(doc) },
	},
	"azurerm_mysql_flexible_database": {
		arm: typeMySQL + "/databases", id: under(typeMySQL, "server_name", "databases"),
		rows: tabled("* charset collation"),
	},
	"azurerm_mysql_flexible_server_firewall_rule": {
		arm: typeMySQL + "/firewallRules", id: under(typeMySQL, "server_name", "firewallRules"),
		rows: tabled("* start_ip_address end_ip_address"),
	},
	"azurerm_mssql_server": {
		arm: typeSQL,
		id:  inGroup(typeSQL),
		rows: tabled(`
			administrator_login
			administrator_login_password|administrator_login_password_wo administratorLoginPassword !secret
			minimum_tls_version minimalTlsVersion ="1.2"
			outbound_network_restriction_enabled restrictOutboundNetworkAccess =Disabled ~toggled
			primary_user_assigned_identity_id
			public_network_access_enabled publicNetworkAccess =Enabled ~toggled
			transparent_data_encryption_key_vault_key_id keyId
			version
			azuread_administrator: administrators
				azuread_authentication_only azureADOnlyAuthentication =false
				login_username login
				object_id sid
				tenant_id
				+administratorType ActiveDirectory
		`),
		decide: hosted("fully_qualified_domain_name", "database.windows.net"),
		effect: func(v view, id arm.ID, b *builder) {
			policy := id.Child("connectionPolicies", "default")
			b.child(v, policy.Type(), policy, arm.Object{"connectionType": or(v.json("connection_policy"), "Default")})
		},
	},
	"azurerm_mssql_database": {
		arm: typeSQL + "/databases",
		id:  childOf("server_id", typeSQL, "databases"),
		rows: tabled(`
			sku_name /sku.name
			auto_pause_delay_in_minutes autoPauseDelay =0
			* collation elastic_pool_id license_type recovery_point_id sample_name secondary_type restore_point_in_time
			create_mode =Default
			min_capacity =0
			zone_redundant =false
			creation_source_database_id sourceDatabaseId
			enclave_type preferredEnclaveType
			ledger_enabled isLedgerOn =false
			read_replica_count highAvailabilityReplicaCount =0
			read_scale readScale =Disabled ~toggled
			recover_database_id recoverableDatabaseId
			restore_dropped_database_id restorableDroppedDatabaseId
			restore_long_term_retention_backup_id longTermRetentionBackupResourceId
			storage_account_type requestedBackupStorageRedundancy =Geo
			transparent_data_encryption_key_automatic_rotation_enabled encryptionProtectorAutoRotation =false
			transparent_data_encryption_key_vault_key_id encryptionProtector
		`),
		finish: func(v view, doc *arm.Resource) {
			if gb, ok := v.json("max_size_gb").(float64); ok {
				doc.Properties["maxSizeBytes"] = gb * 1024 * 1024 * 1024
			}
			if !v.has("elastic_pool_id") { // whose own window it is then
				window := or(v.json("maintenance_configuration_name"), "SQL_Default")
				if name, ok := window.(string); ok {
					window = "/subscriptions/" + v.subscription + "/providers/Microsoft.Maintenance/publicMaintenanceConfigurations/" + name
				}
				doc.Properties["maintenanceConfigurationId"] = window
			}
		},
		effect: likeParent("server_id", typeSQL),
	},
	"azurerm_mssql_firewall_rule": firewallRule(typeSQL, "server_id"),
	"azurerm_mssql_virtual_network_rule": {
		arm: typeSQL + "/virtualNetworkRules", id: childOf("server_id", typeSQL, "virtualNetworkRules"),
		rows: tabled("ignore_missing_vnet_service_endpoint =false\nsubnet_id virtualNetworkSubnetId"),
	},
	"azurerm_cosmosdb_account": {
		arm: typeCosmos, id: inGroup(typeCosmos), rows: cosmosRows, finish: finishCosmos,
		decide: func(_ view, id arm.ID) map[string]cty.Value {
			if strings.HasPrefix(id.Name(), "{") {
				return nil
			}
			return texts("endpoint", "https://"+strings.ToLower(id.Name())+".documents.azure.com:443/")
		},
	},
	"azurerm_cosmosdb_sql_database": {
		arm: typeCosmos + "/sqlDatabases", id: under(typeCosmos, "account_name", "sqlDatabases"),
		rows: tabled("name resource.id\nthroughput options.throughput\nautoscale_settings.max_throughput options.autoscaleSettings.maxThroughput"),
	},
	"azurerm_cosmosdb_sql_container": {
		arm: typeCosmos + "/sqlDatabases/containers",
		id: func(v view) arm.ID {
			return arm.ResourceID(v.subscription, v.symbol("resource_group_name"), typeCosmos, v.symbol("account_name")).
				Child("sqlDatabases", v.symbol("database_name")).Child("containers", v.symbol("name"))
		},
		rows: tabled(`
			name resource.id
			analytical_storage_ttl resource.analyticalStorageTtl
			default_ttl resource.defaultTtl
			partition_key_path resource.partitionKey.paths ~alone
			partition_key_paths resource.partitionKey.paths
			partition_key_kind resource.partitionKey.kind =Hash
			partition_key_version resource.partitionKey.version
			throughput options.throughput
			autoscale_settings.max_throughput options.autoscaleSettings.maxThroughput
			unique_key[]: resource.uniqueKeyPolicy.uniqueKeys
				paths
			indexing_policy: resource.indexingPolicy
				indexing_mode =consistent
				included_path[]: includedPaths
					path
				excluded_path[]: excludedPaths
					path
		`),
	},
	"azurerm_redis_cache": {
		arm:   typeRedis,
		id:    inGroup(typeRedis),
		zonal: true,
		rows: tabled(`
			sku_name sku.name
			family sku.family
			capacity sku.capacity
			access_keys_authentication_enabled disableAccessKeyAuthentication =false ~negated
			minimum_tls_version ="1.2"
			non_ssl_port_enabled|enable_non_ssl_port enableNonSslPort =false
			private_static_ip_address staticIP
			public_network_access_enabled publicNetworkAccess =Enabled ~toggled
			redis_version ="6"
			replicas_per_master
			replicas_per_primary
			shard_count
			subnet_id
			tenant_settings
			redis_configuration: redisConfiguration
				active_directory_authentication_enabled aad-enabled ="false" ~text
				aof_backup_enabled aof-backup-enabled ~text
				data_persistence_authentication_method preferred-data-persistence-auth-method
				maxfragmentationmemory_reserved maxfragmentationmemory-reserved ~text
				maxmemory_delta maxmemory-delta ~text
				maxmemory_policy maxmemory-policy =volatile-lru
				maxmemory_reserved maxmemory-reserved ~text
				notify_keyspace_events notify-keyspace-events
				rdb_backup_enabled rdb-backup-enabled ~text
				rdb_backup_frequency rdb-backup-frequency ~text
				rdb_backup_max_snapshot_count rdb-backup-max-snapshot-count ~text
				rdb_storage_connection_string rdb-storage-connection-string !secret
		`),
		decide: hosted("hostname", "redis.cache.windows.net"),
	},
	"azurerm_managed_redis": {
		arm: "Microsoft.Cache/redisEnterprise",
		id:  inGroup("Microsoft.Cache/redisEnterprise"),
		rows: tabled(`
			sku_name /sku.name
			high_availability_enabled highAvailability =Enabled ~toggled
			public_network_access =Enabled
			customer_managed_key: encryption.customerManagedKeyEncryption
				key_vault_key_id keyEncryptionKeyUrl
				user_assigned_identity_id keyEncryptionKeyIdentity.userAssignedIdentityResourceId
				+keyEncryptionKeyIdentity.identityType userAssignedIdentity
			+minimumTlsVersion "1.2"
		`),
		effect: func(v view, id arm.ID, b *builder) {
			rows := tabled(`
				access_keys_authentication_enabled accessKeysAuthentication =Disabled ~toggled
				client_protocol =Encrypted
				clustering_policy =OSSCluster
				eviction_policy =VolatileLRU
				geo_replication_group_name geoReplication.groupNickname
				module[]: modules
					* args name
			`)
			for _, d := range v.blocks("default_database") {
				db := id.Child("databases", "default")
				b.child(v, db.Type(), db, rows.object(d))
			}
		},
	},
}

// postgresStorage gives a new server the least of storage, and storage the
// performance tier that goes with its size.
func postgresStorage(v view, doc *arm.Resource) {
	if mode := v.text("create_mode"); mode != "" && mode != "Default" {
		return
	}
	storage, ok := doc.Properties["storage"].(arm.Object)
	if !ok {
		return
	}
	storage["storageSizeGB"] = or(storage["storageSizeGB"], 32.0)
	tiers := map[float64]string{
		32: "P4", 64: "P6", 128: "P10", 256: "P15", 512: "P20", 1024: "P30", 2048: "P40", 4095: "P50", 4096: "P50", 8192: "P60", 16384: "P70", 32767: "P80",
	}
	size, _ := storage["storageSizeGB"].(float64)
	if tier, ok := tiers[size]; ok {
		storage["tier"] = or(storage["tier"], tier)
	}
}

// serverTier splits a flexible server's SKU, as GP_Standard_D2s_v3, into its tier
// and its size.
func serverTier(doc *arm.Resource) {
	name := arm.String(doc.SKU, "name")
	short, size, ok := strings.Cut(name, "_")
	tiers := map[string]string{"B": "Burstable", "GP": "GeneralPurpose", "MO": "MemoryOptimized"}
	if ok && tiers[short] != "" {
		doc.SKU = arm.Object{"name": size, "tier": tiers[short]}
	}
}

var cosmosRows = tabled(`
	kind /kind =GlobalDocumentDB
	access_key_metadata_writes_enabled disableKeyBasedMetadataWriteAccess =false ~negated
	analytical_storage_enabled enableAnalyticalStorage =false
	analytical_storage.schema_type analyticalStorageConfiguration.schemaType
	automatic_failover_enabled|enable_automatic_failover enableAutomaticFailover =false
	burst_capacity_enabled enableBurstCapacity =false
	create_mode
	default_identity_type defaultIdentity =FirstPartyIdentity
	free_tier_enabled|enable_free_tier enableFreeTier =false
	ip_range_filter ipRules =[]
	is_virtual_network_filter_enabled =false
	key_vault_key_id keyVaultKeyUri
	local_authentication_enabled disableLocalAuth =false ~negated
	local_authentication_disabled disableLocalAuth =false
	minimal_tls_version =Tls12
	mongo_server_version apiProperties.serverVersion
	multiple_write_locations_enabled|enable_multiple_write_locations enableMultipleWriteLocations =false
	network_acl_bypass_for_azure_services networkAclBypass =None ~azureServices
	network_acl_bypass_ids networkAclBypassResourceIds =[]
	offer_type databaseAccountOfferType
	partition_merge_enabled enablePartitionMerge =false
	public_network_access_enabled publicNetworkAccess =Enabled ~toggled
	capabilities[]: capabilities =[]
		name
	capacity.total_throughput_limit capacity.totalThroughputLimit
	consistency_policy: consistencyPolicy
		consistency_level defaultConsistencyLevel
		max_interval_in_seconds =5
		max_staleness_prefix =100
	cors_rule[]: cors
		allowed_headers allowedHeaders ~commas
		allowed_methods allowedMethods ~commas
		allowed_origins allowedOrigins ~commas
		exposed_headers exposedHeaders ~commas
		max_age_in_seconds
	geo_location[]: locations
		failover_priority
		location locationName
		zone_redundant isZoneRedundant =false
	virtual_network_rule[]: virtualNetworkRules =[]
		id
		ignore_missing_vnet_service_endpoint ignoreMissingVNetServiceEndpoint =false
`)

func finishCosmos(v view, doc *arm.Resource) {
	switch filter := v.json("ip_range_filter").(type) {
	case []any:
		doc.Properties["ipRules"] = listed("ipAddressOrRange", nil)(filter)
	case string: // until azurerm 4, separated by commas
		var rules []any
		for _, one := range strings.Split(filter, ",") {
			if one = strings.TrimSpace(one); one != "" {
				rules = append(rules, arm.Object{"ipAddressOrRange": one})
			}
		}
		doc.Properties["ipRules"] = rules
	}
	if !v.has("local_authentication_enabled") && v.has("local_authentication_disabled") {
		doc.Properties["disableLocalAuth"] = v.json("local_authentication_disabled")
	} else {
		doc.Properties["disableLocalAuth"] = negated(or(v.json("local_authentication_enabled"), true))
	}
	for _, p := range v.blocks("backup") {
		doc.Properties["backupPolicy"] = tabled(`
			type
			tier continuousModeProperties.tier
			interval_in_minutes periodicModeProperties.backupIntervalInMinutes
			retention_in_hours periodicModeProperties.backupRetentionIntervalInHours
			storage_redundancy periodicModeProperties.backupStorageRedundancy
		`).object(p)
	}
}

func azureServices(v any) any { return wordIf(v, "AzureServices", "None") }
