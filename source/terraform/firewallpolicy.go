package terraform

import "github.com/cloister-ml/cloister/arm"

const typeFirewallPolicy = "Microsoft.Network/firewallPolicies"

var firewallPolicyKinds = map[string]kind{
	"azurerm_firewall_policy": {
		arm: typeFirewallPolicy,
		id:  inGroup(typeFirewallPolicy),
		props: []prop{
			attr("sku", "sku.tier").or("Standard"),
			attr("base_policy_id", "basePolicy.id"),
			attr("threat_intelligence_mode", "threatIntelMode").or("Alert"),
			one("threat_intelligence_allowlist", "threatIntelWhitelist", attr("fqdns", "fqdns"), attr("ip_addresses", "ipAddresses")),
			one("dns", "dnsSettings", attr("servers", "servers"), attr("proxy_enabled", "enableProxy").or(false)),
			attr("private_ip_ranges", "snat.privateRanges"),
			attr("auto_learn_private_ranges_enabled", "snat.autoLearnPrivateRanges").as(toggled),
			attr("sql_redirect_allowed", "sql.allowSqlRedirect"),
			one("tls_certificate", "transportSecurity",
				attr("key_vault_secret_id", "certificateAuthority.keyVaultSecretId"),
				attr("name", "certificateAuthority.name")),
			one("explicit_proxy", "explicitProxy",
				attr("enabled", "enableExplicitProxy"),
				attr("http_port", "httpPort"),
				attr("https_port", "httpsPort"),
				attr("enable_pac_file", "enablePacFile"),
				attr("pac_file_port", "pacFilePort"),
				attr("pac_file", "pacFile")),
			one("insights", "insights",
				attr("enabled", "isEnabled"),
				attr("retention_in_days", "retentionDays"),
				attr("default_log_analytics_workspace_id", "logAnalyticsResources.defaultWorkspaceId.id"),
				each("log_analytics_workspace", "logAnalyticsResources.workspaces",
					attr("firewall_location", "region"),
					attr("id", "workspaceId.id"))),
			one("intrusion_detection", "intrusionDetection",
				attr("mode", "mode"),
				attr("private_ranges", "configuration.privateRanges"),
				each("signature_overrides", "configuration.signatureOverrides", attr("id", "id"), attr("state", "mode")),
				each("traffic_bypass", "configuration.bypassTrafficSettings",
					attr("name", "name"),
					attr("description", "description"),
					attr("protocol", "protocol"),
					attr("source_addresses", "sourceAddresses"),
					attr("source_ip_groups", "sourceIpGroups"),
					attr("destination_addresses", "destinationAddresses"),
					attr("destination_ip_groups", "destinationIpGroups"),
					attr("destination_ports", "destinationPorts"))),
		},
	},
	"azurerm_firewall_policy_rule_collection_group": {
		arm:    typeFirewallPolicy + "/ruleCollectionGroups",
		id:     childOf("firewall_policy_id", typeFirewallPolicy, "ruleCollectionGroups"),
		props:  []prop{attr("priority", "priority")},
		finish: ruleCollections,
	},
}

// policyRules are the rules of each of a group's three sorts of collection: the
// block, what the API calls the collection and the rule, and the rule itself.
var policyRules = []struct {
	block, collection, rule string
	props                   []prop
}{
	{"application_rule_collection", "FirewallPolicyFilterRuleCollection", "ApplicationRule", []prop{
		attr("destination_addresses", "destinationAddresses"),
		attr("destination_fqdns", "targetFqdns"),
		attr("destination_urls", "targetUrls"),
		attr("destination_fqdn_tags", "fqdnTags"),
		attr("web_categories", "webCategories"),
		attr("terminate_tls", "terminateTLS").or(false),
		each("protocols", "protocols", attr("type", "protocolType"), attr("port", "port")),
		each("http_headers", "httpHeadersToInsert", attr("name", "headerName"), attr("value", "headerValue")),
	}},
	{"network_rule_collection", "FirewallPolicyFilterRuleCollection", "NetworkRule", []prop{
		attr("protocols", "ipProtocols"),
		attr("destination_addresses", "destinationAddresses"),
		attr("destination_ip_groups", "destinationIpGroups"),
		attr("destination_fqdns", "destinationFqdns"),
		attr("destination_ports", "destinationPorts"),
	}},
	{"nat_rule_collection", "FirewallPolicyNatRuleCollection", "NatRule", []prop{
		attr("protocols", "ipProtocols"),
		attr("destination_address", "destinationAddresses").as(alone),
		attr("destination_ports", "destinationPorts"),
		attr("translated_address", "translatedAddress"),
		attr("translated_fqdn", "translatedFqdn"),
		attr("translated_port", "translatedPort").as(decimal),
	}},
}

// ruleCollections writes the three sorts of collection into the one array that
// the API has for them.
func ruleCollections(v view, doc *arm.Resource) {
	all := []any{}
	for _, sort := range policyRules {
		if u, unknown := v.json(sort.block).(arm.Unknown); unknown {
			doc.Properties["ruleCollections"] = u
			return
		}
		rule := append([]prop{
			attr("name", "name"),
			attr("description", "description"),
			attr("source_addresses", "sourceAddresses"),
			attr("source_ip_groups", "sourceIpGroups"),
		}, sort.props...)
		for _, c := range v.blocks(sort.block) {
			o := arm.Object{"ruleCollectionType": sort.collection}
			c.place(o)
			apply(c, []prop{
				attr("name", "name"),
				attr("priority", "priority"),
				attr("action", "action.type"),
				each("rule", "rules", rule...),
			}, o)
			for _, r := range arm.Objects(o, "rules") {
				r["ruleType"] = sort.rule
			}
			all = append(all, o)
		}
	}
	doc.Properties["ruleCollections"] = all
}
