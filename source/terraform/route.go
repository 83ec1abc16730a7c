package terraform

import "github.com/cloister-ml/cloister/arm"

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
	"azurerm_route": {
		id: under(typeRouteTable, "route_table_name", "routes"),
		effect: func(v view, id arm.ID, b *builder) {
			b.change(v, id.Parent(), func(doc *arm.Resource) {
				route := arm.Object{}
				apply(v, routeProps, route)
				appendTo(doc, "routes", route)
			})
		},
	},
	"azurerm_subnet_route_table_association": {
		effect: func(v view, _ arm.ID, b *builder) {
			b.change(v, v.id("subnet_id", typeSubnet), func(doc *arm.Resource) {
				set(doc.Properties, "routeTable.id", v.json("route_table_id"))
			})
		},
	},
}
