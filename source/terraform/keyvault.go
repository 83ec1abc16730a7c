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
				rules.place(acls)
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
				v.place(policy)
				apply(v, accessPolicy, policy)
				appendTo(doc, "accessPolicies", policy)
			})
		},
	},
	"azurerm_key_vault_secret": {
		arm: service.TypeKeyVault + "/secrets",
		id:  childOf("key_vault_id", service.TypeKeyVault, "secrets"),
		rows: tabled(`
			value|value_wo !secret
			content_type
			expiration_date attributes.exp
			not_before_date attributes.nbf
		`),
		decide: vaultObject("secrets"),
	},
	"azurerm_key_vault_key": {
		arm: service.TypeKeyVault + "/keys",
		id:  childOf("key_vault_id", service.TypeKeyVault, "keys"),
		rows: tabled(`
			curve    curveName
			key_opts keyOps
			key_size
			key_type kty
			expiration_date attributes.exp
			not_before_date attributes.nbf
			release_policy: releasePolicy
				json data
				immutable
			rotation_policy: rotationPolicy
				expire_after attributes.expiryTime
		`),
		decide: vaultObject("keys"),
		finish: func(v view, doc *arm.Resource) {
			var actions []any
			for _, p := range v.blocks("rotation_policy") {
				if p.has("notify_before_expiry") {
					actions = append(actions, arm.Object{"action": arm.Object{"type": "notify"}, "trigger": arm.Object{"timeBeforeExpiry": p.json("notify_before_expiry")}})
				}
				for _, a := range p.blocks("automatic") {
					trigger := tabled("time_after_creation timeAfterCreate\ntime_before_expiry").object(a)
					actions = append(actions, arm.Object{"action": arm.Object{"type": "rotate"}, "trigger": trigger})
				}
			}
			if actions != nil {
				set(doc.Properties, "rotationPolicy.lifetimeActions", actions)
			}
		},
	},
	// A certificate is data of the vault's own host; its secret has its name.
	"azurerm_key_vault_certificate": {
		arm: service.TypeKeyVault + "/certificates",
		id:  childOf("key_vault_id", service.TypeKeyVault, "certificates"),
		rows: tabled(`
			certificate: import
				contents !secret
				password !secret
			certificate_policy: policy
				issuer_parameters: issuer
					name
				key_properties: keyProperties
					curve
					exportable
					key_size
					key_type kty
					reuse_key
				lifetime_action[]: lifetimeActions
					action: action
						action_type
					trigger: trigger
						* days_before_expiry lifetime_percentage
				secret_properties: secretProperties
					content_type
				x509_certificate_properties: x509CertificateProperties
					* key_usage subject validity_in_months
					extended_key_usage ekus
					subject_alternative_names: subjectAlternativeNames
						* dns_names emails upns
		`),
		decide: vaultObject("certificates"),
	},
	"azurerm_key_vault_certificate_contacts": {},
	"azurerm_key_vault_certificate_issuer":   {},
	"azurerm_key_vault_managed_hardware_security_module": {
		arm: typeHSM,
		id:  inGroup(typeHSM),
		rows: tabled(`
			sku_name /sku.name
			+/sku.family B
			admin_object_ids initialAdminObjectIds
			public_network_access_enabled publicNetworkAccess =Enabled ~toggled
			purge_protection_enabled enablePurgeProtection
			soft_delete_retention_days softDeleteRetentionInDays =90
			tenant_id
			network_acls: networkAcls
				* bypass default_action
			+createMode default
			+enableSoftDelete true
		`),
		decide: func(_ view, id arm.ID) map[string]cty.Value {
			if strings.HasPrefix(id.Name(), "{") {
				return nil
			}
			return texts("hsm_uri", "https://"+strings.ToLower(id.Name())+".managedhsm.azure.net/")
		},
	},
}

const typeHSM = "Microsoft.KeyVault/managedHSMs"

// vaultObject is what addresses a key, secret or certificate on the vault's host.
// Its own id ends with a version that the vault gives out.
func vaultObject(kind string) func(view, arm.ID) map[string]cty.Value {
	return func(v view, id arm.ID) map[string]cty.Value {
		out := texts("resource_versionless_id", string(id))
		if vault := id.Parent(); !strings.HasPrefix(vault.Name(), "{") && !strings.HasPrefix(id.Name(), "{") {
			out["versionless_id"] = cty.StringVal(vaultURI(vault) + kind + "/" + id.Name())
			if kind == "certificates" {
				out["versionless_secret_id"] = cty.StringVal(vaultURI(vault) + "secrets/" + id.Name())
			}
		}
		out["id"] = cty.UnknownVal(cty.String).Mark(originOf(v, "id"))
		return out
	}
}

func vaultURI(id arm.ID) string { return "https://" + strings.ToLower(id.Name()) + ".vault.azure.net/" }
