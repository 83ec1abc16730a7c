output "firewall" {
  description = "The firewall with its private address, or null."
  value = try({
    id      = azurerm_firewall.this[0].id
    address = azurerm_firewall.this[0].ip_configuration[0].private_ip_address
  }, null)
}

output "ready" {
  description = "Known once every subnet has its way out."
  value       = var.mode

  depends_on = [azurerm_subnet_nat_gateway_association.this, azurerm_nat_gateway_public_ip_association.this, azurerm_subnet_route_table_association.this]
}
