package terraform

import "github.com/cloister-ml/cloister/arm"

const (
	typePublicIP = "Microsoft.Network/publicIPAddresses"
	typeNAT      = "Microsoft.Network/natGateways"
	typeBastion  = "Microsoft.Network/bastionHosts"
)

// gatewayKinds are the ways in and out of a network.
var gatewayKinds = map[string]kind{
	"azurerm_public_ip": {
		arm: typePublicIP,
		id:  inGroup(typePublicIP),
		props: []prop{
			attr("allocation_method", "publicIPAllocationMethod"),
			attr("ip_version", "publicIPAddressVersion").or("IPv4"),
			attr("idle_timeout_in_minutes", "idleTimeoutInMinutes").or(4.0),
			attr("ddos_protection_mode", "ddosSettings.protectionMode").or("VirtualNetworkInherited"),
			attr("domain_name_label", "dnsSettings.domainNameLabel"),
		},
		finish: func(v view, doc *arm.Resource) {
			doc.SKU = arm.Object{"name": or(v.json("sku"), "Standard"), "tier": or(v.json("sku_tier"), "Regional")}
		},
	},
	"azurerm_nat_gateway": {
		arm:    typeNAT,
		id:     inGroup(typeNAT),
		props:  []prop{attr("idle_timeout_in_minutes", "idleTimeoutInMinutes").or(4.0)},
		finish: func(v view, doc *arm.Resource) { doc.SKU = arm.Object{"name": or(v.json("sku_name"), "Standard")} },
	},
	"azurerm_nat_gateway_public_ip_association": {
		effect: func(v view, _ arm.ID, b *builder) {
			b.change(v, v.id("nat_gateway_id", typeNAT), func(doc *arm.Resource) {
				appendTo(doc, "publicIpAddresses", arm.Object{"id": v.json("public_ip_address_id")})
			})
		},
	},
	"azurerm_subnet_nat_gateway_association": {
		effect: func(v view, _ arm.ID, b *builder) {
			b.change(v, v.id("subnet_id", typeSubnet), func(doc *arm.Resource) {
				set(doc.Properties, "natGateway.id", v.json("nat_gateway_id"))
			})
		},
	},
	"azurerm_bastion_host": {
		arm: typeBastion,
		id:  inGroup(typeBastion),
		props: []prop{
			attr("scale_units", "scaleUnits").or(2.0),
			attr("copy_paste_enabled", "disableCopyPaste").as(negated),
			attr("file_copy_enabled", "enableFileCopy"),
			attr("ip_connect_enabled", "enableIpConnect"),
			attr("kerberos_enabled", "enableKerberos"),
			attr("shareable_link_enabled", "enableShareableLink"),
			attr("tunneling_enabled", "enableTunneling"),
			attr("session_recording_enabled", "enableSessionRecording"),
			attr("virtual_network_id", "virtualNetwork.id"),
			each("ip_configuration", "ipConfigurations",
				attr("name", "name"),
				attr("subnet_id", "properties.subnet.id"),
				attr("public_ip_address_id", "properties.publicIPAddress.id")),
		},
		finish: func(v view, doc *arm.Resource) { doc.SKU = arm.Object{"name": or(v.json("sku"), "Basic")} },
	},
}

// or is v, or def where there is none.
func or(v, def any) any {
	if v == nil {
		return def
	}
	return v
}
