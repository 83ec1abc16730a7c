resource "azurerm_private_dns_zone_virtual_network_link" "hub" {
  for_each = azurerm_private_dns_zone.this

  name                  = "hub"
  resource_group_name   = azurerm_resource_group.this.name
  private_dns_zone_name = each.key
  virtual_network_id    = azurerm_virtual_network.hub.id
}
