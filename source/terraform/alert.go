package terraform

import "github.com/cloister-ml/cloister/arm"

const (
	typeActionGroup    = "Microsoft.Insights/actionGroups"
	typeMetricAlert    = "Microsoft.Insights/metricAlerts"
	typeActivityAlert  = "Microsoft.Insights/activityLogAlerts"
	typeScheduledQuery = "Microsoft.Insights/scheduledQueryRules"
	typeSmartDetector  = "Microsoft.AlertsManagement/smartDetectorAlertRules"
	typeAutoscale      = "Microsoft.Insights/autoScaleSettings"
)

// receiver is one of the sorts of receiver of an action group.
func receiver(block, member string, props ...prop) prop {
	return each(block, member, append([]prop{attr("name", "name")}, props...)...)
}

var (
	commonSchema = attr("use_common_alert_schema", "useCommonAlertSchema").or(false)
	phone        = []prop{attr("country_code", "countryCode"), attr("phone_number", "phoneNumber")}
)

var alertKinds = map[string]kind{
	"azurerm_monitor_action_group": {
		arm: typeActionGroup,
		id:  inGroup(typeActionGroup),
		props: []prop{
			attr("short_name", "groupShortName"),
			attr("enabled", "enabled").or(true),
			receiver("email_receiver", "emailReceivers", attr("email_address", "emailAddress"), commonSchema),
			receiver("sms_receiver", "smsReceivers", phone...),
			receiver("voice_receiver", "voiceReceivers", phone...),
			receiver("arm_role_receiver", "armRoleReceivers", attr("role_id", "roleId"), commonSchema),
			receiver("azure_app_push_receiver", "azureAppPushReceivers", attr("email_address", "emailAddress")),
			receiver("azure_function_receiver", "azureFunctionReceivers",
				attr("function_app_resource_id", "functionAppResourceId"),
				attr("function_name", "functionName"),
				attr("http_trigger_url", "httpTriggerUrl"),
				commonSchema),
			receiver("automation_runbook_receiver", "automationRunbookReceivers",
				attr("automation_account_id", "automationAccountId"),
				attr("runbook_name", "runbookName"),
				attr("webhook_resource_id", "webhookResourceId"),
				attr("is_global_runbook", "isGlobalRunbook"),
				attr("service_uri", "serviceUri"),
				commonSchema),
			receiver("event_hub_receiver", "eventHubReceivers",
				attr("event_hub_namespace", "eventHubNameSpace"),
				attr("event_hub_name", "eventHubName"),
				attr("subscription_id", "subscriptionId"),
				attr("tenant_id", "tenantId"),
				commonSchema),
			receiver("itsm_receiver", "itsmReceivers",
				attr("workspace_id", "workspaceId"),
				attr("connection_id", "connectionId"),
				attr("ticket_configuration", "ticketConfiguration"),
				attr("region", "region")),
			receiver("logic_app_receiver", "logicAppReceivers",
				attr("resource_id", "resourceId"), attr("callback_url", "callbackUrl"), commonSchema),
			receiver("webhook_receiver", "webhookReceivers",
				attr("service_uri", "serviceUri"),
				commonSchema,
				attr("aad_auth.object_id", "objectId"),
				attr("aad_auth.identifier_uri", "identifierUri"),
				attr("aad_auth.tenant_id", "tenantId")),
		},
		finish: func(v view, doc *arm.Resource) {
			if !v.has("location") {
				doc.Location = "global"
			}
			here(v, doc)
		},
	},
	"azurerm_monitor_metric_alert": {
		arm: typeMetricAlert,
		id:  inGroup(typeMetricAlert),
		props: []prop{
			attr("description", "description"),
			attr("enabled", "enabled").or(true),
			attr("auto_mitigate", "autoMitigate").or(true),
			attr("severity", "severity").or(3.0),
			attr("scopes", "scopes"),
			attr("frequency", "evaluationFrequency").or("PT1M"),
			attr("window_size", "windowSize").or("PT5M"),
			attr("target_resource_type", "targetResourceType"),
			attr("target_resource_location", "targetResourceRegion"),
			each("action", "actions", attr("action_group_id", "actionGroupId"), attr("webhook_properties", "webHookProperties")).or([]any{}),
		},
		finish: metricCriteria,
	},
	"azurerm_monitor_activity_log_alert": {
		arm: typeActivityAlert,
		id:  inGroup(typeActivityAlert),
		props: []prop{
			attr("description", "description"),
			attr("enabled", "enabled").or(true),
			attr("scopes", "scopes"),
			each("action", "actions.actionGroups", attr("action_group_id", "actionGroupId"), attr("webhook_properties", "webhookProperties")).or([]any{}),
		},
		finish: activityCondition,
	},
	"azurerm_monitor_scheduled_query_rules_alert":    scheduledQuery,
	"azurerm_monitor_scheduled_query_rules_alert_v2": scheduledQueryV2,
	"azurerm_monitor_smart_detector_alert_rule": {
		arm: typeSmartDetector,
		id:  inGroup(typeSmartDetector),
		props: []prop{
			attr("description", "description"),
			attr("enabled", "state").or("Enabled").as(toggled),
			attr("severity", "severity"),
			attr("frequency", "frequency"),
			attr("detector_type", "detector.id"),
			attr("scope_resource_ids", "scope"),
			attr("throttling_duration", "throttling.duration"),
			attr("action_group.ids", "actionGroups.groupIds"),
			attr("action_group.email_subject", "actionGroups.customEmailSubject"),
			attr("action_group.webhook_payload", "actionGroups.customWebhookPayload"),
		},
		finish: global,
	},
	"azurerm_monitor_autoscale_setting": autoscale,
}

// here fills in what an action group's receivers take from where it is deployed.
func here(v view, doc *arm.Resource) {
	tenant := v.document(v.tenant, "tenant_id")
	for _, r := range arm.Objects(doc.Properties, "eventHubReceivers") {
		r["subscriptionId"] = or(r["subscriptionId"], v.subscription)
		r["tenantId"] = or(r["tenantId"], tenant)
	}
	for _, r := range arm.Objects(doc.Properties, "webhookReceivers") {
		if r["objectId"] != nil {
			r["useAadAuth"] = true
			r["tenantId"] = or(r["tenantId"], tenant)
		}
	}
}

var metricProps = []prop{
	attr("metric_namespace", "metricNamespace"),
	attr("metric_name", "metricName"),
	attr("aggregation", "timeAggregation"),
	attr("operator", "operator"),
	attr("skip_metric_validation", "skipMetricValidation").or(false),
	each("dimension", "dimensions", attr("name", "name"), attr("operator", "operator"), attr("values", "values")),
}

const criteriaTypes = "Microsoft.Azure.Monitor."

// metricCriteria writes a metric alert's criteria, of one of three sorts.
func metricCriteria(v view, doc *arm.Resource) {
	doc.Location = "global"
	all := []any{}
	add := func(block, typ string, props ...prop) {
		for _, c := range v.blocks(block) {
			o := arm.Object{"name": "Metric1", "criterionType": typ}
			if len(all) > 0 {
				o["name"] = "Metric" + decimal(float64(len(all)+1)).(string)
			}
			apply(c, append(props, metricProps...), o)
			all = append(all, o)
		}
	}
	add("criteria", "StaticThresholdCriterion", attr("threshold", "threshold"))
	add("dynamic_criteria", "DynamicThresholdCriterion",
		attr("alert_sensitivity", "alertSensitivity"),
		attr("evaluation_total_count", "failingPeriods.numberOfEvaluationPeriods").or(4.0),
		attr("evaluation_failure_count", "failingPeriods.minFailingPeriodsToAlert").or(4.0),
		attr("ignore_data_before", "ignoreDataBefore"))
	for _, c := range v.blocks("application_insights_web_test_location_availability_criteria") {
		o := arm.Object{"odata.type": criteriaTypes + "WebtestLocationAvailabilityCriteria"}
		apply(c, []prop{
			attr("web_test_id", "webTestId"),
			attr("component_id", "componentId"),
			attr("failed_location_count", "failedLocationCount"),
		}, o)
		doc.Properties["criteria"] = o
		return
	}
	doc.Properties["criteria"] = arm.Object{"odata.type": criteriaTypes + "MultipleResourceMultipleMetricCriteria", "allOf": all}
}

// activityFields are an activity log alert's criteria: what Terraform calls each,
// for one value and for several, and the field of the log.
var activityFields = []struct{ one, many, field string }{
	{"category", "", "category"},
	{"operation_name", "", "operationName"},
	{"caller", "", "caller"},
	{"level", "levels", "level"},
	{"resource_provider", "resource_providers", "resourceProvider"},
	{"resource_type", "resource_types", "resourceType"},
	{"resource_group", "resource_groups", "resourceGroup"},
	{"resource_id", "resource_ids", "resourceId"},
	{"status", "statuses", "status"},
	{"sub_status", "sub_statuses", "subStatus"},
	{"recommendation_type", "", "properties.recommendationType"},
	{"recommendation_category", "", "properties.recommendationCategory"},
	{"recommendation_impact", "", "properties.recommendationImpact"},
	{"", "resource_health.current", "properties.currentHealthStatus"},
	{"", "resource_health.previous", "properties.previousHealthStatus"},
	{"", "resource_health.reason", "properties.cause"},
	{"", "service_health.events", "properties.incidentType"},
}

func activityCondition(v view, doc *arm.Resource) {
	all := []any{}
	for _, c := range v.blocks("criteria") {
		for _, f := range activityFields {
			if f.one != "" && c.has(f.one) {
				all = append(all, arm.Object{"field": f.field, "equals": c.json(f.one)})
			}
			if f.many == "" {
				continue
			}
			if either := anyOf(f.field, c.json(f.many)); either != nil {
				all = append(all, either)
			}
		}
		for _, f := range [][2]string{
			{"service_health.locations", "properties.impactedServices[*].ImpactedRegions[*].RegionName"},
			{"service_health.services", "properties.impactedServices[*].ServiceName"},
		} {
			if c.has(f[0]) {
				all = append(all, arm.Object{"field": f[1], "containsAny": c.json(f[0])})
			}
		}
	}
	set(doc.Properties, "condition.allOf", all)
}

// anyOf is a condition that one of several values meets; nil where there are none.
func anyOf(field string, values any) any {
	switch values := values.(type) {
	case arm.Unknown:
		return arm.Object{"anyOf": values}
	case []any:
		out := make([]any, len(values))
		for i, val := range values {
			out[i] = arm.Object{"field": field, "equals": val}
		}
		return arm.Object{"anyOf": out}
	}
	return nil
}
