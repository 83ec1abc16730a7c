package terraform

import (
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
)

var accessPolicy = []prop{
	attr("tenant_id", "tenantId"),
	attr("object_id", "objectId"),
	attr("application_id", "applicationId"),
	attr("key_permissions", "permissions.keys").or([]any{}),
	attr("secret_permissions", "permissions.secrets").or([]any{}),
	attr("certificate_permissions", "permissions.certificates").or([]any{}),
	attr("storage_permissions", "permissions.storage").or([]any{}),
}

var vaultKinds = map[string]kind{
	"azurerm_key_vault": {
		arm: service.TypeKeyVault,
		id:  inGroup(service.TypeKeyVault),
		props: []prop{
			attr("tenant_id", "tenantId"),
			attr("sku_name", "sku.name"),
			attr("enable_rbac_authorization", "enableRbacAuthorization").or(false),
			attr("rbac_authorization_enabled", "enableRbacAuthorization"),
			attr("soft_delete_retention_days", "softDeleteRetentionInDays"),
			attr("public_network_access_enabled", "publicNetworkAccess").or("Enabled").as(toggled),
			attr("enabled_for_deployment", "enabledForDeployment").or(false),
			attr("enabled_for_disk_encryption", "enabledForDiskEncryption").or(false),
			attr("enabled_for_template_deployment", "enabledForTemplateDeployment").or(false),
			each("access_policy", "accessPolicies", accessPolicy...).or([]any{}),
		},
		decide: func(_ view, id arm.ID) map[string]cty.Value {
			if strings.HasPrefix(id.Name(), "{") {
				return nil
			}
			return texts("vault_uri", vaultURI(id))
		},
		finish: func(v view, doc *arm.Resource) {
			set(doc.Properties, "sku.family", "A")
			doc.Properties["enableSoftDelete"] = true
			doc.Properties["createMode"] = "default"
			if v.has("purge_protection_enabled") && v.json("purge_protection_enabled") != false {
				doc.Properties["enablePurgeProtection"] = v.json("purge_protection_enabled")
			}
			if strings.HasPrefix(doc.Name, "{") {
				doc.Properties["vaultUri"] = v.unknown(v.value("name"), "vault_uri")
			} else {
				doc.Properties["vaultUri"] = vaultURI(doc.ID)
			}
			acls := arm.Object{"defaultAction": "Allow", "bypass": "AzureServices", "ipRules": []any{}, "virtualNetworkRules": []any{}}
			for _, rules := range v.blocks("network_acls") {
				acls = arm.Object{}
				apply(rules, []prop{
					attr("default_action", "defaultAction"),
					attr("bypass", "bypass"),
					attr("ip_rules", "ipRules").or([]any{}).as(listed("value", nil)),
					attr("virtual_network_subnet_ids", "virtualNetworkRules").or([]any{}).as(references),
				}, acls)
			}
			doc.Properties["networkAcls"] = acls
		},
	},
	"azurerm_key_vault_access_policy": {
		effect: func(v view, _ arm.ID, b *builder) {
			b.change(v, v.id("key_vault_id", service.TypeKeyVault), func(doc *arm.Resource) {
				policy := arm.Object{}
				apply(v, accessPolicy, policy)
				appendTo(doc, "accessPolicies", policy)
			})
		},
	},
	"azurerm_key_vault_secret": {
		arm: service.TypeKeyVault + "/secrets",
		id:  childOf("key_vault_id", service.TypeKeyVault, "secrets"),
		props: []prop{
			attr("value", "value").secret(),
			attr("value_wo", "value").secret(),
			attr("content_type", "contentType"),
		},
		decide: func(v view, id arm.ID) map[string]cty.Value {
			out := texts("resource_versionless_id", string(id))
			if vault := id.Parent(); !strings.HasPrefix(vault.Name(), "{") {
				out["versionless_id"] = cty.StringVal(vaultURI(vault) + "secrets/" + id.Name())
			}
			// Its own id is an address on the vault's host, with a version that the
			// vault gives out.
			out["id"] = cty.UnknownVal(cty.String).Mark(originOf(v, "id"))
			return out
		},
	},
}

func vaultURI(id arm.ID) string { return "https://" + strings.ToLower(id.Name()) + ".vault.azure.net/" }
