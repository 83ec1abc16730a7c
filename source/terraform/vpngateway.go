package terraform

import "github.com/cloister-ml/cloister/arm"

const (
	typeVNetGateway  = "Microsoft.Network/virtualNetworkGateways"
	typeLocalGateway = "Microsoft.Network/localNetworkGateways"
	typeConnection   = "Microsoft.Network/connections"
)

// ipsecPolicy is what two ends agree on. Azure's resources name its parts in ways
// of their own in Terraform, and in one way in ARM.
func ipsecPolicy(encryption, integrity, ikeEncryption, ikeIntegrity, size, lifetime string) []prop {
	return []prop{
		attr("dh_group", "dhGroup"),
		attr("pfs_group", "pfsGroup"),
		attr(encryption, "ipsecEncryption"),
		attr(integrity, "ipsecIntegrity"),
		attr(ikeEncryption, "ikeEncryption"),
		attr(ikeIntegrity, "ikeIntegrity"),
		attr(size, "saDataSizeKilobytes"),
		attr(lifetime, "saLifeTimeSeconds"),
	}
}

var natMapping = []prop{attr("address_space", "addressSpace"), attr("port_range", "portRange")}

var natRule = []prop{
	attr("mode", "mode").or("EgressSnat"),
	attr("type", "type").or("Static"),
	attr("ip_configuration_id", "ipConfigurationId"),
	each("external_mapping", "externalMappings", natMapping...),
	each("internal_mapping", "internalMappings", natMapping...),
}

var vpnGatewayKinds = map[string]kind{
	"azurerm_virtual_network_gateway": {
		arm: typeVNetGateway,
		id:  inGroup(typeVNetGateway),
		props: []prop{
			attr("type", "gatewayType"),
			attr("vpn_type", "vpnType").or("RouteBased"),
			attr("sku", "sku.name"),
			attr("sku", "sku.tier"),
			attr("generation", "vpnGatewayGeneration"),
			attr("active_active", "activeActive").or(false),
			attr("enable_bgp", "enableBgp").or(false),
			attr("bgp_enabled", "enableBgp"),
			attr("private_ip_address_enabled", "enablePrivateIpAddress").or(false),
			attr("bgp_route_translation_for_nat_enabled", "enableBgpRouteTranslationForNat").or(false),
			attr("dns_forwarding_enabled", "enableDnsForwarding"),
			attr("ip_sec_replay_protection_enabled", "disableIPSecReplayProtection").or(false).as(negated),
			attr("remote_vnet_traffic_enabled", "allowRemoteVnetTraffic").or(false),
			attr("virtual_wan_traffic_enabled", "allowVirtualWanTraffic").or(false),
			attr("default_local_network_gateway_id", "gatewayDefaultSite.id"),
			attr("custom_route.address_prefixes", "customRoutes.addressPrefixes"),
			attr("minimum_scale_unit", "autoScaleConfiguration.bounds.min"),
			attr("maximum_scale_unit", "autoScaleConfiguration.bounds.max"),
			each("ip_configuration", "ipConfigurations",
				attr("name", "name").or("vnetGatewayConfig"),
				attr("private_ip_address_allocation", "properties.privateIPAllocationMethod").or("Dynamic"),
				attr("subnet_id", "properties.subnet.id"),
				attr("public_ip_address_id", "properties.publicIPAddress.id")),
			one("bgp_settings", "bgpSettings",
				attr("asn", "asn"),
				attr("peer_weight", "peerWeight"),
				each("peering_addresses", "bgpPeeringAddresses",
					attr("ip_configuration_name", "ipconfigurationId"),
					attr("apipa_addresses", "customBgpIpAddresses"))),
			each("policy_group", "virtualNetworkGatewayPolicyGroups",
				attr("name", "name"),
				attr("is_default", "properties.isDefault").or(false),
				attr("priority", "properties.priority").or(0.0),
				each("policy_member", "properties.policyMembers",
					attr("name", "name"), attr("type", "attributeType"), attr("value", "attributeValue"))),
			one("vpn_client_configuration", "vpnClientConfiguration", vpnClientProps...),
		},
		finish: gatewayParts,
	},
	"azurerm_local_network_gateway": {
		arm: typeLocalGateway,
		id:  inGroup(typeLocalGateway),
		props: []prop{
			attr("gateway_address", "gatewayIpAddress"),
			attr("gateway_fqdn", "fqdn"),
			attr("address_space", "localNetworkAddressSpace.addressPrefixes").or([]any{}),
			one("bgp_settings", "bgpSettings",
				attr("asn", "asn"),
				attr("bgp_peering_address", "bgpPeeringAddress"),
				attr("peer_weight", "peerWeight")),
		},
	},
	"azurerm_virtual_network_gateway_connection": {
		arm: typeConnection,
		id:  inGroup(typeConnection),
		props: []prop{
			attr("type", "connectionType"),
			attr("virtual_network_gateway_id", "virtualNetworkGateway1.id"),
			attr("peer_virtual_network_gateway_id", "virtualNetworkGateway2.id"),
			attr("local_network_gateway_id", "localNetworkGateway2.id"),
			attr("express_route_circuit_id", "peer.id"),
			attr("enable_bgp", "enableBgp").or(false),
			attr("bgp_enabled", "enableBgp"),
			attr("connection_mode", "connectionMode").or("Default"),
			attr("connection_protocol", "connectionProtocol"),
			attr("dpd_timeout_seconds", "dpdTimeoutSeconds"),
			attr("routing_weight", "routingWeight"),
			attr("local_azure_ip_address_enabled", "useLocalAzureIpAddress"),
			attr("use_policy_based_traffic_selectors", "usePolicyBasedTrafficSelectors").or(false),
			attr("express_route_gateway_bypass", "expressRouteGatewayBypass").or(false),
			attr("private_link_fast_path_enabled", "enablePrivateLinkFastPath").or(false),
			attr("egress_nat_rule_ids", "egressNatRules").as(references),
			attr("ingress_nat_rule_ids", "ingressNatRules").as(references),
			attr("shared_key", "sharedKey").secret(),
			attr("authorization_key", "authorizationKey").secret(),
			each("ipsec_policy", "ipsecPolicies",
				ipsecPolicy("ipsec_encryption", "ipsec_integrity", "ike_encryption", "ike_integrity", "sa_datasize", "sa_lifetime")...),
			each("traffic_selector_policy", "trafficSelectorPolicies",
				attr("local_address_cidrs", "localAddressRanges"), attr("remote_address_cidrs", "remoteAddressRanges")),
			each("custom_bgp_addresses", "gatewayCustomBgpIpAddresses",
				attr("primary", "primary"), attr("secondary", "secondary")),
		},
	},
	"azurerm_virtual_network_gateway_nat_rule": {
		arm:   typeVNetGateway + "/natRules",
		id:    childOf("virtual_network_gateway_id", typeVNetGateway, "natRules"),
		props: natRule,
	},
}

var vpnClientProps = []prop{
	attr("address_space", "vpnClientAddressPool.addressPrefixes"),
	attr("vpn_client_protocols", "vpnClientProtocols"),
	attr("vpn_auth_types", "vpnAuthenticationTypes"),
	attr("aad_tenant", "aadTenant"),
	attr("aad_audience", "aadAudience"),
	attr("aad_issuer", "aadIssuer"),
	attr("radius_server_address", "radiusServerAddress"),
	attr("radius_server_secret", "radiusServerSecret").secret(),
	each("radius_server", "radiusServers",
		attr("address", "radiusServerAddress"),
		attr("score", "radiusServerScore"),
		attr("secret", "radiusServerSecret").secret()),
	each("root_certificate", "vpnClientRootCertificates",
		attr("name", "name"), attr("public_cert_data", "properties.publicCertData")),
	each("revoked_certificate", "vpnClientRevokedCertificates",
		attr("name", "name"), attr("thumbprint", "properties.thumbprint")),
	each("ipsec_policy", "vpnClientIpsecPolicies",
		ipsecPolicy("ipsec_encryption", "ipsec_integrity", "ike_encryption", "ike_integrity", "sa_data_size_in_kilobytes", "sa_lifetime_in_seconds")...),
	each("virtual_network_gateway_client_connection", "vngClientConnectionConfigurations",
		attr("name", "name"),
		attr("address_prefixes", "properties.vpnClientAddressPool.addressPrefixes"),
		part("policy_group_names", "properties.virtualNetworkGatewayPolicyGroups", "virtualNetworkGatewayPolicyGroups")),
}

// gatewayParts turns the name of an IP configuration into its id.
func gatewayParts(_ view, doc *arm.Resource) {
	for _, a := range arm.Objects(doc.Properties, "bgpSettings.bgpPeeringAddresses") {
		if name, ok := a["ipconfigurationId"].(string); ok {
			a["ipconfigurationId"] = string(doc.ID.Child("ipConfigurations", name))
		}
	}
}
