resource "azurerm_private_dns_zone" "this" {
  for_each = toset(flatten([for endpoint in local.endpoints : endpoint.zones]))

  name                = each.key
  resource_group_name = azurerm_resource_group.this.name
}

resource "azurerm_private_dns_zone_virtual_network_link" "aml" {
  for_each = azurerm_private_dns_zone.this

  name                  = "aml"
  resource_group_name   = azurerm_resource_group.this.name
  private_dns_zone_name = each.key
  virtual_network_id    = azurerm_virtual_network.aml.id
}
