# Two virtual networks: AML VNET holds the private endpoints of the workspace and
# its services, and the nodes that train; BASTION VNET holds the people's jump
# host and the agents that run the pipelines.

resource "azurerm_resource_group" "this" {
  name     = "rg-${var.prefix}"
  location = var.location
  tags     = var.tags
}

locals {
  location = azurerm_resource_group.this.location
  group    = azurerm_resource_group.this.name

  # Names that are unique in all of Azure end with six digits that follow from the
  # subscription and the prefix.
  unique = "${var.prefix}${substr(sha1("${var.subscription_id}/${var.prefix}"), 0, 6)}"

  subnets = {
    endpoints = cidrsubnet(var.aml_address_space, 8, 1)
    training  = cidrsubnet(var.aml_address_space, 8, 2)
    bastion   = cidrsubnet(var.bastion_address_space, 10, 0)
    jump      = cidrsubnet(var.bastion_address_space, 8, 1)
    agents    = cidrsubnet(var.bastion_address_space, 8, 2)
  }

  networks = {
    aml     = azurerm_virtual_network.aml.id
    bastion = azurerm_virtual_network.bastion.id
  }
}

resource "azurerm_virtual_network" "aml" {
  name                = "vnet-aml"
  resource_group_name = local.group
  location            = local.location
  address_space       = [var.aml_address_space]
  tags                = var.tags
}

resource "azurerm_subnet" "endpoints" {
  name                              = "snet-endpoints"
  resource_group_name               = local.group
  virtual_network_name              = azurerm_virtual_network.aml.name
  address_prefixes                  = [local.subnets.endpoints]
  default_outbound_access_enabled   = false
  private_endpoint_network_policies = "NetworkSecurityGroupEnabled" # else no rule would apply to an endpoint
}

resource "azurerm_subnet" "training" {
  name                            = "snet-training"
  resource_group_name             = local.group
  virtual_network_name            = azurerm_virtual_network.aml.name
  address_prefixes                = [local.subnets.training]
  default_outbound_access_enabled = false
}

resource "azurerm_virtual_network" "bastion" {
  name                = "vnet-bastion"
  resource_group_name = local.group
  location            = local.location
  address_space       = [var.bastion_address_space]
  tags                = var.tags
}

resource "azurerm_subnet" "bastion" {
  name                 = "AzureBastionSubnet" # the name that Azure asks for
  resource_group_name  = local.group
  virtual_network_name = azurerm_virtual_network.bastion.name
  address_prefixes     = [local.subnets.bastion]
}

resource "azurerm_subnet" "jump" {
  name                            = "snet-jump"
  resource_group_name             = local.group
  virtual_network_name            = azurerm_virtual_network.bastion.name
  address_prefixes                = [local.subnets.jump]
  default_outbound_access_enabled = false
}

resource "azurerm_subnet" "agents" {
  name                            = "snet-agents"
  resource_group_name             = local.group
  virtual_network_name            = azurerm_virtual_network.bastion.name
  address_prefixes                = [local.subnets.agents]
  default_outbound_access_enabled = false
}

# Machines have no public address and no default outbound access: what the
# security groups let out leaves through a NAT gateway, one for each network.

resource "azurerm_public_ip" "nat" {
  for_each = local.networks

  name                = "pip-nat-${each.key}"
  resource_group_name = local.group
  location            = local.location
  allocation_method   = "Static"
  sku                 = "Standard"
  tags                = var.tags
}

resource "azurerm_nat_gateway" "this" {
  for_each = local.networks

  name                = "ng-${each.key}"
  resource_group_name = local.group
  location            = local.location
  sku_name            = "Standard"
  tags                = var.tags
}

resource "azurerm_nat_gateway_public_ip_association" "this" {
  for_each = local.networks

  nat_gateway_id       = azurerm_nat_gateway.this[each.key].id
  public_ip_address_id = azurerm_public_ip.nat[each.key].id
}

resource "azurerm_subnet_nat_gateway_association" "training" {
  subnet_id      = azurerm_subnet.training.id
  nat_gateway_id = azurerm_nat_gateway.this["aml"].id
}

resource "azurerm_subnet_nat_gateway_association" "bastion" {
  for_each = {
    jump   = azurerm_subnet.jump.id
    agents = azurerm_subnet.agents.id
  }

  subnet_id      = each.value
  nat_gateway_id = azurerm_nat_gateway.this["bastion"].id
}
