package terraform

import "github.com/cloister-ml/cloister/arm"

// scheduledQuery is a rule of the first API, which writes numbers and flags as
// text here and there.
var scheduledQuery = kind{
	arm: typeScheduledQuery,
	id:  inGroup(typeScheduledQuery),
	fixed: arm.Object{"action": arm.Object{
		"odata.type": "Microsoft.WindowsAzure.Management.Monitoring.Alerts.Models.Microsoft.AppInsights.Nexus.DataContracts.Resources.ScheduledQueryRules.AlertingAction",
	}},
	props: []prop{
		attr("description", "description"),
		attr("enabled", "enabled").or("true").as(worded("true", "false")),
		attr("auto_mitigation_enabled", "autoMitigate").or(false),
		attr("frequency", "schedule.frequencyInMinutes"),
		attr("time_window", "schedule.timeWindowInMinutes"),
		attr("data_source_id", "source.dataSourceId"),
		attr("authorized_resource_ids", "source.authorizedResources"),
		attr("query", "source.query"),
		attr("query_type", "source.queryType").or("ResultCount"),
		attr("severity", "action.severity").as(decimal),
		attr("throttling", "action.throttlingInMin"),
		attr("action.action_group", "action.aznsAction.actionGroup"),
		attr("action.email_subject", "action.aznsAction.emailSubject"),
		attr("action.custom_webhook_payload", "action.aznsAction.customWebhookPayload"),
		attr("trigger.operator", "action.trigger.thresholdOperator"),
		attr("trigger.threshold", "action.trigger.threshold"),
		one("trigger.metric_trigger", "action.trigger.metricTrigger",
			attr("metric_column", "metricColumn"),
			attr("metric_trigger_type", "metricTriggerType"),
			attr("operator", "thresholdOperator"),
			attr("threshold", "threshold")),
	},
}

var scheduledQueryV2 = kind{
	arm: typeScheduledQuery,
	id:  inGroup(typeScheduledQuery),
	props: []prop{
		attr("description", "description"),
		attr("display_name", "displayName"),
		attr("enabled", "enabled").or(true),
		attr("auto_mitigation_enabled", "autoMitigate").or(false),
		attr("workspace_alerts_storage_enabled", "checkWorkspaceAlertsStorageConfigured").or(false),
		attr("evaluation_frequency", "evaluationFrequency"),
		attr("window_duration", "windowSize"),
		attr("mute_actions_after_alert_duration", "muteActionsDuration"),
		attr("query_time_range_override", "overrideQueryTimeRange"),
		attr("scopes", "scopes"),
		attr("severity", "severity"),
		attr("skip_query_validation", "skipQueryValidation").or(false),
		attr("target_resource_types", "targetResourceTypes"),
		attr("action.action_groups", "actions.actionGroups"),
		attr("action.custom_properties", "actions.customProperties"),
		each("criteria", "criteria.allOf",
			attr("query", "query"),
			attr("operator", "operator"),
			attr("threshold", "threshold"),
			attr("time_aggregation_method", "timeAggregation"),
			attr("metric_measure_column", "metricMeasureColumn"),
			attr("resource_id_column", "resourceIdColumn"),
			each("dimension", "dimensions", attr("name", "name"), attr("operator", "operator"), attr("values", "values")),
			one("failing_periods", "failingPeriods",
				attr("minimum_failing_periods_to_trigger_alert", "minFailingPeriodsToAlert"),
				attr("number_of_evaluation_periods", "numberOfEvaluationPeriods"))),
	},
	finish: func(v view, doc *arm.Resource) {
		doc.Kind = "LogAlert"
		if v.has("action.email_subject") {
			set(doc.Properties, "actions.actionProperties", arm.Object{"Email.Subject": v.json("action.email_subject")})
		}
	},
}

var autoscale = kind{
	arm: typeAutoscale,
	id:  inGroup(typeAutoscale),
	props: []prop{
		attr("enabled", "enabled").or(true),
		attr("target_resource_id", "targetResourceUri"),
		one("predictive", "predictiveAutoscalePolicy", attr("scale_mode", "scaleMode"), attr("look_ahead_time", "scaleLookAheadTime")),
		each("notification", "notifications",
			one("email", "email",
				attr("custom_emails", "customEmails"),
				attr("send_to_subscription_administrator", "sendToSubscriptionAdministrator").or(false),
				attr("send_to_subscription_co_administrator", "sendToSubscriptionCoAdministrators").or(false)),
			each("webhook", "webhooks", attr("service_uri", "serviceUri"), attr("properties", "properties"))),
		each("profile", "profiles",
			attr("name", "name"),
			attr("capacity.default", "capacity.default").as(decimal),
			attr("capacity.minimum", "capacity.minimum").as(decimal),
			attr("capacity.maximum", "capacity.maximum").as(decimal),
			one("fixed_date", "fixedDate", attr("start", "start"), attr("end", "end"), attr("timezone", "timeZone").or("UTC")),
			one("recurrence", "recurrence",
				attr("days", "schedule.days"),
				attr("hours", "schedule.hours"),
				attr("minutes", "schedule.minutes"),
				attr("timezone", "schedule.timeZone").or("UTC")),
			each("rule", "rules",
				one("metric_trigger", "metricTrigger",
					attr("metric_name", "metricName"),
					attr("metric_namespace", "metricNamespace"),
					attr("metric_resource_id", "metricResourceUri"),
					attr("operator", "operator"),
					attr("statistic", "statistic"),
					attr("threshold", "threshold"),
					attr("time_aggregation", "timeAggregation"),
					attr("time_grain", "timeGrain"),
					attr("time_window", "timeWindow"),
					attr("divide_by_instance_count", "dividePerInstance").or(false),
					each("dimensions", "dimensions", attr("name", "DimensionName"), attr("operator", "Operator"), attr("values", "Values"))),
				one("scale_action", "scaleAction",
					attr("direction", "direction"),
					attr("type", "type"),
					attr("value", "value").as(decimal),
					attr("cooldown", "cooldown"))).or([]any{})),
	},
	finish: func(_ view, doc *arm.Resource) {
		for _, p := range arm.Objects(doc.Properties, "profiles") {
			if r, ok := p["recurrence"].(arm.Object); ok {
				r["frequency"] = "Week"
			}
		}
		for _, n := range arm.Objects(doc.Properties, "notifications") {
			n["operation"] = "scale"
		}
	},
}
