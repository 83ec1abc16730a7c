package terraform

import "github.com/cloister-ml/cloister/arm"

const typeNSG = "Microsoft.Network/networkSecurityGroups"

// ruleProps are a security rule's, in its group or on its own.
var ruleProps = []prop{
	attr("name", "name"),
	attr("description", "properties.description"),
	attr("priority", "properties.priority"),
	attr("direction", "properties.direction"),
	attr("access", "properties.access"),
	attr("protocol", "properties.protocol"),
	attr("source_port_range", "properties.sourcePortRange"),
	attr("source_port_ranges", "properties.sourcePortRanges"),
	attr("destination_port_range", "properties.destinationPortRange"),
	attr("destination_port_ranges", "properties.destinationPortRanges"),
	attr("source_address_prefix", "properties.sourceAddressPrefix"),
	attr("source_address_prefixes", "properties.sourceAddressPrefixes"),
	attr("destination_address_prefix", "properties.destinationAddressPrefix"),
	attr("destination_address_prefixes", "properties.destinationAddressPrefixes"),
	attr("source_application_security_group_ids", "properties.sourceApplicationSecurityGroups").as(references),
	attr("destination_application_security_group_ids", "properties.destinationApplicationSecurityGroups").as(references),
}

var nsgKinds = map[string]kind{
	"azurerm_network_security_group": {
		arm:   typeNSG,
		id:    inGroup(typeNSG),
		props: []prop{each("security_rule", "securityRules", ruleProps...).or([]any{})},
	},
	"azurerm_network_security_rule":                     within(under(typeNSG, "network_security_group_name", "securityRules"), "securityRules", ruleProps...),
	"azurerm_subnet_network_security_group_association": setsRef("subnet_id", typeSubnet, "network_security_group_id", "networkSecurityGroup.id"),
}

// appendTo adds an element to an array of a document's properties. Where the
// array itself is not known it stays so.
func appendTo(doc *arm.Resource, member string, element any) {
	if doc.Properties == nil {
		doc.Properties = arm.Object{}
	}
	switch list := doc.Properties[member].(type) {
	case nil:
		doc.Properties[member] = []any{element}
	case []any:
		doc.Properties[member] = append(list, element)
	}
}
