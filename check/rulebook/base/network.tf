resource "azurerm_resource_group" "this" {
  name     = "rg-mlops"
  location = "westeurope"
}

resource "azurerm_virtual_network" "aml" {
  name                = "vnet-aml"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  address_space       = ["10.1.0.0/16"]
}

resource "azurerm_subnet" "endpoints" {
  name                 = "endpoints"
  resource_group_name  = azurerm_resource_group.this.name
  virtual_network_name = azurerm_virtual_network.aml.name
  address_prefixes     = ["10.1.1.0/24"]
}
