package terraform

import (
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
)

const typeContainer = "Microsoft.Storage/storageAccounts/blobServices/containers"

var storageKinds = map[string]kind{
	"azurerm_storage_account": {
		arm: service.TypeStorageAccount,
		id:  inGroup(service.TypeStorageAccount),
		props: []prop{
			attr("access_tier", "accessTier").or("Hot"),
			attr("min_tls_version", "minimumTlsVersion").or("TLS1_2"),
			attr("allow_blob_public_access", "allowBlobPublicAccess").or(true),
			attr("allow_nested_items_to_be_public", "allowBlobPublicAccess"),
			attr("shared_access_key_enabled", "allowSharedKeyAccess").or(true),
			attr("public_network_access_enabled", "publicNetworkAccess").or("Enabled").as(toggled),
			attr("enable_https_traffic_only", "supportsHttpsTrafficOnly").or(true),
			attr("https_traffic_only_enabled", "supportsHttpsTrafficOnly"),
			attr("cross_tenant_replication_enabled", "allowCrossTenantReplication").or(false),
			attr("default_to_oauth_authentication", "defaultToOAuthAuthentication").or(false),
			attr("local_user_enabled", "isLocalUserEnabled").or(true),
			attr("is_hns_enabled", "isHnsEnabled").or(false),
			attr("nfsv3_enabled", "isNfsV3Enabled").or(false),
			attr("sftp_enabled", "isSftpEnabled").or(false),
			attr("dns_endpoint_type", "dnsEndpointType").or("Standard"),
			attr("allowed_copy_scope", "allowedCopyScope"),
			attr("queue_encryption_key_type", "encryption.services.queue.keyType").or("Service"),
			attr("table_encryption_key_type", "encryption.services.table.keyType").or("Service"),
			attr("infrastructure_encryption_enabled", "encryption.requireInfrastructureEncryption"),
		},
		decide: storageHosts,
		finish: func(v view, doc *arm.Resource) {
			doc.Kind = kindOr(v, "account_kind", "StorageV2")
			tier, copies := v.symbol("account_tier"), v.symbol("account_replication_type")
			doc.SKU = arm.Object{"name": tier + "_" + copies, "tier": tier}
			source := "Microsoft.Storage"
			for _, key := range v.blocks("customer_managed_key") {
				source = "Microsoft.Keyvault"
				storageKey(key, doc)
			}
			set(doc.Properties, "encryption.keySource", source)
			acls := arm.Object{"defaultAction": "Allow", "bypass": "AzureServices", "ipRules": []any{}, "virtualNetworkRules": []any{}, "resourceAccessRules": []any{}}
			for _, rules := range v.blocks("network_rules") {
				acls = storageACLs(rules)
			}
			doc.Properties["networkAcls"] = acls
		},
	},
	"azurerm_storage_account_network_rules": {
		effect: func(v view, _ arm.ID, b *builder) {
			account := v.id("storage_account_id", service.TypeStorageAccount)
			if !v.has("storage_account_id") {
				account = arm.ResourceID(v.subscription, v.symbol("resource_group_name"), service.TypeStorageAccount, v.symbol("storage_account_name"))
			}
			b.change(v, account, func(doc *arm.Resource) {
				doc.Properties["networkAcls"] = storageACLs(v)
			})
		},
	},
	"azurerm_storage_container": {
		arm: typeContainer,
		id: func(v view) arm.ID {
			account := v.id("storage_account_id", service.TypeStorageAccount)
			if !v.has("storage_account_id") {
				account = v.id("storage_account_name", service.TypeStorageAccount)
			}
			return account.Child("blobServices", "default").Child("containers", v.symbol("name"))
		},
		finish: func(v view, doc *arm.Resource) {
			access := map[string]string{"blob": "Blob", "container": "Container"}[v.text("container_access_type")]
			if access == "" {
				access = "None"
			}
			doc.Properties["publicAccess"] = access
			if m := v.json("metadata"); m != nil {
				doc.Properties["metadata"] = m
			}
		},
	},
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
	if strings.HasPrefix(id.Name(), "{") {
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

// storageKey is the encryption with a key of a vault, which the account takes by
// the vault's address and the key's name. Blobs and files are then encrypted with
// the account's key.
func storageKey(key view, doc *arm.Resource) {
	id := or(key.json("key_vault_key_id"), key.json("managed_hsm_key_id"))
	set(doc.Properties, "encryption.keyvaultproperties", id)
	if s, ok := id.(string); ok {
		vault, rest, _ := strings.Cut(s, "/keys/")
		name, version, _ := strings.Cut(rest, "/")
		set(doc.Properties, "encryption.keyvaultproperties", arm.Object{"keyvaulturi": vault, "keyname": name, "keyversion": version})
	}
	apply(key, []prop{attr("user_assigned_identity_id", "encryption.identity.userAssignedIdentity")}, doc.Properties)
	for _, part := range []string{"blob", "file"} {
		set(doc.Properties, "encryption.services."+part, arm.Object{"enabled": true, "keyType": "Account"})
	}
}
