package terraform

import "github.com/cloister-ml/cloister/arm"

const (
	typeAppGateway = "Microsoft.Network/applicationGateways"
	typeWAF        = "Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies"
)

var sslProps = []prop{
	attr("policy_type", "policyType"),
	attr("policy_name", "policyName"),
	attr("min_protocol_version", "minProtocolVersion"),
	attr("cipher_suites", "cipherSuites"),
	attr("disabled_protocols", "disabledSslProtocols"),
}

var customErrors = []prop{attr("status_code", "statusCode"), attr("custom_error_page_url", "customErrorPageUrl")}

// frontParts are what a listener listens on.
var frontParts = []prop{
	attr("name", "name"),
	attr("protocol", "properties.protocol"),
	attr("host_names", "properties.hostNames"),
	part("frontend_ip_configuration_name", "properties.frontendIPConfiguration", "frontendIPConfigurations"),
	part("frontend_port_name", "properties.frontendPort", "frontendPorts"),
	part("ssl_certificate_name", "properties.sslCertificate", "sslCertificates"),
	part("ssl_profile_name", "properties.sslProfile", "sslProfiles"),
}

// routed are what a rule leads to.
func routed(prefix, to string) []prop {
	return []prop{
		part(prefix+"backend_address_pool_name", "properties."+member(to, "backendAddressPool"), "backendAddressPools"),
		part(prefix+"backend_http_settings_name", "properties."+member(to, "backendHttpSettings"), "backendHttpSettingsCollection"),
		part(prefix+"redirect_configuration_name", "properties."+member(to, "redirectConfiguration"), "redirectConfigurations"),
		part(prefix+"rewrite_rule_set_name", "properties."+member(to, "rewriteRuleSet"), "rewriteRuleSets"),
	}
}

// member is a name with a prefix, in camel case.
func member(prefix, name string) string {
	if prefix == "" {
		return name
	}
	return prefix + string(name[0]-'a'+'A') + name[1:]
}

var appGatewayKinds = map[string]kind{
	"azurerm_application_gateway": {
		arm:   typeAppGateway,
		id:    inGroup(typeAppGateway),
		zonal: true,
		props: []prop{
			attr("sku.name", "sku.name"),
			attr("sku.tier", "sku.tier"),
			attr("sku.capacity", "sku.capacity"),
			attr("autoscale_configuration.min_capacity", "autoscaleConfiguration.minCapacity"),
			attr("autoscale_configuration.max_capacity", "autoscaleConfiguration.maxCapacity"),
			attr("enable_http2", "enableHttp2").or(false),
			attr("http2_enabled", "enableHttp2"),
			attr("fips_enabled", "enableFips"),
			attr("firewall_policy_id", "firewallPolicy.id"),
			attr("force_firewall_policy_association", "forceFirewallPolicyAssociation"),
			attr("global.request_buffering_enabled", "globalConfiguration.enableRequestBuffering"),
			attr("global.response_buffering_enabled", "globalConfiguration.enableResponseBuffering"),
			each("gateway_ip_configuration", "gatewayIPConfigurations", attr("name", "name"), attr("subnet_id", "properties.subnet.id")),
			each("frontend_ip_configuration", "frontendIPConfigurations",
				attr("name", "name"),
				attr("subnet_id", "properties.subnet.id"),
				attr("private_ip_address", "properties.privateIPAddress"),
				attr("private_ip_address_allocation", "properties.privateIPAllocationMethod").or("Dynamic"),
				attr("public_ip_address_id", "properties.publicIPAddress.id"),
				part("private_link_configuration_name", "properties.privateLinkConfiguration", "privateLinkConfigurations")),
			each("frontend_port", "frontendPorts", attr("name", "name"), attr("port", "properties.port")),
			each("private_link_configuration", "privateLinkConfigurations",
				attr("name", "name"),
				each("ip_configuration", "properties.ipConfigurations",
					attr("name", "name"),
					attr("subnet_id", "properties.subnet.id"),
					attr("primary", "properties.primary"),
					attr("private_ip_address", "properties.privateIPAddress"),
					attr("private_ip_address_allocation", "properties.privateIPAllocationMethod"))),
			each("backend_address_pool", "backendAddressPools",
				attr("name", "name"),
				attr("fqdns", "properties.backendAddresses").as(listed("fqdn", nil)),
				attr("ip_addresses", "properties.addresses").as(listed("ipAddress", nil))),
			each("backend_http_settings", "backendHttpSettingsCollection",
				attr("name", "name"),
				attr("port", "properties.port"),
				attr("protocol", "properties.protocol"),
				attr("path", "properties.path"),
				attr("host_name", "properties.hostName"),
				attr("cookie_based_affinity", "properties.cookieBasedAffinity"),
				attr("affinity_cookie_name", "properties.affinityCookieName"),
				attr("request_timeout", "properties.requestTimeout").or(30.0),
				attr("pick_host_name_from_backend_address", "properties.pickHostNameFromBackendAddress").or(false),
				attr("dedicated_backend_connection_enabled", "properties.dedicatedBackendConnection").or(false),
				attr("certificate_chain_validation_enabled", "properties.validateCertChainAndExpiry").or(true),
				attr("sni_validation_enabled", "properties.validateSNI").or(true),
				attr("sni_name", "properties.sniName"),
				attr("connection_draining.enabled", "properties.connectionDraining.enabled"),
				attr("connection_draining.drain_timeout_sec", "properties.connectionDraining.drainTimeoutInSec"),
				part("probe_name", "properties.probe", "probes"),
				part("trusted_root_certificate_names", "properties.trustedRootCertificates", "trustedRootCertificates")),
			each("backend", "backendSettingsCollection",
				attr("name", "name"),
				attr("port", "properties.port"),
				attr("protocol", "properties.protocol"),
				attr("host_name", "properties.hostName"),
				attr("timeout_in_seconds", "properties.timeout").or(20.0),
				attr("client_ip_preservation_enabled", "properties.enableL4ClientIpPreservation").or(false),
				part("probe_name", "properties.probe", "probes"),
				part("trusted_root_certificate_names", "properties.trustedRootCertificates", "trustedRootCertificates")),
			each("http_listener", "httpListeners", append([]prop{
				attr("host_name", "properties.hostName"),
				attr("require_sni", "properties.requireServerNameIndication").or(false),
				attr("firewall_policy_id", "properties.firewallPolicy.id"),
				each("custom_error_configuration", "properties.customErrorConfigurations", customErrors...),
			}, frontParts...)...),
			each("listener", "listeners", frontParts...),
			each("probe", "probes",
				attr("name", "name"),
				attr("protocol", "properties.protocol"),
				attr("host", "properties.host"),
				attr("path", "properties.path"),
				attr("port", "properties.port"),
				attr("interval", "properties.interval"),
				attr("timeout", "properties.timeout"),
				attr("unhealthy_threshold", "properties.unhealthyThreshold"),
				attr("minimum_servers", "properties.minServers").or(0.0),
				attr("pick_host_name_from_backend_http_settings", "properties.pickHostNameFromBackendHttpSettings").or(false),
				attr("proxy_protocol_header_enabled", "properties.enableProbeProxyProtocolHeader").or(false),
				attr("match.body", "properties.match.body"),
				attr("match.status_code", "properties.match.statusCodes")),
			each("redirect_configuration", "redirectConfigurations",
				attr("name", "name"),
				attr("redirect_type", "properties.redirectType"),
				attr("target_url", "properties.targetUrl"),
				attr("include_path", "properties.includePath"),
				attr("include_query_string", "properties.includeQueryString"),
				part("target_listener_name", "properties.targetListener", "httpListeners")),
			each("request_routing_rule", "requestRoutingRules", append([]prop{
				attr("name", "name"),
				attr("rule_type", "properties.ruleType"),
				attr("priority", "properties.priority"),
				part("http_listener_name", "properties.httpListener", "httpListeners"),
				part("url_path_map_name", "properties.urlPathMap", "urlPathMaps"),
			}, routed("", "")...)...),
			each("routing_rule", "routingRules",
				attr("name", "name"),
				attr("priority", "properties.priority"),
				part("listener_name", "properties.listener", "listeners"),
				part("backend_name", "properties.backendSettings", "backendSettingsCollection"),
				part("backend_address_pool_name", "properties.backendAddressPool", "backendAddressPools")),
			each("url_path_map", "urlPathMaps", append([]prop{
				attr("name", "name"),
				each("path_rule", "properties.pathRules", append([]prop{
					attr("name", "name"),
					attr("paths", "properties.paths"),
					attr("firewall_policy_id", "properties.firewallPolicy.id"),
				}, routed("", "")...)...),
			}, routed("default_", "default")...)...),
			each("rewrite_rule_set", "rewriteRuleSets",
				attr("name", "name"),
				each("rewrite_rule", "properties.rewriteRules",
					attr("name", "name"),
					attr("rule_sequence", "ruleSequence"),
					each("condition", "conditions",
						attr("variable", "variable"),
						attr("pattern", "pattern"),
						attr("ignore_case", "ignoreCase").or(false),
						attr("negate", "negate").or(false)),
					each("request_header_configuration", "actionSet.requestHeaderConfigurations", rewriteHeader...),
					each("response_header_configuration", "actionSet.responseHeaderConfigurations", rewriteHeader...),
					one("url", "actionSet.urlConfiguration",
						attr("path", "modifiedPath"), attr("query_string", "modifiedQueryString"), attr("reroute", "reroute").or(false)))),
			each("ssl_certificate", "sslCertificates",
				attr("name", "name"),
				attr("key_vault_secret_id", "properties.keyVaultSecretId"),
				attr("data", "properties.data").secret(),
				attr("password", "properties.password").secret()),
			each("trusted_root_certificate", "trustedRootCertificates",
				attr("name", "name"),
				attr("key_vault_secret_id", "properties.keyVaultSecretId"),
				attr("data", "properties.data").secret()),
			each("trusted_client_certificate", "trustedClientCertificates",
				attr("name", "name"), attr("data", "properties.data").secret()),
			each("authentication_certificate", "authenticationCertificates",
				attr("name", "name"), attr("data", "properties.data").secret()),
			one("ssl_policy", "sslPolicy", sslProps...),
			each("ssl_profile", "sslProfiles",
				attr("name", "name"),
				attr("verify_client_cert_issuer_dn", "properties.clientAuthConfiguration.verifyClientCertIssuerDN").or(false),
				attr("verify_client_certificate_issuer_dn", "properties.clientAuthConfiguration.verifyClientCertIssuerDN"),
				attr("verify_client_certificate_revocation", "properties.clientAuthConfiguration.verifyClientRevocation").or("None"),
				part("trusted_client_certificate_names", "properties.trustedClientCertificates", "trustedClientCertificates"),
				one("ssl_policy", "properties.sslPolicy", sslProps...)),
			each("custom_error_configuration", "customErrorConfigurations", customErrors...),
			one("waf_configuration", "webApplicationFirewallConfiguration",
				attr("enabled", "enabled"),
				attr("firewall_mode", "firewallMode"),
				attr("rule_set_type", "ruleSetType").or("OWASP"),
				attr("rule_set_version", "ruleSetVersion"),
				attr("file_upload_limit_mb", "fileUploadLimitInMb").or(100.0),
				attr("request_body_check", "requestBodyCheck").or(true),
				attr("max_request_body_size_kb", "maxRequestBodySizeInKb").or(128.0),
				each("disabled_rule_group", "disabledRuleGroups", attr("rule_group_name", "ruleGroupName"), attr("rules", "rules")),
				each("exclusion", "exclusions", exclusion...)),
		},
		finish: backendAddresses,
	},
	"azurerm_web_application_firewall_policy": {
		arm: typeWAF,
		id:  inGroup(typeWAF),
		props: []prop{
			each("custom_rules", "customRules",
				attr("name", "name"),
				attr("priority", "priority"),
				attr("enabled", "state").or("Enabled").as(toggled),
				attr("rule_type", "ruleType"),
				attr("action", "action"),
				attr("rate_limit_duration", "rateLimitDuration"),
				attr("rate_limit_threshold", "rateLimitThreshold"),
				attr("group_rate_limit_by", "groupByUserSession").as(func(v any) any {
					return []any{arm.Object{"groupByVariables": []any{arm.Object{"variableName": v}}}}
				}),
				each("match_conditions", "matchConditions",
					attr("operator", "operator"),
					attr("match_values", "matchValues"),
					attr("negation_condition", "negationConditon").or(false), // as the API spells it
					attr("transforms", "transforms"),
					each("match_variables", "matchVariables", attr("variable_name", "variableName"), attr("selector", "selector")))).or([]any{}),
			one("policy_settings", "policySettings",
				attr("enabled", "state").or("Enabled").as(toggled),
				attr("mode", "mode").or("Prevention"),
				attr("request_body_check", "requestBodyCheck").or(true),
				attr("request_body_enforcement", "requestBodyEnforcement").or(true),
				attr("request_body_inspect_limit_in_kb", "requestBodyInspectLimitInKB").or(128.0),
				attr("max_request_body_size_in_kb", "maxRequestBodySizeInKb").or(128.0),
				attr("file_upload_enforcement", "fileUploadEnforcement").or(false),
				attr("file_upload_limit_in_mb", "fileUploadLimitInMb").or(100.0),
				attr("js_challenge_cookie_expiration_in_minutes", "jsChallengeCookieExpirationInMins").or(30.0),
				one("log_scrubbing", "logScrubbing",
					attr("enabled", "state").or("Enabled").as(toggled),
					each("rule", "scrubbingRules", append([]prop{attr("enabled", "state").or("Enabled").as(toggled)}, exclusion...)...))),
			each("managed_rules.exclusion", "managedRules.exclusions", append([]prop{
				each("excluded_rule_set", "exclusionManagedRuleSets",
					attr("type", "ruleSetType").or("OWASP"),
					attr("version", "ruleSetVersion").or("3.2"),
					each("rule_group", "ruleGroups",
						attr("rule_group_name", "ruleGroupName"),
						attr("excluded_rules", "rules").as(listed("ruleId", nil)))),
			}, exclusion...)...),
			each("managed_rules.managed_rule_set", "managedRules.managedRuleSets",
				attr("type", "ruleSetType").or("OWASP"),
				attr("version", "ruleSetVersion"),
				each("rule_group_override", "ruleGroupOverrides",
					attr("rule_group_name", "ruleGroupName"),
					attr("disabled_rules", "rules").as(listed("ruleId", arm.Object{"state": "Disabled"})),
					each("rule", "rules",
						attr("id", "ruleId"),
						attr("action", "action"),
						attr("enabled", "state").or("Disabled").as(toggled)))),
		},
	},
}

var rewriteHeader = []prop{attr("header_name", "headerName"), attr("header_value", "headerValue")}

var exclusion = []prop{
	attr("match_variable", "matchVariable"),
	attr("selector_match_operator", "selectorMatchOperator"),
	attr("selector", "selector"),
}

// backendAddresses puts the names and the addresses of a pool into one array.
func backendAddresses(_ view, doc *arm.Resource) {
	for _, pool := range arm.Objects(doc.Properties, "backendAddressPools") {
		props, ok := pool["properties"].(arm.Object)
		if !ok {
			continue
		}
		addresses, known := props["addresses"].([]any)
		if names, ok := props["backendAddresses"].([]any); known && (ok || props["backendAddresses"] == nil) {
			props["backendAddresses"] = append(names, addresses...)
		}
		delete(props, "addresses")
	}
}
