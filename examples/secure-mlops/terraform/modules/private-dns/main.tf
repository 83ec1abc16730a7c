# The private DNS zones of services' host names, each once, and a link of each to
# each network that must resolve it. Some services share a zone.

resource "azurerm_private_dns_zone" "this" {
  for_each = var.zones

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
