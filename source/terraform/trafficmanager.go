package terraform

import (
	"strconv"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/cloister-ml/cloister/arm"
)

const typeTrafficManager = "Microsoft.Network/trafficManagerProfiles"

var headerProps = []prop{attr("name", "name"), attr("value", "value")}

var trafficManagerKinds = map[string]kind{
	"azurerm_traffic_manager_profile": {
		arm: typeTrafficManager,
		id:  inGroup(typeTrafficManager),
		props: []prop{
			attr("profile_status", "profileStatus").or("Enabled"),
			attr("traffic_routing_method", "trafficRoutingMethod"),
			attr("traffic_view_enabled", "trafficViewEnrollmentStatus").or("Disabled").as(toggled),
			attr("max_return", "maxReturn"),
			attr("dns_config.relative_name", "dnsConfig.relativeName"),
			attr("dns_config.ttl", "dnsConfig.ttl"),
			one("monitor_config", "monitorConfig",
				attr("protocol", "protocol"),
				attr("port", "port"),
				attr("path", "path"),
				attr("interval_in_seconds", "intervalInSeconds").or(30.0),
				attr("timeout_in_seconds", "timeoutInSeconds").or(10.0),
				attr("tolerated_number_of_failures", "toleratedNumberOfFailures").or(3.0),
				attr("expected_status_code_ranges", "expectedStatusCodeRanges").as(codeRanges),
				each("custom_header", "customHeaders", headerProps...)),
		},
		decide: func(v view, _ arm.ID) map[string]cty.Value {
			if name := v.text("dns_config.relative_name"); name != "" {
				return texts("fqdn", name+".trafficmanager.net")
			}
			return nil
		},
		finish: global,
	},
	"azurerm_traffic_manager_azure_endpoint": trafficEndpoint("azureEndpoints",
		attr("target_resource_id", "targetResourceId"), alwaysServe),
	"azurerm_traffic_manager_external_endpoint": trafficEndpoint("externalEndpoints",
		attr("target", "target"), attr("endpoint_location", "endpointLocation"), alwaysServe),
	"azurerm_traffic_manager_nested_endpoint": trafficEndpoint("nestedEndpoints",
		attr("target_resource_id", "targetResourceId"),
		attr("endpoint_location", "endpointLocation"),
		attr("minimum_child_endpoints", "minChildEndpoints"),
		attr("minimum_required_child_endpoints_ipv4", "minChildEndpointsIPv4"),
		attr("minimum_required_child_endpoints_ipv6", "minChildEndpointsIPv6")),
}

var alwaysServe = attr("always_serve_enabled", "alwaysServe").or("Disabled").as(toggled)

func trafficEndpoint(child string, props ...prop) kind {
	return kind{
		arm: typeTrafficManager + "/" + child,
		id:  childOf("profile_id", typeTrafficManager, child),
		props: append([]prop{
			attr("enabled", "endpointStatus").or("Enabled").as(toggled),
			attr("weight", "weight").or(1.0),
			attr("priority", "priority"),
			attr("geo_mappings", "geoMapping"),
			each("custom_header", "customHeaders", headerProps...),
			each("subnet", "subnets", attr("first", "first"), attr("last", "last"), attr("scope", "scope")),
		}, props...),
	}
}

// codeRanges are status codes written as "200-202".
func codeRanges(v any) any {
	list, _ := v.([]any)
	out := make([]any, 0, len(list))
	for _, e := range list {
		s, ok := e.(string)
		if !ok {
			out = append(out, e)
			continue
		}
		low, high, found := strings.Cut(s, "-")
		if !found {
			high = low
		}
		from, err1 := strconv.ParseFloat(strings.TrimSpace(low), 64)
		to, err2 := strconv.ParseFloat(strings.TrimSpace(high), 64)
		if err1 == nil && err2 == nil {
			out = append(out, arm.Object{"min": from, "max": to})
		}
	}
	return out
}
