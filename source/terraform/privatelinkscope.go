package terraform

const typePrivateLinkScope = "Microsoft.Insights/privateLinkScopes"

// privateLinkScopeKinds are Azure Monitor's private link scopes and what they hold.
var privateLinkScopeKinds = map[string]kind{
	"azurerm_monitor_private_link_scope": {
		arm:    typePrivateLinkScope,
		id:     inGroup(typePrivateLinkScope),
		finish: global,
		props: []prop{
			attr("ingestion_access_mode", "accessModeSettings.ingestionAccessMode").or("Open"),
			attr("query_access_mode", "accessModeSettings.queryAccessMode").or("Open"),
		},
	},
	"azurerm_monitor_private_link_scoped_service": {
		arm:   typePrivateLinkScope + "/scopedResources",
		id:    under(typePrivateLinkScope, "scope_name", "scopedResources"),
		props: []prop{attr("linked_resource_id", "linkedResourceId")},
	},
}
