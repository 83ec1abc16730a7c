package terraform

import (
	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
)

const (
	typeZoneGroup          = "Microsoft.Network/privateEndpoints/privateDnsZoneGroups"
	typePrivateLinkService = "Microsoft.Network/privateLinkServices"
)

var privateLinkKinds = map[string]kind{
	"azurerm_private_endpoint": {
		arm: service.TypePrivateEndpoint,
		id:  inGroup(service.TypePrivateEndpoint),
		props: []prop{
			attr("subnet_id", "subnet.id"),
			attr("custom_network_interface_name", "customNetworkInterfaceName"),
			each("ip_configuration", "ipConfigurations",
				attr("name", "name"),
				attr("private_ip_address", "properties.privateIPAddress"),
				attr("subresource_name", "properties.groupId"),
				attr("member_name", "properties.memberName")),
		},
		finish: connection,
		effect: zoneGroup,
	},
	"azurerm_private_endpoint_application_security_group_association": addsRef("private_endpoint_id", service.TypePrivateEndpoint, "application_security_group_id", "applicationSecurityGroups"),
	"azurerm_private_link_service": {
		arm: typePrivateLinkService,
		id:  inGroup(typePrivateLinkService),
		props: []prop{
			attr("load_balancer_frontend_ip_configuration_ids", "loadBalancerFrontendIpConfigurations").as(references),
			attr("destination_ip_address", "destinationIPAddress"),
			attr("auto_approval_subscription_ids", "autoApproval.subscriptions"),
			attr("visibility_subscription_ids", "visibility.subscriptions"),
			attr("enable_proxy_protocol", "enableProxyProtocol").or(false),
			attr("proxy_protocol_enabled", "enableProxyProtocol"),
			attr("fqdns", "fqdns"),
			each("nat_ip_configuration", "ipConfigurations",
				attr("name", "name"),
				attr("primary", "properties.primary"),
				attr("subnet_id", "properties.subnet.id"),
				attr("private_ip_address", "properties.privateIPAddress"),
				attr("private_ip_address", "properties.privateIPAllocationMethod").or("Dynamic").as(func(any) any { return "Static" }),
				attr("private_ip_address_version", "properties.privateIPAddressVersion").or("IPv4")),
		},
	},
}

// connection writes the endpoint's connection. One that is made automatically is
// approved; one that is asked for waits for the owner of the service.
func connection(v view, doc *arm.Resource) {
	list, status := "privateLinkServiceConnections", "Approved"
	for _, c := range v.blocks("private_service_connection") {
		if c.flag("is_manual_connection", false) {
			list, status = "manualPrivateLinkServiceConnections", "Pending"
		}
		o := arm.Object{}
		c.place(o)
		apply(c, []prop{
			attr("name", "name"),
			attr("private_connection_resource_id", "properties.privateLinkServiceId"),
			attr("private_connection_resource_alias", "properties.privateLinkServiceId"),
			attr("subresource_names", "properties.groupIds"),
			attr("request_message", "properties.requestMessage"),
		}, o)
		set(o, "properties.privateLinkServiceConnectionState.status", status)
		appendTo(doc, list, o)
	}
}

// zoneGroup is the child that writes the endpoint's records into its zones.
func zoneGroup(v view, id arm.ID, b *builder) {
	for _, g := range v.blocks("private_dns_zone_group") {
		zones := g.json("private_dns_zone_ids")
		configs, known := zones.([]any)
		props := arm.Object{"privateDnsZoneConfigs": zones}
		if known {
			list := make([]any, len(configs))
			for i, zone := range configs {
				list[i] = arm.Object{"name": zoneName(zone), "properties": arm.Object{"privateDnsZoneId": zone}}
			}
			props["privateDnsZoneConfigs"] = list
		}
		b.child(g, typeZoneGroup, id.Child("privateDnsZoneGroups", g.symbol("name")), props)
	}
}

// zoneName is what azurerm calls a zone's entry: by the zone's own name.
func zoneName(id any) any {
	if s, ok := id.(string); ok {
		return arm.ID(s).Name()
	}
	return id
}
