package terraform

import (
	"github.com/zclconf/go-cty/cty"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
)

const (
	typePublicIP     = "Microsoft.Network/publicIPAddresses"
	typePublicPrefix = "Microsoft.Network/publicIPPrefixes"
	typeDDoS         = "Microsoft.Network/ddosProtectionPlans"
)

// tiered is the SKU of what is Standard and Regional unless said otherwise.
var tiered = []prop{attr("sku", "name").or("Standard"), attr("sku_tier", "tier").or("Regional")}

var publicIPKinds = map[string]kind{
	"azurerm_public_ip": {
		arm:   typePublicIP,
		id:    inGroup(typePublicIP),
		sku:   tiered,
		zonal: true,
		props: []prop{
			attr("allocation_method", "publicIPAllocationMethod"),
			attr("ip_version", "publicIPAddressVersion").or("IPv4"),
			attr("idle_timeout_in_minutes", "idleTimeoutInMinutes").or(4.0),
			attr("ddos_protection_mode", "ddosSettings.protectionMode").or("VirtualNetworkInherited"),
			attr("ddos_protection_plan_id", "ddosSettings.ddosProtectionPlan.id"),
			attr("domain_name_label", "dnsSettings.domainNameLabel"),
			attr("domain_name_label_scope", "dnsSettings.domainNameLabelScope"),
			attr("reverse_fqdn", "dnsSettings.reverseFqdn"),
			attr("public_ip_prefix_id", "publicIPPrefix.id"),
			attr("ip_tags", "ipTags").as(pairs("ipTagType", "tag")),
		},
		decide: publicName,
	},
	"azurerm_public_ip_prefix": {
		arm:   typePublicPrefix,
		id:    inGroup(typePublicPrefix),
		sku:   tiered,
		zonal: true,
		props: []prop{
			attr("prefix_length", "prefixLength").or(28.0),
			attr("ip_version", "publicIPAddressVersion").or("IPv4"),
			attr("custom_ip_prefix_id", "customIPPrefix.id"),
		},
	},
	"azurerm_network_ddos_protection_plan": {arm: typeDDoS, id: inGroup(typeDDoS)},
}

// publicName is the name of a public address that has a label: of the region's
// zone cloudapp.azure.com, with a hash in it where the label has a scope.
func publicName(v view, _ arm.ID) map[string]cty.Value {
	label, region := v.text("domain_name_label"), v.text("location")
	if label == "" || region == "" || v.has("domain_name_label_scope") {
		return nil
	}
	return texts("fqdn", label+"."+service.Region(region)+".cloudapp.azure.com")
}
