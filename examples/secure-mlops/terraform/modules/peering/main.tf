# A peering is two links, one from each side. Neither forwards other networks'
# traffic nor lends a gateway unless it is asked for.

resource "azurerm_virtual_network_peering" "hub_to_spoke" {
  name                         = "peer-${var.hub.short}-to-${var.spoke.short}"
  resource_group_name          = var.resource_group_name
  virtual_network_name         = var.hub.name
  remote_virtual_network_id    = var.spoke.id
  allow_virtual_network_access = true
  allow_forwarded_traffic      = false
  allow_gateway_transit        = var.gateway_transit
}

resource "azurerm_virtual_network_peering" "spoke_to_hub" {
  name                         = "peer-${var.spoke.short}-to-${var.hub.short}"
  resource_group_name          = var.resource_group_name
  virtual_network_name         = var.spoke.name
  remote_virtual_network_id    = var.hub.id
  allow_virtual_network_access = true
  allow_forwarded_traffic      = var.forwarded_traffic
  allow_gateway_transit        = false
  use_remote_gateways          = var.gateway_transit

  # A gateway can be used once it is lent.
  depends_on = [azurerm_virtual_network_peering.hub_to_spoke]
}
