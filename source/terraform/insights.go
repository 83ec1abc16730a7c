package terraform

import (
	"encoding/base64"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
)

const (
	typeWebTest  = "Microsoft.Insights/webTests"
	typeWorkbook = "Microsoft.Insights/workbooks"
)

var insightsKinds = map[string]kind{
	"azurerm_application_insights": {
		arm: service.TypeAppInsights,
		id:  inGroup(service.TypeAppInsights),
		props: []prop{
			attr("application_type", "Application_Type"),
			attr("workspace_id", "WorkspaceResourceId"),
			attr("retention_in_days", "RetentionInDays").or(90.0),
			attr("sampling_percentage", "SamplingPercentage").or(100.0),
			attr("force_customer_storage_for_profiler", "ForceCustomerStorageForProfiler").or(false),
			attr("disable_ip_masking", "DisableIpMasking").or(false),
			attr("ip_masking_enabled", "DisableIpMasking").as(negated),
			attr("local_authentication_disabled", "DisableLocalAuth").or(false),
			attr("local_authentication_enabled", "DisableLocalAuth").as(negated),
			attr("internet_ingestion_enabled", "publicNetworkAccessForIngestion").or("Enabled").as(toggled),
			attr("internet_query_enabled", "publicNetworkAccessForQuery").or("Enabled").as(toggled),
		},
		finish: func(v view, doc *arm.Resource) {
			doc.Kind = kindOr(v, "application_type", "web")
			doc.Properties["ApplicationId"] = v.json("name")
		},
	},
	"azurerm_application_insights_standard_web_test": {
		arm: typeWebTest,
		id:  inGroup(typeWebTest),
		props: append([]prop{
			one("request", "Request",
				attr("url", "RequestUrl"),
				attr("http_verb", "HttpVerb").or("GET"),
				attr("body", "RequestBody").as(base64Text),
				attr("follow_redirects_enabled", "FollowRedirects").or(true),
				attr("parse_dependent_requests_enabled", "ParseDependentRequests").or(true),
				each("header", "Headers", attr("name", "key"), attr("value", "value"))),
			one("validation_rules", "ValidationRules",
				attr("expected_status_code", "ExpectedHttpStatusCode").or(200.0),
				attr("ssl_check_enabled", "SSLCheck").or(false),
				attr("ssl_cert_remaining_lifetime", "SSLCertRemainingLifetimeCheck"),
				one("content", "ContentValidation",
					attr("content_match", "ContentMatch"),
					attr("ignore_case", "IgnoreCase"),
					attr("pass_if_text_found", "PassIfTextFound"))),
		}, webTest...),
		finish: func(v view, doc *arm.Resource) { webTestKind(v, doc, "standard") },
	},
	"azurerm_application_insights_web_test": {
		arm:   typeWebTest,
		id:    inGroup(typeWebTest),
		props: append([]prop{attr("configuration", "Configuration.WebTest")}, webTest...),
		finish: func(v view, doc *arm.Resource) {
			webTestKind(v, doc, or(v.json("kind"), "ping"))
		},
	},
	"azurerm_application_insights_workbook": {
		arm: typeWorkbook,
		id:  inGroup(typeWorkbook),
		props: []prop{
			attr("display_name", "displayName"),
			attr("data_json", "serializedData"),
			attr("category", "category").or("workbook"),
			attr("description", "description"),
			attr("source_id", "sourceId").or("azure monitor"),
			attr("storage_container_id", "storageUri"),
		},
		finish: func(_ view, doc *arm.Resource) { doc.Kind = "shared" },
	},
	"azurerm_application_insights_api_key":              {}, // a secret of the component, which no document holds
	"azurerm_application_insights_smart_detection_rule": smartDetection,
}

// webTest are the properties of every sort of test from the web.
var webTest = []prop{
	attr("description", "Description"),
	attr("enabled", "Enabled").or(false),
	attr("frequency", "Frequency").or(300.0),
	attr("timeout", "Timeout").or(30.0),
	attr("retry_enabled", "RetryEnabled").or(false),
	attr("geo_locations", "Locations").as(listed("Id", nil)),
}

// webTestKind writes what a test says twice of itself. The component that it
// tests is named by a tag, as Azure has it.
func webTestKind(v view, doc *arm.Resource, kind any) {
	doc.Properties["Kind"] = kind
	doc.Properties["Name"], doc.Properties["SyntheticMonitorId"] = v.symbol("name"), v.symbol("name")
	doc.Kind, _ = kind.(string)
	if component := v.text("application_insights_id"); component != "" {
		if doc.Tags == nil {
			doc.Tags = map[string]string{}
		}
		doc.Tags["hidden-link:"+component] = "Resource"
	}
}

// smartDetection switches a rule that a component comes with. The REST API has its
// values beside the properties; a document has them within.
var smartDetection = kind{
	arm: service.TypeAppInsights + "/ProactiveDetectionConfigs",
	id: func(v view) arm.ID {
		name := strings.ReplaceAll(strings.ToLower(v.symbol("name")), " ", "")
		return v.id("application_insights_id", service.TypeAppInsights).Child("ProactiveDetectionConfigs", name)
	},
	props: []prop{
		attr("enabled", "enabled").or(true),
		attr("send_emails_to_subscription_owners", "sendEmailsToSubscriptionOwners").or(true),
		attr("additional_email_recipients", "customEmails"),
	},
}

// base64Text is a text in base64.
func base64Text(v any) any {
	s, _ := v.(string)
	return base64.StdEncoding.EncodeToString([]byte(s))
}
