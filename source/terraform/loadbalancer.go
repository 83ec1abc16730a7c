package terraform

import (
	"github.com/zclconf/go-cty/cty"

	"github.com/cloister-ml/cloister/arm"
)

const typeLB = "Microsoft.Network/loadBalancers"

// lbFlags are what rules of all sorts have, by azurerm 5's names and earlier ones.
var lbFlags = []prop{
	attr("protocol", "properties.protocol"),
	attr("idle_timeout_in_minutes", "properties.idleTimeoutInMinutes").or(4.0),
	attr("enable_tcp_reset", "properties.enableTcpReset").or(false),
	attr("tcp_reset_enabled", "properties.enableTcpReset"),
}

var lbFloating = append([]prop{
	attr("enable_floating_ip", "properties.enableFloatingIP").or(false),
	attr("floating_ip_enabled", "properties.enableFloatingIP"),
}, lbFlags...)

var loadBalancerKinds = map[string]kind{
	"azurerm_lb": {
		arm: typeLB,
		id:  inGroup(typeLB),
		sku: tiered,
		props: []prop{each("frontend_ip_configuration", "frontendIPConfigurations",
			attr("name", "name"),
			attr("zones", "zones"),
			attr("subnet_id", "properties.subnet.id"),
			attr("private_ip_address", "properties.privateIPAddress"),
			attr("private_ip_address_allocation", "properties.privateIPAllocationMethod"),
			attr("private_ip_address_version", "properties.privateIPAddressVersion"),
			attr("public_ip_address_id", "properties.publicIPAddress.id"),
			attr("public_ip_prefix_id", "properties.publicIPPrefix.id"),
			attr("gateway_load_balancer_frontend_ip_configuration_id", "properties.gatewayLoadBalancer.id"))},
		finish: func(_ view, doc *arm.Resource) {
			for _, c := range arm.Objects(doc.Properties, "frontendIPConfigurations") {
				if props, _ := c["properties"].(arm.Object); props["subnet"] != nil && props["privateIPAddressVersion"] == nil {
					props["privateIPAddressVersion"] = "IPv4"
				}
			}
		},
		decide: func(v view, _ arm.ID) map[string]cty.Value { return firstAddress(v, "frontend_ip_configuration") },
	},
	"azurerm_lb_backend_address_pool": nested("loadbalancer_id", typeLB, "backendAddressPools",
		attr("virtual_network_id", "properties.virtualNetwork.id"),
		attr("synchronous_mode", "properties.syncMode"),
		each("tunnel_interface", "properties.tunnelInterfaces",
			attr("identifier", "identifier"), attr("port", "port"), attr("protocol", "protocol"), attr("type", "type"))),
	"azurerm_lb_backend_address_pool_address": {effect: poolAddress},
	"azurerm_lb_probe": nested("loadbalancer_id", typeLB, "probes",
		attr("port", "properties.port"),
		attr("protocol", "properties.protocol").or("Tcp"),
		attr("request_path", "properties.requestPath"),
		attr("interval_in_seconds", "properties.intervalInSeconds").or(15.0),
		attr("number_of_probes", "properties.numberOfProbes").or(2.0),
		attr("probe_threshold", "properties.probeThreshold").or(1.0)),
	"azurerm_lb_rule": balanced("loadBalancingRules", append([]prop{
		part("frontend_ip_configuration_name", "properties.frontendIPConfiguration", "frontendIPConfigurations"),
		attr("frontend_port", "properties.frontendPort"),
		attr("backend_port", "properties.backendPort"),
		attr("probe_id", "properties.probe.id"),
		attr("disable_outbound_snat", "properties.disableOutboundSnat").or(false),
		attr("load_distribution", "properties.loadDistribution").or("Default"),
		attr("backend_address_pool_id", "properties.backendAddressPool.id"),
	}, lbFloating...)...),
	"azurerm_lb_nat_rule": balanced("inboundNatRules", append([]prop{
		part("frontend_ip_configuration_name", "properties.frontendIPConfiguration", "frontendIPConfigurations"),
		attr("frontend_port", "properties.frontendPort"),
		attr("frontend_port_start", "properties.frontendPortRangeStart"),
		attr("frontend_port_end", "properties.frontendPortRangeEnd"),
		attr("backend_port", "properties.backendPort"),
		attr("backend_address_pool_id", "properties.backendAddressPool.id"),
	}, lbFloating...)...),
	"azurerm_lb_nat_pool": balanced("inboundNatPools",
		part("frontend_ip_configuration_name", "properties.frontendIPConfiguration", "frontendIPConfigurations"),
		attr("protocol", "properties.protocol"),
		attr("frontend_port_start", "properties.frontendPortRangeStart"),
		attr("frontend_port_end", "properties.frontendPortRangeEnd"),
		attr("backend_port", "properties.backendPort"),
		attr("idle_timeout_in_minutes", "properties.idleTimeoutInMinutes").or(4.0),
		attr("floating_ip_enabled", "properties.enableFloatingIP"),
		attr("tcp_reset_enabled", "properties.enableTcpReset")),
	"azurerm_lb_outbound_rule": balanced("outboundRules", append([]prop{
		attr("backend_address_pool_id", "properties.backendAddressPool.id"),
		attr("allocated_outbound_ports", "properties.allocatedOutboundPorts").or(1024.0),
		each("frontend_ip_configuration", "properties.frontendIPConfigurations", part("name", "", "frontendIPConfigurations")),
	}, lbFlags...)...),
}

// balanced is a rule of a load balancer.
func balanced(member string, props ...prop) kind {
	k := nested("loadbalancer_id", typeLB, member)
	k.effect = func(v view, id arm.ID, b *builder) {
		v.self = id.Parent()
		b.change(v, v.self, func(doc *arm.Resource) {
			o := arm.Object{"name": id.Name()}
			v.place(o)
			apply(v, props, o)
			if pools, _ := v.json("backend_address_pool_ids").([]any); len(pools) == 1 {
				set(o, "properties.backendAddressPool.id", pools[0])
			} else if len(pools) > 1 {
				set(o, "properties.backendAddressPools", references(pools))
			}
			appendTo(doc, member, o)
		})
	}
	return k
}

// poolAddress adds an address to a pool of a load balancer.
func poolAddress(v view, _ arm.ID, b *builder) {
	pool := v.id("backend_address_pool_id", typeLB+"/backendAddressPools")
	b.change(v, pool.Parent(), func(doc *arm.Resource) {
		for _, p := range arm.Objects(doc.Properties, "backendAddressPools") {
			if arm.String(p, "name") != pool.Name() {
				continue
			}
			o := arm.Object{"name": v.symbol("name")}
			v.place(o)
			apply(v, []prop{
				attr("ip_address", "properties.ipAddress"),
				attr("virtual_network_id", "properties.virtualNetwork.id"),
				attr("backend_address_ip_configuration_id", "properties.loadBalancerFrontendIPConfiguration.id"),
			}, o)
			list, _ := arm.Lookup(p, "properties.loadBalancerBackendAddresses")
			have, _ := list.([]any)
			set(p, "properties.loadBalancerBackendAddresses", append(have, o))
		}
	})
}
