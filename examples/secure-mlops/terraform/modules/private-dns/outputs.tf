output "ids" {
  description = "Ids of the zones, by name."
  value       = { for name, zone in azurerm_private_dns_zone.this : name => zone.id }

  # Without its links a record would be written that no machine can see.
  depends_on = [azurerm_private_dns_zone_virtual_network_link.this]
}
