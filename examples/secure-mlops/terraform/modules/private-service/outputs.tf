output "endpoint_id" {
  description = "The private endpoint."
  value       = azurerm_private_endpoint.this.id
}

output "addresses" {
  description = "The endpoint's addresses by host name."
  value       = { for config in azurerm_private_endpoint.this.custom_dns_configs : config.fqdn => config.ip_addresses }
}
