package terraform

import (
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/cloister-ml/cloister/arm"
)

const (
	typeWAN = "Microsoft.Network/virtualWans"
	typeHub = "Microsoft.Network/virtualHubs"

	// defaultTable is the route table that every hub has without anybody declaring it.
	defaultTable = "defaultRouteTable"
)

// routingProps are how a connection to a hub learns and spreads routes.
func routingProps(table, tables string) []prop {
	return []prop{
		attr(table, "associatedRouteTable.id"),
		attr("inbound_route_map_id", "inboundRouteMap.id"),
		attr("outbound_route_map_id", "outboundRouteMap.id"),
		attr("propagated_route_table.labels", "propagatedRouteTables.labels"),
		attr("propagated_route_table."+tables, "propagatedRouteTables.ids").as(references),
	}
}

var hubRoute = []prop{
	attr("name", "name"),
	attr("destinations_type", "destinationType"),
	attr("destinations", "destinations"),
	attr("next_hop_type", "nextHopType").or("ResourceId"),
	attr("next_hop", "nextHop"),
}

var peer = []prop{attr("peer_asn", "peerAsn"), attr("peer_ip", "peerIp")}

var virtualWANKinds = map[string]kind{
	"azurerm_virtual_wan": {
		arm: typeWAN,
		id:  inGroup(typeWAN),
		props: []prop{
			attr("type", "type").or("Standard"),
			attr("allow_branch_to_branch_traffic", "allowBranchToBranchTraffic").or(true),
			attr("disable_vpn_encryption", "disableVpnEncryption").or(false),
			attr("office365_local_breakout_category", "office365LocalBreakoutCategory").or("None"),
		},
	},
	"azurerm_virtual_hub": {
		arm: typeHub,
		id:  inGroup(typeHub),
		props: []prop{
			attr("virtual_wan_id", "virtualWan.id"),
			attr("address_prefix", "addressPrefix"),
			attr("sku", "sku"),
			attr("hub_routing_preference", "hubRoutingPreference").or("ExpressRoute"),
			attr("branch_to_branch_traffic_enabled", "allowBranchToBranchTraffic").or(false),
			attr("virtual_router_auto_scale_min_capacity", "virtualRouterAutoScaleConfiguration.minCapacity").or(2.0),
			each("route", "routeTable.routes", attr("address_prefixes", "addressPrefixes"), attr("next_hop_ip_address", "nextHopIpAddress")),
		},
		decide: func(_ view, id arm.ID) map[string]cty.Value {
			return texts("default_route_table_id", string(id.Child("hubRouteTables", defaultTable)))
		},
	},
	"azurerm_virtual_hub_connection": {
		arm: typeHub + "/hubVirtualNetworkConnections",
		id:  childOf("virtual_hub_id", typeHub, "hubVirtualNetworkConnections"),
		props: []prop{
			attr("remote_virtual_network_id", "remoteVirtualNetwork.id"),
			attr("internet_security_enabled", "enableInternetSecurity").or(false),
			one("routing", "routingConfiguration", append(routingProps("associated_route_table_id", "route_table_ids"),
				attr("static_vnet_propagate_static_routes_enabled", "vnetRoutes.staticRoutesConfig.propagateStaticRoutes").or(true),
				attr("static_vnet_local_route_override_criteria", "vnetRoutes.staticRoutesConfig.vnetLocalRouteOverrideCriteria").or("Contains"),
				each("static_vnet_route", "vnetRoutes.staticRoutes",
					attr("name", "name"),
					attr("address_prefixes", "addressPrefixes"),
					attr("next_hop_ip_address", "nextHopIpAddress")))...),
		},
	},
	"azurerm_virtual_hub_route_table": {
		arm:   typeHub + "/hubRouteTables",
		id:    childOf("virtual_hub_id", typeHub, "hubRouteTables"),
		props: []prop{attr("labels", "labels"), each("route", "routes", hubRoute...)},
	},
	"azurerm_virtual_hub_route_table_route": {effect: func(v view, _ arm.ID, b *builder) {
		table := v.id("route_table_id", typeHub+"/hubRouteTables")
		if _, declared := b.docs[table.Key()]; !declared && strings.EqualFold(table.Name(), defaultTable) {
			b.child(v, typeHub+"/hubRouteTables", table, arm.Object{}) // every hub has it
		}
		b.change(v, table, func(doc *arm.Resource) {
			o := arm.Object{}
			v.place(o)
			apply(v, hubRoute, o)
			appendTo(doc, "routes", o)
		})
	}},
	"azurerm_virtual_hub_routing_intent": {
		arm: typeHub + "/routingIntent",
		id:  childOf("virtual_hub_id", typeHub, "routingIntent"),
		props: []prop{each("routing_policy", "routingPolicies",
			attr("name", "name"), attr("destinations", "destinations"), attr("next_hop", "nextHop"))},
	},
	"azurerm_virtual_hub_ip": {
		arm: typeHub + "/ipConfigurations",
		id:  childOf("virtual_hub_id", typeHub, "ipConfigurations"),
		props: []prop{
			attr("subnet_id", "subnet.id"),
			attr("public_ip_address_id", "publicIPAddress.id"),
			attr("private_ip_address", "privateIPAddress"),
			attr("private_ip_allocation_method", "privateIPAllocationMethod").or("Dynamic"),
		},
	},
	"azurerm_virtual_hub_bgp_connection": {
		arm:   typeHub + "/bgpConnections",
		id:    childOf("virtual_hub_id", typeHub, "bgpConnections"),
		props: append([]prop{attr("virtual_network_connection_id", "hubVirtualNetworkConnection.id")}, peer...),
	},
	"azurerm_route_map": {
		arm: typeHub + "/routeMaps",
		id:  childOf("virtual_hub_id", typeHub, "routeMaps"),
		props: []prop{each("rule", "rules",
			attr("name", "name"),
			attr("next_step_if_matched", "nextStepIfMatched").or("Unknown"),
			each("action", "actions",
				attr("type", "type"),
				each("parameter", "parameters",
					attr("as_path", "asPath"), attr("community", "community"), attr("route_prefix", "routePrefix"))),
			each("match_criterion", "matchCriteria",
				attr("match_condition", "matchCondition"),
				attr("as_path", "asPath"), attr("community", "community"), attr("route_prefix", "routePrefix")))},
	},
	"azurerm_route_server": {
		arm: typeHub,
		id:  inGroup(typeHub),
		props: []prop{
			attr("sku", "sku"),
			attr("branch_to_branch_traffic_enabled", "allowBranchToBranchTraffic").or(false),
			attr("hub_routing_preference", "hubRoutingPreference").or("ExpressRoute"),
		},
		effect: func(v view, id arm.ID, b *builder) {
			o := arm.Object{}
			apply(v, []prop{attr("subnet_id", "subnet.id"), attr("public_ip_address_id", "publicIPAddress.id")}, o)
			b.child(v, typeHub+"/ipConfigurations", id.Child("ipConfigurations", "ipConfig1"), o)
		},
	},
	"azurerm_route_server_bgp_connection": {
		arm:   typeHub + "/bgpConnections",
		id:    childOf("route_server_id", typeHub, "bgpConnections"),
		props: peer,
	},
}
