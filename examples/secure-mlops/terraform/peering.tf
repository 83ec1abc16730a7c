# A peering is two links, one from each side. Neither forwards other networks'
# traffic, neither lends its gateway.

resource "azurerm_virtual_network_peering" "aml_to_bastion" {
  name                         = "peer-aml-to-bastion"
  resource_group_name          = local.group
  virtual_network_name         = azurerm_virtual_network.aml.name
  remote_virtual_network_id    = azurerm_virtual_network.bastion.id
  allow_virtual_network_access = true
  allow_forwarded_traffic      = false
  allow_gateway_transit        = false
}

resource "azurerm_virtual_network_peering" "bastion_to_aml" {
  name                         = "peer-bastion-to-aml"
  resource_group_name          = local.group
  virtual_network_name         = azurerm_virtual_network.bastion.name
  remote_virtual_network_id    = azurerm_virtual_network.aml.id
  allow_virtual_network_access = true
  allow_forwarded_traffic      = false
  allow_gateway_transit        = false
}
