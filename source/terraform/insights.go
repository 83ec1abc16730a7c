package terraform

import (
	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
)

const typeLogAnalytics = "Microsoft.OperationalInsights/workspaces"

var insightsKinds = map[string]kind{
	"azurerm_log_analytics_workspace": {
		arm: typeLogAnalytics,
		id:  inGroup(typeLogAnalytics),
		props: []prop{
			attr("sku", "sku.name").or("PerGB2018"),
			attr("retention_in_days", "retentionInDays").or(30.0),
			attr("daily_quota_gb", "workspaceCapping.dailyQuotaGb").or(-1.0),
			attr("internet_ingestion_enabled", "publicNetworkAccessForIngestion").or("Enabled").as(toggled),
			attr("internet_ingestion_access_type", "publicNetworkAccessForIngestion"),
			attr("internet_query_enabled", "publicNetworkAccessForQuery").or("Enabled").as(toggled),
			attr("internet_query_access_type", "publicNetworkAccessForQuery"),
			attr("local_authentication_disabled", "features.disableLocalAuth").or(false),
			attr("local_authentication_enabled", "features.disableLocalAuth").as(negated),
			attr("allow_resource_only_permissions", "features.enableLogAccessUsingOnlyResourcePermissions").or(true),
		},
	},
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
}
