resource "azurerm_container_registry" "this" {
  name                          = "crmlops"
  resource_group_name           = azurerm_resource_group.this.name
  location                      = azurerm_resource_group.this.location
  sku                           = "Premium"
  public_network_access_enabled = false
}
