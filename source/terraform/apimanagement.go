package terraform

import (
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

var apiManagementRows = tabled(`
	client_certificate_enabled enableClientCertificate
	gateway_disabled disableGateway =false
	min_api_version apiVersionConstraint.minApiVersion
	notification_sender_email
	public_ip_address_id
	public_network_access_enabled publicNetworkAccess =Enabled ~toggled
	publisher_email
	publisher_name
	virtual_network_type =None
	virtual_network_configuration: virtualNetworkConfiguration
		subnet_id subnetResourceId
	additional_location[]: additionalLocations
		location
		gateway_disabled disableGateway
		public_ip_address_id
		virtual_network_configuration.subnet_id virtualNetworkConfiguration.subnetResourceId
`)

// finishAPIManagement splits the SKU, as Developer_1, into its name and units.
func finishAPIManagement(v view, doc *arm.Resource) {
	if !strings.HasPrefix(v.text("sku_name"), "Consumption") {
		doc.Properties["customProperties"] = gatewaySecurity(v)
	}
	name, units, ok := strings.Cut(v.text("sku_name"), "_")
	if !ok {
		doc.SKU = arm.Object{"name": v.json("sku_name")}
		return
	}
	doc.SKU = arm.Object{"name": name, "capacity": literal(units)}
}

// gatewaySecurity are the protocols and ciphers of before that a gateway still
// takes: none, unless the block security says so.
func gatewaySecurity(v view) arm.Object {
	const prefix = "Microsoft.WindowsAzure.ApiManagement.Gateway.Security."
	out := arm.Object{}
	for attribute, name := range map[string]string{
		"backend_ssl30_enabled":                               "Backend.Protocols.Ssl30",
		"backend_tls10_enabled":                               "Backend.Protocols.Tls10",
		"backend_tls11_enabled":                               "Backend.Protocols.Tls11",
		"frontend_ssl30_enabled":                              "Protocols.Ssl30",
		"frontend_tls10_enabled":                              "Protocols.Tls10",
		"frontend_tls11_enabled":                              "Protocols.Tls11",
		"tls_ecdhe_ecdsa_with_aes128_cbc_sha_ciphers_enabled": "Ciphers.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
		"tls_ecdhe_ecdsa_with_aes256_cbc_sha_ciphers_enabled": "Ciphers.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
		"tls_ecdhe_rsa_with_aes128_cbc_sha_ciphers_enabled":   "Ciphers.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
		"tls_ecdhe_rsa_with_aes256_cbc_sha_ciphers_enabled":   "Ciphers.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
		"tls_rsa_with_aes128_cbc_sha_ciphers_enabled":         "Ciphers.TLS_RSA_WITH_AES_128_CBC_SHA",
		"tls_rsa_with_aes128_cbc_sha256_ciphers_enabled":      "Ciphers.TLS_RSA_WITH_AES_128_CBC_SHA256",
		"tls_rsa_with_aes128_gcm_sha256_ciphers_enabled":      "Ciphers.TLS_RSA_WITH_AES_128_GCM_SHA256",
		"tls_rsa_with_aes256_cbc_sha_ciphers_enabled":         "Ciphers.TLS_RSA_WITH_AES_256_CBC_SHA",
		"tls_rsa_with_aes256_cbc_sha256_ciphers_enabled":      "Ciphers.TLS_RSA_WITH_AES_256_CBC_SHA256",
		"tls_rsa_with_aes256_gcm_sha384_ciphers_enabled":      "Ciphers.TLS_RSA_WITH_AES_256_GCM_SHA384",
		"triple_des_ciphers_enabled":                          "Ciphers.TripleDes168",
	} {
		out[prefix+name] = text(or(v.json("security."+attribute), false))
	}
	return out
}
