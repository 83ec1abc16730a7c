package terraform

import "github.com/cloister-ml/cloister/arm"

const (
	typeCDN          = "Microsoft.Cdn/profiles"
	typeAFDEndpoint  = typeCDN + "/afdEndpoints"
	typeOriginGroup  = typeCDN + "/originGroups"
	typeFrontDoorWAF = "Microsoft.Network/frontDoorWebApplicationFirewallPolicies"
)

var enabledState = attr("enabled", "enabledState").or("Enabled").as(toggled)

var frontDoorKinds = map[string]kind{
	"azurerm_cdn_frontdoor_profile": {
		arm: typeCDN,
		id:  inGroup(typeCDN),
		sku: []prop{attr("sku_name", "name")},
		props: []prop{
			attr("response_timeout_seconds", "originResponseTimeoutSeconds").or(120.0),
			each("log_scrubbing_rule", "logScrubbing.scrubbingRules", attr("match_variable", "matchVariable")),
		},
		finish: func(v view, doc *arm.Resource) {
			global(v, doc)
			state := "Disabled"
			if len(v.blocks("log_scrubbing_rule")) > 0 {
				state = "Enabled"
			}
			set(doc.Properties, "logScrubbing.state", state)
		},
	},
	"azurerm_cdn_frontdoor_endpoint": {
		arm:    typeAFDEndpoint,
		id:     childOf("cdn_frontdoor_profile_id", typeCDN, "afdEndpoints"),
		props:  []prop{enabledState},
		finish: global,
	},
	"azurerm_cdn_frontdoor_origin_group": {
		arm: typeOriginGroup,
		id:  childOf("cdn_frontdoor_profile_id", typeCDN, "originGroups"),
		props: []prop{
			attr("session_affinity_enabled", "sessionAffinityState").or("Enabled").as(toggled),
			attr("restore_traffic_time_to_healed_or_new_endpoint_in_minutes", "trafficRestorationTimeToHealedOrNewEndpointsInMinutes").or(10.0),
			one("health_probe", "healthProbeSettings",
				attr("interval_in_seconds", "probeIntervalInSeconds"),
				attr("path", "probePath").or("/"),
				attr("protocol", "probeProtocol"),
				attr("request_type", "probeRequestType").or("HEAD")),
			one("load_balancing", "loadBalancingSettings",
				attr("additional_latency_in_milliseconds", "additionalLatencyInMilliseconds").or(50.0),
				attr("sample_size", "sampleSize").or(4.0),
				attr("successful_samples_required", "successfulSamplesRequired").or(3.0)),
		},
	},
	"azurerm_cdn_frontdoor_origin": {
		arm: typeOriginGroup + "/origins",
		id:  childOf("cdn_frontdoor_origin_group_id", typeOriginGroup, "origins"),
		props: []prop{
			attr("health_probes_enabled", "enabledState").or("Enabled").as(toggled),
			attr("enabled", "enabledState").as(toggled),
			attr("certificate_name_check_enabled", "enforceCertificateNameCheck"),
			attr("host_name", "hostName"),
			attr("origin_host_header", "originHostHeader"),
			attr("http_port", "httpPort").or(80.0),
			attr("https_port", "httpsPort").or(443.0),
			attr("priority", "priority").or(1.0),
			attr("weight", "weight").or(500.0),
			one("private_link", "sharedPrivateLinkResource",
				attr("private_link_target_id", "privateLink.id"),
				attr("location", "privateLinkLocation"),
				attr("target_type", "groupId"),
				attr("request_message", "requestMessage").or("Access request for CDN FrontDoor Private Link Origin")),
		},
	},
	"azurerm_cdn_frontdoor_route": {
		arm: typeAFDEndpoint + "/routes",
		id:  childOf("cdn_frontdoor_endpoint_id", typeAFDEndpoint, "routes"),
		props: []prop{
			enabledState,
			attr("cdn_frontdoor_origin_group_id", "originGroup.id"),
			attr("cdn_frontdoor_custom_domain_ids", "customDomains").as(references),
			attr("cdn_frontdoor_rule_set_ids", "ruleSets").as(references),
			attr("cdn_frontdoor_origin_path", "originPath"),
			attr("forwarding_protocol", "forwardingProtocol").or("MatchRequest"),
			attr("https_redirect_enabled", "httpsRedirect").or("Enabled").as(toggled),
			attr("link_to_default_domain", "linkToDefaultDomain").or("Enabled").as(toggled),
			attr("patterns_to_match", "patternsToMatch"),
			attr("supported_protocols", "supportedProtocols"),
			one("cache", "cacheConfiguration",
				attr("query_string_caching_behavior", "queryStringCachingBehavior").or("IgnoreQueryString"),
				attr("query_strings", "queryParameters").as(commas),
				attr("compression_enabled", "compressionSettings.isCompressionEnabled").or(false),
				attr("content_types_to_compress", "compressionSettings.contentTypesToCompress")),
		},
	},
	"azurerm_cdn_frontdoor_custom_domain": {
		arm: typeCDN + "/customDomains",
		id:  childOf("cdn_frontdoor_profile_id", typeCDN, "customDomains"),
		props: []prop{
			attr("host_name", "hostName"),
			attr("dns_zone_id", "azureDnsZone.id"),
			attr("tls.certificate_type", "tlsSettings.certificateType").or("ManagedCertificate"),
			attr("tls.minimum_tls_version", "tlsSettings.minimumTlsVersion").or("TLS12"),
			attr("tls.minimum_version", "tlsSettings.minimumTlsVersion"),
			attr("tls.cdn_frontdoor_secret_id", "tlsSettings.secret.id"),
		},
	},
	"azurerm_cdn_frontdoor_custom_domain_association": {}, // routes name their domains themselves
	"azurerm_cdn_frontdoor_rule_set": {
		arm: typeCDN + "/ruleSets",
		id:  childOf("cdn_frontdoor_profile_id", typeCDN, "ruleSets"),
	},
	"azurerm_cdn_frontdoor_security_policy": {
		arm:   typeCDN + "/securityPolicies",
		id:    childOf("cdn_frontdoor_profile_id", typeCDN, "securityPolicies"),
		fixed: arm.Object{"parameters": arm.Object{"type": "WebApplicationFirewall"}},
		props: []prop{
			attr("security_policies.firewall.cdn_frontdoor_firewall_policy_id", "parameters.wafPolicy.id"),
			each("security_policies.firewall.association", "parameters.associations",
				attr("patterns_to_match", "patternsToMatch"),
				each("domain", "domains", attr("cdn_frontdoor_domain_id", "id"))),
		},
	},
	"azurerm_cdn_frontdoor_firewall_policy": {
		arm: typeFrontDoorWAF,
		id:  inGroup(typeFrontDoorWAF),
		sku: []prop{attr("sku_name", "name")},
		props: []prop{
			attr("enabled", "policySettings.enabledState").or("Enabled").as(toggled),
			attr("mode", "policySettings.mode"),
			attr("redirect_url", "policySettings.redirectUrl"),
			attr("request_body_check_enabled", "policySettings.requestBodyCheck").or("Enabled").as(toggled),
			attr("custom_block_response_status_code", "policySettings.customBlockResponseStatusCode"),
			attr("custom_block_response_body", "policySettings.customBlockResponseBody"),
			attr("js_challenge_cookie_expiration_in_minutes", "policySettings.javascriptChallengeExpirationInMinutes"),
			attr("captcha_cookie_expiration_in_minutes", "policySettings.captchaExpirationInMinutes"),
			each("custom_rule", "customRules.rules",
				attr("name", "name"),
				enabledState,
				attr("priority", "priority").or(1.0),
				attr("type", "ruleType"),
				attr("action", "action"),
				attr("rate_limit_duration_in_minutes", "rateLimitDurationInMinutes").or(1.0),
				attr("rate_limit_threshold", "rateLimitThreshold").or(10.0),
				each("match_condition", "matchConditions",
					attr("match_variable", "matchVariable"),
					attr("match_values", "matchValue"),
					attr("operator", "operator"),
					attr("selector", "selector"),
					attr("negation_condition", "negateCondition").or(false),
					attr("transforms", "transforms"))),
			each("managed_rule", "managedRules.managedRuleSets",
				attr("type", "ruleSetType"),
				attr("version", "ruleSetVersion"),
				attr("action", "ruleSetAction"),
				each("exclusion", "exclusions", doorExclusion...),
				each("override", "ruleGroupOverrides",
					attr("rule_group_name", "ruleGroupName"),
					each("exclusion", "exclusions", doorExclusion...),
					each("rule", "rules",
						attr("rule_id", "ruleId"),
						attr("enabled", "enabledState").or("Disabled").as(toggled),
						attr("action", "action"),
						each("exclusion", "exclusions", doorExclusion...)))),
			one("log_scrubbing", "policySettings.logScrubbing",
				attr("enabled", "state").or("Enabled").as(toggled),
				each("scrubbing_rule", "scrubbingRules",
					attr("enabled", "state").or("Enabled").as(toggled),
					attr("match_variable", "matchVariable"),
					attr("operator", "selectorMatchOperator").or("Equals"),
					attr("selector", "selector"))),
		},
		finish: func(v view, doc *arm.Resource) {
			global(v, doc)
			if sku, _ := doc.SKU["name"].(string); sku == "Premium_AzureFrontDoor" {
				for _, name := range []string{"javascriptChallengeExpirationInMinutes", "captchaExpirationInMinutes"} {
					if _, set := arm.Lookup(doc.Properties, "policySettings."+name); !set {
						doc.Properties["policySettings"].(arm.Object)[name] = 30.0
					}
				}
			}
		},
	},
}

var doorExclusion = []prop{
	attr("match_variable", "matchVariable"),
	attr("operator", "selectorMatchOperator"),
	attr("selector", "selector"),
}
