# Other ways in than Bastion: a VPN gateway for people's own machines, and an
# ExpressRoute gateway for the company's networks. Both share one subnet.

locals {
  subnets        = var.vpn != null || var.express_route != null ? 1 : 0
  vpns           = var.vpn != null ? 1 : 0
  express_routes = var.express_route != null ? 1 : 0
}

resource "azurerm_subnet" "gateway" {
  count = local.subnets

  name                 = "GatewaySubnet" # the name that Azure asks for; it takes no security group
  resource_group_name  = var.resource_group_name
  virtual_network_name = var.network_name
  address_prefixes     = [var.prefix]
}

resource "azurerm_public_ip" "vpn" {
  count = local.vpns

  name                = "pip-vpn"
  resource_group_name = var.resource_group_name
  location            = var.location
  allocation_method   = "Static"
  sku                 = "Standard"
  zones               = ["1", "2", "3"]
  tags                = var.tags
}

resource "azurerm_virtual_network_gateway" "vpn" {
  count = local.vpns

  name                = "vgw-vpn"
  resource_group_name = var.resource_group_name
  location            = var.location
  type                = "Vpn"
  vpn_type            = "RouteBased"
  sku                 = var.vpn.sku
  generation          = "Generation1"
  active_active       = false
  bgp_enabled         = false
  tags                = var.tags

  ip_configuration {
    name                          = "default"
    subnet_id                     = azurerm_subnet.gateway[0].id
    public_ip_address_id          = azurerm_public_ip.vpn[0].id
    private_ip_address_allocation = "Dynamic"
  }

  # People log in to the tenant: there is no certificate to hand around.
  vpn_client_configuration {
    address_space        = [var.vpn.client_pool]
    vpn_client_protocols = ["OpenVPN"]
    vpn_auth_types       = ["AAD"]
    aad_tenant           = "https://login.microsoftonline.com/${var.vpn.tenant_id}/"
    aad_audience         = "c632b3df-fb67-4d84-bdcf-b95ad541b5c8" # the Azure VPN client, registered by Microsoft
    aad_issuer           = "https://sts.windows.net/${var.vpn.tenant_id}/"
  }
}

resource "azurerm_public_ip" "express_route" {
  count = local.express_routes

  name                = "pip-expressroute"
  resource_group_name = var.resource_group_name
  location            = var.location
  allocation_method   = "Static"
  sku                 = "Standard"
  zones               = ["1", "2", "3"]
  tags                = var.tags
}

resource "azurerm_virtual_network_gateway" "express_route" {
  count = local.express_routes

  name                = "vgw-expressroute"
  resource_group_name = var.resource_group_name
  location            = var.location
  type                = "ExpressRoute"
  sku                 = var.express_route.sku
  tags                = var.tags

  ip_configuration {
    name                          = "default"
    subnet_id                     = azurerm_subnet.gateway[0].id
    public_ip_address_id          = azurerm_public_ip.express_route[0].id
    private_ip_address_allocation = "Dynamic"
  }

  # Two gateways of one subnet are made one after the other.
  depends_on = [azurerm_virtual_network_gateway.vpn]
}

resource "azurerm_virtual_network_gateway_connection" "express_route" {
  count = try(var.express_route.circuit_id, null) != null ? 1 : 0

  name                       = "cn-expressroute"
  resource_group_name        = var.resource_group_name
  location                   = var.location
  type                       = "ExpressRoute"
  virtual_network_gateway_id = azurerm_virtual_network_gateway.express_route[0].id
  express_route_circuit_id   = var.express_route.circuit_id
  tags                       = var.tags
}
