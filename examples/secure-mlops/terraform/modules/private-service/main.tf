# A service made private: a private endpoint in a subnet, the private DNS zones of
# its host names, and a link of each zone to each network that must resolve them.

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
    private_dns_zone_ids = [for name in var.zones : azurerm_private_dns_zone.this[name].id]
  }

  # Without its links a record would be written that no machine can see.
  depends_on = [azurerm_private_dns_zone_virtual_network_link.this]
}

resource "azurerm_private_dns_zone" "this" {
  for_each = toset(var.zones)

  name                = each.key
  resource_group_name = var.resource_group_name
  tags                = var.tags
}

resource "azurerm_private_dns_zone_virtual_network_link" "this" {
  for_each = {
    for pair in setproduct(var.zones, keys(var.networks)) : join("/", pair) => { zone = pair[0], network = pair[1] }
  }

  name                 = "link-${each.value.network}"
  private_dns_zone_id  = azurerm_private_dns_zone.this[each.value.zone].id
  virtual_network_id   = var.networks[each.value.network]
  registration_enabled = false
  tags                 = var.tags
}
