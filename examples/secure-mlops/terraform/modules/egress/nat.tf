# Machines have no public address and no default outbound access: what the
# security groups let out leaves through a NAT gateway, one for each network.

locals {
  nat_networks = var.mode == "nat" ? toset([for subnet in var.subnets : subnet.network]) : toset([])
}

resource "azurerm_public_ip" "nat" {
  for_each = local.nat_networks

  name                = "pip-nat-${each.key}"
  resource_group_name = var.resource_group_name
  location            = var.location
  allocation_method   = "Static"
  sku                 = "Standard"
  tags                = var.tags
}

resource "azurerm_nat_gateway" "this" {
  for_each = local.nat_networks

  name                = "ng-${each.key}"
  resource_group_name = var.resource_group_name
  location            = var.location
  sku_name            = "Standard"
  tags                = var.tags
}

resource "azurerm_nat_gateway_public_ip_association" "this" {
  for_each = local.nat_networks

  nat_gateway_id       = azurerm_nat_gateway.this[each.key].id
  public_ip_address_id = azurerm_public_ip.nat[each.key].id
}

resource "azurerm_subnet_nat_gateway_association" "this" {
  for_each = { for name, subnet in var.subnets : name => subnet if var.mode == "nat" }

  subnet_id      = each.value.id
  nat_gateway_id = azurerm_nat_gateway.this[each.value.network].id
}
