package terraform

import "github.com/cloister-ml/cloister/arm"

const typePublicZone = "Microsoft.Network/dnsZones"

var publicDNSKinds = map[string]kind{
	"azurerm_dns_zone": {
		arm:    typePublicZone,
		id:     inGroup(typePublicZone),
		finish: global,
		effect: soa("SOA", []prop{
			attr("ttl", "TTL").or(3600.0),
			attr("tags", "metadata"),
			attr("email", "SOARecord.email"),
			attr("host_name", "SOARecord.host"),
			attr("expire_time", "SOARecord.expireTime").or(2419200.0),
			attr("minimum_ttl", "SOARecord.minimumTTL").or(300.0),
			attr("refresh_time", "SOARecord.refreshTime").or(3600.0),
			attr("retry_time", "SOARecord.retryTime").or(300.0),
			attr("serial_number", "SOARecord.serialNumber").or(1.0),
		}),
	},
	"azurerm_dns_a_record":     publicRecord("A", attr("records", "ARecords").as(listed("ipv4Address", nil)), alias),
	"azurerm_dns_aaaa_record":  publicRecord("AAAA", attr("records", "AAAARecords").as(listed("ipv6Address", nil)), alias),
	"azurerm_dns_cname_record": publicRecord("CNAME", attr("record", "CNAMERecord.cname"), alias),
	"azurerm_dns_caa_record":   publicRecord("CAA", each("record", "caaRecords", attr("flags", "flags"), attr("tag", "tag"), attr("value", "value"))),
	"azurerm_dns_mx_record":    publicRecord("MX", each("record", "MXRecords", attr("preference", "preference").as(number), attr("exchange", "exchange"))),
	"azurerm_dns_ns_record":    publicRecord("NS", attr("records", "NSRecords").as(listed("nsdname", nil))),
	"azurerm_dns_ptr_record":   publicRecord("PTR", attr("records", "PTRRecords").as(listed("ptrdname", nil))),
	"azurerm_dns_srv_record":   publicRecord("SRV", each("record", "SRVRecords", srvProps...)),
	"azurerm_dns_txt_record":   publicRecord("TXT", each("record", "TXTRecords", attr("value", "value").as(strands))),
}

// alias is the resource whose address a record follows.
var alias = attr("target_resource_id", "targetResource.id")

// publicRecord is a record set of a public zone.
func publicRecord(typ string, data ...prop) kind {
	id := func(v view) arm.ID {
		return arm.ResourceID(v.subscription, v.symbol("resource_group_name"), typePublicZone, v.symbol("zone_name")).Child(typ, recordSet(v))
	}
	return record(typePublicZone, typ, id, append([]prop{attr("ttl", "TTL"), attr("tags", "metadata")}, data...)...)
}
