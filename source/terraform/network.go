package terraform

import (
	"fmt"

	"github.com/cloister-ml/cloister/arm"
)

const (
	typeVNet    = "Microsoft.Network/virtualNetworks"
	typeSubnet  = "Microsoft.Network/virtualNetworks/subnets"
	typePeering = "Microsoft.Network/virtualNetworks/virtualNetworkPeerings"
)

var networkKinds = map[string]kind{
	"azurerm_virtual_network": {
		arm: typeVNet,
		id:  inGroup(typeVNet),
		props: []prop{
			attr("address_space", "addressSpace.addressPrefixes"),
			attr("dns_servers", "dhcpOptions.dnsServers").or([]any{}),
			attr("private_endpoint_vnet_policies", "privateEndpointVNetPolicies").or("Disabled"),
			attr("flow_timeout_in_minutes", "flowTimeoutInMinutes"),
			attr("ddos_protection_plan.enable", "enableDdosProtection"),
			attr("ddos_protection_plan.id", "ddosProtectionPlan.id"),
			attr("bgp_community", "bgpCommunities.virtualNetworkCommunity"),
			attr("encryption.enforcement", "encryption.enforcement"),
			each("ip_address_pool", "addressSpace.ipamPoolPrefixAllocations", poolProps...),
		},
		finish: func(v view, doc *arm.Resource) {
			if len(v.blocks("encryption")) > 0 {
				set(doc.Properties, "encryption.enabled", true)
			}
		},
		effect: inlineSubnets,
	},
	"azurerm_subnet": {
		arm: typeSubnet,
		id:  subnetID,
		props: []prop{
			attr("private_link_service_network_policies_enabled", "privateLinkServiceNetworkPolicies").or("Enabled").as(toggled),
			attr("default_outbound_access_enabled", "defaultOutboundAccess").or(true),
			attr("network_security_group_id_wo", "networkSecurityGroup.id"),
			attr("route_table_id_wo", "routeTable.id"),
			attr("service_endpoints", "serviceEndpoints").or([]any{}).as(listed("service", nil)),
			attr("service_endpoint_policy_ids", "serviceEndpointPolicies").as(references),
			attr("sharing_scope", "sharingScope"),
			serviceEndpoints,
			each("ip_address_pool", "ipamPoolPrefixAllocations", poolProps...),
			attr("enforce_private_link_service_network_policies", "privateLinkServiceNetworkPolicies").as(worded("Disabled", "Enabled")),
			delegations,
		},
		finish: func(v view, doc *arm.Resource) {
			doc.Properties["addressPrefixes"] = prefixes(v)
			doc.Properties["privateEndpointNetworkPolicies"] = endpointPolicies(v)
		},
	},
	"azurerm_virtual_network_peering": {
		arm: typePeering,
		id:  under(typeVNet, "virtual_network_name", "virtualNetworkPeerings"),
		props: []prop{
			attr("remote_virtual_network_id", "remoteVirtualNetwork.id"),
			attr("allow_virtual_network_access", "allowVirtualNetworkAccess").or(true),
			attr("allow_forwarded_traffic", "allowForwardedTraffic").or(false),
			attr("allow_gateway_transit", "allowGatewayTransit").or(false),
			attr("use_remote_gateways", "useRemoteGateways").or(false),
			attr("peer_complete_virtual_networks_enabled", "peerCompleteVnets").or(true),
			attr("local_subnet_names", "localSubnetNames"),
			attr("remote_subnet_names", "remoteSubnetNames"),
		},
	},
	"azurerm_virtual_network_dns_servers": setsRef("virtual_network_id", typeVNet, "dns_servers", "dhcpOptions.dnsServers"),
}

var subnetID = under(typeVNet, "virtual_network_name", "subnets")

// poolProps are an allocation from a pool of a network manager.
var poolProps = []prop{attr("id", "pool.id"), attr("number_of_ip_addresses", "numberOfIpAddresses")}

var serviceEndpoints = each("service_endpoint", "serviceEndpoints",
	attr("service", "service"), attr("network_identifier", "networkIdentifier.id"))

var delegations = each("delegation", "delegations",
	attr("name", "name"),
	attr("service_delegation.name", "properties.serviceName"),
	attr("service_delegation.actions", "properties.actions")).or([]any{})

// prefixes are a subnet's, which the first releases of azurerm had one of.
func prefixes(v view) any {
	if v.has("address_prefix") {
		return []any{v.json("address_prefix")}
	}
	return or(v.json("address_prefixes"), []any{})
}

// endpointPolicies is which of a subnet's rules and routes apply to private
// endpoints. Earlier releases of azurerm had two flags for it, the first of them
// the wrong way round.
func endpointPolicies(v view) any {
	switch {
	case v.has("private_endpoint_network_policies"):
		return v.json("private_endpoint_network_policies")
	case v.has("private_endpoint_network_policies_enabled"):
		return attr("private_endpoint_network_policies_enabled", "").as(toggled).orUnknown(v)
	case v.has("enforce_private_link_endpoint_network_policies"):
		return attr("enforce_private_link_endpoint_network_policies", "").as(func(x any) any { return toggled(negated(x)) }).orUnknown(v)
	}
	return "Disabled"
}

// orUnknown is the property's value alone.
func (p prop) orUnknown(v view) any {
	val, _ := p.value(v)
	return val
}

// inlineSubnets are the subnets that are written within their network.
func inlineSubnets(v view, id arm.ID, b *builder) {
	if u, unknown := v.json("subnet").(arm.Unknown); unknown {
		b.warn(v.r.Range, "Subnets not known", "The subnets of %s depend on %s: they are not in the estate.", v.r.Address, u.Expression)
		return
	}
	for i, s := range v.blocks("subnet") {
		name := s.text("name")
		if name == "" {
			name = braced(fmt.Sprintf("%s.subnet[%d]", v.r.Address, i))
		}
		props := arm.Object{"privateEndpointNetworkPolicies": "Disabled"}
		apply(s, []prop{
			attr("private_endpoint_network_policies", "privateEndpointNetworkPolicies"),
			attr("private_link_service_network_policies_enabled", "privateLinkServiceNetworkPolicies").or("Enabled").as(toggled),
			attr("default_outbound_access_enabled", "defaultOutboundAccess").or(true),
			attr("security_group", "networkSecurityGroup.id"),
			attr("route_table_id", "routeTable.id"),
			attr("service_endpoints", "serviceEndpoints").as(listed("service", nil)),
			attr("service_endpoint_policy_ids", "serviceEndpointPolicies").as(references),
			serviceEndpoints,
			delegations,
		}, props)
		props["addressPrefixes"] = prefixes(s)
		b.child(s, typeSubnet, id.Child("subnets", name), props)
	}
}
