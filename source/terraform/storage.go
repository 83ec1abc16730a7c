package terraform

import (
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
)

var accountRows = tabled(`
	access_tier
	min_tls_version                  minimumTlsVersion             =TLS1_2
	allow_nested_items_to_be_public|allow_blob_public_access allowBlobPublicAccess
	shared_access_key_enabled        allowSharedKeyAccess          =true
	public_network_access_enabled    publicNetworkAccess           =Enabled ~toggled
	https_traffic_only_enabled|enable_https_traffic_only supportsHttpsTrafficOnly  =true
	cross_tenant_replication_enabled allowCrossTenantReplication
	default_to_oauth_authentication  defaultToOAuthAuthentication  =false
	local_user_enabled               isLocalUserEnabled            =true
	is_hns_enabled                   =false
	nfsv3_enabled                    isNfsV3Enabled                =false
	sftp_enabled                     isSftpEnabled                 =false
	dns_endpoint_type                =Standard
	allowed_copy_scope
	edge_zone                        extendedLocation.name
	large_file_share_enabled         largeFileSharesState          ~toggled
	queue_encryption_key_type        encryption.services.queue.keyType  =Service
	table_encryption_key_type        encryption.services.table.keyType  =Service
	infrastructure_encryption_enabled encryption.requireInfrastructureEncryption
	azure_files_authentication: azureFilesIdentityBasedAuthentication
		default_share_level_permission defaultSharePermission
		directory_type                 directoryServiceOptions
		active_directory: activeDirectoryProperties
			* domain_guid domain_name domain_sid forest_name
			netbios_domain_name netBiosDomainName
			storage_sid azureStorageSid
	custom_domain: customDomain
		name
		use_subdomain useSubDomainName
	customer_managed_key: encryption
		user_assigned_identity_id identity.userAssignedIdentity
	immutability_policy: immutableStorageWithVersioning
		+enabled true
		allow_protected_append_writes immutabilityPolicy.allowProtectedAppendWrites
		period_since_creation_in_days immutabilityPolicy.immutabilityPeriodSinceCreationInDays
		state immutabilityPolicy.state
	routing: routingPreference
		choice routingChoice =MicrosoftRouting
		publish_internet_endpoints  =false
		publish_microsoft_endpoints =false
	sas_policy: sasPolicy
		expiration_action =Log
		expiration_period sasExpirationPeriod
`)

const corsRows = `
	cors_rule[]: cors.corsRules
		* allowed_headers allowed_methods allowed_origins exposed_headers max_age_in_seconds
`

var blobServiceRows = tabled(corsRows, `
	change_feed_enabled            changeFeed.enabled  =false
	change_feed_retention_in_days  changeFeed.retentionInDays
	default_service_version
	last_access_time_enabled       lastAccessTimeTrackingPolicy.enable  =false
	versioning_enabled             isVersioningEnabled  =false
	container_delete_retention_policy: containerDeleteRetentionPolicy ={"enabled":false}
		days =7
		+enabled true
	delete_retention_policy: deleteRetentionPolicy ={"enabled":false}
		days =7
		permanent_delete_enabled allowPermanentDelete =false
		+enabled true
	restore_policy: restorePolicy ={"enabled":false}
		days
		+enabled true
`)

var fileServiceRows = tabled(corsRows, `
	retention_policy: shareDeleteRetentionPolicy
		days =7
		+enabled true
	smb: protocolSettings.smb
		authentication_types            authenticationMethods     ~semicolons
		channel_encryption_type         channelEncryption         ~semicolons
		kerberos_ticket_encryption_type kerberosTicketEncryption  ~semicolons
		multichannel_enabled            multichannel.enabled
		versions                        ~semicolons
`)

var storageKinds = map[string]kind{
	"azurerm_storage_account": {
		arm:    service.TypeStorageAccount,
		id:     inGroup(service.TypeStorageAccount),
		rows:   accountRows,
		decide: storageHosts,
		finish: finishAccount,
		effect: func(v view, id arm.ID, b *builder) {
			for _, p := range v.blocks("blob_properties") {
				b.settings(v, id.Child("blobServices", "default"), blobServiceRows.object(p))
			}
			for _, p := range v.blocks("share_properties") {
				b.settings(v, id.Child("fileServices", "default"), fileServiceRows.object(p))
			}
		},
	},
	"azurerm_storage_account_network_rules": {
		effect: func(v view, _ arm.ID, b *builder) {
			b.change(v, accountOf(v), func(doc *arm.Resource) {
				doc.Properties["networkAcls"] = storageACLs(v)
				v.marks(doc, "networkAcls")
			})
		},
	},
	"azurerm_storage_account_customer_managed_key": {
		effect: func(v view, _ arm.ID, b *builder) {
			b.change(v, accountOf(v), func(doc *arm.Resource) {
				set(doc.Properties, "encryption.services.blob.enabled", true)
				set(doc.Properties, "encryption.services.file.enabled", true)
				v.marks(doc, "encryption")
				customerKey(v, doc)
				if v.has("user_assigned_identity_id") {
					set(doc.Properties, "encryption.identity.userAssignedIdentity", v.json("user_assigned_identity_id"))
				}
				if v.has("federated_identity_client_id") {
					set(doc.Properties, "encryption.identity.federatedIdentityClientId", v.json("federated_identity_client_id"))
				}
			})
		},
	},
}

func finishAccount(v view, doc *arm.Resource) {
	kind := kindOr(v, "account_kind", "StorageV2")
	doc.Kind = kind
	tier, copies := v.symbol("account_tier"), v.symbol("account_replication_type")
	doc.SKU = arm.Object{"name": tier + "_" + copies, "tier": tier}
	if doc.Properties["accessTier"] == nil && (kind == "StorageV2" || kind == "BlobStorage" || kind == "FileStorage") {
		doc.Properties["accessTier"] = "Hot"
	}
	// What is open where nothing is said has changed from release to release.
	if doc.Properties["allowBlobPublicAccess"] == nil {
		doc.Properties["allowBlobPublicAccess"] = v.release() < 5
	}
	if doc.Properties["allowCrossTenantReplication"] == nil {
		doc.Properties["allowCrossTenantReplication"] = v.release() < 4
	}
	set(doc.Properties, "encryption.keySource", "Microsoft.Storage")
	for service, attribute := range map[string]string{"queue": "queue_encryption_key_type", "table": "table_encryption_key_type"} {
		if v.text(attribute) == "Account" && service == "queue" {
			set(doc.Properties, "encryption.services.blob", arm.Object{"enabled": true, "keyType": "Account"})
			set(doc.Properties, "encryption.services.file", arm.Object{"enabled": true, "keyType": "Account"})
		}
	}
	for _, key := range v.blocks("customer_managed_key") {
		for _, service := range []string{"blob", "file"} {
			set(doc.Properties, "encryption.services."+service+".enabled", true)
			set(doc.Properties, "encryption.services."+service+".keyType", "Account")
		}
		customerKey(key, doc)
	}
	if s, ok := arm.Lookup(doc.Properties, "largeFileSharesState"); ok && s == "Disabled" {
		delete(doc.Properties, "largeFileSharesState")
	}
	acls := arm.Object{"defaultAction": "Allow", "bypass": "AzureServices", "ipRules": []any{}, "virtualNetworkRules": []any{}, "resourceAccessRules": []any{}}
	for _, rules := range v.blocks("network_rules") {
		acls = storageACLs(rules)
		rules.place(acls)
	}
	doc.Properties["networkAcls"] = acls
}

// settings adds the document of an account's service, where anything is set: a
// state has the block of a service with nothing in it, too.
func (b *builder) settings(v view, id arm.ID, props arm.Object) {
	if says(props) {
		b.child(v, id.Type(), id, props)
	}
}

// says reports whether a value holds anything but what is not set: false, nothing
// and zero.
func says(v any) bool {
	switch v := v.(type) {
	case arm.Object:
		for name, e := range v {
			if name != placed && says(e) {
				return true
			}
		}
		return false
	case []any:
		return len(v) > 0
	}
	return v != nil && v != false && v != "" && v != 0.0
}

// customerKey says with which key of a vault an account is encrypted.
func customerKey(v view, doc *arm.Resource) {
	set(doc.Properties, "encryption.keySource", "Microsoft.Keyvault")
	id := or(v.json("key_vault_key_id"), v.json("managed_hsm_key_id"))
	address, ok := id.(string)
	if !ok && !v.has("key_vault_id") {
		set(doc.Properties, "encryption.keyvaultproperties", id)
		return
	}
	vault, name, version := partsOfKey(address)
	if v.has("key_name") {
		name, version = v.symbol("key_name"), v.text("key_version")
		vault = strings.TrimSuffix(vaultURI(v.id("key_vault_id", service.TypeKeyVault)), "/")
	}
	props := arm.Object{"keyvaulturi": vault, "keyname": name}
	if version != "" {
		props["keyversion"] = version
	}
	set(doc.Properties, "encryption.keyvaultproperties", props)
}

// partsOfKey are the parts of a key's address, https://VAULT/keys/NAME/VERSION.
func partsOfKey(address string) (vault, name, version string) {
	vault, rest, _ := strings.Cut(address, "/keys/")
	name, version, _ = strings.Cut(rest, "/")
	return vault, name, version
}

// accountOf is the storage account that an attribute names by id or, as earlier
// releases did, by name.
func accountOf(v view) arm.ID {
	switch {
	case v.has("storage_account_id"):
		return v.id("storage_account_id", service.TypeStorageAccount)
	case v.has("resource_group_name"):
		return arm.ResourceID(v.subscription, v.symbol("resource_group_name"), service.TypeStorageAccount, v.symbol("storage_account_name"))
	}
	return v.id("storage_account_name", service.TypeStorageAccount)
}

func storageACLs(v view) arm.Object {
	o := arm.Object{}
	apply(v, []prop{
		attr("default_action", "defaultAction"),
		attr("bypass", "bypass").or("AzureServices").as(joined),
		attr("ip_rules", "ipRules").or([]any{}).as(listed("value", arm.Object{"action": "Allow"})),
		attr("virtual_network_subnet_ids", "virtualNetworkRules").or([]any{}).as(listed("id", arm.Object{"action": "Allow"})),
		each("private_link_access", "resourceAccessRules", attr("endpoint_resource_id", "resourceId"), attr("endpoint_tenant_id", "tenantId")).or([]any{}),
	}, o)
	return o
}

// storageHosts are the account's names and addresses.
func storageHosts(v view, id arm.ID) map[string]cty.Value {
	out := map[string]cty.Value{"primary_location": v.value("location")}
	if strings.HasPrefix(id.Name(), "{") || v.text("dns_endpoint_type") == "AzureDnsZone" {
		return nil
	}
	for _, s := range []string{"blob", "file", "queue", "table", "dfs"} {
		host := strings.ToLower(id.Name()) + "." + s + ".core.windows.net"
		out["primary_"+s+"_host"] = cty.StringVal(host)
		out["primary_"+s+"_endpoint"] = cty.StringVal("https://" + host + "/")
	}
	return out
}

// kindOr is a document's kind, or def.
func kindOr(v view, attribute, def string) string {
	if v.has(attribute) {
		return v.symbol(attribute)
	}
	return def
}
