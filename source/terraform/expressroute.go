package terraform

import (
	"github.com/cloister-ml/cloister/arm"
)

const (
	typeCircuit       = "Microsoft.Network/expressRouteCircuits"
	typeERPort        = "Microsoft.Network/expressRoutePorts"
	typeERGateway     = "Microsoft.Network/expressRouteGateways"
	typeRouteFilter   = "Microsoft.Network/routeFilters"
	microsoftPeerings = "microsoftPeeringConfig"
)

var expressRouteKinds = map[string]kind{
	"azurerm_express_route_circuit": {
		arm: typeCircuit,
		id:  inGroup(typeCircuit),
		sku: []prop{attr("sku.tier", "tier"), attr("sku.family", "family")},
		props: []prop{
			attr("service_provider_name", "serviceProviderProperties.serviceProviderName"),
			attr("peering_location", "serviceProviderProperties.peeringLocation"),
			attr("bandwidth_in_mbps", "serviceProviderProperties.bandwidthInMbps"),
			attr("express_route_port_id", "expressRoutePort.id"),
			attr("bandwidth_in_gbps", "bandwidthInGbps"),
			attr("rate_limiting_enabled", "enableDirectPortRateLimit"),
			attr("allow_classic_operations", "allowClassicOperations"),
			attr("authorization_key", "authorizationKey").secret(),
		},
		finish: func(v view, doc *arm.Resource) {
			if tier, family := v.text("sku.tier"), v.text("sku.family"); tier != "" && family != "" {
				doc.SKU["name"] = tier + "_" + family
			}
		},
	},
	"azurerm_express_route_circuit_authorization": {
		arm: typeCircuit + "/authorizations",
		id:  under(typeCircuit, "express_route_circuit_name", "authorizations"),
	},
	"azurerm_express_route_circuit_peering": {
		arm: typeCircuit + "/peerings",
		id: func(v view) arm.ID {
			return arm.ResourceID(v.subscription, v.symbol("resource_group_name"), typeCircuit, v.symbol("express_route_circuit_name")).
				Child("peerings", v.symbol("peering_type"))
		},
		props: []prop{
			attr("peering_type", "peeringType"),
			attr("ipv4_enabled", "state").or("Enabled").as(toggled),
			attr("peer_asn", "peerASN"),
			attr("vlan_id", "vlanId"),
			attr("primary_peer_address_prefix", "primaryPeerAddressPrefix"),
			attr("secondary_peer_address_prefix", "secondaryPeerAddressPrefix"),
			attr("route_filter_id", "routeFilter.id"),
			attr("shared_key", "sharedKey").secret(),
			one("microsoft_peering_config", microsoftPeerings, microsoftProps...),
			one("ipv6", "ipv6PeeringConfig",
				attr("enabled", "state").or("Enabled").as(toggled),
				attr("primary_peer_address_prefix", "primaryPeerAddressPrefix"),
				attr("secondary_peer_address_prefix", "secondaryPeerAddressPrefix"),
				attr("route_filter_id", "routeFilter.id"),
				one("microsoft_peering", microsoftPeerings, microsoftProps...)),
		},
	},
	"azurerm_express_route_port": {
		arm: typeERPort,
		id:  inGroup(typeERPort),
		props: []prop{
			attr("peering_location", "peeringLocation"),
			attr("bandwidth_in_gbps", "bandwidthInGbps"),
			attr("encapsulation", "encapsulation"),
			attr("billing_type", "billingType").or("MeteredData"),
		},
		finish: func(v view, doc *arm.Resource) {
			for _, name := range []string{"link1", "link2"} {
				for _, link := range v.blocks(name) {
					o := arm.Object{"name": name}
					apply(link, portLink, o)
					appendTo(doc, "links", o)
				}
			}
		},
	},
	"azurerm_express_route_gateway": {
		arm: typeERGateway,
		id:  inGroup(typeERGateway),
		props: []prop{
			attr("virtual_hub_id", "virtualHub.id"),
			attr("scale_units", "autoScaleConfiguration.bounds.min"),
			attr("allow_non_virtual_wan_traffic", "allowNonVirtualWanTraffic").or(false),
		},
	},
	"azurerm_express_route_connection": {
		arm: typeERGateway + "/expressRouteConnections",
		id:  childOf("express_route_gateway_id", typeERGateway, "expressRouteConnections"),
		props: []prop{
			attr("express_route_circuit_peering_id", "expressRouteCircuitPeering.id"),
			attr("authorization_key", "authorizationKey").secret(),
			attr("enable_internet_security", "enableInternetSecurity").or(false),
			attr("internet_security_enabled", "enableInternetSecurity"),
			attr("express_route_gateway_bypass_enabled", "expressRouteGatewayBypass").or(false),
			attr("routing_weight", "routingWeight").or(0.0),
			one("routing", "routingConfiguration", routingProps("associated_route_table_id", "route_table_ids")...),
		},
	},
	"azurerm_route_filter": {
		arm: typeRouteFilter,
		id:  inGroup(typeRouteFilter),
		props: []prop{each("rule", "rules",
			attr("name", "name"),
			attr("access", "properties.access"),
			attr("rule_type", "properties.routeFilterRuleType"),
			attr("communities", "properties.communities"))},
	},
}

var microsoftProps = []prop{
	attr("advertised_communities", "advertisedCommunities"),
	attr("advertised_public_prefixes", "advertisedPublicPrefixes"),
	attr("customer_asn", "customerASN").or(0.0),
	attr("routing_registry_name", "routingRegistryName").or("NONE"),
}

var portLink = []prop{
	attr("admin_enabled", "properties.adminState").or("Disabled").as(toggled),
	attr("macsec_cipher", "properties.macSecConfig.cipher").or("GcmAes128"),
	attr("macsec_ckn_keyvault_secret_id", "properties.macSecConfig.cknSecretIdentifier"),
	attr("macsec_cak_keyvault_secret_id", "properties.macSecConfig.cakSecretIdentifier"),
	attr("macsec_sci_enabled", "properties.macSecConfig.sciState").or("Disabled").as(toggled),
}
