//go:build e2e

package e2e

import (
	"fmt"
	"strings"
)

// values are what attributes may be changed to, as HCL, by TYPE.NAME or NAME. An
// empty one says that the attribute is not changed, for the reason beside it.
var values = map[string]string{
	"tags":                    `{ team = "ml" }`,
	"location":                `"northeurope"`,
	"resource_group_name":     `"rg-other"`,
	"description":             `"changed"`,
	"friendly_name":           `"changed"`,
	"display_name":            `"changed"`,
	"zones":                   `["1"]`,
	"edge_zone":               `"losangeles"`,
	"idle_timeout_in_minutes": `12`,
	"retention_in_days":       `90`,
	"azurerm_application_insights.retention_in_days": `60`,
	"azurerm_bastion_host.sku":                       `"Premium"`,
	"scale_units":                                    `3`,
	"daily_data_cap_in_gb":                           `5`,
	"sampling_percentage":                            `50`,
	"network_rule_bypass_option":                     `"None"`,
	"retention_policy_in_days":                       `14`,
	"role_assignment_mode":                           `"AbacRepositoryPermissions"`,
	"azurerm_key_vault.sku_name":                     `"premium"`,
	"automatic_upgrade_channel":                      `"stable"`,
	"node_os_upgrade_channel":                        `"SecurityPatch"`,
	"sku_tier":                                       ``,
	"azurerm_kubernetes_cluster.sku_tier":            `"Free"`,
	"extensions_time_budget":                         `"PT2H"`,
	"size":                                           `"Standard_D4s_v5"`,
	"user_data":                                      `base64encode("changed")`,
	"custom_data":                                    `base64encode("changed")`,
	"computer_name":                                  `"renamed"`,
	"admin_username":                                 `"someone"`,
	"patch_assessment_mode":                          `"AutomaticByPlatform"`,
	"daily_quota_gb":                                 `5`,
	"azurerm_linux_virtual_machine.priority":         ``, // Spot asks for an eviction policy
	"ingestion_access_mode":                          `"PrivateOnly"`,
	"query_access_mode":                              `"PrivateOnly"`,
	"resolution_policy":                              `"NxDomainRedirect"`,
	"ddos_protection_mode":                           `"Disabled"`,
	"domain_name_label":                              `"changed"`,
	"access_tier":                                    `"Cool"`,
	"allowed_copy_scope":                             `"AAD"`,
	"dns_endpoint_type":                              `"AzureDnsZone"`,
	"account_replication_type":                       `"LRS"`,
	"table_encryption_key_type":                      `"Account"`,
	"queue_encryption_key_type":                      `"Account"`,
	"private_endpoint_network_policies":              `"Enabled"`,
	"type_handler_version":                           `"2.0"`,
	"flow_timeout_in_minutes":                        `10`,
	"azurerm_virtual_network.private_endpoint_vnet_policies": `"Basic"`,
	"azurerm_virtual_network.dns_servers":                    `["168.63.129.16"]`,
	"azurerm_network_interface.dns_servers":                  `["168.63.129.16"]`,
	"internal_dns_name_label":                                `"changed"`,
	"azurerm_application_insights.application_type":          `"other"`,
	"custom_network_interface_name":                          `"nic-changed"`,
	"image_build_compute_name":                               `"cpu-cluster"`,
	"dns_prefix_private_cluster":                             `"changed"`,
	"node_resource_group":                                    `"rg-nodes"`,
	"release_train":                                          `"preview"`,
	"release_namespace":                                      `"other"`,
	"vm_size":                                                `"Standard_D16s_v5"`,
	"virtual_machine_size":                                   `"Standard_D16s_v5"`,
	"vm_priority":                                            `"LowPriority"`,
	"azurerm_public_ip.ip_version":                           ``,
	"publisher":                                              `"Microsoft.Azure.Other"`,
	"extension_type":                                         `"Microsoft.Flux"`,
	"triggers":                                               `{ changed = "yes" }`,
	"configuration_settings":                                 ``, // a file's test changes it with what it holds
}

// leftAlone are attributes whose other values ask for more than one change, and why.
var leftAlone = map[string]string{
	"azurerm_container_registry.public_network_access_enabled": "a registry that exports nothing has none",
	"azurerm_role_assignment.name":                             "it is known by whom it gives what",
}

// alone are those that are planned, and not applied with the others, and why.
var alone = map[string]string{
	"azurerm_key_vault.purge_protection_enabled":                                           "it is not taken back once it is on: refusedChanges",
	"azurerm_kubernetes_cluster.cost_analysis_enabled":                                     "it asks for the tier that is changed with it",
	"azurerm_bastion_host.kerberos_enabled":                                                "azurerm 5.2.0 plans it in place, and sends it only when a host is made",
	"azurerm_private_dns_zone_virtual_network_link.registration_enabled":                   "a network registers its machines in one zone only, and the example's links are one resource",
	"azurerm_container_registry.anonymous_pull_enabled":                                    "the cloud refuses it (FeatureNotSupported): every pull is by somebody",
	"azurerm_storage_account.https_traffic_only_enabled":                                   "the cloud refuses it (FeatureNotSupported): accounts are served over TLS only",
	"azurerm_linux_virtual_machine.bypass_platform_safety_checks_on_user_schedule_enabled": "it asks for another patch mode",
}

// another is a value of an attribute that it does not have, as HCL.
func another(typ, field string, s fieldSchema, now any) (string, bool) {
	if leftAlone[typ+"."+field] != "" {
		return "", false
	}
	for _, key := range []string{typ + "." + field, field} {
		if v, ok := values[key]; ok {
			return v, v != ""
		}
	}
	switch string(s.Type) {
	case `"bool"`:
		b, _ := now.(bool)
		return fmt.Sprint(!b), true
	case `"string"`:
		if field == "name" && now != nil && !strings.Contains(fmt.Sprint(now), ".") {
			return fmt.Sprintf("%q", fmt.Sprint(now)+"x"), true
		}
	}
	return "", false
}
