package terraform

import "github.com/cloister-ml/cloister/arm"

const (
	typeNAT     = "Microsoft.Network/natGateways"
	typeBastion = "Microsoft.Network/bastionHosts"
)

// gatewayKinds are the ways in and out of a network.
var gatewayKinds = map[string]kind{
	"azurerm_nat_gateway": {
		arm:   typeNAT,
		id:    inGroup(typeNAT),
		sku:   []prop{attr("sku_name", "name").or("Standard")},
		zonal: true,
		props: []prop{
			attr("idle_timeout_in_minutes", "idleTimeoutInMinutes").or(4.0),
			attr("public_ip_address_ids", "publicIpAddresses").as(references),
			attr("public_ip_prefix_ids", "publicIpPrefixes").as(references),
		},
	},
	"azurerm_nat_gateway_public_ip_association":        addsRef("nat_gateway_id", typeNAT, "public_ip_address_id", "publicIpAddresses"),
	"azurerm_nat_gateway_public_ip_prefix_association": addsRef("nat_gateway_id", typeNAT, "public_ip_prefix_id", "publicIpPrefixes"),
	"azurerm_subnet_nat_gateway_association":           setsRef("subnet_id", typeSubnet, "nat_gateway_id", "natGateway.id"),
	"azurerm_bastion_host": {
		arm:   typeBastion,
		id:    inGroup(typeBastion),
		sku:   []prop{attr("sku", "name").or("Basic")},
		zonal: true,
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
		finish: func(v view, doc *arm.Resource) {
			if v.text("sku") == "Premium" {
				doc.Properties["enablePrivateOnlyBastion"] = !v.has("ip_configuration.public_ip_address_id")
			}
		},
	},
}

// or is v, or def where there is none.
func or(v, def any) any {
	if v == nil {
		return def
	}
	return v
}
