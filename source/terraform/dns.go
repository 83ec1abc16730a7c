package terraform

import (
	"github.com/zclconf/go-cty/cty"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
)

const typeZone = service.TypePrivateDNSZone

var dnsKinds = map[string]kind{
	"azurerm_private_dns_zone": {
		arm:    typeZone,
		id:     inGroup(typeZone),
		finish: global,
	},
	"azurerm_private_dns_zone_virtual_network_link": {
		arm: typeZone + "/virtualNetworkLinks",
		id:  inZone("private_dns_zone_name", "virtualNetworkLinks"),
		props: []prop{
			attr("virtual_network_id", "virtualNetwork.id"),
			attr("registration_enabled", "registrationEnabled").or(false),
			attr("resolution_policy", "resolutionPolicy"),
		},
		finish: global,
	},
	"azurerm_private_dns_a_record": {
		arm: typeZone + "/A",
		id:  inZone("zone_name", "A"),
		props: []prop{
			attr("ttl", "ttl"),
			attr("records", "aRecords").as(listed("ipv4Address", nil)),
		},
		decide: func(_ view, id arm.ID) map[string]cty.Value {
			return texts("fqdn", id.Name()+"."+id.Parent().Name()+".")
		},
		finish: func(_ view, doc *arm.Resource) { doc.Tags = nil },
	},
}

// global places what no region holds.
func global(_ view, doc *arm.Resource) { doc.Location = "global" }

// inZone is the id of a child of a zone, which azurerm 5 names by id, and earlier
// releases by name and resource group.
func inZone(nameAttr, child string) func(view) arm.ID {
	return func(v view) arm.ID {
		if v.has("private_dns_zone_id") {
			return v.id("private_dns_zone_id", typeZone).Child(child, v.symbol("name"))
		}
		return under(typeZone, nameAttr, child)(v)
	}
}
