# Two virtual networks: AML VNET holds the private endpoints of the workspace and
# its services, the nodes that train and the cluster that serves; BASTION VNET
# holds the people's jump host and the agents that run the pipelines.

resource "azurerm_virtual_network" "aml" {
  name                = "vnet-aml"
  resource_group_name = var.resource_group_name
  location            = var.location
  address_space       = [var.address_spaces.aml]
  tags                = var.tags
}

resource "azurerm_subnet" "endpoints" {
  name                              = "snet-endpoints"
  resource_group_name               = var.resource_group_name
  virtual_network_name              = azurerm_virtual_network.aml.name
  address_prefixes                  = [var.subnets.endpoints]
  default_outbound_access_enabled   = false
  private_endpoint_network_policies = "NetworkSecurityGroupEnabled" # else no rule would apply to an endpoint
}

resource "azurerm_subnet" "training" {
  name                            = "snet-training"
  resource_group_name             = var.resource_group_name
  virtual_network_name            = azurerm_virtual_network.aml.name
  address_prefixes                = [var.subnets.training]
  default_outbound_access_enabled = false
}

resource "azurerm_subnet" "aks" {
  name                            = "snet-aks"
  resource_group_name             = var.resource_group_name
  virtual_network_name            = azurerm_virtual_network.aml.name
  address_prefixes                = [var.subnets.aks]
  default_outbound_access_enabled = false
}

resource "azurerm_virtual_network" "bastion" {
  name                = "vnet-bastion"
  resource_group_name = var.resource_group_name
  location            = var.location
  address_space       = [var.address_spaces.bastion]
  tags                = var.tags
}

resource "azurerm_subnet" "bastion" {
  name                 = "AzureBastionSubnet" # the name that Azure asks for
  resource_group_name  = var.resource_group_name
  virtual_network_name = azurerm_virtual_network.bastion.name
  address_prefixes     = [var.subnets.bastion]
}

resource "azurerm_subnet" "jump" {
  name                            = "snet-jump"
  resource_group_name             = var.resource_group_name
  virtual_network_name            = azurerm_virtual_network.bastion.name
  address_prefixes                = [var.subnets.jump]
  default_outbound_access_enabled = false
}

resource "azurerm_subnet" "agents" {
  name                            = "snet-agents"
  resource_group_name             = var.resource_group_name
  virtual_network_name            = azurerm_virtual_network.bastion.name
  address_prefixes                = [var.subnets.agents]
  default_outbound_access_enabled = false
}
