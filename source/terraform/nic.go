package terraform

import (
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/cloister-ml/cloister/arm"
)

const (
	typeNIC = "Microsoft.Network/networkInterfaces"
	typeASG = "Microsoft.Network/applicationSecurityGroups"
)

var nicKinds = map[string]kind{
	"azurerm_network_interface": {
		arm: typeNIC,
		id:  inGroup(typeNIC),
		props: []prop{
			attr("enable_ip_forwarding", "enableIPForwarding").or(false),
			attr("ip_forwarding_enabled", "enableIPForwarding"),
			attr("enable_accelerated_networking", "enableAcceleratedNetworking").or(false),
			attr("accelerated_networking_enabled", "enableAcceleratedNetworking"),
			attr("auxiliary_mode", "auxiliaryMode"),
			attr("auxiliary_sku", "auxiliarySku"),
			attr("dns_servers", "dnsSettings.dnsServers"),
			attr("internal_dns_name_label", "dnsSettings.internalDnsNameLabel"),
			each("ip_configuration", "ipConfigurations",
				attr("name", "name"),
				attr("subnet_id", "properties.subnet.id"),
				attr("primary", "properties.primary").or(false),
				attr("private_ip_address_allocation", "properties.privateIPAllocationMethod"),
				attr("private_ip_address", "properties.privateIPAddress"),
				attr("private_ip_address_version", "properties.privateIPAddressVersion").or("IPv4"),
				attr("public_ip_address_id", "properties.publicIPAddress.id"),
				attr("gateway_load_balancer_frontend_ip_configuration_id", "properties.gatewayLoadBalancer.id")),
		},
		decide: func(v view, _ arm.ID) map[string]cty.Value { return firstAddress(v, "ip_configuration") },
	},
	"azurerm_application_security_group":                                             {arm: typeASG, id: inGroup(typeASG)},
	"azurerm_network_interface_security_group_association":                           setsRef("network_interface_id", typeNIC, "network_security_group_id", "networkSecurityGroup.id"),
	"azurerm_network_interface_application_security_group_association":               inConfiguration("application_security_group_id", "applicationSecurityGroups"),
	"azurerm_network_interface_backend_address_pool_association":                     inConfiguration("backend_address_pool_id", "loadBalancerBackendAddressPools"),
	"azurerm_network_interface_nat_rule_association":                                 inConfiguration("nat_rule_id", "loadBalancerInboundNatRules"),
	"azurerm_network_interface_application_gateway_backend_address_pool_association": inConfiguration("backend_address_pool_id", "applicationGatewayBackendAddressPools"),
}

// firstAddress decides the address of an interface where the first of its
// configurations has a static one.
func firstAddress(v view, block string) map[string]cty.Value {
	all := v.blocks(block)
	if len(all) == 0 || all[0].text("private_ip_address") == "" {
		return nil
	}
	return texts("private_ip_address", all[0].text("private_ip_address"))
}

// inConfiguration adds a reference to the IP configuration that is named, or to
// all of them where none is.
func inConfiguration(from, member string) kind {
	return kind{effect: func(v view, _ arm.ID, b *builder) {
		name := v.text("ip_configuration_name")
		b.change(v, v.id("network_interface_id", typeNIC), func(doc *arm.Resource) {
			for _, c := range arm.Objects(doc.Properties, "ipConfigurations") {
				if name != "" && !strings.EqualFold(name, arm.String(c, "name")) {
					continue
				}
				props, ok := c["properties"].(arm.Object)
				if !ok {
					continue
				}
				list, _ := props[member].([]any)
				props[member] = append(list, arm.Object{"id": v.json(from)})
			}
		})
	}}
}
