package terraform

import (
	"net/netip"

	"github.com/zclconf/go-cty/cty"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/source/terraform/internal/lang"
)

const (
	typeFirewall = "Microsoft.Network/azureFirewalls"
	typeIPGroup  = "Microsoft.Network/ipGroups"
)

var firewallConfiguration = []prop{
	attr("name", "name"),
	attr("subnet_id", "properties.subnet.id"),
	attr("public_ip_address_id", "properties.publicIPAddress.id"),
}

var firewallKinds = map[string]kind{
	"azurerm_firewall": {
		arm:   typeFirewall,
		id:    inGroup(typeFirewall),
		zonal: true,
		props: []prop{
			attr("sku_name", "sku.name").or("AZFW_VNet"),
			attr("sku_tier", "sku.tier").or("Standard"),
			attr("firewall_policy_id", "firewallPolicy.id"),
			attr("threat_intel_mode", "threatIntelMode"),
			each("ip_configuration", "ipConfigurations", firewallConfiguration...),
			one("management_ip_configuration", "managementIpConfiguration", firewallConfiguration...),
			attr("virtual_hub.virtual_hub_id", "virtualHub.id"),
		},
		finish: firewallSettings,
		look:   firewallAddress,
	},
	"azurerm_firewall_application_rule_collection": firewallCollection("applicationRuleCollections",
		attr("source_addresses", "sourceAddresses"),
		attr("source_ip_groups", "sourceIpGroups"),
		attr("target_fqdns", "targetFqdns"),
		attr("fqdn_tags", "fqdnTags"),
		each("protocol", "protocols", attr("type", "protocolType"), attr("port", "port"))),
	"azurerm_firewall_network_rule_collection": firewallCollection("networkRuleCollections",
		attr("protocols", "protocols"),
		attr("source_addresses", "sourceAddresses"),
		attr("source_ip_groups", "sourceIpGroups"),
		attr("destination_addresses", "destinationAddresses"),
		attr("destination_ip_groups", "destinationIpGroups"),
		attr("destination_fqdns", "destinationFqdns"),
		attr("destination_ports", "destinationPorts")),
	"azurerm_firewall_nat_rule_collection": firewallCollection("natRuleCollections",
		attr("protocols", "protocols"),
		attr("source_addresses", "sourceAddresses"),
		attr("source_ip_groups", "sourceIpGroups"),
		attr("destination_addresses", "destinationAddresses"),
		attr("destination_ports", "destinationPorts"),
		attr("translated_address", "translatedAddress"),
		attr("translated_port", "translatedPort")),
	"azurerm_ip_group": {
		arm:   typeIPGroup,
		id:    inGroup(typeIPGroup),
		props: []prop{attr("cidrs", "ipAddresses").or([]any{})},
	},
	"azurerm_ip_group_cidr": {effect: func(v view, _ arm.ID, b *builder) {
		b.change(v, v.id("ip_group_id", typeIPGroup), func(doc *arm.Resource) { appendTo(doc, "ipAddresses", v.json("cidr")) })
	}},
}

// firewallCollection is a collection of classic rules, which the firewall itself
// holds.
func firewallCollection(member string, rule ...prop) kind {
	rule = append([]prop{attr("name", "name"), attr("description", "description")}, rule...)
	return within(under(typeFirewall, "azure_firewall_name", member), member,
		attr("priority", "properties.priority"),
		attr("action", "properties.action.type"),
		each("rule", "properties.rules", rule...))
}

// firewallSettings writes what the API keeps under names with dots in them, and
// the addresses that a firewall in a virtual hub gets.
func firewallSettings(v view, doc *arm.Resource) {
	for _, p := range []prop{
		attr("private_ip_ranges", "Network.SNAT.PrivateRanges").as(commas),
		attr("dns_servers", "Network.DNS.Servers").as(commas),
		attr("dns_proxy_enabled", "Network.DNS.EnableProxy").as(worded("true", "false")),
	} {
		val, ok := p.value(v)
		if !ok {
			continue
		}
		if doc.Properties["additionalProperties"] == nil {
			doc.Properties["additionalProperties"] = arm.Object{}
		}
		doc.Properties["additionalProperties"].(arm.Object)[p.to] = val
	}
	if len(v.blocks("virtual_hub")) > 0 {
		set(doc.Properties, "hubIPAddresses.publicIPs.count", or(v.json("virtual_hub.public_ip_count"), 1.0))
	}
}

// reserved is how many addresses at the start of each subnet Azure keeps (Virtual
// Network FAQ, "Are there any restrictions on using IP addresses within these
// subnets?").
const reserved = 4

// firewallAddress decides the private address of a firewall: the first that may be
// given out in its subnet, which is for it alone.
func firewallAddress(v view, a azure, others func(string) []*lang.Resource) map[string]cty.Value {
	configurations := v.blocks("ip_configuration")
	if len(configurations) == 0 || !configurations[0].has("subnet_id") {
		return nil
	}
	subnet := configurations[0].id("subnet_id", typeSubnet)
	for _, r := range others("azurerm_subnet") {
		other := a.view(r, true)
		if !subnet.Equal(subnetID(other)) {
			continue
		}
		list, _ := prefixes(other).([]any)
		if len(list) == 0 {
			return nil
		}
		text, _ := list[0].(string)
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return nil
		}
		addr := prefix.Masked().Addr()
		for range reserved {
			addr = addr.Next()
		}
		return map[string]cty.Value{"ip_configuration[0].private_ip_address": cty.StringVal(addr.String())}
	}
	return nil
}
