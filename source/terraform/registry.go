package terraform

import (
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
)

var registryKinds = map[string]kind{
	"azurerm_container_registry": {
		arm: service.TypeRegistry,
		id:  inGroup(service.TypeRegistry),
		props: []prop{
			attr("admin_enabled", "adminUserEnabled").or(false),
			attr("anonymous_pull_enabled", "anonymousPullEnabled").or(false),
			attr("data_endpoint_enabled", "dataEndpointEnabled").or(false),
			attr("public_network_access_enabled", "publicNetworkAccess").or("Enabled").as(toggled),
			attr("network_rule_bypass_option", "networkRuleBypassOptions").or("AzureServices"),
			attr("zone_redundancy_enabled", "zoneRedundancy").or("Disabled").as(toggled),
			attr("export_policy_enabled", "policies.exportPolicy.status").or("enabled").as(lowToggled),
			attr("quarantine_policy_enabled", "policies.quarantinePolicy.status").or("disabled").as(lowToggled),
			attr("azuread_authentication_as_arm_policy_enabled", "policies.azureADAuthenticationAsArmPolicy.status").or("enabled").as(lowToggled),
			attr("retention_policy_in_days", "policies.retentionPolicy.days"),
			attr("network_rule_bypass_for_tasks_enabled", "networkRuleBypassAllowedForTasks").or(false),
			attr("encryption.key_vault_key_id", "encryption.keyVaultProperties.keyIdentifier"),
			attr("encryption.identity_client_id", "encryption.keyVaultProperties.identity"),
			attr("role_assignment_mode", "roleAssignmentMode").or("LegacyRegistryPermissions"),
		},
		decide: func(_ view, id arm.ID) map[string]cty.Value {
			if strings.HasPrefix(id.Name(), "{") {
				return nil
			}
			return texts("login_server", loginServer(id))
		},
		finish: func(v view, doc *arm.Resource) {
			doc.SKU = arm.Object{"name": v.json("sku"), "tier": v.json("sku")}
			if !strings.HasPrefix(doc.Name, "{") {
				doc.Properties["loginServer"] = loginServer(doc.ID)
			}
			if len(v.blocks("encryption")) > 0 {
				set(doc.Properties, "encryption.status", "enabled")
			}
			for _, rules := range v.blocks("network_rule_set") {
				acls := arm.Object{}
				apply(rules, []prop{
					attr("default_action", "defaultAction").or("Allow"),
					each("ip_rule", "ipRules", attr("ip_range", "value"), attr("action", "action")),
				}, acls)
				doc.Properties["networkRuleSet"] = acls
			}
		},
	},
}

func loginServer(id arm.ID) string { return strings.ToLower(id.Name()) + ".azurecr.io" }

// lowToggled is toggled in the spelling of the registry's policies.
func lowToggled(v any) any {
	if v == true {
		return "enabled"
	}
	return "disabled"
}
