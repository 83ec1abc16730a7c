package terraform

import (
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/cloister-ml/cloister/arm"
)

const (
	typeLogAnalytics = "Microsoft.OperationalInsights/workspaces"
	typeLogCluster   = "Microsoft.OperationalInsights/clusters"
	typeQueryPack    = "Microsoft.OperationalInsights/queryPacks"
	typeSolution     = "Microsoft.OperationsManagement/solutions"
)

var logAnalyticsKinds = map[string]kind{
	"azurerm_log_analytics_workspace": {
		arm: typeLogAnalytics,
		id:  inGroup(typeLogAnalytics),
		props: []prop{
			attr("sku", "sku.name").or("PerGB2018"),
			attr("reservation_capacity_in_gb_per_day", "sku.capacityReservationLevel"),
			attr("retention_in_days", "retentionInDays").or(30.0),
			attr("daily_quota_gb", "workspaceCapping.dailyQuotaGb").or(-1.0),
			attr("internet_ingestion_enabled", "publicNetworkAccessForIngestion").or("Enabled").as(toggled),
			attr("internet_ingestion_access_type", "publicNetworkAccessForIngestion"),
			attr("internet_query_enabled", "publicNetworkAccessForQuery").or("Enabled").as(toggled),
			attr("internet_query_access_type", "publicNetworkAccessForQuery"),
			attr("local_authentication_disabled", "features.disableLocalAuth").or(false),
			attr("local_authentication_enabled", "features.disableLocalAuth").as(negated),
			attr("allow_resource_only_permissions", "features.enableLogAccessUsingOnlyResourcePermissions").or(true),
			attr("immediate_data_purge_on_30_days_enabled", "features.immediatePurgeDataOn30Days"),
			attr("cmk_for_query_forced", "forceCmkForQuery"),
			attr("data_collection_rule_id", "defaultDataCollectionRuleResourceId"),
		},
		decide: func(_ view, id arm.ID) map[string]cty.Value {
			return texts("workspace_id", arm.StableGUID(id, "customerId"))
		},
	},
	"azurerm_log_analytics_solution": {
		arm: typeSolution,
		id: func(v view) arm.ID {
			name := v.symbol("solution_name") + "(" + v.symbol("workspace_name") + ")"
			return arm.ResourceID(v.subscription, v.symbol("resource_group_name"), typeSolution, name)
		},
		props: []prop{attr("workspace_resource_id", "workspaceResourceId")},
	},
	"azurerm_log_analytics_linked_storage_account": {
		arm: typeLogAnalytics + "/linkedStorageAccounts",
		id: func(v view) arm.ID {
			return logWorkspace(v, "workspace_id", "workspace_resource_id").Child("linkedStorageAccounts", v.symbol("data_source_type"))
		},
		props: []prop{attr("storage_account_ids", "storageAccountIds")},
	},
	"azurerm_log_analytics_linked_service": {
		arm: typeLogAnalytics + "/linkedServices",
		id: func(v view) arm.ID {
			name := "Automation"
			if v.has("write_access_id") {
				name = "Cluster"
			}
			return v.id("workspace_id", typeLogAnalytics).Child("linkedServices", name)
		},
		props: []prop{attr("read_access_id", "resourceId"), attr("write_access_id", "writeAccessResourceId")},
	},
	"azurerm_log_analytics_saved_search": {
		arm: typeLogAnalytics + "/savedSearches",
		id:  childOf("log_analytics_workspace_id", typeLogAnalytics, "savedSearches"),
		props: []prop{
			attr("category", "category"),
			attr("display_name", "displayName"),
			attr("query", "query"),
			attr("function_alias", "functionAlias"),
			attr("function_parameters", "functionParameters").as(joined),
			attr("tags", "tags").as(pairs("name", "value")),
		},
		finish: func(_ view, doc *arm.Resource) { doc.Tags = nil },
	},
	"azurerm_log_analytics_cluster": {
		arm: typeLogCluster,
		id:  inGroup(typeLogCluster),
		sku: []prop{attr("size_gb", "capacity").or(100.0)},
		finish: func(_ view, doc *arm.Resource) {
			doc.SKU["name"] = "CapacityReservation"
		},
	},
	"azurerm_log_analytics_cluster_customer_managed_key": {effect: func(v view, _ arm.ID, b *builder) {
		b.change(v, v.id("log_analytics_cluster_id", typeLogCluster), func(doc *arm.Resource) {
			if doc.Properties == nil {
				doc.Properties = arm.Object{}
			}
			doc.Properties["keyVaultProperties"] = keyParts(v.json("key_vault_key_id"))
			v.marks(doc, "keyVaultProperties")
		})
	}},
	"azurerm_log_analytics_data_export_rule": {
		arm: typeLogAnalytics + "/dataExports",
		id:  childOf("workspace_resource_id", typeLogAnalytics, "dataExports"),
		props: []prop{
			attr("destination_resource_id", "destination.resourceId"),
			attr("table_names", "tableNames"),
			attr("enabled", "enable").or(false),
		},
	},
	"azurerm_log_analytics_query_pack": {arm: typeQueryPack, id: inGroup(typeQueryPack)},
	"azurerm_log_analytics_query_pack_query": {
		arm: typeQueryPack + "/queries",
		id:  childOf("query_pack_id", typeQueryPack, "queries"),
		props: []prop{
			attr("display_name", "displayName"),
			attr("description", "description"),
			attr("body", "body"),
			attr("categories", "related.categories"),
			attr("resource_types", "related.resourceTypes"),
			attr("solutions", "related.solutions"),
		},
	},
	"azurerm_log_analytics_workspace_table": {
		arm: typeLogAnalytics + "/tables",
		id:  childOf("workspace_id", typeLogAnalytics, "tables"),
		props: []prop{
			attr("plan", "plan").or("Analytics"),
			attr("retention_in_days", "retentionInDays"),
			attr("total_retention_in_days", "totalRetentionInDays"),
		},
	},
}

// logWorkspace is the workspace that the first of some attributes names.
func logWorkspace(v view, names ...string) arm.ID {
	for _, name := range names {
		if v.has(name) {
			return v.id(name, typeLogAnalytics)
		}
	}
	return v.id(names[0], typeLogAnalytics)
}

// keyParts are the vault, name and version of a key's URL.
func keyParts(v any) any {
	s, ok := v.(string)
	if !ok {
		return v
	}
	vault, rest, ok := strings.Cut(s, "/keys/")
	if !ok {
		return arm.Object{"keyVaultUri": s}
	}
	name, version, _ := strings.Cut(rest, "/")
	out := arm.Object{"keyVaultUri": vault, "keyName": name}
	if version != "" {
		out["keyVersion"] = version
	}
	return out
}
