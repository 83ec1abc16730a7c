package terraform

const (
	typeResolver = "Microsoft.Network/dnsResolvers"
	typeRuleset  = "Microsoft.Network/dnsForwardingRulesets"
)

var resolverKinds = map[string]kind{
	"azurerm_private_dns_resolver": {
		arm:   typeResolver,
		id:    inGroup(typeResolver),
		props: []prop{attr("virtual_network_id", "virtualNetwork.id")},
	},
	"azurerm_private_dns_resolver_inbound_endpoint": {
		arm: typeResolver + "/inboundEndpoints",
		id:  childOf("private_dns_resolver_id", typeResolver, "inboundEndpoints"),
		props: []prop{each("ip_configurations", "ipConfigurations",
			attr("subnet_id", "subnet.id"),
			attr("private_ip_allocation_method", "privateIpAllocationMethod").or("Dynamic"),
			attr("private_ip_address", "privateIpAddress"))},
	},
	"azurerm_private_dns_resolver_outbound_endpoint": {
		arm:   typeResolver + "/outboundEndpoints",
		id:    childOf("private_dns_resolver_id", typeResolver, "outboundEndpoints"),
		props: []prop{attr("subnet_id", "subnet.id")},
	},
	"azurerm_private_dns_resolver_dns_forwarding_ruleset": {
		arm:   typeRuleset,
		id:    inGroup(typeRuleset),
		props: []prop{attr("private_dns_resolver_outbound_endpoint_ids", "dnsResolverOutboundEndpoints").as(references)},
	},
	"azurerm_private_dns_resolver_forwarding_rule": {
		arm: typeRuleset + "/forwardingRules",
		id:  childOf("dns_forwarding_ruleset_id", typeRuleset, "forwardingRules"),
		props: []prop{
			attr("domain_name", "domainName"),
			attr("enabled", "forwardingRuleState").or("Enabled").as(toggled),
			attr("metadata", "metadata"),
			each("target_dns_servers", "targetDnsServers", attr("ip_address", "ipAddress"), attr("port", "port").or(53.0)),
		},
	},
	"azurerm_private_dns_resolver_virtual_network_link": {
		arm: typeRuleset + "/virtualNetworkLinks",
		id:  childOf("dns_forwarding_ruleset_id", typeRuleset, "virtualNetworkLinks"),
		props: []prop{
			attr("virtual_network_id", "virtualNetwork.id"),
			attr("metadata", "metadata"),
		},
	},
}
