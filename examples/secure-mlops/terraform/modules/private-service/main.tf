# A service made private: a private endpoint in a subnet, and its records in the
# private DNS zones of its host names.

resource "azurerm_private_endpoint" "this" {
  name                          = "pe-${var.name}"
  custom_network_interface_name = "nic-pe-${var.name}"
  resource_group_name           = var.resource_group_name
  location                      = var.location
  subnet_id                     = var.subnet_id
  tags                          = var.tags

  private_service_connection {
    name                           = "psc-${var.name}"
    private_connection_resource_id = var.target_id
    subresource_names              = [var.subresource]
    is_manual_connection           = false
  }

  private_dns_zone_group {
    name                 = "default"
    private_dns_zone_ids = var.zone_ids
  }
}
