package terraform

const typeRouteTable = "Microsoft.Network/routeTables"

var routeProps = []prop{
	attr("name", "name"),
	attr("address_prefix", "properties.addressPrefix"),
	attr("next_hop_type", "properties.nextHopType"),
	attr("next_hop_in_ip_address", "properties.nextHopIpAddress"),
}

var routeKinds = map[string]kind{
	"azurerm_route_table": {
		arm: typeRouteTable,
		id:  inGroup(typeRouteTable),
		props: []prop{
			attr("disable_bgp_route_propagation", "disableBgpRoutePropagation").or(false),
			attr("bgp_route_propagation_enabled", "disableBgpRoutePropagation").as(negated),
			each("route", "routes", routeProps...).or([]any{}),
		},
	},
	"azurerm_route":                          within(under(typeRouteTable, "route_table_name", "routes"), "routes", routeProps...),
	"azurerm_subnet_route_table_association": setsRef("subnet_id", typeSubnet, "route_table_id", "routeTable.id"),
}
