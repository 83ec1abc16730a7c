package terraform

import (
	"strings"

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
		effect: soa("SOA", []prop{
			attr("ttl", "ttl").or(3600.0),
			attr("tags", "metadata"),
			attr("email", "soaRecord.email"),
			attr("expire_time", "soaRecord.expireTime").or(2419200.0),
			attr("minimum_ttl", "soaRecord.minimumTtl").or(10.0),
			attr("refresh_time", "soaRecord.refreshTime").or(3600.0),
			attr("retry_time", "soaRecord.retryTime").or(300.0),
		}),
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
	"azurerm_private_dns_a_record":     privateRecord("A", attr("records", "aRecords").as(listed("ipv4Address", nil))),
	"azurerm_private_dns_aaaa_record":  privateRecord("AAAA", attr("records", "aaaaRecords").as(listed("ipv6Address", nil))),
	"azurerm_private_dns_cname_record": privateRecord("CNAME", attr("record", "cnameRecord.cname")),
	"azurerm_private_dns_mx_record":    privateRecord("MX", each("record", "mxRecords", attr("preference", "preference"), attr("exchange", "exchange"))),
	"azurerm_private_dns_ptr_record":   privateRecord("PTR", attr("records", "ptrRecords").as(listed("ptrdname", nil))),
	"azurerm_private_dns_srv_record":   privateRecord("SRV", each("record", "srvRecords", srvProps...)),
	"azurerm_private_dns_txt_record":   privateRecord("TXT", each("record", "txtRecords", attr("value", "value").as(strands))),
}

var srvProps = []prop{attr("priority", "priority"), attr("weight", "weight"), attr("port", "port"), attr("target", "target")}

// privateRecord is a record set of a private zone.
func privateRecord(typ string, data prop) kind {
	return record(typeZone, typ, inZone("zone_name", typ), attr("ttl", "ttl"), attr("tags", "metadata"), data)
}

func record(zone, typ string, id func(view) arm.ID, props ...prop) kind {
	return kind{
		arm:    zone + "/" + typ,
		id:     id,
		props:  props,
		decide: recordName,
		finish: func(_ view, doc *arm.Resource) { doc.Tags = nil },
	}
}

// recordName decides the full name of a record set; "@" is the zone itself.
func recordName(_ view, id arm.ID) map[string]cty.Value {
	zone := id.Parent().Name() + "."
	if id.Name() == "@" {
		return texts("fqdn", zone)
	}
	return texts("fqdn", id.Name()+"."+zone)
}

// strands is a text as a TXT record holds it: strings of at most 254 characters,
// which is where azurerm divides it.
func strands(v any) any {
	s, _ := v.(string)
	out := []any{}
	for len(s) > 254 {
		out, s = append(out, s[:254]), s[254:]
	}
	return append(out, s)
}

// soa is the record of a zone's authority, where the zone says what is in it.
func soa(typ string, props []prop) func(view, arm.ID, *builder) {
	return func(v view, id arm.ID, b *builder) {
		for _, block := range v.blocks("soa_record") {
			o := arm.Object{}
			apply(block, props, o)
			b.child(block, id.Type()+"/"+typ, id.Child(typ, "@"), o)
		}
	}
}

// global places what no region holds.
func global(_ view, doc *arm.Resource) { doc.Location = "global" }

// inZone is the id of a child of a private zone, which azurerm 5 names by id, and
// earlier releases by name and resource group.
func inZone(nameAttr, child string) func(view) arm.ID {
	return func(v view) arm.ID {
		if v.has("private_dns_zone_id") {
			return v.id("private_dns_zone_id", typeZone).Child(child, recordSet(v))
		}
		return arm.ResourceID(v.subscription, v.symbol("resource_group_name"), typeZone, v.symbol(nameAttr)).Child(child, recordSet(v))
	}
}

// recordSet is a record set's name, which some may leave out.
func recordSet(v view) string {
	if !v.has("name") && strings.HasSuffix(v.r.Type, "_mx_record") {
		return "@"
	}
	return v.symbol("name")
}
