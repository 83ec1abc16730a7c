package terraform

import "github.com/cloister-ml/cloister/arm"

const (
	typeWatcher        = "Microsoft.Network/networkWatchers"
	typeEndpointPolicy = "Microsoft.Network/serviceEndpointPolicies"
	typeNetworkProfile = "Microsoft.Network/networkProfiles"
)

// watcherKinds are what watches a network, and what its subnets hand to services.
var watcherKinds = map[string]kind{
	"azurerm_network_watcher": {arm: typeWatcher, id: inGroup(typeWatcher)},
	"azurerm_network_watcher_flow_log": {
		arm: typeWatcher + "/flowLogs",
		id:  under(typeWatcher, "network_watcher_name", "flowLogs"),
		props: []prop{
			attr("network_security_group_id", "targetResourceId"),
			attr("target_resource_id", "targetResourceId"),
			attr("storage_account_id", "storageId"),
			attr("enabled", "enabled"),
			attr("version", "format.version").or(1.0),
			one("retention_policy", "retentionPolicy", attr("enabled", "enabled"), attr("days", "days")),
			one("traffic_analytics", "flowAnalyticsConfiguration",
				attr("enabled", "networkWatcherFlowAnalyticsConfiguration.enabled"),
				attr("workspace_id", "networkWatcherFlowAnalyticsConfiguration.workspaceId"),
				attr("workspace_region", "networkWatcherFlowAnalyticsConfiguration.workspaceRegion"),
				attr("workspace_resource_id", "networkWatcherFlowAnalyticsConfiguration.workspaceResourceId"),
				attr("interval_in_minutes", "networkWatcherFlowAnalyticsConfiguration.trafficAnalyticsInterval").or(60.0)),
		},
		effect: func(v view, id arm.ID, b *builder) {
			b.settle(v, id, func(doc *arm.Resource) { // it is where its watcher is
				if watcher, ok := b.docs[id.Parent().Key()]; ok && doc.Location == "" {
					doc.Location = watcher.Location
				}
			})
		},
	},
	"azurerm_subnet_service_endpoint_storage_policy": {
		arm: typeEndpointPolicy,
		id:  inGroup(typeEndpointPolicy),
		props: []prop{each("definition", "serviceEndpointPolicyDefinitions",
			attr("name", "name"),
			attr("description", "properties.description"),
			attr("service", "properties.service").or("Microsoft.Storage"),
			attr("service_resources", "properties.serviceResources"))},
	},
	"azurerm_network_profile": {
		arm: typeNetworkProfile,
		id:  inGroup(typeNetworkProfile),
		props: []prop{each("container_network_interface", "containerNetworkInterfaceConfigurations",
			attr("name", "name"),
			each("ip_configuration", "properties.ipConfigurations",
				attr("name", "name"),
				attr("subnet_id", "properties.subnet.id")))},
	},
	"azurerm_network_connection_monitor": {
		arm: typeWatcher + "/connectionMonitors",
		id:  childOf("network_watcher_id", typeWatcher, "connectionMonitors"),
		props: []prop{
			attr("notes", "notes"),
			attr("output_workspace_resource_ids", "outputs").as(workspaceOutputs),
			each("endpoint", "endpoints",
				attr("name", "name"),
				attr("address", "address"),
				attr("coverage_level", "coverageLevel"),
				attr("target_resource_id", "resourceId"),
				attr("target_resource_type", "type"),
				attr("included_ip_addresses", "scope.include").as(listed("address", nil)),
				attr("excluded_ip_addresses", "scope.exclude").as(listed("address", nil)),
				one("filter", "filter", attr("type", "type").or("Include"), each("item", "items", attr("address", "address"), attr("type", "type").or("AgentAddress")))),
			each("test_configuration", "testConfigurations",
				attr("name", "name"),
				attr("protocol", "protocol"),
				attr("preferred_ip_version", "preferredIPVersion"),
				attr("test_frequency_in_seconds", "testFrequencySec").or(60.0),
				one("http_configuration", "httpConfiguration",
					attr("method", "method").or("Get"),
					attr("path", "path"),
					attr("port", "port"),
					attr("prefer_https", "preferHTTPS").or(false),
					attr("valid_status_code_ranges", "validStatusCodeRanges"),
					each("request_header", "requestHeaders", attr("name", "name"), attr("value", "value"))),
				one("icmp_configuration", "icmpConfiguration", attr("trace_route_enabled", "disableTraceRoute").or(false).as(negated)),
				one("tcp_configuration", "tcpConfiguration",
					attr("port", "port"),
					attr("destination_port_behavior", "destinationPortBehavior"),
					attr("trace_route_enabled", "disableTraceRoute").or(false).as(negated)),
				one("success_threshold", "successThreshold",
					attr("checks_failed_percent", "checksFailedPercent").or(0.0),
					attr("round_trip_time_ms", "roundTripTimeMs").or(0.0))),
			each("test_group", "testGroups",
				attr("name", "name"),
				attr("enabled", "disable").or(false).as(negated),
				attr("source_endpoints", "sources"),
				attr("destination_endpoints", "destinations"),
				attr("test_configuration_names", "testConfigurations")),
		},
	},
}

// workspaceOutputs are workspaces as where a monitor writes to.
func workspaceOutputs(v any) any {
	list, _ := v.([]any)
	out := make([]any, len(list))
	for i, id := range list {
		out[i] = map[string]any{"type": "Workspace", "workspaceSettings": map[string]any{"workspaceResourceId": id}}
	}
	return out
}
